/* host/primitives/document_lines.h: on which line each value of a JSON text
 * stands. One pass over a text that has been parsed without an error. Knows
 * nobody. */
#ifndef KW_HOST_PRIMITIVES_DOCUMENT_LINES_H
#define KW_HOST_PRIMITIVES_DOCUMENT_LINES_H

#include <stddef.h>

struct kw_lines;

/* NULL: no memory. */
struct kw_lines *kw_lines_new(const char *text, size_t size);
void kw_lines_free(struct kw_lines *lines);

/* The line of a path ("mappings[12].primitive"), or of the nearest thing
 * around it; 1 at least. */
unsigned kw_lines_of(const struct kw_lines *lines, const char *path);

#endif
