#include "host/manifest/verify.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host/manifest/spill.h"

#define BATCH_ENTRIES  32u
#define BATCH_SIZE     (4u * KW_MANIFEST_ENTRY_MAX)
#define CHIPS_OWN_KEYS 5u /* slots 0 to 4 */

/* What is kept of an entry when its text is gone. */
struct outcome {
    struct kw_verdict verdict;
    bool has_unique_id;
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    uint8_t key_count;
    uint8_t keys[CHIPS_OWN_KEYS][KW_SPILL_VALUE];
};

struct batch {
    size_t count;
    size_t size;
    bool checked;
    struct kw_manifest_piece pieces[BATCH_ENTRIES];
    struct outcome outcomes[BATCH_ENTRIES];
    char text[BATCH_SIZE];
};

/* Batches go round: the reader fills number `filled`, a worker takes
 * `taken`, the reader reports `reported`. */
struct pool {
    const struct kw_manifest_verification *about;
    struct kw_manifest_checker **checkers; /* one a job */
    struct batch *batches;
    size_t batch_count;
    size_t filled;
    size_t taken;
    size_t reported;
    bool closed; /* no batch follows */
    pthread_mutex_t mutex;
    pthread_cond_t is_filled;
    pthread_cond_t is_checked;
};

/* The reader's own. */
struct reader {
    struct pool *pool;
    struct kw_manifest_scan *scan;
    struct kw_spill *spill;
    struct kw_manifest_tally *tally;
    struct kw_error *error;
    bool ended;
    bool has_piece; /* one that did not fit into the last batch */
    struct kw_manifest_piece piece;
    kw_status scan_status;
};

/* --- checking --- */

static void keep_keys(const struct kw_manifest_entry *entry,
                      struct outcome *outcome) {
    outcome->key_count = 0;
    for (size_t i = 0; i < entry->key_count; i++) {
        if (entry->keys[i].kid < CHIPS_OWN_KEYS) {
            memcpy(outcome->keys[outcome->key_count++],
                   entry->keys[i].public_key, KW_SPILL_VALUE);
        }
    }
}

static void check_piece(struct kw_manifest_checker *checker,
                        const struct kw_manifest_piece *piece,
                        struct outcome *outcome) {
    const struct kw_manifest_entry *entry = NULL;
    static const uint8_t NONE[KW_UNIQUE_ID_SIZE] = {0};
    outcome->verdict = kw_manifest_check(checker, piece, &entry);
    memcpy(outcome->unique_id, entry->unique_id, KW_UNIQUE_ID_SIZE);
    outcome->has_unique_id =
        piece->words == NULL &&
        memcmp(entry->unique_id, NONE, KW_UNIQUE_ID_SIZE) != 0;
    outcome->key_count = 0;
    if (outcome->verdict.status == KW_OK) {
        keep_keys(entry, outcome);
    }
}

static void check_batch(struct kw_manifest_checker *checker,
                        struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        check_piece(checker, &batch->pieces[i], &batch->outcomes[i]);
    }
}

