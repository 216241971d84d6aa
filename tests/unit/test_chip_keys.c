/* GenKey, Sign and Verify of the emulated chip, and the validity of stored
 * public keys. */
#include "chip_fixture.h"

static void put_public(struct kw_sim_eeprom *eeprom, unsigned slot,
                       const struct outside_key *key) {
    uint8_t stored[72];
    stored_key(key->public_key, stored);
    set_slot(eeprom, slot, stored, sizeof(stored));
}

/* --- GenKey --- */

static void genkey_makes_keys(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    const struct reply old = ask_ok(&bench, OP_GENKEY, 0x00, 2, NULL, 0);
    const struct reply made = ask_ok(&bench, OP_GENKEY, 0x04, 2, NULL, 0);
    assert_int_equal(made.size, 64);
    assert_memory_not_equal(old.data, made.data, 64);
    assert_memory_equal(ask_ok(&bench, OP_GENKEY, 0x00, 2, NULL, 0).data,
                        made.data, 64);
    assert_int_equal(bench.commits, 1);
    assert_true(kw_all_bytes(kw_sim_eeprom_slot(&bench.stored, 2), 4, 0));
    ask_no(&bench, REFUSED, "forbids GenKey to replace", OP_GENKEY, 0x04, 0,
           NULL, 0);
    ask_no(&bench, REFUSED, "not configured for a P-256 private key", OP_GENKEY,
           0x04, 8, NULL, 0);
    ask_no(&bench, REFUSED, "not configured for a P-256 private key", OP_GENKEY,
           0x00, 8, NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_GENKEY, 0x00, 16, NULL, 0);
    ask_no(&bench, PARSE, "no mode 14", OP_GENKEY, 0x14, 2, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_GENKEY, 0x04, 2, "abc", 3);
    bench_close(&bench);
}

static void genkey_before_the_data_lock(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_locks(&eeprom, 0, 0x55);
    eeprom.config[KW_CONFIG_SLOT_LOCKED] = 0xFB;
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_GENKEY, 0x04, 0, NULL, 0);
    ask_no(&bench, REFUSED, "slot 2 is locked for good", OP_GENKEY, 0x04, 2,
           NULL, 0);
    bench_close(&bench);
    set_locks(&eeprom, 0x55, 0x55);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_GENKEY, 0x04,
           0, NULL, 0);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_GENKEY, 0x04,
           0xFFFF, NULL, 0);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_GENKEY, 0x10,
           13, "\0\0\0", 3);
    bench_close(&bench);
}

static void genkey_obeys_the_bits(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_key_config(&eeprom, 2, 0x0071); /* PubInfo 0 */
    set_slot_config(&eeprom, 3, 0x2005);
    memset(kw_sim_eeprom_slot(&eeprom, 0), 0xFF, 36);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "public key never leaves", OP_GENKEY, 0x00, 2, NULL,
           0);
    ask_no(&bench, REFUSED, "public key never leaves", OP_GENKEY, 0x04, 2, NULL,
           0);
    ask_no(&bench, REFUSED, "without IsSecret", OP_GENKEY, 0x04, 3, NULL, 0);
    ask_no(&bench, REFUSED, "no private key yet", OP_GENKEY, 0x00, 0, NULL, 0);
    bench_close(&bench);
}

static void genkey_digests(void **state) {
    (void)state;
    struct bench bench;
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    uint8_t before[32];
    uint8_t expected[32];
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_GENKEY, 0x08, 2, NULL,
           0);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqRandom of slot 2", OP_GENKEY, 0x08, 2, NULL, 0);
    for (unsigned mode = 0x08; mode <= 0x0C; mode += 4) {
        random_nonce(&bench);
        memcpy(before, buffers(&bench)->temp_key, 32);
        const struct reply reply =
            ask_ok(&bench, OP_GENKEY, (uint8_t)mode, 2, NULL, 0);
        assert_int_equal(
            kw_message_genkey(&hash, before,
                              kw_message_head(OP_GENKEY, (uint8_t)mode, 2),
                              SERIAL, reply.data, expected),
            KW_OK);
        assert_memory_equal(buffers(&bench)->temp_key, expected, 32);
        assert_true(buffers(&bench)->gen_key_data);
        assert_false(buffers(&bench)->gen_dig_data);
        assert_int_equal(buffers(&bench)->temp_key_id, 2);
    }
    bench_close(&bench);
}

