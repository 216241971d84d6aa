/* SecureBoot of the emulated chip: three modes, three configurations, the
 * encrypted digest, the latch. */
#include "chip_fixture.h"

enum {
    FULL = 5,
    STORE = 6,
    COPY = 7,
    PROHIBIT = 0x40,
    ENCRYPTED = 0x80,
    DIGEST_SLOT = 9, /* large enough for a signature too */
};

enum {
    DISABLED = 0,
    FULL_BOTH = 1,
    FULL_SIGNATURE = 2,
    FULL_DIGEST = 3,
    LATCH = 8,
    RANDOM_NONCE = 16,
};

static struct outside_key maker;
static uint8_t boot_data[96]; /* digest and signature */

static struct kw_sim_eeprom prepared(uint8_t config) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t stored[72];
    stored_key(maker.public_key, stored);
    set_slot(&eeprom, 15, stored, sizeof(stored));
    eeprom.config[KW_CONFIG_SECURE_BOOT] = config;
    eeprom.config[KW_CONFIG_SECURE_BOOT + 1] = 0xF0 | DIGEST_SLOT;
    return eeprom;
}

static void bench_with(struct bench *bench, uint8_t config) {
    const struct kw_sim_eeprom eeprom = prepared(config);
    bench_open(bench, &eeprom);
}

static void boot(struct bench *bench, uint8_t mode) {
    const size_t size = (mode & 7) == STORE ? 32 : 96;
    (void)ask_ok(bench, OP_SECUREBOOT, mode, 0, boot_data, size);
}

static void no_boot(struct bench *bench, uint8_t status, const char *words,
                    uint8_t mode) {
    const size_t size = (mode & 7) == STORE ? 32 : 96;
    ask_no(bench, status, words, OP_SECUREBOOT, mode, 0, boot_data, size);
}

static bool latch(struct bench *bench) {
    return ask_ok(bench, OP_INFO, 4, 0, NULL, 0).data[0] != 0;
}

static void verifies(void **state) {
    (void)state;
    static const uint8_t configs[] = {FULL_BOTH, FULL_SIGNATURE, FULL_DIGEST};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench;
        bench_with(&bench, configs[i]);
        boot(&bench, FULL);
        assert_int_equal(bench.commits, 0);
        assert_false(latch(&bench));
        boot_data[95] ^= 1;
        no_boot(&bench, MISMATCH, "signature does not match", FULL);
        boot_data[95] ^= 1;
        bench_close(&bench);
    }
}

static void copies_and_compares_digests(void **state) {
    (void)state;
    struct bench bench;
    bench_with(&bench, FULL_DIGEST);
    no_boot(&bench, MISMATCH, "FullCopy) comes first", STORE);
    boot_data[40] ^= 1;
    no_boot(&bench, MISMATCH, "signature does not match", COPY);
    boot_data[40] ^= 1;
    boot(&bench, COPY);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, DIGEST_SLOT),
                        boot_data, 32);
    boot(&bench, STORE);
    boot_data[0] ^= 1;
    no_boot(&bench, MISMATCH, "not the one that SecureBoot stored", STORE);
    boot_data[0] ^= 1;
    bench_close(&bench);
}

/* A slot that is written for any reason loses its validity. */
static void copying_invalidates(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(FULL_DIGEST);
    struct bench bench;
    set_key_config(&eeprom, DIGEST_SLOT, 0x0012);
    *kw_sim_eeprom_slot(&eeprom, DIGEST_SLOT) = 0x50;
    bench_open(&bench, &eeprom);
    boot(&bench, COPY);
    const uint8_t *slot = kw_sim_eeprom_slot(&bench.stored, DIGEST_SLOT);
    assert_int_equal(slot[0], 0xA0 | (boot_data[0] & 0x0F));
    assert_memory_equal(slot + 1, boot_data + 1, 31);
    bench_close(&bench);
}

