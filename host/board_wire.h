/* host/board_wire.h: what a board's connections come in by and speak.
 *
 * A wire turns bytes into bytes and has no descriptor; a port has one and
 * names the wire. Knows nobody. */
#ifndef KW_HOST_BOARD_WIRE_H
#define KW_HOST_BOARD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KW_BOARD_REQUEST_MAX 1280 /* bytes of one request */
#define KW_BOARD_REPLY_MAX   1280 /* bytes of one answer */

struct kw_board_reply {
    uint8_t bytes[KW_BOARD_REPLY_MAX];
    size_t size;
    uint64_t not_before; /* kw_board_microseconds; 0: at once */
    bool unstored;       /* stands on what is not stored yet */
    bool broken;         /* the client speaks something else: hang up */
};

/* Whether what the last answer stands on is stored. */
enum kw_board_stored {
    KW_BOARD_STORED,
    KW_BOARD_NOT_YET,
    KW_BOARD_NEVER, /* hang up */
};

/* What a connection speaks. */
struct kw_board_wire {
    /* The state of a new connection; NULL without memory. */
    void *(*begin)(void *context);
    /* Takes a request from the start of the input and answers its size; 0:
     * it is not whole yet. Workers, the threads, are numbered from 0. */
    size_t (*take)(void *state, unsigned worker, const uint8_t *input,
                   size_t size, struct kw_board_reply *reply);
    /* After an answer that was unstored. */
    enum kw_board_stored (*stored)(void *state);
    void (*end)(void *state);
    void *context;
    unsigned burst; /* requests of one connection in a row */
};

enum kw_board_port_kind {
    KW_BOARD_STREAM,   /* accepts connections that are streams */
    KW_BOARD_MESSAGES, /* accepts connections that keep messages apart */
    KW_BOARD_TERMINAL, /* is itself the one connection */
};

struct kw_board_port {
    int fd;
    int held;  /* a terminal's other side */
    int watch; /* inotify of a terminal: opened, closed */
    enum kw_board_port_kind kind;
    struct kw_board_wire wire;
};

/* Of a clock that is never set. */
uint64_t kw_board_microseconds(void *unused);

#endif
