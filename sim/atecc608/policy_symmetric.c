/* The rules for symmetric keys; see policy.h. */
#include "sim/atecc608/policy.h"

/* --- symmetric keys --- */

static kw_status symmetric_key(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_SIM_DEMAND(
        !kw_sim_key_config(chip, slot).is_private, chip, KW_CHIP_EXECUTION,
        "slot %u holds a private key, which is no key for hashing", slot);
    return KW_OK;
}

static kw_status key_may_mac(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(!kw_sim_slot_config(chip, slot).no_mac, chip,
                  KW_CHIP_EXECUTION,
                  "NoMac of slot %u forbids its key in MAC and HMAC", slot);
    return KW_OK;
}

kw_status kw_sim_policy_gendig(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(symmetric_key(chip, slot));
    KW_TRY(kw_sim_policy_random(chip, slot));
    return kw_sim_policy_use_key(chip, slot);
}

kw_status kw_sim_policy_mac(struct kw_sim_chip *chip, unsigned slot,
                            bool with_temp_key) {
    KW_TRY(symmetric_key(chip, slot));
    KW_TRY(key_may_mac(chip, slot));
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).req_random || with_temp_key,
                  chip, KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands the challenge in TempKey, "
                  "from a random nonce",
                  slot);
    KW_TRY(with_temp_key ? kw_sim_policy_random(chip, slot) : KW_OK);
    return kw_sim_policy_use_key(chip, slot);
}

kw_status kw_sim_policy_hmac(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(symmetric_key(chip, slot));
    KW_TRY(key_may_mac(chip, slot));
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).req_random, chip,
                  KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands a random nonce, which HMAC "
                  "has not",
                  slot);
    return kw_sim_policy_use_key(chip, slot);
}

kw_status kw_sim_policy_may_mac(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(!chip->sram.buffers.no_mac, chip, KW_CHIP_EXECUTION,
                  "TempKey was made with a key that has NoMac, and may not "
                  "feed MAC or HMAC");
    return KW_OK;
}
