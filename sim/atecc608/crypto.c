/* The low-level EC_KEY, SHA256_CTX and AES_KEY functions are used on purpose:
 * they are marked deprecated, but building an EVP_PKEY for a key that is used
 * once costs as much as the signature itself. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "sim/atecc608/crypto.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/aes.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "core/bytes.h"

#define SCALAR_SIZE 32 /* bytes of a P-256 scalar or coordinate */

/* One of each object, reused by every call: no allocation a call but those
 * that OpenSSL makes itself. No key stays in it after a call. */
struct context {
    EC_KEY *signer;
    EC_KEY *verifier;
    EC_POINT *point;
    BN_CTX *scratch;
    BIGNUM *first;
    BIGNUM *second;
};

static const EC_GROUP *group_of(const struct context *context) {
    return EC_KEY_get0_group(context->signer);
}

static void context_close(void *opaque) {
    struct context *context = opaque;
    if (context == NULL) {
        return;
    }
    EC_KEY_free(context->signer);
    EC_KEY_free(context->verifier);
    EC_POINT_clear_free(context->point);
    BN_CTX_free(context->scratch);
    BN_clear_free(context->first);
    BN_clear_free(context->second);
    free(context);
}

static bool context_fill(struct context *context) {
    context->signer = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    context->verifier = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    context->scratch = BN_CTX_new();
    context->first = BN_new();
    context->second = BN_new();
    if (context->signer == NULL || context->verifier == NULL ||
        context->scratch == NULL || context->first == NULL ||
        context->second == NULL) {
        return false;
    }
    context->point = EC_POINT_new(group_of(context));
    return context->point != NULL;
}

static kw_status context_open(void **opaque) {
    struct context *context = calloc(1, sizeof(*context));
    *opaque = NULL;
    KW_ENSURE(context != NULL, KW_SYSTEM_MEMORY);
    if (!context_fill(context)) {
        context_close(context);
        ERR_clear_error();
        return KW_SYSTEM_CRYPTO;
    }
    *opaque = context;
    return KW_OK;
}

/* Forgets what a failed call left: outputs and OpenSSL's error queue. */
static kw_status failed(kw_status status, void *output, size_t size) {
    kw_wipe(output, size);
    ERR_clear_error();
    return status;
}

static kw_status random_bytes(void *opaque, uint8_t *bytes, size_t size) {
    (void)opaque;
    if (size > INT32_MAX || RAND_bytes(bytes, (int)size) != 1) {
        return failed(KW_SYSTEM_CRYPTO, bytes, size);
    }
    return KW_OK;
}

static kw_status sha256_spans(void *opaque, const struct kw_span *spans,
                              size_t count, uint8_t digest[KW_SHA256_SIZE]) {
    (void)opaque;
    SHA256_CTX state;
    int fine = SHA256_Init(&state);
    for (size_t i = 0; i < count; i++) {
        fine &= SHA256_Update(&state, spans[i].data, spans[i].size);
    }
    fine &= SHA256_Final(digest, &state);
    kw_wipe(&state, sizeof(state));
    return fine == 1 ? KW_OK : failed(KW_SYSTEM_CRYPTO, digest, KW_SHA256_SIZE);
}

static struct kw_hash hash(void *opaque) {
    return (struct kw_hash){.sha256 = sha256_spans, .self = opaque};
}

static kw_status sha256_block(void *opaque, uint32_t state[8],
                              const uint8_t block[64]) {
    (void)opaque;
    SHA256_CTX running;
    KW_ENSURE(SHA256_Init(&running) == 1, KW_SYSTEM_CRYPTO);
    for (size_t i = 0; i < 8; i++) {
        running.h[i] = state[i];
    }
    SHA256_Transform(&running, block);
    for (size_t i = 0; i < 8; i++) {
        state[i] = running.h[i];
    }
    kw_wipe(&running, sizeof(running));
    return KW_OK;
}

/* Loads a private scalar; KW_PARSE_KEY unless 0 < scalar < order. */
static kw_status load_scalar(struct context *context,
                             const uint8_t private_key[SCALAR_SIZE]) {
    BIGNUM *scalar = context->first;
    KW_ENSURE(BN_bin2bn(private_key, SCALAR_SIZE, scalar) != NULL,
              KW_SYSTEM_CRYPTO);
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    const BIGNUM *order = EC_GROUP_get0_order(group_of(context));
    const bool in_range = !BN_is_zero(scalar) && BN_cmp(scalar, order) < 0;
    return in_range ? KW_OK : KW_PARSE_KEY;
}

