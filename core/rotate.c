#include "core/rotate.h"

#include <string.h>

#include "core/bytes.h"

#define BLOCKS       3u
#define STATE_NIBBLE 0xF0u
#define STATE_VALID  0x50u
#define BLANK        0xFFu

/* --- stored keys --- */

void kw_stored_key(const uint8_t key[KW_PUBLIC_KEY_SIZE],
                   uint8_t stored[KW_STORED_KEY_SIZE]) {
    memset(stored, 0, KW_STORED_KEY_SIZE);
    memcpy(stored + 4, key, 32);
    memcpy(stored + 40, key + 32, 32);
}

bool kw_stored_key_is_valid(uint8_t first_byte) {
    return (first_byte & STATE_NIBBLE) == STATE_VALID;
}

/* Four bytes before X and four before Y: validity and nothing else. */
static void drop_pads(uint8_t stored[KW_STORED_KEY_SIZE]) {
    memset(stored, 0, 4);
    memset(stored + 36, 0, 4);
}

/* As it leaves the vendor, or zeroised at the end of its life. */
static bool is_blank(const uint8_t stored[KW_STORED_KEY_SIZE]) {
    const uint8_t fill = stored[4];
    return (fill == BLANK || fill == 0) && kw_all_bytes(stored + 4, 32, fill) &&
           kw_all_bytes(stored + 40, 32, fill);
}

bool kw_stored_key_read(const uint8_t stored[KW_STORED_KEY_SIZE],
                        uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    if (is_blank(stored)) {
        return false;
    }
    memcpy(key, stored + 4, 32);
    memcpy(key + 32, stored + 40, 32);
    return true;
}

/* The slot's content before the rotation, as it is written back. */
static void old_content(const struct kw_bundle *bundle,
                        uint8_t stored[KW_STORED_KEY_SIZE]) {
    if (bundle->has_old_key) {
        kw_stored_key(bundle->old_key, stored);
    } else {
        memset(stored, BLANK, KW_STORED_KEY_SIZE);
    }
}

/* --- where a run stands --- */

kw_status kw_rotate_read_state(struct kw_chip *chip,
                               struct kw_rotate_state *state) {
    KW_TRY(kw_chip_read_config(chip, state->config));
    KW_TRY(kw_chip_read_slot(chip, KW_ROTATING_SLOT, state->stored,
                             KW_STORED_KEY_SIZE));
    KW_TRY(kw_chip_counter(chip, KW_ROTATE_COUNTER, &state->counter));
    kw_config_serial(state->config, state->serial);
    state->validated = kw_stored_key_is_valid(state->stored[0]);
    return KW_OK;
}

static bool block_equals(const uint8_t left[KW_STORED_KEY_SIZE],
                         const uint8_t right[KW_STORED_KEY_SIZE],
                         unsigned block) {
    const size_t at = block * KW_BLOCK_SIZE;
    const size_t left_over = KW_STORED_KEY_SIZE - at;
    const size_t size = left_over < KW_BLOCK_SIZE ? left_over : KW_BLOCK_SIZE;
    return memcmp(left + at, right + at, size) == 0;
}

/* How many blocks hold this content, and whether each holds one of both. */
struct blocks {
    unsigned old_count;
    unsigned new_count;
    bool foreign;
};

/* Without an old key the slot was blank: FF, or zeros. */
static bool holds_old(const struct kw_bundle *bundle,
                      const uint8_t stored[KW_STORED_KEY_SIZE],
                      unsigned block) {
    static const uint8_t zeros[KW_STORED_KEY_SIZE];
    uint8_t old_stored[KW_STORED_KEY_SIZE];
    old_content(bundle, old_stored);
    drop_pads(old_stored);
    return block_equals(stored, old_stored, block) ||
           (!bundle->has_old_key && block_equals(stored, zeros, block));
}

static struct blocks compare_blocks(const struct kw_bundle *bundle,
                                    const uint8_t stored[KW_STORED_KEY_SIZE]) {
    uint8_t found[KW_STORED_KEY_SIZE];
    uint8_t new_stored[KW_STORED_KEY_SIZE];
    struct blocks blocks = {0, 0, false};
    kw_stored_key(bundle->new_key, new_stored);
    memcpy(found, stored, sizeof found);
    drop_pads(found);
    for (unsigned i = 0; i < BLOCKS; i++) {
        const bool is_old = holds_old(bundle, found, i);
        const bool is_new = block_equals(found, new_stored, i);
        blocks.old_count += is_old ? 1 : 0;
        blocks.new_count += is_new ? 1 : 0;
        blocks.foreign = blocks.foreign || (!is_old && !is_new);
    }
    return blocks;
}

