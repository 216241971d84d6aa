/* host/board_ports.h: which ports a board opens for its options, and what is
 * spoken there. Knows host/board.h and host/board_listen.h. */
#ifndef KW_HOST_BOARD_PORTS_H
#define KW_HOST_BOARD_PORTS_H

#include "host/board.h"
#include "host/board_listen.h"

enum kw_board_speech {
    KW_BOARD_WORDS,
    KW_BOARD_KIT,
    KW_BOARD_SWI,
    KW_BOARD_I2C,
    KW_BOARD_BRIDGE,
    KW_BOARD_FLEET,
};

#define KW_BOARD_ALL SIZE_MAX

struct kw_board_place {
    struct kw_endpoint endpoint;
    enum kw_board_speech speech;
    size_t chip; /* by number in the options; KW_BOARD_ALL: not one alone */
};

struct kw_board_ports {
    struct kw_board_place *places;
    size_t count;
};

/* After a failure too they are the caller's to close. Statuses as of
 * kw_board_open. */
KW_MUST_USE kw_status kw_board_ports_open(
    struct kw_board_ports *ports, const struct kw_board_options *options,
    struct kw_error *error);
void kw_board_ports_close(struct kw_board_ports *ports);

/* The number of the chip of that name in the options. KW_ABSENT, and the
 * words, when there is none; the last of them say what it was for. */
KW_MUST_USE kw_status kw_board_chip_number(
    const struct kw_board_options *options, const char *name, size_t size,
    const char *what, size_t *number, struct kw_error *error);

#endif
