/* The power-cut layer itself: what it keeps, drops, tears and refuses. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/powercut/disk.h"

#define SEEDS 200
#define SIZE  2000 /* bytes of a file: four sectors, the last not full */

/* A program on the disk; cuts itself off with kw_disk_mark at the end. */
typedef void program(void);

/* What was found after the cuts of all seeds. */
struct found {
    unsigned absent;
    unsigned old;
    unsigned fresh;
    unsigned other;
};

static unsigned failures;

static void expect(bool condition, const char *what) {
    if (!condition) {
        printf("FAILED: %s\n", what);
        failures++;
    }
}

/* ---- what the programs are made of ---- */

static void must(bool condition) {
    if (!condition) {
        perror("a step of the program");
        _exit(EXIT_FAILURE);
    }
}

static int make(const char *path, char letter) {
    char bytes[SIZE];
    memset(bytes, letter, sizeof bytes);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0 && pwrite(fd, bytes, SIZE, 0) == SIZE);
    return fd;
}

static void flush_names(void) {
    const int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd >= 0 && fsync(fd) == 0);
    close(fd);
}

static void make_durable(const char *path, char letter) {
    const int fd = make(path, letter);
    must(fsync(fd) == 0 && close(fd) == 0);
    flush_names();
}

/* ---- running them ---- */

/* Answers the exit status. */
static int run(const char *root, program *work, uint64_t seed,
               unsigned long cut_at) {
    int status;
    const pid_t child = fork();
    if (child == 0) {
        must(chdir(root) == 0);
        kw_disk_start(root, seed, cut_at);
        work();
        _exit(EXIT_SUCCESS);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static void make_root(char root[64]) {
    (void)snprintf(root, 64, "/tmp/disk-cuts-XXXXXX");
    if (mkdtemp(root) == NULL) {
        perror(root);
        exit(EXIT_FAILURE);
    }
}

static bool holds_only(const char *bytes, size_t size, char letter) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != letter) {
            return false;
        }
    }
    return true;
}

/* The file "a": absent, all 'o' (old), all 'n' (fresh), or anything else. */
static void look(const char *root, struct found *found) {
    char path[96];
    char bytes[SIZE + 1];
    snprintf(path, sizeof path, "%s/a", root);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        found->absent++;
        return;
    }
    const ssize_t size = read(fd, bytes, sizeof bytes);
    close(fd);
    const bool whole = size == SIZE;
    found->old += whole && holds_only(bytes, SIZE, 'o');
    found->fresh += whole && holds_only(bytes, SIZE, 'n');
    found->other += !whole || !(holds_only(bytes, SIZE, 'o') ||
                                holds_only(bytes, SIZE, 'n'));
}

static void look_after(program *work, uint64_t seed, unsigned long cut_at,
                       struct found *found) {
    char root[64];
    make_root(root);
    expect(run(root, work, seed, cut_at) == KW_DISK_EXIT, "power was cut");
    look(root, found);
    kw_disk_remove(root);
}

static struct found look_after_all(program *work, unsigned long cut_at) {
    struct found found = {0, 0, 0, 0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        look_after(work, seed, cut_at, &found);
    }
    return found;
}

/* ---- data ---- */

static void durable(void) {
    make_durable("a", 'n'); /* create, write, fsync, fsync */
    kw_disk_mark();
}

static void test_flushed_stays(void) {
    const struct found found = look_after_all(durable, 5);
    expect(found.fresh == SEEDS, "what was flushed stays");
}

static void overwritten(void) {
    make_durable("a", 'o');
    close(make("a", 'n'));
    kw_disk_mark();
}

static void test_unflushed_data(void) {
    const struct found found = look_after_all(overwritten, 6);
    expect(found.old > 0 && found.fresh > 0 && found.other > 0,
           "data that was not flushed is old, new or torn");
    expect(found.absent == 0, "a flushed name stays");
}

static void truncated(void) {
    make_durable("a", 'n');
    const int fd = open("a", O_RDWR | O_TRUNC | O_CLOEXEC);
    must(fd >= 0);
    kw_disk_mark();
}

static void test_seeds_0_and_1(void) {
    struct found dropped = {0, 0, 0, 0};
    struct found kept = {0, 0, 0, 0};
    look_after(overwritten, 0, 6, &dropped);
    look_after(overwritten, 1, 6, &kept);
    expect(dropped.old == 1, "seed 0 drops");
    expect(kept.fresh == 1, "seed 1 keeps");
    look_after(truncated, 0, 6, &dropped);
    look_after(truncated, 1, 6, &kept);
    expect(dropped.fresh == 1, "seed 0 drops a truncation");
    expect(kept.other == 1, "seed 1 keeps a truncation");
}

