/* Cuts the power at every storage operation of every command of the chip
 * that writes (chip_cases.c), and opens the image afterwards.
 *
 * First every mode of each case is tried: what writes is cut, and what no
 * case names must write nothing. Then each is cut everywhere, with seeds of
 * what the disk keeps: the image must open and hold what was acknowledged
 * last, or, when the command was not yet answered, the old or the new
 * content whole; and the chip must go on.
 *
 * --short: two seeds instead of six, and of each case only its own mode, for
 * slow instrumented builds. --long: 64 seeds.
 * --self-test: the same on a disk that lies about flushing, which must
 * lose. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/nvm/nvm.h"
#include "tests/powercut/chip_cases.h"
#include "tests/powercut/disk.h"

#define KIND         "atecc608"
#define MODES        256
#define IMAGE        sizeof(struct kw_sim_eeprom)
#define FILE_MAX     16384
#define PARAM2_MODES 19

/* --- a chip that tells of its writes --- */

struct report {
    char kind; /* 'T': tries to store; 'A': has answered */
    struct kw_sim_eeprom eeprom;
};

struct teller {
    struct kw_nvm *nvm; /* NULL: memory alone */
    int pipe;
    unsigned commits;
};

static void tell(const struct teller *teller, char kind,
                 const struct kw_sim_eeprom *eeprom) {
    const struct report report = {kind, *eeprom};
    if (write(teller->pipe, &report, sizeof report) != sizeof report) {
        _exit(EXIT_FAILURE);
    }
}

static kw_status commit(void *self, const struct kw_sim_eeprom *eeprom) {
    struct teller *const teller = self;
    teller->commits++;
    if (teller->nvm == NULL) {
        return KW_OK;
    }
    tell(teller, 'T', eeprom);
    return kw_nvm_commit(teller->nvm, (const uint8_t *)eeprom);
}

static void open_chip(struct bench *bench, const struct kw_sim_eeprom *eeprom,
                      struct teller *teller) {
    const struct kw_sim_options options = {.store = {commit, teller}};
    *bench = (struct bench){.chip = kw_sim_chip_new(eeprom, &options)};
    assert_non_null(bench->chip);
    assert_true(kw_sim_chip_wake(bench->chip));
}

static struct reply ask_call(struct bench *bench,
                             const struct chip_call *call) {
    return ask(bench, call->opcode, call->mode, call->param2, call->data,
               call->size);
}

/* --- which modes write --- */

static bool writes(const struct chip_case *one, uint8_t mode) {
    const struct kw_sim_eeprom eeprom = chip_case_eeprom(one);
    struct teller teller = {.nvm = NULL};
    struct chip_call call;
    struct bench bench;
    open_chip(&bench, &eeprom, &teller);
    chip_case_begin(one, mode, &bench, &call);
    assert_int_equal(teller.commits, 0);
    const struct reply reply = ask_call(&bench, &call);
    const bool changed =
        memcmp(&eeprom, kw_sim_chip_eeprom(bench.chip), sizeof eeprom) != 0;
    if ((changed && teller.commits == 0) || teller.commits > 1) {
        printf("%s, mode %02X: changed %d, stored %u times\n", one->name, mode,
               changed, teller.commits);
        exit(EXIT_FAILURE);
    }
    if (mode == one->mode && teller.commits == 0) {
        printf("%s writes nothing: status %02X, %s\n", one->name, reply.status,
               kw_sim_chip_reason(bench.chip));
        exit(EXIT_FAILURE);
    }
    bench_close(&bench);
    return teller.commits == 1;
}

static bool has_case(uint8_t opcode) {
    for (size_t i = 0; i < CHIP_CASE_COUNT; i++) {
        if (CHIP_CASES[i].opcode == opcode) {
            return true;
        }
    }
    return false;
}

/* Everything that could be asked of a command without knowing it. */
static unsigned long try_reader(uint8_t opcode, struct bench *bench) {
    static const size_t SIZES[] = {0, 1, 4, 20, 32, 64};
    static const uint8_t DATA[64] = {0x77};
    unsigned long tries = 0;
    for (unsigned mode = 0; mode < MODES; mode++) {
        for (unsigned i = 0; i < PARAM2_MODES; i++) {
            const uint16_t param2 =
                (uint16_t)(i < 16 ? i : 0x8000u >> (8 * (i - 16)));
            for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
                (void)ask(bench, opcode, (uint8_t)mode, param2, DATA, SIZES[s]);
                tries++;
            }
        }
    }
    return tries;
}

/* From the three states of the locks; whatever it is asked. */
static bool reads_only(uint8_t opcode) {
    static const struct chip_case states[] = {
        {.locks = BOTH_OPEN, .limited = NO_SLOT},
        {.locks = DATA_OPEN, .limited = NO_SLOT},
        {.locks = BOTH_LOCKED, .limited = NO_SLOT},
    };
    unsigned long tries = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const struct kw_sim_eeprom eeprom = chip_case_eeprom(&states[i]);
        struct teller teller = {.nvm = NULL};
        struct bench bench;
        open_chip(&bench, &eeprom, &teller);
        tries += try_reader(opcode, &bench);
        const bool same =
            memcmp(&eeprom, kw_sim_chip_eeprom(bench.chip), sizeof eeprom) == 0;
        bench_close(&bench);
        if (teller.commits > 0 || !same) {
            printf("%02X writes, and no case names it\n", opcode);
            return false;
        }
    }
    return tries > 0;
}

