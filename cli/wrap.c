#include "cli/wrap.h"

#include <string.h>

size_t kw_piece_of(const char *text, size_t width) {
    size_t piece = strlen(text);
    while (piece > width) {
        size_t shorter = piece - 1;
        while (shorter > 0 && text[shorter] != ' ') {
            shorter--;
        }
        if (shorter == 0) {
            return piece;
        }
        piece = shorter;
    }
    return piece;
}

const char *kw_next_piece(const char *text, size_t piece) {
    return text + piece + strspn(text + piece, " ");
}
