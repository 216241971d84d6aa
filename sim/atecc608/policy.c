#include "sim/atecc608/policy.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/bytes.h"

#define COUNT_MATCH_ENABLED  0x01
#define PERMISSION_ENABLED   0x80 /* of VolatileKeyPermission */
#define OPTION_IO_KEY        0x02 /* of ChipOptions, first byte */
#define WRITE_CONFIG_GENKEY  0x2  /* SlotConfig bit 13 */
#define WRITE_CONFIG_PRIVATE 0x4  /* SlotConfig bit 14 */
#define NIBBLE_VALID         0x5
#define FIRST_PUBLIC_SLOT    8 /* smaller slots hold 36 bytes */

kw_status kw_sim_refuse(struct kw_sim_chip *chip, kw_status status,
                        const char *format, ...) {
    va_list words;
    va_start(words, format);
    (void)vsnprintf(chip->reason, sizeof(chip->reason), format, words);
    va_end(words);
    return status;
}

/* --- form --- */

kw_status kw_sim_policy_size(struct kw_sim_chip *chip,
                             const struct kw_command *command, size_t size) {
    KW_SIM_DEMAND(command->data_size == size, chip, KW_CHIP_PARSE,
                  "command %02X mode %02X takes %zu bytes of data, not %zu",
                  command->opcode, command->param1, size, command->data_size);
    return KW_OK;
}

kw_status kw_sim_policy_slot_number(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(slot < KW_SLOT_COUNT, chip, KW_CHIP_PARSE,
                  "there is no slot %u: slots are 0 to 15", slot);
    return KW_OK;
}

kw_status kw_sim_policy_mode(struct kw_sim_chip *chip,
                             const struct kw_command *command,
                             unsigned allowed_bits) {
    KW_SIM_DEMAND((command->param1 & ~allowed_bits) == 0, chip, KW_CHIP_PARSE,
                  "command %02X has no mode %02X", command->opcode,
                  command->param1);
    return KW_OK;
}

kw_status kw_sim_policy_param2(struct kw_sim_chip *chip,
                               const struct kw_command *command,
                               unsigned expected) {
    KW_SIM_DEMAND(command->param2 == expected, chip, KW_CHIP_PARSE,
                  "command %02X mode %02X takes param2 %04X, not %04X",
                  command->opcode, command->param1, expected, command->param2);
    return KW_OK;
}

/* --- state --- */

kw_status kw_sim_policy_config_locked(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(kw_config_is_locked(chip->eeprom.config), chip,
                  KW_CHIP_EXECUTION,
                  "the configuration zone is not locked yet: no slot can be "
                  "used before");
    return KW_OK;
}

kw_status kw_sim_policy_data_locked(struct kw_sim_chip *chip) {
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(kw_config_data_is_locked(chip->eeprom.config), chip,
                  KW_CHIP_EXECUTION,
                  "the data zone is not locked yet, and this command needs "
                  "it locked");
    return KW_OK;
}

kw_status kw_sim_policy_temp_key(struct kw_sim_chip *chip) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    KW_SIM_DEMAND(buffers->temp_key_valid, chip, KW_CHIP_EXECUTION,
                  "TempKey is not valid: load it with Nonce first");
    KW_SIM_DEMAND(!buffers->temp_key_private, chip, KW_CHIP_EXECUTION,
                  "TempKey holds a private key, which only ECDH can use");
    return KW_OK;
}

kw_status kw_sim_policy_source(struct kw_sim_chip *chip, bool fixed) {
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(chip->sram.buffers.source_fixed == fixed, chip,
                  KW_CHIP_EXECUTION,
                  "TempKey comes from a %s nonce, and mode bit 2 says the "
                  "contrary",
                  fixed ? "random" : "fixed");
    return KW_OK;
}

kw_status kw_sim_policy_message(struct kw_sim_chip *chip, size_t size) {
    KW_SIM_DEMAND(chip->sram.buffers.message_digest_size >= size, chip,
                  KW_CHIP_EXECUTION,
                  "the message digest buffer holds %zu bytes and %zu are "
                  "needed: load it with Nonce first (each use empties it)",
                  chip->sram.buffers.message_digest_size, size);
    return KW_OK;
}

