/* cli/init.c: the workspace, its chips, and their certificates. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/copied.h"
#include "cli/show.h"
#include "cli/wrap.h"
#include "host/certs/simulated_vendor.h"
#include "host/emulated_chip.h"
#include "host/text.h"

#define SERIAL_TEXT (2 * KW_SERIAL_SIZE + 1)
#define NEXT_WIDTH  26

static const struct chip_row {
    const char *name;
    enum kw_part part;
    bool certified;
    const char *words;
} CHIPS[] = {
    {"trustflex", KW_PART_TRUSTFLEX, true, "the default"},
    {"trustgo", KW_PART_TRUSTGO, true, "--chip sim:trustgo"},
    {"blank", KW_PART_BLANK, false, "--chip sim:blank"},
};

#define CHIP_COUNT (sizeof CHIPS / sizeof *CHIPS)

/* A chip of the workspace, new or kept. */
struct made {
    enum kw_part part;
    uint8_t serial[KW_SERIAL_SIZE];
};

struct init {
    struct kw_cli *cli;
    struct kw_workspace workspace;
    struct kw_simulated_vendor *vendor;
    enum kw_model model;
    bool model_named; /* by --model */
    struct made made[CHIP_COUNT];
};

/* --- parse --- */

static kw_status parse_model(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             enum kw_model *model) {
    static const enum kw_model KNOWN[] = {KW_MODEL_608A, KW_MODEL_608B};
    const char *name = kw_argument(arguments, "--model");
    *model = KW_MODEL_608B;
    for (size_t i = 0; name != NULL && i < 2; i++) {
        if (strcmp(kw_model_name(KNOWN[i]), name) == 0) {
            *model = KNOWN[i];
            return KW_OK;
        }
    }
    return name == NULL
               ? KW_OK
               : kw_error(&cli->error, KW_USAGE,
                          "there is no model '%s': 608a or 608b", name);
}

/* --- open --- */

/* A newer or damaged workspace answers so; any other is refused as one that
 * is there. */
static kw_status refuse_complete(struct kw_cli *cli) {
    const char *folder = cli->workspace_folder;
    struct kw_workspace there = {.lock = -1};
    char *description = kw_format("%s/workspace.json", folder);
    const bool complete = description != NULL && kw_file_exists(description);
    free(description);
    if (!complete) {
        return KW_OK;
    }
    const kw_status status = kw_workspace_open(&there, folder, &cli->error);
    kw_workspace_close(&there);
    KW_TRY(status);
    kw_error(&cli->error, KW_NO,
             "%s is a workspace already; it is left as it "
             "is",
             folder);
    return kw_error_hint(&cli->error, "use it, or name another folder with "
                                      "--workspace DIR");
}

/* An interrupted init leaves the folder empty or with chips/ in it: that is
 * made first. */
static kw_status refuse_foreign(struct kw_cli *cli) {
    const char *folder = cli->workspace_folder;
    struct kw_names names;
    char *chips = kw_format("%s/chips", folder);
    const bool ours = chips != NULL && kw_file_exists(chips);
    free(chips);
    KW_TRY(kw_folder_list(folder, &names, &cli->error));
    const bool foreign = !ours && names.count > 0;
    if (foreign) {
        kw_error(&cli->error, KW_NO,
                 "%s is not empty (it holds %s) and is no workspace", folder,
                 names.name[0]);
        kw_error_hint(&cli->error, "name a folder of its own with "
                                   "--workspace DIR");
    }
    kw_names_free(&names);
    return foreign ? KW_NO : KW_OK;
}

/* Another init may have completed it while this one waited. */
static kw_status open_all(struct init *init) {
    struct kw_cli *cli = init->cli;
    KW_TRY(refuse_complete(cli));
    KW_TRY(refuse_foreign(cli));
    KW_TRY(kw_workspace_make(&init->workspace, cli->workspace_folder,
                             &cli->error));
    KW_TRY(kw_workspace_lock(&init->workspace, &cli->error));
    KW_TRY(refuse_complete(cli));
    return kw_simulated_vendor_open(&init->workspace, time(NULL), &init->vendor,
                                    &cli->error);
}

/* --- do --- */

static kw_status certify(struct init *init, struct kw_new_chip *chip,
                         struct kw_vendor_device *device,
                         struct kw_vendor_slots *slots) {
    struct kw_error *error = &init->cli->error;
    kw_new_chip_serial(chip, device->serial);
    const kw_status status = kw_new_chip_public_key(chip, device->public_key);
    if (status != KW_OK) {
        return kw_error_core(error, status,
                             "cannot ask a new chip for its public key");
    }
    KW_TRY(kw_simulated_vendor_issue(init->vendor, device, slots, error));
    const struct kw_provisioning provisioning = {
        .slot_10 = slots->slot_10,
        .slot_11 = slots->slot_11,
        .slot_12 = slots->slot_12,
    };
    kw_new_chip_provision(chip, &provisioning);
    return KW_OK;
}