static void genkey_stored_public(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    ask_no(&bench, PARSE, "3 bytes", OP_GENKEY, 0x10, 14, NULL, 0);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_GENKEY, 0x10, 14,
           "\0\0\0", 3);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "P-256 public key", OP_GENKEY, 0x10, 2, "\0\0\0",
           3);
    ask_no(&bench, REFUSED, "P-256 public key", OP_GENKEY, 0x10, 8, "\0\0\0",
           3);
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 14, "\0\0\0", 3);
    assert_true(buffers(&bench)->source_fixed);
    bench_close(&bench);
}

static void genkey_in_temp_key(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    struct reply reply = ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
    assert_int_equal(reply.size, 64);
    reply = ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, "\0\0\0", 3);
    assert_true(buffers(&bench)->temp_key_private);
    assert_int_equal(bench.commits, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_GENKEY, 0x04, 0xFFFF, "ab", 2);
    ask_no(&bench, PARSE, "does not work on TempKey", OP_GENKEY, 0x00, 0xFFFF,
           NULL, 0);
    ask_no(&bench, PARSE, "does not work on TempKey", OP_GENKEY, 0x08, 0xFFFF,
           NULL, 0);
    ask_no(&bench, REFUSED, "only ECDH", OP_SIGN, 0x80, 0, NULL, 0);
    ask_no(&bench, REFUSED, "only ECDH", OP_GENKEY, 0x08, 2, NULL, 0);
    ask_no(&bench, REFUSED, "only ECDH", OP_MAC, 0x01, 5, NULL, 0);
    ask_no(&bench, REFUSED, "only ECDH", OP_GENDIG, 0x02, 5, NULL, 0);
    ask_no(&bench, REFUSED, "only ECDH", OP_NONCE, 0x00, 0x8000, NUM_IN, 20);
    ask_no(&bench, REFUSED, "only ECDH", OP_SHA, 0x04, 0xFFFF, NULL, 0);
    /* A public key taken from a slot leaves it alone. */
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 2, NULL, 0);
    assert_true(buffers(&bench)->temp_key_private);
    load(&bench, 0x03, DIGEST, 32);
    assert_false(buffers(&bench)->temp_key_private);
    bench_close(&bench);
}

/* --- Sign --- */

static void sign_external(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    const struct reply key = ask_ok(&bench, OP_GENKEY, 0x00, 0, NULL, 0);
    const uint8_t modes[] = {0x80, 0xA0, 0xC0, 0xE0};
    for (size_t i = 0; i < sizeof(modes); i++) {
        load(&bench, 0x03, DIGEST, 32);
        load(&bench, 0x43, DIGEST, 32);
        const struct reply reply =
            ask_ok(&bench, OP_SIGN, modes[i], 0, NULL, 0);
        const bool from_buffer = (modes[i] & 0x20) != 0;
        assert_int_equal(reply.size, 64);
        assert_int_equal(verify_outside(key.data, DIGEST, reply.data), KW_OK);
        /* What was used is gone, the other is not. */
        assert_int_equal(buffers(&bench)->temp_key_valid, from_buffer);
        assert_int_equal(buffers(&bench)->message_digest_size,
                         from_buffer ? 0 : 32);
    }
    bench_close(&bench);
}

