#include "host/rotation_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/bundle_folder.h"
#include "host/openssl_hash.h"

#define LINE_NEW_KEY "Generated new rotating public key pair"

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

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

static kw_status write_key(const char *folder, struct kw_key_file *made,
                           const struct kw_key *key, struct kw_error *error) {
    made->slot = KW_ROTATING_SLOT;
    made->is_key_pair = true;
    made->has_public = true;
    kw_key_public(key, made->public_key);
    made->path =
        kw_format("%s/slot_%u_ecc_key_pair.pem", folder, KW_ROTATING_SLOT);
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
    kw_rotation_say(rotation, LINE_NEW_KEY);
    return KW_OK;
}

/* Newer than the key in slot 14, which may be another chip's or nobody's. */
static kw_status is_newer(const struct kw_rotation *rotation,
                          const struct kw_rotation_view *view,
                          const struct kw_key_file *newest, bool *newer,
                          struct kw_error *error) {
    struct kw_key_file present = {.generation = 0};
    kw_status status = KW_NO;
    if (view->has_key) {
        status = kw_keyring_find(rotation->workspace, view->state.serial,
                                 KW_ROTATING_SLOT, view->key, &present, error);
    }
    *newer = newest->generation > present.generation;
    kw_key_file_free(&present);
    return status == KW_NO ? KW_OK : status;
}

static kw_status is_waiting(const struct kw_rotation *rotation,
                            const struct kw_rotation_view *view,
                            const struct kw_key_file *newest,
                            struct kw_error *error) {
    bool newer = false;
    bool was_authorised = false;
    KW_TRY(is_newer(rotation, view, newest, &newer, error));
    KW_ENSURE(newer, KW_NO);
    KW_TRY(kw_key_was_authorised(rotation->workspace, newest->public_key,
                                 &was_authorised, error));
    return was_authorised ? KW_NO : KW_OK;
}

kw_status kw_rotation_waiting_key(const struct kw_rotation *rotation,
                                  const struct kw_rotation_view *view,
                                  struct kw_key_file *waiting,
                                  struct kw_error *error) {
    struct kw_key_file newest;
    KW_TRY(kw_keyring_newest(rotation->workspace, view->state.serial,
                             KW_ROTATING_SLOT, &newest, error));
    const kw_status status = is_waiting(rotation, view, &newest, error);
    if (status != KW_OK) {
        kw_key_file_free(&newest);
        return status;
    }
    *waiting = newest;
    return KW_OK;
}

static kw_status open_named(const struct kw_rotation *rotation,
                            const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                            struct kw_authority **authority,
                            struct kw_error *error) {
    uint8_t found[KW_PUBLIC_KEY_SIZE];
    char wanted[KW_FINGERPRINT_TEXT];
    KW_TRY(kw_authority_open_in(rotation->workspace, rotation->authority,
                                authority, error));
    kw_authority_public(*authority, found);
    if (memcmp(found, public_key, sizeof found) == 0) {
        return KW_OK;
    }
    kw_authority_close(*authority);
    *authority = NULL;
    kw_fingerprint(public_key, wanted);
    kw_error(error, KW_NO,
             "slot 13 of the device holds another authority "
             "(%.16s)",
             wanted);
    return kw_error_hint(error, "name that authority's key with --authority");
}

kw_status kw_rotation_authority(const struct kw_rotation *rotation,
                                const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                                struct kw_authority **authority,
                                struct kw_error *error) {
    struct kw_key_file file;
    char fingerprint[KW_FINGERPRINT_TEXT];
    if (rotation->authority != NULL) {
        return open_named(rotation, public_key, authority, error);
    }
    kw_status status = kw_keyring_find(
        rotation->workspace, NULL, KW_AUTHORITY_SLOT, public_key, &file, error);
    if (status == KW_NO) {
        KW_TRY(kw_keyring_check(rotation->workspace, NULL, KW_AUTHORITY_SLOT, 0,
                                error));
        kw_fingerprint(public_key, fingerprint);
        kw_error(error, KW_NO,
                 "keys/ holds no private key for the authority in slot 13 "
                 "(%.16s)",
                 fingerprint);
        return kw_error_hint(error, "name its key with --authority FILE");
    }
    KW_TRY(status);
    status = kw_authority_open(file.path, authority, error);
    kw_key_file_free(&file);
    return status;
}

/* --- requests --- */

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
    KW_TRY(kw_rotation_need_authority(view, error));
    memcpy(serial, view->state.serial, sizeof serial);
    if (fleet) {
        kw_serial_of_fleet(view->state.serial, serial);
    }
    if (view->has_key &&
        memcmp(view->key, key->public_key, KW_PUBLIC_KEY_SIZE) == 0) {
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
