/* Info of the emulated chip. */
#include "chip_fixture.h"

static void tells_608b(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom;
    const uint8_t packet[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
    const uint8_t expected[] = {0x07, 0x00, 0x00, 0x60, 0x03, 0x83, 0xBB};
    uint8_t frame[KW_RESPONSE_MAX];
    assert_int_equal(
        kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B, NULL, &eeprom),
        KW_OK);
    bench_open(&bench, &eeprom);
    assert_int_equal(
        kw_sim_chip_execute(bench.chip, packet, sizeof(packet), frame), 7);
    assert_memory_equal(frame, expected, sizeof(expected));
    bench_close(&bench);
}

static void info_key_valid(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    memset(kw_sim_eeprom_slot(&eeprom, 3), 0xFF, 36);
    bench_open(&bench, &eeprom);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 0, NULL, 0).data[0], 1);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 3, NULL, 0).data[0], 0);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 8, NULL, 0).data[0], 0);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 14, NULL, 0).data[0], 0);
    ask_no(&bench, PARSE, "no slot 16", OP_INFO, 1, 16, NULL, 0);
    bench_close(&bench);
}

static void info_state(void **state) {
    (void)state;
    struct bench bench;
    const uint8_t nothing[4] = {0};
    const uint8_t fixed[4] = {0x10, 0x80, 0, 0};
    const uint8_t random[4] = {0x00, 0x80, 0, 0};
    const uint8_t with_key[4] = {0x25, 0x80, 0, 0};
    bench_trustflex(&bench);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, nothing,
                        4);
    load(&bench, 0x03, DIGEST, 32);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, fixed, 4);
    random_nonce(&bench);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, random, 4);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, with_key,
                        4);
    ask_no(&bench, PARSE, "param2", OP_INFO, 2, 1, NULL, 0);
    bench_close(&bench);
}

static void info_latch_and_gpio(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    bench_open(&bench, &eeprom);
    assert_int_equal(ask_ok(&bench, OP_INFO, 4, 0, NULL, 0).data[0], 0);
    ask_no(&bench, REFUSED, "VolatileKeyPermission", OP_INFO, 4, 3, NULL, 0);
    ask_no(&bench, PARSE, "param2", OP_INFO, 4, 4, NULL, 0);
    ask_no(&bench, REFUSED, "no GPIO pin", OP_INFO, 3, 0, NULL, 0);
    ask_no(&bench, PARSE, "Info has no mode 05", OP_INFO, 5, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes of data", OP_INFO, 0, 0, "x", 1);
    ask_no(&bench, PARSE, "param2 0000", OP_INFO, 0, 1, NULL, 0);
    bench_close(&bench);

    eeprom.config[KW_CONFIG_VOLATILE_KEY_PERMISSION] = 0x84;
    eeprom.config[KW_CONFIG_I2C_ENABLE] = 0;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "key in slot 4", OP_INFO, 4, 3, NULL, 0);
    assert_int_equal(ask_ok(&bench, OP_INFO, 3, 3, NULL, 0).data[0], 1);
    assert_int_equal(ask_ok(&bench, OP_INFO, 3, 0, NULL, 0).data[0], 1);
    assert_int_equal(ask_ok(&bench, OP_INFO, 3, 2, NULL, 0).data[0], 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_608b),
        cmocka_unit_test(info_key_valid),
        cmocka_unit_test(info_state),
        cmocka_unit_test(info_latch_and_gpio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