static void sign_refusals(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    memset(kw_sim_eeprom_slot(&eeprom, 3), 0xFF, 36);
    set_slot_config(&eeprom, 4, 0x2005);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_SIGN, 0x80, 0, NULL, 0);
    ask_no(&bench, REFUSED, "buffer holds 0 bytes", OP_SIGN, 0xA0, 0, NULL, 0);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "slot 1 may not sign external", OP_SIGN, 0xA0, 1,
           NULL, 0);
    ask_no(&bench, REFUSED, "slot 0 may not sign internal", OP_SIGN, 0x00, 0,
           NULL, 0);
    ask_no(&bench, REFUSED, "holds no private key yet", OP_SIGN, 0xA0, 3, NULL,
           0);
    ask_no(&bench, REFUSED, "without IsSecret", OP_SIGN, 0xA0, 4, NULL, 0);
    ask_no(&bench, REFUSED, "not configured for a P-256 private", OP_SIGN, 0xA0,
           13, NULL, 0);
    ask_no(&bench, PARSE, "no slot 17", OP_SIGN, 0xA0, 17, NULL, 0);
    ask_no(&bench, PARSE, "no mode 81", OP_SIGN, 0x81, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode 02", OP_SIGN, 0x02, 1, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_SIGN, 0xA0, 0, "x", 1);
    (void)ask_ok(&bench, OP_SIGN, 0xA0, 0, NULL, 0);
    ask_no(&bench, REFUSED, "each use empties it", OP_SIGN, 0xA0, 0, NULL, 0);
    bench_close(&bench);
}

static void sign_internal(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    const struct reply attester = ask_ok(&bench, OP_GENKEY, 0, 1, NULL, 0);
    const uint8_t modes[] = {0x00, 0x01, 0x20, 0x40, 0x61};
    for (size_t i = 0; i < sizeof(modes); i++) {
        ask_no(&bench, REFUSED, "TempKey is not valid", OP_SIGN, modes[i], 1,
               NULL, 0);
        random_nonce(&bench);
        ask_no(&bench, REFUSED, "made by GenKey or by GenDig", OP_SIGN,
               modes[i], 1, NULL, 0);
        (void)ask_ok(&bench, OP_GENKEY, 0x0C, 2, NULL, 0);
        uint8_t message[KW_SIGN_MESSAGE_SIZE];
        uint8_t digest[32];
        const struct kw_sign_internal about = {
            .temp_key = buffers(&bench)->temp_key,
            .head = kw_message_head(OP_SIGN, modes[i], 1),
            .config = kw_sim_chip_eeprom(bench.chip)->config,
            .key_id = 2,
            .temp_key_flags = 0x42,
            .for_invalidate = (modes[i] & 1) != 0,
            .full_serial = (modes[i] & 0x40) != 0,
        };
        kw_message_sign_internal(&about, message);
        hash_outside(message, sizeof(message), digest);
        const struct reply reply =
            ask_ok(&bench, OP_SIGN, modes[i], 1, NULL, 0);
        assert_int_equal(verify_outside(attester.data, digest, reply.data),
                         KW_OK);
        assert_false(buffers(&bench)->temp_key_valid);
    }
    /* GenDig with a key does as well, any other GenDig does not. */
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENDIG, 0, 0, NULL, 0);
    ask_no(&bench, REFUSED, "made by GenKey or by GenDig", OP_SIGN, 0, 1, NULL,
           0);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    (void)ask_ok(&bench, OP_SIGN, 0, 1, NULL, 0);
    bench_close(&bench);
}

/* --- Verify with a key from outside --- */

static void external_data(const struct outside_key *key, uint8_t data[128]) {
    sign_outside(key, DIGEST, data);
    memcpy(data + 64, key->public_key, 64);
}

