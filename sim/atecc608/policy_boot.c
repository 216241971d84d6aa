/* The rules for SecureBoot; see policy.h.
 *
 * Configuration bytes 70 and 71: bits 1:0 mode, 3 latch, 4 random nonce,
 * 11:8 slot of digest or signature, 15:12 slot of the public key. DS40002138A
 * table 2-3 prints the latch one bit lower; the vendor's library and a locked
 * chip's configuration agree on bit 3 (medium confidence). */
#include "core/bytes.h"
#include "sim/atecc608/policy.h"

struct kw_sim_boot kw_sim_boot_config(const struct kw_sim_chip *chip) {
    const uint8_t *bytes = chip->eeprom.config + KW_CONFIG_SECURE_BOOT;
    return (struct kw_sim_boot){
        .mode = bytes[0] & 3u,
        .sets_latch = (bytes[0] & 0x08) != 0,
        .needs_random = (bytes[0] & 0x10) != 0,
        .digest_slot = bytes[1] & 0x0F,
        .key_slot = bytes[1] >> 4,
    };
}

/* With a random nonce asked for, a digest in clear is refused: it could be
 * replayed, and its answer too (inference). */
static kw_status nonce(struct kw_sim_chip *chip, bool random, bool encrypted) {
    KW_SIM_DEMAND(!random || encrypted, chip, KW_CHIP_EXECUTION,
                  "SecureBoot is configured for a random nonce: the digest "
                  "must be encrypted");
    if (!encrypted) {
        return KW_OK;
    }
    KW_TRY(kw_sim_policy_io_key(chip));
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(!random || !chip->sram.buffers.source_fixed, chip,
                  KW_CHIP_EXECUTION,
                  "SecureBoot is configured for a random nonce, and TempKey "
                  "was passed in");
    return KW_OK;
}

kw_status kw_sim_policy_boot(struct kw_sim_chip *chip, bool encrypted) {
    const struct kw_sim_boot boot = kw_sim_boot_config(chip);
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_SIM_DEMAND(boot.mode != KW_SIM_BOOT_DISABLED, chip, KW_CHIP_EXECUTION,
                  "SecureBoot is disabled by the configuration");
    KW_SIM_DEMAND(!chip->powered.boot_prohibited, chip, KW_CHIP_EXECUTION,
                  "SecureBoot was prohibited until the next power cycle");
    KW_TRY(nonce(chip, boot.needs_random, encrypted));
    KW_TRY(kw_sim_policy_public_key(chip, boot.key_slot));
    return kw_sim_policy_use_key(chip, boot.key_slot);
}

/* WriteConfig does not count: TrustFLEX slot 7 is Never. A slot lock does. */
kw_status kw_sim_policy_boot_store(struct kw_sim_chip *chip, bool write) {
    const struct kw_sim_boot boot = kw_sim_boot_config(chip);
    const size_t size = boot.mode == KW_SIM_BOOT_FULL_SIGNATURE ? 64 : 32;
    KW_SIM_DEMAND(boot.mode != KW_SIM_BOOT_FULL_BOTH, chip, KW_CHIP_EXECUTION,
                  "SecureBoot is configured to store nothing (FullBoth)");
    KW_SIM_DEMAND(!kw_sim_key_config(chip, boot.digest_slot).is_private &&
                      kw_slot_size(boot.digest_slot) >= size,
                  chip, KW_CHIP_EXECUTION,
                  "slot %u, configured for SecureBoot, cannot hold %zu bytes",
                  boot.digest_slot, size);
    return write ? kw_sim_policy_slot_open(chip, boot.digest_slot) : KW_OK;
}
