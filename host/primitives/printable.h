/* host/primitives/printable.h: characters that a terminal, an editor or a
 * page would act on. Knows nobody. */
#ifndef KW_HOST_PRIMITIVES_PRINTABLE_H
#define KW_HOST_PRIMITIVES_PRINTABLE_H

#include <stdbool.h>

/* Whether the first character of a UTF-8 text is a control of ASCII or of
 * Latin-1, or a mark that turns the direction of what follows, so that a text
 * reads otherwise than it is (U+202A to U+202E, U+2066 to U+2069). */
bool kw_text_acts(const char *text);

/* Puts ? in the place of such characters. */
void kw_make_printable(char *text);

#endif
