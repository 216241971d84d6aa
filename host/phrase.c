#include "host/phrase.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void kw_phrase_add(char *text, size_t size, const char *format, ...) {
    const size_t used = strlen(text);
    const size_t comma = used == 0 ? 0 : 2;
    va_list arguments;
    if (used + comma + 1 >= size) {
        return;
    }
    memcpy(text + used, ", ", comma);
    va_start(arguments, format);
    (void)vsnprintf(text + used + comma, size - used - comma, format,
                    arguments);
    va_end(arguments);
}