kw_status kw_sim_policy_session_key(struct kw_sim_chip *chip, unsigned key) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(buffers->gen_dig_data && buffers->temp_key_id == key, chip,
                  KW_CHIP_EXECUTION,
                  "encrypted access needs a TempKey made by GenDig with the "
                  "key in slot %u",
                  key);
    return KW_OK;
}

/* TempKey, used together with a key that asks for it, must come from the
 * generator. External Sign and ECDH are not gated: TrustFLEX slots 0 and 2
 * to 4 sign with a digest that the host loads. */
static kw_status random_nonce(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).req_random ||
                      !chip->sram.buffers.source_fixed,
                  chip, KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands a TempKey from a random "
                  "nonce, and this one was passed in",
                  slot);
    return KW_OK;
}

/* --- use of a key --- */

kw_status kw_sim_policy_count(struct kw_sim_chip *chip, unsigned counter) {
    const size_t offset = KW_CONFIG_COUNTER + 8 * (size_t)counter;
    const uint32_t value = kw_counter_decode(chip->eeprom.config + offset);
    KW_SIM_DEMAND(value < KW_COUNTER_MAX, chip, KW_CHIP_EXECUTION,
                  "counter %u has reached its end, %u", counter,
                  KW_COUNTER_MAX);
    kw_counter_encode(value + 1, kw_sim_change(chip)->config + offset);
    return KW_OK;
}

/* LimitedUse: each use counts on counter 0; with CountMatch enabled, the
 * first four bytes of the slot that it names are the limit. The match slot
 * holds it twice; the second copy is not compared (low confidence). */
static kw_status limited_use(struct kw_sim_chip *chip, unsigned slot) {
    const uint8_t *config = chip->eeprom.config;
    const uint8_t match = config[KW_CONFIG_COUNT_MATCH];
    if (!kw_sim_slot_config(chip, slot).limited_use) {
        return KW_OK;
    }
    if ((match & COUNT_MATCH_ENABLED) != 0) {
        const uint32_t value = kw_counter_decode(config + KW_CONFIG_COUNTER);
        const uint32_t limit = kw_load_le32(kw_sim_slot(chip, match >> 4));
        KW_SIM_DEMAND(value < limit, chip, KW_CHIP_EXECUTION,
                      "slot %u has LimitedUse, and counter 0 has reached the "
                      "limit %u in slot %u",
                      slot, (unsigned)limit, match >> 4);
    }
    return kw_sim_policy_count(chip, 0);
}

/* An authorisation serves once. */
static kw_status authorised(struct kw_sim_chip *chip, unsigned slot) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    struct kw_sim_authorisation *given = &chip->sram.authorisation;
    if (!key.req_auth) {
        return KW_OK;
    }
    KW_SIM_DEMAND(given->valid && given->key_id == key.auth_key, chip,
                  KW_CHIP_EXECUTION,
                  "ReqAuth of slot %u demands a CheckMac with the key in "
                  "slot %u first",
                  slot, key.auth_key);
    *given = (struct kw_sim_authorisation){.valid = false};
    return KW_OK;
}

static kw_status latch_allows(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).persistent_disable ||
                      chip->latch,
                  chip, KW_CHIP_EXECUTION,
                  "PersistentDisable of slot %u forbids its use while the "
                  "persistent latch is 0",
                  slot);
    return KW_OK;
}

/* What every use of a key has to pass, GenKey aside. */
static kw_status use_key(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(latch_allows(chip, slot));
    KW_TRY(authorised(chip, slot));
    return limited_use(chip, slot);
}

static kw_status slot_open(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(!kw_config_slot_is_locked(chip->eeprom.config, slot), chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is locked for good: its content never changes",
                  slot);
    return KW_OK;
}

/* --- private keys --- */

static kw_status private_key(struct kw_sim_chip *chip, unsigned slot) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(key.is_private && key.key_type == KW_KEY_TYPE_P256, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is not configured for a P-256 private key", slot);
    KW_SIM_DEMAND(kw_sim_slot_config(chip, slot).is_secret, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is configured for a private key without IsSecret: "
                  "the key cannot be used",
                  slot);
    return KW_OK;
}

