/* ECDH of the emulated chip: SP 800-56A's known answers, every mode, points
 * that are none. */
#include "chip_fixture.h"

/* NIST CAVS 14.1, ECC CDH primitive, P-256, counts 0 and 1. */
static const struct {
    const char *public_key;
    const char *private_key;
    const char *secret;
} CAVS[] = {
    {"700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
     "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
     "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
     "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"},
    {"809f04289c64348c01515eb03d5ce7ac1a8cb9498f5caa50197e58d43a86a7ae"
     "b29d84e811197f25eba8f5194092cb6ff440e26d4421011372461f579271cda3",
     "38f65d6dce47676044d58ce5139582d568f64bb16098d179dbab07741dd5caf5",
     "057d636096cb80b67a8c038c890e887d1adfa4195e9b3ce241c8a778c59cda67"},
};

/* The point with X = 0, and its second encoding with X = p. */
static const char ZERO_X[] =
    "0000000000000000000000000000000000000000000000000000000000000000"
    "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
static const char PRIME[] =
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

static const uint8_t IO_KEY[32] = {0x49, 0x4F};

static struct kw_sim_eeprom prepared(size_t vector) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    (void)from_hex(CAVS[vector].private_key, kw_sim_eeprom_slot(&eeprom, 0) + 4,
                   32);
    set_slot(&eeprom, 6, IO_KEY, 32);
    return eeprom;
}

static void vector_of(size_t vector, uint8_t public_key[64],
                      uint8_t secret[32]) {
    (void)from_hex(CAVS[vector].public_key, public_key, 64);
    (void)from_hex(CAVS[vector].secret, secret, 32);
}

static void known_answers_of_nist(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct kw_sim_eeprom eeprom = prepared(i);
        struct bench bench;
        uint8_t public_key[64];
        uint8_t secret[32];
        vector_of(i, public_key, secret);
        bench_open(&bench, &eeprom);
        for (uint8_t mode = 0x00; mode <= 0x0C; mode += 0x0C) {
            const struct reply reply =
                ask_ok(&bench, OP_ECDH, mode, 0, public_key, 64);
            assert_int_equal(reply.size, 32);
            assert_memory_equal(reply.data, secret, 32);
        }
        (void)ask_ok(&bench, OP_ECDH, 0x08, 0, public_key, 64);
        assert_true(buffers(&bench)->temp_key_valid);
        assert_true(buffers(&bench)->source_fixed);
        assert_memory_equal(buffers(&bench)->temp_key, secret, 32);
        bench_close(&bench);
    }
}

static void assert_encrypted(const struct reply *reply,
                             const uint8_t secret[32]) {
    uint8_t message[48];
    uint8_t mask[32];
    assert_int_equal(reply->size, 64);
    memcpy(message, IO_KEY, 32);
    memcpy(message + 32, reply->data + 32, 16);
    hash_outside(message, sizeof(message), mask);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(reply->data[i] ^ mask[i], secret[i]);
    }
}

static void output_is_encrypted(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(0);
    struct bench bench;
    struct reply reply;
    uint8_t public_key[64];
    uint8_t secret[32];
    vector_of(0, public_key, secret);
    bench_open(&bench, &eeprom);
    reply = ask_ok(&bench, OP_ECDH, 0x0E, 0, public_key, 64);
    assert_encrypted(&reply, secret);
    bench_close(&bench);
    /* ECDHPROT 1: the clear modes come out encrypted too. */
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = 0x61;
    bench_open(&bench, &eeprom);
    reply = ask_ok(&bench, OP_ECDH, 0x0C, 0, public_key, 64);
    assert_encrypted(&reply, secret);
    reply = ask_ok(&bench, OP_ECDH, 0x00, 0, public_key, 64);
    assert_encrypted(&reply, secret);
    bench_close(&bench);
    /* 2: nothing goes out, but TempKey still takes it. */
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = 0x62;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "forbids this result", OP_ECDH, 0x0C, 0, public_key,
           64);
    ask_no(&bench, REFUSED, "forbids this result", OP_ECDH, 0x0E, 0, public_key,
           64);
    (void)ask_ok(&bench, OP_ECDH, 0x08, 0, public_key, 64);
    bench_close(&bench);
    eeprom.config[KW_CONFIG_CHIP_OPTIONS] = 0x0C; /* no IO key */
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = 0x60;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "IO protection key", OP_ECDH, 0x0E, 0, public_key,
           64);
    bench_close(&bench);
}

