/* SHA-256 and SHA-1 of core against OpenSSL and the examples of FIPS 180. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_CTX, for its length */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "core/bytes.h"
#include "core/sha1.h"
#include "core/sha256.h"

#define LENGTHS 301 /* 0 to 300: every fill of a block, four times over */
#define SPLITS  20

static void openssl_digest(const EVP_MD *kind, const void *data, size_t size,
                           uint8_t *digest) {
    assert_int_equal(EVP_Digest(data, size, digest, NULL, kind, NULL), 1);
}

static void random_bytes(uint8_t *bytes, size_t size) {
    assert_int_equal(RAND_bytes(bytes, (int)size), 1);
}

static size_t random_below(size_t limit) {
    uint8_t bytes[4];
    random_bytes(bytes, sizeof bytes);
    return kw_load_le32(bytes) % limit;
}

/* One byte beyond the buffer's start, so that no load may be aligned. */
static void test_sha256_every_length(void **state) {
    (void)state;
    uint8_t data[1 + LENGTHS];
    for (size_t size = 0; size < LENGTHS; size++) {
        uint8_t ours[KW_SHA256_SIZE];
        uint8_t theirs[KW_SHA256_SIZE];
        random_bytes(data, sizeof data);
        kw_sha256_of(data + 1, size, ours);
        openssl_digest(EVP_sha256(), data + 1, size, theirs);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
}

static void test_sha1_every_length(void **state) {
    (void)state;
    uint8_t data[1 + LENGTHS];
    for (size_t size = 0; size < LENGTHS; size++) {
        uint8_t ours[KW_SHA1_SIZE];
        uint8_t theirs[KW_SHA1_SIZE];
        random_bytes(data, sizeof data);
        kw_sha1_of(data + 1, size, ours);
        openssl_digest(EVP_sha1(), data + 1, size, theirs);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
}

static void split_sha256(const uint8_t *data, size_t size,
                         uint8_t digest[KW_SHA256_SIZE]) {
    struct kw_sha256 sha;
    kw_sha256_init(&sha);
    while (size > 0) {
        const size_t part = random_below(size + 1);
        kw_sha256_update(&sha, data, part);
        data += part;
        size -= part;
    }
    kw_sha256_final(&sha, digest);
}

static void split_sha1(const uint8_t *data, size_t size,
                       uint8_t digest[KW_SHA1_SIZE]) {
    struct kw_sha1 sha;
    kw_sha1_init(&sha);
    while (size > 0) {
        const size_t part = random_below(size + 1);
        kw_sha1_update(&sha, data, part);
        data += part;
        size -= part;
    }
    kw_sha1_final(&sha, digest);
}

static void test_splits(void **state) {
    (void)state;
    uint8_t data[LENGTHS];
    uint8_t ours[KW_SHA256_SIZE];
    uint8_t theirs[KW_SHA256_SIZE];
    random_bytes(data, sizeof data);
    for (size_t size = 0; size < LENGTHS; size++) {
        for (unsigned i = 0; i < SPLITS; i++) {
            openssl_digest(EVP_sha256(), data, size, theirs);
            split_sha256(data, size, ours);
            assert_memory_equal(ours, theirs, KW_SHA256_SIZE);
            openssl_digest(EVP_sha1(), data, size, theirs);
            split_sha1(data, size, ours);
            assert_memory_equal(ours, theirs, KW_SHA1_SIZE);
        }
    }
}

/* FIPS 180-2 appendix B.3 and A.3: a million times the letter a. */
static void test_million(void **state) {
    (void)state;
    static const uint8_t SHA256[] =
        "\xcd\xc7\x6e\x5c\x99\x14\xfb\x92\x81\xa1\xc7\xe2\x84\xd7\x3e\x67"
        "\xf1\x80\x9a\x48\xa4\x97\x20\x0e\x04\x6d\x39\xcc\xc7\x11\x2c\xd0";
    static const uint8_t SHA1[] =
        "\x34\xaa\x97\x3c\xd4\xc4\xda\xa4\xf6\x1e\xeb\x2b\xdb\xad\x27\x31"
        "\x65\x34\x01\x6f";
    uint8_t letters[1000];
    struct kw_sha256 sha256;
    struct kw_sha1 sha1;
    memset(letters, 'a', sizeof letters);
    kw_sha256_init(&sha256);
    kw_sha1_init(&sha1);
    for (unsigned i = 0; i < 1000; i++) {
        kw_sha256_update(&sha256, letters, sizeof letters);
        kw_sha1_update(&sha1, letters, sizeof letters);
    }
    uint8_t digest[KW_SHA256_SIZE];
    kw_sha256_final(&sha256, digest);
    assert_memory_equal(digest, SHA256, KW_SHA256_SIZE);
    kw_sha1_final(&sha1, digest);
    assert_memory_equal(digest, SHA1, KW_SHA1_SIZE);
}

/* 2^29 bytes are 2^32 bits: the length needs its upper word. Rather than
 * hash half a gigabyte, both contexts are told that they had. */
static void test_long_length(void **state) {
    (void)state;
    SHA256_CTX theirs;
    struct kw_sha256 ours;
    uint8_t expected[KW_SHA256_SIZE];
    uint8_t digest[KW_SHA256_SIZE];
    SHA256_Init(&theirs);
    theirs.Nh = 5;
    SHA256_Update(&theirs, "abc", 3);
    SHA256_Final(expected, &theirs);
    kw_sha256_init(&ours);
    ours.blocks.size = (uint64_t)5 << 29;
    kw_sha256_update(&ours, "abc", 3);
    kw_sha256_final(&ours, digest);
    assert_memory_equal(digest, expected, sizeof digest);
}

static void test_final_wipes(void **state) {
    (void)state;
    struct kw_sha256 sha;
    uint8_t digest[KW_SHA256_SIZE];
    kw_sha256_init(&sha);
    kw_sha256_update(&sha, "a secret", 8);
    kw_sha256_final(&sha, digest);
    assert_true(kw_all_bytes(&sha, sizeof sha, 0));
}

static void test_seam(void **state) {
    (void)state;
    uint8_t data[100];
    random_bytes(data, sizeof data);
    const struct kw_span spans[] = {
        {data, 1}, {NULL, 0}, {data + 1, 70}, {data + 71, 29}};
    uint8_t ours[KW_SHA256_SIZE];
    uint8_t theirs[KW_SHA256_SIZE];
    assert_int_equal(kw_hash_spans(&kw_sha256_hash, spans, 4, ours), KW_OK);
    openssl_digest(EVP_sha256(), data, sizeof data, theirs);
    assert_memory_equal(ours, theirs, sizeof ours);
    assert_int_equal(kw_hash_bytes(&kw_sha256_hash, data, 3, ours), KW_OK);
    openssl_digest(EVP_sha256(), data, 3, theirs);
    assert_memory_equal(ours, theirs, sizeof ours);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_every_length),
        cmocka_unit_test(test_sha1_every_length),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_long_length),
        cmocka_unit_test(test_final_wipes),
        cmocka_unit_test(test_seam),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
