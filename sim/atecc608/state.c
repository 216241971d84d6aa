#include "sim/atecc608/state.h"

#include <string.h>

#include "core/bytes.h"

#define NIBBLE_VALID   0x5u
#define NIBBLE_INVALID 0xAu

struct kw_sim_eeprom *kw_sim_change(struct kw_sim_chip *chip) {
    if (!chip->eeprom_changed) {
        chip->scratch->eeprom_before = chip->eeprom;
        chip->eeprom_changed = true;
    }
    return &chip->eeprom;
}

static size_t slot_offset(unsigned slot) {
    size_t offset = 0;
    for (unsigned i = 0; i < slot; i++) {
        offset += kw_slot_size(i);
    }
    return offset;
}

uint8_t *kw_sim_eeprom_slot(struct kw_sim_eeprom *eeprom, unsigned slot) {
    return eeprom->data + slot_offset(slot);
}

const uint8_t *kw_sim_slot(const struct kw_sim_chip *chip, unsigned slot) {
    return chip->eeprom.data + slot_offset(slot);
}

bool kw_sim_slot_is_valid(const struct kw_sim_chip *chip, unsigned slot) {
    return kw_sim_slot(chip, slot)[0] >> 4 == NIBBLE_VALID;
}

void kw_sim_slot_set_valid(struct kw_sim_chip *chip, unsigned slot,
                           bool valid) {
    const unsigned nibble = valid ? NIBBLE_VALID : NIBBLE_INVALID;
    uint8_t *first = kw_sim_eeprom_slot(kw_sim_change(chip), slot);
    *first = (uint8_t)((*first & 0x0Fu) | nibble << 4);
}

void kw_sim_slot_write(struct kw_sim_chip *chip, unsigned slot, size_t offset,
                       const uint8_t *bytes, size_t size) {
    const size_t left = kw_slot_size(slot) - offset;
    memcpy(kw_sim_eeprom_slot(kw_sim_change(chip), slot) + offset, bytes,
           left < size ? left : size);
    if (kw_config_keeps_validity(chip->eeprom.config, slot)) {
        kw_sim_slot_set_valid(chip, slot, false);
    }
}

void kw_sim_temp_key_load(struct kw_sim_chip *chip, const uint8_t *value,
                          size_t size, bool source_fixed) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    kw_sim_temp_key_clear(chip);
    memcpy(buffers->temp_key, value, size);
    buffers->temp_key_valid = true;
    buffers->temp_key_is_64 = size == 64;
    buffers->source_fixed = source_fixed;
}

void kw_sim_temp_key_replace(struct kw_sim_chip *chip,
                             const uint8_t value[32]) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    kw_wipe(buffers->temp_key, sizeof(buffers->temp_key));
    memcpy(buffers->temp_key, value, 32);
    buffers->temp_key_is_64 = false;
}

void kw_sim_temp_key_clear(struct kw_sim_chip *chip) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    kw_wipe(buffers->temp_key, sizeof(buffers->temp_key));
    buffers->temp_key_valid = false;
    buffers->temp_key_is_64 = false;
    buffers->temp_key_id = 0;
    buffers->source_fixed = false;
    buffers->gen_dig_data = false;
    buffers->gen_key_data = false;
    buffers->no_mac = false;
    buffers->temp_key_private = false;
}

void kw_sim_message_load(struct kw_sim_chip *chip, const uint8_t *value,
                         size_t size) {
    kw_sim_message_clear(chip);
    memcpy(chip->sram.buffers.message_digest, value, size);
    chip->sram.buffers.message_digest_size = size;
}

void kw_sim_message_clear(struct kw_sim_chip *chip) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    kw_wipe(buffers->message_digest, sizeof(buffers->message_digest));
    buffers->message_digest_size = 0;
}

struct kw_sim_serial kw_sim_serial(const struct kw_sim_chip *chip) {
    struct kw_sim_serial serial;
    kw_config_serial(chip->eeprom.config, serial.bytes);
    return serial;
}

void kw_sim_public_key(const struct kw_sim_chip *chip, unsigned slot,
                       uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    const uint8_t *stored = kw_sim_slot(chip, slot);
    memcpy(public_key, stored + KW_SIM_PUBLIC_X, 32);
    memcpy(public_key + 32, stored + KW_SIM_PUBLIC_Y, 32);
}

const uint8_t *kw_sim_io_key(const struct kw_sim_chip *chip) {
    return kw_sim_slot(chip,
                       chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] >> 4);
}
