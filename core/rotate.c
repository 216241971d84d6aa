#include "core/rotate.h"

#include <string.h>

#include "core/rotate_place.h"

/* --- no single branch decides ---
 *
 * A dip of the supply can make a microcontroller skip an instruction. So each
 * check leaves its mark, where its answer is yes by the status and by the byte
 * that the chip sent, and the change begins only when all marks are there,
 * looked at twice. A mark is a word that no wrong register is likely to hold.
 * It costs one command, the second reading of the counter. tests/skip skips
 * every instruction of a refusal. */

#define PASSED_SIGNATURE      0x1B6D3A95u
#define PASSED_PLACE          0x35C92E67u
#define PASSED_NEW_PAIR       0x4E93B15Du
#define PASSED_OLD_INVALIDATE 0x6A5F1C33u
#define PASSED_OLD_VALIDATE   0x72D48B29u
#define PASSED_PROOF          0x19E7564Bu
#define PASSED_PLACE_AGAIN    0x2D3AC871u

struct passage {
    volatile uint32_t marks; /* the sum of all */
};

static uint32_t marks_needed(const struct kw_bundle *bundle) {
    const uint32_t always = PASSED_SIGNATURE + PASSED_PLACE + PASSED_NEW_PAIR +
                            PASSED_PROOF + PASSED_PLACE_AGAIN;
    return bundle->old_validated
               ? always + PASSED_OLD_INVALIDATE + PASSED_OLD_VALIDATE
               : always;
}

/* Before each change. */
static kw_status all_passed(const struct kw_rotate *rotate,
                            const struct passage *passage) {
    const uint32_t needed = marks_needed(rotate->bundle);
    KW_ENSURE(passage->marks == needed, KW_SYSTEM_SKIPPED);
    KW_ENSURE(passage->marks == needed, KW_SYSTEM_SKIPPED);
    return KW_OK;
}

/* "Does not match", and "no such point on the curve", become the answer no
 * with this reason; every other failure stays what it is. */
static kw_status refusal_means(kw_status status, kw_status reason) {
    const bool refused =
        status == KW_CHIP_MISMATCH || status == KW_CHIP_EXECUTION;
    return refused ? reason : status;
}

/* What a Verify answered; its yes counts once. */
static kw_status verdict(const struct kw_rotate *rotate,
                         struct passage *passage, kw_status status,
                         kw_status reason, uint32_t mark) {
    struct kw_chip *chip = rotate->chip;
    KW_TRY(refusal_means(status, reason));
    KW_ENSURE(chip->answered == KW_OP_VERIFY && chip->answer == 0, reason);
    chip->answered = 0;
    passage->marks += mark;
    return KW_OK;
}

/* --- checks with the chip --- */

static kw_status check_signature(const struct kw_rotate *rotate,
                                 struct passage *passage) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(kw_bundle_digest(rotate->hash, rotate->bundle->payload, digest));
    return verdict(rotate, passage,
                   kw_chip_verify_stored(rotate->chip, KW_AUTHORITY_SLOT,
                                         digest, rotate->signature),
                   KW_NO_BUNDLE_SIGNATURE, PASSED_SIGNATURE);
}

