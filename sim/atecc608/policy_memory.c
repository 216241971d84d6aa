/* The rules for memory and locks; see policy.h. */
#include "core/bytes.h"
#include "sim/atecc608/policy.h"

#define PERMISSION_ENABLED 0x80 /* of VolatileKeyPermission */

/* --- addresses --- */

#define PARAM_BLOCK 0x80
#define PARAM_ZONE  0x03

/* Configuration and OTP count 5 and 4 address bits and ignore the others
 * (DS40002138A 4.4); a 32-byte access ignores the word. */
static void address_of_zone(uint16_t param2, size_t zone_size,
                            struct kw_sim_access *access) {
    access->offset = ((size_t)param2 * KW_WORD_SIZE) % zone_size;
    if (access->size == KW_BLOCK_SIZE) {
        access->offset -= access->offset % KW_BLOCK_SIZE;
    }
}

static kw_status address_of_slot(struct kw_sim_chip *chip, uint16_t param2,
                                 struct kw_sim_access *access) {
    const size_t block = param2 >> 8;
    const size_t word =
        access->size == KW_WORD_SIZE ? (size_t)(param2 & 7u) : 0;
    access->slot = (param2 & 0xFFu) >> 3;
    KW_TRY(kw_sim_policy_slot_number(chip, access->slot));
    access->offset = block * KW_BLOCK_SIZE + word * KW_WORD_SIZE;
    KW_SIM_DEMAND(
        access->offset < kw_slot_size(access->slot), chip, KW_CHIP_PARSE,
        "slot %u has %zu bytes: no byte %zu (block %zu, word %zu)",
        access->slot, kw_slot_size(access->slot), access->offset, block, word);
    return KW_OK;
}

kw_status kw_sim_policy_access(struct kw_sim_chip *chip,
                               const struct kw_command *command,
                               struct kw_sim_access *access) {
    const unsigned zone = command->param1 & PARAM_ZONE;
    KW_SIM_DEMAND(zone <= KW_SIM_ZONE_DATA, chip, KW_CHIP_PARSE,
                  "there is no zone 3");
    *access = (struct kw_sim_access){
        .zone = (enum kw_sim_zone)zone,
        .size =
            (command->param1 & PARAM_BLOCK) != 0 ? KW_BLOCK_SIZE : KW_WORD_SIZE,
    };
    if (access->zone == KW_SIM_ZONE_DATA) {
        return address_of_slot(chip, command->param2, access);
    }
    address_of_zone(
        command->param2,
        access->zone == KW_SIM_ZONE_OTP ? KW_OTP_SIZE : KW_CONFIG_SIZE, access);
    return KW_OK;
}

/* --- reading --- */

static kw_status read_slot(struct kw_sim_chip *chip,
                           const struct kw_sim_access *access) {
    const unsigned slot = access->slot;
    const struct kw_slot_config rules = kw_sim_slot_config(chip, slot);
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).is_private, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u holds a private key, which can never be read", slot);
    KW_TRY(kw_sim_policy_latch_allows(chip, slot));
    KW_SIM_DEMAND(rules.is_secret || !rules.encrypt_read, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u has EncryptRead without IsSecret, a prohibited "
                  "combination",
                  slot);
    if (!rules.is_secret) {
        return KW_OK;
    }
    KW_SIM_DEMAND(rules.encrypt_read, chip, KW_CHIP_EXECUTION,
                  "slot %u is secret and can never be read", slot);
    KW_SIM_DEMAND(access->size == KW_BLOCK_SIZE, chip, KW_CHIP_EXECUTION,
                  "slot %u is secret: only whole blocks of 32 bytes are read",
                  slot);
    return kw_sim_policy_session_key(chip, rules.read_key);
}