/* An ephemeral key in TempKey serves once. */
static void from_temp_key(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(0);
    const struct outside_key other = make_key();
    void *context;
    uint8_t secret[32];
    assert_int_equal(kw_sim_crypto_openssl.open(&context), KW_OK);
    static const uint8_t modes[] = {0x0D, 0x0F, 0x09, 0x05};
    for (size_t i = 0; i < sizeof(modes); i++) {
        struct bench bench;
        bench_open(&bench, &eeprom);
        ask_no(&bench, REFUSED, "no private key", OP_ECDH, modes[i], 9,
               other.public_key, 64);
        const struct reply ours =
            ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
        assert_int_equal(kw_sim_crypto_openssl.ecdh(context, other.private_key,
                                                    ours.data, secret),
                         KW_OK);
        const struct reply reply =
            ask_ok(&bench, OP_ECDH, modes[i], 9, other.public_key, 64);
        if (modes[i] == 0x0D) {
            assert_memory_equal(reply.data, secret, 32);
        } else if (modes[i] == 0x0F) {
            assert_encrypted(&reply, secret);
        } else if (modes[i] == 0x09) {
            assert_memory_equal(buffers(&bench)->temp_key, secret, 32);
        } else {
            assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 9), secret,
                                32);
        }
        assert_int_equal(buffers(&bench)->temp_key_valid, modes[i] == 0x09);
        assert_false(buffers(&bench)->temp_key_private);
        bench_close(&bench);
    }
    kw_sim_crypto_openssl.close(context);
}

static void to_the_slot_behind(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(0);
    struct bench bench;
    uint8_t public_key[64];
    uint8_t secret[32];
    vector_of(0, public_key, secret);
    set_slot_config(&eeprom, 0, 0x008D); /* ECDH into slot 1 */
    ask_no((bench_open(&bench, &eeprom), &bench), REFUSED,
           "slot 1 is configured for a private key", OP_ECDH, 0, 0, public_key,
           64);
    bench_close(&bench);
    set_key_config(&eeprom, 1, 0x001C);
    bench_open(&bench, &eeprom);
    assert_int_equal(ask_ok(&bench, OP_ECDH, 0, 0, public_key, 64).size, 0);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 1), secret, 32);
    bench_close(&bench);
    eeprom.config[KW_CONFIG_SLOT_LOCKED] = 0xFD;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "locked for good", OP_ECDH, 0, 0, public_key, 64);
    bench_close(&bench);
    eeprom.config[KW_CONFIG_SLOT_LOCKED] = 0xFF;
    set_key_config(&eeprom, 1, 0x101C);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "persistent latch", OP_ECDH, 0, 0, public_key, 64);
    bench_close(&bench);
    set_slot_config(&eeprom, 3, 0x008D);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "3 is odd", OP_ECDH, 0, 3, public_key, 64);
    bench_close(&bench);
}

/* A secret whose first nibble were 5 would pass for a validated key. */
static void invalidates_the_slot_behind(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(0);
    struct bench bench;
    uint8_t *first = kw_sim_eeprom_slot(&eeprom, 13);
    memcpy(kw_sim_eeprom_slot(&eeprom, 12), kw_sim_eeprom_slot(&eeprom, 0), 36);
    set_slot_config(&eeprom, 12, 0x008D);
    set_key_config(&eeprom, 12, 0x0013);
    set_key_config(&eeprom, 13, 0x0012); /* keeps its validity */
    *first = 0x50;
    bench_open(&bench, &eeprom);
    for (unsigned round = 0; round < 64; round++) {
        const struct outside_key other = make_key();
        (void)ask_ok(&bench, OP_ECDH, 0, 12, other.public_key, 64);
        assert_int_equal(*kw_sim_eeprom_slot(&bench.stored, 13) >> 4, 0xA);
    }
    bench_close(&bench);
}

