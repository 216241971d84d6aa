/* host/manifest/spill.h: what is there twice, in little memory.
 *
 * Rows of a kind, a value and the entry they come from; they are sorted in
 * runs, spilled into a temporary file without a name, and merged at the end.
 * 4 MiB of rows are gathered while as many are sorted by a thread, which
 * takes as much again.
 * Knows host/error.h. */
#ifndef KW_HOST_MANIFEST_SPILL_H
#define KW_HOST_MANIFEST_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "host/error.h"

#define KW_SPILL_VALUE 11 /* bytes of a value that are compared */

enum kw_spill_kind { KW_SPILL_UNIQUE_ID, KW_SPILL_KEY };

struct kw_spill;

KW_MUST_USE kw_status kw_spill_open(struct kw_spill **spill,
                                    struct kw_error *error);
void kw_spill_close(struct kw_spill *spill);

/* The first KW_SPILL_VALUE bytes of a longer value; a shorter one is padded
 * with zeros. */
KW_MUST_USE kw_status kw_spill_add(struct kw_spill *spill,
                                   enum kw_spill_kind kind,
                                   const uint8_t *value, size_t size,
                                   uint32_t entry, struct kw_error *error);

/* Called for each row whose value an earlier row has. */
typedef void kw_spill_twice(void *observer, enum kw_spill_kind kind,
                            const uint8_t value[KW_SPILL_VALUE], uint32_t first,
                            uint32_t again);
KW_MUST_USE kw_status kw_spill_finish(struct kw_spill *spill,
                                      kw_spill_twice *twice, void *observer,
                                      struct kw_error *error);

#endif