kw_status kw_sim_policy_read(struct kw_sim_chip *chip,
                             const struct kw_sim_access *access) {
    if (access->zone == KW_SIM_ZONE_CONFIG) {
        return KW_OK;
    }
    KW_TRY(kw_sim_policy_data_locked(chip));
    return access->zone == KW_SIM_ZONE_DATA ? read_slot(chip, access) : KW_OK;
}

/* --- writing --- */

/* Bytes 0-15 are made at the factory; 84-87 belong to UpdateExtra and Lock.
 * A write that touches one of them changes nothing at all. */
static kw_status write_config(struct kw_sim_chip *chip,
                              const struct kw_sim_access *access) {
    const size_t end = access->offset + access->size;
    KW_SIM_DEMAND(!kw_config_is_locked(chip->eeprom.config), chip,
                  KW_CHIP_EXECUTION,
                  "the configuration zone is locked and never changes again");
    KW_SIM_DEMAND(access->offset >= KW_CONFIG_I2C_ADDRESS, chip,
                  KW_CHIP_EXECUTION,
                  "configuration bytes 0 to 15 are never writable");
    KW_SIM_DEMAND(end <= KW_CONFIG_USER_EXTRA ||
                      access->offset >= KW_CONFIG_SLOT_LOCKED,
                  chip, KW_CHIP_EXECUTION,
                  "configuration bytes 84 to 87 change through UpdateExtra "
                  "and Lock alone");
    return KW_OK;
}

/* Before the data lock SlotConfig does not count; whether SlotLocked does is
 * not published: yes is taken. */
static kw_status write_unlocked(struct kw_sim_chip *chip,
                                const struct kw_sim_access *access,
                                bool encrypted) {
    KW_SIM_DEMAND(access->size == KW_BLOCK_SIZE, chip, KW_CHIP_EXECUTION,
                  "before the data zone is locked only whole blocks of 32 "
                  "bytes are written");
    if (!encrypted) {
        return KW_OK;
    }
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(chip->sram.buffers.gen_dig_data, chip, KW_CHIP_EXECUTION,
                  "encrypted access needs a TempKey made by GenDig with a "
                  "key");
    return KW_OK;
}

static kw_status write_encrypted(struct kw_sim_chip *chip,
                                 const struct kw_sim_access *access,
                                 bool encrypted) {
    const unsigned slot = access->slot;
    KW_SIM_DEMAND(encrypted, chip, KW_CHIP_EXECUTION,
                  "WriteConfig of slot %u demands an encrypted write: 32 "
                  "bytes and a MAC",
                  slot);
    return kw_sim_policy_session_key(chip,
                                     kw_sim_slot_config(chip, slot).write_key);
}

/* WriteConfig, once the data zone is locked. */
static kw_status write_by_rule(struct kw_sim_chip *chip,
                               const struct kw_sim_access *access,
                               bool encrypted) {
    const unsigned slot = access->slot;
    const struct kw_slot_config rules = kw_sim_slot_config(chip, slot);
    const enum kw_write_rule rule = kw_slot_write_rule(rules);
    KW_TRY(kw_sim_policy_latch_allows(chip, slot));
    KW_SIM_DEMAND(rule != KW_WRITE_NEVER, chip, KW_CHIP_EXECUTION,
                  "WriteConfig of slot %u is Never", slot);
    KW_SIM_DEMAND(!rules.is_secret || access->size == KW_BLOCK_SIZE, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is secret: only whole blocks of 32 bytes are "
                  "written",
                  slot);
    if (rule == KW_WRITE_ENCRYPTED) {
        return write_encrypted(chip, access, encrypted);
    }
    KW_SIM_DEMAND(!encrypted, chip, KW_CHIP_EXECUTION,
                  "WriteConfig of slot %u takes clear writes, not encrypted "
                  "ones",
                  slot);
    KW_SIM_DEMAND(rule != KW_WRITE_PUB_INVALID ||
                      !kw_config_keeps_validity(chip->eeprom.config, slot) ||
                      !kw_sim_slot_is_valid(chip, slot),
                  chip, KW_CHIP_EXECUTION,
                  "slot %u is validated, and PubInvalid forbids writing it "
                  "until it is invalidated",
                  slot);
    return KW_OK;
}

