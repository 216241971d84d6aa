/* host/secret_frames.h: frames in words, without their secret parts.
 *
 * A table says for each command, mode and direction which bytes may be
 * shown, which are secret whatever the chip, and which are as secret as the
 * slot they belong to: IsSecret, Private and KeyType decide, and while the
 * configuration is not known the bytes are left out. What the table does
 * not name is left out too. Used by traces and by `chip trace`.
 * Knows core/chip.h and host/chip_refusal.h. */
#ifndef KW_HOST_SECRET_FRAMES_H
#define KW_HOST_SECRET_FRAMES_H

#include "core/chip.h"

#define KW_FRAME_WORDS 640 /* the longest frame, in hex and words */

/* What the frames so far told. Start with zeros. */
struct kw_frame_view {
    uint8_t config[KW_CONFIG_SIZE];
    uint32_t known_words; /* bit N: word N of the configuration */
    /* The command that the next answer belongs to, without its data. */
    struct kw_command command;
    bool has_command;
};

/* The whole configuration is known. */
bool kw_frame_view_knows(const struct kw_frame_view *view);
/* Tells it. */
void kw_frame_view_tell(struct kw_frame_view *view,
                        const uint8_t config[KW_CONFIG_SIZE]);

/* A packet to the chip, count to CRC: "Nonce(16) param1 43 param2 0000 ...".
 */
void kw_frame_packet(struct kw_frame_view *view, const uint8_t *packet,
                     size_t size, char words[KW_FRAME_WORDS]);
/* A frame from the chip, which answers the last packet. */
void kw_frame_response(struct kw_frame_view *view, const uint8_t *frame,
                       size_t size, char words[KW_FRAME_WORDS]);

#endif
