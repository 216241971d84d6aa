/* The rotation of core/rotate.c against a chip of a few lines.
 *
 * The chip here knows slot 14, its nibble, counter 1 and whether a command
 * is refused; every signature is good unless the case spoils one. What the
 * signatures and messages must be is tested elsewhere against the emulated
 * chip; this is the order of steps, and what happens when one fails, on the
 * target's own processor. */
#include <string.h>

#include "core/bytes.h"
#include "core/rotate.h"
#include "core/sha256.h"
#include "tests/core/cases.h"

#define SEQUENCE 3
#define NEVER    1000u

enum fault {
    REFUSED,     /* the chip answers 0F and does nothing */
    NOT_SENT,    /* the command never arrives, and none after it */
    ANSWER_LOST, /* done, but the answer does not arrive */
};

struct tiny_chip {
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t slot[96]; /* slot 14 with the unused rest of block 2 */
    uint32_t counter;
    unsigned transfers;
    unsigned fault_at; /* which transfer fails, counted from 1 */
    enum fault fault;
    bool gone;
    uint8_t bad_parameter; /* a Verify of this mode answers 01 ... */
    unsigned bad_left;     /* ... so many times */
};

/* --- the tiny chip ----------------------------------------------------------
 */

static size_t answer(uint8_t *frame, const uint8_t *data, size_t size) {
    size_t frame_size = 0;
    return kw_response_encode(data, size, frame, &frame_size) == KW_OK
               ? frame_size
               : 0;
}

static size_t answer_status(uint8_t *frame, uint8_t status) {
    return answer(frame, &status, 1);
}

static size_t do_read(const struct tiny_chip *chip,
                      const struct kw_command *command, uint8_t *frame) {
    const size_t size = (command->param1 & 0x80) != 0 ? 32 : 4;
    const unsigned zone = command->param1 & 3u;
    const uint8_t *from = zone == 0
                              ? chip->config + ((command->param2 >> 3) & 3) * 32
                              : chip->slot + (command->param2 >> 8) * 32;
    return answer(frame, from, size);
}

static size_t do_write(struct tiny_chip *chip, const struct kw_command *command,
                       uint8_t *frame) {
    if (kw_stored_key_is_valid(chip->slot[0])) {
        return answer_status(frame, 0x0F);
    }
    memcpy(chip->slot + (command->param2 >> 8) * 32, command->data, 32);
    chip->slot[0] = (uint8_t)((chip->slot[0] & 0x0F) | 0xA0);
    return answer_status(frame, 0);
}

static size_t do_verify(struct tiny_chip *chip,
                        const struct kw_command *command, uint8_t *frame) {
    if (command->param1 == chip->bad_parameter && chip->bad_left > 0) {
        chip->bad_left--;
        return answer_status(frame, 1);
    }
    if (command->param1 == 0x03 || command->param1 == 0x07) {
        const unsigned nibble = command->param1 == 0x03 ? 0x50 : 0xA0;
        chip->slot[0] = (uint8_t)((chip->slot[0] & 0x0F) | nibble);
    }
    return answer_status(frame, 0);
}

static size_t do_counter(struct tiny_chip *chip,
                         const struct kw_command *command, uint8_t *frame) {
    uint8_t bytes[4];
    chip->counter += command->param1;
    kw_store_le32(bytes, chip->counter);
    return answer(frame, bytes, sizeof bytes);
}

static size_t execute(struct tiny_chip *chip, const struct kw_command *command,
                      uint8_t *frame) {
    switch (command->opcode) {
    case KW_OP_READ:
        return do_read(chip, command, frame);
    case KW_OP_WRITE:
        return do_write(chip, command, frame);
    case KW_OP_VERIFY:
        return do_verify(chip, command, frame);
    case KW_OP_COUNTER:
        return do_counter(chip, command, frame);
    default:
        return answer_status(frame, 0);
    }
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct tiny_chip *chip = self;
    struct kw_command command;
    (void)capacity;
    const bool fails = ++chip->transfers == chip->fault_at;
    chip->gone = chip->gone || (fails && chip->fault == NOT_SENT);
    KW_ENSURE(!chip->gone, KW_ABSENT_ANSWER);
    KW_TRY(kw_packet_decode(packet, packet_size, &command));
    if (fails && chip->fault == REFUSED) {
        *response_size = answer_status(response, 0x0F);
        return KW_OK;
    }
    *response_size = execute(chip, &command, response);
    return fails ? KW_ABSENT_ANSWER : KW_OK;
}

