/* host/frames_file.h: recorded frames as text (docs/formats.md, "Recorded
 * frames"). Reads only; what a frame means: host/secret_frames.h.
 * Knows core/packet.h. */
#ifndef KW_HOST_FRAMES_FILE_H
#define KW_HOST_FRAMES_FILE_H

#include "core/packet.h"

enum kw_recorded_kind {
    KW_RECORDED_FRAME,
    KW_RECORDED_WAKE,
    KW_RECORDED_IDLE,
    KW_RECORDED_SLEEP,
};

struct kw_recorded {
    unsigned line; /* from 1 */
    bool to_chip;
    enum kw_recorded_kind kind;
    uint8_t bytes[KW_PACKET_MAX]; /* of a frame: at least one */
    size_t size;
};

struct kw_frames_file {
    const char *text;
    size_t size;
    size_t at;
    unsigned line;
};

/* The next frame. KW_NO: there is none. KW_PARSE: a line of another form;
 * file->line says which. KW_PARSE_SIZE: a frame that is too long. */
KW_MUST_USE kw_status kw_frames_next(struct kw_frames_file *file,
                                     struct kw_recorded *frame);

#endif
