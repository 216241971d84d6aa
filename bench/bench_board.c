/* bench/bench_board.c: a board over its unix socket, beside what the machine
 * allows in the same run.
 *
 * bench_board KEYWRIGHT [ROUNDS [THREADS]]
 *
 * Starts `KEYWRIGHT board serve --fleet` with 8 TrustFLEX chips and measures
 * in rounds that take turns, each beside its references: a do-nothing echo
 * server, P-256 signatures of OpenSSL as `openssl speed` makes them, and a
 * loop of pwrite and fdatasync. No client sends a request before it has the
 * answer to the one before; THREADS (1) threads make the load. What the
 * references allow:
 *
 *   8 clients:  a pair costs two echoes and a signature, and both processors
 *               work all the time: 1 / (2 / echoes + 1 / (cores * signatures))
 *   1 client:   one after the other: 1 / (2 / echoes + 1 / signatures)
 *
 * One signature of 251 is verified by OpenSSL over the digest that was sent.
 * The figures are medians of the rounds. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rand.h>

#include "bench/echo.h"
#include "bench/fixture.h"
#include "bench/load.h"
#include "bench/p256.h"
#include "core/bytes.h"

#define CHIPS         8
#define DIGESTS       32 /* a client signs these in turn */
#define SIGNING_SLOT  2
#define SAMPLE        251
#define SLICE_SECONDS 0.5
#define ROUNDS        9
#define ROUNDS_MAX    99
#define SYNC_SIZE     1468 /* bytes that a commit of a chip writes */
#define SYNC_STRIDE   4096

struct chip {
    int fd;
    EVP_PKEY *key; /* the public one of the signing slot */
    uint64_t signatures;
    uint64_t verified;
};

struct bench {
    struct fixture fixture;
    pid_t echoes[ECHO_KINDS];
    struct chip chips[CHIPS];
    struct exchange pairs[2 * DIGESTS]; /* Nonce, Sign, Nonce, Sign, ... */
    struct exchange random;
    struct exchange count;
    struct p256 pair;
    int sync;
    unsigned cores;
};

/* --- requests --- */

static void make_requests(struct bench *bench) {
    for (size_t i = 0; i < DIGESTS; i++) {
        uint8_t digest[32];
        must(RAND_bytes(digest, sizeof digest) == 1, "RAND_bytes");
        bench->pairs[2 * i] = fixture_command(
            (struct kw_command){KW_OP_NONCE, 0x43, 0, digest, 32}, 4);
        bench->pairs[2 * i + 1] = fixture_command(
            (struct kw_command){KW_OP_SIGN, 0xA0, SIGNING_SLOT, NULL, 0},
            64 + 3);
    }
    bench->random = fixture_command(
        (struct kw_command){KW_OP_RANDOM, 0, 0, NULL, 0}, 32 + 3);
    bench->count = fixture_command(
        (struct kw_command){KW_OP_COUNTER, 1, 0, NULL, 0}, 4 + 3);
}

/* --- the chips --- */

static EVP_PKEY *public_key(const uint8_t xy[64]) {
    uint8_t point[65] = {0x04};
    EVP_PKEY *key = NULL;
    memcpy(point + 1, xy, 64);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         (char[]){"P-256"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                          sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    must(EVP_PKEY_fromdata_init(context) == 1 &&
             EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY,
                               parameters) == 1,
         "the chip's public key");
    EVP_PKEY_CTX_free(context);
    return key;
}

/* A connection of a client to the chip of that number. */
static int connect_chip(const struct bench *bench, unsigned number) {
    uint8_t answer[LOAD_ANSWER_MAX];
    const struct exchange choose = fixture_choose(number);
    const int fd = fixture_connect(&bench->fixture);
    load_ask(fd, &choose, answer);
    must(answer[0] == 0, "choosing a chip");
    return fd;
}