static kw_status write_slot(struct kw_sim_chip *chip,
                            const struct kw_sim_access *access,
                            bool encrypted) {
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(!kw_sim_key_config(chip, access->slot).is_private, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u holds a private key: GenKey or PrivWrite change "
                  "it, Write never",
                  access->slot);
    KW_TRY(kw_sim_policy_slot_open(chip, access->slot));
    return kw_config_data_is_locked(chip->eeprom.config)
               ? write_by_rule(chip, access, encrypted)
               : write_unlocked(chip, access, encrypted);
}

kw_status kw_sim_policy_write(struct kw_sim_chip *chip,
                              const struct kw_sim_access *access,
                              bool encrypted) {
    if (access->zone == KW_SIM_ZONE_CONFIG) {
        return write_config(chip, access);
    }
    if (access->zone == KW_SIM_ZONE_DATA) {
        return write_slot(chip, access, encrypted);
    }
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(!kw_config_data_is_locked(chip->eeprom.config), chip,
                  KW_CHIP_EXECUTION,
                  "the OTP zone was locked with the data zone and never "
                  "changes again");
    return write_unlocked(chip, access, encrypted);
}

/* --- locks --- */

kw_status kw_sim_policy_lock_config(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(!kw_config_is_locked(chip->eeprom.config), chip,
                  KW_CHIP_EXECUTION,
                  "the configuration zone is locked already");
    return KW_OK;
}

kw_status kw_sim_policy_lock_data(struct kw_sim_chip *chip) {
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(!kw_config_data_is_locked(chip->eeprom.config), chip,
                  KW_CHIP_EXECUTION, "the data zone is locked already");
    return KW_OK;
}

kw_status kw_sim_policy_lock_slot(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(kw_sim_key_config(chip, slot).lockable, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is not lockable (KeyConfig bit 5)", slot);
    KW_SIM_DEMAND(!kw_config_slot_is_locked(chip->eeprom.config, slot), chip,
                  KW_CHIP_EXECUTION, "slot %u is locked already", slot);
    return KW_OK;
}

kw_status kw_sim_policy_lock_crc(struct kw_sim_chip *chip, uint16_t expected,
                                 uint16_t actual) {
    KW_SIM_DEMAND(expected == actual, chip, KW_CHIP_EXECUTION,
                  "the zone's CRC is not the one given (%04X): nothing was "
                  "locked",
                  expected);
    return KW_OK;
}

kw_status kw_sim_policy_update_extra(struct kw_sim_chip *chip, size_t offset) {
    KW_SIM_DEMAND(chip->eeprom.config[offset] == 0, chip, KW_CHIP_EXECUTION,
                  "configuration byte %zu was written before, and takes one "
                  "value for good",
                  offset);
    return KW_OK;
}

/* VolatileKeyPermission: bit 7 enables, bits 3:0 name the key whose CheckMac
 * permits. That setting is refused while disabled is inference. */
kw_status kw_sim_policy_latch(struct kw_sim_chip *chip) {
    const uint8_t permission =
        chip->eeprom.config[KW_CONFIG_VOLATILE_KEY_PERMISSION];
    struct kw_sim_authorisation *given = &chip->sram.authorisation;
    KW_SIM_DEMAND((permission & PERMISSION_ENABLED) != 0, chip,
                  KW_CHIP_EXECUTION,
                  "VolatileKeyPermission does not allow setting the "
                  "persistent latch");
    KW_SIM_DEMAND(given->valid && given->key_id == (permission & 0x0F), chip,
                  KW_CHIP_EXECUTION,
                  "setting the persistent latch demands a CheckMac with the "
                  "key in slot %u first",
                  permission & 0x0F);
    *given = (struct kw_sim_authorisation){.valid = false};
    return KW_OK;
}
