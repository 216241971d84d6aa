#include "host/certs/pki_verify.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/openssl_hash.h"

#define POINT_SIZE        65
#define SIGNATURE_DER_MAX 72

struct kw_verifier {
    EVP_PKEY *key;
    EVP_PKEY_CTX *context;
};

/* --- the key --- */

static EVP_PKEY *make_key(OSSL_PARAM *parameters) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) !=
            1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *key_of(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t point[POINT_SIZE] = {4};
    char group[] = "prime256v1";
    memcpy(point + 1, public_key, KW_PUBLIC_KEY_SIZE);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                          sizeof point),
        OSSL_PARAM_construct_end(),
    };
    return make_key(parameters);
}

kw_status kw_verifier_open(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                           struct kw_verifier **verifier) {
    struct kw_verifier *opened = calloc(1, sizeof *opened);
    KW_ENSURE(opened != NULL, KW_SYSTEM_MEMORY);
    opened->key = key_of(public_key);
    opened->context = opened->key == NULL
                          ? NULL
                          : EVP_PKEY_CTX_new_from_pkey(NULL, opened->key, NULL);
    if (opened->context == NULL || EVP_PKEY_verify_init(opened->context) != 1) {
        const bool is_key = opened->key != NULL;
        kw_verifier_close(opened);
        return is_key ? KW_SYSTEM_CRYPTO : KW_PARSE_KEY;
    }
    *verifier = opened;
    return KW_OK;
}

void kw_verifier_close(struct kw_verifier *verifier) {
    if (verifier != NULL) {
        EVP_PKEY_CTX_free(verifier->context);
        EVP_PKEY_free(verifier->key);
        free(verifier);
    }
}

kw_status kw_verifier_digest(struct kw_verifier *verifier,
                             const uint8_t digest[KW_SHA256_SIZE],
                             const uint8_t signature[KW_SIGNATURE_SIZE]) {
    uint8_t der[SIGNATURE_DER_MAX];
    struct kw_der_writer writer;
    struct kw_der written;
    kw_der_begin(&writer, der, sizeof der);
    kw_der_put_signature(&writer, signature);
    KW_TRY(kw_der_finish(&writer, &written));
    return EVP_PKEY_verify(verifier->context, written.at, written.left, digest,
                           KW_SHA256_SIZE) == 1
               ? KW_OK
               : KW_NO_SIGNATURE;
}

kw_status kw_verifier_certificate(struct kw_verifier *verifier,
                                  const struct kw_pki_view *view) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(
        kw_hash_bytes(&kw_openssl_hash, view->tbs.at, view->tbs.left, digest));
    return kw_verifier_digest(verifier, digest, view->signature);
}

/* --- a link --- */

static kw_status no(const char **words, const char *why) {
    *words = why;
    return KW_NO;
}

static bool same(struct kw_der left, struct kw_der right) {
    return kw_der_is(&left, right.at, right.left);
}

static bool ids_fit(const struct kw_pki_view *issuer,
                    const struct kw_pki_view *subject) {
    return subject->authority_id == NULL || issuer->subject_id == NULL ||
           memcmp(subject->authority_id, issuer->subject_id, KW_KEY_ID_SIZE) ==
               0;
}

kw_status kw_pki_check_link(const struct kw_pki_view *issuer,
                            const struct kw_pki_view *subject,
                            const char **words) {
    *words = NULL;
    if (!same(subject->issuer, issuer->subject)) {
        return no(words, "its issuer's name is not the subject of the "
                         "certificate above it");
    }
    if (!ids_fit(issuer, subject)) {
        return no(words, "its authority key identifier names another key");
    }
    if (!issuer->is_ca ||
        (issuer->has_key_usage && !issuer->may_sign_certificates)) {
        return no(words, "the certificate above it may not issue any");
    }
    if (issuer->has_path_length && issuer->path_length == 0 && subject->is_ca) {
        return no(words, "the certificate above it may issue no CA");
    }
    return KW_OK;
}

kw_status kw_pki_check_nesting(const struct kw_pki_view *issuer,
                               const struct kw_pki_view *subject,
                               const char **words) {
    *words = NULL;
    if (kw_moment_order(&subject->not_before, &issuer->not_before) < 0) {
        return no(words, "it begins before the certificate above it");
    }
    if (kw_moment_order(&subject->not_after, &issuer->not_after) > 0) {
        return no(words, "it ends after the certificate above it");
    }
    return KW_OK;
}

kw_status kw_pki_check_time(const struct kw_pki_view *view,
                            const struct kw_moment *at, const char **words) {
    *words = NULL;
    if (kw_moment_order(at, &view->not_before) < 0) {
        return no(words, "it is not valid yet");
    }
    if (kw_moment_order(at, &view->not_after) > 0) {
        return no(words, "it has expired");
    }
    return KW_OK;
}

/* --- a chain --- */

static kw_status check_signature(const struct kw_pki_view *issuer,
                                 const struct kw_pki_view *subject,
                                 const char **words) {
    struct kw_verifier *verifier = NULL;
    kw_status status = kw_verifier_open(issuer->public_key, &verifier);
    if (status == KW_OK) {
        status = kw_verifier_certificate(verifier, subject);
        kw_verifier_close(verifier);
    }
    *words = status == KW_NO_SIGNATURE
                 ? "its signature is not by the key of the certificate above it"
                 : "the key of the certificate above it cannot verify";
    return status;
}

static kw_status check_one(const struct kw_pki_view *chain, size_t index,
                           const struct kw_moment *at, const char **words) {
    const struct kw_pki_view *view = &chain[index];
    if (index > 0) {
        KW_TRY(check_signature(&chain[index - 1], view, words));
        KW_TRY(kw_pki_check_link(&chain[index - 1], view, words));
    }
    return at == NULL ? KW_OK : kw_pki_check_time(view, at, words);
}

kw_status kw_pki_check_chain(const struct kw_pki_view *chain,
                             const char *const *names, size_t count,
                             const struct kw_moment *at,
                             struct kw_error *error) {
    for (size_t i = 0; i < count; i++) {
        const char *words = NULL;
        const kw_status status = check_one(chain, i, at, &words);
        if (status != KW_OK) {
            return kw_error(error, status,
                            "the %s certificate does not "
                            "verify: %s",
                            names[i], words);
        }
    }
    return KW_OK;
}