/* A blank slot does not pass for a digest of FF. */
static void blank_is_no_digest(void **state) {
    (void)state;
    struct bench bench;
    uint8_t blank[32];
    memset(blank, 0xFF, 32);
    bench_with(&bench, FULL_DIGEST);
    ask_no(&bench, MISMATCH, "no digest is stored", OP_SECUREBOOT, STORE, 0,
           blank, 32);
    bench_close(&bench);
}

static void copies_and_checks_signatures(void **state) {
    (void)state;
    struct bench bench;
    bench_with(&bench, FULL_SIGNATURE);
    no_boot(&bench, MISMATCH, "signature does not match", STORE);
    boot(&bench, COPY);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, DIGEST_SLOT),
                        boot_data + 32, 64);
    boot(&bench, STORE);
    boot_data[0] ^= 1;
    no_boot(&bench, MISMATCH, "signature does not match", STORE);
    boot_data[0] ^= 1;
    bench_close(&bench);
}

/* --- encrypted --- */

/* Data and expected MAC of one known answer. */
struct known_boot {
    uint8_t io_key[32];
    uint8_t temp_key[32];
    uint8_t digest[32];
    uint8_t sent[96];
    size_t sent_size;
    uint8_t mac[32];
};

static struct known_boot read_known(const char *name) {
    struct known_boot answer;
    json_t *root = known_answers();
    const json_t *object = json_object_get(root, name);
    (void)known(object, "io_key", answer.io_key, 32);
    (void)known(object, "tempkey", answer.temp_key, 32);
    (void)known(object, "digest", answer.digest, 32);
    answer.sent_size = known(object, "sent", answer.sent, 96);
    (void)known(object, "response_mac", answer.mac, 32);
    json_decref(root);
    return answer;
}

static void known_store(void **state) {
    (void)state;
    const struct known_boot answer =
        read_known("secureboot_fullstore_encrypted");
    struct kw_sim_eeprom eeprom = prepared(FULL_DIGEST);
    struct bench bench;
    set_slot(&eeprom, 6, answer.io_key, 32);
    set_slot(&eeprom, DIGEST_SLOT, answer.digest, 32);
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, answer.temp_key, 32);
    const struct reply reply =
        ask_ok(&bench, OP_SECUREBOOT, 0x86, 0, answer.sent, answer.sent_size);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, answer.mac, 32);
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static kw_status accept(void *context, const uint8_t key[64],
                        const uint8_t digest[32], const uint8_t signature[64]) {
    (void)context;
    (void)key;
    (void)digest;
    (void)signature;
    return KW_OK;
}