kw_status kw_rotate_check_signature(const struct kw_rotate *rotate) {
    struct passage passage = {0};
    return check_signature(rotate, &passage);
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

    kw_rotate_serial_field(bundle, state, serial);
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

static kw_status check_old_pairs(const struct kw_rotate *rotate,
                                 const struct kw_rotate_state *state,
                                 struct passage *passage) {
    const struct kw_bundle *bundle = rotate->bundle;
    KW_TRY(verdict(rotate, passage,
                   check_pair(rotate, state, bundle->old_key,
                              bundle->old_invalidate, true),
                   KW_NO_OLD_INVALIDATE_PAIR, PASSED_OLD_INVALIDATE));
    return verdict(
        rotate, passage,
        check_pair(rotate, state, bundle->old_key, bundle->old_validate, false),
        KW_NO_OLD_VALIDATE_PAIR, PASSED_OLD_VALIDATE);
}

static kw_status check_pairs(const struct kw_rotate *rotate,
                             const struct kw_rotate_state *state,
                             struct passage *passage) {
    const struct kw_bundle *bundle = rotate->bundle;
    KW_TRY(verdict(
        rotate, passage,
        check_pair(rotate, state, bundle->new_key, bundle->new_validate, false),
        KW_NO_NEW_PAIR, PASSED_NEW_PAIR));
    if (bundle->old_validated) {
        KW_TRY(check_old_pairs(rotate, state, passage));
    }
    KW_TRY(verdict(rotate, passage, check_proof(rotate, state), KW_NO_PROOF,
                   PASSED_PROOF));
    kw_chip_idle(rotate->chip);
    return KW_OK;
}

kw_status kw_rotate_check_pairs(const struct kw_rotate *rotate,
                                const struct kw_rotate_state *state) {
    struct passage passage = {0};
    return check_pairs(rotate, state, &passage);
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
    for (unsigned steps = 0; value < rotate->bundle->sequence; steps++) {
        /* It answers, and does not move. */
        KW_ENSURE(steps < KW_ROTATE_AHEAD, KW_CHIP_READ_BACK);
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
    kw_rotate_old_content(bundle, stored);
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
    const struct kw_rotate_blocks blocks =
        kw_rotate_compare(rotate->bundle, now.stored);
    if (now.validated && blocks.new_count == KW_ROTATE_BLOCKS) {
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
                       enum kw_rotate_position *position,
                       struct passage *passage) {
    enum kw_rotate_position again = KW_ROTATE_DONE;
    KW_TRY(kw_rotate_read_state(rotate->chip, state));
    KW_TRY(check_signature(rotate, passage));
    KW_TRY(kw_rotate_locate(rotate, state, position));
    passage->marks += PASSED_PLACE;
    if (*position != KW_ROTATE_DONE) {
        KW_TRY(check_pairs(rotate, state, passage));
    }
    /* Silicon enforces no sequence: the counter is read a second time. */
    KW_TRY(kw_chip_counter(rotate->chip, KW_ROTATE_COUNTER, &state->counter));
    KW_TRY(kw_rotate_locate(rotate, state, &again));
    KW_ENSURE(again == *position, KW_SYSTEM_SKIPPED);
    passage->marks += PASSED_PLACE_AGAIN;
    tell(rotate, KW_ROTATE_CHECKED);
    return KW_OK;
}

static kw_status run_from(const struct kw_rotate *rotate,
                          const struct kw_rotate_state *state,
                          enum kw_rotate_position position,
                          const struct passage *passage) {
    if (position == KW_ROTATE_DONE) {
        return KW_OK;
    }
    KW_TRY(all_passed(rotate, passage));
    KW_TRY(all_passed(rotate, passage));
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
    struct passage passage = {0};
    enum kw_rotate_position found = KW_ROTATE_READY;
    kw_status status = check(rotate, &state, &found, &passage);
    if (status == KW_OK) {
        *position = found;
        status = run_from(rotate, &state, found, &passage);
    }
    kw_chip_idle(rotate->chip);
    return status;
}

static kw_status roll_back(const struct kw_rotate *rotate) {
    struct kw_rotate_state state;
    struct passage passage = {0};
    enum kw_rotate_position position = KW_ROTATE_READY;
    KW_TRY(check(rotate, &state, &position, &passage));
    if (position == KW_ROTATE_READY) {
        return KW_OK; /* the old key was never left */
    }
    KW_ENSURE(position == KW_ROTATE_WRITING, KW_NO_ROLLBACK);
    KW_TRY(all_passed(rotate, &passage));
    return restore(rotate, &state);
}

kw_status kw_rotate_roll_back(const struct kw_rotate *rotate) {
    const kw_status status = roll_back(rotate);
    kw_chip_idle(rotate->chip);
    return status;
}
