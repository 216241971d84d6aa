/* cli/wrap.h: text in lines of a terminal's width. Knows nobody. */
#ifndef KW_CLI_WRAP_H
#define KW_CLI_WRAP_H

#include <stddef.h>

#define KW_TERMINAL_WIDTH 80

/* The size of the piece of a text that fits into one line of that width: up
 * to a blank, or the first word where that alone is wider. */
size_t kw_piece_of(const char *text, size_t width);

/* Where the next piece begins. */
const char *kw_next_piece(const char *text, size_t piece);

#endif
