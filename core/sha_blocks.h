/* core/sha_blocks.h: what SHA-1 and SHA-256 have in common.
 *
 * Both cut the message into blocks of 64 bytes and pad it with a bit 1,
 * zeros and its length in bits, 8 bytes big-endian.
 * Source: FIPS 180-4 sections 5.1.1 (padding) and 5.2.1 (blocks).
 *
 * For core/sha1.c and core/sha256.c. Knows core/bytes.h alone. */
#ifndef KW_CORE_SHA_BLOCKS_H
#define KW_CORE_SHA_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define KW_SHA_BLOCK_SIZE 64 /* bytes */
#define KW_SHA_WORDS      8  /* of SHA-256; SHA-1 uses five of them */

struct kw_sha_blocks {
    uint32_t state[KW_SHA_WORDS];
    uint64_t size; /* bytes taken so far */
    uint8_t block[KW_SHA_BLOCK_SIZE];
};

/* Folds one block into the state. */
typedef void kw_sha_compress(uint32_t state[KW_SHA_WORDS],
                             const uint8_t block[KW_SHA_BLOCK_SIZE]);

void kw_sha_blocks_init(struct kw_sha_blocks *blocks, const uint32_t *state,
                        size_t words);
void kw_sha_blocks_update(struct kw_sha_blocks *blocks,
                          kw_sha_compress *compress, const void *data,
                          size_t size);
/* Pads, writes this many words of the state, big-endian, and wipes. */
void kw_sha_blocks_final(struct kw_sha_blocks *blocks,
                         kw_sha_compress *compress, uint8_t *digest,
                         size_t words);

#endif
