/* host/board_loop.h: the board's connections and the threads that serve
 * them.
 *
 * One thread a processor. A connection belongs to the thread that had the
 * fewest when it came; a thread takes one request of each of its connections
 * at a time, so that none waits for another longer than for one command.
 * Nothing waits for a disk: an answer that stands on what is not stored yet
 * is held back, and the thread goes on. What the bytes mean is behind struct
 * kw_board_wire. Knows host/board_client.h and host/board.h; not
 * sim/. */
#ifndef KW_HOST_BOARD_LOOP_H
#define KW_HOST_BOARD_LOOP_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "host/error.h"

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

#define KW_BOARD_WORKERS_MAX 16

struct kw_board_loop;

/* Threads that a loop has here. */
unsigned kw_board_loop_workers(void);

/* The ports stay the caller's, who closes them. NULL without memory or
 * descriptors. */
struct kw_board_loop *kw_board_loop_new(const struct kw_board_port *ports,
                                        size_t count);
/* Something has been stored, or never will be: looks at the answers that are
 * held back. From any thread. */
void kw_board_loop_ring(struct kw_board_loop *loop);
/* Serves until *stop is set, which a handler of SIGINT or SIGTERM may do at
 * any moment. */
KW_MUST_USE kw_status kw_board_loop_run(struct kw_board_loop *loop,
                                        const volatile sig_atomic_t *stop,
                                        struct kw_error *error);
/* Closes the connections. NULL is fine. */
void kw_board_loop_free(struct kw_board_loop *loop);

/* Of a clock that is never set. */
uint64_t kw_board_microseconds(void *unused);

#endif
