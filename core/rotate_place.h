/* core/rotate_place.h: where a run stands, by the chip alone.
 *
 * For core/rotate.c and core/rotate_place.c; for everybody else it is in
 * core/rotate.h. Knows core/rotate.h. */
#ifndef KW_CORE_ROTATE_PLACE_H
#define KW_CORE_ROTATE_PLACE_H

#include "core/rotate.h"

#define KW_ROTATE_BLOCKS 3u

/* How many blocks of slot 14 hold the old content and how many the new one;
 * foreign: one holds neither. */
struct kw_rotate_blocks {
    unsigned old_count;
    unsigned new_count;
    bool foreign;
};
struct kw_rotate_blocks
kw_rotate_compare(const struct kw_bundle *bundle,
                  const uint8_t stored[KW_STORED_KEY_SIZE]);

/* The slot's content before the rotation, as it is written back. */
void kw_rotate_old_content(const struct kw_bundle *bundle,
                           uint8_t stored[KW_STORED_KEY_SIZE]);

/* The serial field that the bundle must have on this chip. */
void kw_rotate_serial_field(const struct kw_bundle *bundle,
                            const struct kw_rotate_state *state,
                            uint8_t serial[KW_SERIAL_SIZE]);

#endif
