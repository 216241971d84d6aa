#include "core/winc_der.h"

#include <string.h>

/* A length of several bytes: at most 3, and no shorter form would do. */
static kw_status long_length(const struct kw_source *source, uint8_t first,
                             struct kw_winc_der *item) {
    uint8_t bytes[3];
    const uint32_t count = first & 0x7Fu;
    KW_ENSURE(count >= 1 && count <= sizeof bytes, KW_PARSE_DER);
    KW_TRY(kw_source_read(source, item->at, bytes, count));
    item->size = 0;
    for (uint32_t i = 0; i < count; i++) {
        item->size = (item->size << 8) | bytes[i];
    }
    KW_ENSURE(item->size >= 0x80 && bytes[0] != 0, KW_PARSE_DER);
    item->at += count;
    return KW_OK;
}

kw_status kw_winc_der_any(const struct kw_source *source, uint32_t offset,
                          uint32_t limit, struct kw_winc_der *item) {
    uint8_t head[2];
    KW_ENSURE(limit <= source->size && offset < limit && limit - offset >= 2,
              KW_PARSE_DER);
    KW_TRY(kw_source_read(source, offset, head, sizeof head));
    *item = (struct kw_winc_der){
        .tag = head[0], .start = offset, .at = offset + 2, .size = head[1]};
    KW_ENSURE((head[0] & 0x1F) != 0x1F, KW_PARSE_DER);
    if (head[1] >= 0x80) {
        KW_TRY(long_length(source, head[1], item));
    }
    KW_ENSURE(item->at <= limit && item->size <= limit - item->at,
              KW_PARSE_DER);
    item->end = item->at + item->size;
    return KW_OK;
}

kw_status kw_winc_der_tagged(const struct kw_source *source, uint32_t offset,
                             uint32_t limit, uint8_t tag,
                             struct kw_winc_der *item) {
    KW_TRY(kw_winc_der_any(source, offset, limit, item));
    KW_ENSURE(item->tag == tag, KW_PARSE_DER);
    return KW_OK;
}

kw_status kw_winc_der_number(const struct kw_source *source, uint32_t offset,
                             uint32_t limit, struct kw_winc_der *item) {
    uint8_t first = 0;
    KW_TRY(
        kw_winc_der_tagged(source, offset, limit, KW_WINC_DER_INTEGER, item));
    KW_ENSURE(item->size > 0, KW_PARSE_DER);
    KW_TRY(kw_source_read(source, item->at, &first, 1));
    KW_ENSURE(first < 0x80, KW_PARSE_DER);
    while (first == 0 && item->size > 1) {
        item->at++;
        item->size--;
        KW_TRY(kw_source_read(source, item->at, &first, 1));
    }
    return KW_OK;
}

kw_status kw_winc_der_is(const struct kw_source *source,
                         const struct kw_winc_der *item, const uint8_t *bytes,
                         size_t size, bool *is) {
    uint8_t content[16];
    *is = false;
    if (item->size != size || size > sizeof content) {
        return KW_OK;
    }
    KW_TRY(kw_source_read(source, item->at, content, size));
    *is = memcmp(content, bytes, size) == 0;
    return KW_OK;
}
