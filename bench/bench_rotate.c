/* bench/bench_rotate.c: what a rotation of a validated slot 14 costs, beside
 * the vendor's sequence on the same emulated chip in the same run.
 *
 * Commands and bytes are counted on the link (packets and response frames;
 * wakes and word addresses are left out on both sides). The time is
 * modelled: the library's execution limits at the fastest clock, which are
 * the only published ones ("library limits"). It says what a real part may
 * take at most, not what it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "bench/p256.h"
#include "bench/trustflex.h"
#include "core/rotate.h"
#include "core/sha256.h"

#define READ_BLOCKS 3u /* of a slot of 72 bytes */

/* --- a link that counts ------------------------------------------------------
 */

struct cost {
    unsigned commands;
    unsigned bytes;
    unsigned milliseconds;
};

struct counter {
    struct kw_sim_chip *chip;
    struct cost cost;
};

/* CryptoAuthLib's limits, clock divider M0. */
static const struct limit {
    uint8_t opcode;
    uint8_t milliseconds;
} LIMITS[] = {
    {KW_OP_READ, 5},     {KW_OP_WRITE, 45},   {KW_OP_NONCE, 20},
    {KW_OP_GENKEY, 115}, {KW_OP_VERIFY, 105}, {KW_OP_COUNTER, 25},
};

static void fail(const char *what) {
    (void)fprintf(stderr, "bench_rotate: %s failed\n", what);
    exit(1);
}

static unsigned limit_of(uint8_t opcode) {
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        if (LIMITS[i].opcode == opcode) {
            return LIMITS[i].milliseconds;
        }
    }
    fail("finding a command's limit");
    return 0;
}

static kw_status wake(void *self) {
    const struct counter *counter = self;
    (void)kw_sim_chip_wake(counter->chip);
    return KW_OK;
}

static kw_status idle(void *self) {
    const struct counter *counter = self;
    kw_sim_chip_idle(counter->chip);
    return KW_OK;
}

static kw_status put_to_sleep(void *self) {
    const struct counter *counter = self;
    kw_sim_chip_sleep(counter->chip);
    return KW_OK;
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct counter *counter = self;
    KW_ENSURE(capacity >= KW_RESPONSE_MAX, KW_PARSE_SIZE);
    *response_size =
        kw_sim_chip_execute(counter->chip, packet, packet_size, response);
    counter->cost.commands++;
    counter->cost.bytes += (unsigned)(packet_size + *response_size);
    counter->cost.milliseconds += limit_of(packet[1]);
    return *response_size > 0 ? KW_OK : KW_ABSENT_ANSWER;
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       NULL};

/* --- the bench --- */

struct bench {
    struct counter counter;
    struct kw_chip chip;
    struct kw_rotate_state state;
    struct p256 authority;
};

static void must(kw_status status, const char *what) {
    if (status != KW_OK) {
        (void)fprintf(stderr, "bench_rotate: %s: %s\n", what,
                      kw_status_text(status));
        exit(1);
    }
}

/* What has been counted since the last time. */
static struct cost take_cost(struct bench *bench) {
    const struct cost cost = bench->counter.cost;
    bench->counter.cost = (struct cost){0, 0, 0};
    return cost;
}

static void show(const char *name, struct cost cost) {
    (void)printf("%-48s %8u %8u %8u\n", name, cost.commands, cost.bytes,
                 cost.milliseconds);
}

static struct cost sum(struct cost left, struct cost right) {
    return (struct cost){left.commands + right.commands,
                         left.bytes + right.bytes,
                         left.milliseconds + right.milliseconds};
}

/* --- what the authority makes --- */

static void make_pair(struct bench *bench, const struct p256 *key,
                      bool invalidate, uint8_t pair[KW_PAIR_SIZE],
                      uint8_t other[KW_OTHER_DATA_SIZE]) {
    const struct kw_pair_about about = {
        .serial = bench->state.serial,
        .configuration = kw_configuration_of(bench->state.config),
        .key = key->public_key,
        .nonce = pair,
        .invalidate = invalidate,
    };
    uint8_t digest[KW_SHA256_SIZE];
    if (RAND_bytes(pair, KW_NONCE_SIZE) != 1) {
        fail("OpenSSL");
    }
    must(kw_pair_digest(&kw_sha256_hash, &about, digest, other), "a pair");
    if (!p256_sign(&bench->authority, digest, pair + KW_NONCE_SIZE)) {
        fail("OpenSSL");
    }
}

