/* KDF of the emulated chip: published answers of its three algorithms, every
 * source and every target. */
#include "chip_fixture.h"

enum {
    PRF = 0x00,
    AES = 0x20,
    HKDF = 0x40,
    FROM_TEMP_KEY = 0,
    FROM_UPPER = 1,
    FROM_SLOT = 2,
    FROM_ALTERNATE = 3,
    TO_TEMP_KEY = 0 << 2,
    TO_UPPER = 1 << 2,
    TO_SLOT = 2 << 2,
    TO_ALTERNATE = 3 << 2,
    TO_OUTPUT = 4 << 2,
    TO_ENCRYPTED = 5 << 2,
};

/* The widely used test of TLS 1.2's P_SHA256 (its first 64 bytes). */
static const char PRF_SECRET[] = "9bbe436ba940f017b17652849a71db35";
static const char PRF_SEED[] = "74657374206c6162656c" /* "test label" */
                               "a0ba9f936cda311827a6f796ffd5198c";
static const char PRF_RESULT[] =
    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
    "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab";

/* RFC 5869 A.1: PRK; the salt of 13 bytes, filled up with zeros. */
static const char HKDF_KEY[] = "000102030405060708090a0b0c"
                               "00000000000000000000000000000000000000";
static const char HKDF_MESSAGE[] =
    "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
static const char HKDF_RESULT[] =
    "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";

/* SP 800-38A F.1.1. */
static const char AES_KEY[] = "2b7e151628aed2a6abf7158809cf4f3c";
static const char AES_PLAIN[] = "6bc1bee22e409f96e93d7e117393172a";
static const char AES_RESULT[] = "3ad77bb40d7a3660a89ecaf32466ef97"
                                 "00000000000000000000000000000000";

static const uint8_t IO_KEY[32] = {0x49, 0x4F};

/* A command under construction. */
struct call {
    uint8_t data[4 + 148];
    size_t size;
};

static struct call call_of(uint32_t details, const void *message, size_t size) {
    struct call call = {.size = 4 + size};
    kw_store_le32(call.data, details | (uint32_t)size << 24);
    if (size > 0) {
        memcpy(call.data + 4, message, size);
    }
    return call;
}

static struct call call_hex(uint32_t details, const char *hex) {
    uint8_t message[128];
    const size_t size = from_hex(hex, message, sizeof(message));
    return call_of(details, message, size);
}

/* AES's details have no length. */
static struct call call_aes(uint32_t details) {
    struct call call = call_hex(0, AES_PLAIN);
    kw_store_le32(call.data, details);
    return call;
}

static struct reply derive(struct bench *bench, unsigned mode, uint16_t slots,
                           const struct call *call) {
    return ask_ok(bench, OP_KDF, (uint8_t)mode, slots, call->data, call->size);
}

static void refuse(struct bench *bench, uint8_t status, const char *words,
                   unsigned mode, uint16_t slots, struct call call) {
    ask_no(bench, status, words, OP_KDF, (uint8_t)mode, slots, call.data,
           call.size);
}

/* Slot 9 takes results, slot 13 too and is large; slots 5 and 12 are
 * sources. */
static struct kw_sim_eeprom prepared(void) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot(&eeprom, 6, IO_KEY, 32);
    set_key_config(&eeprom, 12, 0x0038);
    set_key_config(&eeprom, 4, 0x003A);
    return eeprom;
}

static void bench_prepared(struct bench *bench) {
    const struct kw_sim_eeprom eeprom = prepared();
    bench_open(bench, &eeprom);
}

/* --- known answers --- */

