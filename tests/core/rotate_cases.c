/* The rotation of core/rotate.c against the tiny chip.
 *
 * What the signatures and messages must be is tested elsewhere against the
 * emulated chip; this is the order of steps, and what happens when one fails,
 * on the target's own processor. */
#include <string.h>

#include "core/rotate.h"
#include "tests/core/cases.h"
#include "tests/core/tiny_chip.h"

/* --- the cases --- */

static struct kw_tiny_scene scene;

static kw_status run(struct kw_tiny_scene *with,
                     enum kw_rotate_position *position) {
    with->tiny.gone = false;
    return kw_rotate_run(&with->rotate, position);
}

static const char *rotates_a_validated_key(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_READY);
    KW_CHECK(kw_tiny_holds(&scene, scene.new_key, true));
    KW_CHECK(scene.tiny.counter == KW_TINY_SEQUENCE);
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_DONE);
    return NULL;
}

static const char *changes_in_ten_commands(void) {
    struct kw_rotate_state state;
    KW_CHECK(kw_tiny_set(&scene));
    KW_CHECK(kw_rotate_read_state(&scene.chip, &state) == KW_OK);
    scene.tiny.transfers = 0;
    KW_CHECK(kw_rotate_change(&scene.rotate, &state) == KW_OK);
    /* One state read, 3 to invalidate, 3 writes, 3 to validate; the proof
     * takes two more. */
    KW_CHECK(scene.tiny.transfers == 10);
    return NULL;
}

static const char *starts_from_a_blank_slot(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    memset(scene.tiny.slot, 0xFF, sizeof scene.tiny.slot);
    scene.content.has_old_key = false;
    scene.content.old_validated = false;
    KW_CHECK(kw_tiny_encode(&scene));
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_WRITING);
    KW_CHECK(kw_tiny_holds(&scene, scene.new_key, true));
    return NULL;
}

static const char *finishes_mixed_blocks(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    uint8_t stored[KW_STORED_KEY_SIZE];
    KW_CHECK(kw_tiny_set(&scene));
    kw_stored_key(scene.new_key, stored);
    memcpy(scene.tiny.slot + 32, stored + 32, 32);
    scene.tiny.slot[0] = 0xA0;
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_WRITING);
    KW_CHECK(kw_tiny_holds(&scene, scene.new_key, true));
    return NULL;
}

static const char *refuses_before_it_changes(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.config[5] ^= 1; /* the revision is not bound */
    scene.tiny.config[2] ^= 1; /* the serial is */
    KW_CHECK(run(&scene, &position) == KW_NO_SERIAL);
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.config[KW_CONFIG_SLOT_CONFIG] ^= 1;
    KW_CHECK(run(&scene, &position) == KW_NO_CONFIGURATION);
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.slot[40] ^= 1;
    KW_CHECK(run(&scene, &position) == KW_NO_OLD_KEY);
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.counter = KW_TINY_SEQUENCE;
    KW_CHECK(run(&scene, &position) == KW_NO_SEQUENCE_REPLAYED);
    KW_CHECK(kw_tiny_set(&scene));
    scene.content.sequence = KW_TINY_SEQUENCE - 1 + KW_ROTATE_AHEAD + 1;
    KW_CHECK(kw_tiny_encode(&scene));
    KW_CHECK(run(&scene, &position) == KW_NO_SEQUENCE_AHEAD);
    KW_CHECK(kw_tiny_holds(&scene, scene.old_key, true));
    return NULL;
}

static const char *refuses_a_validated_key_without_pairs(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    scene.content.old_validated = false;
    KW_CHECK(kw_tiny_encode(&scene));
    KW_CHECK(run(&scene, &position) == KW_NO_OLD_PAIRS);
    KW_CHECK(kw_tiny_holds(&scene, scene.old_key, true));
    return NULL;
}

static const char *refuses_a_bad_signature(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.bad_parameter = 0x20; /* Verify(Stored): the bundle's first */
    scene.tiny.bad_left = 1;
    KW_CHECK(run(&scene, &position) == KW_NO_BUNDLE_SIGNATURE);
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.bad_parameter = 0x22; /* Verify(External): the proof */
    scene.tiny.bad_left = 1;
    KW_CHECK(run(&scene, &position) == KW_NO_PROOF);
    KW_CHECK(kw_tiny_holds(&scene, scene.old_key, true));
    return NULL;
}

