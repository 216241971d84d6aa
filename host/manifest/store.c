#include "host/manifest/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/out.h"
#include "host/workspace.h"

struct kw_manifest_store {
    char *path;
    int fd; /* -1: the file is not there yet */
    bool recovered;
    bool open_journal; /* FILE.journal is there, and ours */
    struct kw_manifest_index *index;
    struct kw_manifest_room *room;
    struct kw_manifest_journal journal;
    uint32_t entries;
    uint32_t added;
    uint32_t replaced;
    uint8_t *gone; /* a bit an entry: another one takes its place */
    size_t gone_size;
    struct kw_out out;
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- writing --- */

static kw_status put_entry(struct kw_out *out, bool is_first, const char *text,
                           size_t size, struct kw_error *error) {
    KW_TRY(is_first ? kw_out_put(out, "\n  ", 3, error)
                    : kw_out_put(out, ",\n  ", 4, error));
    return kw_out_put(out, text, size, error);
}

/* The closing bracket. */
static kw_status finish_out(struct kw_out *out, struct kw_error *error) {
    KW_TRY(kw_out_put(out, "\n]", 2, error));
    return kw_out_finish(out, error);
}

/* --- opening --- */

/* What stands behind the last entry, so that it can be put back. */
static kw_status keep_tail(struct kw_manifest_store *store,
                           struct kw_error *error) {
    struct kw_manifest_journal *journal = &store->journal;
    const off_t size = lseek(store->fd, 0, SEEK_END);
    if (size < journal->kept) {
        return kw_error_system(error, "cannot read %s", store->path);
    }
    if (size - journal->kept > KW_MANIFEST_TAIL_MAX) {
        return kw_error(error, KW_PARSE,
                        "%s has more than %d bytes behind its last entry",
                        store->path, KW_MANIFEST_TAIL_MAX);
    }
    journal->tail_size = (size_t)(size - journal->kept);
    return pread(store->fd, journal->tail, journal->tail_size, journal->kept) ==
                   (ssize_t)journal->tail_size
               ? KW_OK
               : kw_error_system(error, "cannot read %s", store->path);
}

static kw_status index_piece(struct kw_manifest_store *store,
                             const struct kw_manifest_piece *piece,
                             struct kw_error *error) {
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    uint32_t before = 0;
    const struct kw_verdict verdict =
        kw_manifest_entry_unique_id(piece, store->room, unique_id);
    if (verdict.status != KW_OK) {
        kw_error(error, verdict.status, "entry %u of %s: %s",
                 (unsigned)piece->number, store->path, verdict.words);
        return kw_error_hint(error, "nothing was changed; `keywright manifest "
                                    "verify` shows all that is wrong");
    }
    store->entries = piece->number;
    return kw_manifest_index_put(store->index, unique_id, piece->number,
                                 &before) == KW_OK
               ? KW_OK
               : no_memory(error);
}

static kw_status index_all(struct kw_manifest_store *store,
                           struct kw_manifest_scan *scan,
                           struct kw_error *error) {
    struct kw_manifest_piece piece;
    bool more = true;
    for (;;) {
        KW_TRY(kw_manifest_scan_next(scan, &piece, &more, error));
        if (!more) {
            store->journal.kept = kw_manifest_scan_kept(scan);
            return keep_tail(store, error);
        }
        KW_TRY(index_piece(store, &piece, error));
    }
}

/* Nobody else may change the file from now on. */
static kw_status lock(const struct kw_manifest_store *store,
                      struct kw_error *error) {
    errno = kw_lock_byte(store->fd, 0);
    if (errno == EAGAIN) {
        return kw_error(error, KW_ABSENT_LOCKED,
                        "another process is changing %s", store->path);
    }
    return errno == 0 ? KW_OK
                      : kw_error_system(error, "cannot lock %s", store->path);
}

static kw_status scan_all(struct kw_manifest_store *store,
                          struct kw_error *error) {
    struct kw_manifest_scan *scan = NULL;
    KW_TRY(kw_manifest_scan_open(store->path, &scan, error));
    const kw_status status = index_all(store, scan, error);
    kw_manifest_scan_close(scan);
    return status;
}

/* While we waited for the lock another process may have put a new file in
 * the place, or have been killed. */
static bool is_settled(const struct kw_manifest_store *store,
                       const char *journal) {
    struct stat ours;
    struct stat there;
    return fstat(store->fd, &ours) == 0 && stat(store->path, &there) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev &&
           !kw_file_exists(journal);
}

/* The file is open and locked, and no change of it waits; or it is not
 * there. */
static kw_status open_file(struct kw_manifest_store *store, const char *journal,
                           struct kw_error *error) {
    for (;;) {
        bool recovered = false;
        KW_TRY(kw_manifest_recover(store->path, &recovered, error));
        store->recovered = store->recovered || recovered;
        if (!kw_file_exists(store->path)) {
            return KW_OK;
        }
        store->fd = open(store->path, O_RDWR | O_CLOEXEC);
        if (store->fd < 0) {
            return kw_error_system(error, "cannot open %s", store->path);
        }
        KW_TRY(lock(store, error));
        if (is_settled(store, journal)) {
            return scan_all(store, error);
        }
        (void)close(store->fd);
        store->fd = -1;
    }
}

static kw_status open_all(struct kw_manifest_store *store,
                          struct kw_error *error) {
    char *journal = kw_manifest_journal_path(store->path);
    store->room = malloc(sizeof *store->room);
    if (journal == NULL || store->room == NULL ||
        kw_manifest_index_open(&store->index) != KW_OK) {
        free(journal);
        return no_memory(error);
    }
    const kw_status status = open_file(store, journal, error);
    free(journal);
    return status;
}

kw_status kw_manifest_store_open(const char *path,
                                 struct kw_manifest_store **store,
                                 struct kw_error *error) {
    struct kw_manifest_store *made = calloc(1, sizeof *made);
    char *name = strdup(path);
    if (made == NULL || name == NULL) {
        free(made);
        free(name);
        return no_memory(error);
    }
    made->path = name;
    made->fd = -1;
    made->journal.lock = -1;
    const kw_status status = open_all(made, error);
    if (status != KW_OK) {
        kw_manifest_store_close(made);
        return status;
    }
    *store = made;
    return KW_OK;
}

/* What fails here the next open does again. */
static void undo(struct kw_manifest_store *store) {
    struct kw_error ignored;
    bool undone = false;
    kw_manifest_journal_unlock(&store->journal);
    (void)!kw_manifest_recover(store->path, &undone, &ignored);
}

void kw_manifest_store_close(struct kw_manifest_store *store) {
    if (store == NULL) {
        return;
    }
    if (store->open_journal) {
        undo(store);
    }
    kw_manifest_journal_unlock(&store->journal);
    if (store->fd >= 0) {
        (void)close(store->fd);
    }
    kw_out_close(&store->out);
    kw_manifest_index_close(store->index);
    free(store->gone);
    free(store->room);
    free(store->path);
    free(store);
}

/* --- adding --- */

static kw_status make_file(struct kw_manifest_store *store,
                           struct kw_error *error) {
    store->fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                     KW_PUBLIC_MODE);
    if (store->fd >= 0) {
        return lock(store, error);
    }
    const kw_status status =
        kw_error_system(error, "cannot create %s", store->path);
    /* What is there is another's: our journal must not remove it. */
    struct kw_error ignored;
    (void)!kw_manifest_journal_close(store->path, &store->journal, &ignored);
    store->open_journal = false;
    return status;
}

