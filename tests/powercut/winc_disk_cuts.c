/* Cuts the power of the PC at every storage operation of commands that
 * change the module's stores: the journal's file, the record of the last list
 * and the emulated flash's image files lie on the same simulated disk. Then
 * `ota resume`, or every other time the same command again, must bring whole
 * stores: the old ones or the new ones after the one, the new ones after the
 * other; and no journal is left behind. Every fifth time the resume is cut
 * first.
 *
 * The update fetches its files from `openssl s_server -WWW`, which runs as
 * long as this program.
 *
 * Usage: powercut_winc_disk [--long|--short] [--self-test]
 * The default form cuts every operation with one of three seeds, --long with
 * each of six, --short some. --self-test: on a disk that does not flush; this
 * program must find what that loses. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/powercut/command.h"

#define STORES_AT   0x4000
#define STORES_SIZE 0x3000

struct place {
    char folder[64];
    char base[96]; /* the workspace before the change */
    char work[96]; /* the workspace that is cut */
    char dump[96];
    char list[96]; /* signed */
    char cert[96]; /* a root, and the server's own */
    char key[96];
    char authority[96];
    char url[64];
    pid_t server;
    struct kw_cut_command command;
};

static unsigned long cuts;
static unsigned long losses;

static int run(const struct place *place, const char *workspace,
               struct kw_cut cut, const char *const *words) {
    return kw_cut_command_run(&place->command, workspace, cut, words);
}

/* --- the stores --- */

struct job {
    const char *name;
    const char *module;
    const char *words[20];
};

static bool read_stores(const struct place *place, const char *workspace,
                        const char *module, uint8_t stores[STORES_SIZE]) {
    const char *const words[] = {"winc",     "dump", place->dump,
                                 "--module", module, NULL};
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

static bool journal_is_gone(const struct place *place, const char *module) {
    const char *const verify[] = {"winc", "verify", "--module", module, NULL};
    char path[160];
    (void)snprintf(path, sizeof path, "%s/journal/winc-%s.journal", place->work,
                   module);
    return access(path, F_OK) != 0 &&
           run(place, place->work, kw_no_cut, verify) == 0;
}

/* --- cuts --- */

/* The way out of a cut: the same command again, or `ota resume`. */
static bool settle(const struct place *place, const struct job *job,
                   bool again) {
    const char *const resume[] = {"ota", "resume", "--module", job->module,
                                  NULL};
    return run(place, place->work, kw_no_cut, again ? job->words : resume) == 0;
}

/* The power goes once more, while the first cut is being mended. */
static void cut_resume(const struct place *place, const struct job *job,
                       struct kw_cut first) {
    const char *const resume[] = {"ota", "resume", "--module", job->module,
                                  NULL};
    const struct kw_cut cut = {1 + first.at % 37, first.seed + 1};
    (void)run(place, place->work, cut, resume);
}

static void judge(const struct place *place, const struct job *job,
                  struct kw_cut cut, const uint8_t *before,
                  const uint8_t *after) {
    uint8_t now[STORES_SIZE];
    const bool again = job->words[0][0] == 'o' && cut.at % 2 == 0;
    const bool fine = settle(place, job, again) &&
                      journal_is_gone(place, job->module) &&
                      read_stores(place, place->work, job->module, now) &&
                      ((!again && memcmp(now, before, STORES_SIZE) == 0) ||
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
    if (!read_stores(place, place->base, job->module, before) ||
        !kw_cut_copy_folder(place->base, place->work) ||
        run(place, place->work, kw_no_cut, job->words) != 0) {
        return false;
    }
    const unsigned long count = *place->command.operations;
    if (!read_stores(place, place->work, job->module, after) ||
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
            if (at % 5 == 0) {
                cut_resume(place, job, cut);
            }
            judge(place, job, cut, before, after);
        }
    }
    (void)printf("%-32s %5lu operations\n", job->name, count);
    (void)fflush(stdout);
    /* The next job starts from what this one made. */
    return kw_cut_copy_folder(place->base, place->work) &&
           run(place, place->work, kw_no_cut, job->words) == 0 &&
           kw_cut_copy_folder(place->work, place->base);
}

/* --- a server --- */

/* A port that was free a moment ago. */
static unsigned free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool bound = fd >= 0 &&
                       bind(fd, (struct sockaddr *)&address, size) == 0 &&
                       getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    (void)close(fd);
    return bound ? ntohs(address.sin_port) : 0;
}

static bool listens(unsigned port) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr =
                                            htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool connected =
        fd >= 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return connected;
}

static void serve(const struct place *place, const char *port) {
    const char *const words[] = {"openssl", "s_server",  "-key",    place->key,
                                 "-cert",   place->cert, "-accept", port,
                                 "-quiet",  "-WWW",      NULL};
    const int null = open("/dev/null", O_RDWR);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    if (chdir(place->folder) == 0) {
        (void)execvp(words[0], (char *const *)words);
    }
    _exit(127);
}

