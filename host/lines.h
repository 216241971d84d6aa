/* host/lines.h: files of one JSON object a line, appended and flushed.
 *
 * The register and the journals stand on it. What follows the last whole
 * object was torn by a power cut: it is ignored, and cut off by the next
 * append. Knows host/files.h. */
#ifndef KW_HOST_LINES_H
#define KW_HOST_LINES_H

#include <jansson.h>

#include "host/error.h"

/* Appends the object, which it takes over. */
KW_MUST_USE kw_status kw_lines_append(const char *path, json_t *object,
                                      struct kw_error *error);

/* All lines as an array, which the caller decrefs; a file that is not there
 * is empty. KW_PARSE names a line that is no object and has objects behind
 * it: no power cut does that. */
KW_MUST_USE kw_status kw_lines_read(const char *path, json_t **lines,
                                    struct kw_error *error);

#endif
