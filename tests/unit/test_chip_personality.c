/* Chips as they leave the vendor. */
#include "chip_fixture.h"

static const uint8_t TRUSTFLEX_CONFIG[] = {
    0x6C, 0x00, 0x00, 0x01, 0x85, 0x00, 0x82, 0x00, 0x85, 0x20, 0x85, 0x20,
    0x85, 0x20, 0x8F, 0x46, 0x8F, 0x0F, 0x9F, 0x8F, 0x0F, 0x0F, 0x8F, 0x0F,
    0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0D, 0x1F, 0x0F, 0x0F,
};

static struct kw_sim_eeprom made(enum kw_sim_part part,
                                 enum kw_sim_model model) {
    struct kw_sim_eeprom eeprom;
    assert_int_equal(kw_sim_personality(part, model, NULL, &eeprom), KW_OK);
    return eeprom;
}

static void check_serial(const struct kw_sim_eeprom *eeprom, uint8_t last,
                         uint8_t revision) {
    const uint8_t expected[4] = {0x00, 0x00, 0x60, revision};
    uint8_t serial[9];
    kw_config_serial(eeprom->config, serial);
    assert_int_equal(serial[0], 0x01);
    assert_int_equal(serial[1], 0x23);
    assert_int_equal(serial[8], last);
    assert_memory_equal(eeprom->revision, expected, 4);
    assert_memory_equal(eeprom->config + KW_CONFIG_REVISION, expected, 4);
}

/* Keys in slots 0-4, four bytes of padding before each; all else blank. */
static void check_slots(struct kw_sim_eeprom *eeprom) {
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        const uint8_t *bytes = kw_sim_eeprom_slot(eeprom, slot);
        if (slot < 5) {
            assert_true(kw_all_bytes(bytes, 4, 0));
            assert_false(kw_all_bytes(bytes + 4, 32, 0xFF));
        } else {
            assert_true(kw_all_bytes(bytes, kw_slot_size(slot), 0xFF));
        }
    }
}

static void trustflex(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = made(KW_SIM_TRUSTFLEX, KW_SIM_608A);
    check_serial(&eeprom, 0x01, 2);
    assert_memory_equal(eeprom.config + 16, TRUSTFLEX_CONFIG,
                        sizeof(TRUSTFLEX_CONFIG));
    assert_true(kw_config_is_locked(eeprom.config));
    assert_true(kw_config_data_is_locked(eeprom.config));
    assert_memory_equal(eeprom.otp, "wdNxAjae", 8);
    assert_true(kw_all_bytes(eeprom.otp + 8, KW_OTP_SIZE - 8, 0));
    assert_int_equal(eeprom.config[70], 0x03);
    assert_int_equal(eeprom.config[71], 0xF7);
    check_slots(&eeprom);

    eeprom = made(KW_SIM_TRUSTFLEX, KW_SIM_608B);
    check_serial(&eeprom, 0x01, 3);
    assert_memory_equal(eeprom.otp, "MKMwyhP1", 8);
}

/* What table 2-3 and the slot tables of the sheet say, decoded. */
static void trustflex_decoded(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = made(KW_SIM_TRUSTFLEX, KW_SIM_608A);
    const uint16_t keys[16] = {0x0053, 0x0053, 0x0073, 0x0073, 0x0073, 0x0038,
                               0x007C, 0x001C, 0x003C, 0x001A, 0x003C, 0x0030,
                               0x003C, 0x0030, 0x0012, 0x0030};
    for (unsigned slot = 0; slot < 16; slot++) {
        assert_int_equal(
            kw_load_le16(eeprom.config + KW_CONFIG_KEY_CONFIG + 2 * slot),
            keys[slot]);
        assert_int_equal(kw_config_keeps_validity(eeprom.config, slot),
                         slot == 14);
        assert_false(kw_config_slot_is_locked(eeprom.config, slot));
    }
    assert_int_equal(kw_slot_write_rule(kw_config_slot(eeprom.config, 14)),
                     KW_WRITE_PUB_INVALID);
    assert_int_equal(kw_slot_write_rule(kw_config_slot(eeprom.config, 5)),
                     KW_WRITE_ENCRYPTED);
    assert_int_equal(kw_counter_decode(eeprom.config + KW_CONFIG_COUNTER), 0);
}

