#include "host/manifest/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_ROWS  (256u * 1024) /* rows that are sorted at once */
#define READ_ROWS 2048u         /* rows of a run that a merge reads at once */

/* Compared as a run of bytes: kind, value, entry (big-endian). */
struct row {
    uint8_t bytes[16];
};
#define VALUE_AT 1
#define ENTRY_AT 12

struct run {
    off_t at;    /* in the file: what is not read yet */
    size_t left; /* rows there */
    struct row *rows;
    size_t next;
    size_t have;
};

/* A run that is sorted and written while the next rows are gathered. */
struct sorting {
    pthread_t thread;
    bool runs;
    struct row *rows;
    size_t count;
    int fd;
    off_t at;
    int cause; /* errno of what failed; 0: nothing */
};

struct kw_spill {
    int fd; /* -1: nothing was spilled */
    struct row *rows;
    size_t count;
    struct sorting sorting;
    struct run *runs;
    size_t run_count;
    off_t size;
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

kw_status kw_spill_open(struct kw_spill **spill, struct kw_error *error) {
    struct kw_spill *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return no_memory(error);
    }
    made->fd = -1;
    made->rows = malloc(RUN_ROWS * sizeof *made->rows);
    if (made->rows == NULL) {
        free(made);
        return no_memory(error);
    }
    *spill = made;
    return KW_OK;
}

void kw_spill_close(struct kw_spill *spill) {
    if (spill == NULL) {
        return;
    }
    if (spill->sorting.runs) {
        (void)pthread_join(spill->sorting.thread, NULL);
    }
    for (size_t i = 0; i < spill->run_count; i++) {
        free(spill->runs[i].rows);
    }
    if (spill->fd >= 0) {
        (void)close(spill->fd);
    }
    free(spill->runs);
    free(spill->sorting.rows);
    free(spill->rows);
    free(spill);
}

/* --- spilling --- */

static const char *folder(void) {
    const char *named = getenv("TMPDIR");
    return named != NULL && named[0] != '\0' ? named : "/tmp";
}

