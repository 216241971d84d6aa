#include "host/openssl_hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "core/bytes.h"

static bool digest_spans(EVP_MD_CTX *context, const EVP_MD *sha256,
                         const struct kw_span *spans, size_t count,
                         uint8_t digest[KW_SHA256_SIZE]) {
    bool done = EVP_DigestInit_ex2(context, sha256, NULL) == 1;
    for (size_t i = 0; done && i < count; i++) {
        done = EVP_DigestUpdate(context, spans[i].data, spans[i].size) == 1;
    }
    return done && EVP_DigestFinal_ex(context, digest, NULL) == 1;
}

static kw_status answer(bool done, uint8_t digest[KW_SHA256_SIZE]) {
    if (!done) {
        kw_wipe(digest, KW_SHA256_SIZE);
        return KW_SYSTEM_CRYPTO;
    }
    return KW_OK;
}

static kw_status sha256(void *self, const struct kw_span *spans, size_t count,
                        uint8_t digest[KW_SHA256_SIZE]) {
    (void)self;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool done = context != NULL &&
                      digest_spans(context, EVP_sha256(), spans, count, digest);
    EVP_MD_CTX_free(context);
    return answer(done, digest);
}

const struct kw_hash kw_openssl_hash = {sha256, NULL};

/* --- many digests --- */

struct kw_hasher {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
};

kw_status kw_hasher_open(struct kw_hasher **hasher) {
    struct kw_hasher *made = calloc(1, sizeof *made);
    KW_ENSURE(made != NULL, KW_SYSTEM_MEMORY);
    made->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    made->context = EVP_MD_CTX_new();
    if (made->sha256 == NULL || made->context == NULL) {
        kw_hasher_close(made);
        return KW_SYSTEM_CRYPTO;
    }
    *hasher = made;
    return KW_OK;
}

void kw_hasher_close(struct kw_hasher *hasher) {
    if (hasher != NULL) {
        EVP_MD_CTX_free(hasher->context);
        EVP_MD_free(hasher->sha256);
        free(hasher);
    }
}

kw_status kw_hasher_spans(struct kw_hasher *hasher, const struct kw_span *spans,
                          size_t count, uint8_t digest[KW_SHA256_SIZE]) {
    return answer(
        digest_spans(hasher->context, hasher->sha256, spans, count, digest),
        digest);
}