static void known_prf(void **state) {
    (void)state;
    struct bench bench;
    uint8_t key[32] = {0};
    uint8_t expected[64];
    (void)from_hex(PRF_SECRET, key, 16);
    (void)from_hex(PRF_RESULT, expected, 64);
    bench_prepared(&bench);
    load(&bench, 0x03, key, 32);
    struct call call = call_hex(0x000, PRF_SEED);
    struct reply reply =
        derive(&bench, PRF | FROM_TEMP_KEY | TO_OUTPUT, 0, &call);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, expected, 32);
    call = call_hex(0x100, PRF_SEED);
    reply = derive(&bench, PRF | FROM_TEMP_KEY | TO_OUTPUT, 0, &call);
    assert_int_equal(reply.size, 64);
    assert_memory_equal(reply.data, expected, 64);
    /* A key that ends in zeros is the same key for HMAC. */
    call = call_hex(0x101, PRF_SEED);
    reply = derive(&bench, PRF | FROM_TEMP_KEY | TO_OUTPUT, 0, &call);
    assert_memory_equal(reply.data, expected, 64);
    assert_true(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void known_hkdf(void **state) {
    (void)state;
    struct bench bench;
    uint8_t key[32];
    uint8_t expected[32];
    (void)from_hex(HKDF_KEY, key, 32);
    (void)from_hex(HKDF_RESULT, expected, 32);
    bench_prepared(&bench);
    load(&bench, 0x83, key, 32);
    const struct call call = call_hex(2, HKDF_MESSAGE);
    const struct reply reply =
        derive(&bench, HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, &call);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, expected, 32);
    bench_close(&bench);
}

static void known_aes(void **state) {
    (void)state;
    struct bench bench;
    uint8_t keys[64];
    uint8_t expected[32];
    (void)from_hex(AES_RESULT, expected, 32);
    bench_prepared(&bench);
    for (uint32_t block = 0; block < 4; block++) {
        const struct call call = call_aes(block);
        memset(keys, 0xB5, sizeof(keys));
        (void)from_hex(AES_KEY, keys + 16 * block, 16);
        load(&bench, 0x23, keys, 64);
        const struct reply reply =
            derive(&bench, AES | FROM_TEMP_KEY | TO_OUTPUT, 0, &call);
        assert_int_equal(reply.size, 32);
        assert_memory_equal(reply.data, expected, 32);
    }
    bench_close(&bench);
}

/* --- sources --- */

static void reference(const uint8_t key[32], uint8_t result[32]) {
    struct bench bench;
    const struct call call = call_hex(2, HKDF_MESSAGE);
    bench_prepared(&bench);
    load(&bench, 0x03, key, 32);
    memcpy(result, derive(&bench, HKDF | TO_OUTPUT, 0, &call).data, 32);
    bench_close(&bench);
}

static void every_source(void **state) {
    (void)state;
    static const uint8_t low[32] = {1, 2};
    static const uint8_t high[32] = {3, 4};
    const uint8_t *const keys[] = {low, high, DIGEST, DIGEST};
    struct kw_sim_eeprom eeprom = prepared();
    const struct call call = call_hex(2, HKDF_MESSAGE);
    struct bench bench;
    uint8_t both[64];
    memcpy(both, low, 32);
    memcpy(both + 32, high, 32);
    set_slot(&eeprom, 5, DIGEST, 32);
    bench_open(&bench, &eeprom);
    for (unsigned source = 0; source < 4; source++) {
        uint8_t expected[32];
        reference(keys[source], expected);
        load(&bench, 0x23, both, 64);
        load(&bench, 0x83, DIGEST, 32);
        const struct reply reply =
            derive(&bench, HKDF | source | TO_OUTPUT, 0xEE05, &call);
        assert_memory_equal(reply.data, expected, 32);
    }
    bench_close(&bench);
}

static void large_keys(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    uint8_t key[64];
    memset(key, 0x11, 64);
    set_slot(&eeprom, 12, key, 64);
    bench_open(&bench, &eeprom);
    load(&bench, 0x23, key, 64);
    for (uint32_t size = 0; size < 4; size++) {
        const struct call call = call_hex(0x100 | size, PRF_SEED);
        const struct reply first =
            derive(&bench, PRF | FROM_TEMP_KEY | TO_OUTPUT, 0, &call);
        const struct reply second =
            derive(&bench, PRF | FROM_SLOT | TO_OUTPUT, 12, &call);
        assert_memory_equal(first.data, second.data, 64);
    }
    const struct call call = call_hex(0x103, PRF_SEED);
    refuse(&bench, PARSE, "source of KDF has 36", PRF | FROM_SLOT | TO_OUTPUT,
           5, call);
    refuse(&bench, PARSE, "source of KDF has 32", PRF | FROM_UPPER | TO_OUTPUT,
           0, call);
    refuse(&bench, PARSE, "source of KDF has 32",
           PRF | FROM_ALTERNATE | TO_OUTPUT, 0, call);
    load(&bench, 0x03, key, 32);
    refuse(&bench, REFUSED, "64 are needed", PRF | FROM_TEMP_KEY | TO_OUTPUT, 0,
           call);
    bench_close(&bench);
}