static void verify_external(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    uint8_t data[128];
    external_data(&key, data);
    bench_trustflex(&bench);
    load(&bench, 0x03, DIGEST, 32);
    load(&bench, 0x43, DIGEST, 32);
    (void)ask_ok(&bench, OP_VERIFY, 0x22, 4, data, 128);
    assert_true(buffers(&bench)->temp_key_valid);
    ask_no(&bench, REFUSED, "buffer holds 0 bytes", OP_VERIFY, 0x22, 4, data,
           128);
    (void)ask_ok(&bench, OP_VERIFY, 0x02, 4, data, 128);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_VERIFY, 0x02, 4, data,
           128);

    /* A wrong signature uses the message up as a right one does. */
    data[10] ^= 1;
    load(&bench, 0x03, DIGEST, 32);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, MISMATCH, "signature does not match", OP_VERIFY, 0x22, 4,
           data, 128);
    assert_int_equal(buffers(&bench)->message_digest_size, 0);
    ask_no(&bench, MISMATCH, "signature does not match", OP_VERIFY, 0x02, 4,
           data, 128);
    assert_false(buffers(&bench)->temp_key_valid);
    memset(data, 0, 64);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, MISMATCH, "does not match", OP_VERIFY, 0x22, 4, data, 128);
    load(&bench, 0x43, DIGEST, 32);
    memset(data, 0xFF, 64);
    ask_no(&bench, MISMATCH, "does not match", OP_VERIFY, 0x22, 4, data, 128);
    bench_close(&bench);
}

static void verify_external_refusals(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    uint8_t data[128];
    external_data(&key, data);
    bench_trustflex(&bench);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, PARSE, "param2 0004", OP_VERIFY, 0x22, 0, data, 128);
    ask_no(&bench, PARSE, "128 bytes", OP_VERIFY, 0x22, 4, data, 127);
    ask_no(&bench, PARSE, "no mode 04", OP_VERIFY, 0x04, 4, data, 128);
    ask_no(&bench, PARSE, "no mode 62", OP_VERIFY, 0x62, 4, data, 128);
    ask_no(&bench, PARSE, "no mode 21", OP_VERIFY, 0x21, 14, data, 83);
    ask_no(&bench, PARSE, "no mode 23", OP_VERIFY, 0x23, 14, data, 83);
    ask_no(&bench, REFUSED, "ValidateExternal", OP_VERIFY, 0x01, 14, data, 83);
    data[127] ^= 1;
    ask_no(&bench, REFUSED, "not a point of the curve", OP_VERIFY, 0x22, 4,
           data, 128);
    /* x + p names the same point and is no encoding of it. */
    memset(data + 64, 0xFF, 64);
    ask_no(&bench, REFUSED, "not a point of the curve", OP_VERIFY, 0x22, 4,
           data, 128);
    bench_close(&bench);
}

/* --- Verify with a MAC --- */

static void expected_mac(const uint8_t io_key[32], const uint8_t nonce[32],
                         const uint8_t signature[64], uint8_t mode,
                         uint16_t key_id, uint8_t mac[32]) {
    uint8_t message[32 + 32 + 32 + 64 + 4];
    memcpy(message, io_key, 32);
    memcpy(message + 32, DIGEST, 32);
    memcpy(message + 64, nonce, 32);
    memcpy(message + 96, signature, 64);
    message[160] = OP_VERIFY;
    message[161] = mode;
    kw_store_le16(message + 162, key_id);
    hash_outside(message, sizeof(message), mac);
}

static void verify_with_mac(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t io_key[32];
    uint8_t both[64];
    uint8_t data[128];
    uint8_t mac[32];
    memset(io_key, 0x66, sizeof(io_key));
    memcpy(both, DIGEST, 32);
    memset(both + 32, 0xB7, 32);
    external_data(&key, data);
    set_slot(&eeprom, 6, io_key, 32);
    put_public(&eeprom, 15, &key);
    bench_open(&bench, &eeprom);

    load(&bench, 0x63, both, 64);
    expected_mac(io_key, both + 32, data, 0xA2, 4, mac);
    assert_memory_equal(ask_ok(&bench, OP_VERIFY, 0xA2, 4, data, 128).data, mac,
                        32);
    assert_int_equal(buffers(&bench)->message_digest_size, 0);

    load(&bench, 0x03, DIGEST, 32);
    load(&bench, 0x43, both + 32, 32);
    expected_mac(io_key, both + 32, data, 0x80, 15, mac);
    assert_memory_equal(ask_ok(&bench, OP_VERIFY, 0x80, 15, data, 64).data, mac,
                        32);
    assert_int_equal(buffers(&bench)->message_digest_size, 0);
    assert_false(buffers(&bench)->temp_key_valid);

    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "64 are needed", OP_VERIFY, 0xA2, 4, data, 128);
    data[3] ^= 1;
    load(&bench, 0x63, both, 64);
    ask_no(&bench, MISMATCH, "does not match", OP_VERIFY, 0xA2, 4, data, 128);
    bench_close(&bench);

    eeprom.config[KW_CONFIG_CHIP_OPTIONS] = 0x0C;
    bench_open(&bench, &eeprom);
    load(&bench, 0x63, both, 64);
    ask_no(&bench, REFUSED, "ChipOptions disables", OP_VERIFY, 0xA2, 4, data,
           128);
    bench_close(&bench);
    set_locks(&eeprom, 0, 0x55);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "data zone is not locked", OP_VERIFY, 0xA2, 4, data,
           128);
    bench_close(&bench);
}

