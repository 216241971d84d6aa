/* CheckMac of the emulated chip: the comparison, what it authorises and what
 * it copies. */
#include "chip_fixture.h"

enum {
    KEY = 5,   /* compares; ReadKey F */
    ASKER = 9, /* ReqAuth with KEY */
};

static const uint8_t SECRET[32] = {0x5A, 0xA5, 0x01};
static const uint8_t NEIGHBOUR[32] = {0x4E, 0x42};
static const uint8_t OTHER[13] = {0x08, 0x00, 0x04, 0x00, 1, 2, 3,
                                  4,    5,    6,    7,    8, 9};

/* The 88 bytes, laid out here once more. */
static void message(const uint8_t first[32], const uint8_t second[32],
                    const uint8_t other[13], const uint8_t *otp,
                    uint8_t mac[32]) {
    uint8_t bytes[88] = {0};
    memcpy(bytes, first, 32);
    memcpy(bytes + 32, second, 32);
    memcpy(bytes + 64, other, 4);
    if (otp != NULL) {
        memcpy(bytes + 68, otp, 8);
    }
    memcpy(bytes + 76, other + 4, 3);
    bytes[79] = SERIAL[8];
    memcpy(bytes + 80, other + 7, 4);
    memcpy(bytes + 84, SERIAL, 2);
    memcpy(bytes + 86, other + 11, 2);
    hash_outside(bytes, sizeof(bytes), mac);
}

static void bench_with_keys(struct bench *bench) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot(&eeprom, KEY, SECRET, 32);
    set_slot(&eeprom, 7, SECRET, 32);
    set_slot(&eeprom, ASKER, NEIGHBOUR, 32);
    set_key_config(&eeprom, ASKER, 0x059C | 0x0018); /* ReqAuth by slot 5 */
    set_key_config(&eeprom, 8, 0x003C);
    bench_open(bench, &eeprom);
}

struct proof {
    uint8_t bytes[77];
};

static struct proof prove(const uint8_t first[32], const uint8_t second[32],
                          const uint8_t *otp) {
    struct proof proof = {{0}};
    memcpy(proof.bytes, second, 32);
    message(first, second, OTHER, otp, proof.bytes + 32);
    memcpy(proof.bytes + 64, OTHER, 13);
    return proof;
}

static struct proof prove_temp_key(struct bench *bench) {
    return prove(SECRET, buffers(bench)->temp_key, NULL);
}

static void check(struct bench *bench, uint8_t mode, uint16_t slot,
                  const struct proof *proof) {
    (void)ask_ok(bench, OP_CHECKMAC, mode, slot, proof->bytes, 77);
}

static uint8_t authorisation(struct bench *bench) {
    return ask_ok(bench, OP_INFO, 2, 0, NULL, 0).data[1] & 0x7C;
}

static void compares_a_challenge(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    struct proof proof = prove(SECRET, DIGEST, NULL);
    check(&bench, 0x00, KEY, &proof);
    /* A challenge that the host chose authorises nothing. */
    assert_int_equal(authorisation(&bench), 0);
    const uint8_t *otp = kw_sim_chip_eeprom(bench.chip)->otp;
    proof = prove(SECRET, DIGEST, otp);
    check(&bench, 0x20, KEY, &proof);
    for (size_t at = 0; at < 77; at++) {
        proof.bytes[at] ^= 0x10;
        ask_no(&bench, MISMATCH, "the MAC is not", OP_CHECKMAC, 0x20, KEY,
               proof.bytes, 77);
        proof.bytes[at] ^= 0x10;
    }
    bench_close(&bench);
}

/* What MAC answers, CheckMac takes: OtherData repeats the command. */
static void takes_what_mac_gives(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    struct proof proof = {{0}};
    memcpy(proof.bytes, DIGEST, 32);
    const struct reply mac = ask_ok(&bench, OP_MAC, 0x00, KEY, DIGEST, 32);
    memcpy(proof.bytes + 32, mac.data, 32);
    memcpy(proof.bytes + 64, "\x08\x00\x05\x00", 4);
    check(&bench, 0x00, KEY, &proof);
    bench_close(&bench);
}

static void uses_temp_key_in_both_places(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    load(&bench, 0x03, DIGEST, 32);
    struct proof proof = prove(DIGEST, NEIGHBOUR, NULL);
    check(&bench, 0x06, KEY, &proof);
    assert_false(buffers(&bench)->temp_key_valid);
    load(&bench, 0x03, DIGEST, 32);
    proof = prove(DIGEST, DIGEST, NULL);
    check(&bench, 0x07, KEY, &proof);
    assert_int_equal(authorisation(&bench), 0);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_CHECKMAC, 0x07, KEY,
           proof.bytes, 77);
    bench_close(&bench);
}

