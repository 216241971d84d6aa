/* host/phrase.h: text of several phrases in a buffer of fixed size.
 * Knows nobody. */
#ifndef KW_HOST_PHRASE_H
#define KW_HOST_PHRASE_H

#include <stddef.h>

/* Adds a phrase, after ", " when it is not the first; cuts what does not
 * fit. */
void kw_phrase_add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