static kw_status nothing(void *self) {
    (void)self;
    return KW_OK;
}

static const struct kw_link_ops OPS = {nothing, nothing, nothing, transfer,
                                       NULL};

/* --- a bundle --- */

/* The TrustFLEX bytes that a rotation depends on: DS40002138A table 2-3. */
static void make_config(uint8_t config[KW_CONFIG_SIZE]) {
    static const uint8_t serial[KW_SERIAL_SIZE] = {0x01, 0x23, 0x3E, 0x8A, 0x14,
                                                   0x91, 0xF2, 0xA6, 0x01};
    memset(config, 0, KW_CONFIG_SIZE);
    memcpy(config, serial, 4);
    memcpy(config + KW_CONFIG_SERIAL_4_8, serial + 4, 5);
    kw_store_le16(config + KW_CONFIG_SLOT_CONFIG + 28, 0x1F0D);
    kw_store_le16(config + KW_CONFIG_KEY_CONFIG + 28, 0x0012);
    kw_store_le16(config + KW_CONFIG_SLOT_LOCKED, 0xFFFF);
}

struct scene {
    struct tiny_chip tiny;
    struct kw_chip chip;
    struct kw_rotate rotate;
    struct kw_bundle content; /* what a case makes */
    struct kw_bundle bundle;  /* what the chip's side decodes */
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t configuration[KW_SHA256_SIZE];
    uint8_t old_key[KW_PUBLIC_KEY_SIZE];
    uint8_t new_key[KW_PUBLIC_KEY_SIZE];
    uint8_t pair[KW_PAIR_SIZE];
    uint8_t payload[KW_BUNDLE_SIZE];
};

static void put_key(struct scene *scene, const uint8_t *key, uint8_t nibble) {
    memset(scene->tiny.slot, 0, sizeof scene->tiny.slot);
    kw_stored_key(key, scene->tiny.slot);
    scene->tiny.slot[0] = nibble;
}

static bool encode(struct scene *scene) {
    kw_bundle_encode(&scene->content, scene->payload);
    return kw_bundle_decode(scene->payload, sizeof scene->payload,
                            &scene->bundle) == KW_OK;
}

/* A validated old key in the chip, and a bundle that replaces it. */
static bool set(struct scene *scene) {
    memset(scene, 0, sizeof *scene);
    make_config(scene->tiny.config);
    const struct kw_configuration configuration =
        kw_configuration_of(scene->tiny.config);
    kw_config_serial(scene->tiny.config, scene->serial);
    memset(scene->old_key, 0x11, sizeof scene->old_key);
    memset(scene->new_key, 0x22, sizeof scene->new_key);
    put_key(scene, scene->old_key, 0x50);
    scene->tiny.counter = SEQUENCE - 1;
    scene->tiny.fault_at = NEVER;
    kw_chip_init(&scene->chip, (struct kw_link){&OPS, &scene->tiny});
    scene->content = (struct kw_bundle){
        .names_serial = true,
        .has_old_key = true,
        .old_validated = true,
        .sequence = SEQUENCE,
        .serial = scene->serial,
        .configuration_digest = scene->configuration,
        .old_key = scene->old_key,
        .old_invalidate = scene->pair,
        .old_validate = scene->pair,
        .new_key = scene->new_key,
        .new_validate = scene->pair,
        .proof = scene->pair,
    };
    scene->rotate = (struct kw_rotate){
        .chip = &scene->chip,
        .hash = &kw_sha256_hash,
        .bundle = &scene->bundle,
        .signature = scene->pair,
    };
    return kw_configuration_digest(&kw_sha256_hash, &configuration,
                                   scene->configuration) == KW_OK &&
           encode(scene);
}

static kw_status run(struct scene *scene, enum kw_rotate_position *position) {
    scene->tiny.gone = false;
    return kw_rotate_run(&scene->rotate, position);
}