static void appended(void) {
    char bytes[SIZE / 2];
    memset(bytes, 'n', sizeof bytes);
    const int fd = open("a", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    must(write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    must(fdatasync(fd) == 0);
    flush_names();
    kw_disk_mark();
}

static void test_append(void) {
    const struct found found = look_after_all(appended, 6);
    expect(found.fresh == SEEDS, "fdatasync keeps what was appended");
    const struct found before = look_after_all(appended, 4);
    expect(before.fresh > 0 && before.absent > 0 && before.other > 0,
           "a cut at fdatasync comes before the flush");
}

/* ---- names ---- */

static void nameless(void) {
    const int fd = make("a", 'n');
    must(fsync(fd) == 0);
    kw_disk_mark();
}

static void test_name_needs_directory(void) {
    const struct found found = look_after_all(nameless, 4);
    expect(found.fresh > 0 && found.absent > 0 && found.other == 0,
           "fsync of a file does not keep its name");
}

static void replaced_carelessly(void) {
    make_durable("a", 'o');
    const int fd = make("b", 'n');
    must(close(fd) == 0 && rename("b", "a") == 0);
    flush_names();
    kw_disk_mark();
}

static void test_rename_without_flush(void) {
    const struct found found = look_after_all(replaced_carelessly, 9);
    expect(found.other > 0 && found.old == 0 && found.absent == 0,
           "a durable rename of data that is not shows the hole");
}

static void replaced_safely(void) {
    make_durable("a", 'o');
    const int fd = make("b", 'n');
    must(fsync(fd) == 0 && close(fd) == 0 && rename("b", "a") == 0);
    kw_disk_mark();
}

static void test_rename(void) {
    const struct found found = look_after_all(replaced_safely, 9);
    expect(found.old > 0 && found.fresh > 0 && found.other == 0 &&
               found.absent == 0,
           "a rename is old or new, never neither");
}

static void removed(void) {
    make_durable("a", 'n');
    must(unlink("a") == 0);
    kw_disk_mark();
}

static void made_again(void) {
    make_durable("a", 'o');
    must(unlink("a") == 0);
    const int fd = make("a", 'n');
    must(fsync(fd) == 0);
    kw_disk_mark();
}

static void test_unlink(void) {
    const struct found gone = look_after_all(removed, 6);
    expect(gone.absent > 0 && gone.fresh > 0 && gone.other == 0,
           "an unlink is kept or dropped");
    const struct found again = look_after_all(made_again, 9);
    expect(again.absent > 0 && again.old > 0 && again.fresh > 0 &&
               again.other == 0,
           "the history of a name is cut at one point");
}

static void linked(void) {
    make_durable("b", 'n');
    must(link("b", "a") == 0);
    kw_disk_mark();
}

static void in_directory(void) {
    must(mkdir("d", 0700) == 0);
    close(make("d/b", 'n'));
    make_durable("a", 'n');
    kw_disk_mark();
}

static void test_link_and_mkdir(void) {
    const struct found found = look_after_all(linked, 6);
    expect(found.absent > 0 && found.fresh > 0 && found.other == 0,
           "a link is kept or dropped");
    const struct found nested = look_after_all(in_directory, 8);
    expect(nested.fresh == SEEDS, "a directory dropped harms no other");
}

/* ---- the counting and the limits ---- */

static void counted(void) {
    make_durable("a", 'n');
    must(kw_disk_operations() == 4);
    kw_disk_mark();
    must(kw_disk_operations() == 5);
    must(access("a", F_OK) == 0 && chdir("/") == 0);
    const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    must(write(fd, "x", 1) == 1);
    must(kw_disk_operations() == 5);
}

static void by_stdio(void) {
    must(fopen("a", "w") != NULL);
}

static void by_writev(void) {
    const struct iovec span = {(void *)"x", 1};
    must(writev(make("a", 'n'), &span, 1) == 1);
}

static void by_dprintf(void) {
    must(dprintf(make("a", 'n'), "%d", 1) == 1);
}

static int exit_of(program *work) {
    char root[64];
    make_root(root);
    const int status = run(root, work, 0, 0);
    kw_disk_remove(root);
    return status;
}

static void test_limits(void) {
    expect(exit_of(counted) == EXIT_SUCCESS, "operations are counted");
    puts("three refusals are meant to follow:");
    fflush(stdout);
    expect(exit_of(by_stdio) == KW_DISK_UNSEEN, "fopen for writing is told");
    expect(exit_of(by_writev) == KW_DISK_UNSEEN, "writev is told");
    expect(exit_of(by_dprintf) == KW_DISK_UNSEEN, "dprintf is told");
}

int main(void) {
    test_flushed_stays();
    test_unflushed_data();
    test_seeds_0_and_1();
    test_append();
    test_name_needs_directory();
    test_rename_without_flush();
    test_rename();
    test_unlink();
    test_link_and_mkdir();
    test_limits();
    printf("disk: %u failures\n", failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
