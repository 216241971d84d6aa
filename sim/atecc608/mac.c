/* MAC (08): SHA-256 over a key and a challenge. DS40002138A 5.3.5, table
 * 5-113. The OTP bits are in the sibling's sheet (DS40002025A p. 56) and in
 * the vendor's library; the 608 sheets show zeros there. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_SECOND_TEMP_KEY 0x01
#define MODE_FIRST_TEMP_KEY  0x02
#define MODE_SOURCE_FIXED    0x04
#define MODE_OTP_88          0x10
#define MODE_OTP_64          0x20
#define MODE_SERIAL          0x40
#define MODE_BITS            0x77
#define CHALLENGE_SIZE       32
#define OTP_PART             11 /* bytes: 88 bits */

static bool has(const struct kw_command *command, unsigned bit) {
    return (command->param1 & bit) != 0;
}

static kw_status allow(struct kw_sim_chip *chip,
                       const struct kw_command *command) {
    KW_TRY(kw_sim_policy_data_locked(chip));
    if (has(command, MODE_FIRST_TEMP_KEY | MODE_SECOND_TEMP_KEY)) {
        KW_TRY(kw_sim_policy_source(chip, has(command, MODE_SOURCE_FIXED)));
        KW_TRY(kw_sim_policy_may_mac(chip));
    }
    if (has(command, MODE_FIRST_TEMP_KEY)) {
        return KW_OK;
    }
    return kw_sim_policy_mac(chip, command->param2,
                             has(command, MODE_SECOND_TEMP_KEY));
}

static void otp_part(const struct kw_sim_chip *chip,
                     const struct kw_command *command, uint8_t otp[OTP_PART]) {
    memset(otp, 0, OTP_PART);
    if (has(command, MODE_OTP_88)) {
        memcpy(otp, chip->eeprom.otp, OTP_PART);
    } else if (has(command, MODE_OTP_64)) {
        memcpy(otp, chip->eeprom.otp, 8);
    }
}

kw_status kw_sim_mac(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    const uint8_t *temp_key = chip->sram.buffers.temp_key;
    const bool challenge_sent = !has(command, MODE_SECOND_TEMP_KEY);
    uint8_t otp[OTP_PART];

    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BITS));
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    KW_TRY(
        kw_sim_policy_size(chip, command, challenge_sent ? CHALLENGE_SIZE : 0));
    KW_TRY(allow(chip, command));
    otp_part(chip, command, otp);
    KW_TRY(kw_message_mac(
        &chip->hash,
        has(command, MODE_FIRST_TEMP_KEY) ? temp_key
                                          : kw_sim_slot(chip, command->param2),
        challenge_sent ? command->data : temp_key, kw_sim_head(command), otp,
        serial.bytes, answer->data));
    answer->size = KW_SHA256_SIZE;
    if (has(command, MODE_FIRST_TEMP_KEY | MODE_SECOND_TEMP_KEY)) {
        kw_sim_temp_key_clear(chip);
    }
    return KW_OK;
}