static void empty_sources(void **state) {
    (void)state;
    struct bench bench;
    const struct call call = call_hex(2, HKDF_MESSAGE);
    bench_prepared(&bench);
    refuse(&bench, REFUSED, "TempKey is not valid",
           HKDF | FROM_TEMP_KEY | TO_OUTPUT, 0, call);
    refuse(&bench, REFUSED, "alternate key buffer is empty",
           HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, call);
    load(&bench, 0x03, DIGEST, 32);
    refuse(&bench, REFUSED, "64 are needed", HKDF | FROM_UPPER | TO_OUTPUT, 0,
           call);
    (void)ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
    refuse(&bench, REFUSED, "private key", HKDF | FROM_TEMP_KEY | TO_OUTPUT, 0,
           call);
    bench_close(&bench);
}

/* --- targets --- */

static void assert_target(struct bench *bench, unsigned target,
                          const uint8_t result[32], const struct reply *reply) {
    const struct kw_sim_volatile *now = buffers(bench);
    assert_int_equal(reply->size, 0);
    switch (target) {
    case TO_TEMP_KEY:
        assert_memory_equal(now->temp_key, result, 32);
        assert_true(now->temp_key_valid && now->source_fixed);
        return;
    case TO_UPPER:
        assert_memory_equal(now->temp_key + 32, result, 32);
        assert_true(now->temp_key_is_64);
        return;
    case TO_ALTERNATE:
        assert_memory_equal(now->alternate_key, result, 32);
        assert_true(now->alternate_key_valid);
        return;
    default:
        assert_memory_equal(kw_sim_eeprom_slot(&bench->stored, 9), result, 32);
    }
}

static void every_inner_target(void **state) {
    (void)state;
    const struct call call = call_hex(2, HKDF_MESSAGE);
    uint8_t expected[32];
    reference(DIGEST, expected);
    for (unsigned target = TO_TEMP_KEY; target <= TO_ALTERNATE; target += 4) {
        struct bench bench;
        bench_prepared(&bench);
        load(&bench, 0x03, DIGEST, 32);
        const struct reply reply =
            derive(&bench, HKDF | FROM_TEMP_KEY | target, 0x0900, &call);
        assert_target(&bench, target, expected, &reply);
        bench_close(&bench);
    }
}

static void sixty_four_bytes_fit(void **state) {
    (void)state;
    const struct call call = call_hex(0x100, PRF_SEED);
    uint8_t key[32] = {0};
    uint8_t expected[64];
    struct bench bench;
    (void)from_hex(PRF_SECRET, key, 16);
    (void)from_hex(PRF_RESULT, expected, 64);
    bench_prepared(&bench);
    load(&bench, 0x03, key, 32);
    (void)derive(&bench, PRF | FROM_TEMP_KEY | TO_SLOT, 0x0900, &call);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 9), expected, 64);
    refuse(&bench, PARSE, "cannot hold 64", PRF | TO_UPPER, 0, call);
    refuse(&bench, PARSE, "cannot hold 64", PRF | TO_ALTERNATE, 0, call);
    refuse(&bench, PARSE, "cannot hold 64", PRF | TO_SLOT, 0x0400, call);
    (void)derive(&bench, PRF | FROM_TEMP_KEY | TO_TEMP_KEY, 0, &call);
    assert_memory_equal(buffers(&bench)->temp_key, expected, 64);
    assert_true(buffers(&bench)->temp_key_is_64);
    bench_close(&bench);
}

static void upper_half_is_never_valid_alone(void **state) {
    (void)state;
    const struct call call = call_hex(2, HKDF_MESSAGE);
    struct bench bench;
    bench_prepared(&bench);
    load(&bench, 0x83, DIGEST, 32);
    refuse(&bench, REFUSED, "TempKey is not valid",
           HKDF | FROM_ALTERNATE | TO_UPPER, 0, call);
    bench_close(&bench);
}