static const char *writes_the_old_key_back(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.bad_parameter = 0x03; /* Verify(Validate) */
    scene.tiny.bad_left = 1;
    KW_CHECK(run(&scene, &position) == KW_CHIP_MISMATCH);
    KW_CHECK(kw_tiny_holds(&scene, scene.old_key, true));
    KW_CHECK(scene.tiny.counter == KW_TINY_SEQUENCE - 1);
    return NULL;
}

/* How many transfers an undisturbed run takes. */
static unsigned count_transfers(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    const bool done =
        kw_tiny_set(&scene) && kw_rotate_run(&scene.rotate, &position) == KW_OK;
    return done ? scene.tiny.transfers : 0;
}

/* Whatever fails wherever: afterwards the slot holds the whole old or the
 * whole new key or is not valid, the counter has not passed the sequence,
 * and the same bundle finishes the job. */
static const char *fail_everywhere(enum kw_tiny_fault fault) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    const unsigned transfers = count_transfers();
    KW_CHECK(transfers > 20);
    for (unsigned at = 1; at <= transfers; at++) {
        KW_CHECK(kw_tiny_set(&scene));
        scene.tiny.fault_at = at;
        scene.tiny.fault = fault;
        (void)!run(&scene, &position);
        KW_CHECK(!kw_stored_key_is_valid(scene.tiny.slot[0]) ||
                 kw_tiny_holds(&scene, scene.old_key, true) ||
                 kw_tiny_holds(&scene, scene.new_key, true));
        KW_CHECK(scene.tiny.counter <= KW_TINY_SEQUENCE);
        KW_CHECK(fault == KW_TINY_NOT_SENT ||
                 kw_stored_key_is_valid(scene.tiny.slot[0]));
        KW_CHECK(run(&scene, &position) == KW_OK);
        KW_CHECK(kw_tiny_holds(&scene, scene.new_key, true));
        KW_CHECK(scene.tiny.counter == KW_TINY_SEQUENCE);
    }
    return NULL;
}

static const char *survives_every_refusal(void) {
    return fail_everywhere(KW_TINY_REFUSED);
}

static const char *survives_every_cut(void) {
    return fail_everywhere(KW_TINY_NOT_SENT);
}

static const char *survives_every_lost_answer(void) {
    return fail_everywhere(KW_TINY_ANSWER_LOST);
}

static const char *rolls_back_while_it_can(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    kw_tiny_put_key(&scene, scene.new_key, 0xA0);
    KW_CHECK(kw_rotate_roll_back(&scene.rotate) == KW_OK);
    KW_CHECK(kw_tiny_holds(&scene, scene.old_key, true));
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(kw_tiny_set(&scene));
    kw_tiny_put_key(&scene, scene.new_key, 0x50);
    KW_CHECK(kw_rotate_roll_back(&scene.rotate) == KW_NO_ROLLBACK);
    KW_CHECK(kw_tiny_holds(&scene, scene.new_key, true));
    return NULL;
}

static const char *reports_a_failed_proof(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    kw_tiny_put_key(&scene, scene.new_key, 0x50);
    /* The checks verify with mode 20 four times, then comes the proof. */
    scene.tiny.fault_at = KW_TINY_NEVER;
    KW_CHECK(run(&scene, &position) == KW_OK);
    const unsigned transfers = scene.tiny.transfers;
    KW_CHECK(kw_tiny_set(&scene));
    kw_tiny_put_key(&scene, scene.new_key, 0x50);
    scene.tiny.fault_at = transfers - 2; /* Verify of the proof */
    scene.tiny.fault = KW_TINY_REFUSED;
    KW_CHECK(run(&scene, &position) == KW_OK); /* it is repeated */
    KW_CHECK(position == KW_ROTATE_VALIDATED);
    KW_CHECK(scene.tiny.counter == KW_TINY_SEQUENCE);
    return NULL;
}

/* It answers, and does not move: no loop may wait for it. */
static const char *gives_a_standing_counter_up(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(kw_tiny_set(&scene));
    scene.tiny.counter_stands = true;
    KW_CHECK(run(&scene, &position) == KW_CHIP_READ_BACK);
    KW_CHECK(kw_tiny_holds(&scene, scene.new_key, true));
    scene.tiny.counter_stands = false;
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(scene.tiny.counter == KW_TINY_SEQUENCE);
    return NULL;
}

