#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files.h"
#include "host/winc/winc.h"

/* The header is written last and is flushed alone: docs/formats.md,
 * "Journal of the module's flash". */

static kw_status flush_folder(const struct kw_winc *winc) {
    char *folder = kw_workspace_path(winc->workspace, "journal");
    const int fd =
        folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    KW_ENSURE(fd >= 0, KW_SYSTEM_FILE);
    const int result = fsync(fd);
    (void)close(fd);
    return result == 0 ? KW_OK : KW_SYSTEM_FILE;
}

/* The file may hold a private key: it is overwritten before it goes. */
static kw_status journal_clear(void *self) {
    struct kw_winc *winc = self;
    struct kw_error ignored;
    if (winc->journal_fd >= 0) {
        (void)close(winc->journal_fd);
        winc->journal_fd = -1;
    }
    return kw_file_exists(winc->journal_path)
               ? kw_file_wipe(winc->journal_path, &ignored)
               : KW_OK;
}

static kw_status journal_begin(void *self) {
    struct kw_winc *winc = self;
    KW_TRY(journal_clear(winc));
    winc->journal_fd =
        open(winc->journal_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
             KW_SECRET_MODE);
    KW_ENSURE(winc->journal_fd >= 0, KW_SYSTEM_FILE);
    return flush_folder(winc);
}

static kw_status journal_write(void *self, uint32_t offset,
                               const uint8_t *bytes, size_t size) {
    const struct kw_winc *winc = self;
    size_t done = 0;
    while (done < size) {
        const ssize_t count = pwrite(winc->journal_fd, bytes + done,
                                     size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        KW_ENSURE(count > 0, KW_SYSTEM_FILE);
        done += (size_t)count;
    }
    return KW_OK;
}

static kw_status journal_flush(void *self) {
    const struct kw_winc *winc = self;
    return fdatasync(winc->journal_fd) == 0 ? KW_OK : KW_SYSTEM_FILE;
}

/* What is not there reads as zeros: no valid header. */
static kw_status journal_read(void *self, uint32_t offset, uint8_t *bytes,
                              size_t size) {
    const struct kw_winc *winc = self;
    memset(bytes, 0, size);
    if (winc->journal_fd < 0) {
        return KW_OK;
    }
    size_t done = 0;
    while (done < size) {
        const ssize_t count = pread(winc->journal_fd, bytes + done, size - done,
                                    (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        KW_ENSURE(count >= 0, KW_SYSTEM_FILE);
        if (count == 0) {
            break;
        }
        done += (size_t)count;
    }
    return KW_OK;
}

kw_status kw_winc_journal_open(struct kw_winc *winc) {
    winc->journal_path = kw_workspace_path(
        winc->workspace, "journal/winc-%s.journal", winc->name);
    KW_ENSURE(winc->journal_path != NULL, KW_SYSTEM_MEMORY);
    winc->in_file = (struct kw_winc_journal){
        .begin = journal_begin,
        .write = journal_write,
        .flush = journal_flush,
        .read = journal_read,
        .clear = journal_clear,
        .self = winc,
    };
    winc->journal_fd = open(winc->journal_path, O_RDWR | O_CLOEXEC);
    return winc->journal_fd >= 0 || errno == ENOENT ? KW_OK : KW_SYSTEM_FILE;
}

void kw_winc_journal_close(struct kw_winc *winc) {
    if (winc->journal_fd >= 0) {
        (void)close(winc->journal_fd);
    }
    winc->journal_fd = -1;
    free(winc->journal_path);
    winc->journal_path = NULL;
}