/* Half b of the nonce masks block b. */
static void assert_encrypted(const struct reply *reply, const uint8_t *result,
                             size_t size) {
    assert_int_equal(reply->size, size + 32);
    for (size_t block = 0; block < size / 32; block++) {
        uint8_t message[48];
        uint8_t mask[32];
        memcpy(message, IO_KEY, 32);
        memcpy(message + 32, reply->data + size + 16 * block, 16);
        hash_outside(message, sizeof(message), mask);
        for (size_t i = 0; i < 32; i++) {
            assert_int_equal(reply->data[32 * block + i] ^ mask[i],
                             result[32 * block + i]);
        }
    }
}

static void output_is_encrypted(void **state) {
    (void)state;
    const struct call call = call_hex(0x100, PRF_SEED);
    const struct call small = call_hex(0x000, PRF_SEED);
    struct kw_sim_eeprom eeprom = prepared();
    uint8_t key[32] = {0};
    uint8_t expected[64];
    struct bench bench;
    struct reply reply;
    (void)from_hex(PRF_SECRET, key, 16);
    (void)from_hex(PRF_RESULT, expected, 64);
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, key, 32);
    reply = derive(&bench, PRF | TO_ENCRYPTED, 0, &small);
    assert_encrypted(&reply, expected, 32);
    reply = derive(&bench, PRF | TO_ENCRYPTED, 0, &call);
    assert_encrypted(&reply, expected, 64);
    bench_close(&bench);
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = 0x64; /* KDFPROT 1 */
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, key, 32);
    reply = derive(&bench, PRF | TO_OUTPUT, 0, &call);
    assert_encrypted(&reply, expected, 64);
    bench_close(&bench);
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = 0x68; /* KDFPROT 2 */
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, key, 32);
    refuse(&bench, REFUSED, "forbids this result", PRF | TO_OUTPUT, 0, call);
    refuse(&bench, REFUSED, "forbids this result", PRF | TO_ENCRYPTED, 0, call);
    bench_close(&bench);
}

/* Half stays inside, half goes out and is never encrypted. */
static void aead_splits_the_result(void **state) {
    (void)state;
    const struct call call = call_hex(0x300, PRF_SEED);
    struct kw_sim_eeprom eeprom = prepared();
    uint8_t key[32] = {0};
    uint8_t expected[64];
    struct bench bench;
    (void)from_hex(PRF_SECRET, key, 16);
    (void)from_hex(PRF_RESULT, expected, 64);
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = 0x64; /* KDFPROT 1 */
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, key, 32);
    const struct reply reply = derive(&bench, PRF | TO_ALTERNATE, 0, &call);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, expected + 32, 32);
    assert_memory_equal(buffers(&bench)->alternate_key, expected, 32);
    refuse(&bench, PARSE, "other half needs a target", PRF | TO_OUTPUT, 0,
           call);
    refuse(&bench, PARSE, "64 bytes", PRF | TO_ALTERNATE, 0,
           call_hex(0x200, PRF_SEED));
    refuse(&bench, PARSE, "mode 1 alone", PRF | TO_ALTERNATE, 0,
           call_hex(0x500, PRF_SEED));
    refuse(&bench, PARSE, "mode 1 alone", PRF | TO_ALTERNATE, 0,
           call_hex(0x700, PRF_SEED));
    bench_close(&bench);
}

/* --- messages of HKDF --- */

static void hmac_result(const uint8_t key[32], const void *message, size_t size,
                        uint8_t mac[32]) {
    struct bench bench;
    bench_trustflex(&bench);
    load(&bench, 0x03, key, 32);
    (void)ask_ok(&bench, OP_SHA, 0x04, 0xFFFF, NULL, 0);
    memcpy(mac,
           ask_ok(&bench, OP_SHA, 0xC2, (uint16_t)size, message, size).data,
           32);
    bench_close(&bench);
}

