/* The SHA command of the emulated chip: FIPS 180-4 and RFC 4231 vectors in
 * every split, and contexts that travel. */
#include "chip_fixture.h"

static const char TWO_BLOCKS[] =
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

struct vector {
    const char *message;
    const char *digest;
};

static const struct vector NIST[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {TWO_BLOCKS,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void start(struct bench *bench) {
    (void)ask_ok(bench, OP_SHA, 0x00, 0, NULL, 0);
}

static void update(struct bench *bench, const void *data, size_t size) {
    (void)ask_ok(bench, OP_SHA, 0x01, (uint16_t)size, data, size);
}

static struct reply end(struct bench *bench, uint8_t target, const void *data,
                        size_t size) {
    return ask_ok(bench, OP_SHA, target | 0x02, (uint16_t)size, data, size);
}

static void known_digests(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    for (size_t i = 0; i < sizeof(NIST) / sizeof(*NIST); i++) {
        const size_t size = strlen(NIST[i].message);
        uint8_t expected[32];
        (void)from_hex(NIST[i].digest, expected, 32);
        for (size_t split = 0; split <= size; split++) {
            start(&bench);
            if (split > 0) {
                update(&bench, NIST[i].message, split);
            }
            const struct reply reply =
                end(&bench, 0xC0, NIST[i].message + split, size - split);
            assert_int_equal(reply.size, 32);
            assert_memory_equal(reply.data, expected, 32);
        }
    }
    bench_close(&bench);
}

/* Every length around the padding's corners, against OpenSSL. */
static void all_lengths(void **state) {
    (void)state;
    struct bench bench;
    uint8_t message[200];
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)i;
    }
    bench_trustflex(&bench);
    for (size_t size = 0; size <= sizeof(message); size++) {
        uint8_t expected[32];
        size_t done = 0;
        hash_outside(message, size, expected);
        start(&bench);
        for (; size - done > 64; done += 61) {
            update(&bench, message + done, 61);
        }
        const struct reply reply =
            end(&bench, 0xC0, message + done, size - done);
        assert_memory_equal(reply.data, expected, 32);
    }
    bench_close(&bench);
}

static void targets(void **state) {
    (void)state;
    struct bench bench;
    uint8_t digest[32];
    bench_trustflex(&bench);
    (void)from_hex(NIST[1].digest, digest, 32);
    random_nonce(&bench);
    start(&bench);
    assert_memory_equal(end(&bench, 0x00, "abc", 3).data, digest, 32);
    assert_memory_equal(buffers(&bench)->temp_key, digest, 32);
    assert_true(buffers(&bench)->temp_key_valid);
    assert_true(buffers(&bench)->source_fixed);
    assert_int_equal(buffers(&bench)->message_digest_size, 0);
    start(&bench);
    (void)end(&bench, 0x40, "abc", 3);
    assert_int_equal(buffers(&bench)->message_digest_size, 32);
    assert_memory_equal(buffers(&bench)->message_digest, digest, 32);
    start(&bench);
    ask_no(&bench, PARSE, "no target 80", OP_SHA, 0x82, 3, "abc", 3);
    /* ... and the computation goes on. */
    assert_memory_equal(end(&bench, 0xC0, "abc", 3).data, digest, 32);
    ask_no(&bench, REFUSED, "no SHA computation", OP_SHA, 0x02, 3, "abc", 3);
    bench_close(&bench);
}

static void refusals(void **state) {
    (void)state;
    struct bench bench;
    uint8_t data[100] = {0};
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "no SHA computation", OP_SHA, 0x01, 3, "abc", 3);
    ask_no(&bench, REFUSED, "no SHA computation", OP_SHA, 0x06, 0, NULL, 0);
    ask_no(&bench, REFUSED, "no SHA computation", OP_SHA, 0x03, 13, NULL, 0);
    ask_no(&bench, PARSE, "param2", OP_SHA, 0x00, 1, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_SHA, 0x00, 0, "x", 1);
    start(&bench);
    ask_no(&bench, PARSE, "1 to 64 bytes", OP_SHA, 0x01, 0, NULL, 0);
    ask_no(&bench, PARSE, "up to 64 bytes", OP_SHA, 0x01, 65, data, 65);
    ask_no(&bench, PARSE, "up to 64 bytes", OP_SHA, 0xC2, 65, data, 65);
    ask_no(&bench, PARSE, "param2 0003", OP_SHA, 0x01, 4, "abc", 3);
    ask_no(&bench, PARSE, "no mode 05", OP_SHA, 0x05, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode 41", OP_SHA, 0x41, 3, "abc", 3);
    ask_no(&bench, PARSE, "no mode 0A", OP_SHA, 0x0A, 3, "abc", 3);
    ask_no(&bench, PARSE, "36 to 99", OP_SHA, 0x07, 35, data, 35);
    ask_no(&bench, PARSE, "36 to 99", OP_SHA, 0x07, 100, data, 100);
    ask_no(&bench, PARSE, "36 bytes", OP_SHA, 0x07, 41, data, 41);
    ask_no(&bench, PARSE, "param2 0024", OP_SHA, 0x07, 0, data, 36);
    ask_no(&bench, PARSE, "param2", OP_SHA, 0x06, 1, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_SHA, 0x06, 0, "x", 1);
    ask_no(&bench, PARSE, "0 bytes", OP_SHA, 0x03, 13, "x", 1);
    ask_no(&bench, PARSE, "no slot 16", OP_SHA, 0x03, 16, NULL, 0);
    ask_no(&bench, REFUSED, "P-256 public key", OP_SHA, 0x03, 8, NULL, 0);
    /* A message that would pass 4 GiB. */
    memset(data, 0xFF, 4);
    data[0] = 0xC0;
    (void)ask_ok(&bench, OP_SHA, 0x07, 36, data, 36);
    ask_no(&bench, REFUSED, "longer than 4 GiB", OP_SHA, 0x01, 64, data, 64);
    bench_close(&bench);
}

