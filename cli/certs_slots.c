/* cli/certs_slots.c: slots 10-12 kept, put back, and brought to one state
 * after a cut. */
#include <stdlib.h>
#include <string.h>

#include "cli/certs.h"
#include "cli/copied.h"
#include "cli/show.h"
#include "host/certs/change.h"
#include "host/certs/pki.h"

#define NAME_TEXT 65

/* --- asking --- */

static void print_name(const struct kw_cli *cli, const char *who,
                       const struct kw_pki_view *view) {
    char organisation[NAME_TEXT] = "";
    char common_name[NAME_TEXT] = "";
    (void)!kw_pki_attribute(view->subject, KW_PKI_ORGANISATION, organisation,
                            sizeof organisation);
    (void)!kw_pki_attribute(view->subject, KW_PKI_COMMON_NAME, common_name,
                            sizeof common_name);
    kw_print(cli, "  %s  O = %s, CN = %s\n", who, organisation, common_name);
}

/* Whoever is asked reads how to come back from the answer. */
static kw_status print_way_back(struct kw_cli *cli,
                                const struct kw_chip_certs *certs) {
    struct kw_cert_backup backup;
    KW_TRY(kw_certs_backup_place(&cli->workspace, certs, &backup, &cli->error));
    char *command = kw_command_text(cli, "certs restore --backup", backup.file);
    if (command != NULL) {
        kw_print(cli, "They are kept first; this brings them back:\n  %s\n",
                 command);
    }
    free(command);
    free(backup.file);
    return KW_OK;
}

kw_status kw_certs_confirm(void *observer, const struct kw_chip_certs *certs) {
    struct kw_cli *cli = observer;
    struct kw_chain_sources sources = {.workspace = &cli->workspace};
    struct kw_chain chain;
    struct kw_error ignored;
    kw_print(cli, "Slots 10, 11 and 12 hold certificates:\n");
    if (kw_chain_find(&sources, certs, &chain, &ignored) == KW_OK) {
        print_name(cli, "signer", &chain.view[KW_CHAIN_SIGNER]);
        print_name(cli, "device", &chain.view[KW_CHAIN_DEVICE]);
    } else {
        kw_print(cli, "  below no root that is known here\n");
    }
    KW_TRY(print_way_back(cli, certs));
    return kw_confirm_chip(cli, "Replace the certificates of this chip?");
}

/* --- what the verbs share --- */

struct opened {
    struct kw_workspace *workspace;
    struct kw_chip *chip;
    struct kw_chip_certs certs;
};

static kw_status open_slots(struct kw_cli *cli, struct opened *opened) {
    KW_TRY(kw_cli_workspace_locked(cli, &opened->workspace));
    KW_TRY(kw_cli_chip(cli, &opened->chip));
    KW_TRY(kw_chip_certs_read(opened->chip, &opened->certs, &cli->error));
    kw_set_serial(cli->result, opened->certs.about.serial);
    return KW_OK;
}

static struct kw_certs_change change_of(struct opened *opened) {
    return (struct kw_certs_change){opened->workspace, opened->chip,
                                    &opened->certs};
}

/* --- backup --- */

kw_status kw_certs_backup_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    struct opened opened;
    struct kw_cert_backup backup;
    KW_TRY(open_slots(cli, &opened));
    KW_TRY(kw_certs_no_journal(opened.workspace, opened.certs.about.serial,
                               &cli->error));
    KW_TRY(kw_certs_backup(opened.workspace, &opened.certs,
                           kw_argument(arguments, "--output"), &backup,
                           &cli->error));
    kw_print(cli, "%s%s\n",
             backup.reused ? "A backup with the same content is there: " : "",
             backup.file);
    json_object_set_new(cli->result, "file", json_string(backup.file));
    json_object_set_new(cli->result, "reused", json_boolean(backup.reused));
    free(backup.file);
    return KW_OK;
}

