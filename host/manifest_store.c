#include "host/manifest_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/manifest_journal.h"
#include "host/workspace.h"

#define BUFFER_SIZE (1024u * 1024)

/* What is written is gathered first. */
struct out {
    int fd;
    const char *path;
    off_t at; /* where the buffer goes */
    size_t size;
    char *buffer;
};

struct kw_manifest_store {
    char *path;
    char *rewritten;
    bool is_new;
    bool recovered;
    bool open_journal; /* FILE.journal is there */
    struct kw_manifest_index *index;
    struct kw_manifest_room *room;
    struct kw_manifest_journal journal;
    uint32_t entries;
    uint32_t added;
    uint32_t replaced;
    uint8_t *gone; /* a bit an entry: another one takes its place */
    size_t gone_size;
    struct out out;
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- writing --- */

static kw_status flush_out(struct out *out, struct kw_error *error) {
    const char *from = out->buffer;
    while (out->size > 0) {
        const ssize_t count = pwrite(out->fd, from, out->size, out->at);
        if (count < 0 && errno != EINTR) {
            return kw_error_system(error, "cannot write %s", out->path);
        }
        const size_t written = count > 0 ? (size_t)count : 0;
        from += written;
        out->size -= written;
        out->at += (off_t)written;
    }
    return KW_OK;
}

static kw_status put_out(struct out *out, const char *text, size_t size,
                         struct kw_error *error) {
    if (size > BUFFER_SIZE - out->size) {
        KW_TRY(flush_out(out, error));
    }
    memcpy(out->buffer + out->size, text, size);
    out->size += size;
    return KW_OK;
}

static kw_status put_entry(struct out *out, bool is_first, const char *text,
                           size_t size, struct kw_error *error) {
    KW_TRY(is_first ? put_out(out, "\n  ", 3, error)
                    : put_out(out, ",\n  ", 4, error));
    return put_out(out, text, size, error);
}

/* The closing bracket; what is behind it is cut off, and all is flushed. */
static kw_status finish_out(struct out *out, struct kw_error *error) {
    KW_TRY(put_out(out, "\n]", 2, error));
    KW_TRY(flush_out(out, error));
    return ftruncate(out->fd, out->at) == 0 && fsync(out->fd) == 0
               ? KW_OK
               : kw_error_system(error, "cannot write %s", out->path);
}

/* --- opening --- */

kw_status kw_manifest_recover(const char *path, bool *recovered,
                              struct kw_error *error) {
    char *journal = kw_manifest_journal_path(path);
    if (journal == NULL) {
        return no_memory(error);
    }
    *recovered = kw_file_exists(journal);
    free(journal);
    return *recovered ? kw_manifest_journal_end(path, error) : KW_OK;
}

kw_status kw_manifest_require_whole(const char *path, struct kw_error *error) {
    char *journal = kw_manifest_journal_path(path);
    if (journal == NULL) {
        return no_memory(error);
    }
    const bool there = kw_file_exists(journal);
    free(journal);
    if (!there) {
        return KW_OK;
    }
    kw_error(error, KW_INTERRUPTED,
             "a change of %s was interrupted: %s.journal is there", path, path);
    return kw_error_hint(error, "run the interrupted `keywright manifest make` "
                                "again: it puts the file back first");
}

/* What stands behind the last entry, so that it can be put back. */
static kw_status keep_tail(struct kw_manifest_store *store,
                           struct kw_error *error) {
    struct kw_manifest_journal *journal = &store->journal;
    const off_t size = lseek(store->out.fd, 0, SEEK_END);
    if (size < journal->kept) {
        return kw_error_system(error, "cannot read %s", store->path);
    }
    if (size - journal->kept > KW_MANIFEST_TAIL_MAX) {
        return kw_error(error, KW_PARSE,
                        "%s has more than %d bytes behind its last entry",
                        store->path, KW_MANIFEST_TAIL_MAX);
    }
    journal->tail_size = (size_t)(size - journal->kept);
    return pread(store->out.fd, journal->tail, journal->tail_size,
                 journal->kept) == (ssize_t)journal->tail_size
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

static kw_status open_there(struct kw_manifest_store *store,
                            struct kw_error *error) {
    struct kw_manifest_scan *scan = NULL;
    store->out.fd = open(store->path, O_RDWR | O_CLOEXEC);
    if (store->out.fd < 0) {
        return kw_error_system(error, "cannot open %s", store->path);
    }
    if (kw_lock_byte(store->out.fd, 0) != 0) {
        return kw_error(error, KW_ABSENT_LOCKED,
                        "another process is changing %s", store->path);
    }
    KW_TRY(kw_manifest_scan_open(store->path, &scan, error));
    const kw_status status = index_all(store, scan, error);
    kw_manifest_scan_close(scan);
    return status;
}

static kw_status open_all(struct kw_manifest_store *store,
                          struct kw_error *error) {
    store->rewritten = kw_manifest_rewritten_path(store->path);
    store->room = malloc(sizeof *store->room);
    store->out.buffer = malloc(BUFFER_SIZE);
    if (store->rewritten == NULL || store->room == NULL ||
        store->out.buffer == NULL ||
        kw_manifest_index_open(&store->index) != KW_OK) {
        return no_memory(error);
    }
    store->out.path = store->path;
    KW_TRY(kw_manifest_recover(store->path, &store->recovered, error));
    store->is_new = !kw_file_exists(store->path);
    return store->is_new ? KW_OK : open_there(store, error);
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
    made->out.fd = -1;
    const kw_status status = open_all(made, error);
    if (status != KW_OK) {
        kw_manifest_store_close(made);
        return status;
    }
    *store = made;
    return KW_OK;
}

void kw_manifest_store_close(struct kw_manifest_store *store) {
    struct kw_error ignored;
    if (store == NULL) {
        return;
    }
    if (store->out.fd >= 0) {
        (void)close(store->out.fd);
    }
    if (store->open_journal) {
        /* What fails here the next open does again. */
        (void)!kw_manifest_journal_end(store->path, &ignored);
    }
    kw_manifest_index_close(store->index);
    free(store->gone);
    free(store->out.buffer);
    free(store->room);
    free(store->rewritten);
    free(store->path);
    free(store);
}

/* --- adding --- */

static kw_status make_file(struct kw_manifest_store *store,
                           struct kw_error *error) {
    store->out.fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                         KW_PUBLIC_MODE);
    if (store->out.fd < 0) {
        return kw_error_system(error, "cannot create %s", store->path);
    }
    return put_out(&store->out, "[", 1, error);
}

static kw_status begin(struct kw_manifest_store *store,
                       struct kw_error *error) {
    KW_TRY(kw_manifest_journal_write(store->path, &store->journal, error));
    store->open_journal = true;
    if (store->is_new) {
        return make_file(store, error);
    }
    store->out.at = store->journal.kept;
    return KW_OK;
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
                           struct kw_manifest_scan *scan, struct out *out,
                           struct kw_error *error) {
    struct kw_manifest_piece piece;
    bool is_first = true;
    bool more = true;
    KW_TRY(put_out(out, "[", 1, error));
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

static kw_status rewrite(struct kw_manifest_store *store,
                         struct kw_error *error) {
    struct kw_manifest_scan *scan = NULL;
    (void)unlink(store->rewritten);
    struct out out = {
        .fd = open(store->rewritten, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                   KW_PUBLIC_MODE),
        .path = store->rewritten,
        .buffer = store->out.buffer, /* empty by now */
    };
    if (out.fd < 0) {
        return kw_error_system(error, "cannot create %s", store->rewritten);
    }
    kw_status status = kw_manifest_scan_open(store->path, &scan, error);
    if (status == KW_OK) {
        status = copy_left(store, scan, &out, error);
        kw_manifest_scan_close(scan);
    }
    (void)close(out.fd);
    KW_TRY(status);
    /* The journal must not speak of a name that a cut may take away. */
    KW_TRY(kw_manifest_flush_folder(store->path, error));
    store->journal.replaces = true;
    KW_TRY(kw_manifest_journal_write(store->path, &store->journal, error));
    store->open_journal = false;
    return kw_manifest_journal_end(store->path, error);
}

/* --- the end --- */

kw_status kw_manifest_store_commit(struct kw_manifest_store *store,
                                   struct kw_manifest_change *change,
                                   struct kw_error *error) {
    if (store->open_journal) {
        KW_TRY(finish_out(&store->out, error));
        if (store->replaced > 0) {
            KW_TRY(rewrite(store, error));
        }
    }
    if (store->open_journal) {
        KW_TRY(kw_manifest_journal_close(store->path, error));
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
