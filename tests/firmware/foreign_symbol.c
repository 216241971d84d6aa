/* Asks the C library for what core may not have. */
#include <string.h>

size_t kw_foreign_symbol(const char *text);

size_t kw_foreign_symbol(const char *text) {
    return strlen(text);
}
