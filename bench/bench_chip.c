/* bench/bench_chip.c: how fast the emulated chip signs and verifies, beside
 * plain OpenSSL in the same run.
 *
 * The chip: Nonce into the message digest buffer, then Sign or
 * Verify(External), as frames through kw_sim_chip_execute; each Verify has
 * another public key than the one before. OpenSSL: EVP_PKEY_sign and
 * EVP_PKEY_verify in a loop with one context, as `openssl speed ecdsap256`
 * does it. Both on one core, in slices that take turns, by the processor
 * time of this process: drift and other programs hit both alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "bench/p256.h"
#include "bench/trustflex.h"
#include "core/chip.h"

#define KEYS          64 /* used in turn */
#define SLICES        25
#define SLICE_SECONDS 0.08
#define SIGNING_SLOT  2

/* Everything that one turn of a loop needs, made before the clock runs. */
struct turn {
    struct p256 pair;
    uint8_t digest[32];
    uint8_t der[P256_DER_MAX];
    size_t der_size;
    uint8_t nonce[KW_PACKET_MAX]; /* packets */
    size_t nonce_size;
    uint8_t sign[KW_PACKET_MAX];
    size_t sign_size;
    uint8_t verify[KW_PACKET_MAX];
    size_t verify_size;
};

struct bench {
    struct kw_sim_chip *chip;
    struct turn turns[KEYS];
};

/* --- the four operations --- */

static bool send(struct kw_sim_chip *chip, const uint8_t *packet, size_t size,
                 size_t expected) {
    uint8_t response[KW_RESPONSE_MAX];
    const size_t count = kw_sim_chip_execute(chip, packet, size, response);
    return count == expected && (count > 4 || response[1] == 0);
}

static bool chip_sign(struct bench *bench, struct turn *turn) {
    return send(bench->chip, turn->nonce, turn->nonce_size, 4) &&
           send(bench->chip, turn->sign, turn->sign_size, 64 + 3);
}

static bool chip_verify(struct bench *bench, struct turn *turn) {
    return send(bench->chip, turn->nonce, turn->nonce_size, 4) &&
           send(bench->chip, turn->verify, turn->verify_size, 4);
}

static bool openssl_sign(struct bench *bench, struct turn *turn) {
    uint8_t der[P256_DER_MAX];
    size_t size = 0;
    return p256_sign_der(&bench->turns[0].pair, turn->digest, der, &size);
}

static bool openssl_verify(struct bench *bench, struct turn *turn) {
    (void)turn;
    struct turn *same = &bench->turns[0];
    return p256_verify_der(&same->pair, same->digest, same->der,
                           same->der_size);
}

/* --- measuring --------------------------------------------------------------
 */

typedef bool operation(struct bench *bench, struct turn *turn);

static double processor_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what) {
    (void)fprintf(stderr, "bench_chip: %s failed\n", what);
    exit(1);
}

struct slice {
    double operations;
    double seconds;
};

static void run_slice(struct bench *bench, operation *run,
                      struct slice *slice) {
    const double begin = processor_seconds();
    double now = begin;
    while (now - begin < SLICE_SECONDS) {
        for (size_t i = 0; i < KEYS; i++) {
            if (!run(bench, &bench->turns[i])) {
                fail("an operation");
            }
        }
        slice->operations += KEYS;
        now = processor_seconds();
    }
    slice->seconds += now - begin;
}

static double rate(struct slice slice) {
    return slice.operations / slice.seconds;
}

static int compare(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(struct bench *bench, const char *name, operation *chip,
                    operation *openssl) {
    struct slice all_chip = {0, 0};
    struct slice all_openssl = {0, 0};
    double ratios[SLICES];
    for (size_t i = 0; i < SLICES; i++) {
        struct slice of_chip = {0, 0};
        struct slice of_openssl = {0, 0};
        run_slice(bench, chip, &of_chip);
        run_slice(bench, openssl, &of_openssl);
        ratios[i] = rate(of_chip) / rate(of_openssl);
        all_chip.operations += of_chip.operations;
        all_chip.seconds += of_chip.seconds;
        all_openssl.operations += of_openssl.operations;
        all_openssl.seconds += of_openssl.seconds;
    }
    qsort(ratios, SLICES, sizeof *ratios, compare);
    (void)printf("%-18s %10.0f %12.0f %7.2f   %.2f to %.2f\n", name,
                 rate(all_chip), rate(all_openssl), ratios[SLICES / 2],
                 ratios[0], ratios[SLICES - 1]);
}

/* --- setting up --- */

static void encode(struct kw_command command, uint8_t *packet, size_t *size) {
    if (kw_packet_encode(&command, packet, size) != KW_OK) {
        fail("encoding a packet");
    }
}

static void fill_turn(struct turn *turn) {
    uint8_t data[64 + 64]; /* signature, public key */
    if (!p256_make(&turn->pair) ||
        RAND_bytes(turn->digest, sizeof turn->digest) != 1 ||
        !p256_sign(&turn->pair, turn->digest, data) ||
        !p256_sign_der(&turn->pair, turn->digest, turn->der, &turn->der_size)) {
        fail("OpenSSL");
    }
    memcpy(data + 64, turn->pair.public_key, 64);
    encode((struct kw_command){KW_OP_NONCE, 0x43, 0, turn->digest, 32},
           turn->nonce, &turn->nonce_size);
    encode((struct kw_command){KW_OP_SIGN, 0xA0, SIGNING_SLOT, NULL, 0},
           turn->sign, &turn->sign_size);
    encode((struct kw_command){KW_OP_VERIFY, 0x22, 4, data, sizeof data},
           turn->verify, &turn->verify_size);
}

static struct kw_sim_chip *make_chip(void) {
    struct kw_sim_chip *chip = trustflex_new();
    if (chip == NULL) {
        fail("making a chip");
    }
    (void)kw_sim_chip_wake(chip);
    return chip;
}

int main(void) {
    static struct bench bench;
    bench.chip = make_chip();
    for (size_t i = 0; i < KEYS; i++) {
        fill_turn(&bench.turns[i]);
    }
    (void)printf("P-256, operations a second   chip      OpenSSL   ratio   "
                 "slices\n");
    measure(&bench, "Sign", chip_sign, openssl_sign);
    measure(&bench, "Verify(External)", chip_verify, openssl_verify);
    for (size_t i = 0; i < KEYS; i++) {
        p256_free(&bench.turns[i].pair);
    }
    kw_sim_chip_free(bench.chip);
    return 0;
}