/* The known answer's signature is no signature: let it pass for one. */
static void known_copy(void **state) {
    (void)state;
    const struct known_boot answer =
        read_known("secureboot_fullcopy_encrypted");
    struct kw_sim_eeprom eeprom = prepared(FULL_DIGEST);
    struct kw_sim_crypto credulous = kw_sim_crypto_openssl;
    const struct kw_sim_options options = {.crypto = &credulous};
    struct bench bench = {.commits = 0};
    credulous.verify = accept;
    set_slot(&eeprom, 6, answer.io_key, 32);
    bench.chip = kw_sim_chip_new(&eeprom, &options);
    assert_non_null(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    load(&bench, 0x03, answer.temp_key, 32);
    const struct reply reply =
        ask_ok(&bench, OP_SECUREBOOT, 0x87, 0, answer.sent, answer.sent_size);
    assert_memory_equal(reply.data, answer.mac, 32);
    struct kw_sim_eeprom after = *kw_sim_chip_eeprom(bench.chip);
    assert_memory_equal(kw_sim_eeprom_slot(&after, DIGEST_SLOT), answer.digest,
                        32);
    bench_close(&bench);
}

/* SHA-256(hk, digest, stored signature, 80 86 00 00). */
static void signature_store_has_it_in_the_mac(void **state) {
    (void)state;
    static const uint8_t io_key[32] = {0x49};
    static const uint8_t head[4] = {0x80, 0x86, 0x00, 0x00};
    struct kw_sim_eeprom eeprom = prepared(FULL_SIGNATURE);
    struct bench bench;
    uint8_t message[132];
    uint8_t both[64];
    uint8_t sent[32];
    uint8_t expected[32];
    set_slot(&eeprom, 6, io_key, 32);
    set_slot(&eeprom, DIGEST_SLOT, boot_data + 32, 64);
    bench_open(&bench, &eeprom);
    random_nonce(&bench);
    memcpy(both, io_key, 32);
    memcpy(both + 32, buffers(&bench)->temp_key, 32);
    hash_outside(both, 64, message);
    memcpy(message + 32, boot_data, 96);
    memcpy(message + 128, head, sizeof(head));
    hash_outside(message, sizeof(message), expected);
    for (size_t i = 0; i < 32; i++) {
        sent[i] = boot_data[i] ^ message[i];
    }
    const struct reply reply = ask_ok(&bench, OP_SECUREBOOT, 0x86, 0, sent, 32);
    assert_memory_equal(reply.data, expected, 32);
    /* A mismatch answers no MAC, and uses the nonce up all the same. */
    random_nonce(&bench);
    ask_no(&bench, MISMATCH, "does not match", OP_SECUREBOOT, 0x86, 0, sent,
           32);
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void nonce_rules(void **state) {
    (void)state;
    struct bench bench;
    bench_with(&bench, FULL_DIGEST);
    no_boot(&bench, REFUSED, "TempKey is not valid", ENCRYPTED | FULL);
    load(&bench, 0x03, DIGEST, 32);
    no_boot(&bench, MISMATCH, "does not match", ENCRYPTED | FULL);
    bench_close(&bench);
    bench_with(&bench, FULL_DIGEST | RANDOM_NONCE);
    no_boot(&bench, REFUSED, "must be encrypted", FULL);
    load(&bench, 0x03, DIGEST, 32);
    no_boot(&bench, REFUSED, "was passed in", ENCRYPTED | FULL);
    random_nonce(&bench);
    no_boot(&bench, MISMATCH, "does not match", ENCRYPTED | FULL);
    bench_close(&bench);
    struct kw_sim_eeprom eeprom = prepared(FULL_DIGEST);
    eeprom.config[KW_CONFIG_CHIP_OPTIONS] = 0x0C;
    bench_open(&bench, &eeprom);
    random_nonce(&bench);
    no_boot(&bench, REFUSED, "IO protection key", ENCRYPTED | FULL);
    bench_close(&bench);
}

/* --- latch and prohibition --- */

static void success_sets_the_latch(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(FULL_DIGEST | LATCH);
    struct bench bench;
    set_key_config(&eeprom, 2, 0x1073); /* PersistentDisable */
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "persistent latch", OP_SIGN, 0xA0, 2, NULL, 0);
    no_boot(&bench, MISMATCH, "comes first", STORE);
    assert_false(latch(&bench));
    boot(&bench, FULL);
    assert_true(latch(&bench));
    (void)ask_ok(&bench, OP_SIGN, 0xA0, 2, NULL, 0);
    kw_sim_chip_sleep(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_true(latch(&bench));
    kw_sim_chip_power_cycle(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_false(latch(&bench));
    bench_close(&bench);
}

static void may_be_prohibited(void **state) {
    (void)state;
    struct bench bench;
    bench_with(&bench, FULL_DIGEST);
    boot_data[95] ^= 1; /* a failure prohibits nothing */
    no_boot(&bench, MISMATCH, "does not match", PROHIBIT | FULL);
    boot_data[95] ^= 1;
    boot(&bench, PROHIBIT | FULL);
    no_boot(&bench, REFUSED, "until the next power cycle", FULL);
    kw_sim_chip_sleep(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    no_boot(&bench, REFUSED, "until the next power cycle", FULL);
    kw_sim_chip_power_cycle(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    boot(&bench, FULL);
    bench_close(&bench);
}

/* A store that fails takes everything back, the latch too. */
static void failed_store_sets_no_latch(void **state) {
    (void)state;
    struct bench bench;
    bench_with(&bench, FULL_DIGEST | LATCH);
    bench.store_fails = true;
    no_boot(&bench, REFUSED, "could not be stored", PROHIBIT | COPY);
    assert_false(latch(&bench));
    bench.store_fails = false;
    boot(&bench, COPY);
    assert_true(latch(&bench));
    bench_close(&bench);
}

/* --- refusals --- */

static void refuses_forms(void **state) {
    (void)state;
    struct bench bench;
    bench_with(&bench, FULL_DIGEST);
    for (unsigned mode = 0; mode < FULL; mode++) {
        no_boot(&bench, PARSE, "no mode", (uint8_t)mode);
    }
    no_boot(&bench, PARSE, "no mode", 0x0D);
    no_boot(&bench, PARSE, "no mode", 0x25);
    ask_no(&bench, PARSE, "param2", OP_SECUREBOOT, FULL, 1, boot_data, 96);
    ask_no(&bench, PARSE, "96 bytes", OP_SECUREBOOT, FULL, 0, boot_data, 32);
    ask_no(&bench, PARSE, "32 bytes", OP_SECUREBOOT, STORE, 0, boot_data, 96);
    bench_close(&bench);
}

static void refuse_with(const struct kw_sim_eeprom *eeprom, uint8_t mode,
                        const char *words) {
    struct bench bench;
    bench_open(&bench, eeprom);
    no_boot(&bench, REFUSED, words, mode);
    bench_close(&bench);
}

static void refuses_configurations(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(DISABLED);
    refuse_with(&eeprom, FULL, "disabled");
    eeprom = prepared(FULL_BOTH);
    refuse_with(&eeprom, STORE, "FullBoth");
    refuse_with(&eeprom, COPY, "FullBoth");
    eeprom = prepared(FULL_SIGNATURE);
    eeprom.config[KW_CONFIG_SECURE_BOOT + 1] = 0xF7;
    refuse_with(&eeprom, COPY, "cannot hold 64 bytes");
    eeprom.config[KW_CONFIG_SECURE_BOOT + 1] = 0xF0;
    refuse_with(&eeprom, COPY, "cannot hold");
    eeprom.config[KW_CONFIG_SECURE_BOOT + 1] = 0x79;
    refuse_with(&eeprom, FULL, "not configured for a P-256 public key");
    eeprom = prepared(FULL_DIGEST);
    eeprom.config[KW_CONFIG_SLOT_LOCKED + 1] = 0xFD;
    refuse_with(&eeprom, COPY, "locked for good");
    memset(kw_sim_eeprom_slot(&eeprom, 15), 0xFF, 72);
    refuse_with(&eeprom, FULL, "slot 15 holds no public key");
    set_locks(&eeprom, 0, KW_ZONE_UNLOCKED);
    refuse_with(&eeprom, FULL, "data zone");
}

static int prepare(void **state) {
    (void)state;
    maker = make_key();
    memcpy(boot_data, DIGEST, 32);
    sign_outside(&maker, DIGEST, boot_data + 32);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies),
        cmocka_unit_test(copies_and_compares_digests),
        cmocka_unit_test(copying_invalidates),
        cmocka_unit_test(blank_is_no_digest),
        cmocka_unit_test(copies_and_checks_signatures),
        cmocka_unit_test(known_store),
        cmocka_unit_test(known_copy),
        cmocka_unit_test(signature_store_has_it_in_the_mac),
        cmocka_unit_test(nonce_rules),
        cmocka_unit_test(success_sets_the_latch),
        cmocka_unit_test(may_be_prohibited),
        cmocka_unit_test(failed_store_sets_no_latch),
        cmocka_unit_test(refuses_forms),
        cmocka_unit_test(refuses_configurations),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
