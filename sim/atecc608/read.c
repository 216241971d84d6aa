/* Read (02): 4 or 32 bytes. DS40002138A 5.1.6. */
#include <string.h>

#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_BITS 0x83 /* zone and length */

static const uint8_t *zone_bytes(const struct kw_sim_chip *chip,
                                 const struct kw_sim_access *access,
                                 size_t *zone_size) {
    switch (access->zone) {
    case KW_SIM_ZONE_CONFIG:
        *zone_size = KW_CONFIG_SIZE;
        return chip->eeprom.config;
    case KW_SIM_ZONE_OTP:
        *zone_size = KW_OTP_SIZE;
        return chip->eeprom.otp;
    default:
        *zone_size = kw_slot_size(access->slot);
        return kw_sim_slot(chip, access->slot);
    }
}

/* A block may reach beyond the end of a slot: what is missing stays zero (low
 * confidence: the sheet pads a write so). */
static void copy_out(const struct kw_sim_chip *chip,
                     const struct kw_sim_access *access, uint8_t *bytes) {
    size_t zone_size;
    const uint8_t *zone = zone_bytes(chip, access, &zone_size);
    const size_t left = zone_size - access->offset;
    memcpy(bytes, zone + access->offset,
           left < access->size ? left : access->size);
}

static bool is_encrypted(const struct kw_sim_chip *chip,
                         const struct kw_sim_access *access) {
    return access->zone == KW_SIM_ZONE_DATA &&
           kw_sim_slot_config(chip, access->slot).encrypt_read;
}

kw_status kw_sim_read(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      struct kw_sim_answer *answer) {
    struct kw_sim_access access;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BITS));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    KW_TRY(kw_sim_policy_access(chip, command, &access));
    KW_TRY(kw_sim_policy_read(chip, &access));
    copy_out(chip, &access, answer->data);
    answer->size = access.size;
    if (is_encrypted(chip, &access)) {
        for (size_t i = 0; i < KW_BLOCK_SIZE; i++) {
            answer->data[i] ^= chip->sram.buffers.temp_key[i];
        }
        kw_sim_temp_key_clear(chip);
    }
    return KW_OK;
}