static void connect_chips(struct bench *bench) {
    uint8_t answer[LOAD_ANSWER_MAX];
    const struct exchange wake = fixture_wake();
    const struct exchange get_key = fixture_command(
        (struct kw_command){KW_OP_GENKEY, 0, SIGNING_SLOT, NULL, 0}, 64 + 3);
    for (unsigned i = 0; i < CHIPS; i++) {
        bench->chips[i].fd = connect_chip(bench, i);
        load_ask(bench->chips[i].fd, &wake, answer);
        load_ask(bench->chips[i].fd, &get_key, answer);
        bench->chips[i].key = public_key(answer + 1);
    }
}

/* --- checks of answers --- */

static bool verify(struct chip *chip, const uint8_t digest[32],
                   const uint8_t signature[64]) {
    uint8_t der[P256_DER_MAX];
    uint8_t *at = der;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    must(pair != NULL &&
             ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL),
                            BN_bin2bn(signature + 32, 32, NULL)) == 1,
         "ECDSA_SIG");
    const int size = i2d_ECDSA_SIG(pair, &at);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(chip->key, NULL);
    const bool fine =
        EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_verify(context, der, (size_t)size, digest, 32) == 1;
    EVP_PKEY_CTX_free(context);
    chip->verified++;
    return fine;
}

struct signing {
    const struct bench *bench;
    struct chip *chip;
};

static bool check_pair(void *self, size_t step, const uint8_t *answer) {
    const struct signing *signing = self;
    if (step % 2 == 0) {
        return answer[0] == 4 && answer[1] == 0;
    }
    const uint8_t *nonce = signing->bench->pairs[step - 1].request;
    return answer[0] == 67 &&
           (++signing->chip->signatures % SAMPLE != 0 ||
            verify(signing->chip, nonce + 1 + 5, answer + 1));
}

static bool check_random(void *self, size_t step, const uint8_t *answer) {
    (void)self;
    (void)step;
    return answer[0] == 35;
}

/* Increments that a client sees grow: no value comes twice. */
static bool check_count(void *self, size_t step, const uint8_t *answer) {
    uint32_t *last = self;
    const uint32_t value = kw_load_le32(answer + 1);
    const bool fine = answer[0] == 7 && value > *last;
    (void)step;
    *last = value;
    return fine;
}

/* --- measurements, one slice each --- */

static double pairs(struct bench *bench, size_t count, unsigned threads) {
    struct load_client clients[CHIPS] = {{.fd = -1}};
    struct signing signing[CHIPS];
    for (size_t i = 0; i < count; i++) {
        signing[i] = (struct signing){bench, &bench->chips[i]};
        clients[i] = (struct load_client){
            .fd = bench->chips[i].fd,
            .steps = bench->pairs,
            .step_count = 2 * DIGESTS,
            .check = check_pair,
            .self = &signing[i],
        };
    }
    return load_run(clients, count, threads, SLICE_SECONDS) / 2;
}

static double randoms(struct bench *bench, size_t count, unsigned threads) {
    struct load_client clients[CHIPS] = {{.fd = -1}};
    for (size_t i = 0; i < count; i++) {
        clients[i] = (struct load_client){
            .fd = bench->chips[i].fd,
            .steps = &bench->random,
            .step_count = 1,
            .check = check_random,
        };
    }
    return load_run(clients, count, threads, SLICE_SECONDS);
}

/* Eight clients, on as many chips or all on the first one. */
static double counts(struct bench *bench, bool one_chip) {
    struct load_client clients[CHIPS];
    uint32_t last[CHIPS] = {0};
    for (unsigned i = 0; i < CHIPS; i++) {
        clients[i] = (struct load_client){
            .fd = one_chip ? connect_chip(bench, 0) : bench->chips[i].fd,
            .steps = &bench->count,
            .step_count = 1,
            .check = check_count,
            .self = &last[i],
        };
    }
    /* A thread each: none waits for the flush of another's chip. */
    const double rate = load_run(clients, CHIPS, CHIPS, SLICE_SECONDS);
    for (unsigned i = 0; one_chip && i < CHIPS; i++) {
        (void)close(clients[i].fd);
    }
    return rate;
}

