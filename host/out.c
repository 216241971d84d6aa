#include "host/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE (1024u * 1024)
#define BEHIND      (16 * (off_t)BUFFER_SIZE) /* stays in memory */

kw_status kw_out_open(int fd, const char *path, off_t at, struct kw_out *out,
                      struct kw_error *error) {
    *out = (struct kw_out){.fd = fd,
                           .path = path,
                           .at = at,
                           .settled = at,
                           .buffer = malloc(BUFFER_SIZE)};
    return out->buffer != NULL
               ? KW_OK
               : kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

void kw_out_close(struct kw_out *out) {
    free(out->buffer);
    *out = (struct kw_out){.fd = -1};
}

/* Only hints: where they fail the file is as good. */
static void settle(struct kw_out *out) {
    const off_t size = out->at - out->settled - BEHIND;
    if (size < (off_t)BUFFER_SIZE) {
        return;
    }
    (void)sync_file_range(out->fd, out->settled, out->at - out->settled,
                          SYNC_FILE_RANGE_WRITE);
    (void)sync_file_range(out->fd, out->settled, size,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                              SYNC_FILE_RANGE_WAIT_AFTER);
    (void)posix_fadvise(out->fd, out->settled, size, POSIX_FADV_DONTNEED);
    out->settled += size;
}

static kw_status write_buffer(struct kw_out *out, struct kw_error *error) {
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
    settle(out);
    return KW_OK;
}

kw_status kw_out_put(struct kw_out *out, const char *text, size_t size,
                     struct kw_error *error) {
    while (size > 0) {
        const size_t room = BUFFER_SIZE - out->size;
        const size_t part = size < room ? size : room;
        memcpy(out->buffer + out->size, text, part);
        out->size += part;
        text += part;
        size -= part;
        if (out->size == BUFFER_SIZE) {
            KW_TRY(write_buffer(out, error));
        }
    }
    return KW_OK;
}

kw_status kw_out_finish(struct kw_out *out, struct kw_error *error) {
    KW_TRY(write_buffer(out, error));
    return ftruncate(out->fd, out->at) == 0
               ? KW_OK
               : kw_error_system(error, "cannot write %s", out->path);
}
