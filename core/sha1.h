/* core/sha1.h: SHA-1 for key identifiers and name hashes.
 *
 * Source: FIPS 180-4 section 6.1. SHA-1 protects nothing here: X.509 key
 * identifiers (RFC 5280 4.2.1.2) and the root store's name hashes are
 * names. Never sign or authenticate with it.
 *
 * Knows core/hash.h and core/sha_blocks.h. */
#ifndef KW_CORE_SHA1_H
#define KW_CORE_SHA1_H

#include "core/hash.h"
#include "core/sha_blocks.h"

struct kw_sha1 {
    struct kw_sha_blocks blocks;
};

void kw_sha1_init(struct kw_sha1 *sha);
/* Data may be NULL when the size is 0. */
void kw_sha1_update(struct kw_sha1 *sha, const void *data, size_t size);
/* Writes the digest and wipes the context; init starts another message. */
void kw_sha1_final(struct kw_sha1 *sha, uint8_t digest[KW_SHA1_SIZE]);

/* The digest of one run of bytes. */
void kw_sha1_of(const void *data, size_t size, uint8_t digest[KW_SHA1_SIZE]);

#endif
