/* cli/chip.c: what a chip is and what its slots are for. */
#include <string.h>

#include "cli/chip_retire.h"
#include "cli/chip_run.h"
#include "cli/chip_verbs.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/wrap.h"
#include "host/part.h"
#include "host/slot_words.h"
#include "host/text.h"

#define SERIAL_TEXT  (2 * KW_SERIAL_SIZE + 1)
#define COUNTERS     2
#define COUNTER_SIZE 8
#define LOCKED_TEXT  64
#define INDENT       6

static kw_status ask_chip(struct kw_cli *cli, struct kw_chip **chip,
                          struct kw_chip_about *about) {
    KW_TRY(kw_cli_chip(cli, chip));
    return kw_part_read(*chip, about, &cli->error);
}

/* --- info --- */

struct info {
    struct kw_chip_about about;
    uint32_t counters[COUNTERS];
};

/* The Counter command works from the configuration lock on; before that the
 * counters are read where they are kept. */
static kw_status read_counters(struct kw_chip *chip, struct info *info,
                               struct kw_error *error) {
    const uint8_t *config = info->about.config;
    const bool ask = kw_config_is_locked(config);
    for (unsigned i = 0; i < COUNTERS; i++) {
        const kw_status status =
            ask ? kw_chip_counter(chip, i, &info->counters[i]) : KW_OK;
        if (status != KW_OK) {
            return kw_error_chip(error, status, chip, "cannot read a counter");
        }
        if (!ask) {
            info->counters[i] = kw_counter_decode(config + KW_CONFIG_COUNTER +
                                                  COUNTER_SIZE * i);
        }
    }
    return KW_OK;
}

static void set_hex(json_t *object, const char *name, const uint8_t *bytes,
                    size_t size) {
    char text[2 * KW_SERIAL_SIZE + 1];
    kw_hex(bytes, size, text);
    json_object_set_new(object, name, json_string(text));
}

static json_t *locked_slots(const uint8_t config[KW_CONFIG_SIZE]) {
    json_t *slots = json_array();
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        if (kw_config_slot_is_locked(config, slot)) {
            json_array_append_new(slots, json_integer(slot));
        }
    }
    return slots;
}

static void answer_info(struct kw_cli *cli, const struct info *info) {
    const struct kw_chip_about *about = &info->about;
    const uint8_t *config = about->config;
    const uint8_t address = kw_chip_i2c_address(config);
    const uint8_t address_7bit = address >> 1;
    json_t *result = json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:[I, I], s:o}", "link", cli->chip_text,
        "part", kw_part_name(about->part), "model", kw_model_name(about->model),
        "config_locked", kw_config_is_locked(config), "data_locked",
        kw_config_data_is_locked(config), "counters",
        (json_int_t)info->counters[0], (json_int_t)info->counters[1],
        "slots_locked", locked_slots(config));
    set_hex(result, "revision", about->revision, sizeof about->revision);
    set_hex(result, "i2c_address", &address, 1);
    set_hex(result, "i2c_address_7bit", &address_7bit, 1);
    kw_set_serial(result, about->serial);
    json_object_update(cli->result, result);
    json_decref(result);
}

static const char *lock_words(bool locked) {
    return locked ? "locked" : "not locked";
}

static void print_locked_slots(const struct kw_cli *cli,
                               const uint8_t config[KW_CONFIG_SIZE]) {
    char text[LOCKED_TEXT] = "";
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        const size_t used = strlen(text);
        if (kw_config_slot_is_locked(config, slot)) {
            (void)snprintf(text + used, sizeof text - used, " %u", slot);
        }
    }
    kw_print(cli, "Slots locked   %s\n", text[0] == '\0' ? "none" : text + 1);
}

static void print_info(const struct kw_cli *cli, const struct info *info) {
    const struct kw_chip_about *about = &info->about;
    const uint8_t *config = about->config;
    const unsigned address = kw_chip_i2c_address(config);
    char serial[SERIAL_TEXT];
    char revision[2 * sizeof about->revision + 1];
    kw_hex_upper(about->serial, sizeof about->serial, serial);
    kw_hex_upper(about->revision, sizeof about->revision, revision);
    kw_print(cli, "Chip           %s\n", cli->chip_text);
    kw_print(cli, "Part           %s (%s)\n", kw_part_words(about->part),
             kw_model_words(about->model));
    kw_print(cli, "Serial number  %s\n", serial);
    kw_print(cli, "Revision       %s\n", revision);
    kw_print(cli, "I2C address    %02X (7-bit form: %02X)\n", address,
             address >> 1);
    kw_print(cli, "Configuration  %s\n",
             lock_words(kw_config_is_locked(config)));
    kw_print(cli, "Data and OTP   %s\n",
             lock_words(kw_config_data_is_locked(config)));
    print_locked_slots(cli, config);
    kw_print(cli, "Counters       0: %u, 1: %u\n", info->counters[0],
             info->counters[1]);
}

