/* cli/keys.c: the noun `keys`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/show.h"
#include "core/rotate.h"
#include "host/journal.h"
#include "host/retirement_record.h"
#include "host/text.h"

#define FIRST_PUBLIC_SLOT 13u
#define PUBLIC_SLOTS      3u

/* The public keys that the chip holds in slots 13, 14 and 15. */
struct held {
    bool known;       /* a chip answered */
    char reason[512]; /* why not */
    char serial[KW_SERIAL_TEXT];
    bool has[PUBLIC_SLOTS];
    uint8_t key[PUBLIC_SLOTS][KW_PUBLIC_KEY_SIZE];
};

static kw_status read_slot(struct kw_chip *chip, unsigned slot, bool *has,
                           uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    KW_TRY(kw_chip_read_slot(chip, slot, stored, sizeof stored));
    *has = kw_stored_key_read(stored, key);
    return KW_OK;
}

static kw_status read_held(struct kw_chip *chip, struct held *held) {
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    KW_TRY(kw_chip_read_config(chip, config));
    for (unsigned i = 0; i < PUBLIC_SLOTS; i++) {
        KW_TRY(read_slot(chip, FIRST_PUBLIC_SLOT + i, &held->has[i],
                         held->key[i]));
    }
    kw_config_serial(config, serial);
    kw_serial_text(serial, held->serial);
    held->known = true;
    return KW_OK;
}

/* A chip that does not answer, or is of another kind, is no error here. */
static void ask_chip(struct kw_cli *cli, struct held *held) {
    struct kw_chip *chip = NULL;
    *held = (struct held){.known = false};
    if (kw_cli_chip(cli, &chip) == KW_OK) {
        const kw_status status = read_held(chip, held);
        kw_chip_idle(chip);
        if (status != KW_OK) {
            kw_error_chip(&cli->error, status, chip, "cannot read the chip");
        }
    }
    if (!held->known) {
        (void)snprintf(held->reason, sizeof held->reason, "%s",
                       cli->error.message);
    }
    cli->error = (struct kw_error){.status = KW_OK};
}

/* Whether the key in the file is one that the chip holds in that slot. */
static bool is_held(const struct held *held, const struct kw_key_file *file) {
    const unsigned index = file->slot - FIRST_PUBLIC_SLOT;
    return file->has_public && file->slot >= FIRST_PUBLIC_SLOT &&
           strcmp(file->serial, held->serial) == 0 && held->has[index] &&
           memcmp(held->key[index], file->public_key, KW_PUBLIC_KEY_SIZE) == 0;
}

/* --- list --- */

struct answer {
    const char *text;
    json_t *value;
};

/* Secrets cannot be compared: the chip never shows them; nor can what cannot
 * be read. Another chip than the file's was not asked. */
static struct answer in_chip(const struct held *held,
                             const struct kw_key_file *file) {
    if (!held->known || !file->has_public ||
        strcmp(file->serial, held->serial) != 0) {
        return (struct answer){"?", json_null()};
    }
    return is_held(held, file) ? (struct answer){"yes", json_true()}
                               : (struct answer){"no", json_false()};
}

/* Folder names have upper-case digits, documents lower-case ones. */
static void set_serial_text(json_t *object, const char *text) {
    uint8_t serial[KW_SERIAL_SIZE];
    if (kw_hex_read(text, serial, sizeof serial) == KW_OK) {
        kw_set_serial(object, serial);
    }
}

static void show_file(struct kw_cli *cli, json_t *list, const struct held *held,
                      const struct kw_key_file *file) {
    char text[KW_SHORT_TEXT];
    const struct answer answer = in_chip(held, file);
    const char *kind = file->is_key_pair ? "key-pair" : "secret";
    kw_print(cli, "%s  %4u  %4u  %-8s  %-16s  %s\n", file->serial,
             file->generation, file->slot, kind,
             file->has_public ? kw_short_fingerprint(file->public_key, text)
                              : "",
             answer.text);
    json_t *row = json_object();
    set_serial_text(row, file->serial);
    json_object_set_new(row, "generation", json_integer(file->generation));
    json_object_set_new(row, "slot", json_integer(file->slot));
    json_object_set_new(row, "kind", json_string(kind));
    json_object_set_new(row, "file", json_string(file->path));
    if (file->has_public) {
        kw_set_fingerprint(row, "fingerprint", file->public_key);
    }
    json_object_set_new(row, "in_chip", answer.value);
    json_array_append_new(list, row);
}

static bool has_other_chip(const struct held *held,
                           const struct kw_key_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->file[i].serial, held->serial) != 0) {
            return true;
        }
    }
    return false;
}

static bool has_secret(const struct kw_key_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        if (!files->file[i].is_key_pair) {
            return true;
        }
    }
    return false;
}

static void print_unreadable(const struct kw_cli *cli,
                             const struct kw_key_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        if (file->is_key_pair && !file->has_public) {
            kw_print(cli, "\n?  not known: %s cannot be read as a P-256 key\n",
                     file->path);
        }
    }
}

