/* Cuts the power at every storage operation of kw_nvm_create, kw_nvm_open
 * and kw_nvm_commit, with many seeds, and opens the image afterwards.
 *
 * After each cut the image is absent (only before create was acknowledged)
 * or one of those written, whole, and no older than the last that was
 * acknowledged; then it takes further commits.
 *
 * --short: fewer seeds, for slow instrumented builds.
 * --self-test: two unsafe ways of storing, which this program must catch: a
 * disk that lies about flushing, and a file overwritten in place. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/nvm/nvm.h"
#include "tests/powercut/disk.h"

#define KIND        "test"
#define IMAGE_SIZE  1404 /* bytes: more than a sector, and no multiple */
#define COMMITS     8
#define SEEDS       64 /* --short: 6 */
#define SEEDS_SHORT 6

/* Way of storing that is under test. */
struct subject {
    const char *name;
    bool lies; /* the disk does not flush */
    void (*work)(const struct subject *subject, const char *path, int pipe);
    kw_status (*create)(const char *path, const uint8_t *image);
    kw_status (*open)(const char *path, uint8_t *image, void **store);
    kw_status (*commit)(void *store, const uint8_t *image);
    void (*close)(void *store);
};

/* What a cut is tried on. */
struct place {
    char root[64];
    char path[96];
};

struct tally {
    unsigned long cuts;
    unsigned long failures;
};

/* ---- the subjects ---- */

static kw_status nvm_create(const char *path, const uint8_t *image) {
    return kw_nvm_create(path, KIND, image, IMAGE_SIZE);
}

static kw_status nvm_open(const char *path, uint8_t *image, void **store) {
    struct kw_nvm *nvm;
    KW_TRY(kw_nvm_open(path, KIND, image, IMAGE_SIZE, &nvm));
    *store = nvm;
    return KW_OK;
}

/* Every other image is parked first, as a board does it. */
static kw_status nvm_commit(void *store, const uint8_t *image) {
    if (image[0] % 2 != 0) {
        kw_nvm_park(store);
    }
    return kw_nvm_commit(store, image);
}

static void nvm_close(void *store) {
    kw_nvm_close(store);
}

/* Flushes honestly, but has one copy only. */
static kw_status in_place_write(int fd, const uint8_t *image) {
    KW_ENSURE(pwrite(fd, image, IMAGE_SIZE, 0) == IMAGE_SIZE, KW_SYSTEM_FILE);
    return fsync(fd) == 0 ? KW_OK : KW_SYSTEM_FILE;
}

static kw_status in_place_create(const char *path, const uint8_t *image) {
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    KW_ENSURE(fd >= 0, KW_SYSTEM_FILE);
    const kw_status status = in_place_write(fd, image);
    close(fd);
    return status;
}

struct in_place {
    int fd;
};

static kw_status in_place_open(const char *path, uint8_t *image, void **store) {
    struct in_place *const opened = malloc(sizeof *opened);
    KW_ENSURE(opened != NULL, KW_SYSTEM_MEMORY);
    opened->fd = open(path, O_RDWR | O_CLOEXEC);
    if (opened->fd < 0 || read(opened->fd, image, IMAGE_SIZE) != IMAGE_SIZE) {
        free(opened);
        return KW_SYSTEM_FILE;
    }
    *store = opened;
    return KW_OK;
}

static kw_status in_place_commit(void *store, const uint8_t *image) {
    const struct in_place *const opened = store;
    return in_place_write(opened->fd, image);
}

static void in_place_close(void *store) {
    struct in_place *const opened = store;
    close(opened->fd);
    free(opened);
}

/* ---- generations: image N holds nothing but N ---- */

static void make_image(unsigned generation, uint8_t image[IMAGE_SIZE]) {
    for (size_t i = 0; i < IMAGE_SIZE; i++) {
        image[i] = (uint8_t)(generation * 29 + i * 7 + 1);
    }
}

/* The generation, or -1 for bytes that nobody wrote. */
static int generation_of(const uint8_t image[IMAGE_SIZE]) {
    uint8_t expected[IMAGE_SIZE];
    for (unsigned generation = 0; generation <= COMMITS; generation++) {
        make_image(generation, expected);
        if (memcmp(expected, image, IMAGE_SIZE) == 0) {
            return (int)generation;
        }
    }
    return -1;
}

