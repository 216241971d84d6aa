/* Each rule of the lint: absent from a good configuration, present after
 * the edit that breaks it. */
#include "host/config_lint.h"
#include "host/config_words.h"
#include "tests/unit/chip_fixture.h"

#define ANY KW_NO_SLOT /* the finding is about the chip */

struct edit {
    uint8_t offset; /* 0: no edit; no rule looks at byte 0 */
    uint8_t value;
};

static const struct row {
    enum kw_sim_part part;
    const char *id;
    unsigned slot;
    enum kw_severity severity;
    struct edit before; /* makes the base good */
    struct edit after[2];
} ROWS[] = {
    {KW_SIM_TRUSTFLEX,
     "private-not-secret",
     0,
     KW_LINT_ERROR,
     {0, 0},
     {{20, 0x05}}},
    {KW_SIM_TRUSTFLEX,
     "private-wrong-type",
     0,
     KW_LINT_ERROR,
     {0, 0},
     {{96, 0x5F}}},
    {KW_SIM_TRUSTFLEX,
     "private-no-use",
     1,
     KW_LINT_WARNING,
     {0, 0},
     {{22, 0x80}}},
    {KW_SIM_TRUSTFLEX,
     "private-no-public-key",
     0,
     KW_LINT_WARNING,
     {0, 0},
     {{96, 0x51}}},
    {KW_SIM_TRUSTFLEX, "private-fixed", 2, KW_LINT_NOTE, {0, 0}, {{25, 0x00}}},
    {KW_SIM_TRUSTFLEX,
     "ecdh-clear",
     0,
     KW_LINT_WARNING,
     {91, 0x61},
     {{91, 0x60}}},
    {KW_SIM_TRUSTFLEX,
     "ecdh-slot-odd",
     3,
     KW_LINT_WARNING,
     {0, 0},
     {{26, 0x8C}}},
    {KW_SIM_TRUSTFLEX,
     "encrypt-read-not-secret",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{36, 0x4F}}},
    {KW_SIM_TRUSTFLEX,
     "read-key-unusable",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{36, 0xC0}}},
    {KW_SIM_TRUSTFLEX,
     "aes-key-readable",
     8,
     KW_LINT_WARNING,
     {0, 0},
     {{112, 0x38}}},
    {KW_SIM_TRUSTFLEX, "readable-key", 6, KW_LINT_ERROR, {0, 0}, {{32, 0x0F}}},
    {KW_SIM_TRUSTFLEX,
     "write-key-unusable",
     5,
     KW_LINT_ERROR,
     {0, 0},
     {{31, 0x40}}},
    {KW_SIM_TRUSTFLEX,
     "secret-overwritten",
     5,
     KW_LINT_WARNING,
     {0, 0},
     {{31, 0x0F}}},
    /* ECDH of slot 2 writes slot 3, until ReadKey bit 3 is 0. */
    {KW_SIM_BLANK, "never-written", 3, KW_LINT_NOTE, {0, 0}, {{24, 0x87}}},
    /* Which stops no other mode of ECDH. */
    {KW_SIM_BLANK, "ecdh-clear", 2, KW_LINT_WARNING, {91, 0x01}, {{91, 0x00}}},
    {KW_SIM_TRUSTFLEX, "never-written", 8, KW_LINT_NOTE, {0, 0}, {{37, 0x8F}}},
    {KW_SIM_BLANK, "locked-before", 8, KW_LINT_ERROR, {0, 0}, {{89, 0xFE}}},
    {KW_SIM_TRUSTFLEX,
     "pub-invalid-idle",
     13,
     KW_LINT_WARNING,
     {0, 0},
     {{47, 0x1F}}},
    {KW_SIM_TRUSTFLEX,
     "parent-unusable",
     14,
     KW_LINT_ERROR,
     {0, 0},
     {{48, 0x08}}},
    {KW_SIM_TRUSTFLEX,
     "parent-unusable",
     14,
     KW_LINT_ERROR,
     {0, 0},
     {{48, 0x0E}}},
    {KW_SIM_TRUSTFLEX,
     "parent-writable",
     14,
     KW_LINT_WARNING,
     {47, 0x8F},
     {{47, 0x0F}}},
    {KW_SIM_TRUSTFLEX,
     "x509-not-public",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{113, 0x40}}},
    {KW_SIM_TRUSTFLEX,
     "type-reserved",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{112, 0x24}}},
    {KW_SIM_TRUSTFLEX,
     "public-key-too-long",
     7,
     KW_LINT_ERROR,
     {0, 0},
     {{110, 0x10}}},
    {KW_SIM_TRUSTFLEX,
     "auth-self",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{112, 0xBC}, {113, 0x08}}},
    {KW_SIM_TRUSTFLEX,
     "auth-unusable",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{112, 0xBC}}},
    {KW_SIM_TRUSTFLEX,
     "latch-never-set",
     8,
     KW_LINT_ERROR,
     {0, 0},
     {{113, 0x10}}},
    {KW_SIM_TRUSTFLEX,
     "limit-is-none",
     8,
     KW_LINT_WARNING,
     {0, 0},
     {{36, 0x2F}}},
    {KW_SIM_TRUSTFLEX, "aes-off", 5, KW_LINT_WARNING, {0, 0}, {{13, 0x00}}},
    {KW_SIM_TRUSTFLEX, "copy-target", 5, KW_LINT_NOTE, {0, 0}, {{30, 0x80}}},
    {KW_SIM_TRUSTFLEX,
     "io-key-private",
     ANY,
     KW_LINT_ERROR,
     {0, 0},
     {{91, 0x00}}},
    {KW_SIM_TRUSTFLEX,
     "io-key-missing",
     ANY,
     KW_LINT_ERROR,
     {0, 0},
     {{90, 0x0C}, {91, 0x61}}},
    {KW_SIM_TRUSTFLEX,
     "kdf-clear",
     ANY,
     KW_LINT_WARNING,
     {91, 0x64},
     {{91, 0x60}}},
    {KW_SIM_TRUSTFLEX,
     "boot-key-unusable",
     ANY,
     KW_LINT_ERROR,
     {0, 0},
     {{71, 0x87}}},
    {KW_SIM_TRUSTFLEX,
     "boot-key-writable",
     ANY,
     KW_LINT_WARNING,
     {51, 0x8F},
     {{51, 0x0F}}},
    {KW_SIM_TRUSTFLEX,
     "boot-digest-writable",
     ANY,
     KW_LINT_ERROR,
     {0, 0},
     {{71, 0xF8}}},
    {KW_SIM_TRUSTFLEX,
     "permission-private",
     ANY,
     KW_LINT_ERROR,
     {0, 0},
     {{69, 0x80}}},
    {KW_SIM_TRUSTFLEX,
     "match-unusable",
     ANY,
     KW_LINT_WARNING,
     {0, 0},
     {{18, 0x81}}},
    {KW_SIM_TRUSTFLEX,
     "address-odd",
     ANY,
     KW_LINT_WARNING,
     {0, 0},
     {{16, 0x6D}}},
    {KW_SIM_TRUSTFLEX,
     "reserved-bytes",
     ANY,
     KW_LINT_WARNING,
     {0, 0},
     {{17, 0x01}}},
    {KW_SIM_TRUSTFLEX,
     "lock-value-odd",
     ANY,
     KW_LINT_WARNING,
     {0, 0},
     {{86, 0x11}}},
    {KW_SIM_TRUSTFLEX, "lock-order", ANY, KW_LINT_ERROR, {0, 0}, {{87, 0x55}}},
};