static kw_status key_make(void *opaque, uint8_t private_key[SCALAR_SIZE]) {
    struct context *context = opaque;
    kw_status status = KW_PARSE_KEY;
    /* One try in 2^32 is not below the order. */
    for (unsigned tries = 0; tries < 8 && status == KW_PARSE_KEY; tries++) {
        status = RAND_priv_bytes(private_key, SCALAR_SIZE) == 1
                     ? load_scalar(context, private_key)
                     : KW_SYSTEM_CRYPTO;
    }
    BN_clear(context->first);
    return status == KW_OK ? KW_OK
                           : failed(KW_SYSTEM_CRYPTO, private_key, SCALAR_SIZE);
}

static bool put(const BIGNUM *number, uint8_t bytes[SCALAR_SIZE]) {
    return BN_bn2binpad(number, bytes, SCALAR_SIZE) == SCALAR_SIZE;
}

static kw_status multiply(struct context *context, uint8_t public_key[64]) {
    const EC_GROUP *group = group_of(context);
    const bool fine = EC_POINT_mul(group, context->point, context->first, NULL,
                                   NULL, context->scratch) == 1 &&
                      EC_POINT_get_affine_coordinates(
                          group, context->point, context->first,
                          context->second, context->scratch) == 1 &&
                      put(context->first, public_key) &&
                      put(context->second, public_key + SCALAR_SIZE);
    return fine ? KW_OK : KW_SYSTEM_CRYPTO;
}

static kw_status key_public(void *opaque,
                            const uint8_t private_key[SCALAR_SIZE],
                            uint8_t public_key[64]) {
    struct context *context = opaque;
    kw_status status = load_scalar(context, private_key);
    if (status == KW_OK) {
        status = multiply(context, public_key);
    }
    BN_clear(context->first);
    return status == KW_OK ? KW_OK : failed(status, public_key, 64);
}

static kw_status sign_loaded(struct context *context, const uint8_t digest[32],
                             uint8_t signature[64]) {
    KW_ENSURE(EC_KEY_set_private_key(context->signer, context->first) == 1,
              KW_SYSTEM_CRYPTO);
    ECDSA_SIG *pair = ECDSA_do_sign(digest, 32, context->signer);
    /* NULL wipes the copy of the scalar; OpenSSL answers 0 to it always. */
    (void)EC_KEY_set_private_key(context->signer, NULL);
    KW_ENSURE(pair != NULL, KW_SYSTEM_CRYPTO);
    const bool fine = put(ECDSA_SIG_get0_r(pair), signature) &&
                      put(ECDSA_SIG_get0_s(pair), signature + SCALAR_SIZE);
    ECDSA_SIG_free(pair);
    return fine ? KW_OK : KW_SYSTEM_CRYPTO;
}

static kw_status sign(void *opaque, const uint8_t private_key[SCALAR_SIZE],
                      const uint8_t digest[32], uint8_t signature[64]) {
    struct context *context = opaque;
    kw_status status = load_scalar(context, private_key);
    if (status == KW_OK) {
        status = sign_loaded(context, digest, signature);
    }
    BN_clear(context->first);
    return status == KW_OK ? KW_OK : failed(status, signature, 64);
}

/* OpenSSL reduces coordinates modulo the field before it looks whether the
 * point is on the curve; a key has one encoding only, so look first. */
static kw_status load_public(struct context *context,
                             const uint8_t public_key[64]) {
    const EC_GROUP *group = group_of(context);
    const BIGNUM *field = EC_GROUP_get0_field(group);
    KW_ENSURE(BN_bin2bn(public_key, SCALAR_SIZE, context->first) != NULL &&
                  BN_bin2bn(public_key + SCALAR_SIZE, SCALAR_SIZE,
                            context->second) != NULL,
              KW_SYSTEM_CRYPTO);
    KW_ENSURE(BN_cmp(context->first, field) < 0 &&
                  BN_cmp(context->second, field) < 0,
              KW_PARSE_KEY);
    if (EC_POINT_set_affine_coordinates(group, context->point, context->first,
                                        context->second,
                                        context->scratch) != 1) {
        const int reason = ERR_GET_REASON(ERR_peek_last_error());
        return reason == EC_R_POINT_IS_NOT_ON_CURVE ? KW_PARSE_KEY
                                                    : KW_SYSTEM_CRYPTO;
    }
    return EC_KEY_set_public_key(context->verifier, context->point) == 1
               ? KW_OK
               : KW_SYSTEM_CRYPTO;
}

