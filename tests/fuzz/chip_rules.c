#include "tests/fuzz/chip_rules.h"

#include "core/chip.h"
#include "sim/atecc608/personality.h"
#include "tests/fuzz/fuzz.h"

enum {
    OP_DERIVE_KEY = 0x1C,
    OP_UPDATE_EXTRA = 0x20,
    OP_ECDH = 0x43,
    OP_KDF = 0x56,
    OP_SECURE_BOOT = 0x80,
};

static bool same(const uint8_t *before, const uint8_t *after, size_t from,
                 size_t to) {
    return memcmp(before + from, after + from, to - from) == 0;
}

/* A lock byte stays, or becomes 0 by the command Lock. */
static bool lock_byte(uint8_t before, uint8_t after, uint8_t opcode) {
    return before == after || (opcode == KW_OP_LOCK && after == 0);
}

static void check_locks(const uint8_t *before, const uint8_t *after,
                        uint8_t opcode) {
    const size_t locked = KW_CONFIG_SLOT_LOCKED;
    FUZZ_DEMAND(lock_byte(before[KW_CONFIG_LOCK_VALUE],
                          after[KW_CONFIG_LOCK_VALUE], opcode));
    FUZZ_DEMAND(lock_byte(before[KW_CONFIG_LOCK_CONFIG],
                          after[KW_CONFIG_LOCK_CONFIG], opcode));
    if (kw_config_is_locked(before)) {
        FUZZ_DEMAND((~before[locked] & after[locked]) == 0 &&
                    (~before[locked + 1] & after[locked + 1]) == 0);
        FUZZ_DEMAND(opcode == KW_OP_LOCK ||
                    same(before, after, locked, locked + 2));
    }
}

/* A command advances a counter by one, if at all; KDF may use two keys. */
static void check_counter(const uint8_t *before, const uint8_t *after,
                          uint8_t opcode) {
    const uint32_t old = kw_counter_decode(before);
    const uint32_t new = kw_counter_decode(after);
    const uint32_t most = opcode == OP_KDF ? 2 : 1;
    FUZZ_DEMAND(memcmp(before, after, 8) == 0 ||
                (new > old &&new <= old + most &&new <= KW_COUNTER_MAX));
}

/* A byte that is 0 takes one value, by UpdateExtra. */
static void check_extra(const uint8_t *before, const uint8_t *after,
                        uint8_t opcode) {
    for (size_t i = KW_CONFIG_USER_EXTRA; i < KW_CONFIG_LOCK_VALUE; i++) {
        FUZZ_DEMAND(before[i] == after[i] ||
                    (before[i] == 0 && opcode == OP_UPDATE_EXTRA));
    }
}

static void check_config(const uint8_t *before, const uint8_t *after,
                         uint8_t opcode) {
    FUZZ_DEMAND(same(before, after, 0, KW_CONFIG_I2C_ADDRESS));
    check_extra(before, after, opcode);
    check_locks(before, after, opcode);
    if (kw_config_is_locked(before)) {
        FUZZ_DEMAND(same(before, after, 0, KW_CONFIG_COUNTER));
        check_counter(before + KW_CONFIG_COUNTER, after + KW_CONFIG_COUNTER,
                      opcode);
        check_counter(before + KW_CONFIG_COUNTER + 8,
                      after + KW_CONFIG_COUNTER + 8, opcode);
        FUZZ_DEMAND(
            same(before, after, KW_CONFIG_USE_LOCK, KW_CONFIG_USER_EXTRA));
        FUZZ_DEMAND(
            same(before, after, KW_CONFIG_CHIP_OPTIONS, KW_CONFIG_SIZE));
    }
}

/* Results of commands that stay in the chip, once its data is locked. */
static bool may_derive(const struct kw_sim_eeprom *before, unsigned slot,
                       uint8_t opcode) {
    const uint8_t *config = before->config;
    const struct kw_slot_config rules = kw_config_slot(config, slot);
    const bool kdf_writes = kw_config_key(config, slot).pub_info;
    switch (opcode) {
    case OP_DERIVE_KEY:
        return (rules.write_config & 2) != 0;
    case OP_ECDH:
        return kdf_writes || (slot & 1) != 0;
    case OP_KDF:
        return kdf_writes;
    case OP_SECURE_BOOT:
        return slot == (config[KW_CONFIG_SECURE_BOOT + 1] & 0x0F);
    default:
        return false;
    }
}

/* Verify changes the state of a key, in the upper half of byte 0. */
static bool may_change(const struct kw_sim_eeprom *before, unsigned slot,
                       uint8_t opcode) {
    const uint8_t *config = before->config;
    const struct kw_slot_config rules = kw_config_slot(config, slot);
    const bool data_locked = kw_config_data_is_locked(config);
    if (!kw_config_is_locked(config) ||
        kw_config_slot_is_locked(config, slot)) {
        return false;
    }
    if (kw_config_key(config, slot).is_private) {
        return opcode == KW_OP_PRIVWRITE
                   ? !data_locked || (rules.write_config & 4) != 0
                   : opcode == KW_OP_GENKEY &&
                         (!data_locked || (rules.write_config & 2) != 0);
    }
    if (data_locked && may_derive(before, slot, opcode)) {
        return true;
    }
    return opcode == KW_OP_WRITE &&
           (!data_locked || kw_slot_write_rule(rules) != KW_WRITE_NEVER);
}

static void check_slot(const struct kw_sim_eeprom *before,
                       const struct kw_sim_eeprom *after, unsigned slot,
                       uint8_t opcode) {
    const size_t offset =
        (size_t)(kw_sim_eeprom_slot((struct kw_sim_eeprom *)before, slot) -
                 before->data);
    const uint8_t *old = before->data + offset;
    const uint8_t *new = after->data + offset;
    const bool state_alone = (old[0] & 0x0F) == (new[0] & 0x0F) &&
                             same(old, new, 1, kw_slot_size(slot));
    if (!same(old, new, 0, kw_slot_size(slot)) &&
        !(state_alone && opcode == KW_OP_VERIFY &&
          kw_config_keeps_validity(before->config, slot))) {
        FUZZ_DEMAND(may_change(before, slot, opcode));
    }
}

void fuzz_check_change(const struct kw_sim_eeprom *before,
                       const struct kw_sim_eeprom *after, uint8_t opcode) {
    FUZZ_DEMAND(
        same(before->revision, after->revision, 0, sizeof before->revision));
    check_config(before->config, after->config, opcode);
    FUZZ_DEMAND(same(before->otp, after->otp, 0, KW_OTP_SIZE) ||
                (opcode == KW_OP_WRITE && kw_config_is_locked(before->config) &&
                 !kw_config_data_is_locked(before->config)));
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        check_slot(before, after, slot, opcode);
    }
}
