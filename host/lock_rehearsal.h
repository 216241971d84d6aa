/* host/lock_rehearsal.h: a lock, tried on a copy of the chip first.
 *
 * Says what becomes impossible, by comparing what the configuration permits
 * before and after, and by trying a write on the copy; and what a slot holds
 * that is locked. Knows host/chip_reading.h, host/chip_explain.h and
 * host/slot_words.h. */
#ifndef KW_HOST_LOCK_REHEARSAL_H
#define KW_HOST_LOCK_REHEARSAL_H

#include "host/chip_reading.h"

enum kw_lock_what { KW_LOCK_CONFIG, KW_LOCK_DATA, KW_LOCK_SLOT };

struct kw_lock_plan {
    enum kw_lock_what what;
    unsigned slot;       /* of KW_LOCK_SLOT */
    const uint16_t *crc; /* of the zone; NULL: not compared */
    /* The emulated chip that this is: the CRC of its data can be tried on a
     * copy too. NULL: a chip behind a link, whose slots cannot be read. */
    const struct kw_workspace *workspace;
    const char *name;
};

#define KW_LOCK_LINE  300
#define KW_LOCK_LINES 40

struct kw_lock_words {
    char line[KW_LOCK_LINES][KW_LOCK_LINE];
    size_t count;
};

/* Class KW_CLASS_CHIP: the chip would refuse, with its reason. */
KW_MUST_USE kw_status kw_lock_rehearse(struct kw_chip *chip,
                                       const struct kw_lock_plan *plan,
                                       struct kw_lock_words *words,
                                       struct kw_error *error);
/* In earnest. */
KW_MUST_USE kw_status kw_lock_chip(struct kw_chip *chip,
                                   const struct kw_lock_plan *plan,
                                   struct kw_error *error);

#endif
