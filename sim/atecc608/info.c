/* Info (30): revision, key validity, state, GPIO, persistent latch.
 * DS40002138A 5.1.2, tables 5-8 to 5-13. */
#include <string.h>

#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

enum {
    MODE_REVISION,
    MODE_KEY_VALID,
    MODE_STATE,
    MODE_GPIO,
    MODE_LATCH,
};

#define I2C_ENABLED 0x01 /* of configuration byte 14 */
#define PARAM_SET   2u   /* param2 bit 1: set to bit 0 */
#define ANSWER_SIZE 4

/* Only what the chip itself can know: whether a scalar is below the order,
 * and a kept validity. Other slots answer 0, which means nothing there. */
static kw_status key_valid(struct kw_sim_chip *chip, unsigned slot,
                           uint8_t *valid) {
    const struct kw_key_config key = kw_sim_key_config(chip, slot);
    const uint8_t *stored = kw_sim_slot(chip, slot);
    *valid = 0;
    if (kw_config_keeps_validity(chip->eeprom.config, slot)) {
        *valid = kw_sim_slot_is_valid(chip, slot) ? 1 : 0;
        return KW_OK;
    }
    if (!key.is_private || key.key_type != KW_KEY_TYPE_P256) {
        return KW_OK;
    }
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    const kw_status status = chip->crypto->key_public(
        chip->crypto_context, stored + KW_SIM_PAD, public_key);
    *valid = status == KW_OK ? 1 : 0;
    return status == KW_PARSE_KEY ? KW_OK : status;
}

/* Table 5-10 prints the meaning of SourceFlag the wrong way round; 3-1 and
 * every chip seen have 1 = fixed. The RNG bits of the 508A are gone. */
static void state(const struct kw_sim_chip *chip, uint8_t bytes[2]) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const struct kw_sim_authorisation *given = &chip->sram.authorisation;
    bytes[0] = (uint8_t)(buffers->no_mac << 7 | buffers->gen_key_data << 6 |
                         buffers->gen_dig_data << 5 |
                         buffers->source_fixed << 4 | buffers->temp_key_id);
    bytes[1] = (uint8_t)(buffers->temp_key_valid << 7 | given->key_id << 3 |
                         given->valid << 2);
}

static kw_status flag_param(struct kw_sim_chip *chip,
                            const struct kw_command *command) {
    KW_SIM_DEMAND(command->param2 <= 3, chip, KW_CHIP_PARSE,
                  "Info mode %02X takes param2 0 to 3, not %04X",
                  command->param1, command->param2);
    return KW_OK;
}

static void set_flag(const struct kw_command *command, bool *value) {
    if ((command->param2 & PARAM_SET) != 0) {
        *value = (command->param2 & 1u) != 0;
    }
}

static kw_status gpio(struct kw_sim_chip *chip,
                      const struct kw_command *command) {
    const uint8_t interface = chip->eeprom.config[KW_CONFIG_I2C_ENABLE];
    KW_SIM_DEMAND((interface & I2C_ENABLED) == 0, chip, KW_CHIP_EXECUTION,
                  "this part speaks I2C and has no GPIO pin");
    KW_TRY(flag_param(chip, command));
    set_flag(command, &chip->powered.gpio);
    return KW_OK;
}

static kw_status latch(struct kw_sim_chip *chip,
                       const struct kw_command *command) {
    KW_TRY(flag_param(chip, command));
    if ((command->param2 & PARAM_SET) != 0) {
        KW_TRY(kw_sim_policy_latch(chip));
    }
    set_flag(command, &chip->powered.latch);
    return KW_OK;
}

kw_status kw_sim_info(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    answer->size = ANSWER_SIZE;
    switch (command->param1) {
    case MODE_REVISION:
        KW_TRY(kw_sim_policy_param2(chip, command, 0));
        memcpy(answer->data, chip->eeprom.revision, ANSWER_SIZE);
        return KW_OK;
    case MODE_KEY_VALID:
        KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
        return key_valid(chip, command->param2, answer->data);
    case MODE_STATE:
        KW_TRY(kw_sim_policy_param2(chip, command, 0));
        state(chip, answer->data);
        return KW_OK;
    case MODE_GPIO:
        KW_TRY(gpio(chip, command));
        answer->data[0] = chip->powered.gpio ? 1 : 0;
        return KW_OK;
    case MODE_LATCH:
        KW_TRY(latch(chip, command));
        answer->data[0] = chip->powered.latch ? 1 : 0;
        return KW_OK;
    default:
        return kw_sim_refuse(chip, KW_CHIP_PARSE, "Info has no mode %02X",
                             command->param1);
    }
}