/* The chip's file appears whole, with its certificates in it; the device
 * certificate's file comes after it, and can be made from it. */
static kw_status fill_and_save(struct init *init, const struct chip_row *row,
                               struct kw_new_chip *chip) {
    struct kw_error *error = &init->cli->error;
    struct kw_vendor_device device = {.model = init->model};
    struct kw_vendor_slots slots;
    if (!row->certified) {
        return kw_new_chip_save(chip, &init->workspace, row->name, error);
    }
    KW_TRY(certify(init, chip, &device, &slots));
    KW_TRY(kw_new_chip_save(chip, &init->workspace, row->name, error));
    return kw_simulated_vendor_keep(init->vendor, &device, slots.slot_10,
                                    error);
}

static kw_status make_chip(struct init *init, const struct chip_row *row,
                           struct made *made) {
    struct kw_new_chip *chip = NULL;
    KW_TRY(kw_new_chip_make(row->part, init->model, &chip, &init->cli->error));
    const kw_status status = fill_and_save(init, row, chip);
    *made = (struct made){.part = row->part};
    kw_new_chip_serial(chip, made->serial);
    kw_new_chip_free(chip);
    return status;
}

/* The certificate's file again, from the chip. */
static kw_status keep_certificate(struct init *init, struct kw_chip *chip,
                                  const struct kw_chip_about *about) {
    struct kw_error *error = &init->cli->error;
    struct kw_vendor_device device = {.model = about->model};
    uint8_t slot_10[KW_COMPCERT_SIZE];
    memcpy(device.serial, about->serial, sizeof device.serial);
    kw_status status = kw_chip_public_key(chip, 0, device.public_key);
    if (status == KW_OK) {
        status = kw_chip_read_slot(chip, 10, slot_10, sizeof slot_10);
    }
    if (status != KW_OK) {
        return kw_error_chip(error, status, chip,
                             "cannot read a chip's certificate");
    }
    return kw_simulated_vendor_keep(init->vendor, &device, slot_10, error);
}

static kw_status check_chip(struct init *init, const struct chip_row *row,
                            struct kw_opened_link *opened,
                            struct kw_chip_about *about) {
    struct kw_chip chip;
    kw_chip_init(&chip, opened->link);
    KW_TRY(kw_part_read(&chip, about, &init->cli->error));
    return row->certified ? keep_certificate(init, &chip, about) : KW_OK;
}

static kw_status open_kept_chip(struct init *init, const struct chip_row *row,
                                struct kw_chip_about *about) {
    struct kw_opened_link opened = {.close = NULL};
    KW_TRY(kw_emulated_chip_open(&init->workspace, row->name, &opened,
                                 &init->cli->error));
    const kw_status status = check_chip(init, row, &opened, about);
    kw_link_close(&opened);
    return status;
}

/* What an interrupted init left decides the model of the rest. */
static kw_status adopt_model(struct init *init, const struct chip_row *row,
                             enum kw_model model) {
    struct kw_error *error = &init->cli->error;
    if (init->model_named && model != init->model) {
        kw_error(error, KW_NO,
                 "an interrupted init has made sim:%s already, as %s",
                 row->name, kw_model_words(model));
        return kw_error_hint(error,
                             "run it again with --model %s to complete "
                             "it",
                             kw_model_name(model));
    }
    init->model = model;
    return KW_OK;
}

static kw_status keep_chip(struct init *init, const struct chip_row *row,
                           struct made *made) {
    struct kw_chip_about about;
    KW_TRY(open_kept_chip(init, row, &about));
    *made = (struct made){.part = about.part};
    memcpy(made->serial, about.serial, sizeof made->serial);
    return adopt_model(init, row, about.model);
}

static kw_status keep_chips(struct init *init) {
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        if (kw_emulated_chip_exists(&init->workspace, CHIPS[i].name)) {
            KW_TRY(keep_chip(init, &CHIPS[i], &init->made[i]));
        }
    }
    return KW_OK;
}

static kw_status make_missing_chips(struct init *init) {
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        if (kw_emulated_chip_exists(&init->workspace, CHIPS[i].name)) {
            continue;
        }
        if (kw_stop_requested) {
            return kw_error(&init->cli->error, KW_INTERRUPTED,
                            "interrupted; run `keywright init` again to go "
                            "on");
        }
        KW_TRY(make_chip(init, &CHIPS[i], &init->made[i]));
    }
    return KW_OK;
}