static bool start_server(struct place *place) {
    const struct timespec pause = {.tv_nsec = 20000000};
    const unsigned port = free_port();
    char text[8];
    (void)snprintf(text, sizeof text, "%u", port);
    (void)snprintf(place->url, sizeof place->url, "https://127.0.0.1:%u/",
                   port);
    place->server = fork();
    if (place->server == 0) {
        serve(place, text);
    }
    for (unsigned i = 0; place->server > 0 && i < 500; i++) {
        if (listens(port)) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void stop_server(const struct place *place) {
    if (place->server > 0) {
        (void)kill(place->server, SIGTERM);
        (void)waitpid(place->server, NULL, 0);
    }
}

/* --- a place --- */

static void name_files(struct place *place) {
    const struct {
        char *path;
        const char *name;
    } files[] = {
        {place->base, "base"},           {place->work, "work"},
        {place->dump, "dump"},           {place->list, "list.signed"},
        {place->cert, "root.pem"},       {place->key, "root.key"},
        {place->authority, "owner.pem"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(files[i].path, sizeof place->base, "%s/%s",
                       place->folder, files[i].name);
    }
}

static bool make_certificate(const struct place *place) {
    const char *const certificate[] = {
        "openssl", "req",     "-x509",    "-newkey", "rsa:2048",
        "-nodes",  "-keyout", place->key, "-out",    place->cert,
        "-days",   "30",      "-subj",    "/CN=Cut", NULL,
    };
    const char *const authority[] = {
        "openssl", "genpkey",        "-algorithm",
        "EC",      "-pkeyopt",       "ec_paramgen_curve:P-256",
        "-out",    place->authority, NULL};
    return kw_cut_program(certificate) && kw_cut_program(authority);
}

/* One root, and it again as the module's own chain. */
static bool write_list(const struct place *place) {
    static const char TEXT[] =
        "[{\"type\": \"ROOT_CERT\", \"filename\": \"root.pem\"},\n"
        " {\"type\": \"TLS_RSA_CERT\", \"numOfChainCert\": 1,"
        " \"filename\": \"root.key\"},\n"
        " {\"type\": \"TLS_RSA_CERT\", \"filename\": \"root.pem\"}]\n";
    char path[96];
    const char *const sign[] = {"ota",
                                "sign",
                                path,
                                "--files",
                                place->folder,
                                "--authority",
                                place->authority,
                                "--sequence",
                                "1",
                                "--output",
                                place->list,
                                NULL};
    (void)snprintf(path, sizeof path, "%s/list.json", place->folder);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    const bool written = fputs(TEXT, file) >= 0;
    return fclose(file) == 0 && written &&
           run(place, place->base, kw_no_cut, sign) == 0;
}

static bool prepare(struct place *place) {
    static const char *const INIT[] = {"init", NULL};
    static const char *const NEW[] = {"winc", "new", NULL};
    static const char *const BIG[] = {"winc",   "new", "--module", "big",
                                      "--size", "8",   NULL};
    if (!kw_cut_command_open(&place->command) ||
        !kw_cut_make_folder(place->folder, sizeof place->folder)) {
        return false;
    }
    name_files(place);
    (void)mkdir(place->base, 0700);
    return make_certificate(place) &&
           run(place, place->base, kw_no_cut, INIT) == 0 &&
           run(place, place->base, kw_no_cut, NEW) == 0 &&
           run(place, place->base, kw_no_cut, BIG) == 0 && write_list(place) &&
           start_server(place);
}

static bool conduct(const struct place *place, uint64_t seeds,
                    unsigned long stride) {
#define UPDATE                                                                 \
    "ota", "update", "--url", place->url, "--server-ca", place->cert,          \
        "--list", place->list, "--authority", place->authority
    const char *cert = place->cert;
    const char *key = place->key;
    const struct job jobs[] = {
        {"ota update", "winc", {UPDATE, NULL}},
        {"root remove", "winc", {"winc", "root", "remove", cert, NULL}},
        {"erase", "winc", {"winc", "erase", "--tls", NULL}},
        {"root add", "winc", {"winc", "root", "add", cert, NULL}},
        {"tls add", "winc", {"winc", "tls", "add", cert, "--key", key, NULL}},
        {"ota update, journal in the flash",
         "big",
         {UPDATE, "--module", "big", "--journal", "flash", NULL}},
        {"erase, journal in the flash",
         "big",
         {"winc", "erase", "--root", "--tls", "--module", "big", "--journal",
          "flash", NULL}},
    };
#undef UPDATE
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (!run_job(place, &jobs[i], seeds, stride)) {
            (void)fprintf(stderr, "%s fails without a cut\n", jobs[i].name);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    const struct kw_noun nouns[] = {kw_noun_init, kw_noun_winc, kw_noun_ota};
    struct place place = {.command = {.nouns = nouns, .noun_count = 3}};
    const bool is_long = kw_cut_has_option(argc, argv, "--long");
    const bool is_short = kw_cut_has_option(argc, argv, "--short");
    const bool self_test = kw_cut_has_option(argc, argv, "--self-test");
    uint64_t seeds = is_long ? 6 : 3;
    unsigned long stride = is_long ? 1 : is_short ? 29 : 3;
    bool worked = prepare(&place);
    if (self_test) {
        place.command.lies = true;
        seeds = 5;
        stride = 29;
    }
    if (worked) {
        worked = conduct(&place, seeds, stride);
    }
    stop_server(&place);
    kw_disk_remove(place.folder);
    (void)printf("%lu cuts, %lu losses%s\n", cuts, losses,
                 worked ? "" : ", and a command failed without a cut");
    return self_test ? losses == 0 : !worked || losses != 0;
}
