#include "host/openssl_hash.h"

#include <openssl/evp.h>

#include "core/bytes.h"

static bool digest_spans(EVP_MD_CTX *context, const struct kw_span *spans,
                         size_t count, uint8_t digest[KW_SHA256_SIZE]) {
    bool done = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; done && i < count; i++) {
        done = EVP_DigestUpdate(context, spans[i].data, spans[i].size) == 1;
    }
    return done && EVP_DigestFinal_ex(context, digest, NULL) == 1;
}

static kw_status sha256(void *self, const struct kw_span *spans, size_t count,
                        uint8_t digest[KW_SHA256_SIZE]) {
    (void)self;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool done =
        context != NULL && digest_spans(context, spans, count, digest);
    EVP_MD_CTX_free(context);
    if (!done) {
        kw_wipe(digest, KW_SHA256_SIZE);
        return KW_SYSTEM_CRYPTO;
    }
    return KW_OK;
}

const struct kw_hash kw_openssl_hash = {sha256, NULL};
