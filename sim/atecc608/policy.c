#include "sim/atecc608/policy.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/bytes.h"

#define COUNT_MATCH_ENABLED  0x01
#define OPTION_IO_KEY        0x02 /* of ChipOptions, first byte */
#define OPTION_CLEAR_HEALTH  0x08
#define WRITE_CONFIG_GENKEY  0x2 /* SlotConfig bit 13 */
#define WRITE_CONFIG_PRIVATE 0x4 /* SlotConfig bit 14 */
#define FIRST_PUBLIC_SLOT    8   /* smaller slots hold 36 bytes */

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
                  "the configuration zone is not locked yet, and this command "
                  "needs it locked");
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
kw_status kw_sim_policy_random(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).req_random ||
                      !chip->sram.buffers.source_fixed,
                  chip, KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands a TempKey from a random "
                  "nonce, and this one was passed in",
                  slot);
    return KW_OK;
}

/* --- failures of the silicon --- */

/* In the failure state only the configuration is read and tests are run
 * (DS40002138A 5.1.7). */
kw_status kw_sim_policy_self_test(struct kw_sim_chip *chip,
                                  const struct kw_command *command) {
    const bool config_read =
        command->opcode == KW_OP_READ && (command->param1 & 3u) == 0;
    KW_SIM_DEMAND(chip->sram.self_test_failed == 0 || config_read ||
                      command->opcode == KW_OP_SELFTEST,
                  chip, KW_CHIP_SELF_TEST,
                  "self-tests %02X have failed: only SelfTest and reading "
                  "the configuration work until they pass",
                  chip->sram.self_test_failed);
    return KW_OK;
}

/* ChipOptions bit 3 forgets a failure once it is reported; else it stays
 * until sleep. */
kw_status kw_sim_policy_health(struct kw_sim_chip *chip) {
    const uint8_t options = chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS];
    if ((chip->broken & KW_SIM_BROKEN_HEALTH) == 0 && !chip->health_failed) {
        return KW_OK;
    }
    chip->health_failed = (options & OPTION_CLEAR_HEALTH) == 0;
    return kw_sim_refuse(chip, KW_CHIP_HEALTH,
                         "the random number generator failed its health "
                         "test");
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
kw_status kw_sim_policy_authorised(struct kw_sim_chip *chip, unsigned slot) {
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

kw_status kw_sim_policy_latch_allows(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot).persistent_disable ||
                      chip->powered.latch,
                  chip, KW_CHIP_EXECUTION,
                  "PersistentDisable of slot %u forbids its use while the "
                  "persistent latch is 0",
                  slot);
    return KW_OK;
}

/* What every use of a key has to pass, GenKey aside. */
kw_status kw_sim_policy_use_key(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(kw_sim_policy_latch_allows(chip, slot));
    KW_TRY(kw_sim_policy_authorised(chip, slot));
    return limited_use(chip, slot);
}

kw_status kw_sim_policy_slot_open(struct kw_sim_chip *chip, unsigned slot) {
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
    return kw_sim_policy_use_key(chip, slot);
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
    KW_TRY(kw_sim_policy_slot_open(chip, slot));
    return kw_sim_policy_authorised(chip, slot);
}

kw_status kw_sim_policy_genkey_public(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(private_key(chip, slot));
    KW_TRY(public_part(chip, slot));
    return kw_sim_policy_authorised(chip, slot);
}

kw_status kw_sim_policy_genkey_digest(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(kw_sim_policy_temp_key(chip));
    return kw_sim_policy_random(chip, slot);
}