/* One byte of it a chip is what makes a chip somebody's: docs/formats.md. */
static kw_status make_lock_file(struct init *init) {
    struct kw_error *error = &init->cli->error;
    char *path = kw_workspace_path(&init->workspace, "chips/lock");
    const kw_status status =
        path == NULL ? kw_error(error, KW_SYSTEM_MEMORY, "out of memory")
        : kw_file_exists(path)
            ? KW_OK
            : kw_file_create(path, KW_SECRET_MODE, "", 0, error);
    free(path);
    return status;
}

static kw_status make_chips(struct init *init) {
    const char *names[CHIP_COUNT];
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        names[i] = CHIPS[i].name;
    }
    KW_TRY(make_lock_file(init));
    KW_TRY(keep_chips(init));
    KW_TRY(make_missing_chips(init));
    return kw_workspace_finish(&init->workspace, names, CHIP_COUNT,
                               &init->cli->error);
}

/* --- print --- */

static void answer(const struct init *init) {
    json_t *result = init->cli->result;
    json_t *chips = json_array();
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        json_t *chip = json_pack("{s:s, s:o, s:s}", "name", CHIPS[i].name,
                                 "link", json_sprintf("sim:%s", CHIPS[i].name),
                                 "part", kw_part_name(init->made[i].part));
        kw_set_serial(chip, init->made[i].serial);
        json_array_append_new(chips, chip);
    }
    json_object_set_new(result, "workspace",
                        json_string(init->cli->workspace_folder));
    json_object_set_new(result, "model",
                        json_string(kw_model_name(init->model)));
    json_object_set_new(result, "chips", chips);
}

static void print_chips(const struct init *init) {
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        const struct made *made = &init->made[i];
        char serial[SERIAL_TEXT];
        kw_hex_upper(made->serial, sizeof made->serial, serial);
        kw_print(init->cli, "  sim:%-9s  %-9s  serial %s  (%s)\n",
                 CHIPS[i].name, kw_part_words(made->part), serial,
                 CHIPS[i].words);
    }
}

/* The words go below a command that leaves them no room. */
static void print_job(const struct kw_cli *cli, const char *command,
                      const char *words) {
    char *text = kw_command_text(cli, command, NULL);
    const bool fits = text != NULL &&
                      2 + NEXT_WIDTH + 1 + strlen(words) <= KW_TERMINAL_WIDTH &&
                      strlen(text) <= NEXT_WIDTH;
    if (text != NULL) {
        kw_print(cli, fits ? "  %-*s %s\n" : "  %-*s\n      %s\n",
                 fits ? NEXT_WIDTH : 0, text, words);
    }
    free(text);
}

static void print_next(const struct kw_cli *cli) {
    static const char *const NEXT[][2] = {
        {"chip slots", "see what each slot of the chip is for"},
        {"resources make", "make prototype keys and program them"},
        {"rotate run", "replace the key in slot 14 by a new one"},
        {"rotate verify", "prove that the chip trusts the new key"},
    };
    kw_print(cli, "\nNext:\n");
    for (size_t i = 0; i < sizeof NEXT / sizeof *NEXT; i++) {
        print_job(cli, NEXT[i][0], NEXT[i][1]);
    }
}

static void print_all(const struct init *init) {
    kw_print(init->cli,
             "Made the workspace %s with three emulated "
             "chips (%s):\n",
             init->cli->workspace_folder, kw_model_words(init->model));
    print_chips(init);
    kw_print(init->cli,
             "\nThe certificates in slots 10-12 come from a simulated vendor: "
             "they prove nothing\noutside this workspace.\n");
    print_next(init->cli);
}

static kw_status run_init(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    struct init init = {.cli = cli, .workspace = {.lock = -1}};
    KW_TRY(parse_model(cli, arguments, &init.model));
    init.model_named = kw_argument(arguments, "--model") != NULL;
    kw_status status = open_all(&init);
    if (status == KW_OK) {
        status = make_chips(&init);
    }
    kw_simulated_vendor_close(init.vendor);
    kw_workspace_close(&init.workspace);
    KW_TRY(status);
    answer(&init);
    print_all(&init);
    return KW_OK;
}

static const struct kw_option OPTIONS[] = {
    {"--model", "608a|608b", "model of the chips (default 608b)"},
    {NULL, NULL, NULL},
};

static const struct kw_verb VERBS[] = {
    {
        .summary = "make the workspace and its emulated chips: "
                   "sim:trustflex, "
                   "sim:trustgo and sim:blank",
        .options = OPTIONS,
        .run = run_init,
        .example = "init --workspace device.d",
    },
};

const struct kw_noun kw_noun_init = {
    .name = "init",
    .summary = "make a workspace and its emulated chips",
    .verbs = VERBS,
    .verb_count = 1,
    .works_on = KW_ON_WORKSPACE,
};