/* A bundle and what its pointers point to. */
struct parcel {
    struct kw_bundle bundle;
    uint8_t configuration_digest[KW_SHA256_SIZE];
    uint8_t old_invalidate[KW_PAIR_SIZE];
    uint8_t old_validate[KW_PAIR_SIZE];
    uint8_t new_validate[KW_PAIR_SIZE];
    uint8_t proof_digest[KW_SHA256_SIZE];
    uint8_t proof[KW_SIGNATURE_SIZE];
    uint8_t payload[KW_BUNDLE_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
};

static void prove(struct bench *bench, const struct p256 *old_key,
                  struct p256 *new_key, struct parcel *parcel) {
    const struct kw_configuration configuration =
        kw_configuration_of(bench->state.config);
    const struct kw_proof proof = {
        .names_serial = true,
        .serial = bench->state.serial,
        .configuration_digest = parcel->configuration_digest,
        .old_key = old_key->public_key,
        .new_key = new_key->public_key,
    };
    must(kw_configuration_digest(&kw_sha256_hash, &configuration,
                                 parcel->configuration_digest),
         "a digest");
    must(kw_proof_digest(&kw_sha256_hash, &proof, parcel->proof_digest),
         "a proof");
    if (!p256_sign(new_key, parcel->proof_digest, parcel->proof)) {
        fail("OpenSSL");
    }
}

static void sign_parcel(struct bench *bench, struct parcel *parcel) {
    uint8_t digest[KW_SHA256_SIZE];
    kw_bundle_encode(&parcel->bundle, parcel->payload);
    must(kw_bundle_decode(parcel->payload, KW_BUNDLE_SIZE, &parcel->bundle),
         "a bundle");
    must(kw_bundle_digest(&kw_sha256_hash, parcel->payload, digest),
         "a digest");
    if (!p256_sign(&bench->authority, digest, parcel->signature)) {
        fail("OpenSSL");
    }
}

static void make_parcel(struct bench *bench, const struct p256 *old_key,
                        struct p256 *new_key, struct parcel *parcel) {
    uint8_t other[KW_OTHER_DATA_SIZE];
    prove(bench, old_key, new_key, parcel);
    make_pair(bench, old_key, true, parcel->old_invalidate, other);
    make_pair(bench, old_key, false, parcel->old_validate, other);
    make_pair(bench, new_key, false, parcel->new_validate, other);
    parcel->bundle = (struct kw_bundle){
        .names_serial = true,
        .has_old_key = true,
        .old_validated = true,
        .sequence = bench->state.counter + 1,
        .serial = bench->state.serial,
        .configuration_digest = parcel->configuration_digest,
        .old_key = old_key->public_key,
        .old_invalidate = parcel->old_invalidate,
        .old_validate = parcel->old_validate,
        .new_key = new_key->public_key,
        .new_validate = parcel->new_validate,
        .proof = parcel->proof,
    };
    sign_parcel(bench, parcel);
}

/* --- ours --- */

struct ours {
    struct cost change;
    struct cost before;
    struct cost after;
};

/* The parts of kw_rotate_run one by one. */
static struct ours rotate_in_parts(struct bench *bench,
                                   const struct p256 *old_key,
                                   struct p256 *new_key) {
    struct parcel parcel = {.proof = {0}};
    struct ours ours;
    uint32_t count = 0;
    make_parcel(bench, old_key, new_key, &parcel);
    const struct kw_rotate rotate = {
        .chip = &bench->chip,
        .hash = &kw_sha256_hash,
        .bundle = &parcel.bundle,
        .signature = parcel.signature,
    };
    (void)take_cost(bench);
    must(kw_rotate_read_state(&bench->chip, &bench->state), "reading");
    must(kw_rotate_check_signature(&rotate), "checking the bundle");
    must(kw_rotate_check_pairs(&rotate, &bench->state), "checking the pairs");
    must(kw_chip_counter(&bench->chip, KW_ROTATE_COUNTER, &count), "reading");
    ours.before = take_cost(bench);
    must(kw_rotate_change(&rotate, &bench->state), "the change");
    must(kw_chip_verify_stored(&bench->chip, KW_ROTATING_SLOT,
                               parcel.proof_digest, parcel.proof),
         "the proof");
    ours.change = take_cost(bench);
    must(kw_chip_counter(&bench->chip, KW_ROTATE_COUNTER, &count), "reading");
    must(kw_chip_count(&bench->chip, KW_ROTATE_COUNTER, &count), "counting");
    ours.after = take_cost(bench);
    must(kw_rotate_read_state(&bench->chip, &bench->state), "reading");
    return ours;
}

static struct cost rotate_whole(struct bench *bench, const struct p256 *old_key,
                                struct p256 *new_key) {
    struct parcel parcel = {.proof = {0}};
    enum kw_rotate_position position = KW_ROTATE_DONE;
    make_parcel(bench, old_key, new_key, &parcel);
    const struct kw_rotate rotate = {
        .chip = &bench->chip,
        .hash = &kw_sha256_hash,
        .bundle = &parcel.bundle,
        .signature = parcel.signature,
    };
    (void)take_cost(bench);
    must(kw_rotate_run(&rotate, &position), "the rotation");
    return take_cost(bench);
}

/* --- the vendor's --- */

/* The notebooks' order for each change of validity: the stored key and the
 * whole configuration are read first. */
static void change_like_vendor(struct bench *bench, const struct p256 *key,
                               bool invalidate) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t pair[KW_PAIR_SIZE];
    uint8_t other[KW_OTHER_DATA_SIZE];
    make_pair(bench, key, invalidate, pair, other);
    const struct kw_validation validation = {
        .slot = KW_ROTATING_SLOT,
        .invalidate = invalidate,
        .nonce = pair,
        .signature = pair + KW_NONCE_SIZE,
        .other = other,
    };
    must(kw_chip_read_slot(&bench->chip, KW_ROTATING_SLOT, stored,
                           sizeof stored),
         "reading the key");
    must(kw_chip_read_config(&bench->chip, config), "reading");
    must(kw_chip_validate(&bench->chip, &validation), "Verify");
}