static void points_that_are_none(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = prepared(0);
    struct bench bench;
    uint8_t point[64];
    bench_open(&bench, &eeprom);
    (void)from_hex(ZERO_X, point, 64);
    (void)ask_ok(&bench, OP_ECDH, 0x0C, 0, point, 64);
    (void)from_hex(PRIME, point, 32); /* the same point modulo p */
    ask_no(&bench, REFUSED, "not a point", OP_ECDH, 0x0C, 0, point, 64);
    (void)from_hex(ZERO_X, point, 64);
    (void)from_hex(PRIME, point + 32, 32);
    ask_no(&bench, REFUSED, "not a point", OP_ECDH, 0x0C, 0, point, 64);
    (void)from_hex(CAVS[0].public_key, point, 64);
    point[63] ^= 1;
    ask_no(&bench, REFUSED, "not a point", OP_ECDH, 0x0C, 0, point, 64);
    memset(point, 0, 64);
    ask_no(&bench, REFUSED, "not a point", OP_ECDH, 0x0C, 0, point, 64);
    memset(point, 0xFF, 64);
    ask_no(&bench, REFUSED, "not a point", OP_ECDH, 0x0C, 0, point, 64);
    bench_close(&bench);
}

static void refuses(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared(0);
    struct bench bench;
    uint8_t key[64];
    uint8_t secret[32];
    vector_of(0, key, secret);
    memset(kw_sim_eeprom_slot(&eeprom, 2), 0, 36); /* scalar 0 */
    memset(kw_sim_eeprom_slot(&eeprom, 3), 0xFF, 36);
    bench_open(&bench, &eeprom);
    static const uint8_t none[] = {0x01, 0x02, 0x03, 0x04, 0x06, 0x07,
                                   0x0A, 0x0B, 0x10, 0x80, 0x4C, 0x2D};
    for (size_t i = 0; i < sizeof(none); i++) {
        ask_no(&bench, PARSE, "no mode", OP_ECDH, none[i], 0, key, 64);
    }
    ask_no(&bench, PARSE, "no slot", OP_ECDH, 0x0C, 16, key, 64);
    ask_no(&bench, PARSE, "no slot", OP_ECDH, 0x05, 16, key, 64);
    ask_no(&bench, PARSE, "64 bytes", OP_ECDH, 0x0C, 0, key, 63);
    ask_no(&bench, REFUSED, "ReadKey bit 2", OP_ECDH, 0x0C, 1, key, 64);
    ask_no(&bench, REFUSED, "not configured", OP_ECDH, 0x0C, 5, key, 64);
    ask_no(&bench, REFUSED, "no private key yet", OP_ECDH, 0x0C, 2, key, 64);
    ask_no(&bench, REFUSED, "no private key yet", OP_ECDH, 0x0C, 3, key, 64);
    /* TempKey with another content, and a slot that takes no results. */
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "no private key", OP_ECDH, 0x0D, 0, key, 64);
    (void)ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
    ask_no(&bench, REFUSED, "KeyConfig of slot 8", OP_ECDH, 0x05, 8, key, 64);
    bench_close(&bench);
    set_locks(&eeprom, 0, KW_ZONE_UNLOCKED);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "data zone", OP_ECDH, 0x0C, 0, key, 64);
    (void)ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
    ask_no(&bench, REFUSED, "data zone", OP_ECDH, 0x0D, 0, key, 64);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_of_nist),
        cmocka_unit_test(output_is_encrypted),
        cmocka_unit_test(from_temp_key),
        cmocka_unit_test(to_the_slot_behind),
        cmocka_unit_test(invalidates_the_slot_behind),
        cmocka_unit_test(points_that_are_none),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
