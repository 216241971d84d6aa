#include "host/board_seat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- storing --- */

/* After a failed flush nobody knows what the disk holds, and trying again
 * may seem to succeed: the chip answers nobody any more. */
static void bury(struct kw_seat *seat) {
    char words[256];
    const struct kw_seat_shared *shared = seat->shared;
    (void)snprintf(words, sizeof words,
                   "%s is out of order until the board is started again: its "
                   "image cannot be stored: %s",
                   seat->name, strerror(errno));
    atomic_store(&seat->dead, true);
    if (shared->log != NULL) {
        shared->log(shared->log_self, words);
    }
}

static void store(struct kw_flush_job *job) {
    struct kw_seat *seat = (struct kw_seat *)job;
    kw_seat_lock(seat);
    struct kw_emulated_content *content = kw_emulated_content(seat->powered);
    const uint64_t changes = kw_seat_unlock(seat);
    if (atomic_load(&seat->dead)) {
        kw_emulated_content_free(content);
    } else if (kw_emulated_store(seat->powered, content) == KW_OK) {
        atomic_store(&seat->stored, changes);
    } else {
        bury(seat);
    }
    if (seat->shared->loop != NULL) {
        kw_board_loop_ring(seat->shared->loop);
    }
}

static void park(struct kw_flush_job *job) {
    kw_emulated_park(((struct kw_seat *)job)->powered);
}

void kw_seat_note_change(void *self) {
    struct kw_seat *seat = self;
    seat->changes++;
    kw_flush_submit(seat->shared->flush, &seat->job);
}

enum kw_board_stored kw_seat_stored(const struct kw_seat *seat,
                                    uint64_t changes) {
    if (atomic_load(&seat->stored) >= changes) {
        return KW_BOARD_STORED;
    }
    return atomic_load(&seat->dead) ? KW_BOARD_NEVER : KW_BOARD_NOT_YET;
}

/* --- a seat's life --- */

void kw_seat_init(struct kw_seat *seat, const struct kw_seat_shared *shared,
                  const char *name, unsigned lane) {
    seat->job.store = store;
    seat->job.park = park;
    seat->job.lane = lane;
    seat->shared = shared;
    seat->name = name;
    (void)pthread_mutex_init(&seat->lock, NULL);
}

void kw_seat_end(struct kw_seat *seat) {
    kw_emulated_power_down(seat->powered);
    (void)pthread_mutex_destroy(&seat->lock);
}

void kw_seat_lock(struct kw_seat *seat) {
    (void)pthread_mutex_lock(&seat->lock);
}

uint64_t kw_seat_unlock(struct kw_seat *seat) {
    const uint64_t changes = seat->changes;
    (void)pthread_mutex_unlock(&seat->lock);
    return changes;
}
