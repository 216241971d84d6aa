#include "host/manifest/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/manifest/check.h"
#include "host/openssl_hash.h"

#define ORGANISATION "Keywright workspace"
#define COMMON_NAME  "Prototype Log Signer"
#define VALID_DAYS   (365 * 25)
#define DAY          86400
#define TEXT_MAX     256

char *kw_log_signer_path(const struct kw_workspace *workspace) {
    return kw_workspace_path(workspace, "manifest/manifest_ca.crt");
}

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- the certificate --- */

static kw_status describe(const uint8_t *public_key, time_t now,
                          struct kw_pki_bytes *tbs, struct kw_error *error) {
    struct kw_pki_bytes name;
    uint8_t serial[KW_PKI_SERIAL_SIZE];
    KW_TRY(kw_pki_random_serial(serial, error));
    KW_TRY(kw_pki_name(ORGANISATION, COMMON_NAME, &name));
    const struct kw_pki_about about = {
        .profile = KW_PKI_LOG_SIGNER,
        .issuer = kw_pki_cursor(&name),
        .subject = kw_pki_cursor(&name),
        .public_key = public_key,
        .serial = serial,
        .serial_size = sizeof serial,
        .not_before = kw_moment_of(now),
        .not_after = kw_moment_of(now + (time_t)VALID_DAYS * DAY),
    };
    return kw_pki_tbs(&about, tbs);
}

static kw_status make_certificate(struct kw_log_signer *signer, time_t now,
                                  struct kw_error *error) {
    struct kw_pki_bytes tbs;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    kw_authority_public(signer->authority, public_key);
    const kw_status status = describe(public_key, now, &tbs, error);
    if (status != KW_OK) {
        return kw_error_core(error, status,
                             "cannot make a log signer's certificate");
    }
    KW_TRY(kw_pki_sign(&tbs, signer->authority, &signer->certificate, error));
    signer->made = true;
    return kw_pki_write_file(signer->certificate_path, KW_PEM_CERTIFICATE,
                             &signer->certificate, error);
}

static kw_status read_certificate(struct kw_log_signer *signer,
                                  struct kw_error *error) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    const char *path = signer->certificate_path;
    KW_TRY(kw_pki_read_file(path, &signer->certificate, &signer->view, error));
    kw_authority_public(signer->authority, public_key);
    if (memcmp(public_key, signer->view.public_key, sizeof public_key) != 0) {
        kw_error(error, KW_NO,
                 "%s is not the certificate of the log signer's "
                 "key",
                 path);
        return kw_error_hint(error, "--ca FILE names the right one");
    }
    if (signer->view.subject_id == NULL) {
        return kw_error(error, KW_NO, "%s has no subject key identifier", path);
    }
    return KW_OK;
}

/* --- the protected header --- */

static kw_status prepare_header(struct kw_log_signer *signer) {
    char text[TEXT_MAX];
    char kid[32];
    char thumbprint[48];
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(kw_hash_bytes(&kw_openssl_hash, signer->certificate.der,
                         signer->certificate.size, digest));
    kid[kw_base64_encode(KW_BASE64URL, signer->view.subject_id, KW_KEY_ID_SIZE,
                         kid)] = '\0';
    thumbprint[kw_base64_encode(KW_BASE64URL, digest, sizeof digest,
                                thumbprint)] = '\0';
    const int size = snprintf(text, sizeof text,
                              "{\"typ\": \"JWT\", \"alg\": \"ES256\", \"kid\": "
                              "\"%s\", \"x5t#S256\": \"%s\"}",
                              kid, thumbprint);
    KW_ENSURE(kw_base64_length(KW_BASE64URL, (size_t)size) <=
                  KW_MANIFEST_PROTECTED_MAX,
              KW_PARSE_SIZE);
    signer->protected_size =
        kw_base64_encode(KW_BASE64URL, (const uint8_t *)text, (size_t)size,
                         signer->protected_text);
    return KW_OK;
}

