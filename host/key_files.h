/* host/key_files.h: key material in the vendor's file formats, so that its
 * firmware projects can include it (docs/formats.md, "Key files").
 * Knows host/files.h. */
#ifndef KW_HOST_KEY_FILES_H
#define KW_HOST_KEY_FILES_H

#include <stdio.h>

#include "host/error.h"
#include "host/files.h"

/* One array of a C header. */
struct kw_c_array {
    const char *name;
    const uint8_t *data;
    size_t size;
    bool sized; /* name[32] rather than name[] */
};

/* A new C header with these arrays, mode 0600. */
KW_MUST_USE kw_status kw_c_header_create(const char *path,
                                         const struct kw_c_array *arrays,
                                         size_t count, struct kw_error *error);

/* A new PEM file with the label SYMMETRIC KEY; 1 to 64 bytes of key. */
KW_MUST_USE kw_status kw_symmetric_key_create(const char *path,
                                              const uint8_t *key, size_t size,
                                              struct kw_error *error);

#endif
