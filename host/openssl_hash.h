/* host/openssl_hash.h: the hash seam of core/hash.h, by OpenSSL.
 * Knows core/hash.h. */
#ifndef KW_HOST_OPENSSL_HASH_H
#define KW_HOST_OPENSSL_HASH_H

#include "core/hash.h"

extern const struct kw_hash kw_openssl_hash;

/* The same with OpenSSL's part prepared once, for many digests by one
 * thread. */
struct kw_hasher;
KW_MUST_USE kw_status kw_hasher_open(struct kw_hasher **hasher);
void kw_hasher_close(struct kw_hasher *hasher);
KW_MUST_USE kw_status kw_hasher_spans(struct kw_hasher *hasher,
                                      const struct kw_span *spans, size_t count,
                                      uint8_t digest[KW_SHA256_SIZE]);

#endif