static const struct kw_finding *find(const struct kw_findings *findings,
                                     const char *id, unsigned slot) {
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->finding[i].id, id) == 0 &&
            findings->finding[i].slot == slot) {
            return &findings->finding[i];
        }
    }
    return NULL;
}

static void apply(uint8_t *config, struct edit edit) {
    if (edit.offset != 0) {
        config[edit.offset] = edit.value;
    }
}

static void each_rule(void **state) {
    static struct kw_findings findings;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct kw_sim_eeprom eeprom = eeprom_of(ROWS[i].part);
        apply(eeprom.config, ROWS[i].before);
        kw_config_lint(eeprom.config, &findings);
        if (find(&findings, ROWS[i].id, ROWS[i].slot) != NULL) {
            fail_msg("%s is found in a good configuration", ROWS[i].id);
        }
        apply(eeprom.config, ROWS[i].after[0]);
        apply(eeprom.config, ROWS[i].after[1]);
        kw_config_lint(eeprom.config, &findings);
        const struct kw_finding *finding =
            find(&findings, ROWS[i].id, ROWS[i].slot);
        if (finding == NULL) {
            fail_msg("%s is not found", ROWS[i].id);
            return;
        }
        assert_int_equal(finding->severity, ROWS[i].severity);
        assert_true(finding->words[0] != '\0');
        assert_true(finding->severity != KW_LINT_ERROR || findings.errors > 0);
    }
}

