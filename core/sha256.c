#include "core/sha256.h"

#include "core/bytes.h"

#define ROUNDS 64

/* FIPS 180-4 section 5.3.3. */
static const uint32_t START[KW_SHA_WORDS] = {
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
};

/* FIPS 180-4 section 4.2.2. */
static const uint32_t K[ROUNDS] = {
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1,
    0x923F82A4, 0xAB1C5ED5, 0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3,
    0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174, 0xE49B69C1, 0xEFBE4786,
    0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147,
    0x06CA6351, 0x14292967, 0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13,
    0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85, 0xA2BFE8A1, 0xA81A664B,
    0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A,
    0x5B9CCA4F, 0x682E6FF3, 0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208,
    0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
};

static uint32_t rotate(uint32_t word, unsigned count) {
    return (word >> count) | (word << (32 - count));
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z) {
    return (x & y) ^ (~x & z);
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z) {
    return (x & y) ^ (x & z) ^ (y & z);
}

static uint32_t big_sigma_0(uint32_t x) {
    return rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22);
}

static uint32_t big_sigma_1(uint32_t x) {
    return rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25);
}

static uint32_t small_sigma_0(uint32_t x) {
    return rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3);
}

static uint32_t small_sigma_1(uint32_t x) {
    return rotate(x, 17) ^ rotate(x, 19) ^ (x >> 10);
}

/* The schedule keeps only the last 16 words: w[t] takes the place of
 * w[t - 16]. */
static uint32_t schedule(uint32_t w[16], unsigned t) {
    uint32_t *const word = &w[t % 16];
    if (t >= 16) {
        *word += small_sigma_1(w[(t - 2) % 16]) + w[(t - 7) % 16] +
                 small_sigma_0(w[(t - 15) % 16]);
    }
    return *word;
}

/* The names a to h are those of the standard, here v[0] to v[7]. No loop:
 * compilers make a memmove of it, and core asks for none. */
static void do_round(uint32_t v[KW_SHA_WORDS], uint32_t constant_and_word) {
    const uint32_t t1 =
        v[7] + big_sigma_1(v[4]) + choose(v[4], v[5], v[6]) + constant_and_word;
    const uint32_t t2 = big_sigma_0(v[0]) + majority(v[0], v[1], v[2]);
    v[7] = v[6];
    v[6] = v[5];
    v[5] = v[4];
    v[4] = v[3] + t1;
    v[3] = v[2];
    v[2] = v[1];
    v[1] = v[0];
    v[0] = t1 + t2;
}

static void compress(uint32_t state[KW_SHA_WORDS],
                     const uint8_t block[KW_SHA_BLOCK_SIZE]) {
    uint32_t w[16];
    uint32_t v[KW_SHA_WORDS];
    for (unsigned i = 0; i < 16; i++) {
        w[i] = kw_load_be32(block + 4 * i);
    }
    for (unsigned i = 0; i < KW_SHA_WORDS; i++) {
        v[i] = state[i];
    }
    for (unsigned t = 0; t < ROUNDS; t++) {
        do_round(v, K[t] + schedule(w, t));
    }
    for (unsigned i = 0; i < KW_SHA_WORDS; i++) {
        state[i] += v[i];
    }
    kw_wipe(w, sizeof w);
    kw_wipe(v, sizeof v);
}

void kw_sha256_init(struct kw_sha256 *sha) {
    kw_sha_blocks_init(&sha->blocks, START, KW_SHA_WORDS);
}

void kw_sha256_update(struct kw_sha256 *sha, const void *data, size_t size) {
    kw_sha_blocks_update(&sha->blocks, compress, data, size);
}

void kw_sha256_final(struct kw_sha256 *sha, uint8_t digest[KW_SHA256_SIZE]) {
    kw_sha_blocks_final(&sha->blocks, compress, digest, KW_SHA_WORDS);
}

void kw_sha256_of(const void *data, size_t size,
                  uint8_t digest[KW_SHA256_SIZE]) {
    struct kw_sha256 sha;
    kw_sha256_init(&sha);
    kw_sha256_update(&sha, data, size);
    kw_sha256_final(&sha, digest);
}

static kw_status hash_spans(void *self, const struct kw_span *spans,
                            size_t count, uint8_t digest[KW_SHA256_SIZE]) {
    (void)self;
    struct kw_sha256 sha;
    kw_sha256_init(&sha);
    for (size_t i = 0; i < count; i++) {
        kw_sha256_update(&sha, spans[i].data, spans[i].size);
    }
    kw_sha256_final(&sha, digest);
    return KW_OK;
}

const struct kw_hash kw_sha256_hash = {.sha256 = hash_spans, .self = NULL};
