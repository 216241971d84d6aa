/* cli/rotate_status.c: `rotate status`. */
#include <inttypes.h>
#include <string.h>

#include "cli/rotate.h"
#include "cli/show.h"
#include "host/journal.h"
#include "host/public_slot.h"
#include "host/register.h"

/* The files of keys/ that matter to slot 14. */
struct keys {
    unsigned generation;     /* of the key in the slot; 0: not in keys/ */
    struct kw_key_file next; /* newer than that; path NULL: none */
    bool is_waiting;         /* for a rotation: no bundle names it yet */
    bool is_abandoned;       /* by a rollback: nobody takes it */
};

static void find_keys(const struct kw_rotation *rotation,
                      const struct kw_rotation_view *view, struct keys *keys) {
    struct kw_error ignored;
    struct kw_key_file file;
    struct kw_key_file waiting;
    *keys = (struct keys){.generation = 0};
    if (view->has_key &&
        kw_keyring_find(rotation->workspace, NULL, KW_ROTATING_SLOT, view->key,
                        &file, &ignored) == KW_OK) {
        keys->generation = file.generation;
        kw_key_file_free(&file);
    }
    if (kw_keyring_newest(rotation->workspace, view->state.serial,
                          KW_ROTATING_SLOT, &keys->next, &ignored) != KW_OK) {
        keys->next.path = NULL;
    } else if (keys->next.generation <= keys->generation) {
        kw_key_file_free(&keys->next);
    }
    keys->is_abandoned =
        keys->next.path != NULL && kw_generation_is_abandoned(&keys->next);
    if (kw_rotation_waiting_key(rotation, view, &waiting, &ignored) == KW_OK) {
        keys->is_waiting = true;
        kw_key_file_free(&waiting);
    }
}

static const char *state_name(const struct kw_rotation_view *view) {
    if (!view->has_key) {
        return "blank";
    }
    return view->state.validated ? "validated" : "not-validated";
}

static void show_slot_14(struct kw_cli *cli,
                         const struct kw_rotation_view *view,
                         const struct keys *keys) {
    char text[KW_SHORT_TEXT];
    if (!view->has_key) {
        kw_print(cli, "Slot 14    blank\n");
    } else if (keys->generation > 0) {
        kw_print(cli, "Slot 14    %s, key %s, generation %u\n",
                 state_name(view), kw_short_fingerprint(view->key, text),
                 keys->generation);
    } else {
        kw_print(cli,
                 "Slot 14    %s, key %s, whose private key is not in "
                 "keys/\n",
                 state_name(view), kw_short_fingerprint(view->key, text));
    }
    if (keys->is_abandoned) {
        kw_print(cli,
                 "Next key   none; %s, generation %u, was abandoned by a "
                 "rollback\n",
                 kw_short_fingerprint(keys->next.public_key, text),
                 keys->next.generation);
        return;
    }
    if (keys->next.path != NULL) {
        kw_print(cli, "Next key   %s, generation %u, %s\n",
                 kw_short_fingerprint(keys->next.public_key, text),
                 keys->next.generation,
                 keys->is_waiting ? "waits for `rotate run` or `rotate request`"
                                  : "authorised before, not in the chip");
    }
}

static void show_slot_13(struct kw_cli *cli,
                         const struct kw_rotation_view *view) {
    char text[KW_SHORT_TEXT];
    const char *lock = view->authority_locked ? "locked" : "not locked";
    if (view->has_authority) {
        kw_print(cli, "Slot 13    authority %s, %s\n",
                 kw_short_fingerprint(view->authority, text), lock);
        return;
    }
    kw_print(cli, "Slot 13    %s, %s\n",
             view->authority_is_blank ? "no authority yet"
                                      : "written, but no P-256 key",
             lock);
}

static void show_journal(struct kw_cli *cli, const struct kw_journal *journal) {
    if (journal->path == NULL) {
        kw_print(cli, "Journal    no rotation is open\n");
        return;
    }
    kw_print(cli,
             "Journal    %s\n"
             "           what comes next: %s; `keywright rotate resume` "
             "finishes it\n",
             journal->path, kw_journal_stage(journal));
}

static void show(struct kw_cli *cli, const struct kw_rotation_view *view,
                 const struct keys *keys, const struct kw_journal *journal) {
    show_slot_14(cli, view, keys);
    show_slot_13(cli, view);
    kw_print(cli, "Counter 1  %" PRIu32 " (the last sequence applied)\n",
             view->state.counter);
    show_journal(cli, journal);
}

