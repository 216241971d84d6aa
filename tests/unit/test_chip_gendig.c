/* GenDig of the emulated chip, against messages laid out here byte by byte. */
#include "chip_fixture.h"

static const uint8_t KEY[32] = {0x4B, 0x45, 0x59};

static const uint8_t SHARED[32] = {0x53, 0x48, 0x41, 0x52, 0x45, 0x44};

/* input head(4) SN[8] SN[0:1] middle(25) tail. */
static void gendig_message(const uint8_t input[32], const uint8_t head[4],
                           const uint8_t middle[25], const uint8_t tail[32],
                           uint8_t digest[32]) {
    uint8_t message[96];
    memcpy(message, input, 32);
    memcpy(message + 32, head, 4);
    message[36] = SERIAL[8];
    memcpy(message + 37, SERIAL, 2);
    memcpy(message + 39, middle, 25);
    memcpy(message + 64, tail, 32);
    hash_outside(message, sizeof(message), digest);
}

struct zone_case {
    uint8_t zone;
    uint16_t param2;
    size_t data_size;
    uint8_t head[4];
    uint8_t input[32];
    uint8_t middle[25];
};

static void check_zone(struct bench *bench, const struct zone_case *zone,
                       const void *data) {
    uint8_t expected[32];
    load(bench, 0x03, DIGEST, 32);
    gendig_message(zone->input, zone->head, zone->middle, DIGEST, expected);
    (void)ask_ok(bench, OP_GENDIG, zone->zone, zone->param2, data,
                 zone->data_size);
    assert_memory_equal(buffers(bench)->temp_key, expected, 32);
    assert_true(buffers(bench)->temp_key_valid);
    assert_true(buffers(bench)->source_fixed);
    assert_int_equal(buffers(bench)->gen_dig_data, zone->zone == 2);
    assert_int_equal(buffers(bench)->temp_key_id,
                     zone->zone == 2 ? zone->param2 : 0);
    assert_false(buffers(bench)->gen_key_data);
}

static void mixes_chip_content(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    kw_counter_encode(1026, eeprom.config + KW_CONFIG_COUNTER + 8);
    set_slot(&eeprom, 5, KEY, 32);
    bench_open(&bench, &eeprom);

    struct zone_case config = {.zone = 0, .param2 = 3, .head = {0x15, 0, 3}};
    memcpy(config.input, eeprom.config + 96, 32);
    check_zone(&bench, &config, NULL);

    struct zone_case otp = {.zone = 1, .head = {0x15, 1}};
    memcpy(otp.input, eeprom.otp, 32);
    check_zone(&bench, &otp, NULL);

    struct zone_case key = {.zone = 2, .param2 = 5, .head = {0x15, 2, 5}};
    memcpy(key.input, KEY, 32);
    check_zone(&bench, &key, NULL);
    /* Real hosts send four spare bytes. */
    key.data_size = 4;
    check_zone(&bench, &key, "\x15\x02\x05\x00");

    const struct zone_case counter = {.zone = 4,
                                      .param2 = 1,
                                      .head = {0x15, 4, 1},
                                      .middle = {0, 0x02, 0x04}};
    check_zone(&bench, &counter, NULL);

    const struct zone_case open_slot = {
        .zone = 5,
        .param2 = 14,
        .head = {0x15, 5, 14},
        .middle = {0, 0x0D, 0x1F, 0x12, 0x00, 1}};
    check_zone(&bench, &open_slot, NULL);
    bench_close(&bench);

    eeprom.config[KW_CONFIG_SLOT_LOCKED + 1] = 0xBF;
    bench_open(&bench, &eeprom);
    struct zone_case locked_slot = open_slot;
    locked_slot.middle[5] = 0;
    check_zone(&bench, &locked_slot, NULL);
    bench_close(&bench);
}

static void mixes_a_shared_nonce(void **state) {
    (void)state;
    struct bench bench;
    const uint8_t nothing[25] = {0};
    const uint8_t head[4] = {0x15, 3, 4, 0};
    uint8_t expected[32];
    bench_trustflex(&bench);
    load(&bench, 0x03, DIGEST, 32);
    gendig_message(SHARED, head, nothing, DIGEST, expected);
    (void)ask_ok(&bench, OP_GENDIG, 3, 0x0004, SHARED, 32);
    assert_memory_equal(buffers(&bench)->temp_key, expected, 32);
    assert_false(buffers(&bench)->gen_dig_data);
    assert_int_equal(buffers(&bench)->temp_key_id, 0);

    load(&bench, 0x03, DIGEST, 32);
    gendig_message(DIGEST, head, nothing, SHARED, expected);
    (void)ask_ok(&bench, OP_GENDIG, 3, 0x8004, SHARED, 32);
    assert_memory_equal(buffers(&bench)->temp_key, expected, 32);
    bench_close(&bench);
}

