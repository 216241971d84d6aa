/* host/manifest/index.h: which entry has which unique id.
 *
 * A table of 16 bytes a place, at most three quarters full.
 * Knows host/manifest/entry.h. */
#ifndef KW_HOST_MANIFEST_INDEX_H
#define KW_HOST_MANIFEST_INDEX_H

#include "host/manifest/entry.h"

struct kw_manifest_index;

KW_MUST_USE kw_status kw_manifest_index_open(struct kw_manifest_index **index);
void kw_manifest_index_close(struct kw_manifest_index *index);

/* Room for so many at once, so that a table need not stand beside a larger
 * one while it grows. KW_SYSTEM_MEMORY. */
KW_MUST_USE kw_status kw_manifest_index_reserve(struct kw_manifest_index *index,
                                                size_t count);

/* From now on `entry` (from 1) has the id; *before is who had it, or 0.
 * KW_SYSTEM_MEMORY. */
KW_MUST_USE kw_status kw_manifest_index_put(
    struct kw_manifest_index *index, const uint8_t unique_id[KW_UNIQUE_ID_SIZE],
    uint32_t entry, uint32_t *before);
/* Who has the id; 0: nobody. */
uint32_t kw_manifest_index_find(const struct kw_manifest_index *index,
                                const uint8_t unique_id[KW_UNIQUE_ID_SIZE]);

#endif
