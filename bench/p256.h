/* bench/p256.h: P-256 keys of OpenSSL, as `openssl speed` uses them: one
 * EVP context a key and direction, made once.
 *
 * Signatures and keys outside of OpenSSL are 64 bytes, R S and X Y. All
 * answer false when OpenSSL fails. Knows OpenSSL alone. */
#ifndef KW_BENCH_P256_H
#define KW_BENCH_P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define P256_DER_MAX 80 /* bytes of an encoded signature; 72 at most */

struct p256 {
    EVP_PKEY *key;
    EVP_PKEY_CTX *signing;
    EVP_PKEY_CTX *verifying;
    uint8_t public_key[64];
};

/* A new key pair. */
bool p256_make(struct p256 *pair);
void p256_free(struct p256 *pair);

/* The loops of `openssl speed ecdsap256` do these two. */
bool p256_sign_der(struct p256 *pair, const uint8_t digest[32],
                   uint8_t der[P256_DER_MAX], size_t *size);
bool p256_verify_der(struct p256 *pair, const uint8_t digest[32],
                     const uint8_t *der, size_t size);

/* R and S. */
bool p256_sign(struct p256 *pair, const uint8_t digest[32],
               uint8_t signature[64]);

#endif
