/* host/board_fleet.h: a folder of chips' images that a board has for itself.
 *
 * FOLDER/NAME.chip is the image of the chip NAME; FOLDER/fleet.lock is locked
 * as long as a board has the folder. Knows host/workspace.h, host/files.h,
 * host/text.h; not sim/. */
#ifndef KW_HOST_BOARD_FLEET_H
#define KW_HOST_BOARD_FLEET_H

#include <stddef.h>
#include <stdint.h>

#include "host/error.h"

#define KW_FLEET_NAME_MAX 64 /* characters */

struct kw_fleet {
    const char *folder; /* the caller's */
    char **names;       /* sorted */
    size_t count;
    int lock; /* -1: none */
};

/* Locks the folder and lists its images. After a failure too it is the
 * caller's to close. KW_ABSENT: no folder, or no image in it.
 * KW_ABSENT_LOCKED: another board has it. */
KW_MUST_USE kw_status kw_fleet_open(struct kw_fleet *fleet, const char *folder,
                                    struct kw_error *error);
void kw_fleet_close(struct kw_fleet *fleet);

#define KW_FLEET_CHOOSE 0x04 /* the first byte of a choice */

/* Takes a choice, 04 LEN NAME, from the start of the input and answers its
 * size; 0: it is not whole yet. *number is the chip's; fleet->count: there is
 * none of that name. */
size_t kw_fleet_take_choice(const struct kw_fleet *fleet, const uint8_t *input,
                            size_t size, size_t *number);
/* The path of an image; the caller frees; NULL without memory. */
char *kw_fleet_image(const struct kw_fleet *fleet, size_t number);

#endif
