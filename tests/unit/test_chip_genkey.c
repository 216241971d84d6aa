/* GenKey of the emulated chip: private keys made and kept, public ones
 * digested. */
#include "chip_fixture.h"

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
    assert_int_equal(reply.size, 64);
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
    ask_no(&bench, REFUSED, "only ECDH", OP_NONCE, 0x00, 0x8000, NUM_IN, 20);
    ask_no(&bench, REFUSED, "only ECDH", OP_SHA, 0x04, 0xFFFF, NULL, 0);
    /* A public key taken from a slot leaves it alone. */
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 2, NULL, 0);
    assert_true(buffers(&bench)->temp_key_private);
    load(&bench, 0x03, DIGEST, 32);
    assert_false(buffers(&bench)->temp_key_private);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