/* Its invalidate pair fits the key in the chip, as the notebook signs it;
 * the vendor's header holds one for the new key instead. */
static struct cost rotate_like_vendor(struct bench *bench,
                                      const struct p256 *old_key,
                                      struct p256 *new_key) {
    uint8_t word[KW_WORD_SIZE];
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t digest[KW_SHA256_SIZE] = {0};
    uint8_t signature[KW_SIGNATURE_SIZE];
    if (!p256_sign(new_key, digest, signature)) {
        fail("OpenSSL");
    }
    (void)take_cost(bench);
    must(kw_chip_read(&bench->chip, KW_ZONE_DATA, KW_ROTATING_SLOT, 0, 0, word,
                      sizeof word),
         "reading the state");
    if (kw_stored_key_is_valid(word[0])) {
        change_like_vendor(bench, old_key, true);
    }
    kw_stored_key(new_key->public_key, stored);
    must(kw_chip_write_slot(&bench->chip, KW_ROTATING_SLOT, stored,
                            sizeof stored),
         "writing");
    change_like_vendor(bench, new_key, false);
    must(kw_chip_verify_stored(&bench->chip, KW_ROTATING_SLOT, digest,
                               signature),
         "verifying");
    return take_cost(bench);
}

/* --- setting up --- */

static struct kw_sim_chip *make_chip(void) {
    struct kw_sim_chip *chip = trustflex_new();
    if (chip == NULL) {
        fail("making a chip");
    }
    return chip;
}

/* A chip with an authority in slot 13 and a validated first key. */
static void set_up(struct bench *bench, struct p256 *first) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    bench->counter.chip = make_chip();
    kw_chip_init(&bench->chip, (struct kw_link){&OPS, &bench->counter});
    if (!p256_make(&bench->authority)) {
        fail("OpenSSL");
    }
    kw_stored_key(bench->authority.public_key, stored);
    must(kw_chip_write_slot(&bench->chip, KW_AUTHORITY_SLOT, stored,
                            sizeof stored),
         "writing the authority");
    must(kw_rotate_read_state(&bench->chip, &bench->state), "reading");
    (void)rotate_like_vendor(bench, first, first);
    must(kw_rotate_read_state(&bench->chip, &bench->state), "reading");
}

#define KEYS 4

static const char NOTES[] =
    "(a) needs 12 at least: a state read; Nonce, GenKey, Verify to leave the "
    "old key;\n"
    "    three writes; Nonce, GenKey, Verify to validate; Nonce, Verify to "
    "prove.\n"
    "Bytes are packets and response frames. (*) The longest that the "
    "vendor's\n"
    "library allows each command at the chip's fastest clock: modelled, not "
    "measured.\n";

static void run(struct bench *bench, struct p256 keys[KEYS]) {
    set_up(bench, &keys[0]);
    const struct ours ours = rotate_in_parts(bench, &keys[0], &keys[1]);
    const struct cost vendor = rotate_like_vendor(bench, &keys[1], &keys[2]);
    const struct cost whole = rotate_whole(bench, &keys[2], &keys[3]);
    const struct cost parts = sum(sum(ours.change, ours.before), ours.after);
    (void)printf("%-48s %8s %8s %8s\n", "rotation of a validated slot 14",
                 "commands", "bytes", "ms (*)");
    show("(a) the change, and the new key's proof", ours.change);
    show("(b) the checks before it", ours.before);
    show("(c) counter 1 after it", ours.after);
    show("    a whole run: (a) + (b) + (c)", parts);
    show("(d) the vendor's sequence, which checks nothing", vendor);
    (void)printf("%s", NOTES);
    if (memcmp(&parts, &whole, sizeof parts) != 0) {
        show("    a run in one piece", whole);
        fail("adding up the parts");
    }
}

int main(void) {
    struct bench bench = {.counter = {.chip = NULL}};
    struct p256 keys[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        if (!p256_make(&keys[i])) {
            fail("OpenSSL");
        }
    }
    run(&bench, keys);
    for (size_t i = 0; i < KEYS; i++) {
        p256_free(&keys[i]);
    }
    p256_free(&bench.authority);
    kw_sim_chip_free(bench.counter.chip);
    return 0;
}