/* What the last column could not know. */
static void print_legend(const struct kw_cli *cli, const struct held *held,
                         const struct kw_key_files *files) {
    if (!held->known) {
        kw_print(cli, "\n?  not known: %s cannot be asked: %s\n",
                 cli->chip_text, held->reason);
        return;
    }
    print_unreadable(cli, files);
    if (has_secret(files)) {
        kw_print(cli, "\n?  not known: no chip shows its secrets\n");
    }
    if (has_other_chip(held, files)) {
        kw_print(cli,
                 "\n?  not known: %s has serial %s; name the other "
                 "chip with --chip\n",
                 cli->chip_text, held->serial);
    }
}

static kw_status list(struct kw_cli *cli,
                      const struct kw_arguments *arguments) {
    (void)arguments;
    struct kw_workspace *workspace = NULL;
    struct kw_key_files files;
    struct held held;
    KW_TRY(kw_cli_workspace(cli, &workspace));
    ask_chip(cli, &held);
    KW_TRY(kw_keyring_list(workspace, &files, &cli->error));
    json_t *rows = json_array();
    if (files.count == 0) {
        kw_print(cli, "No keys yet; `keywright resources make` makes "
                      "prototype keys\n");
    } else {
        kw_print(cli, "Serial               Gen  Slot  Kind      Fingerprint   "
                      "    In the chip\n");
    }
    for (size_t i = 0; i < files.count; i++) {
        show_file(cli, rows, &held, &files.file[i]);
    }
    if (files.count > 0) {
        print_legend(cli, &held, &files);
    }
    json_object_set_new(cli->result, "keys", rows);
    kw_key_files_free(&files);
    return KW_OK;
}

/* --- retire --- */

struct choice {
    const char *serial;
    unsigned generation;
    bool any_slot;
    unsigned slot;
};

static kw_status read_number(struct kw_cli *cli, const char *text,
                             unsigned limit, unsigned *value) {
    char *end = NULL;
    const unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > limit) {
        return kw_error(&cli->error, KW_USAGE, "'%s' is no number up to %u",
                        text, limit);
    }
    *value = (unsigned)number;
    return KW_OK;
}

static kw_status read_choice(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct choice *choice) {
    *choice = (struct choice){.serial = arguments->operand[0],
                              .any_slot = arguments->operand_count < 3};
    KW_TRY(read_number(cli, arguments->operand[1], 99999, &choice->generation));
    return choice->any_slot
               ? KW_OK
               : read_number(cli, arguments->operand[2], 15, &choice->slot);
}

static bool is_chosen(const struct choice *choice,
                      const struct kw_key_file *file) {
    return strcasecmp(choice->serial, file->serial) == 0 &&
           file->generation == choice->generation &&
           (choice->any_slot || choice->slot == file->slot);
}

static kw_status needed(struct kw_cli *cli, const struct kw_key_file *file,
                        const char *why) {
    kw_error(&cli->error, KW_NO, "%s is still needed: %s", file->path, why);
    return kw_error_hint(&cli->error, "nothing was removed");
}

static kw_status check_file(struct kw_cli *cli,
                            const struct kw_workspace *workspace,
                            const struct held *held,
                            const struct kw_key_file *file) {
    bool in_journal = false;
    const char *below = file->path + strlen(workspace->folder) + 1;
    KW_TRY(kw_journal_needs(workspace, below, &in_journal, &cli->error));
    if (in_journal) {
        return needed(cli, file, "a rotation that is not finished names it");
    }
    if (!held->known || strcmp(held->serial, file->serial) != 0) {
        return needed(cli, file,
                      "its chip cannot be asked whether it holds "
                      "the key; name it with --chip");
    }
    if (!file->is_key_pair) {
        return needed(cli, file,
                      "no chip shows its secrets, so it may hold "
                      "this one; retire the chip first");
    }
    if (!file->has_public) {
        return needed(cli, file,
                      "it cannot be read, so the chip may hold this key; "
                      "remove the file by hand if nobody can mend it");
    }
    return is_held(held, file) ? needed(cli, file, "the chip holds this key")
                               : KW_OK;
}

/* A secret of an older generation was overwritten in the chip when a newer
 * generation with that slot was programmed to its end. */
static bool is_superseded(const struct kw_key_files *files,
                          const struct kw_key_file *file) {
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *other = &files->file[i];
        if (!file->is_key_pair && other->slot == file->slot &&
            strcmp(other->serial, file->serial) == 0 &&
            other->generation > file->generation &&
            kw_generation_is_programmed(other)) {
            return true;
        }
    }
    return false;
}

/* A chip that was retired after the file was made needs it no more; unless it
 * shows that somebody gave it keys again. */
static kw_status is_retired(struct kw_cli *cli,
                            const struct kw_workspace *workspace,
                            const struct held *held,
                            const struct kw_key_file *file, bool *retired) {
    const unsigned rotating = KW_ROTATING_SLOT - FIRST_PUBLIC_SLOT;
    *retired = false;
    if (held->known && strcmp(held->serial, file->serial) == 0 &&
        (held->has[rotating] || is_held(held, file))) {
        return KW_OK;
    }
    return kw_retirement_erased(workspace, file, retired, &cli->error);
}

