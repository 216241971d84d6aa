/* host/rotation_rollback.c: back to the old key. */
#include <stdlib.h>
#include <string.h>

#include "host/bundle_folder.h"
#include "host/journal.h"
#include "host/rotation.h"
#include "host/rotation_step.h"

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static kw_status read_bundle(const struct kw_rotation *rotation,
                             const struct kw_journal *journal,
                             struct kw_bundle_file *file,
                             struct kw_error *error) {
    char *path = kw_workspace_path(rotation->workspace, "%s", journal->bundle);
    const kw_status status = path == NULL
                                 ? no_memory(error)
                                 : kw_bundle_file_read(path, file, error);
    free(path);
    return status;
}

/* Whoever leaves a key by going back had a reason, a leak it may be: no
 * request and no header takes it by default any more. */
static kw_status abandon(const struct kw_rotation *rotation,
                         const uint8_t key[KW_PUBLIC_KEY_SIZE],
                         struct kw_error *error) {
    struct kw_key_file file;
    struct kw_error ignored;
    if (kw_keyring_find(rotation->workspace, NULL, KW_ROTATING_SLOT, key, &file,
                        &ignored) != KW_OK) {
        return KW_OK;
    }
    const kw_status status = kw_generation_set_abandoned(&file, error);
    kw_key_file_free(&file);
    return status;
}

static kw_status finish_first(struct kw_error *error) {
    kw_error(error, KW_NO_ROLLBACK,
             "the new key is validated in the chip; the rotation must be "
             "finished first");
    return kw_error_hint(error, "run `keywright rotate resume`, then `rotate "
                                "rollback`: it requests a bundle with the old "
                                "key as the new one");
}

static kw_status restore_old(const struct kw_rotation *rotation,
                             const struct kw_bundle_file *file,
                             struct kw_error *error) {
    struct kw_rotation_progress progress = {.rotation = rotation};
    const struct kw_rotate rotate = kw_rotation_core(rotation, file, &progress);
    const kw_status status = kw_rotate_roll_back(&rotate);
    if (status == KW_NO_ROLLBACK) {
        return finish_first(error);
    }
    return status == KW_OK
               ? KW_OK
               : kw_rotation_failed(rotation, &progress, status, error);
}

/* The key before the present one: the newest bundle in the workspace that
 * put the present key into this chip names it. Its private key must be in
 * keys/, since the request is signed with it. */
struct search {
    const struct kw_rotation *rotation;
    const struct kw_rotation_view *view;
    struct kw_key_file *previous;
    kw_status status; /* KW_NO: none yet */
    bool is_known;    /* but has no private key in keys/ */
    uint8_t key[KW_PUBLIC_KEY_SIZE];
};

/* The newest one that is named is the one that was there before. */
static void note_known(struct search *search, const uint8_t *key) {
    if (!search->is_known) {
        memcpy(search->key, key, sizeof search->key);
        search->is_known = true;
    }
}

static bool take_previous(void *observer, const struct kw_bundle *bundle) {
    struct kw_error ignored;
    struct search *search = observer;
    const struct kw_rotation_view *view = search->view;
    if (bundle->has_old_key &&
        memcmp(bundle->new_key, view->key, KW_PUBLIC_KEY_SIZE) == 0) {
        search->status = kw_keyring_find(
            search->rotation->workspace, view->state.serial, KW_ROTATING_SLOT,
            bundle->old_key, search->previous, &ignored);
        note_known(search, bundle->old_key);
    }
    return search->status == KW_OK;
}

