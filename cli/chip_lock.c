/* cli/chip_lock.c: `chip lock`. */
#include <string.h>

#include "cli/chip_verbs.h"
#include "core/bytes.h"
#include "host/chip_snapshot.h"
#include "host/hex_file.h"
#include "host/lock_rehearsal.h"

/* Slots 0 to 15 and OTP: what the CRC of the data lock covers. */
#define IMAGE_SIZE (8 * 36 + KW_SLOT_MAX + 7 * 72 + KW_OTP_SIZE)

const struct kw_option kw_chip_lock_options[] = {
    {"--image", "FILE", "data: slots 0-15 and OTP as they should be"},
    {"--dry-run", NULL, "only the rehearsal on a copy"},
    {"--despite-lint", NULL, "lock a configuration with errors all the same"},
    {NULL, NULL, NULL},
};

struct locking {
    struct kw_lock_plan plan;
    uint16_t crc;
    bool despite_lint;
    const char *image;
};

static const char *const WHAT[] = {"config", "data", "slot"};

static kw_status read_what(struct kw_cli *cli,
                           const struct kw_arguments *arguments,
                           struct locking *locking) {
    const char *word = arguments->operand[0];
    size_t what = 0;
    while (what < sizeof WHAT / sizeof *WHAT && strcmp(WHAT[what], word) != 0) {
        what++;
    }
    const bool wants_slot = what == KW_LOCK_SLOT;
    if (what == sizeof WHAT / sizeof *WHAT) {
        return kw_error(&cli->error, KW_USAGE,
                        "'%s' is neither config nor data nor slot", word);
    }
    if (wants_slot != (arguments->operand_count == 2)) {
        return kw_error(&cli->error, KW_USAGE,
                        wants_slot ? "which slot? chip lock slot N"
                                   : "'%s' is one word too many",
                        wants_slot ? "" : arguments->operand[1]);
    }
    locking->plan.what = (enum kw_lock_what)what;
    locking->plan.slot = KW_NO_SLOT;
    return wants_slot
               ? kw_read_slot(cli, arguments->operand[1], &locking->plan.slot)
               : KW_OK;
}

/* --- what the chip compares --- */

static kw_status crc_of_image(struct kw_cli *cli, struct locking *locking) {
    uint8_t image[IMAGE_SIZE];
    KW_TRY(
        kw_bytes_file_read(locking->image, image, sizeof image, &cli->error));
    locking->crc = kw_crc16(image, sizeof image);
    locking->plan.crc = &locking->crc;
    kw_wipe(image, sizeof image);
    return KW_OK;
}

static kw_status find_crc(struct kw_cli *cli, const uint8_t *config,
                          struct locking *locking) {
    if (locking->plan.what == KW_LOCK_CONFIG) {
        locking->crc = kw_crc16(config, KW_CONFIG_SIZE);
        locking->plan.crc = &locking->crc;
        return KW_OK;
    }
    if (locking->plan.what == KW_LOCK_DATA && locking->image != NULL) {
        return crc_of_image(cli, locking);
    }
    if (locking->plan.what == KW_LOCK_DATA) {
        kw_print(cli, "Without --image nothing proves what the slots hold: "
                      "the chip locks whatever is there\n");
    }
    return KW_OK;
}

/* --- before --- */

static kw_status check_open(struct kw_cli *cli, const uint8_t *config,
                            const struct kw_lock_plan *plan) {
    const bool is_zone = plan->what != KW_LOCK_SLOT;
    const bool is_locked = plan->what == KW_LOCK_CONFIG
                               ? kw_config_is_locked(config)
                           : plan->what == KW_LOCK_DATA
                               ? kw_config_data_is_locked(config)
                               : kw_config_slot_is_locked(config, plan->slot);
    if (!is_locked) {
        return KW_OK;
    }
    return is_zone ? kw_error(&cli->error, KW_NO,
                              "the %s zone is locked already", WHAT[plan->what])
                   : kw_error(&cli->error, KW_NO, "slot %u is locked already",
                              plan->slot);
}