/* --- what is wrong with slot 13 --- */

static void warn_of_no_authority(const struct kw_cli *cli,
                                 const struct kw_rotation_view *view) {
    if (!kw_authority_slot_is_open(view->state.config)) {
        kw_warn(cli, "slot 13 is locked without an authority: slot "
                     "14 keeps its key for ever");
        return;
    }
    if (!kw_rotation_view_is_unfinished(view) && view->has_key) {
        kw_warn(cli,
                "slot 13 holds no authority: the key in slot 14 %s;\n"
                "         `keywright rotate set-authority` puts back the one "
                "of before,\n"
                "         `keywright resources make` makes all keys of the "
                "chip anew",
                view->state.validated ? "verifies, but cannot be replaced"
                                      : "cannot be validated");
    }
}

/* The register shows that this key is the work of another authority. */
static bool is_exchanged(const struct kw_rotation *rotation,
                         const struct kw_rotation_view *view,
                         char former[KW_FINGERPRINT_TEXT]) {
    struct kw_error ignored;
    bool vouches = false;
    return view->state.validated && view->has_key && view->has_authority &&
           kw_register_authority_of(rotation->workspace, view->key, former,
                                    &ignored) == KW_OK &&
           former[0] != '\0' &&
           kw_register_vouches(rotation->workspace, view->authority, view->key,
                               &vouches, &ignored) == KW_OK &&
           !vouches;
}

static void warn_of_resources(const struct kw_cli *cli,
                              const struct kw_rotation_view *view) {
    if (kw_rotation_view_is_unfinished(view)) {
        kw_warn(cli,
                "a `resources make` was interrupted: not all keys of "
                "generation %u are in the chip;\n"
                "         `keywright resources make` makes new ones for all "
                "slots",
                view->resources.number);
    }
}

static void warn_of_slot_13(const struct kw_cli *cli,
                            const struct kw_rotation *rotation,
                            const struct kw_rotation_view *view) {
    char former[KW_FINGERPRINT_TEXT] = "";
    if (!view->has_authority) {
        warn_of_no_authority(cli, view);
        return;
    }
    if (is_exchanged(rotation, view, former)) {
        kw_warn(cli,
                "another authority validated slot 14, says the "
                "register: %.*s;\n"
                "         %s",
                KW_FINGERPRINT_SHOWN, former,
                view->authority_locked
                    ? "the one in slot 13 can rotate it with --accept-old-key"
                    : "`keywright rotate set-authority` puts it back, the one "
                      "in slot 13 can rotate it\n         with "
                      "--accept-old-key");
    }
    if (!view->authority_locked) {
        kw_warn(cli, "slot 13 is not locked: whoever reaches the "
                     "chip can replace the authority\n         by a Write; "
                     "`keywright rotate lock-authority` ends that");
    }
}

static void answer(json_t *result, const struct kw_rotation_view *view,
                   const struct keys *keys, const struct kw_journal *journal) {
    kw_set_serial(result, view->state.serial);
    json_object_set_new(result, "state", json_string(state_name(view)));
    kw_set_fingerprint(result, "key", view->has_key ? view->key : NULL);
    json_object_set_new(result, "generation",
                        keys->generation > 0 ? json_integer(keys->generation)
                                             : json_null());
    kw_set_fingerprint(result, "next_key",
                       keys->next.path == NULL || keys->is_abandoned
                           ? NULL
                           : keys->next.public_key);
    kw_set_fingerprint(result, "authority",
                       view->has_authority ? view->authority : NULL);
    json_object_set_new(result, "authority_locked",
                        json_boolean(view->authority_locked));
    json_object_set_new(result, "counter", json_integer(view->state.counter));
    json_object_set_new(result, "journal",
                        journal->path == NULL
                            ? json_null()
                            : json_pack("{s:s, s:s}", "file", journal->path,
                                        "stage", kw_journal_stage(journal)));
}

kw_status kw_rotate_status(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_journal journal;
    struct keys keys;
    KW_TRY(kw_rotate_open_to_look(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_journal_find(rotation.workspace, view.state.serial, &journal,
                           &cli->error));
    find_keys(&rotation, &view, &keys);
    show(cli, &view, &keys, &journal);
    warn_of_resources(cli, &view);
    warn_of_slot_13(cli, &rotation, &view);
    answer(cli->result, &view, &keys, &journal);
    kw_key_file_free(&keys.next);
    kw_journal_free(&journal);
    return KW_OK;
}