kw_status kw_sim_policy_sign(struct kw_sim_chip *chip, unsigned slot,
                             bool external) {
    const unsigned wanted =
        external ? KW_READ_KEY_EXTERNAL_SIGN : KW_READ_KEY_INTERNAL_SIGN;
    KW_TRY(private_key(chip, slot));
    KW_SIM_DEMAND((kw_sim_slot_config(chip, slot).read_key & wanted) != 0, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u may not sign %s messages (ReadKey bit %u)", slot,
                  external ? "external" : "internal", external ? 0u : 1u);
    return use_key(chip, slot);
}

kw_status kw_sim_policy_sign_internal(struct kw_sim_chip *chip) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(buffers->gen_dig_data || buffers->gen_key_data, chip,
                  KW_CHIP_EXECUTION,
                  "an internal signature needs a TempKey made by GenKey or "
                  "by GenDig with a key");
    return KW_OK;
}

/* PubInfo 0: the public key can never leave the chip, and GenKey answers
 * nothing else, so it is refused altogether (the latter: inference). */
static kw_status public_part(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(kw_sim_key_config(chip, slot).pub_info, chip,
                  KW_CHIP_EXECUTION,
                  "PubInfo of slot %u is 0: its public key never leaves the "
                  "chip",
                  slot);
    return KW_OK;
}

/* Obeys the slot's lock; SlotConfig bit 13 counts from the data lock on. */
kw_status kw_sim_policy_genkey_create(struct kw_sim_chip *chip, unsigned slot) {
    const unsigned rule = kw_sim_slot_config(chip, slot).write_config;
    KW_TRY(private_key(chip, slot));
    KW_TRY(public_part(chip, slot));
    KW_SIM_DEMAND(!kw_config_data_is_locked(chip->eeprom.config) ||
                      (rule & WRITE_CONFIG_GENKEY) != 0,
                  chip, KW_CHIP_EXECUTION,
                  "WriteConfig of slot %u forbids GenKey to replace its key "
                  "(SlotConfig bit 13)",
                  slot);
    KW_TRY(slot_open(chip, slot));
    return authorised(chip, slot);
}

kw_status kw_sim_policy_genkey_public(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(private_key(chip, slot));
    KW_TRY(public_part(chip, slot));
    return authorised(chip, slot);
}

kw_status kw_sim_policy_genkey_digest(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(kw_sim_policy_temp_key(chip));
    return random_nonce(chip, slot);
}

kw_status kw_sim_policy_privwrite(struct kw_sim_chip *chip, unsigned slot,
                                  bool encrypted) {
    const struct kw_slot_config rules = kw_sim_slot_config(chip, slot);
    KW_TRY(private_key(chip, slot));
    KW_TRY(slot_open(chip, slot));
    if (kw_config_data_is_locked(chip->eeprom.config)) {
        KW_SIM_DEMAND((rules.write_config & WRITE_CONFIG_PRIVATE) != 0, chip,
                      KW_CHIP_EXECUTION,
                      "WriteConfig of slot %u forbids PrivWrite (SlotConfig "
                      "bit 14)",
                      slot);
        KW_TRY(latch_allows(chip, slot));
        KW_SIM_DEMAND(encrypted, chip, KW_CHIP_EXECUTION,
                      "the data zone is locked: a private key is written "
                      "encrypted or not at all");
    }
    return encrypted ? kw_sim_policy_session_key(chip, rules.write_key) : KW_OK;
}

/* --- public keys --- */

kw_status kw_sim_policy_public_key(struct kw_sim_chip *chip, unsigned slot) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    KW_TRY(kw_sim_policy_config_locked(chip));
    KW_SIM_DEMAND(slot >= FIRST_PUBLIC_SLOT && !key.is_private &&
                      key.key_type == KW_KEY_TYPE_P256,
                  chip, KW_CHIP_EXECUTION,
                  "slot %u is not configured for a P-256 public key (slots 8 "
                  "to 15, KeyType 4, Private 0)",
                  slot);
    return KW_OK;
}

static bool is_valid(const struct kw_sim_chip *chip, unsigned slot) {
    return kw_sim_slot(chip, slot)[0] >> 4 == NIBBLE_VALID;
}