static void parts_have_no_errors(void **state) {
    static const enum kw_sim_part PARTS[] = {KW_SIM_TRUSTFLEX, KW_SIM_TRUSTGO,
                                             KW_SIM_BLANK};
    static struct kw_findings findings;
    (void)state;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        const struct kw_sim_eeprom eeprom = eeprom_of(PARTS[i]);
        kw_config_lint(eeprom.config, &findings);
        assert_int_equal(findings.errors, 0);
        assert_string_equal(kw_first_error(&findings), "");
    }
}

static void first_error(void **state) {
    static struct kw_findings findings;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    (void)state;
    eeprom.config[20] = 0x05;
    kw_config_lint(eeprom.config, &findings);
    assert_int_equal(findings.errors, 1);
    assert_non_null(strstr(kw_first_error(&findings), "without IsSecret"));
}

/* --- words --- */

static const char *words_of(const struct kw_config_field *fields, size_t count,
                            const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return fields[i].words;
        }
    }
    fail_msg("no field %s", name);
    return NULL;
}

static void fields_in_words(void **state) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct kw_config_field fields[KW_CONFIG_FIELDS];
    (void)state;
    kw_counter_encode(1026, eeprom.config + KW_CONFIG_COUNTER);
    eeprom.config[KW_CONFIG_SLOT_LOCKED] = 0xBF;
    const size_t count = kw_config_fields(eeprom.config, fields);
    static const char *const WANTED[][2] = {
        {"I2C_Address", "8-bit form 6C, 7-bit form 36"},
        {"ChipMode", "watchdog 1.3 s"},
        {"Counter[0]", "1026 of 2097151"},
        {"SecureBoot", "public key in slot 15, kept in slot 7"},
        {"ChipOptions", "IO protection key in slot 6"},
        {"SlotLocked", "slot 6 locked"},
        {"LockConfig", "locked for ever"},
        {"AES_Enable", "AES and KDF are there"},
    };
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        const char *words = words_of(fields, count, WANTED[i][0]);
        if (strstr(words, WANTED[i][1]) == NULL) {
            fail_msg("%s: '%s'", WANTED[i][0], words);
        }
    }
}

/* The fields and the slots' words cover each of the 128 bytes once. */
static void fields_cover_the_zone(void **state) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    struct kw_config_field fields[KW_CONFIG_FIELDS];
    uint8_t seen[KW_CONFIG_SIZE] = {0};
    const size_t count = kw_config_fields(eeprom.config, fields);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (unsigned at = 0; at < fields[i].size; at++) {
            seen[fields[i].offset + at]++;
        }
    }
    for (unsigned at = 0; at < 32; at++) {
        seen[KW_CONFIG_SLOT_CONFIG + at]++;
        seen[KW_CONFIG_KEY_CONFIG + at]++;
    }
    assert_true(kw_all_bytes(seen, sizeof seen, 1));
}

static bool says(const struct kw_slot_lines *lines, const char *words) {
    for (size_t i = 0; i < lines->count; i++) {
        if (strstr(lines->line[i], words) != NULL) {
            return true;
        }
    }
    return false;
}

static void slots_in_words(void **state) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct kw_slot_lines lines;
    (void)state;
    kw_config_slot_lines(eeprom.config, 0, &lines);
    assert_true(says(&lines, "signs external messages, ECDH"));
    assert_true(says(&lines, "GenKey forbidden, PrivWrite forbidden"));
    kw_config_slot_lines(eeprom.config, 5, &lines);
    assert_true(says(&lines, "WriteConfig 4, WriteKey 6: Encrypt"));
    kw_config_slot_lines(eeprom.config, 7, &lines);
    assert_true(says(&lines, "NoMac"));
    kw_config_slot_lines(eeprom.config, 14, &lines);
    assert_true(says(&lines, "PubInvalid"));
    assert_true(says(&lines, "serves once it is validated"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule),
        cmocka_unit_test(parts_have_no_errors),
        cmocka_unit_test(first_error),
        cmocka_unit_test(fields_in_words),
        cmocka_unit_test(fields_cover_the_zone),
        cmocka_unit_test(slots_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