static bool is_newest_rotating(const struct kw_key_files *files,
                               const struct kw_key_file *file) {
    if (file->slot != KW_ROTATING_SLOT) {
        return false;
    }
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *other = &files->file[i];
        if (other->slot == file->slot &&
            strcmp(other->serial, file->serial) == 0 &&
            other->generation > file->generation) {
            return false;
        }
    }
    return true;
}

static kw_status check_chosen(struct kw_cli *cli,
                              const struct kw_workspace *workspace,
                              const struct choice *choice,
                              const struct kw_key_files *files,
                              const struct held *held) {
    size_t count = 0;
    bool retired = false;
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        if (!is_chosen(choice, file)) {
            continue;
        }
        count++;
        KW_TRY(is_retired(cli, workspace, held, file, &retired));
        if (retired || kw_file_wipe_began(file->path)) {
            continue;
        }
        if (!is_superseded(files, file)) {
            KW_TRY(check_file(cli, workspace, held, file));
        }
        if (is_newest_rotating(files, file)) {
            return needed(cli, file,
                          "it is the newest rotating key, which a request or "
                          "a bundle may name; `keywright rotate new-key` makes "
                          "a newer one");
        }
    }
    if (count == 0) {
        kw_error(&cli->error, KW_NO, "no key file fits");
        return kw_error_hint(&cli->error, "`keywright keys list` shows them");
    }
    return KW_OK;
}

/* The C header beside a symmetric key holds the same bytes. */
static kw_status wipe_file(struct kw_cli *cli, const char *path,
                           json_t *removed) {
    KW_TRY(kw_file_wipe(path, &cli->error));
    kw_print(cli, "wiped %s\n", path);
    json_array_append_new(removed, json_string(path));
    return KW_OK;
}

static kw_status wipe_key(struct kw_cli *cli, const struct kw_key_file *file,
                          json_t *removed) {
    const size_t stem = strlen(file->path) - strlen(".pem");
    char *header = kw_format("%.*s.h", (int)stem, file->path);
    kw_status status = KW_OK;
    if (header != NULL && !file->is_key_pair && kw_file_exists(header)) {
        status = wipe_file(cli, header, removed);
    }
    free(header);
    KW_TRY(status);
    return wipe_file(cli, file->path, removed);
}

static kw_status wipe_chosen(struct kw_cli *cli, const struct choice *choice,
                             const struct kw_key_files *files) {
    json_t *removed = json_array();
    json_object_set_new(cli->result, "removed", removed);
    for (size_t i = 0; i < files->count; i++) {
        if (is_chosen(choice, &files->file[i])) {
            KW_TRY(wipe_key(cli, &files->file[i], removed));
        }
    }
    return KW_OK;
}

static void show_chosen(struct kw_cli *cli, const struct choice *choice,
                        const struct kw_key_files *files) {
    char text[KW_SHORT_TEXT];
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        if (is_chosen(choice, file)) {
            kw_print(cli, "  slot %2u  %-16s  %s\n", file->slot,
                     file->has_public
                         ? kw_short_fingerprint(file->public_key, text)
                         : "secret",
                     file->path);
        }
    }
}

static kw_status retire_from(struct kw_cli *cli,
                             const struct kw_workspace *workspace,
                             const struct choice *choice,
                             const struct kw_key_files *files) {
    struct held held;
    ask_chip(cli, &held);
    KW_TRY(check_chosen(cli, workspace, choice, files, &held));
    show_chosen(cli, choice, files);
    KW_TRY(kw_confirm(cli, "Wipe generation %u of serial %s for ever?",
                      choice->generation, choice->serial));
    json_object_set_new(cli->result, "generation",
                        json_integer(choice->generation));
    return wipe_chosen(cli, choice, files);
}

static kw_status retire(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_workspace *workspace = NULL;
    struct kw_key_files files;
    struct choice choice;
    KW_TRY(read_choice(cli, arguments, &choice));
    KW_TRY(kw_cli_workspace_locked(cli, &workspace));
    KW_TRY(kw_keyring_list(workspace, &files, &cli->error));
    set_serial_text(cli->result, choice.serial);
    const kw_status status = retire_from(cli, workspace, &choice, &files);
    kw_key_files_free(&files);
    return status;
}

static const struct kw_verb VERBS[] = {
    {"list", NULL, "show each key file, and whether the chip holds it", NULL, 0,
     0, list, .example = "keys list"},
    {"retire", "SERIAL GENERATION [SLOT]",
     "wipe key files that no chip needs any more", NULL, 2, 3, retire,
     .asks = "first", .example = "keys retire 0123C0FFEE12345601 1 14"},
};

const struct kw_noun kw_noun_keys = {
    "keys", "list and wipe the key files of a workspace", VERBS,
    sizeof VERBS / sizeof *VERBS, KW_ON_CHIP};