/* --- Verify with a stored key --- */

static void verify_stored(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t signature[64];
    sign_outside(&key, DIGEST, signature);
    put_public(&eeprom, 13, &key);
    put_public(&eeprom, 14, &key);
    put_public(&eeprom, 15, &key);
    set_key_config(&eeprom, 15, 0x0070); /* ReqRandom */
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    load(&bench, 0x43, DIGEST, 32);
    (void)ask_ok(&bench, OP_VERIFY, 0x20, 13, signature, 64);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "slot 14 is not validated", OP_VERIFY, 0x20, 14,
           signature, 64);
    ask_no(&bench, REFUSED, "ReqRandom of slot 15", OP_VERIFY, 0x20, 15,
           signature, 64);
    ask_no(&bench, REFUSED, "ReqRandom of slot 15", OP_VERIFY, 0x00, 15,
           signature, 64);
    ask_no(&bench, PARSE, "no mode 60", OP_VERIFY, 0x60, 13, signature, 64);
    ask_no(&bench, REFUSED, "P-256 public key", OP_VERIFY, 0x20, 0, signature,
           64);
    ask_no(&bench, REFUSED, "P-256 public key", OP_VERIFY, 0x20, 8, signature,
           64);
    ask_no(&bench, REFUSED, "not a point", OP_VERIFY, 0x20, 11, signature, 64);
    ask_no(&bench, PARSE, "no slot 16", OP_VERIFY, 0x20, 16, signature, 64);
    ask_no(&bench, PARSE, "64 bytes", OP_VERIFY, 0x20, 13, signature, 63);
    (void)ask_ok(&bench, OP_VERIFY, 0x00, 13, signature, 64);
    random_nonce(&bench);
    ask_no(&bench, MISMATCH, "does not match", OP_VERIFY, 0x00, 15, signature,
           64);
    bench_close(&bench);
}

/* --- validity --- */

struct rotation {
    const char *operation;
    uint8_t nonce[32];
    uint8_t public_key[64];
    uint8_t genkey_digest[32];
    uint8_t other[19];
    uint8_t digest[32];
};

static struct rotation rotation_of(const json_t *from) {
    struct rotation rotation;
    rotation.operation = json_string_value(json_object_get(from, "operation"));
    (void)known(from, "nonce", rotation.nonce, 32);
    (void)known(from, "public_key", rotation.public_key, 64);
    (void)known(from, "genkey_digest", rotation.genkey_digest, 32);
    (void)known(from, "other_data_19", rotation.other, 19);
    (void)known(from, "digest_to_sign", rotation.digest, 32);
    return rotation;
}

static void digest_slot_14(struct bench *bench, const uint8_t nonce[32]) {
    load(bench, 0x03, nonce, 32);
    (void)ask_ok(bench, OP_GENKEY, 0x10, 14, "\0\0\0", 3);
}

