#include "core/sha1.h"

#include "core/bytes.h"

#define ROUNDS 80
#define WORDS  5

/* FIPS 180-4 section 5.3.1. */
static const uint32_t START[WORDS] = {
    0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0,
};

/* FIPS 180-4 section 4.2.1: one constant for each 20 rounds. */
static const uint32_t K[ROUNDS / 20] = {
    0x5A827999,
    0x6ED9EBA1,
    0x8F1BBCDC,
    0xCA62C1D6,
};

static uint32_t rotate_left(uint32_t word, unsigned count) {
    return (word << count) | (word >> (32 - count));
}

/* The function of each 20 rounds: choose, parity, majority, parity. */
static uint32_t mix(unsigned t, uint32_t x, uint32_t y, uint32_t z) {
    switch (t / 20) {
    case 0:
        return (x & y) ^ (~x & z);
    case 2:
        return (x & y) ^ (x & z) ^ (y & z);
    default:
        return x ^ y ^ z;
    }
}

/* Only the last 16 words are kept: w[t] takes the place of w[t - 16]. */
static uint32_t schedule(uint32_t w[16], unsigned t) {
    uint32_t *const word = &w[t % 16];
    if (t >= 16) {
        *word = rotate_left(
            w[(t - 3) % 16] ^ w[(t - 8) % 16] ^ w[(t - 14) % 16] ^ *word, 1);
    }
    return *word;
}

/* The names a to e are those of the standard, here v[0] to v[4]. */
static void do_round(uint32_t v[WORDS], unsigned t, uint32_t word) {
    const uint32_t first = rotate_left(v[0], 5) + mix(t, v[1], v[2], v[3]) +
                           v[4] + K[t / 20] + word;
    v[4] = v[3];
    v[3] = v[2];
    v[2] = rotate_left(v[1], 30);
    v[1] = v[0];
    v[0] = first;
}

static void compress(uint32_t state[KW_SHA_WORDS],
                     const uint8_t block[KW_SHA_BLOCK_SIZE]) {
    uint32_t w[16];
    uint32_t v[WORDS];
    for (unsigned i = 0; i < 16; i++) {
        w[i] = kw_load_be32(block + 4 * i);
    }
    for (unsigned i = 0; i < WORDS; i++) {
        v[i] = state[i];
    }
    for (unsigned t = 0; t < ROUNDS; t++) {
        do_round(v, t, schedule(w, t));
    }
    for (unsigned i = 0; i < WORDS; i++) {
        state[i] += v[i];
    }
}

void kw_sha1_init(struct kw_sha1 *sha) {
    kw_sha_blocks_init(&sha->blocks, START, WORDS);
}

void kw_sha1_update(struct kw_sha1 *sha, const void *data, size_t size) {
    kw_sha_blocks_update(&sha->blocks, compress, data, size);
}

void kw_sha1_final(struct kw_sha1 *sha, uint8_t digest[KW_SHA1_SIZE]) {
    kw_sha_blocks_final(&sha->blocks, compress, digest, WORDS);
}

void kw_sha1_of(const void *data, size_t size, uint8_t digest[KW_SHA1_SIZE]) {
    struct kw_sha1 sha;
    kw_sha1_init(&sha);
    kw_sha1_update(&sha, data, size);
    kw_sha1_final(&sha, digest);
}
