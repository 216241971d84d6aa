#include "host/rotation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/journal.h"
#include "host/rotation_step.h"

#define LINE_AUTHORIZE                                                         \
    "Signing the rotating key digest with the Authority Private Key"

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* The part of a path below the workspace: what a journal keeps. */
static const char *below(const struct kw_workspace *workspace,
                         const char *path) {
    const size_t size = strlen(workspace->folder);
    const bool inside =
        strncmp(path, workspace->folder, size) == 0 && path[size] == '/';
    return inside ? path + size + 1 : path;
}

/* --- one bundle, one chip ----------------------------------------------------
 */

static void fill_result(const struct kw_bundle *bundle, const uint8_t *serial,
                        struct kw_rotation_result *result) {
    memcpy(result->serial, serial, KW_SERIAL_SIZE);
    memcpy(result->old_key, bundle->old_key, KW_PUBLIC_KEY_SIZE);
    memcpy(result->new_key, bundle->new_key, KW_PUBLIC_KEY_SIZE);
    result->has_old_key = bundle->has_old_key;
    result->sequence = bundle->sequence;
}

static kw_status authority_is_gone(struct kw_error *error) {
    kw_error(error, KW_NO_BUNDLE_SIGNATURE,
             "slot 13 no longer holds the authority of this rotation, or its "
             "bundle was changed");
    return kw_error_hint(error, "`keywright rotate set-authority` puts the "
                                "authority back; `rotate rollback` gives the "
                                "rotation up");
}

/* What the journal ends with when a run failed; NULL: it stays open, and the
 * next run goes on. */
static const char *ending(kw_status status,
                          const struct kw_rotation_progress *progress) {
    if (kw_status_class(status) == KW_CLASS_NO) {
        return "refused";
    }
    if (progress->restored) {
        return "rolled-back";
    }
    return kw_status_class(status) == KW_CLASS_CHIP && !progress->touched &&
                   status != KW_CHIP_PROOF
               ? "nothing-changed"
               : NULL;
}

/* Applies the bundle that the journal names, and closes the journal as far
 * as the outcome is final. */
static kw_status apply_journalled(const struct kw_rotation *rotation,
                                  struct kw_journal *journal,
                                  const struct kw_bundle_file *file,
                                  struct kw_rotation_result *result,
                                  struct kw_error *error) {
    struct kw_rotation_progress progress = {.rotation = rotation};
    const struct kw_rotate rotate = kw_rotation_core(rotation, file, &progress);
    const kw_status status = kw_rotate_run(&rotate, &result->position);
    if (status == KW_OK) {
        return kw_journal_note_applied(journal, error);
    }
    result->restored = progress.restored;
    if (result->resumed && status == KW_NO_BUNDLE_SIGNATURE) {
        /* It fitted when the rotation began: slot 13 has changed since. */
        return authority_is_gone(error);
    }
    struct kw_error ignored;
    const char *outcome = ending(status, &progress);
    if (outcome != NULL) {
        (void)!kw_journal_close(journal, outcome, &ignored);
    }
    return kw_rotation_failed(rotation, &progress, status, error);
}

static kw_status apply_file(const struct kw_rotation *rotation,
                            struct kw_journal *journal, const uint8_t *serial,
                            struct kw_rotation_result *result,
                            struct kw_error *error) {
    struct kw_bundle_file file;
    char *path = kw_workspace_path(rotation->workspace, "%s", journal->bundle);
    const kw_status status = path == NULL
                                 ? no_memory(error)
                                 : kw_bundle_file_read(path, &file, error);
    free(path);
    if (status != KW_OK) {
        return kw_error_hint(error, "bring that file back, or give the "
                                    "rotation up with `keywright rotate "
                                    "rollback`");
    }
    fill_result(&file.bundle, serial, result);
    return apply_journalled(rotation, journal, &file, result, error);
}

/* --- the whole job --- */

static kw_status journalled_key(const struct kw_rotation *rotation,
                                const struct kw_journal *journal,
                                struct kw_key_file *key,
                                struct kw_error *error) {
    struct kw_key *pair = NULL;
    *key = (struct kw_key_file){
        .path = kw_workspace_path(rotation->workspace, "%s", journal->key),
    };
    if (key->path == NULL) {
        return no_memory(error);
    }
    const kw_status status = kw_key_read(key->path, &pair, error);
    if (status != KW_OK) {
        kw_key_file_free(key);
        return status;
    }
    kw_key_public(pair, key->public_key);
    kw_key_free(pair);
    return KW_OK;
}