kw_status kw_sim_policy_privwrite(struct kw_sim_chip *chip, unsigned slot,
                                  bool encrypted) {
    const struct kw_slot_config rules = kw_sim_slot_config(chip, slot);
    KW_TRY(private_key(chip, slot));
    KW_TRY(kw_sim_policy_slot_open(chip, slot));
    if (kw_config_data_is_locked(chip->eeprom.config)) {
        KW_SIM_DEMAND((rules.write_config & WRITE_CONFIG_PRIVATE) != 0, chip,
                      KW_CHIP_EXECUTION,
                      "WriteConfig of slot %u forbids PrivWrite (SlotConfig "
                      "bit 14)",
                      slot);
        KW_TRY(kw_sim_policy_latch_allows(chip, slot));
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

kw_status kw_sim_policy_verify_stored(struct kw_sim_chip *chip, unsigned slot,
                                      bool from_buffer) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    KW_TRY(kw_sim_policy_public_key(chip, slot));
    KW_SIM_DEMAND(!key.pub_info || kw_sim_slot_is_valid(chip, slot), chip,
                  KW_CHIP_EXECUTION,
                  "the public key in slot %u is not validated", slot);
    KW_SIM_DEMAND(!key.req_random || !from_buffer, chip, KW_CHIP_EXECUTION,
                  "ReqRandom of slot %u demands the message in TempKey, from "
                  "a random nonce",
                  slot);
    KW_TRY(from_buffer ? KW_OK : kw_sim_policy_random(chip, slot));
    return kw_sim_policy_use_key(chip, slot);
}

/* Before the data lock no rule protects the key itself. */
kw_status kw_sim_policy_io_key(struct kw_sim_chip *chip) {
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_SIM_DEMAND(
        (chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS] & OPTION_IO_KEY) != 0,
        chip, KW_CHIP_EXECUTION,
        "this needs the IO protection key, which ChipOptions disables");
    return KW_OK;
}

/* Values 2 and 3 are published nowhere: no output is taken. */
kw_status kw_sim_policy_output(struct kw_sim_chip *chip,
                               enum kw_sim_protection kind, bool *encrypted) {
    const unsigned options = chip->eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1];
    const unsigned protection = options >> (unsigned)kind & 3u;
    KW_SIM_DEMAND(protection <= 1, chip, KW_CHIP_EXECUTION,
                  "ChipOptions forbids this result to leave the chip");
    *encrypted = *encrypted || protection == 1;
    return *encrypted ? kw_sim_policy_io_key(chip) : KW_OK;
}

/* --- ECDH --- */

/* Works with the data zone locked alone (vendor's staff). */
kw_status kw_sim_policy_ecdh(struct kw_sim_chip *chip, unsigned slot) {
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_TRY(private_key(chip, slot));
    KW_SIM_DEMAND(
        (kw_sim_slot_config(chip, slot).read_key & KW_READ_KEY_ECDH) != 0, chip,
        KW_CHIP_EXECUTION, "slot %u may not be used for ECDH (ReadKey bit 2)",
        slot);
    return kw_sim_policy_use_key(chip, slot);
}

kw_status kw_sim_policy_ecdh_temp_key(struct kw_sim_chip *chip) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_SIM_DEMAND(buffers->temp_key_valid && buffers->temp_key_private, chip,
                  KW_CHIP_EXECUTION,
                  "TempKey holds no private key: make one with GenKey first");
    return KW_OK;
}

/* The vendor's sheets say "even slots only": an odd one would overwrite its
 * own private key. */
kw_status kw_sim_policy_ecdh_next(struct kw_sim_chip *chip, unsigned slot) {
    KW_SIM_DEMAND((slot & 1u) == 0, chip, KW_CHIP_EXECUTION,
                  "ECDH stores the secret of even slots alone in the slot "
                  "behind them, and %u is odd",
                  slot);
    KW_SIM_DEMAND(!kw_sim_key_config(chip, slot + 1).is_private, chip,
                  KW_CHIP_EXECUTION,
                  "slot %u is configured for a private key, and no secret "
                  "can be put there",
                  slot + 1);
    KW_TRY(kw_sim_policy_latch_allows(chip, slot + 1));
    return kw_sim_policy_slot_open(chip, slot + 1);
}

/* --- validity --- */

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
    KW_TRY(kw_sim_policy_latch_allows(chip, slot));
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
    KW_TRY(kw_sim_policy_random(chip, parent));
    return kw_sim_policy_use_key(chip, parent);
}
