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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tests/powercut/disk.h"

#define STORES_AT   0x4000
#define STORES_SIZE 0x3000

struct place {
    char folder[64];
    char base[96]; /* the workspace before the change */
    char work[96]; /* the workspace that is cut */
    char dump[96];
    unsigned long *operations; /* shared with the children */
    bool lies;
};

struct cut {
    unsigned long at; /* 0: never */
    uint64_t seed;
};

static const struct cut NO_CUT = {0, 1};
static unsigned long cuts;
static unsigned long losses;

/* --- running the command in a child --- */

static void be_silent(void) {
    const int null = open("/dev/null", O_RDWR);
    if (null >= 0 && getenv("KEYWRIGHT_CUTS_LOUD") == NULL) {
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
    }
}

static int child(const struct place *place, const char *workspace,
                 struct cut cut, const char *const *words) {
    const struct kw_noun nouns[] = {kw_noun_init, kw_noun_winc, kw_noun_ota};
    char *argv[16] = {"keywright", "--yes", "--workspace", (char *)workspace};
    int argc = 4;
    for (; *words != NULL; words++) {
        argv[argc++] = (char *)*words;
    }
    be_silent();
    kw_disk_start(workspace, cut.seed, cut.at);
    kw_disk_lie_about_flushing(place->lies);
    const int code = kw_cli_main(argc, argv, nouns, 3);
    *place->operations = kw_disk_operations();
    return code;
}

static int run(const struct place *place, const char *workspace, struct cut cut,
               const char *const *words) {
    int status = 0;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(child(place, workspace, cut, words));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static bool start_program(const char *const *words) {
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        be_silent();
        (void)execvp(words[0], (char *const *)words);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool copy_folder(const char *from, const char *to) {
    kw_disk_remove(to);
    const char *const words[] = {"cp", "-a", from, to, NULL};
    return start_program(words);
}

/* --- the stores --- */

static bool read_stores(const struct place *place, const char *workspace,
                        uint8_t stores[STORES_SIZE]) {
    const char *const words[] = {"winc", "dump", place->dump, NULL};
    (void)unlink(place->dump);
    if (run(place, workspace, NO_CUT, words) != 0) {
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
                  struct cut cut, const uint8_t *before, const uint8_t *after) {
    static const char *const RESUME[] = {"ota", "resume", NULL};
    uint8_t now[STORES_SIZE];
    const bool fine = run(place, place->work, NO_CUT, RESUME) == 0 &&
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
        !copy_folder(place->base, place->work) ||
        run(place, place->work, NO_CUT, job->words) != 0) {
        return false;
    }
    const unsigned long count = *place->operations;
    if (!read_stores(place, place->work, after) ||
        memcmp(before, after, STORES_SIZE) == 0) {
        return false;
    }
    /* On a disk that lies, seed 0 drops every write: nothing has changed. */
    for (uint64_t seed = place->lies ? 2 : 0; seed < seeds; seed++) {
        for (unsigned long at = 1 + seed % stride; at <= count; at += stride) {
            const struct cut cut = {at, seed};
            if (!copy_folder(place->base, place->work)) {
                return false;
            }
            (void)run(place, place->work, cut, job->words);
            judge(place, job, cut, before, after);
        }
    }
    /* The next job starts from what this one made. */
    return copy_folder(place->base, place->work) &&
           run(place, place->work, NO_CUT, job->words) == 0 &&
           copy_folder(place->work, place->base);
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
    return start_program(words);
}

static bool prepare(struct place *place) {
    static const char *const INIT[] = {"init", NULL};
    static const char *const NEW[] = {"winc", "new", NULL};
    (void)snprintf(place->folder, sizeof place->folder,
                   "/tmp/keywright-cuts-XXXXXX");
    if (mkdtemp(place->folder) == NULL) {
        return false;
    }
    (void)snprintf(place->base, sizeof place->base, "%s/base", place->folder);
    (void)snprintf(place->work, sizeof place->work, "%s/work", place->folder);
    (void)snprintf(place->dump, sizeof place->dump, "%s/dump", place->folder);
    place->operations =
        mmap(NULL, sizeof *place->operations, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place->operations == MAP_FAILED) {
        return false;
    }
    (void)mkdir(place->base, 0700);
    return make_certificate(place->folder, "/CN=Cut") &&
           run(place, place->base, NO_CUT, INIT) == 0 &&
           run(place, place->base, NO_CUT, NEW) == 0;
}

int main(int argc, char **argv) {
    struct place place = {.lies = false};
    char cert[160];
    char key[160];
    uint64_t seeds = 3;
    unsigned long stride = 4;
    bool self_test = false;
    for (int i = 1; i < argc; i++) {
        const bool long_form = strcmp(argv[i], "--long") == 0;
        self_test = self_test || strcmp(argv[i], "--self-test") == 0;
        seeds = long_form ? 6 : seeds;
        stride = long_form ? 1 : stride;
    }
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
    place.lies = self_test;
    for (size_t i = 0; i < 4 && worked; i++) {
        worked = run_job(&place, &jobs[i], self_test ? 5 : seeds,
                         self_test ? 5 : stride);
    }
    kw_disk_remove(place.folder);
    (void)printf("%lu cuts, %lu losses%s\n", cuts, losses,
                 worked ? "" : ", and a command failed without a cut");
    return self_test ? losses == 0 : !worked || losses != 0;
}
