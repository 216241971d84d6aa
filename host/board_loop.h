/* host/board_loop.h: the board's connections and the threads that serve
 * them.
 *
 * One thread a processor. A connection belongs to the thread that had the
 * fewest when it came; a thread takes one request of each of its connections
 * at a time, so that none waits for another longer than for one command.
 * Nothing waits for a disk: an answer that stands on what is not stored yet
 * is held back, and the thread goes on. What the bytes mean is behind struct
 * kw_board_wire. Knows host/board_wire.h and host/board_client.h; not
 * sim/. */
#ifndef KW_HOST_BOARD_LOOP_H
#define KW_HOST_BOARD_LOOP_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "host/board_wire.h"
#include "host/error.h"

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

#endif
