/* host/rotation_verify.c: proving the key in slot 14 with its private key. */
#include "host/keyring.h"
#include "host/rotation.h"

#define LINE_SIGNING  "Signing with the Rotating Private Key"
#define LINE_VERIFIED "Verified the Rotating Public key"

static kw_status verify_failed(const struct kw_rotation *rotation,
                               kw_status status, struct kw_error *error) {
    kw_error_chip(error, status, rotation->chip,
                  "Rotating Public key verification failed");
    if (status == KW_CHIP_EXECUTION) {
        return kw_error_hint(error, "finish an open rotation with `keywright "
                                    "rotate resume`, or start one with `rotate "
                                    "run` or `rotate apply`");
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
    kw_rotation_say(rotation, LINE_SIGNING);
    kw_status status = kw_key_sign(key, digest, signature, error);
    kw_key_free(key);
    KW_TRY(status);
    status = kw_chip_verify_stored(rotation->chip, KW_ROTATING_SLOT, digest,
                                   signature);
    kw_chip_idle(rotation->chip);
    if (status != KW_OK) {
        return verify_failed(rotation, status, error);
    }
    kw_rotation_say(rotation, LINE_VERIFIED);
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
    if (found == KW_NO && proof->view.has_key) {
        KW_TRY(kw_keyring_check(rotation->workspace, NULL, KW_ROTATING_SLOT, 0,
                                error));
    }
    if (found == KW_NO) {
        return no_private_key(&proof->view, error);
    }
    KW_TRY(found);
    proof->generation = file.generation;
    const kw_status status = verify_with(rotation, file.path, error);
    kw_key_file_free(&file);
    return status;
}
