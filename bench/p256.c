#include "bench/p256.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

static bool read_public(struct p256 *pair) {
    uint8_t point[65]; /* 04, X, Y */
    size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(pair->key, OSSL_PKEY_PARAM_PUB_KEY,
                                        point, sizeof point, &size) != 1 ||
        size != sizeof point) {
        return false;
    }
    memcpy(pair->public_key, point + 1, sizeof pair->public_key);
    return true;
}

bool p256_make(struct p256 *pair) {
    *pair = (struct p256){.key = EVP_EC_gen("P-256")};
    if (pair->key == NULL) {
        return false;
    }
    pair->signing = EVP_PKEY_CTX_new(pair->key, NULL);
    pair->verifying = EVP_PKEY_CTX_new(pair->key, NULL);
    return pair->signing != NULL && pair->verifying != NULL &&
           EVP_PKEY_sign_init(pair->signing) == 1 &&
           EVP_PKEY_verify_init(pair->verifying) == 1 && read_public(pair);
}

void p256_free(struct p256 *pair) {
    EVP_PKEY_CTX_free(pair->signing);
    EVP_PKEY_CTX_free(pair->verifying);
    EVP_PKEY_free(pair->key);
    *pair = (struct p256){.key = NULL};
}

bool p256_sign_der(struct p256 *pair, const uint8_t digest[32],
                   uint8_t der[P256_DER_MAX], size_t *size) {
    *size = P256_DER_MAX;
    return EVP_PKEY_sign(pair->signing, der, size, digest, 32) == 1;
}

bool p256_verify_der(struct p256 *pair, const uint8_t digest[32],
                     const uint8_t *der, size_t size) {
    return EVP_PKEY_verify(pair->verifying, der, size, digest, 32) == 1;
}

bool p256_sign(struct p256 *pair, const uint8_t digest[32],
               uint8_t signature[64]) {
    uint8_t der[P256_DER_MAX];
    const uint8_t *at = der;
    size_t size = 0;
    if (!p256_sign_der(pair, digest, der, &size)) {
        return false;
    }
    ECDSA_SIG *decoded = d2i_ECDSA_SIG(NULL, &at, (long)size);
    const bool fine =
        decoded != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(decoded), signature, 32) == 32 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(decoded), signature + 32, 32) == 32;
    ECDSA_SIG_free(decoded);
    return fine;
}