static kw_status run_info(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    struct kw_chip *chip = NULL;
    struct info info;
    (void)arguments;
    KW_TRY(ask_chip(cli, &chip, &info.about));
    KW_TRY(read_counters(chip, &info, &cli->error));
    kw_chip_idle(chip);
    answer_info(cli, &info);
    print_info(cli, &info);
    return KW_OK;
}

/* --- slots --- */

static kw_status read_slots(struct kw_chip *chip,
                            const struct kw_chip_about *about,
                            struct kw_slot_words slots[KW_SLOT_COUNT],
                            struct kw_error *error) {
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        KW_TRY(kw_slot_words_read(chip, about, slot, &slots[slot], error));
        kw_chip_idle(chip); /* the watchdog */
    }
    return KW_OK;
}

static json_t *slot_object(const struct kw_slot_words *words) {
    json_t *slot = json_pack(
        "{s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "slot",
        (int)words->slot, "size", (int)words->size, "kind", words->kind,
        "purpose", words->purpose, "read", words->read, "write", words->write,
        "use", words->use, "locked", words->locked, "state", words->state);
    if (words->has_fingerprint) {
        json_object_set_new(slot, "fingerprint",
                            json_string(words->fingerprint));
    }
    return slot;
}

static void answer_slots(struct kw_cli *cli, const struct kw_chip_about *about,
                         const struct kw_slot_words slots[KW_SLOT_COUNT]) {
    json_t *array = json_array();
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        json_array_append_new(array, slot_object(&slots[slot]));
    }
    json_object_set_new(cli->result, "slots", array);
    kw_set_serial(cli->result, about->serial);
}

/* Widths of the table's columns; the last one takes what is left. */
struct columns {
    int purpose;
    int read;
};

static void widen(int *width, const char *text) {
    const int size = (int)strlen(text);
    if (*width < size) {
        *width = size;
    }
}

static struct columns measure(const struct kw_slot_words slots[KW_SLOT_COUNT]) {
    struct columns columns = {0, 0};
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        widen(&columns.purpose, slots[slot].purpose);
        widen(&columns.read, slots[slot].read);
    }
    return columns;
}

/* The text from this column on, the first line where the cursor is. */
static void print_column(const struct kw_cli *cli, const char *text,
                         int column) {
    const size_t width = (size_t)(KW_TERMINAL_WIDTH - column);
    size_t piece = kw_piece_of(text, width);
    kw_print(cli, "%.*s\n", (int)piece, text);
    while (*(text = kw_next_piece(text, piece)) != '\0') {
        piece = kw_piece_of(text, width);
        kw_print(cli, "%*s%.*s\n", column, "", (int)piece, text);
    }
}

static void print_indented(const struct kw_cli *cli, const char *text) {
    kw_print(cli, "%*s", INDENT, "");
    print_column(cli, text, INDENT);
}

static void print_row(const struct kw_cli *cli, const struct columns *columns,
                      const char *const cells[4]) {
    kw_print(cli, "%4s  %-*s  %-*s  ", cells[0], columns->purpose, cells[1],
             columns->read, cells[2]);
    print_column(cli, cells[3], INDENT + columns->purpose + columns->read + 4);
}

static void print_slot(const struct kw_cli *cli, const struct columns *columns,
                       const struct kw_slot_words *words) {
    char number[16];
    char about[KW_WORDS_MAX + 32];
    char state[KW_WORDS_MAX + KW_FINGERPRINT_SHOWN + 16];
    (void)snprintf(number, sizeof number, "%u", words->slot);
    (void)snprintf(state, sizeof state, "holds now: %s%s%.*s", words->state,
                   words->has_fingerprint ? " " : "", KW_FINGERPRINT_SHOWN,
                   words->has_fingerprint ? words->fingerprint : "");
    (void)snprintf(about, sizeof about, "%s, %zu bytes: %s", words->kind,
                   words->size, words->use);
    const char *const cells[] = {number, words->purpose, words->read,
                                 words->write};
    print_row(cli, columns, cells);
    print_indented(cli, about);
    print_indented(cli, state);
}

static void print_slots(const struct kw_cli *cli,
                        const struct kw_chip_about *about,
                        const struct kw_slot_words slots[KW_SLOT_COUNT]) {
    static const char *const HEAD[] = {"Slot", "Purpose", "Read by",
                                       "Written by"};
    struct columns columns = measure(slots);
    char serial[SERIAL_TEXT];
    kw_hex_upper(about->serial, sizeof about->serial, serial);
    widen(&columns.read, HEAD[2]);
    kw_print(cli, "%s, serial %s: %s (%s)\n\n", cli->chip_text, serial,
             kw_part_words(about->part), kw_model_words(about->model));
    print_row(cli, &columns, HEAD);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        print_slot(cli, &columns, &slots[slot]);
    }
    kw_print(cli,
             "\nA public key is shown by the first %d digits of its "
             "fingerprint,\nthe SHA-256 of X and Y.\n",
             KW_FINGERPRINT_SHOWN);
}