/* The faster of the two servers; a Nonce goes and comes. */
static double echoes(struct bench *bench, size_t count, unsigned threads) {
    struct exchange exchange = bench->pairs[0];
    double best = 0;
    exchange.answer_size = exchange.request_size;
    for (int kind = 0; kind < ECHO_KINDS; kind++) {
        struct load_client clients[CHIPS];
        char path[128];
        const char *name = kind == ECHO_THREADS ? "echo0" : "echo1";
        for (size_t i = 0; i < count; i++) {
            clients[i] = (struct load_client){
                .fd = load_connect(fixture_path(&bench->fixture, name, path)),
                .steps = &exchange,
                .step_count = 1,
            };
        }
        const double rate =
            load_run(clients, count, threads, SLICE_SECONDS / 2);
        best = rate > best ? rate : best;
        for (size_t i = 0; i < count; i++) {
            (void)close(clients[i].fd);
        }
    }
    return best;
}

/* Of one core, by wall-clock time like all others. */
static double signs(struct bench *bench) {
    const uint8_t digest[32] = {1};
    uint8_t der[P256_DER_MAX];
    size_t size = 0;
    double done = 0;
    const double begin = load_now();
    double now = begin;
    while (now - begin < SLICE_SECONDS / 2) {
        for (unsigned i = 0; i < 100; i++) {
            must(p256_sign_der(&bench->pair, digest, der, &size), "OpenSSL");
        }
        done += 100;
        now = load_now();
    }
    return done / (now - begin);
}

static double syncs(struct bench *bench) {
    uint8_t bytes[SYNC_SIZE] = {0};
    double done = 0;
    const double begin = load_now();
    double now = begin;
    while (now - begin < SLICE_SECONDS) {
        bytes[0]++;
        must(pwrite(bench->sync, bytes, sizeof bytes,
                    bytes[0] % 2 * SYNC_STRIDE) == (ssize_t)sizeof bytes &&
                 fdatasync(bench->sync) == 0,
             "fdatasync");
        done++;
        now = load_now();
    }
    return done / (now - begin);
}

/* --- rounds --- */

enum figure {
    ECHO_8,
    SIGN,
    PAIR_8,
    RANDOM_8,
    ECHO_1,
    PAIR_1,
    SYNC,
    COUNT_8,
    COUNT_1,
    FIGURES,
};

struct rounds {
    double figures[FIGURES][ROUNDS_MAX];
    unsigned count;
};

static void run_round(struct bench *bench, struct rounds *rounds,
                      unsigned threads) {
    const unsigned i = rounds->count++;
    rounds->figures[ECHO_8][i] = echoes(bench, CHIPS, threads);
    rounds->figures[SIGN][i] = signs(bench);
    rounds->figures[PAIR_8][i] = pairs(bench, CHIPS, threads);
    rounds->figures[RANDOM_8][i] = randoms(bench, CHIPS, threads);
    rounds->figures[ECHO_1][i] = echoes(bench, 1, 1);
    rounds->figures[PAIR_1][i] = pairs(bench, 1, 1);
    rounds->figures[SYNC][i] = syncs(bench);
    rounds->figures[COUNT_8][i] = counts(bench, false);
    rounds->figures[COUNT_1][i] = counts(bench, true);
}