static void trustgo(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = made(KW_SIM_TRUSTGO, KW_SIM_608A);
    check_serial(&eeprom, 0x01, 2);
    assert_int_equal(eeprom.config[KW_CONFIG_I2C_ADDRESS], 0x6A);
    assert_memory_equal(eeprom.otp, "Rsuy5YJh", 8);
    assert_true(kw_config_data_is_locked(eeprom.config));
    check_slots(&eeprom);
    const unsigned closed[] = {5, 7, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
        const struct kw_slot_config slot =
            kw_config_slot(eeprom.config, closed[i]);
        assert_int_equal(kw_slot_write_rule(slot), KW_WRITE_NEVER);
    }
    eeprom = made(KW_SIM_TRUSTGO, KW_SIM_608B);
    assert_memory_equal(eeprom.otp, "KQp2ZkD8", 8);
}

static void blank(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = made(KW_SIM_BLANK, KW_SIM_608B);
    check_serial(&eeprom, 0xEE, 3);
    assert_int_equal(eeprom.config[KW_CONFIG_I2C_ADDRESS], 0xC0);
    assert_false(kw_config_is_locked(eeprom.config));
    assert_false(kw_config_data_is_locked(eeprom.config));
    assert_true(kw_all_bytes(eeprom.otp, KW_OTP_SIZE, 0xFF));
    assert_true(kw_all_bytes(eeprom.data, KW_SIM_DATA_SIZE, 0xFF));
    assert_true(kw_config_key(eeprom.config, 2).is_private);
    assert_false(kw_config_key(eeprom.config, 3).is_private);
}

/* A blank chip becomes a usable one through commands alone. */
static void blank_can_be_personalised(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = made(KW_SIM_BLANK, KW_SIM_608B);
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_LOCK, 0x80, 0, NULL, 0);
    const struct reply key = ask_ok(&bench, OP_GENKEY, 0x04, 0, NULL, 0);
    assert_true(kw_all_bytes(kw_sim_eeprom_slot(&bench.stored, 0), 4, 0));
    (void)ask_ok(&bench, OP_LOCK, 0x81, 0, NULL, 0);
    load(&bench, 0x03, DIGEST, 32);
    const struct reply signature = ask_ok(&bench, OP_SIGN, 0x80, 0, NULL, 0);
    assert_int_equal(verify_outside(key.data, DIGEST, signature.data), KW_OK);
    bench_close(&bench);
}

static void two_chips_differ(void **state) {
    (void)state;
    struct kw_sim_eeprom first = made(KW_SIM_TRUSTFLEX, KW_SIM_608A);
    struct kw_sim_eeprom second = made(KW_SIM_TRUSTFLEX, KW_SIM_608A);
    assert_memory_not_equal(first.config, second.config, 16);
    assert_memory_not_equal(kw_sim_eeprom_slot(&first, 0),
                            kw_sim_eeprom_slot(&second, 0), 36);
}

static void failure_leaves_nothing(void **state) {
    (void)state;
    for (unsigned at = 1; at <= 6; at++) {
        struct kw_sim_eeprom eeprom;
        crypto_control = (struct crypto_control){.fail_at = at};
        assert_int_equal(kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608A,
                                            &crypto_double, &eeprom),
                         KW_SYSTEM_CRYPTO);
        assert_true(kw_all_bytes(&eeprom, sizeof(eeprom), 0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trustflex),
        cmocka_unit_test(trustflex_decoded),
        cmocka_unit_test(trustgo),
        cmocka_unit_test(blank),
        cmocka_unit_test(blank_can_be_personalised),
        cmocka_unit_test(two_chips_differ),
        cmocka_unit_test(failure_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