static bool is_reader(uint8_t opcode) {
    return memchr(CHIP_READERS, opcode, CHIP_READER_COUNT) != NULL;
}

/* Every opcode of the chip has a case or reads only, and not both. */
static bool is_complete(void) {
    const struct chip_case any = {.locks = BOTH_LOCKED, .limited = NO_SLOT};
    const struct kw_sim_eeprom eeprom = chip_case_eeprom(&any);
    struct teller teller = {.nvm = NULL};
    struct bench bench;
    unsigned writers = 0;
    bool complete = true;
    open_chip(&bench, &eeprom, &teller);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        const uint8_t one = (uint8_t)opcode;
        const bool there = kw_sim_chip_duration(bench.chip, one) != 0;
        if (there != (has_case(one) != is_reader(one))) {
            printf("%02X: %s\n", opcode,
                   there ? "neither a case nor a reader, or both"
                         : "no such command");
            complete = false;
        }
        writers += has_case(one);
        complete = complete && (!is_reader(one) || reads_only(one));
    }
    bench_close(&bench);
    printf("%u commands write, %zu never do\n", writers, CHIP_READER_COUNT);
    return complete;
}

/* --- the child: one command until the power goes --- */

struct place {
    char root[64];
    char path[96];
    uint8_t file[FILE_MAX]; /* the image with the old content */
    size_t file_size;
    struct kw_sim_eeprom before;
};

struct run {
    const struct chip_case *one;
    uint8_t mode;
    uint64_t seed;
    unsigned long cut_at;
    bool lies;
};

static _Noreturn void run_child(const struct place *place,
                                const struct run *run, int pipe) {
    struct kw_sim_eeprom eeprom;
    struct teller teller = {.pipe = pipe};
    struct chip_call call;
    struct bench bench;
    kw_disk_start(place->root, run->seed, run->cut_at);
    kw_disk_lie_about_flushing(run->lies);
    if (kw_nvm_open(place->path, KIND, (uint8_t *)&eeprom, sizeof eeprom,
                    &teller.nvm) != KW_OK) {
        _exit(EXIT_FAILURE);
    }
    open_chip(&bench, &eeprom, &teller);
    chip_case_begin(run->one, run->mode, &bench, &call);
    (void)ask_call(&bench, &call);
    tell(&teller, 'A', kw_sim_chip_eeprom(bench.chip));
    kw_disk_mark();
    _exit(EXIT_SUCCESS);
}

/* What the child told: what it tried to store, what it answered. */
struct told {
    bool tried;
    bool answered;
    struct kw_sim_eeprom last;
};

static struct told listen_to(int pipe) {
    struct told told = {.tried = false};
    struct report report;
    while (read(pipe, &report, sizeof report) == sizeof report) {
        told.tried = told.tried || report.kind == 'T';
        told.answered = report.kind == 'A';
        told.last = report.eeprom;
    }
    close(pipe);
    return told;
}

/* Answers whether the power was cut. */
static bool run_once(const struct place *place, const struct run *run,
                     struct told *told) {
    int ends[2];
    int status = 0;
    if (pipe(ends) != 0) {
        perror("no pipe");
        exit(EXIT_FAILURE);
    }
    const pid_t child = fork();
    if (child == 0) {
        run_child(place, run, ends[1]);
    }
    close(ends[1]);
    *told = listen_to(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child ||
        !WIFEXITED(status) ||
        (WEXITSTATUS(status) != KW_DISK_EXIT &&
         WEXITSTATUS(status) != EXIT_SUCCESS)) {
        printf("%s, mode %02X: the child ended with %X\n", run->one->name,
               run->mode, (unsigned)status);
        exit(EXIT_FAILURE);
    }
    return WEXITSTATUS(status) == KW_DISK_EXIT;
}

/* --- the parent: what is left --- */

static bool is_same(const struct kw_sim_eeprom *left,
                    const struct kw_sim_eeprom *right) {
    return memcmp(left, right, sizeof *left) == 0;
}

/* Two more commits, so that both copies are written anew. */
static bool goes_on(const struct place *place, struct kw_nvm *nvm) {
    struct kw_sim_eeprom eeprom = place->before;
    struct kw_nvm *again = NULL;
    bool good = true;
    for (uint8_t i = 0; i < 2; i++) {
        eeprom.otp[0] = i;
        good = good && kw_nvm_commit(nvm, (const uint8_t *)&eeprom) == KW_OK;
    }
    struct kw_sim_eeprom found;
    good = good && kw_nvm_open(place->path, KIND, (uint8_t *)&found,
                               sizeof found, &again) == KW_OK;
    kw_nvm_close(again);
    return good && is_same(&found, &eeprom);
}

