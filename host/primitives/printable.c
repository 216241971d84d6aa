#include "host/primitives/printable.h"

#include <stddef.h>

bool kw_text_acts(const char *characters) {
    const unsigned char *text = (const unsigned char *)characters;
    if (text[0] < 0x20 || text[0] == 0x7F) {
        return true;
    }
    if (text[0] == 0xC2) {
        return text[1] < 0xA0;
    }
    return text[0] == 0xE2 &&
           ((text[1] == 0x80 && text[2] >= 0xAA && text[2] <= 0xAE) ||
            (text[1] == 0x81 && text[2] >= 0xA6 && text[2] <= 0xA9));
}

void kw_make_printable(char *text) {
    for (; *text != '\0'; text++) {
        if (!kw_text_acts(text)) {
            continue;
        }
        const unsigned char first = (unsigned char)*text;
        const size_t size = first < 0x80 ? 1 : first == 0xC2 ? 2 : 3;
        for (size_t i = 0; i < size && text[i] != '\0'; i++) {
            text[i] = '?';
        }
    }
}
