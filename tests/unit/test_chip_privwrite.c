/* PrivWrite of the emulated chip. */
#include "chip_fixture.h"

static void privwrite_clear(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t data[68] = {0};
    memcpy(data + 4, key.private_key, 32);
    set_locks(&eeprom, 0, 0x55);
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_PRIVWRITE, 0x00, 2, data, sizeof(data));
    assert_memory_equal(ask_ok(&bench, OP_GENKEY, 0, 2, NULL, 0).data,
                        key.public_key, 64);
    ask_no(&bench, REFUSED, "not configured for a P-256 private key",
           OP_PRIVWRITE, 0, 5, data, sizeof(data));
    ask_no(&bench, PARSE, "no slot 16", OP_PRIVWRITE, 0, 16, data, 68);
    ask_no(&bench, PARSE, "no mode 01", OP_PRIVWRITE, 1, 2, data, 68);
    ask_no(&bench, PARSE, "68 bytes", OP_PRIVWRITE, 0, 2, data, 36);
    memset(data, 0xFF, sizeof(data));
    ask_no(&bench, REFUSED, "not a P-256 private key", OP_PRIVWRITE, 0, 2, data,
           sizeof(data));
    bench_close(&bench);
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "forbids PrivWrite", OP_PRIVWRITE, 0, 2, data,
           sizeof(data));
    bench_close(&bench);
}

static void privwrite_message(const uint8_t temp_key[32],
                              const uint8_t plain[36], uint8_t data[68]) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    const struct kw_message_head head = kw_message_head(OP_PRIVWRITE, 0x40, 3);
    uint8_t more[32];
    hash_outside(temp_key, 32, more);
    for (size_t i = 0; i < 36; i++) {
        data[i] = plain[i] ^ (i < 32 ? temp_key[i] : more[i - 32]);
    }
    assert_int_equal(kw_message_write_mac(&hash, temp_key, head, SERIAL, plain,
                                          36, data + 36),
                     KW_OK);
}

static void privwrite_encrypted(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t plain[36] = {0};
    uint8_t data[68];
    memcpy(plain + 4, key.private_key, 32);
    set_slot_config(&eeprom, 3, 0x4585); /* PrivWrite with key 5 */
    bench_open(&bench, &eeprom);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    privwrite_message(buffers(&bench)->temp_key, plain, data);
    ask_no(&bench, REFUSED, "encrypted or not at all", OP_PRIVWRITE, 0x00, 3,
           data, 68);
    data[67] ^= 1;
    ask_no(&bench, MISMATCH, "MAC of the private key", OP_PRIVWRITE, 0x40, 3,
           data, 68);
    assert_false(buffers(&bench)->temp_key_valid);
    data[67] ^= 1;
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_PRIVWRITE, 0x40, 3, data,
           68);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    privwrite_message(buffers(&bench)->temp_key, plain, data);
    (void)ask_ok(&bench, OP_PRIVWRITE, 0x40, 3, data, 68);
    assert_memory_equal(ask_ok(&bench, OP_GENKEY, 0, 3, NULL, 0).data,
                        key.public_key, 64);
    bench_close(&bench);
}

static void privwrite_needs_secret_and_open_slot(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_locks(&eeprom, 0, 0x55);
    set_slot_config(&eeprom, 3, 0x2005);
    eeprom.config[KW_CONFIG_SLOT_LOCKED] = 0xFB;
    uint8_t data[68] = {0};
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "without IsSecret", OP_PRIVWRITE, 0, 3, data,
           sizeof(data));
    ask_no(&bench, REFUSED, "slot 2 is locked for good", OP_PRIVWRITE, 0, 2,
           data, sizeof(data));
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privwrite_clear),
        cmocka_unit_test(privwrite_encrypted),
        cmocka_unit_test(privwrite_needs_secret_and_open_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
