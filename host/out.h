/* host/out.h: a long file, written from its front to its end.
 *
 * What is put is gathered, and written a MiB at a time. Of a file of many
 * MiB the part behind is sent to the disk early and let go from the page
 * cache: a manifest of gigabytes does not push everything else out of
 * memory, and the flush at its end has little left to do.
 * Knows host/error.h. */
#ifndef KW_HOST_OUT_H
#define KW_HOST_OUT_H

#include <stddef.h>
#include <sys/types.h>

#include "host/error.h"

struct kw_out {
    int fd; /* the caller's */
    const char *path;
    off_t at;      /* where the buffer goes */
    off_t settled; /* what is before it was let go */
    size_t size;
    char *buffer; /* the out's own; NULL: not open */
};

/* Behind the file's first `at` bytes. KW_SYSTEM_MEMORY. */
KW_MUST_USE kw_status kw_out_open(int fd, const char *path, off_t at,
                                  struct kw_out *out, struct kw_error *error);
KW_MUST_USE kw_status kw_out_put(struct kw_out *out, const char *text,
                                 size_t size, struct kw_error *error);
/* Writes what is gathered; what the file holds behind it is cut off. Flushing
 * is the caller's. */
KW_MUST_USE kw_status kw_out_finish(struct kw_out *out, struct kw_error *error);
void kw_out_close(struct kw_out *out);

#endif