static void rotate_known(const struct rotation *rotation,
                         const struct outside_key *authority) {
    const bool invalidate = strcmp(rotation->operation, "invalidate") == 0;
    const uint8_t mode = invalidate ? 0x07 : 0x03;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct outside_key key;
    uint8_t data[83];
    memcpy(key.public_key, rotation->public_key, 64);
    put_public(&eeprom, 13, authority);
    put_public(&eeprom, 14, &key);
    *kw_sim_eeprom_slot(&eeprom, 14) = invalidate ? 0x50 : 0xA0;
    sign_outside(authority, rotation->digest, data);
    memcpy(data + 64, rotation->other, 19);
    bench_open(&bench, &eeprom);

    digest_slot_14(&bench, rotation->nonce);
    assert_memory_equal(buffers(&bench)->temp_key, rotation->genkey_digest, 32);
    ask_no(&bench, REFUSED, "mode bit 2 disagree", OP_VERIFY, mode ^ 4, 14,
           data, 83);
    (void)ask_ok(&bench, OP_VERIFY, mode, 14, data, 83);
    assert_int_equal(bench.commits, 1);
    assert_int_equal(*kw_sim_eeprom_slot(&bench.stored, 14),
                     invalidate ? 0xA0 : 0x50);
    assert_false(buffers(&bench)->temp_key_valid);

    /* Another nonce, another digest: the signature no longer matches, and
     * nothing changes. */
    uint8_t nonce[32];
    memset(nonce, 0xEE, sizeof(nonce));
    digest_slot_14(&bench, nonce);
    ask_no(&bench, MISMATCH, "does not match", OP_VERIFY, mode, 14, data, 83);
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void validates_as_known(void **state) {
    (void)state;
    const struct outside_key authority = make_key();
    json_t *root = known_answers();
    size_t index;
    json_t *entry;
    unsigned seen = 0;
    json_array_foreach(json_object_get(root, "rotation"), index, entry) {
        const struct rotation rotation = rotation_of(entry);
        rotate_known(&rotation, &authority);
        seen++;
    }
    assert_true(seen >= 4);
    json_decref(root);
}

static void validation_refusals(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t data[83] = {0};
    set_key_config(&eeprom, 15, 0x0012);
    set_slot_config(&eeprom, 15, 0x1F08); /* parent 8 is no key */
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_VERIFY, 0x03, 14, data,
           83);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "GenKey's digest of the public key in slot 14",
           OP_VERIFY, 0x03, 14, data, 83);
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 13, "\0\0\0", 3);
    ask_no(&bench, REFUSED, "GenKey's digest of the public key in slot 14",
           OP_VERIFY, 0x03, 14, data, 83);
    ask_no(&bench, REFUSED, "needs no validation", OP_VERIFY, 0x03, 13, data,
           83);
    ask_no(&bench, REFUSED, "P-256 public key", OP_VERIFY, 0x03, 2, data, 83);
    ask_no(&bench, PARSE, "no slot 16", OP_VERIFY, 0x03, 16, data, 83);
    ask_no(&bench, PARSE, "83 bytes", OP_VERIFY, 0x03, 14, data, 64);
    load(&bench, 0x03, DIGEST, 32);
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 15, "\0\0\0", 3);
    ask_no(&bench, REFUSED, "slot 8 is not configured", OP_VERIFY, 0x03, 15,
           data, 83);
    bench_close(&bench);

    eeprom.config[KW_CONFIG_X509_FORMAT + 1] = 0x11;
    set_key_config(&eeprom, 14, 0x4012);
    bench_open(&bench, &eeprom);
    digest_slot_14(&bench, DIGEST);
    ask_no(&bench, REFUSED, "X509id of slot 14", OP_VERIFY, 0x03, 14, data, 83);
    bench_close(&bench);

    set_key_config(&eeprom, 14, 0x0012);
    set_key_config(&eeprom, 13, 0x0070); /* the parent asks for a nonce */
    bench_open(&bench, &eeprom);
    digest_slot_14(&bench, DIGEST);
    ask_no(&bench, REFUSED, "ReqRandom of slot 13", OP_VERIFY, 0x03, 14, data,
           83);
    bench_close(&bench);
}