static int compare(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(const double *values, unsigned count) {
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    return sorted[count / 2];
}

static double allowed_8(const struct rounds *rounds, unsigned i,
                        unsigned cores) {
    return 1 / (2 / rounds->figures[ECHO_8][i] +
                1 / (cores * rounds->figures[SIGN][i]));
}

static double allowed_1(const struct rounds *rounds, unsigned i) {
    return 1 / (2 / rounds->figures[ECHO_1][i] + 1 / rounds->figures[SIGN][i]);
}

/* The median of the rounds' own ratios: what slows a round slows both. */
static void show(const struct rounds *rounds, const char *name,
                 enum figure figure, const char *reference,
                 const double *allowed) {
    double ratios[ROUNDS_MAX];
    for (unsigned i = 0; i < rounds->count; i++) {
        ratios[i] = rounds->figures[figure][i] / allowed[i];
    }
    (void)printf("%-34s %8.0f   %-30s %8.0f   %5.2f\n", name,
                 median(rounds->figures[figure], rounds->count), reference,
                 median(allowed, rounds->count), median(ratios, rounds->count));
}

static void show_all(const struct bench *bench, const struct rounds *rounds) {
    double eight[ROUNDS_MAX];
    double one[ROUNDS_MAX];
    for (unsigned i = 0; i < rounds->count; i++) {
        eight[i] = allowed_8(rounds, i, bench->cores);
        one[i] = allowed_1(rounds, i);
    }
    (void)printf("a second, through the unix socket    board   reference"
                 "                           allows   ratio\n");
    show(rounds, "Nonce+Sign, 8 clients on 8 chips", PAIR_8,
         "2 echoes and 1 sign, all cores", eight);
    show(rounds, "Nonce+Sign, 1 client", PAIR_1, "2 echoes and 1 sign", one);
    show(rounds, "Random, 8 clients on 8 chips", RANDOM_8, "echo",
         rounds->figures[ECHO_8]);
    show(rounds, "Counter+1, 8 clients on 8 chips", COUNT_8,
         "pwrite and fdatasync", rounds->figures[SYNC]);
    show(rounds, "Counter+1, 8 clients on 1 chip", COUNT_1,
         "pwrite and fdatasync", rounds->figures[SYNC]);
    (void)printf("echoes: %.0f with 8 clients, %.0f with 1; P-256 signatures "
                 "of OpenSSL on a core: %.0f\n",
                 median(rounds->figures[ECHO_8], rounds->count),
                 median(rounds->figures[ECHO_1], rounds->count),
                 median(rounds->figures[SIGN], rounds->count));
}

/* --- life --- */

static void start(struct bench *bench, char *keywright) {
    char path[128];
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bench->cores = cores < 1 ? 1 : (unsigned)cores;
    fixture_start(&bench->fixture, keywright, CHIPS);
    make_requests(bench);
    must(p256_make(&bench->pair), "OpenSSL");
    bench->echoes[ECHO_THREADS] =
        echo_start(ECHO_THREADS, fixture_path(&bench->fixture, "echo0", path));
    bench->echoes[ECHO_EPOLL] =
        echo_start(ECHO_EPOLL, fixture_path(&bench->fixture, "echo1", path));
    bench->sync = open(fixture_path(&bench->fixture, "sync", path),
                       O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(bench->sync >= 0 &&
             ftruncate(bench->sync, 2 * (off_t)SYNC_STRIDE) == 0 &&
             fsync(bench->sync) == 0,
         path);
    connect_chips(bench);
}

static void end(struct bench *bench) {
    uint64_t verified = 0;
    for (unsigned i = 0; i < CHIPS; i++) {
        verified += bench->chips[i].verified;
        (void)close(bench->chips[i].fd);
        EVP_PKEY_free(bench->chips[i].key);
    }
    (void)printf("%llu signatures verified over their digests\n",
                 (unsigned long long)verified);
    for (int kind = 0; kind < ECHO_KINDS; kind++) {
        (void)kill(bench->echoes[kind], SIGKILL);
        (void)waitpid(bench->echoes[kind], NULL, 0);
    }
    p256_free(&bench->pair);
    fixture_end(&bench->fixture);
}

int main(int count, char **arguments) {
    static struct bench bench;
    static struct rounds rounds;
    if (count < 2) {
        (void)fprintf(stderr,
                      "Usage: bench_board KEYWRIGHT [ROUNDS [THREADS]]\n");
        return 2;
    }
    const unsigned long wanted =
        count > 2 ? strtoul(arguments[2], NULL, 10) : ROUNDS;
    const unsigned long threads =
        count > 3 ? strtoul(arguments[3], NULL, 10) : 1;
    start(&bench, arguments[1]);
    while (rounds.count < wanted && rounds.count < ROUNDS_MAX) {
        run_round(&bench, &rounds, (unsigned)threads);
    }
    show_all(&bench, &rounds);
    end(&bench);
    return 0;
}
