/* Verify of the emulated chip: keys from outside and from slots, its MAC, and
 * the validity of a stored key. */
#include "chip_fixture.h"

static void put_public(struct kw_sim_eeprom *eeprom, unsigned slot,
                       const struct outside_key *key) {
    uint8_t stored[72];
    stored_key(key->public_key, stored);
    set_slot(eeprom, slot, stored, sizeof(stored));
}

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

/* Slots 0 to 7 are too small, whatever their KeyConfig says. */
static void no_public_key_below_slot_8(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t signature[64] = {0};
    set_key_config(&eeprom, 7, 0x0030);
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    (void)ask_ok(&bench, OP_SHA, 0x00, 0, NULL, 0);
    ask_no(&bench, REFUSED, "slots 8 to 15", OP_VERIFY, 0x00, 7, signature, 64);
    ask_no(&bench, REFUSED, "slots 8 to 15", OP_GENKEY, 0x10, 7, "\0\0\0", 3);
    ask_no(&bench, REFUSED, "slots 8 to 15", OP_SHA, 0x03, 7, NULL, 0);
    bench_close(&bench);
}

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
    /* GenDig with the slot's content names the slot too. */
    (void)ask_ok(&bench, OP_GENDIG, 0x02, 14, NULL, 0);
    assert_int_equal(buffers(&bench)->temp_key_id, 14);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_external),
        cmocka_unit_test(verify_external_refusals),
        cmocka_unit_test(verify_with_mac),
        cmocka_unit_test(verify_stored),
        cmocka_unit_test(no_public_key_below_slot_8),
        cmocka_unit_test(validates_as_known),
        cmocka_unit_test(validation_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