/* --- opening --- */

static kw_status lost_key(const char *key, const char *certificate,
                          struct kw_error *error) {
    kw_error(error, KW_NO, "%s is missing, and %s is there", key, certificate);
    return kw_error_hint(error, "put the key back, or move the certificate "
                                "away: a new log signer is made then");
}

static kw_status make_own_key(const char *path, struct kw_error *error) {
    struct kw_key *key = NULL;
    KW_TRY(kw_key_make(&key, error));
    const kw_status status = kw_key_write(key, path, error);
    kw_key_free(key);
    return status;
}

static kw_status own_authority(const char *path, struct kw_log_signer *signer,
                               struct kw_error *error) {
    if (!kw_file_exists(path)) {
        if (kw_file_exists(signer->certificate_path)) {
            return lost_key(path, signer->certificate_path, error);
        }
        KW_TRY(make_own_key(path, error));
    }
    return kw_authority_open(path, &signer->authority, error);
}

static kw_status open_own(const struct kw_workspace *workspace,
                          struct kw_log_signer *signer,
                          struct kw_error *error) {
    char *folder = kw_workspace_path(workspace, "keys/log-signer");
    char *key = kw_workspace_path(workspace, "keys/log-signer/manifest_ca.key");
    char *place = kw_workspace_path(workspace, "manifest");
    kw_status status = folder == NULL || key == NULL || place == NULL
                           ? no_memory(error)
                           : kw_folder_make(folder, error);
    if (status == KW_OK) {
        status = kw_folder_make(place, error);
    }
    if (status == KW_OK) {
        status = own_authority(key, signer, error);
    }
    free(folder);
    free(key);
    free(place);
    return status;
}

static kw_status open_named(const struct kw_workspace *workspace,
                            const char *uri, time_t now,
                            struct kw_log_signer *signer,
                            struct kw_error *error) {
    KW_TRY(uri == NULL ? open_own(workspace, signer, error)
                       : kw_authority_open_in(workspace, uri,
                                              &signer->authority, error));
    if (!kw_file_exists(signer->certificate_path)) {
        KW_TRY(make_certificate(signer, now, error));
    }
    KW_TRY(read_certificate(signer, error));
    return prepare_header(signer);
}

/* For a million entries. */
static kw_status prepare_tools(struct kw_log_signer *signer,
                               struct kw_error *error) {
    signer->pairs = malloc(sizeof *signer->pairs);
    if (signer->pairs == NULL || kw_hasher_open(&signer->hasher) != KW_OK) {
        return no_memory(error);
    }
    kw_base64_pairs_make(KW_BASE64URL, signer->pairs);
    return KW_OK;
}

kw_status kw_log_signer_open(const struct kw_workspace *workspace,
                             const char *uri, const char *certificate,
                             time_t now, struct kw_log_signer *signer,
                             struct kw_error *error) {
    *signer = (struct kw_log_signer){.authority = NULL};
    signer->certificate_path = certificate != NULL
                                   ? strdup(certificate)
                                   : kw_log_signer_path(workspace);
    if (signer->certificate_path == NULL) {
        return no_memory(error);
    }
    kw_status status = open_named(workspace, uri, now, signer, error);
    if (status == KW_OK) {
        status = prepare_tools(signer, error);
    }
    if (status != KW_OK) {
        kw_log_signer_close(signer);
    }
    return status;
}

kw_status kw_manifest_check_now(const struct kw_log_signer *signer,
                                struct kw_error *error) {
    const struct kw_moment now = kw_moment_of(time(NULL));
    return kw_manifest_check_log_signer(&signer->view, &now,
                                        signer->certificate_path, error);
}

void kw_log_signer_close(struct kw_log_signer *signer) {
    kw_authority_close(signer->authority);
    kw_hasher_close(signer->hasher);
    free(signer->pairs);
    free(signer->certificate_path);
    *signer = (struct kw_log_signer){.authority = NULL};
}
