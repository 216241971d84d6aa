/* Lock (17): makes a zone or a slot unchangeable. DS40002138A 5.1.3; the
 * CRC over zones: DS40002025A p. 55, same CRC as the frames. Whether slots
 * with private keys count in the data CRC is published nowhere; they do
 * here. */
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_ZONE   0x03
#define MODE_SLOT   0x3C /* slot number in bits 5:2 */
#define MODE_NO_CRC 0x80

enum {
    ZONE_CONFIG,
    ZONE_DATA_AND_OTP,
    ZONE_SLOT,
};

static kw_status check_crc(struct kw_sim_chip *chip,
                           const struct kw_command *command, uint16_t crc) {
    if ((command->param1 & MODE_NO_CRC) != 0) {
        return KW_OK;
    }
    return kw_sim_policy_lock_crc(chip, command->param2, crc);
}

static kw_status lock_config(struct kw_sim_chip *chip,
                             const struct kw_command *command) {
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_NO_CRC | MODE_ZONE));
    KW_TRY(kw_sim_policy_lock_config(chip));
    KW_TRY(check_crc(chip, command,
                     kw_crc16(chip->eeprom.config, KW_CONFIG_SIZE)));
    kw_sim_change(chip)->config[KW_CONFIG_LOCK_CONFIG] = 0;
    return KW_OK;
}

static kw_status lock_data(struct kw_sim_chip *chip,
                           const struct kw_command *command) {
    const uint16_t data = kw_crc16(chip->eeprom.data, KW_SIM_DATA_SIZE);
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_NO_CRC | MODE_ZONE));
    KW_TRY(kw_sim_policy_lock_data(chip));
    KW_TRY(check_crc(chip, command,
                     kw_crc16_more(data, chip->eeprom.otp, KW_OTP_SIZE)));
    kw_sim_change(chip)->config[KW_CONFIG_LOCK_VALUE] = 0;
    return KW_OK;
}

static kw_status lock_slot(struct kw_sim_chip *chip,
                           const struct kw_command *command) {
    const unsigned slot = (command->param1 & MODE_SLOT) >> 2;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_SLOT | MODE_ZONE));
    KW_TRY(kw_sim_policy_lock_slot(chip, slot));
    uint8_t *flags =
        &kw_sim_change(chip)->config[KW_CONFIG_SLOT_LOCKED + slot / 8];
    *flags = (uint8_t)(*flags & ~(1u << (slot % 8)));
    return KW_OK;
}

kw_status kw_sim_lock(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      struct kw_sim_answer *answer) {
    (void)answer;
    KW_TRY(
        kw_sim_policy_mode(chip, command, MODE_NO_CRC | MODE_SLOT | MODE_ZONE));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    switch (command->param1 & MODE_ZONE) {
    case ZONE_CONFIG:
        return lock_config(chip, command);
    case ZONE_DATA_AND_OTP:
        return lock_data(chip, command);
    case ZONE_SLOT:
        return lock_slot(chip, command);
    default:
        return kw_sim_refuse(chip, KW_CHIP_PARSE, "there is no zone 3");
    }
}