static kw_status open_file(struct kw_spill *spill, struct kw_error *error) {
    if (spill->fd < 0) {
        spill->fd = open(folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    if (spill->fd < 0) {
        kw_error_system(error, "cannot make a temporary file in %s", folder());
        return kw_error_hint(error, "TMPDIR names another folder");
    }
    return KW_OK;
}

static int by_bytes(const void *left, const void *right) {
    return memcmp(left, right, sizeof(struct row));
}

static int write_rows(const struct sorting *sorting) {
    const uint8_t *from = (const uint8_t *)sorting->rows;
    size_t left = sorting->count * sizeof *sorting->rows;
    off_t at = sorting->at;
    while (left > 0) {
        const ssize_t count = pwrite(sorting->fd, from, left, at);
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        const size_t written = count > 0 ? (size_t)count : 0;
        from += written;
        left -= written;
        at += (off_t)written;
    }
    return 0;
}

static void *sort_and_write(void *self) {
    struct sorting *sorting = self;
    qsort(sorting->rows, sorting->count, sizeof *sorting->rows, by_bytes);
    sorting->cause = write_rows(sorting);
    return NULL;
}

/* Waits for the run that is being written. */
static kw_status settle(struct kw_spill *spill, struct kw_error *error) {
    struct sorting *sorting = &spill->sorting;
    if (sorting->runs) {
        (void)pthread_join(sorting->thread, NULL);
        sorting->runs = false;
    }
    errno = sorting->cause;
    return sorting->cause == 0
               ? KW_OK
               : kw_error_system(error, "cannot write a temporary file in %s",
                                 folder());
}

/* The rows go to the sorting, and its buffer comes back. */
static kw_status hand_over(struct kw_spill *spill, struct kw_error *error) {
    struct sorting *sorting = &spill->sorting;
    struct row *other = sorting->rows != NULL
                            ? sorting->rows
                            : malloc(RUN_ROWS * sizeof *sorting->rows);
    if (other == NULL) {
        return no_memory(error);
    }
    sorting->rows = spill->rows;
    sorting->count = spill->count;
    sorting->fd = spill->fd;
    sorting->at = spill->size;
    spill->size += (off_t)(spill->count * sizeof *spill->rows);
    spill->rows = other;
    spill->count = 0;
    sorting->runs =
        pthread_create(&sorting->thread, NULL, sort_and_write, sorting) == 0;
    if (!sorting->runs) {
        (void)sort_and_write(sorting);
    }
    return KW_OK;
}

static kw_status spill_run(struct kw_spill *spill, struct kw_error *error) {
    KW_TRY(settle(spill, error));
    struct run *grown =
        realloc(spill->runs, (spill->run_count + 1) * sizeof *spill->runs);
    if (grown == NULL) {
        return no_memory(error);
    }
    spill->runs = grown;
    spill->runs[spill->run_count++] =
        (struct run){.at = spill->size, .left = spill->count};
    KW_TRY(open_file(spill, error));
    return hand_over(spill, error);
}

kw_status kw_spill_add(struct kw_spill *spill, enum kw_spill_kind kind,
                       const uint8_t *value, size_t size, uint32_t entry,
                       struct kw_error *error) {
    struct row row = {{(uint8_t)kind}};
    memcpy(row.bytes + VALUE_AT, value,
           size < KW_SPILL_VALUE ? size : KW_SPILL_VALUE);
    for (unsigned i = 0; i < 4; i++) {
        row.bytes[ENTRY_AT + i] = (uint8_t)(entry >> (24 - 8 * i));
    }
    if (spill->count == RUN_ROWS) {
        KW_TRY(spill_run(spill, error));
    }
    spill->rows[spill->count++] = row;
    return KW_OK;
}

/* --- merging --- */

static kw_status fill_run(struct kw_spill *spill, struct run *run,
                          struct kw_error *error) {
    const size_t rows = run->left < READ_ROWS ? run->left : READ_ROWS;
    const size_t size = rows * sizeof *run->rows;
    if (run->rows == NULL) {
        run->rows = malloc(READ_ROWS * sizeof *run->rows);
    }
    if (run->rows == NULL) {
        return no_memory(error);
    }
    if (pread(spill->fd, run->rows, size, run->at) != (ssize_t)size) {
        return kw_error_system(error, "cannot read a temporary file in %s",
                               folder());
    }
    run->at += (off_t)size;
    run->left -= rows;
    run->next = 0;
    run->have = rows;
    return KW_OK;
}

/* The run whose next row is the least; NULL when all are empty. */
static kw_status least(struct kw_spill *spill, struct run **found,
                       struct kw_error *error) {
    *found = NULL;
    for (size_t i = 0; i < spill->run_count; i++) {
        struct run *run = &spill->runs[i];
        if (run->next == run->have && run->left > 0) {
            KW_TRY(fill_run(spill, run, error));
        }
        if (run->next < run->have &&
            (*found == NULL || by_bytes(&run->rows[run->next],
                                        &(*found)->rows[(*found)->next]) < 0)) {
            *found = run;
        }
    }
    return KW_OK;
}

static uint32_t entry_of(const struct row *row) {
    uint32_t entry = 0;
    for (unsigned i = 0; i < 4; i++) {
        entry = entry << 8 | row->bytes[ENTRY_AT + i];
    }
    return entry;
}

/* The first row of its value, and whether there is one. */
struct first {
    bool there;
    struct row row;
};

static void look(struct first *first, const struct row *row,
                 kw_spill_twice *twice, void *observer) {
    if (first->there && memcmp(first->row.bytes, row->bytes, ENTRY_AT) == 0) {
        twice(observer, (enum kw_spill_kind)row->bytes[0],
              row->bytes + VALUE_AT, entry_of(&first->row), entry_of(row));
        return;
    }
    *first = (struct first){true, *row};
}

static kw_status merge(struct kw_spill *spill, kw_spill_twice *twice,
                       void *observer, struct kw_error *error) {
    struct first first = {.there = false};
    struct run *run = NULL;
    for (;;) {
        KW_TRY(least(spill, &run, error));
        if (run == NULL) {
            return KW_OK;
        }
        look(&first, &run->rows[run->next++], twice, observer);
    }
}

kw_status kw_spill_finish(struct kw_spill *spill, kw_spill_twice *twice,
                          void *observer, struct kw_error *error) {
    struct first first = {.there = false};
    if (spill->run_count > 0) {
        KW_TRY(spill_run(spill, error));
        KW_TRY(settle(spill, error));
        return merge(spill, twice, observer, error);
    }
    qsort(spill->rows, spill->count, sizeof *spill->rows, by_bytes);
    for (size_t i = 0; i < spill->count; i++) {
        look(&first, &spill->rows[i], twice, observer);
    }
    return KW_OK;
}
