/* cli/rotate_open.c: what the verbs of `rotate` begin with. */
#include <string.h>

#include "cli/rotate.h"
#include "cli/show.h"
#include "host/journal.h"

static struct kw_rotation describe(struct kw_cli *cli,
                                   const struct kw_arguments *arguments) {
    return (struct kw_rotation){
        .authority = kw_argument(arguments, "--authority"),
        .accept_old_key = kw_argument(arguments, "--accept-old-key"),
        .say = kw_say_line,
        .observer = cli,
    };
}

kw_status kw_rotate_open(struct kw_cli *cli,
                         const struct kw_arguments *arguments,
                         struct kw_rotation *rotation) {
    *rotation = describe(cli, arguments);
    KW_TRY(kw_cli_workspace_locked(cli, &rotation->workspace));
    return kw_cli_chip(cli, &rotation->chip);
}

kw_status kw_rotate_open_to_look(struct kw_cli *cli,
                                 const struct kw_arguments *arguments,
                                 struct kw_rotation *rotation) {
    *rotation = describe(cli, arguments);
    KW_TRY(kw_cli_workspace(cli, &rotation->workspace));
    return kw_cli_chip(cli, &rotation->chip);
}

kw_status kw_rotate_no_journal(struct kw_cli *cli,
                               const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view) {
    struct kw_journal journal;
    KW_TRY(kw_journal_find(rotation->workspace, view->state.serial, &journal,
                           &cli->error));
    const bool is_open = journal.path != NULL;
    kw_journal_free(&journal);
    if (!is_open) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_NO, "a rotation of this chip is not finished");
    return kw_error_hint(&cli->error, "run `keywright rotate resume` or "
                                      "`rotate rollback` first");
}

char *kw_rotate_output(const struct kw_rotation *rotation,
                       const struct kw_arguments *arguments,
                       const uint8_t *serial, const char *kind) {
    const char *output = kw_argument(arguments, "--output");
    return output != NULL
               ? strdup(output)
               : kw_rotation_new_file(rotation->workspace, serial, kind);
}

/* A newer file that cannot be read would be passed over in silence. */
static kw_status check_newer(const struct kw_rotation *rotation,
                             const uint8_t *serial, struct kw_key_file *newest,
                             struct kw_error *error) {
    const kw_status status =
        kw_keyring_check(rotation->workspace, serial, KW_ROTATING_SLOT,
                         newest == NULL ? 0 : newest->generation, error);
    if (status != KW_OK && newest != NULL) {
        kw_key_file_free(newest);
    }
    return status;
}

kw_status kw_rotate_newest_key(const struct kw_rotation *rotation,
                               const uint8_t *serial, struct kw_key_file *key,
                               struct kw_error *error) {
    const kw_status status = kw_keyring_newest(rotation->workspace, serial,
                                               KW_ROTATING_SLOT, key, error);
    const bool found = status == KW_OK;
    if (found || status == KW_NO) {
        KW_TRY(check_newer(rotation, serial, found ? key : NULL, error));
    }
    if (status == KW_NO) {
        kw_error(error, KW_NO, "keys/ holds no rotating key of this chip");
        return kw_error_hint(error, "run `keywright rotate new-key` first");
    }
    KW_TRY(status);
    if (kw_generation_is_abandoned(key)) {
        kw_error(error, KW_NO,
                 "the newest rotating key (generation %u) was abandoned by "
                 "`rotate rollback`",
                 key->generation);
        kw_key_file_free(key);
        return kw_error_hint(error, "make the next one with `keywright rotate "
                                    "new-key`");
    }
    return KW_OK;
}
