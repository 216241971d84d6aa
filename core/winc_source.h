/* core/winc_source.h: bytes that are read where they lie.
 *
 * A certificate, a key or an old store may lie in a file, in flash or behind
 * a network: whoever reads it keeps no copy. Knows core/status.h and
 * core/bytes.h alone. */
#ifndef KW_CORE_WINC_SOURCE_H
#define KW_CORE_WINC_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct kw_source {
    kw_status (*read)(void *self, uint32_t offset, uint8_t *bytes, size_t size);
    void *self;
    const uint8_t *memory; /* used when read is NULL */
    uint32_t size;         /* bytes in all */
};

/* KW_PARSE_DER: the source ends before. */
KW_MUST_USE kw_status kw_source_read(const struct kw_source *source,
                                     uint32_t offset, void *bytes, size_t size);

/* Whether two runs of the same size are equal; reads 32 bytes at a time. */
KW_MUST_USE kw_status kw_source_equal(const struct kw_source *left,
                                      uint32_t left_at,
                                      const struct kw_source *right,
                                      uint32_t right_at, uint32_t size,
                                      bool *equal);

#endif
