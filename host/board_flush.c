#include "host/board_flush.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

struct lane {
    pthread_t thread;
    sem_t work;
    _Atomic(struct kw_flush_job *) submitted; /* the latest first */
    atomic_bool ending;
    struct kw_flush_job *kept[KW_FLUSH_FILES]; /* a ring */
    size_t oldest;
};

struct kw_flush {
    struct lane lanes[KW_FLUSH_LANES];
    size_t started;
};

/* --- submitting --- */

/* A job is in one list at a time, so a push needs no lock: either the list
 * is as it was seen, or it is looked at again. */
void kw_flush_submit(struct kw_flush *flush, struct kw_flush_job *job) {
    struct lane *lane = &flush->lanes[job->lane % KW_FLUSH_LANES];
    if (atomic_exchange(&job->queued, true)) {
        return;
    }
    job->next = atomic_load(&lane->submitted);
    while (!atomic_compare_exchange_weak(&lane->submitted, &job->next, job)) {
    }
    (void)sem_post(&lane->work);
}

/* --- storing --- */

static struct kw_flush_job *take_all(struct lane *lane) {
    struct kw_flush_job *job = atomic_exchange(&lane->submitted, NULL);
    struct kw_flush_job *first = NULL;
    while (job != NULL) {
        struct kw_flush_job *next = job->next;
        job->next = first;
        first = job;
        job = next;
    }
    return first;
}

static void keep(struct lane *lane, struct kw_flush_job *job) {
    struct kw_flush_job **place = &lane->kept[lane->oldest];
    if (job->kept) {
        return;
    }
    if (*place != NULL) {
        (*place)->park(*place);
        (*place)->kept = false;
    }
    job->kept = true;
    *place = job;
    lane->oldest = (lane->oldest + 1) % KW_FLUSH_FILES;
}

/* It may be submitted again before it is stored: then it is stored twice,
 * never too seldom. */
static void store_all(struct lane *lane) {
    struct kw_flush_job *job = take_all(lane);
    while (job != NULL) {
        struct kw_flush_job *next = job->next;
        keep(lane, job);
        atomic_store(&job->queued, false);
        job->store(job);
        job = next;
    }
}

static void *run(void *argument) {
    struct lane *lane = argument;
    while (!atomic_load(&lane->ending)) {
        if (sem_wait(&lane->work) == 0) {
            store_all(lane);
        }
    }
    store_all(lane);
    return NULL;
}

/* --- life --- */

/* Signals are for the thread that serves. */
static bool start_lane(struct lane *lane) {
    sigset_t all;
    sigset_t before;
    if (sem_init(&lane->work, 0, 0) != 0) {
        return false;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool fine = pthread_create(&lane->thread, NULL, run, lane) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!fine) {
        (void)sem_destroy(&lane->work);
    }
    return fine;
}

struct kw_flush *kw_flush_new(void) {
    struct kw_flush *flush = calloc(1, sizeof *flush);
    while (flush != NULL && flush->started < KW_FLUSH_LANES) {
        if (!start_lane(&flush->lanes[flush->started])) {
            kw_flush_free(flush);
            return NULL;
        }
        flush->started++;
    }
    return flush;
}

void kw_flush_free(struct kw_flush *flush) {
    if (flush == NULL) {
        return;
    }
    for (size_t i = 0; i < flush->started; i++) {
        struct lane *lane = &flush->lanes[i];
        atomic_store(&lane->ending, true);
        (void)sem_post(&lane->work);
        (void)pthread_join(lane->thread, NULL);
        (void)sem_destroy(&lane->work);
    }
    free(flush);
}
