#include "host/rotation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/journal.h"
#include "host/openssl_hash.h"
#include "host/text.h"

/* The lines of the seeds' log, and of its firmware. */
#define LINE_NEW_KEY   "Generated new rotating public key pair"
#define LINE_AUTHORIZE                                                         \
    "Signing the rotating key digest with the Authority Private Key"
#define LINE_INVALIDATED                                                       \
    "Validated public key is already in slot, invalidated the slot to update " \
    "the new public key"
#define LINE_WRITTEN "Rotating Public Key is written to device"
#define LINE_VALIDATED                                                         \
    "Rotating Public Key is validated with authority signed signature"
#define LINE_PROVEN   "The chip verified the new key's proof"
#define LINE_SIGNING  "Signing with the Rotating Private Key"
#define LINE_VERIFIED "Verified the Rotating Public key"
#define LINE_RESTORED                                                          \
    "The old rotating public key was written back to device"

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static void say(const struct kw_rotation *rotation, const char *line) {
    if (rotation->say != NULL) {
        rotation->say(rotation->observer, line);
    }
}

/* --- the chip ------------------------------------------------------------------- */

/* What slot 14 must be for a rotation to work, whatever the part is called. */
static bool can_rotate(const uint8_t config[KW_CONFIG_SIZE]) {
    const struct kw_slot_config slot =
        kw_config_slot(config, KW_ROTATING_SLOT);
    return kw_config_is_locked(config) && kw_config_data_is_locked(config) &&
           kw_config_keeps_validity(config, KW_ROTATING_SLOT) &&
           slot.read_key == KW_AUTHORITY_SLOT && !slot.is_secret &&
           kw_slot_write_rule(slot) == KW_WRITE_PUB_INVALID;
}

static kw_status wrong_type(struct kw_error *error) {
    kw_error(error, KW_NO_CHIP_TYPE,
             "this chip is no TrustFLEX part: its slot 14 is not configured "
             "as a rotating public key under slot 13");
    return kw_error_hint(error, "check --chip, and the board's switches: a "
                                "TrustFLEX part answers at address 6C");
}

static void look_at_keys(struct kw_rotation_view *view,
                         const uint8_t authority[KW_STORED_KEY_SIZE]) {
    view->has_key = kw_stored_key_read(view->state.stored, view->key);
    view->has_authority = kw_stored_key_read(authority, view->authority);
    view->authority_locked =
        kw_config_slot_is_locked(view->state.config, KW_AUTHORITY_SLOT);
}

kw_status kw_rotation_look(const struct kw_rotation *rotation,
                           struct kw_rotation_view *view,
                           struct kw_error *error) {
    uint8_t authority[KW_STORED_KEY_SIZE];
    kw_status status =
        kw_chip_read_config(rotation->chip, view->state.config);
    if (status == KW_OK && !can_rotate(view->state.config)) {
        return wrong_type(error);
    }
    if (status == KW_OK) {
        status = kw_rotate_read_state(rotation->chip, &view->state);
    }
    if (status == KW_OK) {
        status = kw_chip_read_slot(rotation->chip, KW_AUTHORITY_SLOT,
                                   authority, sizeof authority);
    }
    kw_chip_idle(rotation->chip);
    if (status != KW_OK) {
        return kw_error_chip(error, status, rotation->chip,
                             "cannot read the chip");
    }
    look_at_keys(view, authority);
    return KW_OK;
}

static kw_status need_authority(const struct kw_rotation_view *view,
                                struct kw_error *error) {
    if (view->has_authority) {
        return KW_OK;
    }
    kw_error(error, KW_NO, "slot 13 holds no validation authority yet");
    return kw_error_hint(error, "run `keywright resources make` first");
}

/* --- files ------------------------------------------------------------------------ */

char *kw_rotation_new_file(const struct kw_workspace *workspace,
                           const uint8_t *serial, const char *kind) {
    char text[KW_SERIAL_TEXT] = "fleet";
    if (serial != NULL) {
        kw_serial_text(serial, text);
    }
    for (unsigned number = 1;; number++) {
        char *path = kw_workspace_path(workspace, "bundles/%s-%04u.%s.json",
                                       text, number, kind);
        if (path == NULL || !kw_file_exists(path)) {
            return path;
        }
        free(path);
    }
}