static kw_status find_previous(const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view,
                               struct kw_key_file *previous,
                               struct kw_error *error) {
    char text[KW_FINGERPRINT_TEXT];
    struct search search = {rotation, view, previous, KW_NO, false, {0}};
    KW_TRY(kw_bundle_folder_search(rotation->workspace, take_previous, &search,
                                   error));
    if (search.status != KW_NO) {
        return search.status;
    }
    if (search.is_known) {
        kw_fingerprint(search.key, text);
        kw_error(error, KW_NO,
                 "keys/ holds no private key for the key that was in slot 14 "
                 "before (%.16s): it was retired, or made elsewhere",
                 text);
    } else {
        kw_error(error, KW_NO,
                 "no bundle in bundles/ shows which key was in slot 14 before");
    }
    return kw_error_hint(error, "`keywright rotate run` rotates to a new key");
}

static kw_status request_key(const struct kw_rotation *rotation,
                             const struct kw_rotation_view *view,
                             const struct kw_key_file *key, char **request,
                             struct kw_error *error) {
    struct kw_envelope envelope;
    KW_TRY(kw_rotation_request(view, key, false, &envelope, error));
    *request = kw_rotation_new_file(rotation->workspace, view->state.serial,
                                    "request");
    return *request == NULL ? no_memory(error)
                            : kw_envelope_create(*request, &envelope, error);
}

static kw_status request_old(const struct kw_rotation *rotation,
                             const struct kw_rotation_view *view,
                             struct kw_rollback *rollback,
                             struct kw_error *error) {
    struct kw_key_file previous;
    KW_TRY(find_previous(rotation, view, &previous, error));
    rollback->was_abandoned = kw_generation_is_abandoned(&previous);
    const kw_status status =
        request_key(rotation, view, &previous, &rollback->request, error);
    kw_key_file_free(&previous);
    KW_TRY(status);
    memcpy(rollback->authority, view->authority, KW_PUBLIC_KEY_SIZE);
    return abandon(rotation, view->key, error);
}

/* Without its bundle, or an authority in slot 13 that fits it, a rotation can
 * be neither finished nor undone. Giving it up harms nothing: a new rotation
 * starts from whatever slot 14 holds. */
static kw_status give_up(struct kw_journal *journal,
                         struct kw_rollback *rollback, struct kw_error *error) {
    rollback->outcome = KW_ROLLBACK_GAVE_UP;
    return kw_journal_close(journal, "given-up", error);
}

static kw_status roll_back_journal(const struct kw_rotation *rotation,
                                   struct kw_journal *journal,
                                   struct kw_rollback *rollback,
                                   struct kw_error *error) {
    struct kw_bundle_file file;
    rollback->outcome = KW_ROLLBACK_RESTORED;
    if (journal->bundle != NULL) {
        const kw_status status = read_bundle(rotation, journal, &file, error);
        if (status != KW_OK && status != KW_SYSTEM_MEMORY) {
            return give_up(journal, rollback, error);
        }
        KW_TRY(status);
        const kw_status restored = restore_old(rotation, &file, error);
        if (restored == KW_OK || restored == KW_NO_BUNDLE_SIGNATURE) {
            KW_TRY(abandon(rotation, file.bundle.new_key, error));
        }
        if (restored == KW_NO_BUNDLE_SIGNATURE) {
            return give_up(journal, rollback, error);
        }
        KW_TRY(restored);
    }
    return kw_journal_close(journal, "rolled-back", error);
}

kw_status kw_rotation_roll_back(const struct kw_rotation *rotation,
                                struct kw_rollback *rollback,
                                struct kw_error *error) {
    struct kw_rotation_view view;
    struct kw_journal journal;
    *rollback = (struct kw_rollback){.outcome = KW_ROLLBACK_REQUESTED};
    KW_TRY(kw_rotation_look(rotation, &view, error));
    memcpy(rollback->serial, view.state.serial, KW_SERIAL_SIZE);
    KW_TRY(kw_journal_find(rotation->workspace, view.state.serial, &journal,
                           error));
    if (journal.path == NULL) {
        return request_old(rotation, &view, rollback, error);
    }
    const kw_status status =
        roll_back_journal(rotation, &journal, rollback, error);
    kw_journal_free(&journal);
    return status;
}