static kw_status begin(struct kw_manifest_store *store,
                       struct kw_error *error) {
    const bool is_new = store->fd < 0;
    KW_TRY(kw_manifest_journal_write(store->path, &store->journal, error));
    store->open_journal = true;
    if (is_new) {
        KW_TRY(make_file(store, error));
    }
    KW_TRY(kw_out_open(store->fd, store->path, store->journal.kept, &store->out,
                       error));
    return is_new ? kw_out_put(&store->out, "[", 1, error) : KW_OK;
}

static kw_status mark_gone(struct kw_manifest_store *store, uint32_t entry,
                           struct kw_error *error) {
    const size_t at = entry / 8;
    if (at >= store->gone_size) {
        const size_t size = 2 * at + 64;
        uint8_t *grown = realloc(store->gone, size);
        if (grown == NULL) {
            return no_memory(error);
        }
        memset(grown + store->gone_size, 0, size - store->gone_size);
        store->gone = grown;
        store->gone_size = size;
    }
    store->gone[at] |= (uint8_t)(1u << entry % 8);
    store->replaced++;
    return KW_OK;
}

static bool is_gone(const struct kw_manifest_store *store, uint32_t entry) {
    return entry / 8 < store->gone_size &&
           (store->gone[entry / 8] >> entry % 8 & 1) != 0;
}