kw_status kw_sim_policy_verify_stored(struct kw_sim_chip *chip, unsigned slot,
                                      bool from_buffer) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    KW_TRY(kw_sim_policy_public_key(chip, slot));
    KW_SIM_DEMAND(!key.pub_info || is_valid(chip, slot), chip,
                  KW_CHIP_EXECUTION,
                  "the public key in slot %u is not validated", slot);
    KW_SIM_DEMAND(!key.req_random || !from_buffer, chip, KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands the message in TempKey, from "
                  "a random nonce",
                  slot);
    KW_TRY(from_buffer ? KW_OK : random_nonce(chip, slot));
    return use_key(chip, slot);
}

kw_status kw_sim_policy_verify_mac(struct kw_sim_chip *chip) {
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_SIM_DEMAND(
        (chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS] & OPTION_IO_KEY) != 0,
        chip, KW_CHIP_EXECUTION,
        "a MAC needs the IO protection key, which ChipOptions disables");
    return KW_OK;
}

static kw_status x509_free(struct kw_sim_chip *chip, unsigned slot) {
    const unsigned id = kw_sim_key_config(chip, slot).x509_id;
    KW_SIM_DEMAND(chip->eeprom.config[KW_CONFIG_X509_FORMAT + id] == 0, chip,
                  KW_CHIP_EXECUTION,
                  "X509id of slot %u names a certificate format: only "
                  "Verify(ValidateExternal) can validate it",
                  slot);
    return KW_OK;
}

/* That the parent's own validity is not asked for, and that SlotLocked does
 * not stop a change of validity, is inference: no public sheet says. What
 * ReqRandom of the slot itself asks, GenKey has asked already. */
kw_status kw_sim_policy_validate(struct kw_sim_chip *chip, unsigned slot,
                                 bool invalidate, uint8_t other_data_17) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const unsigned parent = kw_sim_slot_config(chip, slot).read_key;
    KW_TRY(kw_sim_policy_public_key(chip, slot));
    KW_SIM_DEMAND(kw_sim_key_config(chip, slot).pub_info, chip,
                  KW_CHIP_EXECUTION,
                  "PubInfo of slot %u is 0: its public key needs no "
                  "validation",
                  slot);
    KW_TRY(latch_allows(chip, slot));
    KW_TRY(x509_free(chip, slot));
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_SIM_DEMAND(buffers->gen_key_data && buffers->temp_key_id == slot, chip,
                  KW_CHIP_EXECUTION,
                  "TempKey must hold GenKey's digest of the public key in "
                  "slot %u",
                  slot);
    KW_SIM_DEMAND((other_data_17 & 1u) == (invalidate ? 1u : 0u), chip,
                  KW_CHIP_EXECUTION,
                  "bit 0 of OtherData[17] and mode bit 2 disagree: the "
                  "authority signed the other operation");
    KW_TRY(kw_sim_policy_public_key(chip, parent));
    KW_TRY(random_nonce(chip, parent));
    return use_key(chip, parent);
}

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
    KW_TRY(random_nonce(chip, slot));
    return use_key(chip, slot);
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
    KW_TRY(with_temp_key ? random_nonce(chip, slot) : KW_OK);
    return use_key(chip, slot);
}

kw_status kw_sim_policy_hmac(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(symmetric_key(chip, slot));
    KW_TRY(key_may_mac(chip, slot));
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).req_random, chip,
                  KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands a random nonce, which HMAC "
                  "has not",
                  slot);
    return use_key(chip, slot);
}

kw_status kw_sim_policy_may_mac(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(!chip->sram.buffers.no_mac, chip, KW_CHIP_EXECUTION,
                  "TempKey was made with a key that has NoMac, and may not "
                  "feed MAC or HMAC");
    return KW_OK;
}

/* --- addresses --- */

#define PARAM_BLOCK     0x80
#define PARAM_ENCRYPTED 0x40
#define PARAM_ZONE      0x03

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
    KW_TRY(latch_allows(chip, slot));
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
    KW_TRY(latch_allows(chip, slot));
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
                      !is_valid(chip, slot),
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
    KW_TRY(slot_open(chip, access->slot));
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
