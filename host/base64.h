/* host/base64.h: base64 of both alphabets, without a heap.
 *
 * Bundles and manifests hold base64url without padding; the certificates in a
 * manifest standard base64 with padding (RFC 4648, 4 and 5; RFC 7515, 4.1.6).
 * Knows core/status.h alone. */
#ifndef KW_HOST_BASE64_H
#define KW_HOST_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum kw_base64 {
    KW_BASE64URL = 0x40,     /* without padding */
    KW_BASE64_PADDED = 0x80, /* the standard alphabet */
};

/* Characters of so many bytes, without a NUL. */
size_t kw_base64_length(enum kw_base64 kind, size_t size);
/* Answers the length; writes no NUL. */
size_t kw_base64_encode(enum kw_base64 kind, const uint8_t *bytes, size_t size,
                        char *text);

/* For much text: two characters at a time, from a table that is made once. */
struct kw_base64_pairs {
    char of[4096][2]; /* of 12 bits */
};
void kw_base64_pairs_make(enum kw_base64 kind, struct kw_base64_pairs *pairs);
/* Answers the length of the whole triples of bytes alone, which it takes. */
size_t kw_base64_encode_triples(const struct kw_base64_pairs *pairs,
                                const uint8_t *bytes, size_t size, char *text);

/* Canonical text alone: no foreign character, no spare bit, padding exactly
 * where it belongs. KW_PARSE; KW_PARSE_SIZE: more than `room` bytes. */
KW_MUST_USE kw_status kw_base64_decode(enum kw_base64 kind, const char *text,
                                       size_t length, uint8_t *bytes,
                                       size_t room, size_t *size);

#endif
