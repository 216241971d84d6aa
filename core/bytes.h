/* core/bytes.h: byte order, wiping, comparing.
 *
 * Loads and stores go byte by byte: a Cortex-M0 has no unaligned access.
 * Knows nobody. */
#ifndef KW_CORE_BYTES_H
#define KW_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t kw_load_le16(const uint8_t bytes[2]) {
    return (uint16_t)(bytes[0] | (bytes[1] << 8));
}

static inline uint32_t kw_load_le32(const uint8_t bytes[4]) {
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) |
           ((uint32_t)bytes[2] << 16) | ((uint32_t)bytes[3] << 24);
}

static inline uint16_t kw_load_be16(const uint8_t bytes[2]) {
    return (uint16_t)((bytes[0] << 8) | bytes[1]);
}

static inline uint32_t kw_load_be32(const uint8_t bytes[4]) {
    return ((uint32_t)bytes[0] << 24) | ((uint32_t)bytes[1] << 16) |
           ((uint32_t)bytes[2] << 8) | (uint32_t)bytes[3];
}

static inline void kw_store_le16(uint8_t bytes[2], uint16_t value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void kw_store_le32(uint8_t bytes[4], uint32_t value) {
    kw_store_le16(bytes, (uint16_t)value);
    kw_store_le16(bytes + 2, (uint16_t)(value >> 16));
}

static inline void kw_store_be16(uint8_t bytes[2], uint16_t value) {
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void kw_store_be32(uint8_t bytes[4], uint32_t value) {
    kw_store_be16(bytes, (uint16_t)(value >> 16));
    kw_store_be16(bytes + 2, (uint16_t)value);
}

/* Overwrites a secret with zeros; the compiler may not leave it out. */
void kw_wipe(void *memory, size_t size);

/* Compares in a time that depends on the size alone. */
bool kw_equal_ct(const void *left, const void *right, size_t size);

/* True when every byte has this value. */
bool kw_all_bytes(const void *memory, size_t size, uint8_t value);

#endif
