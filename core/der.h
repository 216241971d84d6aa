/* core/der.h: DER by a cursor, and written from its end.
 *
 * Reading: a cursor is a run of bytes; each call takes one element from its
 * front. What is not DER is refused: indefinite and overlong lengths, tags
 * of several bytes, elements longer than what is there. Nothing is copied.
 *
 * Writing: the last element first, each in front of what is there, because
 * a length is known when its content is. Where the buffer is full, `full`
 * is set and stays; nobody needs to ask before the end.
 *
 * Source: ITU-T X.690, sections 8 and 10. Knows core/status.h alone.
 * No heap. */
#ifndef KW_CORE_DER_H
#define KW_CORE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum {
    KW_DER_BOOLEAN = 0x01,
    KW_DER_INTEGER = 0x02,
    KW_DER_BIT_STRING = 0x03,
    KW_DER_OCTET_STRING = 0x04,
    KW_DER_OID = 0x06,
    KW_DER_UTF8 = 0x0C,
    KW_DER_PRINTABLE = 0x13,
    KW_DER_UTC_TIME = 0x17,
    KW_DER_GENERALIZED_TIME = 0x18,
    KW_DER_SEQUENCE = 0x30,
    KW_DER_SET = 0x31,
    KW_DER_CONTEXT_0 = 0x80, /* context-specific, primitive */
    KW_DER_EXPLICIT_0 = 0xA0 /* context-specific, constructed */
};

/* --- reading --- */

struct kw_der {
    const uint8_t *at;
    size_t left;
};

struct kw_der_item {
    uint8_t tag;
    struct kw_der content;
    struct kw_der whole; /* tag, length and content */
};

/* Tag and length of an element, from its first bytes: as many as there are,
 * KW_DER_HEAD_MAX are enough. Whether the content is there is for the caller.
 * KW_PARSE: too few bytes, or not DER. The one place where these rules are:
 * core/winc_der.h reads elsewhere than in memory by it. */
#define KW_DER_HEAD_MAX 6
struct kw_der_head {
    uint8_t tag;
    uint8_t size;    /* of tag and length */
    uint32_t length; /* of the content */
};
KW_MUST_USE kw_status kw_der_read_head(const uint8_t *bytes, size_t size,
                                       struct kw_der_head *head);

/* Takes the next element. KW_PARSE: there is none, or it is not DER; the
 * cursor stays. */
KW_MUST_USE kw_status kw_der_next(struct kw_der *cursor,
                                  struct kw_der_item *item);
/* The same for an element that must have this tag. */
KW_MUST_USE kw_status kw_der_take(struct kw_der *cursor, uint8_t tag,
                                  struct kw_der *content);
/* KW_PARSE unless everything was taken. */
KW_MUST_USE kw_status kw_der_end(const struct kw_der *cursor);

/* True when the next element has this tag. */
bool kw_der_has(const struct kw_der *cursor, uint8_t tag);
/* True when what is left is exactly these bytes. */
bool kw_der_is(const struct kw_der *cursor, const void *bytes, size_t size);

/* A positive INTEGER's content as exactly `size` bytes, big-endian, with
 * leading zeros. KW_PARSE: negative, not minimal, or too great. */
KW_MUST_USE kw_status kw_der_number(struct kw_der content, uint8_t *bytes,
                                    size_t size);

/* SEQUENCE of R and S to R then S, 64 bytes, and nothing after it.
 * KW_PARSE; R or S zero is for whoever verifies. */
KW_MUST_USE kw_status kw_der_signature(struct kw_der cursor,
                                       uint8_t signature[64]);

/* --- writing --- */

struct kw_der_writer {
    uint8_t *buffer;
    size_t size;
    size_t start; /* the first byte that was written */
    bool full;
};

void kw_der_begin(struct kw_der_writer *writer, uint8_t *buffer, size_t size);
/* Bytes as they are. */
void kw_der_put(struct kw_der_writer *writer, const void *bytes, size_t size);
/* Where the content of an element ends that is about to be written; its
 * head is put when the content is there. */
static inline size_t kw_der_mark(const struct kw_der_writer *writer) {
    return writer->start;
}
void kw_der_head(struct kw_der_writer *writer, uint8_t tag, size_t mark);
void kw_der_put_item(struct kw_der_writer *writer, uint8_t tag,
                     const void *bytes, size_t size);
/* INTEGER of an unsigned big-endian number. */
void kw_der_put_number(struct kw_der_writer *writer, const uint8_t *bytes,
                       size_t size);
/* SEQUENCE of R and S. */
void kw_der_put_signature(struct kw_der_writer *writer,
                          const uint8_t signature[64]);
/* Where in the buffer it is that was written: at its end. KW_PARSE_SIZE: it
 * did not fit. */
KW_MUST_USE kw_status kw_der_finish(const struct kw_der_writer *writer,
                                    struct kw_der *written);

#endif