static void say_waiting(const struct kw_rotation *rotation,
                        const struct kw_key_file *key) {
    char line[96];
    (void)snprintf(line, sizeof line,
                   "Rotating to the key that `rotate new-key` made: "
                   "generation %u",
                   key->generation);
    kw_rotation_say(rotation, line);
}

/* The key that waits for a rotation, else a new one. */
static kw_status next_key(const struct kw_rotation *rotation,
                          const struct kw_rotation_view *view,
                          struct kw_key_file *key, struct kw_error *error) {
    const kw_status status =
        kw_rotation_waiting_key(rotation, view, key, error);
    if (status == KW_NO) {
        return kw_rotation_new_key(rotation, view->state.serial, key, error);
    }
    KW_TRY(status);
    say_waiting(rotation, key);
    return KW_OK;
}

/* The key that the journal names, else the next one, which it then names. */
static kw_status ensure_key(const struct kw_rotation *rotation,
                            const struct kw_rotation_view *view,
                            struct kw_journal *journal, struct kw_key_file *key,
                            struct kw_error *error) {
    char fingerprint[KW_FINGERPRINT_TEXT];
    if (journal->key != NULL) {
        return journalled_key(rotation, journal, key, error);
    }
    KW_TRY(next_key(rotation, view, key, error));
    kw_fingerprint(key->public_key, fingerprint);
    const kw_status status = kw_journal_note_key(
        journal, below(rotation->workspace, key->path), fingerprint, error);
    if (status != KW_OK) {
        kw_key_file_free(key);
    }
    return status;
}

static struct kw_authorization
authorization_of(const struct kw_rotation *rotation,
                 const struct kw_authority *authority) {
    return (struct kw_authorization){
        .workspace = rotation->workspace,
        .authority = authority,
        .accept_old_key = rotation->accept_old_key,
    };
}

static kw_status authorize_here(const struct kw_rotation *rotation,
                                const struct kw_rotation_view *view,
                                const struct kw_envelope *request,
                                struct kw_envelope *bundle, uint32_t *sequence,
                                struct kw_error *error) {
    struct kw_authority *authority = NULL;
    struct kw_checked_request checked;
    KW_TRY(kw_request_check(request, &checked, error));
    KW_TRY(kw_rotation_authority(rotation, view->authority, &authority, error));
    kw_rotation_say(rotation, LINE_AUTHORIZE);
    const struct kw_authorization authorization =
        authorization_of(rotation, authority);
    const kw_status status =
        kw_authorize(&authorization, &checked, bundle, sequence, error);
    kw_authority_close(authority);
    return status;
}

/* Writes a bundle below bundles/; the caller frees the path. */
static kw_status keep_bundle(const struct kw_rotation *rotation,
                             const uint8_t *serial,
                             const struct kw_envelope *bundle, char **path,
                             struct kw_error *error) {
    *path = kw_rotation_new_file(rotation->workspace, serial, "bundle");
    return *path == NULL ? no_memory(error)
                         : kw_envelope_create(*path, bundle, error);
}

static kw_status ensure_bundle(const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view,
                               struct kw_journal *journal,
                               struct kw_error *error) {
    struct kw_key_file key = {.path = NULL};
    struct kw_envelope request;
    struct kw_envelope bundle;
    uint32_t sequence = 0;
    if (journal->bundle != NULL) {
        return KW_OK;
    }
    KW_TRY(ensure_key(rotation, view, journal, &key, error));
    kw_status status = kw_rotation_request(view, &key, false, &request, error);
    kw_key_file_free(&key);
    KW_TRY(status);
    KW_TRY(authorize_here(rotation, view, &request, &bundle, &sequence, error));
    char *path = NULL;
    status = keep_bundle(rotation, view->state.serial, &bundle, &path, error);
    if (status == KW_OK) {
        status = kw_journal_note_bundle(
            journal, below(rotation->workspace, path), sequence, error);
    }
    free(path);
    return status;
}

static kw_status finish_journalled(const struct kw_rotation *rotation,
                                   const struct kw_rotation_view *view,
                                   struct kw_journal *journal,
                                   struct kw_rotation_result *result,
                                   struct kw_error *error) {
    KW_TRY(kw_rotation_need_authority(view, error));
    KW_TRY(ensure_bundle(rotation, view, journal, error));
    KW_TRY(apply_file(rotation, journal, view->state.serial, result, error));
    return kw_journal_close(journal, "done", error);
}

/* A run that could not get as far as a bundle has changed nothing on the
 * chip: its journal need not stay open. */