static bool holds(const struct scene *scene, const uint8_t *key, bool valid) {
    uint8_t found[KW_PUBLIC_KEY_SIZE];
    return kw_stored_key_read(scene->tiny.slot, found) &&
           memcmp(found, key, sizeof found) == 0 &&
           kw_stored_key_is_valid(scene->tiny.slot[0]) == valid;
}

/* --- the cases --- */

static struct scene scene;

static const char *rotates_a_validated_key(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_READY);
    KW_CHECK(holds(&scene, scene.new_key, true));
    KW_CHECK(scene.tiny.counter == SEQUENCE);
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_DONE);
    return NULL;
}

static const char *changes_in_ten_commands(void) {
    struct kw_rotate_state state;
    KW_CHECK(set(&scene));
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
    KW_CHECK(set(&scene));
    memset(scene.tiny.slot, 0xFF, sizeof scene.tiny.slot);
    scene.content.has_old_key = false;
    scene.content.old_validated = false;
    KW_CHECK(encode(&scene));
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_WRITING);
    KW_CHECK(holds(&scene, scene.new_key, true));
    return NULL;
}

static const char *finishes_mixed_blocks(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    uint8_t stored[KW_STORED_KEY_SIZE];
    KW_CHECK(set(&scene));
    kw_stored_key(scene.new_key, stored);
    memcpy(scene.tiny.slot + 32, stored + 32, 32);
    scene.tiny.slot[0] = 0xA0;
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(position == KW_ROTATE_WRITING);
    KW_CHECK(holds(&scene, scene.new_key, true));
    return NULL;
}

static const char *refuses_before_it_changes(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    scene.tiny.config[5] ^= 1; /* the revision is not bound */
    scene.tiny.config[2] ^= 1; /* the serial is */
    KW_CHECK(run(&scene, &position) == KW_NO_SERIAL);
    KW_CHECK(set(&scene));
    scene.tiny.config[KW_CONFIG_SLOT_CONFIG] ^= 1;
    KW_CHECK(run(&scene, &position) == KW_NO_CONFIGURATION);
    KW_CHECK(set(&scene));
    scene.tiny.slot[40] ^= 1;
    KW_CHECK(run(&scene, &position) == KW_NO_OLD_KEY);
    KW_CHECK(set(&scene));
    scene.tiny.counter = SEQUENCE;
    KW_CHECK(run(&scene, &position) == KW_NO_SEQUENCE_REPLAYED);
    KW_CHECK(set(&scene));
    scene.content.sequence = SEQUENCE - 1 + KW_ROTATE_AHEAD + 1;
    KW_CHECK(encode(&scene));
    KW_CHECK(run(&scene, &position) == KW_NO_SEQUENCE_AHEAD);
    KW_CHECK(holds(&scene, scene.old_key, true));
    return NULL;
}

static const char *refuses_a_validated_key_without_pairs(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    scene.content.old_validated = false;
    KW_CHECK(encode(&scene));
    KW_CHECK(run(&scene, &position) == KW_NO_OLD_PAIRS);
    KW_CHECK(holds(&scene, scene.old_key, true));
    return NULL;
}

static const char *refuses_a_bad_signature(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    scene.tiny.bad_parameter = 0x20; /* Verify(Stored): the bundle's first */
    scene.tiny.bad_left = 1;
    KW_CHECK(run(&scene, &position) == KW_NO_BUNDLE_SIGNATURE);
    KW_CHECK(set(&scene));
    scene.tiny.bad_parameter = 0x22; /* Verify(External): the proof */
    scene.tiny.bad_left = 1;
    KW_CHECK(run(&scene, &position) == KW_NO_PROOF);
    KW_CHECK(holds(&scene, scene.old_key, true));
    return NULL;
}

static const char *writes_the_old_key_back(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    scene.tiny.bad_parameter = 0x03; /* Verify(Validate) */
    scene.tiny.bad_left = 1;
    KW_CHECK(run(&scene, &position) == KW_CHIP_MISMATCH);
    KW_CHECK(holds(&scene, scene.old_key, true));
    KW_CHECK(scene.tiny.counter == SEQUENCE - 1);
    return NULL;
}

