#include "core/winc_der.h"

#include <string.h>

kw_status kw_winc_der_any(const struct kw_source *source, uint32_t offset,
                          uint32_t limit, struct kw_winc_der *item) {
    uint8_t bytes[KW_DER_HEAD_MAX];
    struct kw_der_head head;
    KW_ENSURE(limit <= source->size && offset < limit, KW_PARSE_DER);
    const uint32_t left = limit - offset;
    const size_t size = left < sizeof bytes ? left : sizeof bytes;
    KW_TRY(kw_source_read(source, offset, bytes, size));
    KW_ENSURE(kw_der_read_head(bytes, size, &head) == KW_OK &&
                  head.length <= left - head.size,
              KW_PARSE_DER);
    *item = (struct kw_winc_der){.tag = head.tag,
                                 .start = offset,
                                 .at = offset + head.size,
                                 .size = head.length,
                                 .end = offset + head.size + head.length};
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
    KW_TRY(kw_winc_der_tagged(source, offset, limit, KW_DER_INTEGER, item));
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
