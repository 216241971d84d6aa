#include "core/sha_blocks.h"

#include <string.h>

#include "core/bytes.h"

#define LENGTH_OFFSET (KW_SHA_BLOCK_SIZE - 8)

static size_t fill_of(const struct kw_sha_blocks *blocks) {
    return (size_t)(blocks->size % KW_SHA_BLOCK_SIZE);
}

void kw_sha_blocks_init(struct kw_sha_blocks *blocks, const uint32_t *state,
                        size_t words) {
    memset(blocks, 0, sizeof *blocks);
    memcpy(blocks->state, state, words * sizeof *state);
}

/* Always through the block: the data may lie at an odd address. */
void kw_sha_blocks_update(struct kw_sha_blocks *blocks,
                          kw_sha_compress *compress, const void *data,
                          size_t size) {
    const uint8_t *bytes = data;
    while (size > 0) {
        const size_t fill = fill_of(blocks);
        const size_t room = KW_SHA_BLOCK_SIZE - fill;
        const size_t taken = size < room ? size : room;
        memcpy(blocks->block + fill, bytes, taken);
        blocks->size += taken;
        bytes += taken;
        size -= taken;
        if (taken == room) {
            compress(blocks->state, blocks->block);
        }
    }
}

static void pad(struct kw_sha_blocks *blocks, kw_sha_compress *compress) {
    size_t fill = fill_of(blocks);
    blocks->block[fill++] = 0x80;
    if (fill > LENGTH_OFFSET) {
        memset(blocks->block + fill, 0, KW_SHA_BLOCK_SIZE - fill);
        compress(blocks->state, blocks->block);
        fill = 0;
    }
    memset(blocks->block + fill, 0, LENGTH_OFFSET - fill);
    const uint64_t bits = blocks->size << 3;
    kw_store_be32(blocks->block + LENGTH_OFFSET, (uint32_t)(bits >> 32));
    kw_store_be32(blocks->block + LENGTH_OFFSET + 4, (uint32_t)bits);
    compress(blocks->state, blocks->block);
}

void kw_sha_blocks_final(struct kw_sha_blocks *blocks,
                         kw_sha_compress *compress, uint8_t *digest,
                         size_t words) {
    pad(blocks, compress);
    for (size_t i = 0; i < words; i++) {
        kw_store_be32(digest + 4 * i, blocks->state[i]);
    }
    kw_wipe(blocks, sizeof *blocks);
}