/* ---- the child: works until the power goes ---- */

/* Tells the parent what was acknowledged; a pipe is not on the disk. */
static void acknowledge(int pipe, unsigned generation) {
    const uint8_t byte = (uint8_t)generation;
    if (write(pipe, &byte, 1) != 1) {
        _exit(EXIT_FAILURE);
    }
}

static void must(kw_status status) {
    if (status != KW_OK) {
        fprintf(stderr, "without a cut: %s\n", kw_status_text(status));
        _exit(EXIT_FAILURE);
    }
}

/* Create, then half the commits through one open and half through
 * another. */
static void work(const struct subject *subject, const char *path, int pipe) {
    uint8_t image[IMAGE_SIZE];
    void *store;
    make_image(0, image);
    must(subject->create(path, image));
    acknowledge(pipe, 0);
    for (unsigned generation = 1; generation <= COMMITS; generation++) {
        if (generation == 1 || generation == COMMITS / 2) {
            must(subject->open(path, image, &store));
        }
        make_image(generation, image);
        must(subject->commit(store, image));
        acknowledge(pipe, generation);
        if (generation == COMMITS / 2 - 1) {
            subject->close(store);
        }
    }
    subject->close(store);
}

/* The writers are killed before their last flush: what the next open has
 * shown may not be taken back. The create of such a writer ends with the
 * rename. */
static void work_after_kill(const struct subject *subject, const char *path,
                            int pipe) {
    uint8_t image[IMAGE_SIZE];
    void *store;
    char other[128];
    make_image(0, image);
    snprintf(other, sizeof other, "%s.other", path);
    must(subject->create(other, image));
    must(rename(other, path) == 0 ? KW_OK : KW_SYSTEM_FILE);
    for (unsigned generation = 0; generation < COMMITS; generation++) {
        kw_disk_lie_about_flushing(false);
        must(subject->open(path, image, &store));
        acknowledge(pipe, generation);
        kw_disk_mark();
        kw_disk_lie_about_flushing(true);
        make_image(generation + 1, image);
        must(subject->commit(store, image));
        subject->close(store);
    }
}

static const struct subject NVM = {"nvm",    false,      work,     nvm_create,
                                   nvm_open, nvm_commit, nvm_close};
static const struct subject KILLED = {
    "nvm, writer killed", false,    work_after_kill, nvm_create, nvm_open,
    nvm_commit,           nvm_close};
static const struct subject LYING_DISK = {"nvm on a lying disk",
                                          true,
                                          work,
                                          nvm_create,
                                          nvm_open,
                                          nvm_commit,
                                          nvm_close};
static const struct subject IN_PLACE = {"file overwritten in place",
                                        false,
                                        work,
                                        in_place_create,
                                        in_place_open,
                                        in_place_commit,
                                        in_place_close};

static _Noreturn void run_child(const struct subject *subject,
                                const struct place *place, uint64_t seed,
                                unsigned long cut_at, int pipe) {
    kw_disk_start(place->root, seed, cut_at);
    if (subject->lies) {
        kw_disk_lie_about_flushing(true);
    }
    subject->work(subject, place->path, pipe);
    _exit(EXIT_SUCCESS);
}

/* The last generation that the child acknowledged, or -1. */
static int read_acknowledged(int pipe) {
    int last = -1;
    uint8_t byte;
    while (read(pipe, &byte, 1) == 1) {
        last = byte;
    }
    close(pipe);
    return last;
}