static void close_if_nothing_happened(struct kw_journal *journal,
                                      kw_status status) {
    struct kw_error ignored;
    const bool refused = kw_status_class(status) == KW_CLASS_NO ||
                         kw_status_class(status) == KW_CLASS_PARSE;
    if (refused && journal->path != NULL && journal->bundle == NULL) {
        (void)!kw_journal_close(journal, "nothing-changed", &ignored);
    }
}

/* The private key that signs the proof may live elsewhere: then core's own
 * proof, which the chip has verified, stands alone. */
static kw_status verify_if_possible(const struct kw_rotation *rotation,
                                    const struct kw_rotation_result *result,
                                    struct kw_error *error) {
    struct kw_rotation_proof proof;
    struct kw_error cause;
    const kw_status status = kw_rotation_verify(rotation, &proof, &cause);
    if (status == KW_OK || status == KW_NO) {
        return KW_OK;
    }
    kw_error(error, status,
             "the rotation is done (sequence %" PRIu32 "), but proving it with "
             "the private key failed: %.300s",
             result->sequence, cause.message);
    return kw_error_hint(error, "run `keywright rotate verify`");
}

static kw_status continue_journal(const struct kw_rotation *rotation,
                                  const struct kw_rotation_view *view,
                                  struct kw_journal *journal,
                                  struct kw_rotation_result *result,
                                  struct kw_error *error) {
    const kw_status status =
        finish_journalled(rotation, view, journal, result, error);
    close_if_nothing_happened(journal, status);
    kw_journal_free(journal);
    KW_TRY(status);
    return verify_if_possible(rotation, result, error);
}

/* What the authority will say of a request that is not made yet. */
static kw_status would_authorize(const struct kw_rotation *rotation,
                                 const struct kw_rotation_view *view,
                                 const struct kw_authority *authority,
                                 struct kw_error *error) {
    const struct kw_authorization authorization =
        authorization_of(rotation, authority);
    uint32_t sequence = 0;
    if (view->has_key && view->state.validated) {
        KW_TRY(kw_authorization_old_key(&authorization, view->key, error));
    }
    return kw_authorization_next(rotation->workspace, view->state.serial,
                                 view->state.counter, &sequence, error);
}

/* Before a journal is begun and a key made: they would stay behind. */
static kw_status can_authorize_here(const struct kw_rotation *rotation,
                                    const struct kw_rotation_view *view,
                                    struct kw_error *error) {
    struct kw_authority *authority = NULL;
    KW_TRY(kw_rotation_need_authority(view, error));
    kw_status status =
        kw_rotation_authority(rotation, view->authority, &authority, error);
    if (status == KW_NO && rotation->authority == NULL) {
        return kw_error_hint(error, "name its key file with --authority FILE, "
                                    "or authorise where that key lives: "
                                    "`keywright rotate request` here, "
                                    "`rotate authorize` there");
    }
    KW_TRY(status);
    status = would_authorize(rotation, view, authority, error);
    kw_authority_close(authority);
    return status;
}

kw_status kw_rotation_run(const struct kw_rotation *rotation,
                          struct kw_rotation_result *result,
                          struct kw_error *error) {
    struct kw_rotation_view view;
    struct kw_journal journal;
    *result = (struct kw_rotation_result){.sequence = 0};
    KW_TRY(kw_rotation_look(rotation, &view, error));
    KW_TRY(kw_journal_find(rotation->workspace, view.state.serial, &journal,
                           error));
    result->resumed = journal.path != NULL;
    if (!result->resumed) {
        KW_TRY(can_authorize_here(rotation, &view, error));
        KW_TRY(kw_journal_begin_run(rotation->workspace, view.state.serial,
                                    &journal, error));
    }
    return continue_journal(rotation, &view, &journal, result, error);
}

kw_status kw_rotation_resume(const struct kw_rotation *rotation,
                             struct kw_rotation_result *result, bool *nothing,
                             struct kw_error *error) {
    struct kw_rotation_view view;
    struct kw_journal journal;
    *result = (struct kw_rotation_result){.resumed = true};
    KW_TRY(kw_rotation_look(rotation, &view, error));
    KW_TRY(kw_journal_find(rotation->workspace, view.state.serial, &journal,
                           error));
    *nothing = journal.path == NULL;
    if (*nothing) {
        memcpy(result->serial, view.state.serial, KW_SERIAL_SIZE);
        return KW_OK;
    }
    return continue_journal(rotation, &view, &journal, result, error);
}

/* --- applying a given bundle --- */