static kw_status run_slots(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct kw_slot_words slots[KW_SLOT_COUNT];
    struct kw_chip *chip = NULL;
    struct kw_chip_about about;
    (void)arguments;
    KW_TRY(ask_chip(cli, &chip, &about));
    KW_TRY(read_slots(chip, &about, slots, &cli->error));
    answer_slots(cli, &about, slots);
    print_slots(cli, &about, slots);
    return KW_OK;
}

/* --- the noun --- */

static const struct kw_verb VERBS[] = {
    {
        .name = "info",
        .summary = "show revision, serial number, address, locks and counters",
        .run = run_info,
        .example = "chip info --chip sim:trustgo",
    },
    {
        .name = "slots",
        .summary = "show each slot in plain words",
        .run = run_slots,
        .example = "chip slots",
    },
    {
        .name = "read",
        .operands = "ZONE",
        .summary = "read bytes of config, otp or a slot",
        .options = kw_chip_read_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_read_verb,
        .example = "chip read 8 -o slot-8.bin",
    },
    {
        .name = "write",
        .operands = "ZONE",
        .summary = "write config, otp or a slot, encrypted where it must be",
        .options = kw_chip_write_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_write_verb,
        .asks = "before it replaces a key",
        .example = "chip write 8 --file data.bin",
    },
    {
        .name = "lock",
        .operands = "config|data|slot [N]",
        .summary = "lock for ever, after a rehearsal on a copy",
        .options = kw_chip_lock_options,
        .operands_min = 1,
        .operands_max = 2,
        .run = kw_chip_lock_verb,
        .asks = "first",
        .example = "chip lock config --dry-run",
    },
    {
        .name = "random",
        .summary = "show 32 random bytes of the chip's generator",
        .run = kw_chip_random_verb,
    },
    {
        .name = "genkey",
        .operands = "SLOT",
        .summary = "make a private key, or show its public key",
        .options = kw_chip_genkey_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_genkey_verb,
        .asks = "before it replaces a private key",
        .example = "chip genkey 2 -o slot-2.pem",
    },
    {
        .name = "sign",
        .operands = "SLOT",
        .summary = "sign a file or a digest",
        .options = kw_chip_sign_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_sign_verb,
        .example = "chip sign 0 --file firmware.bin -o firmware.sig",
    },
    {
        .name = "verify",
        .operands = "[SLOT]",
        .summary = "let the chip verify a signature",
        .options = kw_chip_verify_options,
        .operands_max = 1,
        .run = kw_chip_verify_verb,
        .example =
            "chip verify 14 --signature firmware.sig --file firmware.bin",
    },
    {
        .name = "sha",
        .operands = "FILE",
        .summary = "hash a file (-: stdin) with the chip, or HMAC it",
        .options = kw_chip_sha_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_sha_verb,
    },
    {
        .name = "mac",
        .operands = "SLOT",
        .summary = "let the chip prove that it holds a key",
        .options = kw_chip_mac_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_mac_verb,
    },
    {
        .name = "counter",
        .operands = "N",
        .summary = "show or increment a monotonic counter",
        .options = kw_chip_counter_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_counter_verb,
        .asks = "before it increments",
    },
    {
        .name = "config",
        .summary = "show the configuration in words, and what is wrong with it",
        .options = kw_chip_config_options,
        .run = kw_chip_config_verb,
    },
    {
        .name = "explain",
        .operands = "SLOT",
        .summary = "show what is permitted for a slot, and why",
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_explain_verb,
    },
    {
        .name = "trace",
        .operands = "FILE",
        .summary = "decode recorded frames (-: stdin)",
        .options = kw_chip_trace_options,
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_trace_verb,
    },
    {
        .name = "snapshot",
        .summary = "keep the image of an emulated chip in backups/",
        .run = kw_chip_snapshot_verb,
    },
    {
        .name = "restore",
        .operands = "FILE",
        .summary = "put a snapshot back into an emulated chip",
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_restore_verb,
        .asks = "first",
    },
    {
        .name = "run",
        .operands = "SCRIPT",
        .summary = "run the commands of a file (-: stdin) in one power cycle",
        .operands_min = 1,
        .operands_max = 1,
        .run = kw_chip_run_verb,
        .example = "chip run script.txt",
    },
    {
        .name = "retire",
        .summary = "end the chip's life as far as it can be ended",
        .options = kw_chip_retire_options,
        .run = kw_chip_retire_verb,
        .asks = "first",
        .example = "chip retire --dry-run",
    },
};

const struct kw_noun kw_noun_chip = {
    .name = "chip",
    .summary = "show a chip, give it commands, lint, lock, retire it",
    .verbs = VERBS,
    .verb_count = sizeof VERBS / sizeof *VERBS,
    .works_on = KW_ON_CHIP,
};
