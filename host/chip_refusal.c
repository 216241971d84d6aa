#include "host/chip_refusal.h"

#include <stdio.h>

#include "host/phrase.h"

#define KEY_TEMP_KEY 0xFFFF /* param2 that names TempKey as the key */

#define ADD(why, ...) kw_phrase_add((why), KW_WHY_MAX, __VA_ARGS__)

static const char CONFIG_OPEN[] =
    "the configuration zone is not locked yet: no slot can be used before";
static const char DATA_OPEN[] =
    "the data zone is not locked yet, and this needs it locked";

/* What a chip refuses that its configuration allows: what only it knows. */
static const char *other_cause(const struct kw_command *command) {
    switch (command->opcode) {
    case KW_OP_PRIVWRITE:
        return "the bytes are no P-256 private key, or Nonce and GenDig have "
               "not loaded TempKey";
    case KW_OP_SIGN:
    case KW_OP_GENKEY:
    case KW_OP_ECDH:
        return "the slot holds no private key, or Nonce has not loaded "
               "TempKey or the message digest buffer";
    case KW_OP_VERIFY:
        return "the slot holds no public key, or Nonce has not loaded "
               "TempKey or the message digest buffer";
    default:
        return "load TempKey or the message digest buffer with Nonce first";
    }
}

static void explain_permission(const struct kw_permission *permission,
                               const struct kw_command *command, char *why) {
    switch (permission->permitted) {
    case KW_PERMITTED_NO:
        (void)snprintf(why, KW_WHY_MAX, "%s", permission->why);
        break;
    case KW_PERMITTED_IF:
        (void)snprintf(why, KW_WHY_MAX,
                       "the configuration allows it on a condition that is "
                       "not met: %.*s",
                       KW_WHY_MAX - 80, permission->why);
        break;
    case KW_PERMITTED_YES:
        (void)snprintf(why, KW_WHY_MAX,
                       "the configuration allows it (%.*s), so it is "
                       "something else: %s",
                       KW_WHY_MAX - 200, permission->why, other_cause(command));
        break;
    }
}

static void explain_config_write(const uint8_t *config,
                                 const struct kw_command *command, char *why) {
    const unsigned offset = (command->param2 & 31u) * KW_WORD_SIZE;
    if (kw_config_is_locked(config)) {
        ADD(why, "the configuration zone is locked and never changes again");
    } else if (offset < KW_CONFIG_I2C_ADDRESS) {
        ADD(why, "configuration bytes 0 to 15 are never writable");
    } else {
        ADD(why, "configuration bytes 84 to 87 change through UpdateExtra and "
                 "Lock alone");
    }
}

static void explain_otp(const uint8_t *config, bool writing, char *why) {
    if (!kw_config_is_locked(config)) {
        ADD(why, "%s", CONFIG_OPEN);
    } else if (!writing) {
        ADD(why, "%s", DATA_OPEN);
    } else if (kw_config_data_is_locked(config)) {
        ADD(why, "the OTP zone was locked with the data zone and never "
                 "changes again");
    } else {
        ADD(why, "before the data lock: whole blocks of 32 bytes");
    }
}

static void explain_zone_lock(const uint8_t *config,
                              const struct kw_command *command, char *why) {
    const bool data = (command->param1 & 3u) == 1;
    const bool locked =
        data ? kw_config_data_is_locked(config) : kw_config_is_locked(config);
    if (locked) {
        ADD(why, "the %s zone is locked already",
            data ? "data" : "configuration");
    } else if (data && !kw_config_is_locked(config)) {
        ADD(why, "the configuration zone is not locked yet");
    } else {
        ADD(why, "the zone's CRC is not the one given: nothing was locked");
    }
}

static bool is_access(const struct kw_command *command) {
    return command->opcode == KW_OP_READ || command->opcode == KW_OP_WRITE;
}

static bool is_aes(const struct kw_command *command) {
    return command->opcode == KW_OP_AES || command->opcode == KW_OP_KDF;
}

static void explain_execution(const uint8_t *config,
                              const struct kw_command *command, char *why) {
    struct kw_permission permission;
    unsigned slot = 0;
    const unsigned zone = command->param1 & 3u;
    if (kw_explain_command(config, command, &slot, &permission) &&
        slot < KW_SLOT_COUNT) {
        explain_permission(&permission, command, why);
    } else if (command->opcode == KW_OP_WRITE && zone == KW_ZONE_CONFIG) {
        explain_config_write(config, command, why);
    } else if (is_access(command) && zone == KW_ZONE_OTP) {
        explain_otp(config, command->opcode == KW_OP_WRITE, why);
    } else if (command->opcode == KW_OP_LOCK) {
        explain_zone_lock(config, command, why);
    } else if (!kw_config_is_locked(config)) {
        ADD(why, "%s", CONFIG_OPEN);
    }
}

static void explain_parse(const uint8_t *config,
                          const struct kw_command *command, char *why) {
    struct kw_permission permission;
    unsigned slot = 0;
    const bool has_slot =
        kw_explain_command(config, command, &slot, &permission);
    const size_t at = (size_t)(command->param2 >> 8) * KW_BLOCK_SIZE;
    if (has_slot && slot >= KW_SLOT_COUNT && slot != KEY_TEMP_KEY) {
        ADD(why, "there is no slot %u: slots are 0 to 15", slot);
    } else if (has_slot && is_access(command) && at >= kw_slot_size(slot)) {
        ADD(why, "slot %u has %zu bytes: no byte %zu", slot, kw_slot_size(slot),
            at);
    } else if (is_aes(command) && (config[KW_CONFIG_AES_ENABLE] & 1u) == 0) {
        ADD(why, "AES_Enable is 0: this chip has neither AES nor KDF");
    } else {
        ADD(why, "command %02X has no mode %02X with %zu bytes of data",
            command->opcode, command->param1, command->data_size);
    }
}

void kw_explain_refusal(const uint8_t config[KW_CONFIG_SIZE],
                        const struct kw_command *command, kw_status status,
                        char why[KW_WHY_MAX]) {
    why[0] = '\0';
    if (status == KW_CHIP_EXECUTION) {
        explain_execution(config, command, why);
    } else if (status == KW_CHIP_PARSE) {
        explain_parse(config, command, why);
    }
}

kw_status kw_error_refused(struct kw_error *error, kw_status status,
                           const struct kw_chip *chip, const char *doing,
                           const uint8_t config[KW_CONFIG_SIZE],
                           const struct kw_command *wanted) {
    struct kw_permission permission;
    unsigned slot = 0;
    kw_error_chip(error, status, chip, doing);
    if (status == KW_CHIP_EXECUTION &&
        kw_explain_command(config, wanted, &slot, &permission) &&
        slot < KW_SLOT_COUNT && permission.permitted == KW_PERMITTED_NO) {
        (void)snprintf(error->message, sizeof error->message, "%s: %s: %s",
                       doing, kw_status_text(status), permission.why);
    }
    return status;
}
