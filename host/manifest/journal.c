#include "host/manifest/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/text.h"
#include "host/workspace.h"

#define SCHEMA      "keywright/manifest-journal/1"
#define JOURNAL_MAX 65536

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

char *kw_manifest_journal_path(const char *path) {
    return kw_format("%s.journal", path);
}

char *kw_manifest_rewritten_path(const char *path) {
    return kw_format("%s.rewritten", path);
}

/* --- writing --- */

static char *text_of(const struct kw_manifest_journal *journal) {
    char *tail = malloc(2 * journal->tail_size + 1);
    char *text = NULL;
    if (tail != NULL) {
        kw_hex(journal->tail, journal->tail_size, tail);
        text = kw_format(
            "{\"schema\": \"" SCHEMA "\", \"stage\": \"%s\", "
            "\"kept\": %jd, \"size\": %jd, \"tail\": \"%s\"}\n",
            journal->replaces ? "replace" : "append", (intmax_t)journal->kept,
            (intmax_t)journal->kept + (intmax_t)journal->tail_size, tail);
    }
    free(tail);
    return text;
}

void kw_manifest_journal_unlock(struct kw_manifest_journal *journal) {
    if (journal->lock >= 0) {
        (void)close(journal->lock);
    }
    journal->lock = -1;
}

static kw_status busy(const char *path, struct kw_error *error) {
    kw_error(error, KW_ABSENT_LOCKED, "another process is changing %s", path);
    return kw_error_hint(error, "try again when it has ended");
}

/* Locked before it has its name, so that nobody ever sees it without. */
static kw_status place(const char *path, const char *name, const char *text,
                       struct kw_manifest_journal *journal,
                       struct kw_error *error) {
    struct kw_new_file file;
    KW_TRY(kw_file_begin(name, KW_SECRET_MODE, &file, error));
    errno = kw_lock_byte(file.fd, 0);
    kw_status status = errno == 0
                           ? kw_file_put(name, &file, text, strlen(text), error)
                           : kw_error_system(error, "cannot lock %s", name);
    if (status == KW_OK) {
        status = kw_file_place(name, &file, journal->replaces, error);
        status = status == KW_NO ? busy(path, error) : status;
    }
    if (status == KW_OK) {
        kw_manifest_journal_unlock(journal);
        journal->lock = file.fd;
        file.fd = -1;
    }
    kw_file_end(&file);
    return status;
}

kw_status kw_manifest_journal_write(const char *path,
                                    struct kw_manifest_journal *journal,
                                    struct kw_error *error) {
    char *text = text_of(journal);
    char *name = kw_manifest_journal_path(path);
    const kw_status status = text == NULL || name == NULL
                                 ? no_memory(error)
                                 : place(path, name, text, journal, error);
    free(text);
    free(name);
    return status;
}

/* --- reading --- */

static bool take(json_t *object, struct kw_manifest_journal *journal) {
    const char *schema = NULL;
    const char *stage = NULL;
    const char *tail = NULL;
    json_int_t kept = 0;
    json_int_t size = 0;
    if (json_unpack_ex(object, NULL, JSON_STRICT, "{s:s, s:s, s:I, s:I, s:s}",
                       "schema", &schema, "stage", &stage, "kept", &kept,
                       "size", &size, "tail", &tail) != 0 ||
        strcmp(schema, SCHEMA) != 0 || kept < 0 || size < kept ||
        size - kept > KW_MANIFEST_TAIL_MAX) {
        return false;
    }
    journal->replaces = strcmp(stage, "replace") == 0;
    if (!journal->replaces && strcmp(stage, "append") != 0) {
        return false;
    }
    journal->kept = kept;
    journal->tail_size = (size_t)(size - kept);
    return kw_hex_read(tail, journal->tail, journal->tail_size) == KW_OK;
}

static kw_status read_journal(const char *place,
                              struct kw_manifest_journal *journal,
                              struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(place, JOURNAL_MAX, &data, &size, error));
    json_t *object =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    const bool good = object != NULL && take(object, journal);
    json_decref(object);
    free(data);
    return good ? KW_OK
                : kw_error(error, KW_PARSE, "%s is no journal of a manifest",
                           place);
}

/* --- ending --- */

kw_status kw_manifest_flush_folder(const char *path, struct kw_error *error) {
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL
                       ? kw_format(".")
                       : kw_format("%.*s/", (int)(slash - path), path);
    const int fd =
        folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const kw_status status =
        fd >= 0 && fsync(fd) == 0
            ? KW_OK
            : kw_error_system(error, "cannot flush the folder of %s", path);
    if (fd >= 0) {
        (void)close(fd);
    }
    free(folder);
    return status;
}