/* What is wrong after the cut, or NULL. */
static const char *check(const struct place *place, const struct told *told) {
    struct kw_sim_eeprom found;
    struct kw_nvm *nvm = NULL;
    const char *wrong = NULL;
    if (kw_nvm_open(place->path, KIND, (uint8_t *)&found, sizeof found, &nvm) !=
        KW_OK) {
        return "the image does not open";
    }
    const bool is_new = told->tried && is_same(&found, &told->last);
    if (!is_new && !is_same(&found, &place->before)) {
        wrong = "neither the old content nor the new one";
    } else if (told->answered && !is_new) {
        wrong = "an answered write is gone";
    } else if (!goes_on(place, nvm)) {
        wrong = "no commit after the cut";
    }
    kw_nvm_close(nvm);
    return wrong;
}

static void must(bool good, const char *what) {
    if (!good) {
        perror(what);
        exit(EXIT_FAILURE);
    }
}

/* Plain writes: what stands there before the cut is no matter of flushes. */
static void put_image(const struct place *place) {
    const int fd =
        open(place->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, place->file, place->file_size) ==
                        (ssize_t)place->file_size,
         "cannot write an image");
    close(fd);
}

static void make_place(struct place *place, const struct chip_case *one) {
    const char *const parent =
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    place->before = chip_case_eeprom(one);
    snprintf(place->root, sizeof place->root, "%s/chip-cuts-XXXXXX", parent);
    must(mkdtemp(place->root) != NULL, "no directory to work in");
    snprintf(place->path, sizeof place->path, "%s/image", place->root);
    must(kw_nvm_create(place->path, KIND, (const uint8_t *)&place->before,
                       IMAGE) == KW_OK,
         "no image");
    const int fd = open(place->path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(fd, place->file, sizeof place->file);
    must(size > 0 && (size_t)size < sizeof place->file, "no image");
    place->file_size = (size_t)size;
    close(fd);
}

struct tally {
    unsigned long writes; /* commands, by mode */
    unsigned long cuts;
    unsigned long failures;
};

static void cut_mode(struct place *place, struct run *run, bool quiet,
                     struct tally *tally) {
    struct told told = {.tried = false};
    bool cut = true;
    for (run->cut_at = 1; cut; run->cut_at++) {
        put_image(place);
        cut = run_once(place, run, &told);
        const char *const wrong = check(place, &told);
        tally->cuts += cut;
        tally->failures += wrong != NULL;
        if (wrong != NULL && !quiet) {
            printf("%s, mode %02X, seed %llu, cut at %lu: %s\n", run->one->name,
                   run->mode, (unsigned long long)run->seed, run->cut_at,
                   wrong);
        }
    }
    must(told.tried && told.answered, "a command that wrote does not");
}

/* How much is cut. */
struct extent {
    const char *option;
    uint64_t seeds;
    bool own_mode_alone;
    bool lies; /* the disk does not flush */
};

static const struct extent EXTENTS[] = {
    {"", 6, false, false},
    {"--short", 2, true, false},
    {"--long", 64, false, false},
    {"--self-test", 1, false, true},
};

static void cut_case(const struct chip_case *one, const struct extent *extent,
                     struct tally *tally) {
    struct place place;
    make_place(&place, one);
    for (unsigned mode = 0; mode < MODES; mode++) {
        struct run run = {
            .one = one, .mode = (uint8_t)mode, .lies = extent->lies};
        if (!writes(one, run.mode) ||
            (extent->own_mode_alone && mode != one->mode)) {
            continue;
        }
        tally->writes++;
        for (run.seed = 0; run.seed < extent->seeds; run.seed++) {
            cut_mode(&place, &run, extent->lies, tally);
        }
    }
    kw_disk_remove(place.root);
}

static bool cut_everything(const struct extent *extent) {
    struct tally tally = {0, 0, 0};
    for (size_t i = 0; i < CHIP_CASE_COUNT; i++) {
        cut_case(&CHIP_CASES[i], extent, &tally);
    }
    printf("%s%zu states, %lu commands by mode, %lu cuts, %lu losses\n",
           extent->lies ? "on a disk that does not flush: " : "",
           CHIP_CASE_COUNT, tally.writes, tally.cuts, tally.failures);
    return tally.cuts > 0 && (tally.failures > 0) == extent->lies;
}

int main(int argc, char **argv) {
    const char *const option = argc > 1 ? argv[1] : "";
    const struct extent *extent = EXTENTS;
    const struct extent *const end = EXTENTS + sizeof EXTENTS / sizeof *EXTENTS;
    while (extent < end && strcmp(extent->option, option) != 0) {
        extent++;
    }
    if (extent == end) {
        fprintf(stderr, "there is no option %s\n", option);
        return 2;
    }
    chip_cases_prepare();
    return (extent->lies || is_complete()) && cut_everything(extent)
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
