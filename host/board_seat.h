/* host/board_seat.h: a chip on a board and what its users share: a lock, and
 * how much of what it changed is in its image.
 *
 * A thread that uses a chip has its lock, and the only locks that a thread
 * has at once are those of a bus. A change marks the chip and goes on; what
 * stands on it waits until it is stored. Knows host/board_flush.h,
 * host/board_loop.h and host/emulated_chip.h. */
#ifndef KW_HOST_BOARD_SEAT_H
#define KW_HOST_BOARD_SEAT_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/board_flush.h"
#include "host/board_loop.h"
#include "host/emulated_chip.h"

/* What all seats of a board have in common. */
struct kw_seat_shared {
    struct kw_flush *flush;
    struct kw_board_loop *loop;                 /* NULL: nobody waits */
    void (*log)(void *self, const char *words); /* may be NULL */
    void *log_self;
};

struct kw_seat {
    struct kw_flush_job job; /* first */
    const struct kw_seat_shared *shared;
    const char *name;
    struct kw_emulated *powered; /* NULL: not yet */
    pthread_mutex_t lock;
    uint64_t changes;        /* of the EEPROM; under the lock */
    _Atomic uint64_t stored; /* how many of them are in the image */
    atomic_bool dead;        /* could not be stored: out of order */
};

/* The seat stays where it is; name and shared are the caller's. */
void kw_seat_init(struct kw_seat *seat, const struct kw_seat_shared *shared,
                  const char *name, unsigned lane);
/* Powers the chip down; when no flush runs any more. */
void kw_seat_end(struct kw_seat *seat);

/* For struct kw_emulated_options: the EEPROM has changed. Under the lock. */
void kw_seat_note_change(void *seat);

void kw_seat_lock(struct kw_seat *seat);
/* Answers how many changes what was answered stands on. */
uint64_t kw_seat_unlock(struct kw_seat *seat);
/* Whether so many are stored; KW_BOARD_NEVER: the chip is out of order. */
enum kw_board_stored kw_seat_stored(const struct kw_seat *seat,
                                    uint64_t changes);

#endif