static void hashes_a_public_key(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t stored[72];
    uint8_t message[67];
    uint8_t expected[32];
    stored_key(key.public_key, stored);
    set_slot(&eeprom, 13, stored, sizeof(stored));
    memcpy(message, "abc", 3);
    memcpy(message + 3, key.public_key, 64);
    hash_outside(message, sizeof(message), expected);
    bench_open(&bench, &eeprom);
    start(&bench);
    update(&bench, "abc", 3);
    (void)ask_ok(&bench, OP_SHA, 0x03, 13, NULL, 0);
    assert_memory_equal(end(&bench, 0xC0, NULL, 0).data, expected, 32);
    bench_close(&bench);
}

/* The vector that the vendor's test of the part holds. */
static void context_bytes(void **state) {
    (void)state;
    struct bench bench;
    uint8_t expected[41];
    (void)from_hex("0500000067e6096a85ae67bb72f36e3c3af54fa57f520e51"
                   "8c68059babd9831f19cde05b0102030405",
                   expected, sizeof(expected));
    bench_trustflex(&bench);
    start(&bench);
    update(&bench, "\1\2\3\4\5", 5);
    const struct reply reply = ask_ok(&bench, OP_SHA, 0x06, 0, NULL, 0);
    assert_int_equal(reply.size, 41);
    assert_memory_equal(reply.data, expected, 41);
    bench_close(&bench);
}

static void context_travels(void **state) {
    (void)state;
    struct bench bench;
    struct bench other;
    uint8_t message[150];
    uint8_t expected[32];
    memset(message, 0x61, sizeof(message));
    hash_outside(message, sizeof(message), expected);
    bench_trustflex(&bench);
    start(&bench);
    update(&bench, message, 64);
    update(&bench, message, 63);
    const struct reply context = ask_ok(&bench, OP_SHA, 0x06, 0, NULL, 0);
    assert_int_equal(context.size, 99);
    bench_trustflex(&other);
    (void)ask_ok(&other, OP_SHA, 0x07, 99, context.data, 99);
    assert_memory_equal(end(&other, 0xC0, message, 23).data, expected, 32);
    /* Reading takes nothing away. */
    assert_memory_equal(end(&bench, 0xC0, message, 23).data, expected, 32);
    bench_close(&other);
    bench_close(&bench);
}

/* --- HMAC --- */

struct hmac_vector {
    const char *key;
    const char *message;
    const char *digest;
};

/* RFC 4231, cases 1 to 4: keys below 32 bytes, which HMAC pads with zeros
 * as a slot does. */
static const struct hmac_vector RFC_4231[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

static void hmac_known(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(RFC_4231) / sizeof(*RFC_4231); i++) {
        struct bench bench;
        struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
        uint8_t key[32] = {0};
        uint8_t message[64];
        uint8_t expected[32];
        (void)from_hex(RFC_4231[i].key, key, 32);
        const size_t size = from_hex(RFC_4231[i].message, message, 64);
        (void)from_hex(RFC_4231[i].digest, expected, 32);
        set_slot(&eeprom, 9, key, 32);
        bench_open(&bench, &eeprom);
        (void)ask_ok(&bench, OP_SHA, 0x04, 9, NULL, 0);
        update(&bench, message, 3);
        assert_memory_equal(end(&bench, 0xC0, message + 3, size - 3).data,
                            expected, 32);
        load(&bench, 0x03, key, 32);
        (void)ask_ok(&bench, OP_SHA, 0x04, 0xFFFF, NULL, 0);
        assert_false(buffers(&bench)->temp_key_valid);
        assert_memory_equal(end(&bench, 0x40, message, size).data, expected,
                            32);
        assert_memory_equal(buffers(&bench)->message_digest, expected, 32);
        bench_close(&bench);
    }
}

static void hmac_refusals(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_SHA, 0x04, 0xFFFF, NULL,
           0);
    ask_no(&bench, REFUSED, "slot 0 holds a private key", OP_SHA, 0x04, 0, NULL,
           0);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_SHA, 0x04, 6, NULL, 0);
    ask_no(&bench, REFUSED, "NoMac of slot 7", OP_SHA, 0x04, 7, NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_SHA, 0x04, 16, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_SHA, 0x04, 5, "x", 1);
    (void)ask_ok(&bench, OP_SHA, 0x04, 5, NULL, 0);
    ask_no(&bench, REFUSED, "never given out", OP_SHA, 0x06, 0, NULL, 0);
    bench_close(&bench);

    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_locks(&eeprom, 0x55, 0x55);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_SHA, 0x04, 5,
           NULL, 0);
    start(&bench); /* SHA alone needs no lock */
    (void)end(&bench, 0xC0, "abc", 3);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(all_lengths),
        cmocka_unit_test(targets),
        cmocka_unit_test(refusals),
        cmocka_unit_test(hashes_a_public_key),
        cmocka_unit_test(context_bytes),
        cmocka_unit_test(context_travels),
        cmocka_unit_test(hmac_known),
        cmocka_unit_test(hmac_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