/* The next batch to check; NULL: none follows. */
static struct batch *take_batch(struct pool *pool) {
    struct batch *batch = NULL;
    (void)pthread_mutex_lock(&pool->mutex);
    while (pool->taken == pool->filled && !pool->closed) {
        (void)pthread_cond_wait(&pool->is_filled, &pool->mutex);
    }
    if (pool->taken < pool->filled) {
        batch = &pool->batches[pool->taken++ % pool->batch_count];
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return batch;
}

struct worker {
    pthread_t thread;
    struct pool *pool;
    struct kw_manifest_checker *checker;
};

static void *work(void *self) {
    struct worker *worker = self;
    struct pool *pool = worker->pool;
    for (;;) {
        struct batch *batch = take_batch(pool);
        if (batch == NULL) {
            return NULL;
        }
        check_batch(worker->checker, batch);
        (void)pthread_mutex_lock(&pool->mutex);
        batch->checked = true;
        (void)pthread_cond_signal(&pool->is_checked);
        (void)pthread_mutex_unlock(&pool->mutex);
    }
}

/* --- reading --- */

static bool stopped(const struct pool *pool) {
    return pool->about->stop != NULL && *pool->about->stop != 0;
}

/* The piece that waits, or the next one. */
static bool next_piece(struct reader *reader) {
    bool more = false;
    if (reader->has_piece) {
        return true;
    }
    if (reader->ended) {
        return false;
    }
    reader->scan_status = kw_manifest_scan_next(reader->scan, &reader->piece,
                                                &more, reader->error);
    reader->ended = reader->scan_status != KW_OK || !more;
    reader->has_piece = !reader->ended;
    return reader->has_piece;
}

static void put_piece(struct batch *batch, struct reader *reader) {
    struct kw_manifest_piece *kept = &batch->pieces[batch->count++];
    *kept = reader->piece;
    kept->text = batch->text + batch->size;
    if (kept->words == NULL) {
        memcpy(batch->text + batch->size, reader->piece.text, kept->size);
        batch->size += kept->size;
    }
    reader->has_piece = false;
    reader->tally->entries++;
}

static void fill_batch(struct batch *batch, struct reader *reader) {
    batch->count = 0;
    batch->size = 0;
    batch->checked = false;
    while (batch->count < BATCH_ENTRIES && next_piece(reader)) {
        const size_t size =
            reader->piece.words == NULL ? reader->piece.size : 0;
        if (batch->size + size > BATCH_SIZE) {
            return;
        }
        put_piece(batch, reader);
    }
}

/* --- reporting --- */

static void count_finding(struct reader *reader,
                          const struct kw_manifest_finding *finding) {
    struct kw_manifest_tally *tally = reader->tally;
    const struct kw_manifest_verification *about = reader->pool->about;
    if (kw_status_class(finding->status) == KW_CLASS_PARSE) {
        tally->unreadable++;
    } else {
        tally->wrong++;
    }
    about->found(about->observer, finding);
}

static kw_status report_outcome(struct reader *reader, uint32_t number,
                                const struct outcome *outcome) {
    char text[KW_UNIQUE_ID_TEXT];
    kw_unique_id_text(outcome->unique_id, text);
    if (outcome->verdict.status != KW_OK) {
        count_finding(reader,
                      &(struct kw_manifest_finding){
                          .entry = number,
                          .unique_id = outcome->has_unique_id ? text : NULL,
                          .status = outcome->verdict.status,
                          .words = outcome->verdict.words,
                      });
    }
    for (size_t i = 0; i < outcome->key_count; i++) {
        KW_TRY(kw_spill_add(reader->spill, KW_SPILL_KEY, outcome->keys[i],
                            KW_SPILL_VALUE, number, reader->error));
    }
    return outcome->has_unique_id
               ? kw_spill_add(reader->spill, KW_SPILL_UNIQUE_ID,
                              outcome->unique_id, KW_UNIQUE_ID_SIZE, number,
                              reader->error)
               : KW_OK;
}

static kw_status report_batch(struct reader *reader) {
    struct pool *pool = reader->pool;
    struct batch *batch = &pool->batches[pool->reported % pool->batch_count];
    if (pool->about->jobs > 1) {
        (void)pthread_mutex_lock(&pool->mutex);
        while (!batch->checked) {
            (void)pthread_cond_wait(&pool->is_checked, &pool->mutex);
        }
        (void)pthread_mutex_unlock(&pool->mutex);
    }
    for (size_t i = 0; i < batch->count; i++) {
        KW_TRY(report_outcome(reader, batch->pieces[i].number,
                              &batch->outcomes[i]));
    }
    pool->reported++;
    return KW_OK;
}

static void hand_out(struct pool *pool) {
    struct batch *batch = &pool->batches[pool->filled % pool->batch_count];
    if (pool->about->jobs == 1) {
        check_batch(pool->checkers[0], batch);
        pool->filled++;
        return;
    }
    (void)pthread_mutex_lock(&pool->mutex);
    pool->filled++;
    (void)pthread_cond_signal(&pool->is_filled);
    (void)pthread_mutex_unlock(&pool->mutex);
}

static kw_status read_all(struct reader *reader) {
    struct pool *pool = reader->pool;
    for (;;) {
        if (stopped(pool)) {
            return kw_error(reader->error, KW_INTERRUPTED,
                            "interrupted; nothing was changed");
        }
        if (pool->filled - pool->reported == pool->batch_count ||
            (!next_piece(reader) && pool->reported < pool->filled)) {
            KW_TRY(report_batch(reader));
            continue;
        }
        if (!next_piece(reader)) {
            return reader->scan_status;
        }
        fill_batch(&pool->batches[pool->filled % pool->batch_count], reader);
        hand_out(pool);
    }
}

/* --- twice --- */

static void twice(void *observer, enum kw_spill_kind kind,
                  const uint8_t value[KW_SPILL_VALUE], uint32_t first,
                  uint32_t again) {
    struct reader *reader = observer;
    const struct kw_manifest_verification *about = reader->pool->about;
    char text[KW_UNIQUE_ID_TEXT];
    kw_unique_id_text(value, text);
    const bool is_id = kind == KW_SPILL_UNIQUE_ID;
    const struct kw_manifest_finding finding = {
        .entry = again,
        .unique_id = is_id ? text : NULL,
        .status = KW_NO,
        .words = is_id ? "uniqueId is there already"
                       : "a key of slots 0 to 4 is there already",
        .first = first,
    };
    reader->tally->twice++;
    about->found(about->observer, &finding);
}

/* The file ends too early, or too late: a finding like the others, at the
 * entry that it would have next. A file that does not even begin as a
 * manifest is an error. */
static kw_status note_end(struct reader *reader) {
    const kw_status status = reader->scan_status;
    if (kw_status_class(status) != KW_CLASS_PARSE ||
        kw_manifest_scan_kept(reader->scan) == 0) {
        return status;
    }
    count_finding(reader, &(struct kw_manifest_finding){
                              .entry = ++reader->tally->entries,
                              .status = status,
                              .words = reader->error->message,
                          });
    *reader->error = (struct kw_error){.status = KW_OK};
    return KW_OK;
}

static kw_status run(struct reader *reader) {
    const kw_status status = read_all(reader);
    if (status != KW_OK && status != reader->scan_status) {
        return status;
    }
    KW_TRY(note_end(reader));
    return kw_spill_finish(reader->spill, twice, reader, reader->error);
}

/* --- threads --- */

static kw_status run_with(struct pool *pool, struct reader *reader,
                          struct worker *workers) {
    const unsigned jobs = pool->about->jobs;
    kw_status status = KW_OK;
    unsigned started = 0;
    for (; jobs > 1 && started < jobs; started++) {
        workers[started].pool = pool;
        workers[started].checker = pool->checkers[started];
        if (pthread_create(&workers[started].thread, NULL, work,
                           &workers[started]) != 0) {
            status = kw_error(reader->error, KW_SYSTEM,
                              "cannot start %u threads", jobs);
            break;
        }
    }
    if (status == KW_OK) {
        status = run(reader);
    }
    (void)pthread_mutex_lock(&pool->mutex);
    pool->closed = true;
    (void)pthread_cond_broadcast(&pool->is_filled);
    (void)pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    return status;
}

static kw_status open_checkers(struct pool *pool, struct kw_error *error) {
    for (unsigned i = 0; i < pool->about->jobs; i++) {
        KW_TRY(kw_manifest_checker_open(pool->about->trust, &pool->checkers[i],
                                        error));
    }
    return KW_OK;
}

static kw_status run_pool(struct pool *pool, struct reader *reader) {
    const unsigned jobs = pool->about->jobs;
    struct worker *workers = calloc(jobs, sizeof *workers);
    pool->checkers = calloc(jobs, sizeof(struct kw_manifest_checker *));
    pool->batch_count = jobs == 1 ? 1 : 2 * (size_t)jobs + 1;
    pool->batches = malloc(pool->batch_count * sizeof *pool->batches);
    kw_status status = KW_OK;
    if (workers == NULL || pool->checkers == NULL || pool->batches == NULL) {
        status = kw_error(reader->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    if (status == KW_OK) {
        status = open_checkers(pool, reader->error);
    }
    if (status == KW_OK) {
        status = run_with(pool, reader, workers);
    }
    for (unsigned i = 0; pool->checkers != NULL && i < jobs; i++) {
        kw_manifest_checker_close(pool->checkers[i]);
    }
    free(pool->batches);
    free(pool->checkers);
    free(workers);
    return status;
}

kw_status
kw_manifest_verify(const struct kw_manifest_verification *verification,
                   struct kw_manifest_tally *tally, struct kw_error *error) {
    struct pool pool = {
        .about = verification,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .is_filled = PTHREAD_COND_INITIALIZER,
        .is_checked = PTHREAD_COND_INITIALIZER,
    };
    struct reader reader = {.pool = &pool, .tally = tally, .error = error};
    *tally = (struct kw_manifest_tally){.entries = 0};
    KW_TRY(kw_manifest_scan_open(verification->path, &reader.scan, error));
    kw_status status = kw_spill_open(&reader.spill, error);
    if (status == KW_OK) {
        status = run_pool(&pool, &reader);
    }
    kw_spill_close(reader.spill);
    kw_manifest_scan_close(reader.scan);
    return status;
}