/* The part of a path below the workspace: what a journal keeps. */
static const char *below(const struct kw_workspace *workspace,
                         const char *path) {
    const size_t size = strlen(workspace->folder);
    const bool inside = strncmp(path, workspace->folder, size) == 0 &&
                        path[size] == '/';
    return inside ? path + size + 1 : path;
}

static kw_status write_key(const char *folder, struct kw_key_file *made,
                           const struct kw_key *key, struct kw_error *error) {
    made->slot = KW_ROTATING_SLOT;
    made->is_key_pair = true;
    made->has_public = true;
    kw_key_public(key, made->public_key);
    made->path = kw_format("%s/slot_%u_ecc_key_pair.pem", folder,
                           KW_ROTATING_SLOT);
    return made->path == NULL ? no_memory(error)
                              : kw_key_write(key, made->path, error);
}

kw_status kw_rotation_new_key(const struct kw_rotation *rotation,
                              const uint8_t *serial, struct kw_key_file *made,
                              struct kw_error *error) {
    struct kw_key *key = NULL;
    char *folder = NULL;
    *made = (struct kw_key_file){.path = NULL};
    kw_serial_text(serial, made->serial);
    KW_TRY(kw_key_make(&key, error));
    kw_status status = kw_keyring_new_generation(
        rotation->workspace, serial, &made->generation, &folder, error);
    if (status == KW_OK) {
        status = write_key(folder, made, key, error);
    }
    free(folder);
    kw_key_free(key);
    if (status != KW_OK) {
        kw_key_file_free(made);
        return status;
    }
    say(rotation, LINE_NEW_KEY);
    return KW_OK;
}

kw_status kw_rotation_authority(const struct kw_rotation *rotation,
                                const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                                struct kw_authority **authority,
                                struct kw_error *error) {
    struct kw_key_file file;
    char fingerprint[KW_FINGERPRINT_TEXT];
    if (rotation->authority != NULL) {
        return kw_authority_open(rotation->authority, authority, error);
    }
    kw_status status =
        kw_keyring_find(rotation->workspace, NULL, KW_AUTHORITY_SLOT,
                        public_key, &file, error);
    if (status == KW_NO) {
        kw_fingerprint(public_key, fingerprint);
        kw_error(error, KW_NO,
                 "keys/ holds no private key for the authority in slot 13 "
                 "(%.16s)",
                 fingerprint);
        return kw_error_hint(error, "name its key file with --authority FILE, "
                                    "or authorise where that key lives: "
                                    "`keywright rotate request` here, "
                                    "`rotate authorize` there");
    }
    KW_TRY(status);
    status = kw_authority_open(file.path, authority, error);
    kw_key_file_free(&file);
    return status;
}

/* --- requests ------------------------------------------------------------------------ */

static kw_status sign_proof(const struct kw_request *request,
                            const char *key_path, uint8_t *proof,
                            struct kw_error *error) {
    struct kw_key *key = NULL;
    uint8_t configuration[KW_SHA256_SIZE];
    uint8_t digest[KW_SHA256_SIZE];
    const struct kw_proof about = {
        .names_serial = request->names_serial,
        .serial = request->serial,
        .configuration_digest = configuration,
        .old_key = request->has_old_key ? request->old_key : NULL,
        .new_key = request->new_key,
    };
    kw_status status = kw_configuration_digest(
        &kw_openssl_hash, &request->configuration, configuration);
    if (status == KW_OK) {
        status = kw_proof_digest(&kw_openssl_hash, &about, digest);
    }
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot make the proof");
    }
    KW_TRY(kw_key_read(key_path, &key, error));
    status = kw_key_sign(key, digest, proof, error);
    kw_key_free(key);
    return status;
}

kw_status kw_rotation_request(const struct kw_rotation_view *view,
                              const struct kw_key_file *key, bool fleet,
                              struct kw_envelope *envelope,
                              struct kw_error *error) {
    uint8_t serial[KW_SERIAL_SIZE];
    KW_TRY(need_authority(view, error));
    memcpy(serial, view->state.serial, sizeof serial);
    if (fleet) {
        kw_serial_of_fleet(view->state.serial, serial);
    }
    if (view->has_key && memcmp(view->key, key->public_key,
                                KW_PUBLIC_KEY_SIZE) == 0) {
        kw_error(error, KW_NO_SAME_KEY,
                 "the newest rotating key is in slot 14 already");
        return kw_error_hint(error, "make the next one with `keywright rotate "
                                    "new-key`");
    }
    const struct kw_request request = {
        .names_serial = !fleet,
        .has_old_key = view->has_key,
        .old_validated = view->has_key && view->state.validated,
        .counter = view->state.counter,
        .serial = serial,
        .configuration = kw_configuration_of(view->state.config),
        .old_key = view->key,
        .new_key = key->public_key,
        .authority = view->authority,
    };
    envelope->payload_size = KW_REQUEST_SIZE;
    kw_request_encode(&request, envelope->payload);
    return sign_proof(&request, key->path, envelope->signature, error);
}

