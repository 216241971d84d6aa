#include "core/winc_source.h"

#include <string.h>

#include "core/bytes.h"

#define CHUNK 32u

kw_status kw_source_read(const struct kw_source *source, uint32_t offset,
                         void *bytes, size_t size) {
    KW_ENSURE(offset <= source->size && size <= source->size - offset,
              KW_PARSE_DER);
    if (source->read != NULL) {
        return source->read(source->self, offset, bytes, size);
    }
    memcpy(bytes, source->memory + offset, size);
    return KW_OK;
}

kw_status kw_source_equal(const struct kw_source *left, uint32_t left_at,
                          const struct kw_source *right, uint32_t right_at,
                          uint32_t size, bool *equal) {
    uint8_t a[CHUNK];
    uint8_t b[CHUNK];
    bool same = true;
    for (uint32_t done = 0; done < size; done += CHUNK) {
        const uint32_t part = size - done < CHUNK ? size - done : CHUNK;
        KW_TRY(kw_source_read(left, left_at + done, a, part));
        KW_TRY(kw_source_read(right, right_at + done, b, part));
        same = kw_equal_ct(a, b, part) && same;
    }
    kw_wipe(a, sizeof a);
    kw_wipe(b, sizeof b);
    *equal = same;
    return KW_OK;
}