static void messages_of_hkdf(void **state) {
    (void)state;
    static const uint8_t zeros[32];
    static const uint8_t text[32] = {0x74, 0x78};
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    uint8_t expected[32];
    set_slot(&eeprom, 12, text, 32);
    bench_open(&bench, &eeprom);
    load(&bench, 0x83, DIGEST, 32);
    load(&bench, 0x03, text, 32);
    hmac_result(DIGEST, text, 32, expected);
    struct call call = call_of(0xC00, NULL, 0); /* slot 12 */
    assert_memory_equal(
        derive(&bench, HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, &call).data,
        expected, 32);
    call = call_of(0x001, NULL, 0); /* TempKey */
    assert_memory_equal(
        derive(&bench, HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, &call).data,
        expected, 32);
    call = call_of(0x002, NULL, 0); /* no message */
    hmac_result(DIGEST, zeros, 32, expected);
    assert_memory_equal(
        derive(&bench, HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, &call).data,
        expected, 32);
    call = call_of(0x006, text, 32); /* key zero: TempKey is not read */
    hmac_result(zeros, text, 32, expected);
    assert_memory_equal(
        derive(&bench, HKDF | FROM_TEMP_KEY | TO_OUTPUT, 0, &call).data,
        expected, 32);
    bench_close(&bench);
}

static void iv_must_be_in_the_message(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    eeprom.config[KW_CONFIG_KDF_IV_LOC] = 3; /* KdfIvStr: 69 76 */
    bench_open(&bench, &eeprom);
    load(&bench, 0x83, DIGEST, 32);
    const struct call good = call_of(3, "abciv", 5);
    (void)derive(&bench, HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, &good);
    refuse(&bench, REFUSED, "KdfIvStr", HKDF | FROM_ALTERNATE | TO_OUTPUT, 0,
           call_of(3, "abcix", 5));
    refuse(&bench, REFUSED, "KdfIvStr", HKDF | FROM_ALTERNATE | TO_OUTPUT, 0,
           call_of(3, "abci", 4));
    bench_close(&bench);
}

static void hkdf_refuses_temp_key_twice(void **state) {
    (void)state;
    struct bench bench;
    bench_prepared(&bench);
    load(&bench, 0x03, DIGEST, 32);
    load(&bench, 0x83, DIGEST, 32);
    refuse(&bench, PARSE, "its source or target", HKDF | TO_OUTPUT, 0,
           call_of(1, NULL, 0));
    refuse(&bench, PARSE, "its source or target",
           HKDF | FROM_ALTERNATE | TO_TEMP_KEY, 0, call_of(1, NULL, 0));
    bench_close(&bench);
    bench_prepared(&bench);
    load(&bench, 0x83, DIGEST, 32);
    refuse(&bench, REFUSED, "TempKey is not valid",
           HKDF | FROM_ALTERNATE | TO_OUTPUT, 0, call_of(1, NULL, 0));
    refuse(&bench, REFUSED, "private key", HKDF | FROM_ALTERNATE | TO_OUTPUT, 0,
           call_of(0, NULL, 0));
    bench_close(&bench);
}

/* --- refusals --- */

static void refuses_forms(void **state) {
    (void)state;
    struct bench bench;
    bench_prepared(&bench);
    load(&bench, 0x03, DIGEST, 32);
    const struct call prf = call_hex(0, PRF_SEED);
    refuse(&bench, PARSE, "no mode", 0x80 | TO_OUTPUT, 0, prf);
    refuse(&bench, PARSE, "no algorithm 3", 0x60 | TO_OUTPUT, 0, prf);
    refuse(&bench, PARSE, "no target 6", 6 << 2, 0, prf);
    refuse(&bench, PARSE, "no target 7", 7 << 2, 0, prf);
    refuse(&bench, PARSE, "no slot 16", PRF | FROM_SLOT | TO_OUTPUT, 16, prf);
    refuse(&bench, PARSE, "no slot 16", PRF | TO_SLOT, 0x1000, prf);
    refuse(&bench, PARSE, "4 bytes of details", PRF | TO_OUTPUT, 0,
           (struct call){.size = 3});
    struct call call = prf;
    call.size--;
    refuse(&bench, PARSE, "bytes of data", PRF | TO_OUTPUT, 0, call);
    call = call_of(0, PRF_SEED, 10);
    call.data[3] = 129;
    refuse(&bench, PARSE, "up to 128", PRF | TO_OUTPUT, 0, call);
    static const uint32_t prf_bits[] = {0x4, 0x80, 0x800, 0x800000};
    for (size_t i = 0; i < 4; i++) {
        refuse(&bench, PARSE, "must be zero", PRF | TO_OUTPUT, 0,
               call_hex(prf_bits[i], PRF_SEED));
    }
    refuse(&bench, PARSE, "must be zero", AES | TO_OUTPUT, 0, call_aes(4));
    refuse(&bench, PARSE, "must be zero", AES | TO_OUTPUT, 0,
           call_aes(0x10000000));
    static const uint32_t hkdf_bits[] = {0x8, 0x80, 0x1000, 0x800000};
    for (size_t i = 0; i < 4; i++) {
        refuse(&bench, PARSE, "must be zero", HKDF | TO_OUTPUT, 0,
               call_hex(2 | hkdf_bits[i], PRF_SEED));
    }
    bench_close(&bench);
}