static kw_status same_bundle(const struct kw_rotation *rotation,
                             const struct kw_journal *journal,
                             const struct kw_envelope *given, bool *same,
                             struct kw_error *error) {
    struct kw_bundle_file open;
    *same = false;
    if (journal->bundle == NULL) {
        return KW_OK;
    }
    char *path = kw_workspace_path(rotation->workspace, "%s", journal->bundle);
    const kw_status status = path == NULL
                                 ? no_memory(error)
                                 : kw_bundle_file_read(path, &open, error);
    free(path);
    KW_TRY(status);
    *same =
        memcmp(open.envelope.payload, given->payload, KW_BUNDLE_SIZE) == 0 &&
        memcmp(open.envelope.signature, given->signature, KW_SIGNATURE_SIZE) ==
            0;
    return KW_OK;
}

/* Goes on with this bundle's own open journal, or begins one. */
static kw_status open_for_bundle(const struct kw_rotation *rotation,
                                 const uint8_t *serial,
                                 const struct kw_bundle_file *file,
                                 struct kw_journal *journal,
                                 struct kw_error *error) {
    bool same = false;
    KW_TRY(kw_journal_find(rotation->workspace, serial, journal, error));
    if (journal->path != NULL) {
        KW_TRY(same_bundle(rotation, journal, &file->envelope, &same, error));
        if (!same) {
            kw_error(error, KW_NO,
                     "another rotation of this chip is not "
                     "finished");
            return kw_error_hint(error, "run `keywright rotate resume` or "
                                        "`rotate rollback` first");
        }
        return KW_OK;
    }
    char *path = NULL;
    kw_status status =
        keep_bundle(rotation, serial, &file->envelope, &path, error);
    if (status == KW_OK) {
        status = kw_journal_begin_apply(rotation->workspace, serial,
                                        below(rotation->workspace, path),
                                        file->bundle.sequence, journal, error);
    }
    free(path);
    return status;
}

static kw_status another_old_key(const struct kw_rotation_view *view,
                                 const struct kw_bundle *bundle,
                                 struct kw_error *error) {
    char holds[KW_FINGERPRINT_TEXT] = "none";
    char replaces[KW_FINGERPRINT_TEXT] = "none";
    if (view->has_key) {
        kw_fingerprint(view->key, holds);
    }
    if (bundle->has_old_key) {
        kw_fingerprint(bundle->old_key, replaces);
    }
    return kw_error_hint(
        error, "the bundle replaces %.16s, slot 14 holds %.16s: %s", replaces,
        holds,
        bundle->names_serial
            ? "it was changed since the request; make a new one"
            : "this chip is none of that fleet, or was rotated since; make a "
              "request for its own key");
}

/* Refuses a bundle that does not fit before anything is written, so that a
 * foreign file leaves no trace. */
static kw_status check_first(const struct kw_rotation *rotation,
                             const struct kw_rotation_view *view,
                             const struct kw_bundle_file *file,
                             struct kw_error *error) {
    const struct kw_rotation_progress nothing_yet = {.rotation = rotation};
    enum kw_rotate_position position = KW_ROTATE_READY;
    const struct kw_rotate rotate = kw_rotation_core(rotation, file, NULL);
    kw_status status = kw_rotate_check_signature(&rotate);
    if (status == KW_OK) {
        status = kw_rotate_locate(&rotate, &view->state, &position);
    }
    kw_chip_idle(rotation->chip);
    if (status == KW_OK) {
        return KW_OK;
    }
    kw_rotation_failed(rotation, &nothing_yet, status, error);
    return status == KW_NO_OLD_KEY ? another_old_key(view, &file->bundle, error)
                                   : status;
}

kw_status kw_rotation_apply(const struct kw_rotation *rotation,
                            const char *path, struct kw_rotation_result *result,
                            struct kw_error *error) {
    struct kw_bundle_file file;
    struct kw_rotation_view view;
    struct kw_journal journal = {.path = NULL};
    *result = (struct kw_rotation_result){.sequence = 0};
    KW_TRY(kw_bundle_file_read(path, &file, error));
    KW_TRY(kw_rotation_look(rotation, &view, error));
    KW_TRY(kw_rotation_need_authority(&view, error));
    KW_TRY(check_first(rotation, &view, &file, error));
    kw_status status =
        open_for_bundle(rotation, view.state.serial, &file, &journal, error);
    if (status == KW_OK) {
        status = finish_journalled(rotation, &view, &journal, result, error);
    }
    kw_journal_free(&journal);
    return status;
}
