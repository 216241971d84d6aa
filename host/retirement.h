/* host/retirement.h: the end of a chip's life.
 *
 * Overwrites what can be overwritten and says what cannot. The same steps
 * run on a copy first. Knows host/rotation.h and host/chip_reading.h. */
#ifndef KW_HOST_RETIREMENT_H
#define KW_HOST_RETIREMENT_H

#include "host/authority.h"
#include "host/rotation.h"

struct kw_retired_slot {
    unsigned slot;
    bool done;
    char words[200];
};

struct kw_retirement {
    uint8_t serial[KW_SERIAL_SIZE];
    struct kw_retired_slot slot[KW_SLOT_COUNT];
};

/* Runs the steps on this chip. The authority invalidates a validated slot
 * 14; without one (NULL) slot 13 takes one of this moment, unless it is
 * locked. A slot that refuses is a row that says so. KW_NO, before anything
 * is overwritten: a validated slot 14 could not be invalidated though slot 13
 * holds a key. */
KW_MUST_USE kw_status kw_retire_chip(struct kw_chip *chip,
                                     const struct kw_authority *authority,
                                     struct kw_retirement *retirement,
                                     struct kw_error *error);

/* The same on a copy. */
KW_MUST_USE kw_status kw_retire_rehearse(struct kw_chip *chip,
                                         const struct kw_authority *authority,
                                         struct kw_retirement *retirement,
                                         struct kw_error *error);

#endif
