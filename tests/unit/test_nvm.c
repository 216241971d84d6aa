/* Image files: what opens, what does not, and what survives a failure.
 *
 * The functions below stand before the C library's own of the same name, so
 * that a full disk, a broken flush or a file system without flags can be
 * ordered. Power cuts: tests/powercut/nvm_cuts.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sha256.h"
#include "sim/nvm/nvm.h"

#define SIZE     1404 /* bytes of the images */
#define STRIDE   4096 /* bytes from copy 0 to copy 1 */
#define HEADER   64
#define KIND     "atecc608"
#define NO_LIMIT (-1)

/* ---- orders to the functions that stand before the C library's ---- */

static struct {
    long bytes_left;  /* pwrite: then ENOSPC; NO_LIMIT */
    size_t at_most;   /* pwrite: bytes in one call; 0: all */
    unsigned eintr;   /* pwrite, flush: this many EINTR first */
    bool flush_fails; /* EIO */
    bool no_flags;    /* renameat2: EINVAL */
} orders;

static bool interrupted(void) {
    if (orders.eintr == 0) {
        return false;
    }
    orders.eintr--;
    errno = EINTR;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    if (interrupted()) {
        return -1;
    }
    if (orders.bytes_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (orders.bytes_left > 0 && (size_t)orders.bytes_left < size) {
        size = (size_t)orders.bytes_left;
    }
    if (orders.at_most > 0 && orders.at_most < size) {
        size = orders.at_most;
    }
    orders.bytes_left -= orders.bytes_left > 0 ? (long)size : 0;
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

static int flush(long number, int fd) {
    if (interrupted()) {
        return -1;
    }
    if (orders.flush_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fsync(int fd) {
    return flush(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return flush(SYS_fdatasync, fd);
}

int renameat2(int from_at, const char *from, int to_at, const char *to,
              unsigned flags) {
    if (orders.no_flags && flags != 0) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
}

/* ---- a directory a test ---- */

static char folder[] = "/tmp/test-nvm-XXXXXX";
static char path[64];
static char temporary[80];

static int set_up(void **state) {
    (void)state;
    memset(&orders, 0, sizeof orders);
    orders.bytes_left = NO_LIMIT;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 7);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.chip", folder);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    unlink(temporary);
    /* Fails when the test left anything else behind. */
    return rmdir(folder);
}

static void fill(uint8_t image[SIZE], unsigned generation) {
    for (size_t i = 0; i < SIZE; i++) {
        image[i] = (uint8_t)(i * 3 + generation * 17);
    }
}

static void create(unsigned generation) {
    uint8_t image[SIZE];
    fill(image, generation);
    assert_int_equal(kw_nvm_create(path, KIND, image, SIZE), KW_OK);
}

static struct kw_nvm *open_nvm(uint8_t image[SIZE]) {
    struct kw_nvm *nvm = NULL;
    assert_int_equal(kw_nvm_open(path, KIND, image, SIZE, &nvm), KW_OK);
    return nvm;
}

static void assert_content(unsigned generation) {
    uint8_t image[SIZE];
    uint8_t expected[SIZE];
    kw_nvm_close(open_nvm(image));
    fill(expected, generation);
    assert_memory_equal(image, expected, SIZE);
}

static void assert_open_fails(kw_status status) {
    uint8_t image[SIZE];
    struct kw_nvm *nvm = NULL;
    assert_int_equal(kw_nvm_open(path, KIND, image, SIZE, &nvm), status);
    assert_null(nvm);
}

static kw_status commit(struct kw_nvm *nvm, unsigned generation) {
    uint8_t image[SIZE];
    fill(image, generation);
    return kw_nvm_commit(nvm, image);
}

/* Opens, commits generations first to last, closes. */
static void commit_all(unsigned first, unsigned last) {
    uint8_t image[SIZE];
    struct kw_nvm *const nvm = open_nvm(image);
    for (unsigned generation = first; generation <= last; generation++) {
        assert_int_equal(commit(nvm, generation), KW_OK);
    }
    kw_nvm_close(nvm);
}

static void flip(off_t offset) {
    uint8_t byte;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    assert_int_equal(syscall(SYS_pwrite64, fd, &byte, 1, offset), 1);
    close(fd);
}

static void write_file(const char *name, const void *bytes, size_t size) {
    const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* ---- create ---- */

static void test_create_and_open(void **state) {
    (void)state;
    struct stat status;
    create(1);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, 2 * STRIDE);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_content(1);
}

static void test_create_never_replaces(void **state) {
    (void)state;
    uint8_t image[SIZE];
    create(1);
    fill(image, 2);
    for (unsigned i = 0; i < 2; i++) {
        orders.no_flags = i == 1;
        errno = 0;
        assert_int_equal(kw_nvm_create(path, KIND, image, SIZE),
                         KW_SYSTEM_FILE);
        assert_int_equal(errno, EEXIST);
        assert_int_not_equal(access(temporary, F_OK), 0);
    }
    assert_content(1);
}

static void test_create_without_rename_flags(void **state) {
    (void)state;
    orders.no_flags = true;
    create(1);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_content(1);
}

static void test_create_in_no_directory(void **state) {
    (void)state;
    const uint8_t image[SIZE] = {0};
    assert_int_equal(kw_nvm_create("/nonexistent/a", KIND, image, SIZE),
                     KW_SYSTEM_FILE);
    assert_int_equal(errno, ENOENT);
}

static void test_create_with_long_kind(void **state) {
    (void)state;
    const uint8_t image[SIZE] = {0};
    assert_int_equal(kw_nvm_create(path, "ninechars", image, SIZE), KW_USAGE);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_create_beside_the_caller(void **state) {
    (void)state;
    uint8_t image[SIZE];
    char before[256];
    struct kw_nvm *nvm;
    fill(image, 3);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(kw_nvm_create("a.chip", KIND, image, SIZE), KW_OK);
    assert_int_equal(kw_nvm_open("a.chip", KIND, image, SIZE, &nvm), KW_OK);
    kw_nvm_close(nvm);
    assert_int_equal(chdir(before), 0);
    assert_content(3);
}

static void test_leftover_is_taken_over(void **state) {
    (void)state;
    static const uint8_t garbage[3 * STRIDE] = {1, 2, 3};
    struct stat status;
    write_file(temporary, garbage, sizeof garbage);
    create(1);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 2 * STRIDE);
    assert_content(1);
}

/* A create cut off between link and unlink: the temporary name is a second
 * name of the image, and emptying it would empty the image. */
static void test_leftover_link_is_spared(void **state) {
    (void)state;
    const uint8_t image[SIZE] = {0};
    create(1);
    assert_int_equal(link(path, temporary), 0);
    assert_int_equal(kw_nvm_create(path, KIND, image, SIZE), KW_SYSTEM_FILE);
    assert_int_equal(errno, EEXIST);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_content(1);
}

static void *create_in_thread(void *generation) {
    uint8_t image[SIZE];
    fill(image, *(const unsigned *)generation);
    return kw_nvm_create(path, KIND, image, SIZE) == KW_OK ? generation : NULL;
}

static void test_one_of_many_creates_wins(void **state) {
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    unsigned generations[THREADS];
    const unsigned *winner = NULL;
    for (unsigned i = 0; i < THREADS; i++) {
        generations[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, create_in_thread,
                                        &generations[i]),
                         0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_true(result == NULL || winner == NULL);
        winner = result != NULL ? result : winner;
    }
    assert_non_null(winner);
    assert_content(*winner);
}

/* ---- a disk that fails ---- */

static void test_full_disk_at_create(void **state) {
    (void)state;
    uint8_t image[SIZE];
    fill(image, 1);
    for (long room = 0; room < 2 * STRIDE; room += 1000) {
        orders.bytes_left = room;
        assert_int_equal(kw_nvm_create(path, KIND, image, SIZE),
                         KW_SYSTEM_FILE);
        assert_int_equal(errno, ENOSPC);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_not_equal(access(temporary, F_OK), 0);
    }
    orders.bytes_left = NO_LIMIT;
    create(1);
}

static void test_full_disk_at_commit(void **state) {
    (void)state;
    uint8_t image[SIZE];
    create(1);
    struct kw_nvm *const nvm = open_nvm(image);
    assert_int_equal(commit(nvm, 2), KW_OK);
    for (long room = 0; room < HEADER + SIZE; room += 200) {
        orders.bytes_left = room;
        assert_int_equal(commit(nvm, 3), KW_SYSTEM_FILE);
        assert_int_equal(errno, ENOSPC);
        orders.bytes_left = NO_LIMIT;
        assert_content(2);
    }
    assert_int_equal(commit(nvm, 4), KW_OK);
    kw_nvm_close(nvm);
    assert_content(4);
}

static void test_short_and_interrupted_writes(void **state) {
    (void)state;
    orders.at_most = 100;
    orders.eintr = 3;
    create(1);
    orders.eintr = 3;
    commit_all(2, 3);
    orders.at_most = 0;
    assert_content(3);
}

static void test_broken_flush(void **state) {
    (void)state;
    uint8_t image[SIZE];
    create(1);
    struct kw_nvm *const nvm = open_nvm(image);
    orders.flush_fails = true;
    assert_int_equal(commit(nvm, 2), KW_SYSTEM_FILE);
    assert_int_equal(errno, EIO);
    assert_int_equal(commit(nvm, 3), KW_SYSTEM_FILE);
    assert_open_fails(KW_SYSTEM_FILE);
    orders.flush_fails = false;
    /* Neither failed commit touched the copy of the last good one. */
    flip(HEADER);
    assert_content(1);
    kw_nvm_close(nvm);
}

static void test_broken_flush_at_create(void **state) {
    (void)state;
    uint8_t image[SIZE];
    fill(image, 1);
    orders.flush_fails = true;
    assert_int_equal(kw_nvm_create(path, KIND, image, SIZE), KW_SYSTEM_FILE);
    assert_int_equal(errno, EIO);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

/* ---- open ---- */

static void test_commits_alternate(void **state) {
    (void)state;
    create(0);
    for (unsigned generation = 1; generation < 20; generation++) {
        commit_all(generation, generation);
        assert_content(generation);
    }
    commit_all(20, 40);
    assert_content(40);
}

/* Gives a copy this sequence number, checksum included. */
static void put_sequence(unsigned copy, uint64_t sequence) {
    enum { AT_SEQUENCE = 24, AT_CHECKSUM = 32 };
    uint8_t bytes[HEADER + SIZE];
    struct kw_sha256 sha;
    const off_t offset = (off_t)copy * STRIDE;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, sizeof bytes, offset), sizeof bytes);
    for (unsigned i = 0; i < 8; i++) {
        bytes[AT_SEQUENCE + i] = (uint8_t)(sequence >> 8 * i);
    }
    kw_sha256_init(&sha);
    kw_sha256_update(&sha, bytes, AT_CHECKSUM);
    kw_sha256_update(&sha, bytes + HEADER, SIZE);
    kw_sha256_final(&sha, bytes + AT_CHECKSUM);
    assert_int_equal(syscall(SYS_pwrite64, fd, bytes, sizeof bytes, offset),
                     sizeof bytes);
    close(fd);
}

/* No number that a file may hold stops it from being written. */
static void test_sequence_goes_round(void **state) {
    (void)state;
    static const uint64_t EDGES[] = {INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof EDGES / sizeof *EDGES; i++) {
        create(0);
        put_sequence(0, EDGES[i] - 2);
        put_sequence(1, EDGES[i] - 1);
        for (unsigned generation = 1; generation < 6; generation++) {
            commit_all(generation, generation);
            assert_content(generation);
        }
        assert_int_equal(unlink(path), 0);
    }
}

static void test_open_no_file(void **state) {
    (void)state;
    assert_open_fails(KW_SYSTEM_FILE);
    assert_int_equal(errno, ENOENT);
}

static void test_open_directory(void **state) {
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_open_fails(KW_SYSTEM_FILE);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(rmdir(path), 0);
}

static void test_open_other_kind(void **state) {
    (void)state;
    uint8_t image[SIZE];
    fill(image, 1);
    assert_int_equal(kw_nvm_create(path, "winc1500", image, SIZE), KW_OK);
    assert_open_fails(KW_PARSE_MAGIC);
}

/* A short kind is padded: it is not taken for a longer one. */
static void test_open_kind_is_whole(void **state) {
    (void)state;
    uint8_t image[SIZE];
    struct kw_nvm *nvm;
    fill(image, 1);
    assert_int_equal(kw_nvm_create(path, "atecc", image, SIZE), KW_OK);
    assert_open_fails(KW_PARSE_MAGIC);
    assert_int_equal(kw_nvm_open(path, "atecc", image, SIZE, &nvm), KW_OK);
    kw_nvm_close(nvm);
}

static void test_open_other_size(void **state) {
    (void)state;
    uint8_t image[2 * STRIDE] = {0};
    struct kw_nvm *nvm = NULL;
    create(1);
    static const size_t SIZES[] = {0, 1, SIZE - 1, SIZE + 1, 2 * STRIDE};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        assert_int_equal(kw_nvm_open(path, KIND, image, SIZES[i], &nvm),
                         KW_PARSE_SIZE);
    }
    assert_null(nvm);
}

static void test_open_foreign_file(void **state) {
    (void)state;
    static const uint8_t noise[3 * STRIDE] = {0x7F, 'E', 'L', 'F'};
    write_file(path, "", 0);
    assert_open_fails(KW_PARSE_MAGIC);
    write_file(path, "KWIMAGE\n", 8);
    assert_open_fails(KW_PARSE_MAGIC);
    write_file(path, noise, sizeof noise);
    assert_open_fails(KW_PARSE_MAGIC);
}

static void test_open_other_version(void **state) {
    (void)state;
    create(1);
    flip(8);
    flip(STRIDE + 8);
    assert_open_fails(KW_PARSE_MAGIC);
}

/* Every byte of header and image counts: with one bit of it wrong the other
 * copy is the content. */
static void test_damage_falls_back(void **state) {
    (void)state;
    create(0);
    commit_all(1, 2); /* generation 1 in copy 0, 2 in copy 1 */
    for (off_t offset = 0; offset < HEADER + SIZE; offset++) {
        flip(STRIDE + offset);
        assert_content(1);
        flip(STRIDE + offset);
    }
    assert_content(2);
}

static void test_damage_is_repaired_by_commit(void **state) {
    (void)state;
    create(0);
    commit_all(1, 2);
    flip(STRIDE + HEADER);
    commit_all(3, 3); /* over the damaged copy 1 */
    assert_content(3);
    flip(STRIDE + HEADER);
    assert_content(1);
}

static void test_both_copies_damaged(void **state) {
    (void)state;
    create(1);
    flip(HEADER + 5);
    flip(STRIDE + HEADER + SIZE - 1);
    assert_open_fails(KW_PARSE);
}

static void test_cut_short(void **state) {
    (void)state;
    create(0);
    commit_all(1, 2);
    assert_int_equal(truncate(path, STRIDE + HEADER + SIZE - 1), 0);
    assert_content(1);
    assert_int_equal(truncate(path, HEADER + SIZE - 1), 0);
    assert_open_fails(KW_PARSE);
}

/* The example of docs/formats.md, byte for byte. */
static void test_example(void **state) {
    (void)state;
    static const uint8_t HEAD[] =
        "KWIMAGE\n\x01\x00\x40\x00\x03\x00\x00\x00"
        "example\0\x01\x00\x00\x00\x00\x00\x00\x00"
        "\x05\xEF\x91\x3F\x6E\x8B\x4A\x96\xC0\x6C\x7C\x53\x3A\x02\xB9\x6C"
        "\x92\xE5\xA8\x06\x7E\xB9\xE4\x7F\xF8\x04\x08\x89\xB5\xEE\xAD\x03"
        "\xAA\xBB\xCC";
    uint8_t image[] = {0xAA, 0xBB, 0xCC};
    uint8_t bytes[HEADER + sizeof image];
    assert_int_equal(kw_nvm_create(path, "example", image, 3), KW_OK);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, sizeof bytes, STRIDE), sizeof bytes);
    close(fd);
    assert_memory_equal(bytes, HEAD, sizeof bytes);
}

