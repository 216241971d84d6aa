/* Cuts the power of a simulated module at every operation of its flash and
 * at every byte of a torn page, for add, replace, renew, remove, TLS chains
 * and erase; then resumes, and demands the whole old or the whole new set.
 *
 * Usage: powercut_winc [--long|--short] [--self-test] [--stores FOLDER]
 *
 * The journal is a file of the PC, whose writes are torn as well, then the
 * flash above 0x80000. The default form takes every byte where the journal
 * is a file, and some where it is in the flash; --long takes every byte of
 * both and more of a torn erase; --short takes some, for slow instrumented
 * builds. --self-test runs without a journal and must see losses. --stores
 * takes NAME-before.bin and NAME-after.bin of each job from a folder, as
 * tests/winc/make_stores.py writes them: real stores of a second encoder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/winc_update.h"
#include "sim/winc1500/module.h"

#define STORES_AT   0x4000u
#define STORES_SIZE 0x3000u

static uint64_t cuts;
static uint64_t losses;

/* --- a journal in a file of the PC, in memory --- */

/* Writes are torn at a byte as those of a disk; the header and the body are
 * separated by a flush. */
struct file {
    uint8_t bytes[KW_WINC_JOURNAL_SIZE];
    uint64_t operations;
    bool armed;
    bool off;
    uint64_t cut_after;
    uint32_t cut_bytes;
};

static bool step(struct file *file, size_t size, size_t *done) {
    const bool cut = file->armed && file->operations == file->cut_after;
    file->operations++;
    *done = cut && file->cut_bytes < size ? file->cut_bytes : size;
    file->off = file->off || cut;
    return !cut;
}

static kw_status file_begin(void *self) {
    struct file *file = self;
    size_t done = 0;
    KW_ENSURE(!file->off, KW_SYSTEM_FILE);
    const bool whole = step(file, sizeof file->bytes, &done);
    memset(file->bytes, 0, done);
    return whole ? KW_OK : KW_SYSTEM_FILE;
}

static kw_status file_write(void *self, uint32_t offset, const uint8_t *bytes,
                            size_t size) {
    struct file *file = self;
    size_t done = 0;
    KW_ENSURE(!file->off, KW_SYSTEM_FILE);
    const bool whole = step(file, size, &done);
    memcpy(file->bytes + offset, bytes, done);
    return whole ? KW_OK : KW_SYSTEM_FILE;
}

static kw_status file_flush(void *self) {
    const struct file *file = self;
    return file->off ? KW_SYSTEM_FILE : KW_OK;
}

static kw_status file_read(void *self, uint32_t offset, uint8_t *bytes,
                           size_t size) {
    const struct file *file = self;
    KW_ENSURE(!file->off, KW_SYSTEM_FILE);
    memcpy(bytes, file->bytes + offset, size);
    return KW_OK;
}

/* --- a bench --- */

enum place { IN_FILE, IN_FLASH, NOWHERE };

struct bench {
    uint8_t *memory;
    struct kw_nor nor;
    struct kw_sim_module module;
    struct kw_winc_port port;
    struct kw_winc_flash flash;
    struct file file;
    struct kw_winc_journal journal;
    enum place place;
    uint8_t sector[KW_WINC_SECTOR];
    uint8_t page[KW_WINC_PAGE];
};

/* A change: the wanted content of the three sectors. */
struct job {
    const char *name;
    uint8_t before[STORES_SIZE];
    uint8_t after[STORES_SIZE];
};

static kw_status render(void *self, uint32_t address, uint8_t *sector) {
    const struct job *job = self;
    memcpy(sector, job->after + (address - STORES_AT), KW_WINC_SECTOR);
    return KW_OK;
}

static kw_status open_update(struct bench *bench,
                             struct kw_winc_update *update) {
    bench->journal = (struct kw_winc_journal){
        .begin = file_begin,
        .write = file_write,
        .flush = file_flush,
        .read = file_read,
        .clear = file_begin,
        .self = &bench->file,
    };
    *update = (struct kw_winc_update){
        .flash = &bench->flash,
        .journal = bench->place == NOWHERE ? NULL : &bench->journal,
        .sector = bench->sector,
        .page = bench->page,
    };
    if (bench->place == IN_FLASH) {
        kw_winc_journal_in_flash(&bench->flash, &bench->journal);
    }
    kw_sim_module_port(&bench->module, &bench->port);
    return kw_winc_flash_open(&bench->port, &bench->flash);
}

static void power_up(struct bench *bench) {
    kw_sim_module_power_up(&bench->module, &bench->nor);
    bench->file.off = false;
    bench->file.armed = false;
}