/* --- the bits that gate every use --- */

static void gates(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_key_config(&eeprom, 0, 0x1053); /* PersistentDisable */
    set_key_config(&eeprom, 2, 0x05F3); /* ReqAuth by key 5 */
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "PersistentDisable of slot 0", OP_SIGN, 0xA0, 0,
           NULL, 0);
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 0, NULL, 0);
    ask_no(&bench, REFUSED, "key in slot 5 first", OP_SIGN, 0xA0, 2, NULL, 0);
    ask_no(&bench, REFUSED, "key in slot 5 first", OP_GENKEY, 0x00, 2, NULL, 0);
    ask_no(&bench, REFUSED, "key in slot 5 first", OP_GENKEY, 0x04, 2, NULL, 0);
    bench_close(&bench);
}

static void limited_use_counts(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const uint8_t limit[4] = {2, 0, 0, 0};
    set_slot_config(&eeprom, 0, 0x00A5);
    eeprom.config[KW_CONFIG_COUNT_MATCH] = 0xA1; /* slot 10 */
    set_slot(&eeprom, 10, limit, sizeof(limit));
    bench_open(&bench, &eeprom);
    for (unsigned use = 1; use <= 2; use++) {
        load(&bench, 0x43, DIGEST, 32);
        (void)ask_ok(&bench, OP_SIGN, 0xA0, 0, NULL, 0);
        assert_int_equal(bench.commits, use);
        const struct reply counter = ask_ok(&bench, OP_COUNTER, 0, 0, NULL, 0);
        assert_int_equal(counter.data[0], use);
    }
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "reached the limit 2 in slot 10", OP_SIGN, 0xA0, 0,
           NULL, 0);
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 0, NULL, 0);
    assert_int_equal(bench.commits, 2);
    bench_close(&bench);

    /* Without CountMatch only the counter's end is the limit; a refused use
     * does not count. */
    eeprom.config[KW_CONFIG_COUNT_MATCH] = 0;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "buffer holds 0 bytes", OP_SIGN, 0xA0, 0, NULL, 0);
    bench_close(&bench);
    kw_counter_encode(KW_COUNTER_MAX, eeprom.config + KW_CONFIG_COUNTER);
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "counter 0 has reached its end", OP_SIGN, 0xA0, 0,
           NULL, 0);
    bench_close(&bench);
}

/* A signature that does not match was a use all the same. */
static void mismatch_counts_as_use(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    const uint8_t signature[64] = {1};
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    put_public(&eeprom, 13, &key);
    set_slot_config(&eeprom, 13, 0x0F2F);
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    assert_int_equal(ask(&bench, OP_VERIFY, 0x20, 13, signature, 64).status,
                     MISMATCH);
    assert_int_equal(bench.commits, 1);
    assert_int_equal(ask_ok(&bench, OP_COUNTER, 0, 0, NULL, 0).data[0], 1);
    /* One that cannot be stored is none. */
    load(&bench, 0x43, DIGEST, 32);
    bench.store_fails = true;
    ask_no(&bench, REFUSED, "could not be stored", OP_VERIFY, 0x20, 13,
           signature, 64);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genkey_makes_keys),
        cmocka_unit_test(genkey_before_the_data_lock),
        cmocka_unit_test(genkey_obeys_the_bits),
        cmocka_unit_test(genkey_digests),
        cmocka_unit_test(genkey_stored_public),
        cmocka_unit_test(genkey_in_temp_key),
        cmocka_unit_test(sign_external),
        cmocka_unit_test(sign_refusals),
        cmocka_unit_test(sign_internal),
        cmocka_unit_test(verify_external),
        cmocka_unit_test(verify_external_refusals),
        cmocka_unit_test(verify_with_mac),
        cmocka_unit_test(verify_stored),
        cmocka_unit_test(validates_as_known),
        cmocka_unit_test(validation_refusals),
        cmocka_unit_test(gates),
        cmocka_unit_test(limited_use_counts),
        cmocka_unit_test(mismatch_counts_as_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