/* How many transfers an undisturbed run takes. */
static unsigned count_transfers(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    const bool done =
        set(&scene) && kw_rotate_run(&scene.rotate, &position) == KW_OK;
    return done ? scene.tiny.transfers : 0;
}

/* Whatever fails wherever: afterwards the slot holds the whole old or the
 * whole new key or is not valid, the counter has not passed the sequence,
 * and the same bundle finishes the job. */
static const char *fail_everywhere(enum fault fault) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    const unsigned transfers = count_transfers();
    KW_CHECK(transfers > 20);
    for (unsigned at = 1; at <= transfers; at++) {
        KW_CHECK(set(&scene));
        scene.tiny.fault_at = at;
        scene.tiny.fault = fault;
        (void)!run(&scene, &position);
        KW_CHECK(!kw_stored_key_is_valid(scene.tiny.slot[0]) ||
                 holds(&scene, scene.old_key, true) ||
                 holds(&scene, scene.new_key, true));
        KW_CHECK(scene.tiny.counter <= SEQUENCE);
        KW_CHECK(fault == NOT_SENT ||
                 kw_stored_key_is_valid(scene.tiny.slot[0]));
        KW_CHECK(run(&scene, &position) == KW_OK);
        KW_CHECK(holds(&scene, scene.new_key, true));
        KW_CHECK(scene.tiny.counter == SEQUENCE);
    }
    return NULL;
}

static const char *survives_every_refusal(void) {
    return fail_everywhere(REFUSED);
}

static const char *survives_every_cut(void) {
    return fail_everywhere(NOT_SENT);
}

static const char *survives_every_lost_answer(void) {
    return fail_everywhere(ANSWER_LOST);
}

static const char *rolls_back_while_it_can(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    put_key(&scene, scene.new_key, 0xA0);
    KW_CHECK(kw_rotate_roll_back(&scene.rotate) == KW_OK);
    KW_CHECK(holds(&scene, scene.old_key, true));
    KW_CHECK(run(&scene, &position) == KW_OK);
    KW_CHECK(set(&scene));
    put_key(&scene, scene.new_key, 0x50);
    KW_CHECK(kw_rotate_roll_back(&scene.rotate) == KW_NO_ROLLBACK);
    KW_CHECK(holds(&scene, scene.new_key, true));
    return NULL;
}

static const char *reports_a_failed_proof(void) {
    enum kw_rotate_position position = KW_ROTATE_DONE;
    KW_CHECK(set(&scene));
    put_key(&scene, scene.new_key, 0x50);
    /* The checks verify with mode 20 four times, then comes the proof. */
    scene.tiny.fault_at = NEVER;
    KW_CHECK(run(&scene, &position) == KW_OK);
    const unsigned transfers = scene.tiny.transfers;
    KW_CHECK(set(&scene));
    put_key(&scene, scene.new_key, 0x50);
    scene.tiny.fault_at = transfers - 2; /* Verify of the proof */
    scene.tiny.fault = REFUSED;
    KW_CHECK(run(&scene, &position) == KW_OK); /* it is repeated */
    KW_CHECK(position == KW_ROTATE_VALIDATED);
    KW_CHECK(scene.tiny.counter == SEQUENCE);
    return NULL;
}

static const char *decodes_what_it_encodes(void) {
    struct kw_bundle bundle;
    KW_CHECK(set(&scene));
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) == KW_OK);
    KW_CHECK(bundle.sequence == SEQUENCE && bundle.old_validated);
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE - 1, &bundle) ==
             KW_PARSE_SIZE);
    scene.payload[0] = 'X';
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) ==
             KW_PARSE_MAGIC);
    KW_CHECK(set(&scene));
    scene.payload[5] = 13;
    KW_CHECK(kw_bundle_decode(scene.payload, KW_BUNDLE_SIZE, &bundle) ==
             KW_NO_SLOT);
    KW_CHECK(set(&scene));
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
    {"decodes what it encodes", decodes_what_it_encodes},
};

const struct kw_subject kw_rotate_subject = KW_SUBJECT("rotate", CASES);