static kw_status run(struct bench *bench, struct job *job) {
    struct kw_winc_update update;
    const struct kw_winc_change change = {
        .address = {0x4000, 0x5000, 0x6000},
        .count = 3,
        .render = render,
        .self = job,
    };
    KW_TRY(open_update(bench, &update));
    return kw_winc_update_run(&update, &change);
}

static kw_status resume(struct bench *bench) {
    struct kw_winc_update update;
    bool resumed = false;
    KW_TRY(open_update(bench, &update));
    return update.journal == NULL
               ? KW_OK
               : kw_winc_update_resume(&update, false, &resumed);
}

static void start(struct bench *bench, const struct job *job) {
    memset(bench->memory, 0xFF, KW_NOR_8_MBIT);
    memcpy(bench->memory + STORES_AT, job->before, STORES_SIZE);
    bench->nor = (struct kw_nor){
        .memory = bench->memory, .size = KW_NOR_8_MBIT, .busy_polls = 1};
    memset(&bench->file, 0, sizeof bench->file);
    power_up(bench);
}

static bool is_whole(const struct bench *bench, const struct job *job) {
    const uint8_t *stores = bench->memory + STORES_AT;
    return memcmp(stores, job->before, STORES_SIZE) == 0 ||
           memcmp(stores, job->after, STORES_SIZE) == 0;
}

/* No content stays behind in the journal, which may have held a key; a torn
 * mark may. */
static bool is_wiped(const struct bench *bench) {
    const uint8_t *region = bench->memory + KW_WINC_JOURNAL_ADDRESS;
    return bench->place != IN_FLASH ||
           kw_all_bytes(region + KW_WINC_SECTOR,
                        KW_WINC_JOURNAL_SIZE - KW_WINC_SECTOR, 0xFF);
}

static void judge(struct bench *bench, const struct job *job, bool resumed) {
    cuts++;
    if (!resumed || !is_whole(bench, job) || !is_wiped(bench)) {
        losses++;
        if (losses <= 5) {
            (void)fprintf(stderr, "lost: %s, flash operation %llu byte %u\n",
                          job->name, (unsigned long long)bench->nor.cut_after,
                          bench->nor.cut_bytes);
        }
    }
}

/* --- cuts --- */

static void cut_flash(struct bench *bench, struct job *job, uint64_t operation,
                      uint32_t bytes) {
    start(bench, job);
    bench->nor.cut_armed = true;
    bench->nor.cut_after = operation;
    bench->nor.cut_bytes = bytes;
    (void)!run(bench, job);
    power_up(bench);
    judge(bench, job, resume(bench) == KW_OK);
}

static void cut_file(struct bench *bench, struct job *job, uint64_t operation,
                     uint32_t bytes) {
    start(bench, job);
    bench->file.armed = true;
    bench->file.cut_after = operation;
    bench->file.cut_bytes = bytes;
    (void)!run(bench, job);
    power_up(bench);
    judge(bench, job, resume(bench) == KW_OK);
}

/* The first cut leaves a torn sector; the resume is cut as well, and the
 * second resume must do. */
static void cut_twice(struct bench *bench, struct job *job, uint64_t first,
                      uint64_t second) {
    start(bench, job);
    bench->nor.cut_armed = true;
    bench->nor.cut_after = first;
    bench->nor.cut_bytes = 100;
    (void)!run(bench, job);
    power_up(bench);
    bench->nor.cut_armed = true;
    bench->nor.cut_after = bench->nor.operations + second;
    bench->nor.cut_bytes = 77;
    (void)!resume(bench);
    power_up(bench);
    judge(bench, job, resume(bench) == KW_OK);
}

static void count_operations(struct bench *bench, struct job *job,
                             uint64_t *flash, uint64_t *file) {
    start(bench, job);
    if (run(bench, job) != KW_OK || !is_whole(bench, job) ||
        memcmp(bench->memory + STORES_AT, job->after, STORES_SIZE) != 0) {
        (void)fprintf(stderr, "%s does not work without a cut\n", job->name);
        exit(1);
    }
    *flash = bench->nor.operations;
    *file = bench->file.operations;
}

/* How closely a form looks. */
struct form {
    uint32_t page;   /* every so many bytes of a torn page, */
    uint32_t sector; /* of a torn erase, */
    uint32_t flash;  /* and of a page where the journal is in the flash */
};

