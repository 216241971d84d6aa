/* sim/atecc608/crypto.h: the mathematics of the emulated chip.
 *
 * OpenSSL does it, behind sim/atecc608/crypto.c alone. The table can be
 * replaced: a test's failing double shows that no internal failure ever
 * answers 00, a test's counting generator makes answers reproducible.
 * Public keys are X, Y; signatures R, S; scalars 32 bytes, big-endian.
 *
 * Knows core/status.h and core/hash.h. */
#ifndef KW_SIM_ATECC608_CRYPTO_H
#define KW_SIM_ATECC608_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "core/status.h"

struct kw_sim_crypto {
    /* All answer KW_SYSTEM_CRYPTO when the library fails; outputs are then
     * wiped. The context serves one call at a time: it may hold objects of
     * the library, and no key between two calls. */
    kw_status (*open)(void **context);
    void (*close)(void *context);
    kw_status (*random)(void *context, uint8_t *bytes, size_t size);
    struct kw_hash (*hash)(void *context);
    kw_status (*key_make)(void *context, uint8_t private_key[32]);
    /* KW_PARSE_KEY: the scalar is 0 or not below the group's order. */
    kw_status (*key_public)(void *context, const uint8_t private_key[32],
                            uint8_t public_key[64]);
    kw_status (*sign)(void *context, const uint8_t private_key[32],
                      const uint8_t digest[32], uint8_t signature[64]);
    /* KW_OK, KW_NO_SIGNATURE, or KW_PARSE_KEY: the key is not on the
     * curve. */
    kw_status (*verify)(void *context, const uint8_t public_key[64],
                        const uint8_t digest[32], const uint8_t signature[64]);
    /* X of the private key times the public one (SP 800-56A 5.7.1.2).
     * KW_PARSE_KEY: no scalar, as above; KW_PARSE: not on the curve. */
    kw_status (*ecdh)(void *context, const uint8_t private_key[32],
                      const uint8_t public_key[64], uint8_t secret[32]);
    /* One block of AES-128 (FIPS 197). */
    kw_status (*aes128)(void *context, const uint8_t key[16], bool decrypt,
                        const uint8_t input[16], uint8_t output[16]);
    /* SHA-256's compression of one block into a running state: the SHA
     * command's context can be read out between any two blocks, which a
     * whole-message hash cannot give. On failure the state is unchanged. */
    kw_status (*sha256_block)(void *context, uint32_t state[8],
                              const uint8_t block[64]);
};

extern const struct kw_sim_crypto kw_sim_crypto_openssl;

#endif