static kw_status check_sequence(uint32_t sequence, uint32_t counter) {
    KW_ENSURE(sequence > counter, KW_NO_SEQUENCE_REPLAYED);
    KW_ENSURE(sequence - counter <= KW_ROTATE_AHEAD, KW_NO_SEQUENCE_AHEAD);
    return KW_OK;
}

static kw_status locate_slot(const struct kw_bundle *bundle,
                             const struct kw_rotate_state *state,
                             enum kw_rotate_position *position) {
    const struct blocks blocks = compare_blocks(bundle, state->stored);
    if (state->validated && blocks.new_count == BLOCKS) {
        *position = bundle->sequence == state->counter ? KW_ROTATE_DONE
                                                       : KW_ROTATE_VALIDATED;
        return KW_OK;
    }
    if (state->validated) {
        KW_ENSURE(blocks.old_count == BLOCKS, KW_NO_OLD_KEY);
        KW_ENSURE(bundle->old_validated, KW_NO_OLD_PAIRS);
        *position = KW_ROTATE_READY;
        return KW_OK;
    }
    KW_ENSURE(!blocks.foreign, KW_NO_OLD_KEY);
    *position = KW_ROTATE_WRITING;
    return KW_OK;
}

/* The serial field that the bundle must have on this chip. */
static void serial_field(const struct kw_bundle *bundle,
                         const struct kw_rotate_state *state,
                         uint8_t serial[KW_SERIAL_SIZE]) {
    memcpy(serial, state->serial, KW_SERIAL_SIZE);
    if (!bundle->names_serial) {
        kw_serial_of_fleet(state->serial, serial);
    }
}

static kw_status check_identity(const struct kw_rotate *rotate,
                                const struct kw_rotate_state *state) {
    const struct kw_bundle *bundle = rotate->bundle;
    const struct kw_configuration configuration =
        kw_configuration_of(state->config);
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t digest[KW_SHA256_SIZE];

    serial_field(bundle, state, serial);
    KW_ENSURE(memcmp(serial, bundle->serial, sizeof serial) == 0, KW_NO_SERIAL);
    KW_TRY(kw_configuration_digest(rotate->hash, &configuration, digest));
    KW_ENSURE(memcmp(digest, bundle->configuration_digest, sizeof digest) == 0,
              KW_NO_CONFIGURATION);
    KW_ENSURE(!bundle->has_old_key || memcmp(bundle->old_key, bundle->new_key,
                                             KW_PUBLIC_KEY_SIZE) != 0,
              KW_NO_SAME_KEY);
    return KW_OK;
}

kw_status kw_rotate_locate(const struct kw_rotate *rotate,
                           const struct kw_rotate_state *state,
                           enum kw_rotate_position *position) {
    enum kw_rotate_position found = KW_ROTATE_READY;
    KW_TRY(check_identity(rotate, state));
    const kw_status status = locate_slot(rotate->bundle, state, &found);
    /* A bundle of the past names a key that has gone since: replay is the
     * better word for it than another key. */
    if (status != KW_OK || found != KW_ROTATE_DONE) {
        KW_TRY(check_sequence(rotate->bundle->sequence, state->counter));
    }
    KW_TRY(status);
    *position = found;
    return KW_OK;
}

/* --- checks with the chip --- */

/* "Does not match", and "no such point on the curve", become the answer no
 * with this reason; every other failure stays what it is. */
static kw_status refusal_means(kw_status status, kw_status reason) {
    const bool refused =
        status == KW_CHIP_MISMATCH || status == KW_CHIP_EXECUTION;
    return refused ? reason : status;
}

kw_status kw_rotate_check_signature(const struct kw_rotate *rotate) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(kw_bundle_digest(rotate->hash, rotate->bundle->payload, digest));
    return refusal_means(kw_chip_verify_stored(rotate->chip, KW_AUTHORITY_SLOT,
                                               digest, rotate->signature),
                         KW_NO_BUNDLE_SIGNATURE);
}

static kw_status pair_digest(const struct kw_rotate *rotate,
                             const struct kw_rotate_state *state,
                             const uint8_t *key, const uint8_t *pair,
                             bool invalidate, uint8_t digest[KW_SHA256_SIZE],
                             uint8_t other[KW_OTHER_DATA_SIZE]) {
    const struct kw_pair_about about = {
        .serial = state->serial,
        .configuration = kw_configuration_of(state->config),
        .key = key,
        .nonce = pair,
        .invalidate = invalidate,
    };
    return kw_pair_digest(rotate->hash, &about, digest, other);
}

