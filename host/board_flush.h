/* host/board_flush.h: stores in the background, so that many changes share
 * one flush.
 *
 * A job stands for one thing that is kept in a file, such as a chip's image.
 * Whoever changes it submits its job and goes on; a thread stores it as it
 * is by then, all changes since the last time at once. Jobs share no lock.
 * Each thread keeps the files of its latest jobs open and lets go of others,
 * so that there is a bound. Knows nobody. */
#ifndef KW_HOST_BOARD_FLUSH_H
#define KW_HOST_BOARD_FLUSH_H

#include <stdatomic.h>
#include <stdbool.h>

#define KW_FLUSH_LANES 4  /* threads */
#define KW_FLUSH_FILES 24 /* that a thread keeps open */

/* Zeros but for the functions and the lane; stays where it is. */
struct kw_flush_job {
    /* Both are called by the thread of its lane alone. */
    void (*store)(struct kw_flush_job *job);
    void (*park)(struct kw_flush_job *job); /* lets go of its file */
    unsigned lane;                          /* any number */
    atomic_bool queued;
    struct kw_flush_job *next;
    bool kept; /* its file may be open */
};

struct kw_flush;

/* NULL without memory or threads. */
struct kw_flush *kw_flush_new(void);
/* From any thread. What was changed before is stored after; a job that waits
 * already is stored once. */
void kw_flush_submit(struct kw_flush *flush, struct kw_flush_job *job);
/* Stores what was submitted and ends the threads. NULL is fine. */
void kw_flush_free(struct kw_flush *flush);

#endif