/* --- one bundle, one chip --------------------------------------------------------------- */

/* What core tells while it works. */
struct progress {
    const struct kw_rotation *rotation;
    bool touched;  /* the slot was changed */
    bool restored; /* and changed back */
};

static void on_step(void *observer, enum kw_rotate_step step) {
    static const char *const lines[] = {
        [KW_ROTATE_INVALIDATED_OLD] = LINE_INVALIDATED,
        [KW_ROTATE_WRITTEN_NEW] = LINE_WRITTEN,
        [KW_ROTATE_VALIDATED_NEW] = LINE_VALIDATED,
        [KW_ROTATE_PROVEN_NEW] = LINE_PROVEN,
        [KW_ROTATE_COUNTED] = NULL,
        [KW_ROTATE_RESTORED_OLD] = LINE_RESTORED,
    };
    struct progress *progress = observer;
    progress->touched |= step == KW_ROTATE_INVALIDATED_OLD ||
                         step == KW_ROTATE_WRITTEN_NEW ||
                         step == KW_ROTATE_VALIDATED_NEW;
    progress->restored |= step == KW_ROTATE_RESTORED_OLD;
    if (lines[step] != NULL) {
        say(progress->rotation, lines[step]);
    }
}

struct advice {
    kw_status status;
    const char *hint;
};

static const struct advice ADVICE[] = {
    {KW_NO_BUNDLE_SIGNATURE,
     "it was changed on its way, or made by another authority than the one "
     "in slot 13 (`keywright rotate status` shows it): authorise a new "
     "request"},
    {KW_NO_SERIAL, "apply it at the chip with the serial that it names"},
    {KW_NO_CONFIGURATION,
     "a lock of slot 13 or 14 since the request also counts: make a new "
     "request"},
    {KW_NO_OLD_KEY, "the chip was rotated since: make a new request"},
    {KW_NO_OLD_PAIRS,
     "the key was validated after the request was made: make a new request"},
    {KW_NO_SEQUENCE_REPLAYED,
     "a later bundle was applied already; this one is of the past"},
    {KW_NO_SEQUENCE_AHEAD,
     "authorise again with a --sequence at most 16 above counter 1"},
    {KW_CHIP_PROOF,
     "the key stays validated and counter 1 unchanged; run `keywright rotate "
     "resume` to prove it again"},
};

static kw_status rotation_failed(const struct kw_rotation *rotation,
                                 const struct progress *progress,
                                 kw_status status, struct kw_error *error) {
    kw_error_chip(error, status, rotation->chip, "the rotation failed");
    for (size_t i = 0; i < sizeof ADVICE / sizeof *ADVICE; i++) {
        if (ADVICE[i].status == status) {
            return kw_error_hint(error, "%s", ADVICE[i].hint);
        }
    }
    if (progress->restored) {
        return kw_error_hint(error, "slot 14 holds the old key as before; "
                                    "mend the cause and run it again");
    }
    if (progress->touched || kw_status_class(status) == KW_CLASS_ABSENT ||
        kw_status_class(status) == KW_CLASS_INTERRUPTED) {
        return kw_error_hint(error, "`keywright rotate resume` goes on where "
                                    "the chip stands, `rotate rollback` goes "
                                    "back while that is possible");
    }
    return status;
}

static void fill_result(const struct kw_bundle *bundle,
                        const uint8_t *serial,
                        struct kw_rotation_result *result) {
    memcpy(result->serial, serial, KW_SERIAL_SIZE);
    memcpy(result->old_key, bundle->old_key, KW_PUBLIC_KEY_SIZE);
    memcpy(result->new_key, bundle->new_key, KW_PUBLIC_KEY_SIZE);
    result->has_old_key = bundle->has_old_key;
    result->sequence = bundle->sequence;
}