/* Answers the child's exit status. */
static int run(const struct subject *subject, const struct place *place,
               uint64_t seed, unsigned long cut_at, int *acknowledged) {
    int ends[2];
    int status;
    if (pipe(ends) != 0) {
        return -1;
    }
    const pid_t child = fork();
    if (child == 0) {
        run_child(subject, place, seed, cut_at, ends[1]);
    }
    close(ends[1]);
    *acknowledged = read_acknowledged(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the parent: what is left ---- */

/* Two commits, so that both copies are written anew. */
static bool goes_on(const struct subject *subject, const char *path,
                    void *store) {
    uint8_t image[IMAGE_SIZE];
    for (unsigned generation = 0; generation < 2; generation++) {
        make_image(generation, image);
        if (subject->commit(store, image) != KW_OK) {
            return false;
        }
    }
    void *again;
    if (subject->open(path, image, &again) != KW_OK) {
        return false;
    }
    subject->close(again);
    return generation_of(image) == 1;
}

static const char *check_opened(const struct subject *subject,
                                const struct place *place, int acknowledged,
                                const uint8_t *image, void *store) {
    const int generation = generation_of(image);
    if (generation < 0) {
        return "neither the old image nor the new one";
    }
    if (generation < acknowledged) {
        return "an image older than the acknowledged one";
    }
    if (generation > acknowledged + 1) {
        return "an image that was not written yet";
    }
    return goes_on(subject, place->path, store) ? NULL
                                                : "no commit after the cut";
}

/* What is wrong after the cut, or NULL. */
static const char *check(const struct subject *subject,
                         const struct place *place, int acknowledged) {
    uint8_t image[IMAGE_SIZE];
    void *store;
    if (access(place->path, F_OK) != 0) {
        make_image(0, image);
        if (acknowledged >= 0) {
            return "an acknowledged image is gone";
        }
        return subject->create(place->path, image) == KW_OK
                   ? NULL
                   : "no create after the cut";
    }
    if (subject->open(place->path, image, &store) != KW_OK) {
        return "the image does not open";
    }
    const char *const wrong =
        check_opened(subject, place, acknowledged, image, store);
    subject->close(store);
    return wrong;
}

static bool make_place(struct place *place) {
    const char *const parent = getenv("TMPDIR");
    snprintf(place->root, sizeof place->root, "%s/nvm-cuts-XXXXXX",
             parent != NULL && strlen(parent) < 40 ? parent : "/tmp");
    if (mkdtemp(place->root) == NULL) {
        return false;
    }
    snprintf(place->path, sizeof place->path, "%s/image", place->root);
    return true;
}

/* One cut; false when the work was through before it. */
static bool cut_once(const struct subject *subject, uint64_t seed,
                     unsigned long cut_at, bool quiet, struct tally *tally) {
    struct place place;
    int acknowledged = -1;
    if (!make_place(&place)) {
        perror("no directory to work in");
        exit(EXIT_FAILURE);
    }
    const int ended = run(subject, &place, seed, cut_at, &acknowledged);
    if (ended != KW_DISK_EXIT && ended != EXIT_SUCCESS) {
        fprintf(stderr, "child ended with %d\n", ended);
        exit(EXIT_FAILURE);
    }
    const char *const wrong = check(subject, &place, acknowledged);
    tally->cuts += ended == KW_DISK_EXIT;
    tally->failures += wrong != NULL;
    if (wrong != NULL && !quiet) {
        printf("seed %llu, cut at %lu, generation %d acknowledged: %s\n",
               (unsigned long long)seed, cut_at, acknowledged, wrong);
    }
    kw_disk_remove(place.root);
    return ended == KW_DISK_EXIT;
}

static struct tally cut_everywhere(const struct subject *subject,
                                   uint64_t seeds, bool quiet) {
    struct tally tally = {0, 0};
    for (uint64_t seed = 0; seed < seeds; seed++) {
        for (unsigned long cut_at = 1;
             cut_once(subject, seed, cut_at, quiet, &tally); cut_at++) {
        }
    }
    printf("%s: %lu cuts, %lu failures\n", subject->name, tally.cuts,
           tally.failures);
    return tally;
}

static int self_test(void) {
    const bool caught = cut_everywhere(&LYING_DISK, SEEDS, true).failures > 0 &&
                        cut_everywhere(&IN_PLACE, SEEDS, true).failures > 0;
    puts(caught ? "both were caught" : "an unsafe writer was not caught");
    return caught ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool passes(const struct subject *subject, uint64_t seeds) {
    const struct tally tally = cut_everywhere(subject, seeds, false);
    return tally.cuts > 0 && tally.failures == 0;
}

int main(int argc, char **argv) {
    const char *option = argc > 1 ? argv[1] : "";
    const bool is_short = strcmp(option, "--short") == 0;
    const uint64_t seeds = is_short ? SEEDS_SHORT : SEEDS;
    if (strcmp(option, "--self-test") == 0) {
        return self_test();
    }
    return passes(&NVM, seeds) && passes(&KILLED, seeds) ? EXIT_SUCCESS
                                                         : EXIT_FAILURE;
}
