/* cli/chip_config.c: `chip config` and `chip explain`. */
#include "cli/chip_verbs.h"
#include "cli/show.h"
#include "host/chip_explain.h"
#include "host/config_words.h"
#include "host/hex_file.h"
#include "host/part.h"
#include "host/slot_words.h"

/* --- config --- */

const struct kw_option kw_chip_config_options[] = {
    {"--file", "FILE", "lint these 128 bytes (or hex) instead, without a chip"},
    {NULL, NULL, NULL},
};

static void show_fields(struct kw_cli *cli, const uint8_t *config) {
    struct kw_config_field fields[KW_CONFIG_FIELDS];
    const size_t count = kw_config_fields(config, fields);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct kw_config_field *field = &fields[i];
        json_t *object = json_pack("{s:i, s:i, s:s, s:s}", "offset",
                                   (int)field->offset, "size", (int)field->size,
                                   "name", field->name, "words", field->words);
        kw_set_bytes(object, "value", config + field->offset, field->size);
        kw_print(cli, "%4u  %-22s %-18s %s\n", field->offset, field->name,
                 json_string_value(json_object_get(object, "value")),
                 field->words);
        json_array_append_new(array, object);
    }
    json_object_set_new(cli->result, "fields", array);
}

static json_t *show_slot(const struct kw_cli *cli, const uint8_t *config,
                         unsigned slot) {
    const uint8_t *rules = config + KW_CONFIG_SLOT_CONFIG + 2 * slot;
    const uint8_t *key = config + KW_CONFIG_KEY_CONFIG + 2 * slot;
    const uint8_t rules_number[2] = {rules[1], rules[0]};
    const uint8_t key_number[2] = {key[1], key[0]};
    struct kw_slot_lines lines;
    json_t *object = json_object();
    json_t *words = json_array();
    kw_config_slot_lines(config, slot, &lines);
    kw_print(cli, "\nSlot %u: SlotConfig %02X%02X, KeyConfig %02X%02X\n", slot,
             rules[1], rules[0], key[1], key[0]);
    for (size_t i = 0; i < lines.count; i++) {
        kw_print(cli, "  %s\n", lines.line[i]);
        json_array_append_new(words, json_string(lines.line[i]));
    }
    kw_set_slot(object, slot);
    kw_set_bytes(object, "slot_config", rules_number, 2);
    kw_set_bytes(object, "key_config", key_number, 2);
    json_object_set_new(object, "words", words);
    return object;
}

static void show_slots(struct kw_cli *cli, const uint8_t *config) {
    json_t *array = json_array();
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        json_array_append_new(array, show_slot(cli, config, slot));
    }
    json_object_set_new(cli->result, "slots", array);
}

static size_t show_findings(struct kw_cli *cli, const uint8_t *config) {
    struct kw_findings findings;
    kw_config_lint(config, &findings);
    kw_print(cli, "\n%zu error%s, %zu warning%s\n", findings.errors,
             findings.errors == 1 ? "" : "s", findings.warnings,
             findings.warnings == 1 ? "" : "s");
    json_object_set_new(cli->result, "findings",
                        kw_show_findings(cli, &findings));
    json_object_set_new(cli->result, "errors",
                        json_integer((json_int_t)findings.errors));
    json_object_set_new(cli->result, "warnings",
                        json_integer((json_int_t)findings.warnings));
    return findings.errors;
}

static kw_status take_config(struct kw_cli *cli, const char *file,
                             uint8_t config[KW_CONFIG_SIZE]) {
    struct kw_chip *chip = NULL;
    if (file != NULL) {
        return kw_bytes_file_read(file, config, KW_CONFIG_SIZE, &cli->error);
    }
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = kw_chip_read_config(chip, config);
    kw_chip_idle(chip);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(&cli->error, status, chip,
                                           "cannot read the configuration");
}

kw_status kw_chip_config_verb(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    KW_TRY(take_config(cli, kw_argument(arguments, "--file"), config));
    kw_config_serial(config, serial);
    kw_set_serial(cli->result, serial);
    kw_set_bytes(cli->result, "config", config, sizeof config);
    show_fields(cli, config);
    show_slots(cli, config);
    return show_findings(cli, config) == 0 ? KW_OK : KW_NO;
}

/* --- explain --- */

static json_t *show_permission(const struct kw_cli *cli,
                               const struct kw_permission *permission) {
    const char *permitted = kw_permitted_name(permission->permitted);
    kw_print(cli, "  %-20s %-4s %s\n", permission->command, permitted,
             permission->why);
    return json_pack("{s:s, s:s, s:s}", "command", permission->command,
                     "permitted", permitted, "why", permission->why);
}

kw_status kw_chip_explain_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    struct kw_permission permissions[KW_PERMISSIONS_MAX];
    struct kw_slot_words words;
    struct kw_chip_about about;
    struct kw_chip *chip = NULL;
    unsigned slot = 0;
    KW_TRY(kw_read_slot(cli, arguments->operand[0], &slot));
    KW_TRY(kw_cli_chip(cli, &chip));
    KW_TRY(kw_part_read(chip, &about, &cli->error));
    kw_chip_idle(chip);
    kw_slot_policy_words(&about, slot, &words);
    const size_t count = kw_explain_slot(about.config, slot, permissions);
    json_t *array = json_array();
    kw_print(cli, "Slot %u: %s (%s), %zu bytes\n", slot, words.kind,
             words.purpose, words.size);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, show_permission(cli, &permissions[i]));
    }
    kw_set_serial(cli->result, about.serial);
    kw_set_slot(cli->result, slot);
    kw_set_text(cli->result, "kind", words.kind);
    json_object_set_new(cli->result, "permissions", array);
    return KW_OK;
}