static kw_status decode_bundle(const struct kw_envelope *envelope,
                               const char *path, struct kw_bundle *bundle,
                               struct kw_error *error) {
    const kw_status status =
        kw_bundle_decode(envelope->payload, envelope->payload_size, bundle);
    return status == KW_OK ? KW_OK : kw_error_core(error, status, path);
}

/* Applies the bundle that the journal names, and closes the journal as far
 * as the outcome is final. */
static kw_status apply_journalled(const struct kw_rotation *rotation,
                                  struct kw_journal *journal,
                                  const struct kw_envelope *envelope,
                                  const struct kw_bundle *bundle,
                                  struct kw_rotation_result *result,
                                  struct kw_error *error) {
    struct progress progress = {.rotation = rotation};
    const struct kw_rotate rotate = {
        .chip = rotation->chip,
        .hash = &kw_openssl_hash,
        .bundle = bundle,
        .signature = envelope->signature,
        .on_step = on_step,
        .observer = &progress,
    };
    const kw_status status = kw_rotate_run(&rotate, &result->position);
    if (status == KW_OK) {
        return kw_journal_note_applied(journal, error);
    }
    struct kw_error ignored;
    const enum kw_class class = kw_status_class(status);
    result->restored = progress.restored;
    if (class == KW_CLASS_NO) {
        (void)!kw_journal_close(journal, "refused", &ignored);
    } else if (progress.restored) {
        (void)!kw_journal_close(journal, "rolled-back", &ignored);
    } else if (class == KW_CLASS_CHIP && !progress.touched &&
               status != KW_CHIP_PROOF) {
        (void)!kw_journal_close(journal, "nothing-changed", &ignored);
    }
    return rotation_failed(rotation, &progress, status, error);
}

static kw_status apply_file(const struct kw_rotation *rotation,
                            struct kw_journal *journal, const uint8_t *serial,
                            struct kw_rotation_result *result,
                            struct kw_error *error) {
    struct kw_envelope envelope;
    struct kw_bundle bundle;
    char *path = kw_workspace_path(rotation->workspace, "%s", journal->bundle);
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status =
        kw_envelope_read(path, KW_BUNDLE_SIZE, &envelope, error);
    if (status == KW_OK) {
        status = decode_bundle(&envelope, path, &bundle, error);
    }
    free(path);
    KW_TRY(status);
    fill_result(&bundle, serial, result);
    return apply_journalled(rotation, journal, &envelope, &bundle, result,
                            error);
}

/* --- proving it with the private key ------------------------------------------------------ */

static kw_status verify_failed(const struct kw_rotation *rotation,
                               kw_status status, struct kw_error *error) {
    kw_error_chip(error, status, rotation->chip,
                  "Rotating Public key verification failed");
    if (status == KW_CHIP_EXECUTION) {
        return kw_error_hint(error, "the key in slot 14 is not validated: run "
                                    "`keywright rotate run`, or `rotate "
                                    "apply` with a bundle for it");
    }
    return error->status;
}

static kw_status verify_with(const struct kw_rotation *rotation,
                             const char *path, struct kw_error *error) {
    struct kw_key *key = NULL;
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    KW_TRY(kw_random(digest, sizeof digest, error));
    KW_TRY(kw_key_read(path, &key, error));
    say(rotation, LINE_SIGNING);
    kw_status status = kw_key_sign(key, digest, signature, error);
    kw_key_free(key);
    KW_TRY(status);
    status = kw_chip_verify_stored(rotation->chip, KW_ROTATING_SLOT, digest,
                                   signature);
    kw_chip_idle(rotation->chip);
    if (status != KW_OK) {
        return verify_failed(rotation, status, error);
    }
    say(rotation, LINE_VERIFIED);
    return KW_OK;
}

static kw_status no_private_key(const struct kw_rotation_view *view,
                                struct kw_error *error) {
    char fingerprint[KW_FINGERPRINT_TEXT];
    if (!view->has_key) {
        kw_error(error, KW_NO,
                 "Rotating Public key verification failed: slot 14 is blank");
        return kw_error_hint(error, "run `keywright resources make`, then "
                                    "`keywright rotate run`");
    }
    kw_fingerprint(view->key, fingerprint);
    kw_error(error, KW_NO,
             "Rotating Public key verification failed: keys/ holds no private "
             "key for the key in slot 14 (%.16s); it was made in another "
             "workspace or another run",
             fingerprint);
    return kw_error_hint(error, "use the workspace that made it, or rotate to "
                                "a new key with `keywright rotate run`");
}

