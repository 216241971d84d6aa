/* cli/rotate_request.c: `rotate request`. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/rotate.h"
#include "cli/show.h"
#include "host/bundle_folder.h"

static kw_status no_memory(struct kw_cli *cli) {
    return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
}

void kw_rotate_print_authorize(struct kw_cli *cli,
                               const struct kw_rotation *rotation,
                               const uint8_t authority[KW_PUBLIC_KEY_SIZE],
                               const char *request, bool fleet) {
    struct kw_error ignored;
    struct kw_key_file file;
    const bool is_here =
        kw_keyring_find(rotation->workspace, NULL, KW_AUTHORITY_SLOT, authority,
                        &file, &ignored) == KW_OK;
    char *command = kw_format("rotate authorize%s%s --request",
                              is_here ? "" : " --authority FILE",
                              fleet ? " --sequence N" : "");
    if (command != NULL) {
        kw_print_next(cli, is_here ? NULL : "where the authority's key lives",
                      command, request);
    }
    free(command);
    if (is_here) {
        kw_key_file_free(&file);
    }
}

static void show_request(struct kw_cli *cli, const char *path,
                         const struct kw_rotation *rotation,
                         const struct kw_rotation_view *view,
                         const uint8_t *new_key_, bool fleet) {
    char old_text[KW_SHORT_TEXT];
    char new_text[KW_SHORT_TEXT];
    const uint8_t *old_key = view->has_key ? view->key : NULL;
    kw_print(cli,
             "Request: %s\n  old key %s%s, new key %s, counter 1: %" PRIu32
             "\n",
             path, kw_short_fingerprint(old_key, old_text),
             view->state.validated ? " (validated)" : "",
             kw_short_fingerprint(new_key_, new_text), view->state.counter);
    kw_rotate_print_authorize(cli, rotation, view->authority, path, fleet);
    if (fleet) {
        kw_warn(cli, "the serial is left out: a bundle for this "
                     "request fits every chip of the same configuration and "
                     "old key");
    }
    json_object_set_new(cli->result, "file", json_string(path));
    kw_set_serial(cli->result, fleet ? NULL : view->state.serial);
    kw_set_fingerprint(cli->result, "old_key", old_key);
    kw_set_fingerprint(cli->result, "new_key", new_key_);
    json_object_set_new(cli->result, "counter",
                        json_integer(view->state.counter));
}

/* Whoever left a key had a reason: it should not come back unseen. */
static kw_status warn_of_former_key(struct kw_cli *cli,
                                    const struct kw_rotation *rotation,
                                    const struct kw_key_file *key) {
    bool was_authorised = false;
    KW_TRY(kw_key_was_authorised(rotation->workspace, key->public_key,
                                 &was_authorised, &cli->error));
    if (was_authorised) {
        kw_warn(cli, "this key was authorised before; `keywright "
                     "rotate new-key` makes another");
    }
    return KW_OK;
}

static kw_status write_request(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view,
                               const struct kw_key_file *key) {
    struct kw_envelope request;
    const bool fleet = kw_argument(arguments, "--fleet") != NULL;
    KW_TRY(kw_rotation_request(view, key, fleet, &request, &cli->error));
    char *path = kw_rotate_output(rotation, arguments,
                                  fleet ? NULL : view->state.serial, "request");
    if (path == NULL) {
        return no_memory(cli);
    }
    const kw_status status = kw_envelope_create(path, &request, &cli->error);
    if (status == KW_OK) {
        show_request(cli, path, rotation, view, key->public_key, fleet);
    }
    free(path);
    return status;
}

kw_status kw_rotate_request(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_key_file key;
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_rotate_no_journal(cli, &rotation, &view));
    KW_TRY(
        kw_rotate_newest_key(&rotation, view.state.serial, &key, &cli->error));
    kw_status status = write_request(cli, arguments, &rotation, &view, &key);
    if (status == KW_OK) {
        status = warn_of_former_key(cli, &rotation, &key);
    }
    kw_key_file_free(&key);
    return status;
}
