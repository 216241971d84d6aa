/* Cuts the power of the PC at every storage operation of commands that
 * change the module's stores: the journal's file and the emulated flash's
 * image files lie on the same simulated disk. After `ota resume` both stores
 * are the old ones or the new ones, and no journal is left behind.
 *
 * Usage: powercut_winc_disk [--long] [--self-test]
 * --long: more seeds. --self-test: on a disk that does not flush; this
 * program must find what that loses. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/powercut/command.h"

#define STORES_AT   0x4000
#define STORES_SIZE 0x3000

struct place {
    char folder[64];
    char base[96]; /* the workspace before the change */
    char work[96]; /* the workspace that is cut */
    char dump[96];
    struct kw_cut_command command;
};

static unsigned long cuts;
static unsigned long losses;

static int run(const struct place *place, const char *workspace,
               struct kw_cut cut, const char *const *words) {
    return kw_cut_command_run(&place->command, workspace, cut, words);
}

/* --- the stores --- */

static bool read_stores(const struct place *place, const char *workspace,
                        uint8_t stores[STORES_SIZE]) {
    const char *const words[] = {"winc", "dump", place->dump, NULL};
    (void)unlink(place->dump);
    if (run(place, workspace, kw_no_cut, words) != 0) {
        return false;
    }
    const int fd = open(place->dump, O_RDONLY);
    const bool whole =
        fd >= 0 && pread(fd, stores, STORES_SIZE, STORES_AT) == STORES_SIZE;
    (void)close(fd);
    return whole;
}

static bool journal_is_gone(const struct place *place) {
    char path[160];
    (void)snprintf(path, sizeof path, "%s/journal/winc-winc.journal",
                   place->work);
    return access(path, F_OK) != 0;
}

/* --- cuts --- */

struct job {
    const char *name;
    const char *words[8];
};

static void judge(const struct place *place, const struct job *job,
                  struct kw_cut cut, const uint8_t *before,
                  const uint8_t *after) {
    static const char *const RESUME[] = {"ota", "resume", NULL};
    uint8_t now[STORES_SIZE];
    const bool fine = run(place, place->work, kw_no_cut, RESUME) == 0 &&
                      journal_is_gone(place) &&
                      read_stores(place, place->work, now) &&
                      (memcmp(now, before, STORES_SIZE) == 0 ||
                       memcmp(now, after, STORES_SIZE) == 0);
    cuts++;
    if (!fine && losses++ < 5) {
        (void)fprintf(stderr, "lost: %s, operation %lu, seed %llu\n", job->name,
                      cut.at, (unsigned long long)cut.seed);
    }
}

static bool run_job(const struct place *place, const struct job *job,
                    uint64_t seeds, unsigned long stride) {
    uint8_t before[STORES_SIZE];
    uint8_t after[STORES_SIZE];
    if (!read_stores(place, place->base, before) ||
        !kw_cut_copy_folder(place->base, place->work) ||
        run(place, place->work, kw_no_cut, job->words) != 0) {
        return false;
    }
    const unsigned long count = *place->command.operations;
    if (!read_stores(place, place->work, after) ||
        memcmp(before, after, STORES_SIZE) == 0) {
        return false;
    }
    /* On a disk that lies, seed 0 drops every write: nothing has changed. */
    for (uint64_t seed = place->command.lies ? 2 : 0; seed < seeds; seed++) {
        for (unsigned long at = 1 + seed % stride; at <= count; at += stride) {
            const struct kw_cut cut = {at, seed};
            if (!kw_cut_copy_folder(place->base, place->work)) {
                return false;
            }
            (void)run(place, place->work, cut, job->words);
            judge(place, job, cut, before, after);
        }
    }
    /* The next job starts from what this one made. */
    return kw_cut_copy_folder(place->base, place->work) &&
           run(place, place->work, kw_no_cut, job->words) == 0 &&
           kw_cut_copy_folder(place->work, place->base);
}

/* --- a place --- */

static bool make_certificate(const char *folder, const char *subject) {
    char key[160];
    char cert[160];
    (void)snprintf(key, sizeof key, "%s/key.pem", folder);
    (void)snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    const char *const words[] = {
        "openssl", "req",     "-x509", "-newkey", "rsa:2048",
        "-nodes",  "-keyout", key,     "-out",    cert,
        "-days",   "30",      "-subj", subject,   NULL,
    };
    return kw_cut_program(words);
}

static bool prepare(struct place *place) {
    static const char *const INIT[] = {"init", NULL};
    static const char *const NEW[] = {"winc", "new", NULL};
    if (!kw_cut_command_open(&place->command) ||
        !kw_cut_make_folder(place->folder, sizeof place->folder)) {
        return false;
    }
    (void)snprintf(place->base, sizeof place->base, "%s/base", place->folder);
    (void)snprintf(place->work, sizeof place->work, "%s/work", place->folder);
    (void)snprintf(place->dump, sizeof place->dump, "%s/dump", place->folder);
    (void)mkdir(place->base, 0700);
    return make_certificate(place->folder, "/CN=Cut") &&
           run(place, place->base, kw_no_cut, INIT) == 0 &&
           run(place, place->base, kw_no_cut, NEW) == 0;
}

int main(int argc, char **argv) {
    const struct kw_noun nouns[] = {kw_noun_init, kw_noun_winc, kw_noun_ota};
    struct place place = {.command = {.nouns = nouns, .noun_count = 3}};
    char cert[160];
    char key[160];
    const bool is_long = kw_cut_has_option(argc, argv, "--long");
    const bool self_test = kw_cut_has_option(argc, argv, "--self-test");
    const uint64_t seeds = is_long ? 6 : 3;
    const unsigned long stride = is_long ? 1 : 4;
    if (!prepare(&place)) {
        (void)fprintf(stderr, "cannot prepare a workspace\n");
        return 6;
    }
    (void)snprintf(cert, sizeof cert, "%s/cert.pem", place.folder);
    (void)snprintf(key, sizeof key, "%s/key.pem", place.folder);
    const struct job jobs[] = {
        {"root add", {"winc", "root", "add", cert, NULL}},
        {"tls add", {"winc", "tls", "add", cert, "--key", key, NULL}},
        {"root remove", {"winc", "root", "remove", cert, NULL}},
        {"erase", {"winc", "erase", "--root", "--tls", NULL}},
    };
    bool worked = true;
    place.command.lies = self_test;
    for (size_t i = 0; i < 4 && worked; i++) {
        worked = run_job(&place, &jobs[i], self_test ? 5 : seeds,
                         self_test ? 5 : stride);
    }
    kw_disk_remove(place.folder);
    (void)printf("%lu cuts, %lu losses%s\n", cuts, losses,
                 worked ? "" : ", and a command failed without a cut");
    return self_test ? losses == 0 : !worked || losses != 0;
}
