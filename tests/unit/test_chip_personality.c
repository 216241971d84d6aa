/* Chips as they leave the vendor. */
#include "chip_fixture.h"

#define FROM 16 /* the first byte that all chips of a part share */
#define TAIL (KW_CONFIG_SIZE - FROM)

/* DS40002138A table 2-3, bytes 16 to 127, row by row. */
static const uint8_t TRUSTFLEX_CONFIG[TAIL] = {
    0x6C, 0x00, 0x00, 0x01, 0x85, 0x00, 0x82, 0x00, 0x85, 0x20, 0x85, 0x20,
    0x85, 0x20, 0x8F, 0x46, 0x8F, 0x0F, 0x9F, 0x8F, 0x0F, 0x0F, 0x8F, 0x0F,
    0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0D, 0x1F, 0x0F, 0x0F,
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xF7, 0x00, 0x69, 0x76, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xFF, 0xFF, 0x0E, 0x60, 0x00, 0x00, 0x00, 0x00, 0x53, 0x00, 0x53, 0x00,
    0x73, 0x00, 0x73, 0x00, 0x73, 0x00, 0x38, 0x00, 0x7C, 0x00, 0x1C, 0x00,
    0x3C, 0x00, 0x1A, 0x00, 0x3C, 0x00, 0x30, 0x00, 0x3C, 0x00, 0x30, 0x00,
    0x12, 0x00, 0x30, 0x00,
};

/* Fresh chips as dumped (CryptoAuthLib issue 51). */
static const uint8_t BLANK_CONFIG[TAIL] = {
    0xC0, 0x00, 0x00, 0x00, 0x83, 0x20, 0x87, 0x20, 0x8F, 0x20, 0xC4, 0x8F,
    0x8F, 0x8F, 0x8F, 0x8F, 0x9F, 0x8F, 0xAF, 0x8F, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xAF, 0x8F,
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x55, 0x55,
    0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x33, 0x00, 0x33, 0x00,
    0x33, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00, 0x1C, 0x00,
    0x3C, 0x00, 0x3C, 0x00, 0x3C, 0x00, 0x3C, 0x00, 0x3C, 0x00, 0x3C, 0x00,
    0x3C, 0x00, 0x1C, 0x00,
};

struct slot_words {
    uint16_t slot_config;
    uint16_t key_config;
};

/* DS40002112B tables 2-4 to 2-17; slots 5, 7 and 13 to 15 are reserved there,
 * and what stands here for them is inference. */
static const struct slot_words TRUSTGO_SLOTS[KW_SLOT_COUNT] = {
    {0x0085, 0x0053}, {0x0082, 0x0053}, {0x2085, 0x0073}, {0x2085, 0x0073},
    {0x2085, 0x0073}, {0x8F0F, 0x001C}, {0x0F8F, 0x007C}, {0x8F8F, 0x001C},
    {0x0F0F, 0x003C}, {0x0F8F, 0x001A}, {0x8F0F, 0x001C}, {0x8F0F, 0x0010},
    {0x8F0F, 0x001C}, {0x8F8F, 0x001C}, {0x8F8F, 0x001C}, {0x8F8F, 0x001C},
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
    /* AES enabled, I2C, reserved */
    assert_memory_equal(eeprom->config + KW_CONFIG_AES_ENABLE, "\1\1\0", 3);
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
    assert_memory_equal(eeprom.config + FROM, TRUSTFLEX_CONFIG, TAIL);
    assert_true(kw_config_is_locked(eeprom.config));
    assert_true(kw_config_data_is_locked(eeprom.config));
    assert_memory_equal(eeprom.otp, "wdNxAjae", 8);
    assert_true(kw_all_bytes(eeprom.otp + 8, KW_OTP_SIZE - 8, 0));
    check_slots(&eeprom);

    eeprom = made(KW_SIM_TRUSTFLEX, KW_SIM_608B);
    check_serial(&eeprom, 0x01, 3);
    assert_memory_equal(eeprom.config + FROM, TRUSTFLEX_CONFIG, TAIL);
    assert_memory_equal(eeprom.otp, "MKMwyhP1", 8);
}

/* What the slot tables of the sheet say, decoded. */
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

/* The header of TrustFLEX, another address, SecureBoot off (inference). */
static void check_trustgo_config(const uint8_t config[KW_CONFIG_SIZE]) {
    uint8_t expected[KW_CONFIG_SIZE];
    memcpy(expected, config, FROM);
    memcpy(expected + FROM, TRUSTFLEX_CONFIG, TAIL);
    expected[KW_CONFIG_I2C_ADDRESS] = 0x6A;
    memset(expected + KW_CONFIG_SECURE_BOOT, 0, 2);
    for (size_t slot = 0; slot < KW_SLOT_COUNT; slot++) {
        kw_store_le16(expected + KW_CONFIG_SLOT_CONFIG + 2 * slot,
                      TRUSTGO_SLOTS[slot].slot_config);
        kw_store_le16(expected + KW_CONFIG_KEY_CONFIG + 2 * slot,
                      TRUSTGO_SLOTS[slot].key_config);
    }
    assert_memory_equal(config, expected, KW_CONFIG_SIZE);
}

static void trustgo(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = made(KW_SIM_TRUSTGO, KW_SIM_608A);
    check_serial(&eeprom, 0x01, 2);
    check_trustgo_config(eeprom.config);
    assert_memory_equal(eeprom.otp, "Rsuy5YJh", 8);
    assert_true(kw_all_bytes(eeprom.otp + 8, KW_OTP_SIZE - 8, 0));
    assert_true(kw_config_is_locked(eeprom.config));
    assert_true(kw_config_data_is_locked(eeprom.config));
    check_slots(&eeprom);
    eeprom = made(KW_SIM_TRUSTGO, KW_SIM_608B);
    check_serial(&eeprom, 0x01, 3);
    check_trustgo_config(eeprom.config);
    assert_memory_equal(eeprom.otp, "KQp2ZkD8", 8);
}

static void blank(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = made(KW_SIM_BLANK, KW_SIM_608B);
    check_serial(&eeprom, 0xEE, 3);
    assert_memory_equal(eeprom.config + FROM, BLANK_CONFIG, TAIL);
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