static kw_status lint(struct kw_cli *cli, const uint8_t *config,
                      const struct locking *locking) {
    struct kw_findings findings = {.count = 0};
    if (locking->plan.what == KW_LOCK_CONFIG) {
        kw_config_lint(config, &findings);
    }
    json_object_set_new(cli->result, "findings",
                        kw_show_findings(cli, &findings));
    if (findings.errors == 0 || locking->despite_lint) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_NO,
             "nothing was locked: the configuration has %zu error%s; the "
             "first: %s",
             findings.errors, findings.errors == 1 ? "" : "s",
             kw_first_error(&findings));
    return kw_error_hint(&cli->error, "`keywright chip config` lists them; "
                                      "mend them with `keywright chip write "
                                      "config`");
}

/* A workspace's emulated chip can be copied whole, unlike a real one. */
static kw_status name_emulated(struct kw_cli *cli, struct kw_lock_plan *plan) {
    struct kw_workspace *workspace = NULL;
    struct kw_error ignored;
    if (!kw_link_needs_workspace(cli->chip_text)) {
        return KW_OK;
    }
    KW_TRY(kw_snapshot_name(cli->chip_text, &plan->name, &ignored));
    KW_TRY(kw_cli_workspace(cli, &workspace));
    plan->workspace = workspace;
    return KW_OK;
}

static kw_status rehearse(struct kw_cli *cli, struct kw_chip *chip,
                          const struct kw_lock_plan *plan) {
    struct kw_lock_words words;
    json_t *lines = json_array();
    const kw_status status = kw_lock_rehearse(chip, plan, &words, &cli->error);
    if (status == KW_OK) {
        kw_print(cli, "Rehearsed on a copy of the chip:\n");
    }
    for (size_t i = 0; status == KW_OK && i < words.count; i++) {
        kw_print(cli, "  %s\n", words.line[i]);
        json_array_append_new(lines, json_string(words.line[i]));
    }
    json_object_set_new(cli->result, "rehearsal", lines);
    return status;
}

static void answer(struct kw_cli *cli, const struct locking *locking,
                   bool locked) {
    const uint8_t crc[2] = {(uint8_t)(locking->crc >> 8),
                            (uint8_t)locking->crc};
    kw_set_text(cli->result, "zone", WHAT[locking->plan.what]);
    kw_set_slot(cli->result, locking->plan.slot);
    json_object_set_new(cli->result, "locked", json_boolean(locked));
    if (locking->plan.crc != NULL) {
        kw_set_bytes(cli->result, "crc", crc, sizeof crc);
    } else {
        kw_set_text(cli->result, "crc", NULL);
    }
    if (locked) {
        kw_print(cli, "Locked for ever\n");
    }
}

static kw_status confirm(struct kw_cli *cli, const struct kw_lock_plan *plan) {
    static const char *const ZONES[] = {
        "Lock the configuration for ever?",
        "Lock the data zone for ever?",
    };
    char question[64];
    (void)snprintf(question, sizeof question, "Lock slot %u for ever?",
                   plan->slot);
    return kw_confirm_chip(cli, plan->what == KW_LOCK_SLOT ? question
                                                           : ZONES[plan->what]);
}

static kw_status lock(struct kw_cli *cli, struct locking *locking,
                      bool only_try) {
    struct kw_chip *chip = NULL;
    uint8_t config[KW_CONFIG_SIZE];
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = kw_chip_read_config(chip, config);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot read the chip");
    }
    KW_TRY(check_open(cli, config, &locking->plan));
    KW_TRY(lint(cli, config, locking));
    KW_TRY(find_crc(cli, config, locking));
    KW_TRY(name_emulated(cli, &locking->plan));
    KW_TRY(rehearse(cli, chip, &locking->plan));
    if (!only_try) {
        KW_TRY(confirm(cli, &locking->plan));
        KW_TRY(kw_lock_chip(chip, &locking->plan, &cli->error));
    }
    answer(cli, locking, !only_try);
    return KW_OK;
}

kw_status kw_chip_lock_verb(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    struct locking locking = {
        .despite_lint = kw_argument(arguments, "--despite-lint") != NULL,
        .image = kw_argument(arguments, "--image"),
    };
    KW_TRY(read_what(cli, arguments, &locking));
    if (locking.image != NULL && locking.plan.what != KW_LOCK_DATA) {
        return kw_error(&cli->error, KW_USAGE,
                        "--image is for the data lock alone");
    }
    return lock(cli, &locking, kw_argument(arguments, "--dry-run") != NULL);
}
