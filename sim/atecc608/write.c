/* Write (12): 4 or 32 bytes, clear or encrypted. DS40002138A 5.1.10.
 *
 * An encrypted write is told by bit 6 (C2), as real hosts send it, or by its
 * MAC alone (82), as table 5-40 prints it for a locked data zone. The MAC
 * covers the byte that came. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_BITS      0xC3
#define MODE_ENCRYPTED 0x40
#define MAC_SIZE       32

static bool is_encrypted(const struct kw_sim_chip *chip,
                         const struct kw_command *command,
                         const struct kw_sim_access *access) {
    if ((command->param1 & MODE_ENCRYPTED) != 0) {
        return true;
    }
    return access->zone == KW_SIM_ZONE_DATA && access->size == KW_BLOCK_SIZE &&
           command->data_size == KW_BLOCK_SIZE + MAC_SIZE &&
           kw_config_data_is_locked(chip->eeprom.config) &&
           kw_slot_write_rule(kw_sim_slot_config(chip, access->slot)) ==
               KW_WRITE_ENCRYPTED;
}

/* Bit 6 goes with whole blocks outside the configuration. */
static kw_status form(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      const struct kw_sim_access *access, bool encrypted) {
    KW_SIM_DEMAND(!encrypted || access->size == KW_BLOCK_SIZE, chip,
                  KW_CHIP_PARSE, "an encrypted write has 32 bytes, not 4");
    KW_SIM_DEMAND(!encrypted || access->zone != KW_SIM_ZONE_CONFIG, chip,
                  KW_CHIP_PARSE,
                  "the configuration zone is never written encrypted");
    return kw_sim_policy_size(chip, command,
                              access->size + (encrypted ? MAC_SIZE : 0));
}

/* A wrong MAC answers 01, as every comparison does (low confidence). */
static kw_status decrypt(struct kw_sim_chip *chip,
                         const struct kw_command *command,
                         uint8_t plain[KW_BLOCK_SIZE]) {
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    uint8_t mac[MAC_SIZE];
    for (size_t i = 0; i < KW_BLOCK_SIZE; i++) {
        plain[i] = command->data[i] ^ chip->sram.buffers.temp_key[i];
    }
    KW_TRY(kw_message_write_mac(&chip->hash, chip->sram.buffers.temp_key,
                                kw_sim_head(command), serial.bytes, plain,
                                KW_BLOCK_SIZE, mac));
    kw_sim_temp_key_clear(chip);
    KW_SIM_DEMAND(kw_equal_ct(mac, command->data + KW_BLOCK_SIZE, MAC_SIZE),
                  chip, KW_CHIP_MISMATCH,
                  "the MAC of the encrypted write does not match");
    return KW_OK;
}

static void store(struct kw_sim_chip *chip, const struct kw_sim_access *access,
                  const uint8_t *bytes) {
    switch (access->zone) {
    case KW_SIM_ZONE_CONFIG:
        memcpy(kw_sim_change(chip)->config + access->offset, bytes,
               access->size);
        return;
    case KW_SIM_ZONE_OTP:
        memcpy(kw_sim_change(chip)->otp + access->offset, bytes, access->size);
        return;
    default:
        kw_sim_slot_write(chip, access->slot, access->offset, bytes,
                          access->size);
    }
}

kw_status kw_sim_write(struct kw_sim_chip *chip,
                       const struct kw_command *command,
                       struct kw_sim_answer *answer) {
    (void)answer;
    struct kw_sim_access access;
    uint8_t plain[KW_BLOCK_SIZE];
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BITS));
    KW_TRY(kw_sim_policy_access(chip, command, &access));
    const bool encrypted = is_encrypted(chip, command, &access);
    KW_TRY(form(chip, command, &access, encrypted));
    KW_TRY(kw_sim_policy_write(chip, &access, encrypted));
    if (!encrypted) {
        store(chip, &access, command->data);
        return KW_OK;
    }
    const kw_status status = decrypt(chip, command, plain);
    if (status == KW_OK) {
        store(chip, &access, plain);
    }
    kw_wipe(plain, sizeof(plain));
    return status;
}
