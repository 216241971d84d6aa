/* core/link.h: the seam to a chip.
 *
 * Everything that speaks to a chip goes through these functions, so a test
 * can put a recorder, a power cut or a fault between any two bytes.
 * Implementations: host/link_*.c, the board's UART in firmware. Knows
 * core/status.h alone. */
#ifndef KW_CORE_LINK_H
#define KW_CORE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct kw_link_ops {
    /* Wakes a sleeping or idle chip. Waking an awake one does no harm.
     * KW_ABSENT when nothing answers. */
    kw_status (*wake)(void *self);
    /* Idle keeps TempKey, MsgDigBuf and the SHA context. */
    kw_status (*idle)(void *self);
    /* Sleep wipes all volatile state. */
    kw_status (*sleep)(void *self);
    /* Sends a packet (count..crc) and waits for the response frame
     * (count..crc). KW_ABSENT_ANSWER when none comes; whether the chip
     * executed the command is then unknown. */
    kw_status (*transfer)(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size);
    /* Why the chip refused the last command, in words; "" when the link
     * cannot know. Only emulated chips in this process can. May be NULL. */
    const char *(*reason)(void *self);
};

struct kw_link {
    const struct kw_link_ops *ops;
    void *self;
};

#endif