/* NULL without memory. */
static ECDSA_SIG *load_signature(const uint8_t signature[64]) {
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, SCALAR_SIZE, NULL);
    BIGNUM *s = BN_bin2bn(signature + SCALAR_SIZE, SCALAR_SIZE, NULL);
    if (pair != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(pair, r, s) == 1) {
        return pair;
    }
    ECDSA_SIG_free(pair);
    BN_free(r);
    BN_free(s);
    return NULL;
}

static kw_status verify_loaded(struct context *context,
                               const uint8_t digest[32],
                               const uint8_t signature[64]) {
    ECDSA_SIG *pair = load_signature(signature);
    KW_ENSURE(pair != NULL, KW_SYSTEM_CRYPTO);
    const int answer = ECDSA_do_verify(digest, 32, pair, context->verifier);
    ECDSA_SIG_free(pair);
    if (answer == 1) {
        return KW_OK;
    }
    return answer == 0 ? KW_NO_SIGNATURE : KW_SYSTEM_CRYPTO;
}

static kw_status verify(void *opaque, const uint8_t public_key[64],
                        const uint8_t digest[32], const uint8_t signature[64]) {
    struct context *context = opaque;
    kw_status status = load_public(context, public_key);
    if (status == KW_OK) {
        status = verify_loaded(context, digest, signature);
    }
    if (status != KW_OK) {
        ERR_clear_error();
    }
    return status;
}

/* The scalar waits in its own number while the point is loaded through the
 * context's. The order is a prime, so the product is never the point at
 * infinity. */
static kw_status ecdh_product(struct context *context,
                              const uint8_t public_key[64],
                              const BIGNUM *scalar, uint8_t secret[32]) {
    const EC_GROUP *group = group_of(context);
    const kw_status status = load_public(context, public_key);
    KW_ENSURE(status != KW_PARSE_KEY, KW_PARSE);
    KW_TRY(status);
    const bool fine =
        EC_POINT_mul(group, context->point, NULL, context->point, scalar,
                     context->scratch) == 1 &&
        EC_POINT_get_affine_coordinates(group, context->point, context->first,
                                        NULL, context->scratch) == 1 &&
        put(context->first, secret);
    return fine ? KW_OK : KW_SYSTEM_CRYPTO;
}

static kw_status ecdh(void *opaque, const uint8_t private_key[SCALAR_SIZE],
                      const uint8_t public_key[64],
                      uint8_t secret[SCALAR_SIZE]) {
    struct context *context = opaque;
    BIGNUM *scalar = NULL;
    kw_status status = load_scalar(context, private_key);
    if (status == KW_OK) {
        scalar = BN_dup(context->first);
        status = scalar != NULL
                     ? ecdh_product(context, public_key, scalar, secret)
                     : KW_SYSTEM_MEMORY;
    }
    BN_clear_free(scalar);
    BN_clear(context->first);
    return status == KW_OK ? KW_OK : failed(status, secret, SCALAR_SIZE);
}

static kw_status aes128(void *opaque, const uint8_t key[16], bool decrypt,
                        const uint8_t input[16], uint8_t output[16]) {
    (void)opaque;
    AES_KEY schedule;
    const int bad = decrypt ? AES_set_decrypt_key(key, 128, &schedule)
                            : AES_set_encrypt_key(key, 128, &schedule);
    if (bad != 0) {
        return failed(KW_SYSTEM_CRYPTO, output, 16);
    }
    if (decrypt) {
        AES_decrypt(input, output, &schedule);
    } else {
        AES_encrypt(input, output, &schedule);
    }
    kw_wipe(&schedule, sizeof(schedule));
    return KW_OK;
}

const struct kw_sim_crypto kw_sim_crypto_openssl = {
    .open = context_open,
    .close = context_close,
    .random = random_bytes,
    .hash = hash,
    .key_make = key_make,
    .key_public = key_public,
    .sign = sign,
    .verify = verify,
    .ecdh = ecdh,
    .aes128 = aes128,
    .sha256_block = sha256_block,
};