static void source_must_agree(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    load(&bench, 0x03, DIGEST, 32);
    struct proof proof = prove_temp_key(&bench);
    ask_no(&bench, REFUSED, "fixed nonce", OP_CHECKMAC, 0x01, KEY, proof.bytes,
           77);
    random_nonce(&bench);
    proof = prove_temp_key(&bench);
    ask_no(&bench, REFUSED, "random nonce", OP_CHECKMAC, 0x05, KEY, proof.bytes,
           77);
    check(&bench, 0x01, KEY, &proof);
    bench_close(&bench);
}

static void authorise(struct bench *bench) {
    random_nonce(bench);
    const struct proof proof = prove_temp_key(bench);
    check(bench, 0x01, KEY, &proof);
}

static void authorises_one_use(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    ask_no(&bench, REFUSED, "ReqAuth of slot 9", OP_MAC, 0x00, ASKER, DIGEST,
           32);
    authorise(&bench);
    assert_int_equal(authorisation(&bench), KEY << 3 | 1 << 2);
    /* It outlives idling. */
    kw_sim_chip_idle(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    (void)ask_ok(&bench, OP_MAC, 0x00, ASKER, DIGEST, 32);
    assert_int_equal(authorisation(&bench), 0);
    ask_no(&bench, REFUSED, "ReqAuth of slot 9", OP_MAC, 0x00, ASKER, DIGEST,
           32);
    /* Sleep takes it away. */
    authorise(&bench);
    kw_sim_chip_sleep(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    ask_no(&bench, REFUSED, "ReqAuth of slot 9", OP_MAC, 0x00, ASKER, DIGEST,
           32);
    bench_close(&bench);
}

static void fixed_nonce_authorises_nothing(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    load(&bench, 0x03, DIGEST, 32);
    const struct proof proof = prove_temp_key(&bench);
    check(&bench, 0x05, KEY, &proof);
    assert_int_equal(authorisation(&bench), 0);
    bench_close(&bench);
}

static void wrong_key_or_mismatch_does_not_authorise(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    random_nonce(&bench);
    struct proof proof = prove_temp_key(&bench);
    check(&bench, 0x01, 7, &proof);
    ask_no(&bench, REFUSED, "ReqAuth of slot 9", OP_MAC, 0x00, ASKER, DIGEST,
           32);
    authorise(&bench);
    random_nonce(&bench);
    proof = prove_temp_key(&bench);
    proof.bytes[32] ^= 1;
    ask_no(&bench, MISMATCH, "the MAC is not", OP_CHECKMAC, 0x01, KEY,
           proof.bytes, 77);
    assert_false(buffers(&bench)->temp_key_valid);
    assert_int_equal(authorisation(&bench), 0);
    bench_close(&bench);
}

/* --- copy --- */

static void bench_with_pair(struct bench *bench, uint16_t slot_config,
                            uint16_t key_config) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot_config(&eeprom, 6, 0x8F8F);
    set_key_config(&eeprom, 6, 0x001C);
    set_slot_config(&eeprom, 7, slot_config);
    set_key_config(&eeprom, 7, key_config);
    set_slot(&eeprom, 6, SECRET, 32);
    set_slot(&eeprom, 7, NEIGHBOUR, 32);
    bench_open(bench, &eeprom);
}

static void assert_copied(const struct bench *bench, bool no_mac) {
    assert_true(buffers(bench)->temp_key_valid);
    assert_memory_equal(buffers(bench)->temp_key, NEIGHBOUR, 32);
    assert_true(buffers(bench)->source_fixed);
    assert_false(buffers(bench)->gen_dig_data);
    assert_int_equal(buffers(bench)->no_mac, no_mac);
}

static void copies_the_odd_slot(void **state) {
    (void)state;
    struct bench bench;
    struct proof proof;
    bench_with_pair(&bench, 0x8F80, 0x001C); /* ReadKey 0 */
    random_nonce(&bench);
    proof = prove_temp_key(&bench);
    check(&bench, 0x01, 6, &proof);
    assert_copied(&bench, false);
    load(&bench, 0x03, DIGEST, 32);
    proof = prove(NEIGHBOUR, DIGEST, NULL);
    check(&bench, 0x05, 7, &proof); /* itself */
    assert_copied(&bench, false);
    /* Another mode copies nothing. */
    load(&bench, 0x03, DIGEST, 32);
    proof = prove(NEIGHBOUR, DIGEST, kw_sim_chip_eeprom(bench.chip)->otp);
    check(&bench, 0x25, 7, &proof);
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void copies_no_mac_along(void **state) {
    (void)state;
    struct bench bench;
    bench_with_pair(&bench, 0x8F90, 0x001C);
    random_nonce(&bench);
    const struct proof proof = prove_temp_key(&bench);
    check(&bench, 0x01, 6, &proof);
    assert_copied(&bench, true);
    ask_no(&bench, REFUSED, "NoMac", OP_MAC, 0x06, 5, DIGEST, 32);
    bench_close(&bench);
}

static void copies_nothing_else(void **state) {
    (void)state;
    static const struct {
        uint16_t slot_config;
        uint16_t key_config;
    } closed[] = {
        {0x8F8F, 0x001C}, /* ReadKey F */
        {0x2080, 0x0033}, /* a private key without any right */
        {0x8F80, 0x101C}, /* PersistentDisable */
    };
    for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
        struct bench bench;
        bench_with_pair(&bench, closed[i].slot_config, closed[i].key_config);
        random_nonce(&bench);
        const struct proof proof = prove_temp_key(&bench);
        check(&bench, 0x01, 6, &proof);
        assert_false(buffers(&bench)->temp_key_valid);
        bench_close(&bench);
    }
}

/* --- refusals --- */

static void refuses_forms(void **state) {
    (void)state;
    struct bench bench;
    bench_with_keys(&bench);
    const struct proof proof = prove(SECRET, DIGEST, NULL);
    ask_no(&bench, PARSE, "no mode", OP_CHECKMAC, 0x08, KEY, proof.bytes, 77);
    ask_no(&bench, PARSE, "no mode", OP_CHECKMAC, 0x40, KEY, proof.bytes, 77);
    ask_no(&bench, PARSE, "no slot 16", OP_CHECKMAC, 0, 16, proof.bytes, 77);
    ask_no(&bench, PARSE, "77 bytes", OP_CHECKMAC, 0, KEY, proof.bytes, 76);
    bench_close(&bench);
}

static void refuses_keys(void **state) {
    (void)state;
    struct bench bench;
    const struct proof proof = prove(SECRET, DIGEST, NULL);
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_key_config(&eeprom, 5, 0x103C); /* PersistentDisable */
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "private key", OP_CHECKMAC, 0, 0, proof.bytes, 77);
    ask_no(&bench, REFUSED, "persistent latch", OP_CHECKMAC, 0, 5, proof.bytes,
           77);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_CHECKMAC, 0, 6,
           proof.bytes, 77);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_CHECKMAC, 5, 6,
           proof.bytes, 77);
    bench_close(&bench);
    set_locks(&eeprom, 0, KW_ZONE_UNLOCKED);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "data zone", OP_CHECKMAC, 0, 7, proof.bytes, 77);
    bench_close(&bench);
}