static kw_status check_pair(const struct kw_rotate *rotate,
                            const struct kw_rotate_state *state,
                            const uint8_t *key, const uint8_t *pair,
                            bool invalidate) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t other[KW_OTHER_DATA_SIZE];
    KW_TRY(pair_digest(rotate, state, key, pair, invalidate, digest, other));
    return kw_chip_verify_stored(rotate->chip, KW_AUTHORITY_SLOT, digest,
                                 pair + KW_NONCE_SIZE);
}

static kw_status proof_digest(const struct kw_rotate *rotate,
                              const struct kw_rotate_state *state,
                              uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_bundle *bundle = rotate->bundle;
    const struct kw_configuration configuration =
        kw_configuration_of(state->config);
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t configuration_digest[KW_SHA256_SIZE];

    serial_field(bundle, state, serial);
    KW_TRY(kw_configuration_digest(rotate->hash, &configuration,
                                   configuration_digest));
    const struct kw_proof proof = {
        .names_serial = bundle->names_serial,
        .serial = serial,
        .configuration_digest = configuration_digest,
        .old_key = bundle->has_old_key ? bundle->old_key : NULL,
        .new_key = bundle->new_key,
    };
    return kw_proof_digest(rotate->hash, &proof, digest);
}

static kw_status check_proof(const struct kw_rotate *rotate,
                             const struct kw_rotate_state *state) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(proof_digest(rotate, state, digest));
    return kw_chip_verify_external(rotate->chip, rotate->bundle->new_key,
                                   digest, rotate->bundle->proof);
}

kw_status kw_rotate_check_pairs(const struct kw_rotate *rotate,
                                const struct kw_rotate_state *state) {
    const struct kw_bundle *bundle = rotate->bundle;
    KW_TRY(refusal_means(
        check_pair(rotate, state, bundle->new_key, bundle->new_validate, false),
        KW_NO_NEW_PAIR));
    if (bundle->old_validated) {
        KW_TRY(refusal_means(check_pair(rotate, state, bundle->old_key,
                                        bundle->old_invalidate, true),
                             KW_NO_OLD_INVALIDATE_PAIR));
        KW_TRY(refusal_means(check_pair(rotate, state, bundle->old_key,
                                        bundle->old_validate, false),
                             KW_NO_OLD_VALIDATE_PAIR));
    }
    KW_TRY(refusal_means(check_proof(rotate, state), KW_NO_PROOF));
    kw_chip_idle(rotate->chip);
    return KW_OK;
}

/* --- the change --- */

static void tell(const struct kw_rotate *rotate, enum kw_rotate_step step) {
    kw_chip_idle(rotate->chip);
    if (rotate->on_step != NULL) {
        rotate->on_step(rotate->observer, step);
    }
}

static kw_status use_pair(const struct kw_rotate *rotate,
                          const struct kw_rotate_state *state,
                          const uint8_t *key, const uint8_t *pair,
                          bool invalidate) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t other[KW_OTHER_DATA_SIZE];
    KW_TRY(pair_digest(rotate, state, key, pair, invalidate, digest, other));
    const struct kw_validation validation = {
        .slot = KW_ROTATING_SLOT,
        .invalidate = invalidate,
        .nonce = pair,
        .signature = pair + KW_NONCE_SIZE,
        .other = other,
    };
    return kw_chip_validate(rotate->chip, &validation);
}

static kw_status read_validity(const struct kw_rotate *rotate, bool *valid) {
    uint8_t word[KW_WORD_SIZE];
    KW_TRY(kw_chip_read(rotate->chip, KW_ZONE_DATA, KW_ROTATING_SLOT, 0, 0,
                        word, sizeof word));
    *valid = kw_stored_key_is_valid(word[0]);
    return KW_OK;
}

kw_status kw_rotate_change(const struct kw_rotate *rotate,
                           const struct kw_rotate_state *state) {
    const struct kw_bundle *bundle = rotate->bundle;
    uint8_t stored[KW_STORED_KEY_SIZE];
    bool valid = false;

    KW_TRY(read_validity(rotate, &valid));
    if (valid) {
        KW_TRY(use_pair(rotate, state, bundle->old_key, bundle->old_invalidate,
                        true));
        tell(rotate, KW_ROTATE_INVALIDATED_OLD);
    }
    kw_stored_key(bundle->new_key, stored);
    KW_TRY(kw_chip_write_slot(rotate->chip, KW_ROTATING_SLOT, stored,
                              sizeof stored));
    tell(rotate, KW_ROTATE_WRITTEN_NEW);
    KW_TRY(
        use_pair(rotate, state, bundle->new_key, bundle->new_validate, false));
    tell(rotate, KW_ROTATE_VALIDATED_NEW);
    return KW_OK;
}

