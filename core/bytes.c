#include "core/bytes.h"

#include <string.h>

/* The empty assembler text reads the memory, as far as the compiler knows, so
 * that it cannot leave the zeros out. */
void kw_wipe(void *memory, size_t size) {
    if (size == 0) {
        return;
    }
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
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