/* NoMac keys are made for this command; LimitedUse counts it. */
static void uses_limited_and_no_mac_keys(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const struct proof proof = prove(SECRET, DIGEST, NULL);
    uint8_t limit[4] = {2};
    set_slot(&eeprom, 7, SECRET, 32);
    set_slot_config(&eeprom, 7, 0x8FBF); /* NoMac, LimitedUse */
    set_slot(&eeprom, 10, limit, 4);
    eeprom.config[KW_CONFIG_COUNT_MATCH] = 0xA1;
    bench_open(&bench, &eeprom);
    check(&bench, 0, 7, &proof);
    check(&bench, 0, 7, &proof);
    ask_no(&bench, REFUSED, "reached the limit 2", OP_CHECKMAC, 0, 7,
           proof.bytes, 77);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_a_challenge),
        cmocka_unit_test(takes_what_mac_gives),
        cmocka_unit_test(uses_temp_key_in_both_places),
        cmocka_unit_test(source_must_agree),
        cmocka_unit_test(authorises_one_use),
        cmocka_unit_test(fixed_nonce_authorises_nothing),
        cmocka_unit_test(wrong_key_or_mismatch_does_not_authorise),
        cmocka_unit_test(copies_the_odd_slot),
        cmocka_unit_test(copies_no_mac_along),
        cmocka_unit_test(copies_nothing_else),
        cmocka_unit_test(refuses_forms),
        cmocka_unit_test(refuses_keys),
        cmocka_unit_test(uses_limited_and_no_mac_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
