#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/state.h"

#define BLOCK     64 /* bytes of SHA-256's input block */
#define SPANS_MAX 4

static void key_block(struct kw_span key, uint8_t constant,
                      uint8_t block[BLOCK]) {
    const uint8_t *bytes = key.data;
    memset(block, constant, BLOCK);
    for (size_t i = 0; i < key.size; i++) {
        block[i] = bytes[i] ^ constant;
    }
}

kw_status kw_sim_hmac(const struct kw_hash *hash, struct kw_span key,
                      const struct kw_span *message, size_t count,
                      uint8_t mac[KW_SHA256_SIZE]) {
    uint8_t block[BLOCK];
    uint8_t inner[KW_SHA256_SIZE];
    struct kw_span spans[1 + SPANS_MAX] = {{block, BLOCK}};
    const struct kw_span outer[] = {{block, BLOCK}, {inner, sizeof(inner)}};
    KW_ENSURE(key.size <= BLOCK && count <= SPANS_MAX, KW_USAGE);
    memcpy(spans + 1, message, count * sizeof(*message));
    key_block(key, 0x36, block);
    kw_status status = kw_hash_spans(hash, spans, 1 + count, inner);
    if (status == KW_OK) {
        key_block(key, 0x5C, block);
        status = kw_hash_spans(hash, outer, 2, mac);
    }
    kw_wipe(block, sizeof(block));
    kw_wipe(inner, sizeof(inner));
    return status;
}
