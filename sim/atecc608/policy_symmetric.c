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

/* A challenge that the host sends is no random nonce. */
static kw_status random_challenge(struct kw_sim_chip *chip, unsigned slot,
                                  bool with_temp_key) {
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).req_random || with_temp_key,
                  chip, KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands the challenge in TempKey, "
                  "from a random nonce",
                  slot);
    return with_temp_key ? kw_sim_policy_random(chip, slot) : KW_OK;
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
    KW_TRY(random_challenge(chip, slot, with_temp_key));
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

/* NoMac does not count: it is for keys that CheckMac alone uses. */
kw_status kw_sim_policy_checkmac(struct kw_sim_chip *chip, unsigned slot,
                                 bool with_temp_key) {
    KW_TRY(symmetric_key(chip, slot));
    KW_TRY(random_challenge(chip, slot, with_temp_key));
    return kw_sim_policy_use_key(chip, slot);
}

/* DS40002025A p. 47. A private key never is a symmetric one: its ReadKey of
 * 0 means something else. */
bool kw_sim_policy_may_copy(const struct kw_sim_chip *chip, unsigned target) {
    const struct kw_key_config key = kw_sim_key_config(chip, target);
    return !key.is_private && kw_sim_slot_config(chip, target).read_key == 0 &&
           (!key.persistent_disable || chip->powered.latch);
}

/* --- DeriveKey --- */

#define DERIVE_ALLOWED 0x2 /* of WriteConfig: SlotConfig bit 13 */
#define DERIVE_CREATE  0x1 /* bit 12: from the WriteKey, not the target */
#define DERIVE_MAC     0x8 /* bit 15 */

static bool asks_authorisation(const struct kw_sim_chip *chip, unsigned slot) {
    return kw_sim_key_config(chip, slot).req_auth;
}

/* Rolling with a MAC uses two keys; one authorisation serves both, when they
 * name the same AuthKey (inference). */
static kw_status use_parent(struct kw_sim_chip *chip, unsigned target,
                            unsigned parent, bool rolls) {
    const struct kw_sim_authorisation given = chip->sram.authorisation;
    if (rolls) {
        KW_TRY(kw_sim_policy_authorised(chip, target));
    }
    if (asks_authorisation(chip, parent)) {
        chip->sram.authorisation = given;
    }
    return kw_sim_policy_use_key(chip, parent);
}

/* DS40002154A 5.3.3: LimitedUse counts for the parent, not for the target.
 * That a MAC is refused where none is asked for is inference. */
kw_status kw_sim_policy_derive(struct kw_sim_chip *chip, unsigned target,
                               bool with_mac,
                               struct kw_sim_derivation *derivation) {
    const struct kw_slot_config rules = kw_sim_slot_config(chip, target);
    const bool rolls = (rules.write_config & DERIVE_CREATE) == 0;
    derivation->parent = rules.write_key;
    derivation->source = rolls ? target : rules.write_key;
    derivation->needs_mac = (rules.write_config & DERIVE_MAC) != 0;
    KW_TRY(symmetric_key(chip, target));
    KW_SIM_DEMAND((rules.write_config & DERIVE_ALLOWED) != 0, chip,
                  KW_CHIP_EXECUTION,
                  "WriteConfig of slot %u forbids DeriveKey (SlotConfig bit "
                  "13)",
                  target);
    KW_SIM_DEMAND(derivation->needs_mac == with_mac, chip, KW_CHIP_EXECUTION,
                  "WriteConfig of slot %u demands %s (SlotConfig bit 15)",
                  target, derivation->needs_mac ? "a MAC" : "no MAC");
    KW_TRY(kw_sim_policy_slot_open(chip, target));
    KW_TRY(kw_sim_policy_latch_allows(chip, target));
    KW_TRY(symmetric_key(chip, derivation->source));
    KW_TRY(kw_sim_policy_random(chip, derivation->source));
    if (rolls && !with_mac) {
        return kw_sim_policy_authorised(chip, target);
    }
    KW_TRY(symmetric_key(chip, derivation->parent));
    return use_parent(chip, target, derivation->parent, rolls);
}

/* --- AES and KDF --- */

#define AES_ENABLED    0x01 /* of configuration byte 13 */
#define OPTION_KDF_AES 0x04 /* of ChipOptions, first byte */

static kw_status aes_enabled(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(
        (chip->eeprom.config[KW_CONFIG_AES_ENABLE] & AES_ENABLED) != 0, chip,
        KW_CHIP_PARSE, "AES is switched off for good (configuration byte 13)");
    return KW_OK;
}

/* 03 for both was seen on real chips (CryptoAuthLib issues 56 and 340). */
kw_status kw_sim_policy_aes(struct kw_sim_chip *chip) {
    const uint8_t *config = chip->eeprom.config;
    KW_TRY(aes_enabled(chip));
    KW_SIM_DEMAND(kw_config_is_locked(config) &&
                      kw_config_data_is_locked(config),
                  chip, KW_CHIP_PARSE, "AES works once both zones are locked");
    return KW_OK;
}

static kw_status aes_slot(struct kw_sim_chip *chip, unsigned slot) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    KW_SIM_DEMAND(!key.is_private && key.key_type == KW_KEY_TYPE_AES, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is not configured for an AES key (KeyType 6)", slot);
    return KW_OK;
}

kw_status kw_sim_policy_aes_key(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(aes_slot(chip, slot));
    return kw_sim_policy_use_key(chip, slot);
}

/* Byte 13 switches off all of KDF (AN3539), ChipOptions bit 2 its AES. */
kw_status kw_sim_policy_kdf(struct kw_sim_chip *chip, bool aes) {
    const uint8_t options = chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS];
    KW_TRY(aes_enabled(chip));
    KW_SIM_DEMAND(!aes || (options & OPTION_KDF_AES) != 0, chip, KW_CHIP_PARSE,
                  "ChipOptions switches KDF with AES off");
    return kw_sim_policy_data_locked(chip);
}

kw_status kw_sim_policy_kdf_source(struct kw_sim_chip *chip, unsigned slot,
                                   bool aes) {
    KW_TRY(symmetric_key(chip, slot));
    KW_TRY(aes ? aes_slot(chip, slot) : KW_OK);
    return kw_sim_policy_use_key(chip, slot);
}

kw_status kw_sim_policy_kdf_target(struct kw_sim_chip *chip, unsigned slot) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    KW_TRY(symmetric_key(chip, slot));
    KW_SIM_DEMAND(key.pub_info && (key.key_type == KW_KEY_TYPE_AES ||
                                   key.key_type == KW_KEY_TYPE_DATA),
                  chip, KW_CHIP_EXECUTION,
                  "KeyConfig of slot %u forbids that KDF or ECDH write it "
                  "(PubInfo 1, KeyType 6 or 7)",
                  slot);
    KW_TRY(kw_sim_policy_latch_allows(chip, slot));
    return kw_sim_policy_slot_open(chip, slot);
}

kw_status kw_sim_policy_temp_key_64(struct kw_sim_chip *chip) {
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(chip->sram.buffers.temp_key_is_64, chip, KW_CHIP_EXECUTION,
                  "TempKey holds 32 bytes and 64 are needed");
    return KW_OK;
}

kw_status kw_sim_policy_alternate_key(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(chip->sram.buffers.alternate_key_valid, chip,
                  KW_CHIP_EXECUTION,
                  "the alternate key buffer is empty: load it with Nonce "
                  "first");
    return KW_OK;
}
