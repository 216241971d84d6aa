/* host/chip_reading.h: all that can be read of a chip, for a copy to
 * rehearse on. Knows host/emulated_chip.h and core/chip.h. */
#ifndef KW_HOST_CHIP_READING_H
#define KW_HOST_CHIP_READING_H

#include "core/chip.h"
#include "host/emulated_chip.h"

/* Reads revision, configuration and every slot that may be read in clear. */
KW_MUST_USE kw_status kw_chip_read_all(struct kw_chip *chip,
                                       struct kw_chip_reading *reading,
                                       struct kw_error *error);

/* A copy in memory and a driver for it. */
struct kw_rehearsal {
    struct kw_opened_link link;
    struct kw_chip chip;
};
KW_MUST_USE kw_status kw_rehearsal_open(struct kw_chip *original,
                                        struct kw_rehearsal *rehearsal,
                                        struct kw_error *error);
/* Of an emulated chip that is open: with what cannot be read too. */
KW_MUST_USE kw_status
kw_rehearsal_open_whole(const struct kw_workspace *workspace, const char *name,
                        struct kw_rehearsal *rehearsal, struct kw_error *error);
void kw_rehearsal_close(struct kw_rehearsal *rehearsal);

#endif