bool kw_manifest_store_has(const struct kw_manifest_store *store,
                           const uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    return kw_manifest_index_find(store->index, unique_id) != 0;
}

kw_status kw_manifest_store_put(struct kw_manifest_store *store,
                                const uint8_t unique_id[KW_UNIQUE_ID_SIZE],
                                const char *text, size_t size,
                                struct kw_error *error) {
    uint32_t before = 0;
    if (!store->open_journal) {
        KW_TRY(begin(store, error));
    }
    KW_TRY(put_entry(&store->out, store->entries == 0, text, size, error));
    store->entries++;
    store->added++;
    if (kw_manifest_index_put(store->index, unique_id, store->entries,
                              &before) != KW_OK) {
        return no_memory(error);
    }
    return before == 0 ? KW_OK : mark_gone(store, before, error);
}

/* --- the rewrite --- */

static kw_status copy_left(struct kw_manifest_store *store,
                           struct kw_manifest_scan *scan, struct kw_out *out,
                           struct kw_error *error) {
    struct kw_manifest_piece piece;
    bool is_first = true;
    bool more = true;
    KW_TRY(kw_out_put(out, "[", 1, error));
    for (;;) {
        KW_TRY(kw_manifest_scan_next(scan, &piece, &more, error));
        if (!more) {
            return finish_out(out, error);
        }
        if (!is_gone(store, piece.number)) {
            KW_TRY(put_entry(out, is_first, piece.text, piece.size, error));
            is_first = false;
        }
    }
}

static kw_status copy(struct kw_manifest_store *store, const char *rewritten,
                      int fd, struct kw_error *error) {
    struct kw_manifest_scan *scan = NULL;
    struct kw_out out;
    KW_TRY(kw_out_open(fd, rewritten, 0, &out, error));
    kw_status status = kw_manifest_scan_open(store->path, &scan, error);
    if (status == KW_OK) {
        status = copy_left(store, scan, &out, error);
        kw_manifest_scan_close(scan);
    }
    kw_out_close(&out);
    return status;
}

/* FILE.rewritten: all that stay, flushed. */
static kw_status rewrite_as(struct kw_manifest_store *store,
                            const char *rewritten, struct kw_error *error) {
    (void)unlink(rewritten);
    struct stat old;
    const int fd =
        open(rewritten, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, KW_SECRET_MODE);
    if (fd < 0) {
        return kw_error_system(error, "cannot create %s", rewritten);
    }
    kw_status status = copy(store, rewritten, fd, error);
    if (status == KW_OK &&
        (fstat(store->fd, &old) != 0 || fchmod(fd, old.st_mode & 07777) != 0 ||
         fsync(fd) != 0)) {
        status = kw_error_system(error, "cannot write %s", rewritten);
    }
    (void)close(fd);
    return status;
}

static kw_status rewrite(struct kw_manifest_store *store,
                         struct kw_error *error) {
    char *rewritten = kw_manifest_rewritten_path(store->path);
    if (rewritten == NULL) {
        return no_memory(error);
    }
    const kw_status status = rewrite_as(store, rewritten, error);
    free(rewritten);
    KW_TRY(status);
    /* The journal must not speak of a name that a cut may take away. */
    KW_TRY(kw_manifest_flush_folder(store->path, error));
    store->journal.replaces = true;
    KW_TRY(kw_manifest_journal_write(store->path, &store->journal, error));
    return kw_manifest_journal_end(store->path, &store->journal, error);
}

/* --- the end --- */

static kw_status flush(struct kw_manifest_store *store,
                       struct kw_error *error) {
    KW_TRY(finish_out(&store->out, error));
    return fsync(store->fd) == 0
               ? KW_OK
               : kw_error_system(error, "cannot write %s", store->path);
}

kw_status kw_manifest_store_commit(struct kw_manifest_store *store,
                                   struct kw_manifest_change *change,
                                   struct kw_error *error) {
    if (store->open_journal) {
        KW_TRY(flush(store, error));
        KW_TRY(store->replaced > 0 ? rewrite(store, error)
                                   : kw_manifest_journal_close(
                                         store->path, &store->journal, error));
        store->open_journal = false;
    }
    *change = (struct kw_manifest_change){
        .added = store->added,
        .replaced = store->replaced,
        .entries = store->entries - store->replaced,
        .recovered = store->recovered,
    };
    return KW_OK;
}
