/* Lock of the emulated chip. */
#include "chip_fixture.h"

static void locks_in_order(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_LOCK, 0x81,
           0, NULL, 0);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_LOCK, 0x02,
           0, NULL, 0);
    (void)ask_ok(&bench, OP_LOCK, 0x80, 0, NULL, 0);
    assert_int_equal(bench.stored.config[KW_CONFIG_LOCK_CONFIG], 0);
    assert_int_equal(bench.stored.config[KW_CONFIG_LOCK_VALUE], 0x55);
    ask_no(&bench, REFUSED, "configuration zone is locked already", OP_LOCK,
           0x80, 0, NULL, 0);
    (void)ask_ok(&bench, OP_LOCK, 0x81, 0, NULL, 0);
    assert_int_equal(bench.stored.config[KW_CONFIG_LOCK_VALUE], 0);
    ask_no(&bench, REFUSED, "data zone is locked already", OP_LOCK, 0x81, 0,
           NULL, 0);
    assert_int_equal(bench.commits, 2);
    bench_close(&bench);
}

static void locks_by_crc(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    const uint16_t config_crc = kw_crc16(eeprom.config, KW_CONFIG_SIZE);
    uint8_t all[KW_SIM_DATA_SIZE + KW_OTP_SIZE];
    memset(all, 0xFF, sizeof(all));
    const uint16_t data_crc = kw_crc16(all, sizeof(all));
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "CRC is not the one given", OP_LOCK, 0x00,
           config_crc ^ 1, NULL, 0);
    (void)ask_ok(&bench, OP_LOCK, 0x00, config_crc, NULL, 0);
    ask_no(&bench, REFUSED, "CRC is not the one given", OP_LOCK, 0x01,
           data_crc ^ 0x100, NULL, 0);
    (void)ask_ok(&bench, OP_LOCK, 0x01, data_crc, NULL, 0);
    bench_close(&bench);
}

static void locks_slots(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    for (unsigned slot = 0; slot < 16; slot++) {
        const uint8_t mode = (uint8_t)(0x02 | slot << 2);
        const struct kw_key_config key =
            kw_config_key(kw_sim_chip_eeprom(bench.chip)->config, slot);
        if (!key.lockable) {
            ask_no(&bench, REFUSED, "is not lockable", OP_LOCK, mode, 0, NULL,
                   0);
            continue;
        }
        (void)ask_ok(&bench, OP_LOCK, mode, 0, NULL, 0);
        assert_true(kw_config_slot_is_locked(bench.stored.config, slot));
        ask_no(&bench, REFUSED, "locked already", OP_LOCK, mode, 0, NULL, 0);
    }
    assert_int_equal(kw_load_le16(bench.stored.config + KW_CONFIG_SLOT_LOCKED),
                     0x4283);
    bench_close(&bench);
}

static void lock_refusals(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    bench_open(&bench, &eeprom);
    ask_no(&bench, PARSE, "no mode A2", OP_LOCK, 0xA2, 0, NULL, 0);
    ask_no(&bench, PARSE, "no zone 3", OP_LOCK, 0x83, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode C0", OP_LOCK, 0xC0, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode C2", OP_LOCK, 0xC2, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode 84", OP_LOCK, 0x84, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode 85", OP_LOCK, 0x85, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_LOCK, 0x80, 0, "x", 1);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_in_order),
        cmocka_unit_test(locks_by_crc),
        cmocka_unit_test(locks_slots),
        cmocka_unit_test(lock_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