kw_status kw_rotation_verify(const struct kw_rotation *rotation,
                             struct kw_rotation_proof *proof,
                             struct kw_error *error) {
    struct kw_key_file file;
    KW_TRY(kw_rotation_look(rotation, &proof->view, error));
    const kw_status found =
        proof->view.has_key
            ? kw_keyring_find(rotation->workspace, NULL, KW_ROTATING_SLOT,
                              proof->view.key, &file, error)
            : KW_NO;
    if (found == KW_NO) {
        return no_private_key(&proof->view, error);
    }
    KW_TRY(found);
    proof->generation = file.generation;
    const kw_status status = verify_with(rotation, file.path, error);
    kw_key_file_free(&file);
    return status;
}

/* --- the whole job -------------------------------------------------------------------------- */

/* Makes the new key unless the journal names one; key answers it. */
static kw_status ensure_key(const struct kw_rotation *rotation,
                            const uint8_t *serial, struct kw_journal *journal,
                            struct kw_key_file *key, struct kw_error *error) {
    char fingerprint[KW_FINGERPRINT_TEXT];
    if (journal->key != NULL) {
        *key = (struct kw_key_file){
            .path = kw_workspace_path(rotation->workspace, "%s",
                                      journal->key),
        };
        struct kw_key *pair = NULL;
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
    KW_TRY(kw_rotation_new_key(rotation, serial, key, error));
    kw_fingerprint(key->public_key, fingerprint);
    const kw_status status =
        kw_journal_note_key(journal, below(rotation->workspace, key->path),
                            fingerprint, error);
    if (status != KW_OK) {
        kw_key_file_free(key);
    }
    return status;
}

static kw_status authorize_here(const struct kw_rotation *rotation,
                                const struct kw_rotation_view *view,
                                const struct kw_envelope *request,
                                struct kw_envelope *bundle,
                                uint32_t *sequence, struct kw_error *error) {
    struct kw_authority *authority = NULL;
    struct kw_checked_request checked;
    KW_TRY(kw_request_check(request, &checked, error));
    KW_TRY(kw_rotation_authority(rotation, view->authority, &authority,
                                 error));
    say(rotation, LINE_AUTHORIZE);
    const struct kw_authorization authorization = {
        .workspace = rotation->workspace,
        .authority = authority,
    };
    const kw_status status =
        kw_authorize(&authorization, &checked, bundle, sequence, error);
    kw_authority_close(authority);
    return status;
}

/* Writes a bundle below bundles/ and notes it. */
static kw_status keep_bundle(const struct kw_rotation *rotation,
                             const uint8_t *serial,
                             const struct kw_envelope *bundle,
                             uint32_t sequence, struct kw_journal *journal,
                             struct kw_error *error) {
    char *path = kw_rotation_new_file(rotation->workspace, serial, "bundle");
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status = kw_envelope_create(path, bundle, error);
    if (status == KW_OK) {
        status = kw_journal_note_bundle(
            journal, below(rotation->workspace, path), sequence, error);
    }
    free(path);
    return status;
}

static kw_status ensure_bundle(const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view,
                               struct kw_journal *journal,
                               struct kw_error *error) {
    struct kw_key_file key;
    struct kw_envelope request;
    struct kw_envelope bundle;
    uint32_t sequence = 0;
    if (journal->bundle != NULL) {
        return KW_OK;
    }
    KW_TRY(ensure_key(rotation, view->state.serial, journal, &key, error));
    kw_status status =
        kw_rotation_request(view, &key, false, &request, error);
    kw_key_file_free(&key);
    KW_TRY(status);
    KW_TRY(authorize_here(rotation, view, &request, &bundle, &sequence,
                          error));
    return keep_bundle(rotation, view->state.serial, &bundle, sequence,
                       journal, error);
}

static kw_status finish_journalled(const struct kw_rotation *rotation,
                                   const struct kw_rotation_view *view,
                                   struct kw_journal *journal,
                                   struct kw_rotation_result *result,
                                   struct kw_error *error) {
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
                                    struct kw_error *error) {
    struct kw_rotation_proof proof;
    const kw_status status = kw_rotation_verify(rotation, &proof, error);
    return status == KW_NO ? KW_OK : status;
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
    return verify_if_possible(rotation, error);
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
        KW_TRY(need_authority(&view, error));
        KW_TRY(kw_journal_begin(rotation->workspace, view.state.serial, "run",
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

/* --- applying a given bundle --------------------------------------------------------------- */

static kw_status same_bundle(const struct kw_rotation *rotation,
                             const struct kw_journal *journal,
                             const struct kw_envelope *given, bool *same,
                             struct kw_error *error) {
    struct kw_envelope open;
    *same = false;
    if (journal->bundle == NULL) {
        return KW_OK;
    }
    char *path = kw_workspace_path(rotation->workspace, "%s", journal->bundle);
    if (path == NULL) {
        return no_memory(error);
    }
    const kw_status status =
        kw_envelope_read(path, KW_BUNDLE_SIZE, &open, error);
    free(path);
    KW_TRY(status);
    *same = memcmp(open.payload, given->payload, KW_BUNDLE_SIZE) == 0 &&
            memcmp(open.signature, given->signature, KW_SIGNATURE_SIZE) == 0;
    return KW_OK;
}

/* Goes on with this bundle's own open journal, or begins one. */
static kw_status open_for_bundle(const struct kw_rotation *rotation,
                                 const uint8_t *serial,
                                 const struct kw_envelope *envelope,
                                 uint32_t sequence, struct kw_journal *journal,
                                 struct kw_error *error) {
    bool same = false;
    KW_TRY(kw_journal_find(rotation->workspace, serial, journal, error));
    if (journal->path != NULL) {
        KW_TRY(same_bundle(rotation, journal, envelope, &same, error));
        if (!same) {
            kw_error(error, KW_NO, "another rotation of this chip is not "
                                   "finished");
            return kw_error_hint(error, "run `keywright rotate resume` or "
                                        "`rotate rollback` first");
        }
        return KW_OK;
    }
    KW_TRY(kw_journal_begin(rotation->workspace, serial, "apply", journal,
                            error));
    return keep_bundle(rotation, serial, envelope, sequence, journal, error);
}

/* Refuses a bundle that does not fit before anything is written, so that a
 * foreign file leaves no trace. */
static kw_status check_first(const struct kw_rotation *rotation,
                             const struct kw_rotation_view *view,
                             const struct kw_envelope *envelope,
                             const struct kw_bundle *bundle,
                             struct kw_error *error) {
    const struct progress nothing_yet = {.rotation = rotation};
    enum kw_rotate_position position = KW_ROTATE_READY;
    const struct kw_rotate rotate = {
        .chip = rotation->chip,
        .hash = &kw_openssl_hash,
        .bundle = bundle,
        .signature = envelope->signature,
    };
    kw_status status = kw_rotate_check_signature(&rotate);
    if (status == KW_OK) {
        status = kw_rotate_locate(&rotate, &view->state, &position);
    }
    kw_chip_idle(rotation->chip);
    return status == KW_OK
               ? KW_OK
               : rotation_failed(rotation, &nothing_yet, status, error);
}

kw_status kw_rotation_apply(const struct kw_rotation *rotation,
                            const char *path,
                            struct kw_rotation_result *result,
                            struct kw_error *error) {
    struct kw_envelope envelope;
    struct kw_bundle bundle;
    struct kw_rotation_view view;
    struct kw_journal journal = {.path = NULL};
    *result = (struct kw_rotation_result){.sequence = 0};
    KW_TRY(kw_envelope_read(path, KW_BUNDLE_SIZE, &envelope, error));
    KW_TRY(decode_bundle(&envelope, path, &bundle, error));
    KW_TRY(kw_rotation_look(rotation, &view, error));
    KW_TRY(need_authority(&view, error));
    KW_TRY(check_first(rotation, &view, &envelope, &bundle, error));
    kw_status status =
        open_for_bundle(rotation, view.state.serial, &envelope,
                        bundle.sequence, &journal, error);
    if (status == KW_OK) {
        status = finish_journalled(rotation, &view, &journal, result, error);
    }
    kw_journal_free(&journal);
    return status;
}

/* --- going back -------------------------------------------------------------------------------- */

static kw_status restore_old(const struct kw_rotation *rotation,
                             const struct kw_journal *journal,
                             struct kw_error *error) {
    struct kw_envelope envelope;
    struct kw_bundle bundle;
    struct progress progress = {.rotation = rotation};
    char *path = kw_workspace_path(rotation->workspace, "%s", journal->bundle);
    kw_status status =
        path == NULL
            ? no_memory(error)
            : kw_envelope_read(path, KW_BUNDLE_SIZE, &envelope, error);
    if (status == KW_OK) {
        status = decode_bundle(&envelope, path, &bundle, error);
    }
    free(path);
    KW_TRY(status);
    const struct kw_rotate rotate = {
        .chip = rotation->chip,
        .hash = &kw_openssl_hash,
        .bundle = &bundle,
        .signature = envelope.signature,
        .on_step = on_step,
        .observer = &progress,
    };
    status = kw_rotate_roll_back(&rotate);
    return status == KW_OK || status == KW_NO_ROLLBACK
               ? status
               : rotation_failed(rotation, &progress, status, error);
}

/* The key before the present one: the newest bundle in the workspace that
 * put the present key into this chip names it. Its private key must be in
 * keys/, since the request is signed with it. */
static kw_status find_previous(const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view,
                               struct kw_key_file *previous,
                               struct kw_error *error) {
    struct kw_names names;
    kw_status status = KW_NO;
    char *folder = kw_workspace_path(rotation->workspace, "bundles");
    if (folder == NULL) {
        return no_memory(error);
    }
    const kw_status listed = kw_folder_list(folder, &names, error);
    for (size_t i = names.count; listed == KW_OK && status != KW_OK && i > 0;
         i--) {
        struct kw_envelope envelope;
        struct kw_bundle bundle;
        char *path = kw_format("%s/%s", folder, names.name[i - 1]);
        const bool fits =
            path != NULL && strstr(path, ".bundle.json") != NULL &&
            kw_envelope_read(path, KW_BUNDLE_SIZE, &envelope, error) ==
                KW_OK &&
            kw_bundle_decode(envelope.payload, KW_BUNDLE_SIZE, &bundle) ==
                KW_OK &&
            bundle.has_old_key &&
            memcmp(bundle.new_key, view->key, KW_PUBLIC_KEY_SIZE) == 0;
        if (fits) {
            status = kw_keyring_find(rotation->workspace, view->state.serial,
                                     KW_ROTATING_SLOT, bundle.old_key,
                                     previous, error);
        }
        free(path);
    }
    kw_names_free(&names);
    free(folder);
    return listed == KW_OK ? status : listed;
}

static kw_status request_old(const struct kw_rotation *rotation,
                             char **request, struct kw_error *error) {
    struct kw_rotation_view view;
    struct kw_key_file previous;
    struct kw_envelope envelope;
    KW_TRY(kw_rotation_look(rotation, &view, error));
    kw_status status = find_previous(rotation, &view, &previous, error);
    if (status == KW_NO) {
        kw_error(error, KW_NO,
                 "no bundle in bundles/ and key in keys/ show which key was "
                 "in slot 14 before");
        return kw_error_hint(error, "`keywright rotate run` rotates to a new "
                                    "key");
    }
    KW_TRY(status);
    status = kw_rotation_request(&view, &previous, false, &envelope, error);
    kw_key_file_free(&previous);
    KW_TRY(status);
    *request = kw_rotation_new_file(rotation->workspace, view.state.serial,
                                    "request");
    return *request == NULL ? no_memory(error)
                            : kw_envelope_create(*request, &envelope, error);
}

static kw_status roll_back_journal(const struct kw_rotation *rotation,
                                   struct kw_journal *journal,
                                   struct kw_error *error) {
    if (journal->bundle != NULL) {
        const kw_status status = restore_old(rotation, journal, error);
        if (status == KW_NO_ROLLBACK) {
            kw_error(error, KW_NO_ROLLBACK,
                     "the new key is validated in the chip; the rotation must "
                     "be finished first");
            return kw_error_hint(error, "run `keywright rotate resume`, then "
                                        "`rotate rollback`: it requests a "
                                        "bundle with the old key as the new "
                                        "one");
        }
        KW_TRY(status);
    }
    return kw_journal_close(journal, "rolled-back", error);
}

kw_status kw_rotation_roll_back(const struct kw_rotation *rotation,
                                char **request, struct kw_error *error) {
    struct kw_rotation_view view;
    struct kw_journal journal;
    *request = NULL;
    KW_TRY(kw_rotation_look(rotation, &view, error));
    KW_TRY(kw_journal_find(rotation->workspace, view.state.serial, &journal,
                           error));
    if (journal.path == NULL) {
        return request_old(rotation, request, error);
    }
    const kw_status status = roll_back_journal(rotation, &journal, error);
    kw_journal_free(&journal);
    return status;
}