static size_t open_files(void) {
    size_t count = 0;
    DIR *const listing = opendir("/proc/self/fd");
    assert_non_null(listing);
    while (readdir(listing) != NULL) {
        count++;
    }
    closedir(listing);
    return count;
}

/* A parked image has no descriptor, and its next commits go on where the
 * last one ended: over the older copy. */
static void test_parked(void **state) {
    (void)state;
    uint8_t image[SIZE];
    create(1);
    const size_t before = open_files();
    struct kw_nvm *const nvm = open_nvm(image);
    for (uint8_t generation = 2; generation < 6; generation++) {
        kw_nvm_park(nvm);
        kw_nvm_park(nvm);
        assert_int_equal(open_files(), before);
        assert_int_equal(commit(nvm, generation), KW_OK);
        assert_int_equal(open_files(), before + 1);
        assert_content(generation);
    }
    kw_nvm_park(nvm);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(commit(nvm, 6), KW_SYSTEM_FILE);
    assert_int_equal(errno, ENOENT);
    /* Another image under the name is left alone, as long as it is there. */
    create(7);
    assert_int_equal(commit(nvm, 8), KW_SYSTEM_FILE);
    assert_int_equal(errno, ESTALE);
    assert_content(7);
    assert_int_equal(open_files(), before);
    kw_nvm_close(nvm);
}

static void test_close_nothing(void **state) {
    (void)state;
    kw_nvm_close(NULL);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_open),
        TEST(test_create_never_replaces),
        TEST(test_create_without_rename_flags),
        TEST(test_create_in_no_directory),
        TEST(test_create_with_long_kind),
        TEST(test_create_beside_the_caller),
        TEST(test_leftover_is_taken_over),
        TEST(test_leftover_link_is_spared),
        TEST(test_one_of_many_creates_wins),
        TEST(test_full_disk_at_create),
        TEST(test_full_disk_at_commit),
        TEST(test_short_and_interrupted_writes),
        TEST(test_broken_flush),
        TEST(test_broken_flush_at_create),
        TEST(test_commits_alternate),
        TEST(test_sequence_goes_round),
        TEST(test_open_no_file),
        TEST(test_open_directory),
        TEST(test_open_other_kind),
        TEST(test_open_kind_is_whole),
        TEST(test_open_other_size),
        TEST(test_open_foreign_file),
        TEST(test_open_other_version),
        TEST(test_damage_falls_back),
        TEST(test_damage_is_repaired_by_commit),
        TEST(test_both_copies_damaged),
        TEST(test_cut_short),
        TEST(test_example),
        TEST(test_parked),
        TEST(test_close_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
