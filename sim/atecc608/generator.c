/* The chip's random numbers and keys, behind its health test. */
#include "sim/atecc608/policy.h"

kw_status kw_sim_random_bytes(struct kw_sim_chip *chip, uint8_t bytes[32]) {
    KW_TRY(kw_sim_policy_health(chip));
    if (kw_config_is_locked(chip->eeprom.config)) {
        return chip->crypto->random(chip->crypto_context, bytes, 32);
    }
    for (size_t i = 0; i < 32; i++) {
        bytes[i] = (i & 2u) == 0 ? 0xFF : 0x00;
    }
    return KW_OK;
}

kw_status kw_sim_random_key(struct kw_sim_chip *chip, uint8_t private_key[32]) {
    KW_TRY(kw_sim_policy_health(chip));
    return chip->crypto->key_make(chip->crypto_context, private_key);
}
