/* UpdateExtra of the emulated chip, the address that follows from it, and
 * the other fields of ChipMode. */
#include "chip_fixture.h"

static uint8_t config_byte(const struct bench *bench, size_t at) {
    return kw_sim_chip_eeprom(bench->chip)->config[at];
}

static void takes_one_value(void **state) {
    (void)state;
    static const struct {
        uint8_t config;
        uint8_t data;
    } locks[] = {{0x55, 0x55}, {0x00, 0x55}, {0x00, 0x00}};
    for (size_t i = 0; i < 3; i++) {
        struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
        struct bench bench;
        set_locks(&eeprom, locks[i].config, locks[i].data);
        bench_open(&bench, &eeprom);
        (void)ask_ok(&bench, OP_UPDATEEXTRA, 0, 0x0000, NULL, 0);
        /* The high byte of param2 means nothing. */
        (void)ask_ok(&bench, OP_UPDATEEXTRA, 0, 0xAB12, NULL, 0);
        (void)ask_ok(&bench, OP_UPDATEEXTRA, 1, 0x0034, NULL, 0);
        assert_int_equal(config_byte(&bench, KW_CONFIG_USER_EXTRA), 0x12);
        assert_int_equal(config_byte(&bench, KW_CONFIG_USER_EXTRA_ADD), 0x34);
        assert_int_equal(bench.stored.config[KW_CONFIG_USER_EXTRA], 0x12);
        ask_no(&bench, REFUSED, "byte 84 was written", OP_UPDATEEXTRA, 0, 0x12,
               NULL, 0);
        ask_no(&bench, REFUSED, "byte 85 was written", OP_UPDATEEXTRA, 1, 0,
               NULL, 0);
        bench_close(&bench);
    }
}

static void refuses_forms(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    ask_no(&bench, PARSE, "no mode", OP_UPDATEEXTRA, 2, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode", OP_UPDATEEXTRA, 0x80, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_UPDATEEXTRA, 0, 1, DIGEST, 1);
    bench_close(&bench);
}

static void address_changes_after_sleep(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0x6C);
    (void)ask_ok(&bench, OP_UPDATEEXTRA, 1, 0x42, NULL, 0);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0x6C);
    kw_sim_chip_idle(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_int_equal(kw_sim_chip_address(bench.chip), 0x6C);
    kw_sim_chip_sleep(bench.chip);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0x42);
    bench_close(&bench);
    bench_trustflex(&bench);
    (void)ask_ok(&bench, OP_UPDATEEXTRA, 1, 0x42, NULL, 0);
    kw_sim_chip_power_cycle(bench.chip);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0x42);
    bench_close(&bench);
}

static void chip_mode_may_forbid_it(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct bench bench;
    eeprom.config[KW_CONFIG_CHIP_MODE] = 0;
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_UPDATEEXTRA, 1, 0x42, NULL, 0);
    kw_sim_chip_power_cycle(bench.chip);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0x6C);
    bench_close(&bench);
}

/* The plain address is configuration byte 16, and a write of it waits too. */
static void written_address_waits(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    const uint8_t word[4] = {0xB0, 0, 0, 0};
    struct bench bench;
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_WRITE, 0, 4, word, 4);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0xC0);
    kw_sim_chip_sleep(bench.chip);
    assert_int_equal(kw_sim_chip_address(bench.chip), 0xB0);
    bench_close(&bench);
}

static uint32_t duration(uint8_t chip_mode, uint8_t opcode) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct bench bench;
    eeprom.config[KW_CONFIG_CHIP_MODE] = chip_mode;
    bench_open(&bench, &eeprom);
    const uint32_t milliseconds = kw_sim_chip_duration(bench.chip, opcode);
    bench_close(&bench);
    return milliseconds;
}

static void clock_divider_slows(void **state) {
    (void)state;
    assert_int_equal(duration(0x01, OP_GENKEY), 115);
    assert_int_equal(duration(0x28, OP_GENKEY), 215);
    assert_int_equal(duration(0x08, OP_GENKEY), 215);
    assert_int_equal(duration(0x68, OP_GENKEY), 653);
    assert_int_equal(duration(0x68, OP_INFO), 5);
    assert_int_equal(duration(0x69, OP_SELFTEST), 2324);
    assert_int_equal(duration(0x01, 0x11), 0);
}

/* EE follows the clock; what is longer than the watchdog starts all the
 * same. */
static void watchdog_follows_the_clock(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct bench bench;
    eeprom.config[KW_CONFIG_CHIP_MODE] = 0x69;
    bench_open(&bench, &eeprom);
    bench.time += 700 * 1000;
    ask_no(&bench, 0xEE, "watchdog", OP_GENKEY, 4, 2, NULL, 0);
    assert_int_equal(ask(&bench, OP_SELFTEST, 0x3B, 0, NULL, 0).status, OK);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_one_value),
        cmocka_unit_test(refuses_forms),
        cmocka_unit_test(address_changes_after_sleep),
        cmocka_unit_test(chip_mode_may_forbid_it),
        cmocka_unit_test(written_address_waits),
        cmocka_unit_test(clock_divider_slows),
        cmocka_unit_test(watchdog_follows_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
