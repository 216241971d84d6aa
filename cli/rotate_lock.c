/* cli/rotate_lock.c: `rotate lock-authority`. */
#include "cli/rotate.h"
#include "cli/show.h"
#include "host/authority_lock.h"

kw_status kw_rotate_lock_authority(struct kw_cli *cli,
                                   const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_authority_rehearsal rehearsal;
    const bool only_try = kw_argument(arguments, "--dry-run") != NULL;
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_rotate_no_journal(cli, &rotation, &view));
    KW_TRY(
        kw_authority_lock_rehearse(&rotation, &view, &rehearsal, &cli->error));
    json_t *words = json_array();
    kw_print(cli, "Rehearsed on a copy of the chip:\n");
    for (size_t i = 0; i < rehearsal.count; i++) {
        kw_print(cli, "  %s\n", rehearsal.words[i]);
        json_array_append_new(words, json_string(rehearsal.words[i]));
    }
    json_object_set_new(cli->result, "rehearsal", words);
    kw_set_serial(cli->result, view.state.serial);
    json_object_set_new(cli->result, "slot", json_integer(KW_AUTHORITY_SLOT));
    json_object_set_new(cli->result, "locked", json_boolean(!only_try));
    json_object_set_new(cli->result, "dry_run", json_boolean(only_try));
    if (only_try) {
        kw_print(cli, "Nothing was changed\n");
        return KW_OK;
    }
    KW_TRY(kw_confirm_chip(cli, "Lock slot 13 for ever?"));
    KW_TRY(kw_authority_lock(&rotation, &cli->error));
    kw_print(cli, "Slot 13 is locked\n");
    return KW_OK;
}
