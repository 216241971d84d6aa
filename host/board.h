/* host/board.h: emulated chips on a board, powered for as long as it runs.
 *
 * Each chip has a unix socket run/NAME.sock (mode 0600) of its own; one of
 * them a TCP port on 127.0.0.1 and a single-wire line; all together are on
 * the bus of an emulated Trust Platform board: kit protocol on a
 * pseudo-terminal, I2C transfers and the kit bridge on sockets. What goes
 * over them: docs/formats.md, "The board's wires". A fleet is a folder of
 * chips beside, on one socket.
 *
 * One of the three files of host that know sim. Knows host/board_loop.h,
 * host/board_listen.h, host/emulated_chip.h and host/workspace.h. */
#ifndef KW_HOST_BOARD_H
#define KW_HOST_BOARD_H

#include <signal.h>

#include "host/board_fault.h"
#include "host/error.h"
#include "host/workspace.h"

#define KW_BOARD_CLIENTS_MAX 64 /* one more is closed at once */
#define KW_BOARD_NO_TCP      (-1)

struct kw_board_options {
    const struct kw_workspace *workspace;
    const char *const *chips; /* names of images in chips/ */
    size_t chip_count;
    int tcp_port;         /* KW_BOARD_NO_TCP; 0: any free port */
    const char *one_chip; /* of the chips, for TCP and SWI; else NULL */
    bool watchdog;        /* the chips' watchdogs run in real time */
    bool limits;          /* chips are busy as long as their limits say */
    /* Paths; NULL: without that wire. */
    const char *kit_link;
    const char *swi_link;
    const char *i2c_socket;
    const char *bridge_socket;
    const char *fleet;        /* a folder of more images; or NULL */
    const char *switched_off; /* names, separated by commas; or NULL */
    struct kw_board_faults faults;
    /* What happens on the bus, a line in words; may be NULL. */
    void (*log)(void *self, const char *words);
    void *log_self;
};

struct kw_board;

/* Locks the chips and powers them up, then listens. KW_ABSENT_LOCKED:
 * another process has a chip; the message names it. KW_ABSENT: there is no
 * such chip. KW_USAGE: a socket's path would be too long. KW_SYSTEM_FILE:
 * cannot listen. On failure nothing is left behind. From here to
 * kw_board_close this process leaves no core file. */
KW_MUST_USE kw_status kw_board_open(const struct kw_board_options *options,
                                    struct kw_board **board,
                                    struct kw_error *error);

struct kw_board_listener {
    const char *chip;    /* NULL: all chips of the bus, or of the fleet */
    const char *address; /* KIND:PATH or tcp:127.0.0.1:PORT */
    size_t chips;        /* in the fleet; 0: it is no fleet's */
};

/* The listeners by number from 0: sockets in the order of the chips, then
 * the others. False: there are no more. */
KW_MUST_USE bool kw_board_listener(const struct kw_board *board, size_t number,
                                   struct kw_board_listener *listener);

/* Serves until *stop is set, which a handler of SIGINT or SIGTERM may do at
 * any moment. */
KW_MUST_USE kw_status kw_board_serve(struct kw_board *board,
                                     const volatile sig_atomic_t *stop,
                                     struct kw_error *error);

/* Closes and removes the sockets, then powers the chips down and lets go of
 * them. NULL is fine. */
void kw_board_close(struct kw_board *board);

#endif
