/* core/rotate.h: the rotation of the public key in slot 14, once, for host
 * and microcontroller.
 *
 * A bundle says which key replaces which. Before the first change all of it
 * is checked: on the host's side what it says about the chip, and with the
 * chip every signature, so no other cryptography is needed here than
 * SHA-256. The change itself is at the protocol's floor: 12 commands for a
 * validated slot. Where a run stands is read from the chip alone (the three
 * blocks of slot 14, its state nibble, counter 1), so a run can be cut
 * anywhere and started again.
 *
 * Until the chip has answered 00 to Verify(Validate) of the new key, a
 * failure writes the old key back and validates it with its own pair. After
 * that nothing is undone. Counter 1 is stepped up to the bundle's sequence
 * when the new key is proven: it is what keeps an old bundle from being
 * applied again. Reasons: docs/design.md.
 *
 * Source of the sequence: DS40002138A 5.1.10.1 and 5.2.5.3.
 * Knows core/chip.h and core/bundle.h. No heap, no clock. */
#ifndef KW_CORE_ROTATE_H
#define KW_CORE_ROTATE_H

#include "core/bundle.h"
#include "core/chip.h"

#define KW_ROTATE_COUNTER  1   /* the monotonic counter that belongs to us */
#define KW_ROTATE_AHEAD    16u /* steps that one bundle may move it */
#define KW_STORED_KEY_SIZE 72  /* 4 pad, X, 4 pad, Y */

/* The state of the chip that a rotation depends on. */
struct kw_rotate_state {
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t stored[KW_STORED_KEY_SIZE]; /* slot 14, nibble as read */
    bool validated;                     /* nibble is 5 */
    uint32_t counter;
};

enum kw_rotate_position {
    KW_ROTATE_READY,     /* the old key is there, validated */
    KW_ROTATE_WRITING,   /* not valid; old, new or mixed blocks: write */
    KW_ROTATE_VALIDATED, /* the new key is valid: prove it, then count */
    KW_ROTATE_DONE,      /* the new key is valid and counted */
};

/* What has just been achieved. */
enum kw_rotate_step {
    KW_ROTATE_CHECKED,
    KW_ROTATE_INVALIDATED_OLD,
    KW_ROTATE_WRITTEN_NEW,
    KW_ROTATE_VALIDATED_NEW,
    KW_ROTATE_PROVEN_NEW,
    KW_ROTATE_COUNTED,
    KW_ROTATE_RESTORED_OLD, /* after a failure */
};

struct kw_rotate {
    struct kw_chip *chip;
    const struct kw_hash *hash;
    const struct kw_bundle *bundle;
    const uint8_t *signature; /* the authority's, over the bundle */
    /* Told after each step; may be NULL. */
    void (*on_step)(void *observer, enum kw_rotate_step step);
    void *observer;
};

/* Reads the chip: 8 commands. */
KW_MUST_USE kw_status kw_rotate_read_state(struct kw_chip *chip,
                                           struct kw_rotate_state *state);

/* Compares what the bundle says with the chip's state, without the chip.
 * KW_NO_SERIAL, KW_NO_CONFIGURATION, KW_NO_OLD_KEY, KW_NO_OLD_PAIRS,
 * KW_NO_SAME_KEY, KW_NO_SEQUENCE_REPLAYED, KW_NO_SEQUENCE_AHEAD. */
KW_MUST_USE kw_status kw_rotate_locate(const struct kw_rotate *rotate,
                                       const struct kw_rotate_state *state,
                                       enum kw_rotate_position *position);

/* Whether the key in slot 13 signed the bundle. KW_NO_BUNDLE_SIGNATURE. */
KW_MUST_USE kw_status kw_rotate_check_signature(const struct kw_rotate *rotate);

/* The pairs and the proof, each with the chip. KW_NO_NEW_PAIR,
 * KW_NO_OLD_INVALIDATE_PAIR, KW_NO_OLD_VALIDATE_PAIR, KW_NO_PROOF. */
KW_MUST_USE kw_status kw_rotate_check_pairs(
    const struct kw_rotate *rotate, const struct kw_rotate_state *state);

/* The whole job from wherever the chip stands. The position answers where
 * it stood. Changes nothing unless every check passed. */
KW_MUST_USE kw_status kw_rotate_run(const struct kw_rotate *rotate,
                                    enum kw_rotate_position *position);

/* Writes the old key back and validates it with its own pair, if it was
 * validated. KW_NO_ROLLBACK when the new key is validated already. Checks
 * the bundle first. */
KW_MUST_USE kw_status kw_rotate_roll_back(const struct kw_rotate *rotate);

/* The part of a run that changes the slot, for figures: one state read,
 * and for a validated slot 11 more commands. Checks nothing. */
KW_MUST_USE kw_status kw_rotate_change(const struct kw_rotate *rotate,
                                       const struct kw_rotate_state *state);

/* X, Y as a slot stores it. */
void kw_stored_key(const uint8_t key[KW_PUBLIC_KEY_SIZE],
                   uint8_t stored[KW_STORED_KEY_SIZE]);
/* The way back; the pads do not count. False when the slot is blank: FF, or
 * zeros. */
bool kw_stored_key_read(const uint8_t stored[KW_STORED_KEY_SIZE],
                        uint8_t key[KW_PUBLIC_KEY_SIZE]);
/* The validity that the slot's first byte states. */
bool kw_stored_key_is_valid(uint8_t first_byte);

#endif