static const char *decodes_what_it_encodes(void) {
    struct kw_bundle bundle;
    KW_CHECK(kw_tiny_set(&scene));
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) == KW_OK);
    KW_CHECK(bundle.sequence == KW_TINY_SEQUENCE && bundle.old_validated);
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE - 1, &bundle) ==
             KW_PARSE_SIZE);
    scene.payload[0] = 'X';
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) ==
             KW_PARSE_MAGIC);
    KW_CHECK(kw_tiny_set(&scene));
    scene.payload[5] = 13;
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) ==
             KW_NO_SLOT);
    KW_CHECK(kw_tiny_set(&scene));
    scene.payload[4] = 5; /* validated, yet no old key */
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) ==
             KW_PARSE_RESERVED);
    return NULL;
}

/* --- the stored form --- */

/* tests/vectors/known_answers.json, stored_public_key: the device key of the
 * vendor's manual. */
static const uint8_t MANUAL_KEY[KW_PUBLIC_KEY_SIZE] = {
    0xCF, 0x19, 0x88, 0xBC, 0x3A, 0x6C, 0x25, 0x20, 0x26, 0xFE, 0x70,
    0xFB, 0x34, 0x39, 0x7A, 0xD8, 0x5A, 0x39, 0xAE, 0x81, 0x1C, 0x72,
    0x2B, 0xFA, 0x6E, 0x5E, 0xC1, 0xE9, 0xCD, 0xA9, 0x13, 0x3B, 0x3F,
    0x0E, 0x91, 0xFD, 0x38, 0x77, 0xF2, 0x5B, 0x8C, 0x89, 0x3B, 0x31,
    0x1B, 0xAF, 0x02, 0x03, 0xCB, 0x51, 0x00, 0xC4, 0xCD, 0xAB, 0xEB,
    0xAF, 0xDA, 0xF3, 0xEB, 0xD5, 0x50, 0xB0, 0x01, 0x25};
static const uint8_t MANUAL_STORED[KW_STORED_KEY_SIZE] = {
    0x00, 0x00, 0x00, 0x00, 0xCF, 0x19, 0x88, 0xBC, 0x3A, 0x6C, 0x25, 0x20,
    0x26, 0xFE, 0x70, 0xFB, 0x34, 0x39, 0x7A, 0xD8, 0x5A, 0x39, 0xAE, 0x81,
    0x1C, 0x72, 0x2B, 0xFA, 0x6E, 0x5E, 0xC1, 0xE9, 0xCD, 0xA9, 0x13, 0x3B,
    0x00, 0x00, 0x00, 0x00, 0x3F, 0x0E, 0x91, 0xFD, 0x38, 0x77, 0xF2, 0x5B,
    0x8C, 0x89, 0x3B, 0x31, 0x1B, 0xAF, 0x02, 0x03, 0xCB, 0x51, 0x00, 0xC4,
    0xCD, 0xAB, 0xEB, 0xAF, 0xDA, 0xF3, 0xEB, 0xD5, 0x50, 0xB0, 0x01, 0x25};

static const char *stores_a_key_as_known(void) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    kw_stored_key(MANUAL_KEY, stored);
    KW_CHECK(memcmp(stored, MANUAL_STORED, sizeof stored) == 0);
    stored[0] = 0xA0;
    KW_CHECK(kw_stored_key_read(stored, key));
    KW_CHECK(memcmp(key, MANUAL_KEY, sizeof key) == 0);
    return NULL;
}

static const struct kw_case CASES[] = {
    {"stores a key as known", stores_a_key_as_known},
    {"rotates a validated key", rotates_a_validated_key},
    {"changes in ten commands", changes_in_ten_commands},
    {"starts from a blank slot", starts_from_a_blank_slot},
    {"finishes mixed blocks", finishes_mixed_blocks},
    {"refuses before it changes", refuses_before_it_changes},
    {"refuses a validated key without pairs",
     refuses_a_validated_key_without_pairs},
    {"refuses a bad signature", refuses_a_bad_signature},
    {"writes the old key back", writes_the_old_key_back},
    {"survives every refusal", survives_every_refusal},
    {"survives every cut", survives_every_cut},
    {"survives every lost answer", survives_every_lost_answer},
    {"rolls back while it can", rolls_back_while_it_can},
    {"reports a failed proof", reports_a_failed_proof},
    {"gives a standing counter up", gives_a_standing_counter_up},
    {"decodes what it encodes", decodes_what_it_encodes},
};

const struct kw_subject kw_rotate_subject = KW_SUBJECT("rotate", CASES);
