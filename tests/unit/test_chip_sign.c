/* Sign of the emulated chip, of messages from outside and about itself. */
#include "chip_fixture.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_external),
        cmocka_unit_test(sign_refusals),
        cmocka_unit_test(sign_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
