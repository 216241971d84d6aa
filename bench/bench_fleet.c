/* bench/bench_fleet.c: thousands of chips in one board: memory and files.
 *
 * bench_fleet KEYWRIGHT [CHIPS]
 *
 * Makes CHIPS (10,000) TrustFLEX chips with keys of their own, starts
 * `KEYWRIGHT board serve --fleet`, and uses every private key of every chip
 * once (four sign, the fifth answers its public key) and its counter, which
 * stores. The reference is the same board before its first chip: what is left
 * is the chips'. Memory is the peak of what was resident. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/fixture.h"

#define CHIPS   10000u
#define CLIENTS 8u
#define EACH    50u /* chips between two looks at the descriptors */

/* --- what a chip is asked --- */

static void ask(int fd, struct exchange exchange, uint8_t expected) {
    uint8_t answer[LOAD_ANSWER_MAX];
    load_ask(fd, &exchange, answer);
    must(answer[0] == expected, "an answer");
}

static void use_all_keys(int fd, unsigned chip) {
    static const uint8_t SIGNERS[] = {0, 2, 3, 4};
    const uint8_t digest[32] = {(uint8_t)chip, (uint8_t)(chip >> 8)};
    ask(fd, fixture_choose(chip), 0);
    ask(fd, fixture_wake(), 4);
    for (size_t i = 0; i < sizeof SIGNERS; i++) {
        ask(fd,
            fixture_command(
                (struct kw_command){KW_OP_NONCE, 0x43, 0, digest, 32}, 4),
            4);
        ask(fd,
            fixture_command(
                (struct kw_command){KW_OP_SIGN, 0xA0, SIGNERS[i], NULL, 0}, 67),
            67);
    }
    ask(fd,
        fixture_command((struct kw_command){KW_OP_GENKEY, 0, 1, NULL, 0}, 67),
        67);
    ask(fd,
        fixture_command((struct kw_command){KW_OP_COUNTER, 1, 0, NULL, 0}, 7),
        7);
}

/* --- what the board needs --- */

static unsigned open_files(pid_t board) {
    char path[64];
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/fd", (long)board);
    DIR *listing = opendir(path);
    if (listing == NULL) {
        load_fail(path);
    }
    while (readdir(listing) != NULL) {
        count++;
    }
    (void)closedir(listing);
    return count - 2;
}

static double peak_mib(pid_t board) {
    char path[64];
    char line[128];
    double kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)board);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        load_fail(path);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = strtod(line + 6, NULL);
        }
    }
    (void)fclose(file);
    return kib / 1024;
}

int main(int count, char **arguments) {
    struct fixture fixture;
    int clients[CLIENTS];
    unsigned files = 0;
    if (count < 2) {
        (void)fprintf(stderr, "Usage: bench_fleet KEYWRIGHT [CHIPS]\n");
        return 2;
    }
    const unsigned chips =
        count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : CHIPS;
    fixture_start(&fixture, arguments[1], chips);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = fixture_connect(&fixture);
    }
    const double before = peak_mib(fixture.board);
    const double begin = load_now();
    for (unsigned i = 0; i < chips; i++) {
        use_all_keys(clients[i % CLIENTS], i);
        const unsigned now = i % EACH == 0 ? open_files(fixture.board) : 0;
        files = now > files ? now : files;
    }
    const double after = peak_mib(fixture.board);
    (void)printf("%u chips, all keys used once, in %.1f s: %.1f MiB resident "
                 "at most, %u open files\n"
                 "the board without them: %.1f MiB; a chip: %.2f KiB\n",
                 chips, load_now() - begin, after, files, before,
                 (after - before) * 1024 / chips);
    fixture_end(&fixture);
    return 0;
}