const struct kw_option kw_certs_backup_options[] = {
    {"--output", "FILE", "where to write it (default: a new name in backups/)"},
    {NULL, NULL, NULL},
};

/* --- restore --- */

/* What is in the chip now is kept too. */
static kw_status keep_present(struct kw_cli *cli, const struct opened *opened) {
    struct kw_cert_backup kept;
    KW_TRY(kw_certs_backup(opened->workspace, &opened->certs, NULL, &kept,
                           &cli->error));
    json_object_set_new(cli->result, "kept", json_string(kept.file));
    free(kept.file);
    return KW_OK;
}

static kw_status finish_interrupted(struct kw_cli *cli, struct opened *opened) {
    const struct kw_certs_change change = change_of(opened);
    bool resumed = false;
    KW_TRY(kw_certs_resume(&change, false, &resumed, &cli->error));
    if (resumed) {
        kw_print(cli, "Finished the change of slots 10, 11 and 12 that was "
                      "interrupted\n");
    }
    return KW_OK;
}

static kw_status restore_from(struct kw_cli *cli, struct opened *opened,
                              const char *file) {
    const struct kw_certs_change change = change_of(opened);
    struct kw_cert_slots slots;
    KW_TRY(kw_certs_backup_read(file, opened->certs.about.serial, &slots,
                                &cli->error));
    KW_TRY(finish_interrupted(cli, opened));
    json_object_set_new(cli->result, "kept", json_null());
    const bool changed =
        memcmp(&slots, &opened->certs.slots, sizeof slots) != 0;
    if (changed && !kw_cert_slots_are_empty(&opened->certs.slots)) {
        KW_TRY(kw_cert_slots_check(&opened->certs, &slots, &cli->error));
        KW_TRY(kw_certs_confirm(cli, &opened->certs));
        KW_TRY(keep_present(cli, opened));
    }
    KW_TRY(kw_certs_change(&change, &slots, "restore", &cli->error));
    kw_print(cli, "Slots 10, 11 and 12 %s %s\n",
             changed ? "are again as in" : "were as in", file);
    json_object_set_new(cli->result, "file", json_string(file));
    json_object_set_new(cli->result, "changed", json_boolean(changed));
    return KW_OK;
}

kw_status kw_certs_restore(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    const char *named = kw_argument(arguments, "--backup");
    struct opened opened;
    char *first = NULL;
    KW_TRY(open_slots(cli, &opened));
    if (named != NULL) {
        return restore_from(cli, &opened, named);
    }
    KW_TRY(kw_certs_first_backup(opened.workspace, opened.certs.about.serial,
                                 &first, &cli->error));
    const kw_status status = restore_from(cli, &opened, first);
    free(first);
    return status;
}

const struct kw_option kw_certs_restore_options[] = {
    {"--backup", "FILE",
     "the backup (default: the chip's first one, what the vendor delivered)"},
    {NULL, NULL, NULL},
};

/* --- resume --- */

kw_status kw_certs_resume_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    const bool old = kw_argument(arguments, "--old") != NULL;
    struct opened opened;
    bool resumed = false;
    KW_TRY(open_slots(cli, &opened));
    const struct kw_certs_change change = change_of(&opened);
    KW_TRY(kw_certs_resume(&change, old, &resumed, &cli->error));
    kw_print(cli, "%s\n",
             !resumed ? "Nothing to resume: no change of slots 10, 11 and 12 "
                        "is open"
             : old    ? "Slots 10, 11 and 12 are as they were"
                      : "Slots 10, 11 and 12 are as they were to become");
    json_object_set_new(cli->result, "resumed", json_boolean(resumed));
    json_object_set_new(cli->result, "old", json_boolean(resumed && old));
    return KW_OK;
}

const struct kw_option kw_certs_resume_options[] = {
    {"--old", NULL, "take the change back instead of finishing it"},
    {NULL, NULL, NULL},
};
