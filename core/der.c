#include "core/der.h"

#include <string.h>

#define LONG_FORM    0x80
#define LENGTH_BYTES 4 /* at most, of a length in its long form */
#define SCALAR_SIZE  32

/* --- reading --- */

/* The long form only where the short one does not do, without leading
 * zeros. */
static kw_status long_length(const uint8_t *bytes, size_t size,
                             struct kw_der_head *head) {
    const unsigned count = bytes[1] & 0x7Fu;
    KW_ENSURE(count >= 1 && count <= LENGTH_BYTES && size >= 2 + count,
              KW_PARSE);
    head->length = 0;
    for (unsigned i = 0; i < count; i++) {
        head->length = head->length << 8 | bytes[2 + i];
    }
    KW_ENSURE(head->length >= LONG_FORM && bytes[2] != 0, KW_PARSE);
    head->size = (uint8_t)(2 + count);
    return KW_OK;
}

kw_status kw_der_read_head(const uint8_t *bytes, size_t size,
                           struct kw_der_head *head) {
    KW_ENSURE(size >= 2 && (bytes[0] & 0x1F) != 0x1F, KW_PARSE);
    *head =
        (struct kw_der_head){.tag = bytes[0], .size = 2, .length = bytes[1]};
    return bytes[1] < LONG_FORM ? KW_OK : long_length(bytes, size, head);
}

kw_status kw_der_next(struct kw_der *cursor, struct kw_der_item *item) {
    struct kw_der_head head;
    KW_TRY(kw_der_read_head(cursor->at, cursor->left, &head));
    KW_ENSURE(head.length <= cursor->left - head.size, KW_PARSE);
    const size_t whole = head.size + (size_t)head.length;
    *item = (struct kw_der_item){
        .tag = head.tag,
        .content = {cursor->at + head.size, head.length},
        .whole = {cursor->at, whole},
    };
    cursor->at += whole;
    cursor->left -= whole;
    return KW_OK;
}

kw_status kw_der_take(struct kw_der *cursor, uint8_t tag,
                      struct kw_der *content) {
    struct kw_der_item item;
    KW_ENSURE(kw_der_has(cursor, tag), KW_PARSE);
    KW_TRY(kw_der_next(cursor, &item));
    *content = item.content;
    return KW_OK;
}

kw_status kw_der_end(const struct kw_der *cursor) {
    return cursor->left == 0 ? KW_OK : KW_PARSE;
}

bool kw_der_has(const struct kw_der *cursor, uint8_t tag) {
    return cursor->left > 0 && cursor->at[0] == tag;
}

bool kw_der_is(const struct kw_der *cursor, const void *bytes, size_t size) {
    return cursor->left == size && memcmp(cursor->at, bytes, size) == 0;
}

kw_status kw_der_number(struct kw_der content, uint8_t *bytes, size_t size) {
    KW_ENSURE(content.left > 0 && content.at[0] < 0x80, KW_PARSE);
    if (content.at[0] == 0 && content.left > 1) {
        KW_ENSURE(content.at[1] >= 0x80, KW_PARSE);
        content.at++;
        content.left--;
    }
    KW_ENSURE(content.left <= size, KW_PARSE);
    memset(bytes, 0, size - content.left);
    memcpy(bytes + size - content.left, content.at, content.left);
    return KW_OK;
}

kw_status kw_der_signature(struct kw_der cursor, uint8_t signature[64]) {
    struct kw_der numbers;
    struct kw_der r;
    struct kw_der s;
    uint8_t read[2 * SCALAR_SIZE];
    KW_TRY(kw_der_take(&cursor, KW_DER_SEQUENCE, &numbers));
    KW_TRY(kw_der_end(&cursor));
    KW_TRY(kw_der_take(&numbers, KW_DER_INTEGER, &r));
    KW_TRY(kw_der_take(&numbers, KW_DER_INTEGER, &s));
    KW_TRY(kw_der_end(&numbers));
    KW_TRY(kw_der_number(r, read, SCALAR_SIZE));
    KW_TRY(kw_der_number(s, read + SCALAR_SIZE, SCALAR_SIZE));
    memcpy(signature, read, sizeof read);
    return KW_OK;
}

/* --- writing --- */

void kw_der_begin(struct kw_der_writer *writer, uint8_t *buffer, size_t size) {
    *writer =
        (struct kw_der_writer){.buffer = buffer, .size = size, .start = size};
}

void kw_der_put(struct kw_der_writer *writer, const void *bytes, size_t size) {
    if (writer->full || size > writer->start) {
        writer->full = true;
        return;
    }
    writer->start -= size;
    memcpy(writer->buffer + writer->start, bytes, size);
}

static void put_byte(struct kw_der_writer *writer, uint8_t byte) {
    kw_der_put(writer, &byte, 1);
}

void kw_der_head(struct kw_der_writer *writer, uint8_t tag, size_t mark) {
    const size_t length = mark - writer->start;
    uint8_t count = 0;
    for (size_t left = length; length >= LONG_FORM && left > 0; left >>= 8) {
        put_byte(writer, (uint8_t)left);
        count++;
    }
    put_byte(writer, count == 0 ? (uint8_t)length : LONG_FORM | count);
    put_byte(writer, tag);
}

void kw_der_put_item(struct kw_der_writer *writer, uint8_t tag,
                     const void *bytes, size_t size) {
    const size_t mark = kw_der_mark(writer);
    kw_der_put(writer, bytes, size);
    kw_der_head(writer, tag, mark);
}

void kw_der_put_number(struct kw_der_writer *writer, const uint8_t *bytes,
                       size_t size) {
    const size_t mark = kw_der_mark(writer);
    while (size > 1 && bytes[0] == 0) {
        bytes++;
        size--;
    }
    kw_der_put(writer, bytes, size);
    if (size > 0 && bytes[0] >= 0x80) {
        put_byte(writer, 0);
    }
    kw_der_head(writer, KW_DER_INTEGER, mark);
}

void kw_der_put_signature(struct kw_der_writer *writer,
                          const uint8_t signature[64]) {
    const size_t mark = kw_der_mark(writer);
    kw_der_put_number(writer, signature + SCALAR_SIZE, SCALAR_SIZE);
    kw_der_put_number(writer, signature, SCALAR_SIZE);
    kw_der_head(writer, KW_DER_SEQUENCE, mark);
}

kw_status kw_der_finish(const struct kw_der_writer *writer,
                        struct kw_der *written) {
    KW_ENSURE(!writer->full, KW_PARSE_SIZE);
    *written = (struct kw_der){writer->buffer + writer->start,
                               writer->size - writer->start};
    return KW_OK;
}