/* A key with NoMac: OtherData takes the head's place, and the mark sticks. */
static void marks_no_mac(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const uint8_t nothing[25] = {0};
    const uint8_t other[4] = {0xA1, 0xA2, 0xA3, 0xA4};
    uint8_t expected[32];
    set_slot(&eeprom, 7, KEY, 32);
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, PARSE, "4 bytes", OP_GENDIG, 2, 7, NULL, 0);
    gendig_message(KEY, other, nothing, DIGEST, expected);
    (void)ask_ok(&bench, OP_GENDIG, 2, 7, other, 4);
    assert_memory_equal(buffers(&bench)->temp_key, expected, 32);
    assert_true(buffers(&bench)->no_mac);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    assert_true(buffers(&bench)->no_mac);
    ask_no(&bench, REFUSED, "key that has NoMac", OP_MAC, 0x05, 5, NULL, 0);
    ask_no(&bench, REFUSED, "key that has NoMac", OP_SHA, 0x04, 0xFFFF, NULL,
           0);
    load(&bench, 0x03, DIGEST, 32);
    assert_false(buffers(&bench)->no_mac);
    bench_close(&bench);
}

/* What GenDig and GenKey say about TempKey, and how little is left of it. */
static void flags_follow_the_last(void **state) {
    (void)state;
    const struct kw_sim_volatile empty = {.temp_key_valid = false};
    const uint8_t wide[64] = {0x64};
    struct bench bench;
    bench_trustflex(&bench);
    load(&bench, 0x23, wide, sizeof(wide));
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 13, "\0\0\0", 3);
    assert_true(buffers(&bench)->gen_key_data);
    assert_false(buffers(&bench)->temp_key_is_64);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    assert_false(buffers(&bench)->gen_key_data);
    assert_true(buffers(&bench)->gen_dig_data);
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 13, "\0\0\0", 3);
    assert_false(buffers(&bench)->gen_dig_data);
    assert_int_equal(buffers(&bench)->temp_key_id, 13);
    (void)ask_ok(&bench, OP_MAC, 0x05, 5, NULL, 0);
    assert_memory_equal(buffers(&bench), &empty, sizeof(empty));
    load(&bench, 0x23, wide, sizeof(wide));
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    (void)ask_ok(&bench, OP_MAC, 0x05, 5, NULL, 0);
    assert_memory_equal(buffers(&bench), &empty, sizeof(empty));
    load(&bench, 0x23, wide, sizeof(wide));
    (void)ask_ok(&bench, OP_MAC, 0x05, 5, NULL, 0);
    assert_memory_equal(buffers(&bench), &empty, sizeof(empty));
    bench_close(&bench);
}

/* 0F takes TempKey away, whatever was in it; 03 and what is answered before
 * the command is looked at do not. */
static void failure_loses_temp_key(void **state) {
    (void)state;
    const uint8_t wide[64] = {0x64};
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot_config(&eeprom, 5, 0x46AF); /* LimitedUse */
    bench_open(&bench, &eeprom);

    load(&bench, 0x23, wide, sizeof(wide));
    load(&bench, 0x43, DIGEST, 32);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_GENDIG, 2, 16, NULL, 0);
    assert_true(buffers(&bench)->temp_key_valid);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_GENDIG, 2, 6, NULL, 0);
    assert_int_equal(buffers(&bench)->message_digest_size, 32);

    /* A key of its own is lost as well, and what was made with a key. */
    (void)ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
    ask_no(&bench, REFUSED, "only ECDH", OP_GENDIG, 2, 5, NULL, 0);
    assert_false(buffers(&bench)->temp_key_private);

    /* The use could not be counted. */
    load(&bench, 0x03, DIGEST, 32);
    bench.store_fails = true;
    ask_no(&bench, REFUSED, "could not be stored", OP_GENDIG, 2, 5, NULL, 0);
    bench.store_fails = false;

    load(&bench, 0x03, DIGEST, 32);
    bench.time += 1290000;
    assert_int_equal(ask(&bench, OP_GENDIG, 2, 6, NULL, 0).status, 0xEE);
    assert_true(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void gendig_refusals(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_GENDIG, 2, 5, NULL, 0);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_GENDIG, 2, 6, NULL, 0);
    ask_no(&bench, REFUSED, "slot 2 holds a private key", OP_GENDIG, 2, 2, NULL,
           0);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, PARSE, "no block 4", OP_GENDIG, 0, 4, NULL, 0);
    ask_no(&bench, PARSE, "no block 2", OP_GENDIG, 1, 2, NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_GENDIG, 2, 16, NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_GENDIG, 3, 16, SHARED, 32);
    ask_no(&bench, PARSE, "32 bytes", OP_GENDIG, 3, 4, SHARED, 31);
    ask_no(&bench, PARSE, "no counter 2", OP_GENDIG, 4, 2, NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_GENDIG, 5, 16, NULL, 0);
    ask_no(&bench, PARSE, "no zone 06", OP_GENDIG, 6, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 or 4 bytes", OP_GENDIG, 2, 5, SHARED, 5);
    bench_close(&bench);

    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_locks(&eeprom, 0, 0x55);
    bench_open(&bench, &eeprom);
    for (uint8_t zone = 0; zone < 6; zone++) {
        load(&bench, 0x03, DIGEST, 32);
        ask_no(&bench, REFUSED, "data zone is not locked", OP_GENDIG, zone, 1,
               SHARED, zone == 3 ? 32 : 0);
    }
    ask_no(&bench, REFUSED, "data zone is not locked", OP_MAC, 0, 5, SHARED,
           32);
    ask_no(&bench, REFUSED, "data zone is not locked", OP_MAC, 7, 5, NULL, 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_chip_content),
        cmocka_unit_test(mixes_a_shared_nonce),
        cmocka_unit_test(marks_no_mac),
        cmocka_unit_test(flags_follow_the_last),
        cmocka_unit_test(failure_loses_temp_key),
        cmocka_unit_test(gendig_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
