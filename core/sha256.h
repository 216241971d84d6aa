/* core/sha256.h: SHA-256 for a processor without a crypto library.
 *
 * Source: FIPS 180-4 section 6.2. Small rather than fast: no unrolling, 64
 * bytes of schedule. What was hashed may be a secret, so final wipes the
 * context. The table is the hash seam on a microcontroller and in files of
 * the emulator; a host hashes with OpenSSL.
 *
 * Knows core/hash.h and core/sha_blocks.h. */
#ifndef KW_CORE_SHA256_H
#define KW_CORE_SHA256_H

#include "core/hash.h"
#include "core/sha_blocks.h"

struct kw_sha256 {
    struct kw_sha_blocks blocks;
};

void kw_sha256_init(struct kw_sha256 *sha);
/* Data may be NULL when the size is 0. */
void kw_sha256_update(struct kw_sha256 *sha, const void *data, size_t size);
/* Writes the digest and wipes the context; init starts another message. */
void kw_sha256_final(struct kw_sha256 *sha, uint8_t digest[KW_SHA256_SIZE]);

/* The digest of one run of bytes. */
void kw_sha256_of(const void *data, size_t size,
                  uint8_t digest[KW_SHA256_SIZE]);

/* This implementation behind the seam of core/hash.h; never fails. */
extern const struct kw_hash kw_sha256_hash;

#endif
