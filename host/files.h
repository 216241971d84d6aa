/* host/files.h: files that are there whole or not at all.
 *
 * Every file of a workspace is written through these few functions, by
 * plain POSIX calls, so that a test can put a power cut under any of them.
 * Knows host/error.h and core/bytes.h alone. */
#ifndef KW_HOST_FILES_H
#define KW_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/error.h"

#define KW_SECRET_MODE 0600 /* private keys, chips, journals */
#define KW_PUBLIC_MODE 0644

/* Writes a new file: temporary name, flush, rename, flush of the folder.
 * KW_SYSTEM_FILE; KW_NO: a file is there already. */
KW_MUST_USE kw_status kw_file_create(const char *path, mode_t mode,
                                     const void *data, size_t size,
                                     struct kw_error *error);

/* Replaces a file in the same way, or makes it. */
KW_MUST_USE kw_status kw_file_replace(const char *path, mode_t mode,
                                      const void *data, size_t size,
                                      struct kw_error *error);

/* The same in steps, for what is too long to be in memory: it has a temporary
 * name until it is placed, which flushes. `replaces`: a file that is there
 * goes; else KW_NO. */
struct kw_new_file {
    int fd;
    char *temporary; /* NULL: it was placed */
};
KW_MUST_USE kw_status kw_file_begin(const char *path, mode_t mode,
                                    struct kw_new_file *file,
                                    struct kw_error *error);
KW_MUST_USE kw_status kw_file_put(const char *path,
                                  const struct kw_new_file *file,
                                  const void *data, size_t size,
                                  struct kw_error *error);
KW_MUST_USE kw_status kw_file_place(const char *path, struct kw_new_file *file,
                                    bool replaces, struct kw_error *error);
/* Closes it; one that was not placed is removed. Once, after a begin that
 * succeeded. */
void kw_file_end(struct kw_new_file *file);

/* Appends one line (without its newline, which is added) behind the first
 * size bytes, which are kept, and flushes. What follows them is cut off: a
 * power cut tore it. */
KW_MUST_USE kw_status kw_file_append_line(const char *path, size_t size,
                                          const char *line,
                                          struct kw_error *error);

/* Reads a whole file of at most limit bytes. The caller frees, and wipes
 * first what may be secret. A NUL byte follows the data. */
KW_MUST_USE kw_status kw_file_read(const char *path, size_t limit,
                                   uint8_t **data, size_t *size,
                                   struct kw_error *error);

/* The same, and of a pipe too, to its end: for what is no secret. Waits for
 * who writes it. */
KW_MUST_USE kw_status kw_input_read(const char *path, size_t limit,
                                    uint8_t **data, size_t *size,
                                    struct kw_error *error);

/* Overwrites with zeros, flushes, removes. */
KW_MUST_USE kw_status kw_file_wipe(const char *path, struct kw_error *error);
/* Whether a wipe of this text was cut off: no text has a zero byte. */
bool kw_file_wipe_began(const char *path);

/* Makes a folder of mode 0700 and flushes its parent; one that is there is
 * fine. */
KW_MUST_USE kw_status kw_folder_make(const char *path, struct kw_error *error);

bool kw_file_exists(const char *path);

/* Whether a new file could be put here: KW_NO when one is there already,
 * KW_SYSTEM_FILE when its folder cannot be written to. */
KW_MUST_USE kw_status kw_file_is_free(const char *path, struct kw_error *error);

/* The names in a folder, sorted, without "." and "..", ".tmp-..." left
 * out. A folder that is not there is empty. */
struct kw_names {
    char **name;
    size_t count;
};
/* Wipes and removes the temporary files that a power cut left in a folder. */
KW_MUST_USE kw_status kw_folder_sweep(const char *path, struct kw_error *error);

KW_MUST_USE kw_status kw_folder_list(const char *path, struct kw_names *names,
                                     struct kw_error *error);
void kw_names_free(struct kw_names *names);

/* A printf into a new string, which the caller frees; NULL without
 * memory. */
char *kw_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
