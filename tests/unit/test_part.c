/* Which part a chip is, and who may go on with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "host/emulated_chip.h"
#include "host/part.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"

static void make(enum kw_sim_part part, enum kw_sim_model model,
                 struct kw_sim_eeprom *eeprom) {
    assert_int_equal(
        kw_sim_personality(part, model, &kw_sim_crypto_openssl, eeprom), KW_OK);
}

static void each_part_and_model(void **state) {
    static const struct {
        enum kw_sim_part sim;
        enum kw_part part;
    } ROWS[] = {{KW_SIM_TRUSTFLEX, KW_PART_TRUSTFLEX},
                {KW_SIM_TRUSTGO, KW_PART_TRUSTGO},
                {KW_SIM_BLANK, KW_PART_BLANK}};
    struct kw_sim_eeprom eeprom;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        make(ROWS[i].sim, KW_SIM_608A, &eeprom);
        assert_int_equal(kw_part_of(eeprom.config, eeprom.otp), ROWS[i].part);
        assert_int_equal(kw_model_of(eeprom.revision), KW_MODEL_608A);
        make(ROWS[i].sim, KW_SIM_608B, &eeprom);
        assert_int_equal(kw_part_of(eeprom.config, eeprom.otp), ROWS[i].part);
        assert_int_equal(kw_model_of(eeprom.revision), KW_MODEL_608B);
    }
}

static void the_code_alone_is_not_enough(void **state) {
    struct kw_sim_eeprom eeprom;
    (void)state;
    make(KW_SIM_TRUSTFLEX, KW_SIM_608B, &eeprom);
    eeprom.config[KW_CONFIG_SLOT_CONFIG + 2 * 14 + 1] = 0x0F; /* Always */
    assert_int_equal(kw_part_of(eeprom.config, eeprom.otp), KW_PART_UNKNOWN);
    make(KW_SIM_TRUSTFLEX, KW_SIM_608B, &eeprom);
    eeprom.otp[7] ^= 1;
    assert_int_equal(kw_part_of(eeprom.config, eeprom.otp), KW_PART_UNKNOWN);
    assert_int_equal(kw_part_of(eeprom.config, NULL), KW_PART_UNKNOWN);
}

static void another_family(void **state) {
    static const uint8_t ATECC508A[] = {0x00, 0x00, 0x50, 0x00};
    (void)state;
    assert_int_equal(kw_model_of(ATECC508A), KW_MODEL_UNKNOWN);
}

static void moved_address(void **state) {
    struct kw_sim_eeprom eeprom;
    (void)state;
    make(KW_SIM_TRUSTFLEX, KW_SIM_608B, &eeprom);
    assert_int_equal(kw_chip_i2c_address(eeprom.config), 0x6C);
    eeprom.config[KW_CONFIG_USER_EXTRA_ADD] = 0x58;
    assert_int_equal(kw_chip_i2c_address(eeprom.config), 0x58);
    eeprom.config[KW_CONFIG_CHIP_MODE] = 0;
    assert_int_equal(kw_chip_i2c_address(eeprom.config), 0x6C);
}

static void who_is_let_through(void **state) {
    struct kw_chip_about about = {.part = KW_PART_TRUSTFLEX};
    struct kw_error error = {.status = KW_OK};
    (void)state;
    assert_int_equal(kw_part_require_trustflex(&about, "sim:x", &error), KW_OK);
    about.part = KW_PART_TRUSTGO;
    assert_int_equal(kw_part_require_trustflex(&about, "sim:x", &error),
                     KW_NO_CHIP_TYPE);
    assert_non_null(strstr(error.message, "sim:x"));
    assert_non_null(strstr(error.message, "Trust&GO"));
    assert_true(error.hint[0] != '\0');
}

/* Through a link, as the commands ask. */
static void asked_over_a_link(void **state) {
    struct kw_chip_reading reading = {.revision = {0, 0, 0x60, 3}};
    struct kw_opened_link link;
    struct kw_chip chip;
    struct kw_chip_about about;
    struct kw_error error;
    struct kw_sim_eeprom eeprom;
    (void)state;
    make(KW_SIM_TRUSTFLEX, KW_SIM_608B, &eeprom);
    memcpy(reading.config, eeprom.config, sizeof reading.config);
    assert_int_equal(kw_emulated_copy(&reading, &link, &error), KW_OK);
    kw_chip_init(&chip, link.link);
    assert_int_equal(kw_part_read(&chip, &about, &error), KW_OK);
    assert_int_equal(about.part, KW_PART_TRUSTFLEX);
    assert_int_equal(about.model, KW_MODEL_608B);
    assert_memory_equal(about.config, eeprom.config, KW_CONFIG_SIZE);
    assert_int_equal(about.serial[0], 0x01);
    assert_int_equal(about.serial[8], 0x01);
    kw_link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_and_model),
        cmocka_unit_test(the_code_alone_is_not_enough),
        cmocka_unit_test(another_family),
        cmocka_unit_test(moved_address),
        cmocka_unit_test(who_is_let_through),
        cmocka_unit_test(asked_over_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
