#include "bench/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"
#include "sim/nvm/nvm.h"

#define NAME      "c%05u"
#define STEP_US   50000u
#define STEPS     1200u /* a minute, for a folder of thousands */
#define WORDS_MAX 16

void must(bool fine, const char *what) {
    if (!fine) {
        load_fail(what);
    }
}

const char *fixture_path(const struct fixture *fixture, const char *name,
                         char path[128]) {
    (void)snprintf(path, 128, "%s/%s", fixture->folder, name);
    return path;
}

/* --- requests --- */

struct exchange fixture_command(struct kw_command command, size_t answer_size) {
    struct exchange exchange = {.request = {0x03}, .answer_size = answer_size};
    size_t size = 0;
    must(kw_packet_encode(&command, exchange.request + 1, &size) == KW_OK,
         "a packet");
    exchange.request_size = 1 + size;
    return exchange;
}

struct exchange fixture_choose(unsigned chip) {
    struct exchange exchange = {.request = {0x04}, .answer_size = 1};
    const int size = snprintf((char *)exchange.request + 2, 16, NAME, chip);
    exchange.request[1] = (uint8_t)size;
    exchange.request_size = 2 + (size_t)size;
    return exchange;
}

struct exchange fixture_wake(void) {
    return (struct exchange){
        .request = {0x00}, .request_size = 1, .answer_size = 4};
}

/* --- the board --- */

static pid_t run(char *program, char *const *words) {
    char *arguments[WORDS_MAX] = {program};
    for (size_t i = 0; words[i] != NULL; i++) {
        arguments[i + 1] = words[i];
    }
    const pid_t pid = fork();
    if (pid == 0) {
        (void)execv(program, arguments);
        _exit(127);
    }
    return pid;
}

static void run_through(char *program, char *const *words) {
    int status = 0;
    must(waitpid(run(program, words), &status, 0) > 0 && status == 0, program);
}

static void make_images(const struct fixture *fixture, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct kw_sim_eeprom eeprom;
        char name[32];
        char path[128];
        (void)snprintf(name, sizeof name, "fleet/" NAME ".chip", i);
        must(kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B,
                                &kw_sim_crypto_openssl, &eeprom) == KW_OK &&
                 kw_nvm_create(fixture_path(fixture, name, path), "atecc608",
                               (const uint8_t *)&eeprom,
                               sizeof eeprom) == KW_OK,
             "making an image");
    }
}

void fixture_start(struct fixture *fixture, char *keywright, unsigned count) {
    char workspace[128];
    char fleet[128];
    char path[128];
    memcpy(fixture->folder, "/tmp/keywright-bench-XXXXXX", 28);
    must(mkdtemp(fixture->folder) != NULL, "mkdtemp");
    (void)fixture_path(fixture, "w", workspace);
    (void)fixture_path(fixture, "fleet", fleet);
    char *const init[] = {"init", "--quiet", "--workspace", workspace, NULL};
    char *const serve[] = {"board", "serve",       "--quiet", "--fleet",
                           fleet,   "--workspace", workspace, NULL};
    must(mkdir(fleet, 0700) == 0, fleet);
    make_images(fixture, count);
    run_through(keywright, init);
    fixture->board = run(keywright, serve);
    (void)fixture_path(fixture, "fleet/fleet.sock", path);
    for (unsigned i = 0; i < STEPS && access(path, F_OK) != 0; i++) {
        (void)usleep(STEP_US);
    }
}

int fixture_connect(const struct fixture *fixture) {
    char path[128];
    return load_connect(fixture_path(fixture, "fleet/fleet.sock", path));
}

void fixture_end(struct fixture *fixture) {
    int status = 0;
    char *const words[] = {"-rf", fixture->folder, NULL};
    (void)kill(fixture->board, SIGTERM);
    must(waitpid(fixture->board, &status, 0) > 0 && status == 0, "the board");
    run_through("/bin/rm", words);
}