static kw_status prove(const struct kw_rotate *rotate,
                       const struct kw_rotate_state *state) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(proof_digest(rotate, state, digest));
    KW_TRY(refusal_means(kw_chip_verify_stored(rotate->chip, KW_ROTATING_SLOT,
                                               digest, rotate->bundle->proof),
                         KW_CHIP_PROOF));
    tell(rotate, KW_ROTATE_PROVEN_NEW);
    return KW_OK;
}

static kw_status count_up(const struct kw_rotate *rotate) {
    uint32_t value = 0;
    KW_TRY(kw_chip_counter(rotate->chip, KW_ROTATE_COUNTER, &value));
    while (value < rotate->bundle->sequence) {
        KW_TRY(kw_chip_count(rotate->chip, KW_ROTATE_COUNTER, &value));
    }
    tell(rotate, KW_ROTATE_COUNTED);
    return KW_OK;
}

/* The proof is repeated once before it counts as failed. */
static kw_status finish(const struct kw_rotate *rotate,
                        const struct kw_rotate_state *state) {
    if (prove(rotate, state) != KW_OK) {
        KW_TRY(prove(rotate, state));
    }
    return count_up(rotate);
}

static kw_status restore(const struct kw_rotate *rotate,
                         const struct kw_rotate_state *state) {
    const struct kw_bundle *bundle = rotate->bundle;
    uint8_t stored[KW_STORED_KEY_SIZE];
    old_content(bundle, stored);
    KW_TRY(kw_chip_write_slot(rotate->chip, KW_ROTATING_SLOT, stored,
                              sizeof stored));
    if (bundle->old_validated) {
        KW_TRY(use_pair(rotate, state, bundle->old_key, bundle->old_validate,
                        false));
    }
    tell(rotate, KW_ROTATE_RESTORED_OLD);
    return KW_OK;
}

/* A change failed. The chip says how far it came: an answer may have been
 * lost on the way. When the chip cannot be asked, or the user stopped the
 * run, things stay as they are for the next run. */
static kw_status recover(const struct kw_rotate *rotate, kw_status failure) {
    struct kw_rotate_state now;
    if (kw_status_class(failure) == KW_CLASS_INTERRUPTED ||
        kw_rotate_read_state(rotate->chip, &now) != KW_OK) {
        return failure;
    }
    const struct blocks blocks = compare_blocks(rotate->bundle, now.stored);
    if (now.validated && blocks.new_count == BLOCKS) {
        tell(rotate, KW_ROTATE_VALIDATED_NEW);
        return finish(rotate, &now);
    }
    if (!now.validated) {
        (void)restore(rotate, &now);
    }
    return failure;
}

static kw_status check(const struct kw_rotate *rotate,
                       struct kw_rotate_state *state,
                       enum kw_rotate_position *position) {
    KW_TRY(kw_rotate_read_state(rotate->chip, state));
    KW_TRY(kw_rotate_check_signature(rotate));
    KW_TRY(kw_rotate_locate(rotate, state, position));
    if (*position != KW_ROTATE_DONE) {
        KW_TRY(kw_rotate_check_pairs(rotate, state));
    }
    tell(rotate, KW_ROTATE_CHECKED);
    return KW_OK;
}

static kw_status run_from(const struct kw_rotate *rotate,
                          const struct kw_rotate_state *state,
                          enum kw_rotate_position position) {
    if (position == KW_ROTATE_DONE) {
        return KW_OK;
    }
    if (position != KW_ROTATE_VALIDATED) {
        const kw_status status = kw_rotate_change(rotate, state);
        if (status != KW_OK) {
            return recover(rotate, status);
        }
    }
    return finish(rotate, state);
}

kw_status kw_rotate_run(const struct kw_rotate *rotate,
                        enum kw_rotate_position *position) {
    struct kw_rotate_state state;
    enum kw_rotate_position found = KW_ROTATE_READY;
    kw_status status = check(rotate, &state, &found);
    if (status == KW_OK) {
        *position = found;
        status = run_from(rotate, &state, found);
    }
    kw_chip_idle(rotate->chip);
    return status;
}

static kw_status roll_back(const struct kw_rotate *rotate) {
    struct kw_rotate_state state;
    enum kw_rotate_position position = KW_ROTATE_READY;
    KW_TRY(check(rotate, &state, &position));
    if (position == KW_ROTATE_READY) {
        return KW_OK; /* the old key was never left */
    }
    KW_ENSURE(position == KW_ROTATE_WRITING, KW_NO_ROLLBACK);
    return restore(rotate, &state);
}

kw_status kw_rotate_roll_back(const struct kw_rotate *rotate) {
    const kw_status status = roll_back(rotate);
    kw_chip_idle(rotate->chip);
    return status;
}
