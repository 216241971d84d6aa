#include "cli/chip_retire.h"

#include <string.h>

#include "cli/show.h"
#include "host/public_slot.h"
#include "host/retirement_record.h"

const struct kw_option kw_chip_retire_options[] = {
    {"--dry-run", NULL, "only rehearse on a copy: nothing is changed"},
    {"--authority", "FILE",
     "the authority's private key, to invalidate a validated slot 14; needed "
     "once slot 13 is locked (default: the one in keys/ that belongs to slot "
     "13)"},
    {NULL, NULL, NULL},
};

static void print_slot(const struct kw_cli *cli, unsigned number,
                       const struct kw_retired_slot *slot) {
    kw_print(cli, "  slot %2u  %-6s  %s\n", number,
             slot->done ? "erased" : "stays", slot->words);
}

static void print_slots(const struct kw_cli *cli,
                        const struct kw_retirement *retirement) {
    for (unsigned i = 0; i < KW_SLOT_COUNT; i++) {
        print_slot(cli, i, &retirement->slot[i]);
    }
}

/* The same sixteen lines are not told twice. */
static void print_done(const struct kw_cli *cli,
                       const struct kw_retirement *rehearsed,
                       const struct kw_retirement *retirement) {
    unsigned erased = 0;
    unsigned differ = 0;
    for (unsigned i = 0; i < KW_SLOT_COUNT; i++) {
        const struct kw_retired_slot *slot = &retirement->slot[i];
        erased += slot->done ? 1 : 0;
        if (slot->done == rehearsed->slot[i].done &&
            strcmp(slot->words, rehearsed->slot[i].words) == 0) {
            continue;
        }
        if (differ++ == 0) {
            kw_print(cli, "Other than rehearsed:\n");
        }
        print_slot(cli, i, slot);
    }
    kw_print(cli, "Done%s: %u %s erased, %u stay\n",
             differ == 0 ? " as rehearsed" : "", erased,
             kw_counted(erased, "slot", "slots"), KW_SLOT_COUNT - erased);
}

static void answer(struct kw_cli *cli, const struct kw_retirement *retirement) {
    json_t *slots = json_array();
    for (unsigned i = 0; i < KW_SLOT_COUNT; i++) {
        const struct kw_retired_slot *slot = &retirement->slot[i];
        json_array_append_new(
            slots, json_pack("{s:i, s:b, s:s}", "slot", (int)i, "done",
                             slot->done ? 1 : 0, "words", slot->words));
    }
    kw_set_serial(cli->result, retirement->serial);
    json_object_set_new(cli->result, "slots", slots);
}

/* The authority that slot 13 holds. Needed to invalidate a validated slot 14
 * once slot 13 is locked; before that any other will do. A chip of another
 * type needs none. */
static kw_status find_authority(struct kw_cli *cli,
                                const struct kw_rotation *rotation,
                                struct kw_authority **authority) {
    struct kw_rotation_view view;
    *authority = NULL;
    const kw_status status = kw_rotation_look(rotation, &view, &cli->error);
    if (status == KW_NO_CHIP_TYPE) {
        return KW_OK;
    }
    KW_TRY(status);
    const bool is_needed = view.state.validated || rotation->authority != NULL;
    if (!is_needed || !view.has_authority) {
        return KW_OK;
    }
    const kw_status found =
        kw_rotation_authority(rotation, view.authority, authority, &cli->error);
    const bool needs_none = rotation->authority == NULL &&
                            kw_authority_slot_is_open(view.state.config);
    return found == KW_NO && needs_none ? KW_OK : found;
}

/* The record is begun before the first slot is overwritten. */
static kw_status retire_recorded(struct kw_cli *cli,
                                 const struct kw_rotation *rotation,
                                 const struct kw_authority *authority,
                                 const struct kw_retirement *rehearsed) {
    struct kw_retirement retirement;
    struct kw_retirement_record record;
    kw_status status = kw_retirement_begin(rotation->workspace, rehearsed,
                                           &record, &cli->error);
    if (status != KW_OK) {
        kw_error_also(&cli->error, "the chip is as it was");
        return status;
    }
    status =
        kw_retire_chip(rotation->chip, authority, &retirement, &cli->error);
    const bool untouched = kw_status_class(status) == KW_CLASS_NO;
    if (status == KW_OK) {
        print_done(cli, rehearsed, &retirement);
        answer(cli, &retirement);
        status = kw_retirement_end(&record, &retirement, &cli->error);
    }
    if (status == KW_OK) {
        kw_print(cli, "Record: %s\n", record.path);
        json_object_set_new(cli->result, "record", json_string(record.path));
    }
    kw_retirement_free(&record, untouched);
    return status;
}

static kw_status retire(struct kw_cli *cli, const struct kw_rotation *rotation,
                        const struct kw_authority *authority, bool only_try) {
    struct kw_retirement rehearsed;
    KW_TRY(
        kw_retire_rehearse(rotation->chip, authority, &rehearsed, &cli->error));
    kw_print(cli, "Rehearsed on a copy of the chip:\n");
    print_slots(cli, &rehearsed);
    answer(cli, &rehearsed);
    json_object_set_new(cli->result, "record", json_null());
    json_object_set_new(cli->result, "dry_run", json_boolean(only_try));
    if (only_try) {
        kw_print(cli, "Nothing was changed\n");
        return KW_OK;
    }
    KW_TRY(kw_confirm_chip(cli, "Retire this chip for ever?"));
    return retire_recorded(cli, rotation, authority, &rehearsed);
}

kw_status kw_chip_retire_verb(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    struct kw_authority *authority = NULL;
    struct kw_rotation rotation = {
        .authority = kw_argument(arguments, "--authority"),
    };
    KW_TRY(kw_cli_workspace_locked(cli, &rotation.workspace));
    KW_TRY(kw_cli_chip(cli, &rotation.chip));
    KW_TRY(find_authority(cli, &rotation, &authority));
    const kw_status status = retire(
        cli, &rotation, authority, kw_argument(arguments, "--dry-run") != NULL);
    kw_authority_close(authority);
    return status;
}
