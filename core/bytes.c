#include "core/bytes.h"

void kw_wipe(void *memory, size_t size) {
    volatile uint8_t *bytes = memory;
    while (size-- > 0) {
        *bytes++ = 0;
    }
}

bool kw_equal_ct(const void *left, const void *right, size_t size) {
    const uint8_t *a = left;
    const uint8_t *b = right;
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

bool kw_all_bytes(const void *memory, size_t size, uint8_t value) {
    const uint8_t *bytes = memory;
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference = (uint8_t)(difference | (bytes[i] ^ value));
    }
    return difference == 0;
}
