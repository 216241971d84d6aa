#include "tests/core/tiny_chip.h"

#include <string.h>

#include "core/bytes.h"
#include "core/sha256.h"

/* --- the chip --- */

static size_t answer(uint8_t *frame, const uint8_t *data, size_t size) {
    size_t frame_size = 0;
    return kw_response_encode(data, size, frame, &frame_size) == KW_OK
               ? frame_size
               : 0;
}

static size_t answer_status(uint8_t *frame, uint8_t status) {
    return answer(frame, &status, 1);
}

static size_t do_read(const struct kw_tiny_chip *chip,
                      const struct kw_command *command, uint8_t *frame) {
    const size_t size = (command->param1 & 0x80) != 0 ? 32 : 4;
    const unsigned zone = command->param1 & 3u;
    const uint8_t *from = zone == 0
                              ? chip->config + ((command->param2 >> 3) & 3) * 32
                              : chip->slot + (command->param2 >> 8) * 32;
    return answer(frame, from, size);
}

static size_t do_write(struct kw_tiny_chip *chip,
                       const struct kw_command *command, uint8_t *frame) {
    if (kw_stored_key_is_valid(chip->slot[0])) {
        return answer_status(frame, 0x0F);
    }
    memcpy(chip->slot + (command->param2 >> 8) * 32, command->data, 32);
    chip->changed = true;
    chip->slot[0] = (uint8_t)((chip->slot[0] & 0x0F) | 0xA0);
    return answer_status(frame, 0);
}

static size_t size_of_verify(uint8_t mode) {
    switch (mode) {
    case 0x20: /* stored */
        return KW_SIGNATURE_SIZE;
    case 0x22: /* external */
        return KW_SIGNATURE_SIZE + KW_PUBLIC_KEY_SIZE;
    case 0x03: /* validate */
    case 0x07: /* invalidate */
        return KW_SIGNATURE_SIZE + KW_OTHER_DATA_SIZE;
    default:
        return 0;
    }
}

static size_t do_verify(struct kw_tiny_chip *chip,
                        const struct kw_command *command, uint8_t *frame) {
    const bool fits = command->param1 == chip->bad_parameter;
    if (command->data_size != size_of_verify(command->param1)) {
        return answer_status(frame, 0x03);
    }
    if (fits && chip->bad_skip > 0) {
        chip->bad_skip--;
    } else if (fits && chip->bad_left > 0) {
        chip->bad_left--;
        return answer_status(frame, 1);
    }
    if (command->param1 == 0x03 || command->param1 == 0x07) {
        const unsigned nibble = command->param1 == 0x03 ? 0x50 : 0xA0;
        chip->slot[0] = (uint8_t)((chip->slot[0] & 0x0F) | nibble);
        chip->changed = true;
    }
    return answer_status(frame, 0);
}

static size_t do_counter(struct kw_tiny_chip *chip,
                         const struct kw_command *command, uint8_t *frame) {
    uint8_t bytes[4];
    if (command->param1 > 1) {
        return answer_status(frame, 0x03);
    }
    chip->counter += chip->counter_stands ? 0 : command->param1;
    kw_store_le32(bytes, chip->counter);
    return answer(frame, bytes, sizeof bytes);
}

static size_t execute(struct kw_tiny_chip *chip,
                      const struct kw_command *command, uint8_t *frame) {
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
    struct kw_tiny_chip *chip = self;
    struct kw_command command;
    (void)capacity;
    const bool fails = ++chip->transfers == chip->fault_at;
    chip->gone = chip->gone || (fails && chip->fault == KW_TINY_NOT_SENT);
    KW_ENSURE(!chip->gone, KW_ABSENT_ANSWER);
    KW_TRY(kw_packet_decode(packet, packet_size, &command));
    if (fails && chip->fault == KW_TINY_REFUSED) {
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

void kw_tiny_put_key(struct kw_tiny_scene *scene, const uint8_t *key,
                     uint8_t nibble) {
    memset(scene->tiny.slot, 0, sizeof scene->tiny.slot);
    kw_stored_key(key, scene->tiny.slot);
    scene->tiny.slot[0] = nibble;
}

bool kw_tiny_encode(struct kw_tiny_scene *scene) {
    kw_bundle_encode(&scene->content, scene->payload);
    return kw_bundle_decode(scene->payload, sizeof scene->payload,
                            &scene->bundle) == KW_OK;
}

/* A validated old key in the chip, and a bundle that replaces it. */
bool kw_tiny_set(struct kw_tiny_scene *scene) {
    memset(scene, 0, sizeof *scene);
    make_config(scene->tiny.config);
    const struct kw_configuration configuration =
        kw_configuration_of(scene->tiny.config);
    kw_config_serial(scene->tiny.config, scene->serial);
    memset(scene->old_key, 0x11, sizeof scene->old_key);
    memset(scene->new_key, 0x22, sizeof scene->new_key);
    kw_tiny_put_key(scene, scene->old_key, 0x50);
    scene->tiny.counter = KW_TINY_SEQUENCE - 1;
    scene->tiny.fault_at = KW_TINY_NEVER;
    kw_chip_init(&scene->chip, (struct kw_link){&OPS, &scene->tiny});
    scene->content = (struct kw_bundle){
        .names_serial = true,
        .has_old_key = true,
        .old_validated = true,
        .sequence = KW_TINY_SEQUENCE,
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
           kw_tiny_encode(scene);
}

bool kw_tiny_holds(const struct kw_tiny_scene *scene, const uint8_t *key,
                   bool valid) {
    uint8_t found[KW_PUBLIC_KEY_SIZE];
    return kw_stored_key_read(scene->tiny.slot, found) &&
           memcmp(found, key, sizeof found) == 0 &&
           kw_stored_key_is_valid(scene->tiny.slot[0]) == valid;
}