static kw_status put_tail(const char *path,
                          const struct kw_manifest_journal *journal,
                          struct kw_error *error) {
    const off_t size = journal->kept + (off_t)journal->tail_size;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    const bool done = fd >= 0 &&
                      pwrite(fd, journal->tail, journal->tail_size,
                             journal->kept) == (ssize_t)journal->tail_size &&
                      ftruncate(fd, size) == 0 && fsync(fd) == 0;
    const kw_status status =
        done ? KW_OK : kw_error_system(error, "cannot put %s back", path);
    if (fd >= 0) {
        (void)close(fd);
    }
    return status;
}

/* The file was not there before. */
static kw_status remove_new(const char *path, struct kw_error *error) {
    if (kw_file_exists(path) && unlink(path) != 0) {
        return kw_error_system(error, "cannot remove %s", path);
    }
    return kw_manifest_flush_folder(path, error);
}

static kw_status take_name(const char *rewritten, const char *path,
                           struct kw_error *error) {
    if (kw_file_exists(rewritten) && rename(rewritten, path) != 0) {
        return kw_error_system(error, "cannot rename %s", rewritten);
    }
    return kw_manifest_flush_folder(path, error);
}

static kw_status end_as(const char *path,
                        const struct kw_manifest_journal *journal,
                        struct kw_error *error) {
    char *rewritten = kw_manifest_rewritten_path(path);
    kw_status status = KW_OK;
    if (rewritten == NULL) {
        return no_memory(error);
    }
    if (journal->replaces) {
        status = take_name(rewritten, path, error);
    } else {
        (void)unlink(rewritten);
        status = journal->kept + (off_t)journal->tail_size == 0
                     ? remove_new(path, error)
                     : put_tail(path, journal, error);
        if (status == KW_OK) {
            /* The names first: the journal's own goes last. */
            status = kw_manifest_flush_folder(path, error);
        }
    }
    free(rewritten);
    return status;
}

static kw_status remove_journal(const char *name, const char *path,
                                struct kw_error *error) {
    return unlink(name) == 0 || errno == ENOENT
               ? kw_manifest_flush_folder(path, error)
               : kw_error_system(error, "cannot remove %s", name);
}

kw_status kw_manifest_journal_close(const char *path,
                                    struct kw_manifest_journal *journal,
                                    struct kw_error *error) {
    char *name = kw_manifest_journal_path(path);
    if (name == NULL) {
        return no_memory(error);
    }
    const kw_status status = remove_journal(name, path, error);
    free(name);
    kw_manifest_journal_unlock(journal);
    return status;
}

kw_status kw_manifest_journal_end(const char *path,
                                  struct kw_manifest_journal *journal,
                                  struct kw_error *error) {
    KW_TRY(end_as(path, journal, error));
    return kw_manifest_journal_close(path, journal, error);
}

/* --- what another left --- */

static kw_status not_ours(const char *path, const char *name,
                          struct kw_error *error) {
    if (errno != EACCES && errno != EPERM && errno != EROFS) {
        return kw_error_system(error, "cannot open %s", name);
    }
    kw_error(error, KW_INTERRUPTED,
             "a change of %s was interrupted, and you "
             "may not write to %s",
             path, name);
    return kw_error_hint(error, "any `keywright manifest` verb on the file "
                                "puts it back when it is run by whoever may");
}

/* Locked, and still the one with this name. */
static kw_status take_over(const char *path, const char *name, int fd,
                           struct kw_manifest_journal *journal,
                           struct kw_error *error) {
    struct stat found;
    journal->lock = fd;
    errno = kw_lock_byte(fd, 0);
    if (errno != 0) {
        return errno == EAGAIN ? busy(path, error)
                               : kw_error_system(error, "cannot lock %s", name);
    }
    if (fstat(fd, &found) == 0 && found.st_nlink == 0) {
        return KW_OK; /* its owner has ended the change meanwhile */
    }
    KW_TRY(read_journal(name, journal, error));
    return kw_manifest_journal_end(path, journal, error);
}

static kw_status recover(const char *path, const char *name, bool *recovered,
                         struct kw_error *error) {
    struct kw_manifest_journal journal = {.lock = -1};
    const int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return KW_OK;
    }
    if (fd < 0) {
        return not_ours(path, name, error);
    }
    *recovered = true;
    const kw_status status = take_over(path, name, fd, &journal, error);
    kw_manifest_journal_unlock(&journal);
    return status;
}

kw_status kw_manifest_recover(const char *path, bool *recovered,
                              struct kw_error *error) {
    char *name = kw_manifest_journal_path(path);
    *recovered = false;
    if (name == NULL) {
        return no_memory(error);
    }
    const kw_status status = recover(path, name, recovered, error);
    free(name);
    return status;
}