static void refuses_slots(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    const struct call call = call_hex(2, HKDF_MESSAGE);
    struct bench bench;
    set_key_config(&eeprom, 13, 0x103A); /* PersistentDisable, takes results */
    set_key_config(&eeprom, 10, 0x0032); /* PubInfo of a public key */
    eeprom.config[KW_CONFIG_SLOT_LOCKED] = 0xEF; /* slot 4 */
    set_slot(&eeprom, 5, DIGEST, 32);
    bench_open(&bench, &eeprom);
    refuse(&bench, REFUSED, "private key", HKDF | FROM_SLOT | TO_OUTPUT, 0,
           call);
    refuse(&bench, REFUSED, "persistent latch", HKDF | FROM_SLOT | TO_OUTPUT,
           13, call);
    refuse(&bench, REFUSED, "KeyType 6", AES | FROM_SLOT | TO_OUTPUT, 7,
           call_aes(0));
    const unsigned mode = HKDF | FROM_SLOT | TO_SLOT;
    refuse(&bench, REFUSED, "PubInfo 1", mode, 0x0805, call);
    refuse(&bench, REFUSED, "PubInfo 1", mode, 0x0A05, call);
    refuse(&bench, REFUSED, "private key", mode, 0x0005, call);
    refuse(&bench, REFUSED, "persistent latch", mode, 0x0D05, call);
    refuse(&bench, REFUSED, "locked for good", mode, 0x0405, call);
    bench_close(&bench);
}

static void refuses_states(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    const struct call call = call_hex(2, HKDF_MESSAGE);
    struct bench bench;
    set_locks(&eeprom, 0, KW_ZONE_UNLOCKED);
    bench_open(&bench, &eeprom);
    refuse(&bench, REFUSED, "data zone", HKDF | TO_OUTPUT, 0, call);
    bench_close(&bench);
    set_locks(&eeprom, 0, 0);
    eeprom.config[KW_CONFIG_CHIP_OPTIONS] = 0x0A;
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    (void)derive(&bench, HKDF | TO_OUTPUT, 0, &call);
    refuse(&bench, PARSE, "KDF with AES off", AES | TO_OUTPUT, 0, call_aes(0));
    bench_close(&bench);
    eeprom.config[KW_CONFIG_AES_ENABLE] = 0;
    bench_open(&bench, &eeprom);
    refuse(&bench, PARSE, "byte 13", HKDF | TO_OUTPUT, 0, call);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_prf),
        cmocka_unit_test(known_hkdf),
        cmocka_unit_test(known_aes),
        cmocka_unit_test(every_source),
        cmocka_unit_test(large_keys),
        cmocka_unit_test(empty_sources),
        cmocka_unit_test(every_inner_target),
        cmocka_unit_test(sixty_four_bytes_fit),
        cmocka_unit_test(upper_half_is_never_valid_alone),
        cmocka_unit_test(output_is_encrypted),
        cmocka_unit_test(aead_splits_the_result),
        cmocka_unit_test(messages_of_hkdf),
        cmocka_unit_test(iv_must_be_in_the_message),
        cmocka_unit_test(hkdf_refuses_temp_key_twice),
        cmocka_unit_test(refuses_forms),
        cmocka_unit_test(refuses_slots),
        cmocka_unit_test(refuses_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
