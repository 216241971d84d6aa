/* core/hash.h: the hash seam.
 *
 * What core needs of SHA-256 comes through this table: OpenSSL on a host
 * (host/openssl_hash.h), core/sha256.h or the chip's own SHA command on a
 * microcontroller. Knows core/status.h alone. */
#ifndef KW_CORE_HASH_H
#define KW_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define KW_SHA256_SIZE 32 /* bytes */
#define KW_SHA1_SIZE   20 /* bytes */

/* A run of bytes inside a message that is hashed. */
struct kw_span {
    const void *data;
    size_t size;
};

struct kw_hash {
    /* SHA-256 over the concatenation of the spans. On failure the digest is
     * all zero. */
    kw_status (*sha256)(void *self, const struct kw_span *spans, size_t count,
                        uint8_t digest[KW_SHA256_SIZE]);
    void *self;
};

static inline KW_MUST_USE kw_status
kw_hash_spans(const struct kw_hash *hash, const struct kw_span *spans,
              size_t count, uint8_t digest[KW_SHA256_SIZE]) {
    return hash->sha256(hash->self, spans, count, digest);
}

static inline KW_MUST_USE kw_status
kw_hash_bytes(const struct kw_hash *hash, const void *data, size_t size,
              uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span span = {data, size};
    return hash->sha256(hash->self, &span, 1, digest);
}

#endif