static void cut_everywhere(struct bench *bench, struct job *job,
                           const struct form *form) {
    const uint32_t stride = bench->place == IN_FLASH ? form->flash : form->page;
    uint64_t in_flash = 0;
    uint64_t in_file = 0;
    count_operations(bench, job, &in_flash, &in_file);
    for (uint64_t i = 0; i < in_flash; i++) {
        for (uint32_t byte = 0; byte <= KW_WINC_PAGE; byte += stride) {
            cut_flash(bench, job, i, byte);
        }
        for (uint32_t byte = form->sector; byte < KW_WINC_SECTOR;
             byte += form->sector) {
            cut_flash(bench, job, i, byte);
        }
        cut_twice(bench, job, i, i % 5);
    }
    for (uint64_t i = 0; i < in_file; i++) {
        for (uint32_t byte = 0; byte <= KW_WINC_PAGE; byte += 2 * stride) {
            cut_file(bench, job, i, byte);
        }
    }
}

/* --- jobs --- */

static void fill(uint8_t *bytes, size_t size, unsigned seed) {
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
}

/* What the stores hold is any content: the update does not look into it. */
static void make_job(struct job *job, const char *name, size_t root_before,
                     size_t root_after, size_t tls_before, size_t tls_after) {
    job->name = name;
    memset(job->before, 0xFF, sizeof job->before);
    memset(job->after, 0xFF, sizeof job->after);
    fill(job->before, root_before, 1);
    fill(job->before + 0x1000, tls_before, 2);
    fill(job->after, root_after, root_before == root_after ? 3 : 1);
    fill(job->after + 0x1000, tls_after, tls_before == tls_after ? 2 : 4);
}

#define JOBS 6

static void make_jobs(struct job jobs[JOBS]) {
    make_job(&jobs[0], "add", 600, 1100, 2000, 2000);
    make_job(&jobs[1], "replace", 1500, 1500, 2000, 2000);
    make_job(&jobs[2], "renew", 900, 900, 3300, 5200);
    make_job(&jobs[3], "remove", 1800, 700, 2000, 2000);
    make_job(&jobs[4], "chain", 300, 300, 3000, 4700);
    make_job(&jobs[5], "erase", 1800, 0, 4700, 0);
}

static bool load(const char *folder, const char *name, const char *when,
                 uint8_t stores[STORES_SIZE]) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s-%s.bin", folder, name, when);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    const bool whole = fread(stores, 1, STORES_SIZE, file) == STORES_SIZE;
    (void)fclose(file);
    return whole;
}

/* Real stores in the place of made up ones. */
static bool load_jobs(struct job jobs[JOBS], const char *folder) {
    for (size_t i = 0; i < JOBS; i++) {
        if (!load(folder, jobs[i].name, "before", jobs[i].before) ||
            !load(folder, jobs[i].name, "after", jobs[i].after)) {
            return false;
        }
    }
    return true;
}

struct options {
    struct form form;
    bool self_test;
    const char *stores;
};

static void read_options(int argc, char **argv, struct options *options) {
    static const struct form LONG = {1, 16, 1};
    static const struct form SHORT = {32, 2048, 128};
    *options = (struct options){.form = {1, 2048, 8}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0) {
            options->form = LONG;
        } else if (strcmp(argv[i], "--short") == 0) {
            options->form = SHORT;
        } else if (strcmp(argv[i], "--self-test") == 0) {
            options->form = SHORT;
            options->self_test = true;
        } else if (strcmp(argv[i], "--stores") == 0 && i + 1 < argc) {
            options->stores = argv[++i];
        }
    }
}

static void conduct(struct bench *bench, struct job jobs[JOBS],
                    const struct options *options) {
    for (size_t i = 0; i < JOBS; i++) {
        const uint64_t before = cuts;
        bench->place = options->self_test ? NOWHERE : IN_FILE;
        cut_everywhere(bench, &jobs[i], &options->form);
        if (!options->self_test) {
            bench->place = IN_FLASH;
            cut_everywhere(bench, &jobs[i], &options->form);
        }
        (void)printf("%-8s %8llu cuts\n", jobs[i].name,
                     (unsigned long long)(cuts - before));
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv) {
    static struct bench bench;
    static struct job jobs[JOBS];
    struct options options;
    read_options(argc, argv, &options);
    bench.memory = malloc(KW_NOR_8_MBIT);
    make_jobs(jobs);
    if (bench.memory == NULL ||
        (options.stores != NULL && !load_jobs(jobs, options.stores))) {
        return 6;
    }
    conduct(&bench, jobs, &options);
    free(bench.memory);
    (void)printf("%llu cuts, %llu losses\n", (unsigned long long)cuts,
                 (unsigned long long)losses);
    return options.self_test ? losses == 0 : losses != 0;
}
