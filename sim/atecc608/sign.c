/* Sign (41): signs a digest from outside, or a statement about the content
 * of TempKey. DS40002138A 5.2.4, tables 5-56 to 5-62 (D0 in 5-61 is an
 * erratum for E0). */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_INVALIDATE  0x01 /* the statement is meant to invalidate */
#define MODE_MESSAGE     0x20 /* digest from the message digest buffer */
#define MODE_FULL_SERIAL 0x40
#define MODE_EXTERNAL    0x80

static kw_status external_digest(struct kw_sim_chip *chip, unsigned mode,
                                 uint8_t value[32]) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    if ((mode & MODE_MESSAGE) != 0) {
        KW_TRY(kw_sim_policy_message(chip, 32));
        memcpy(value, buffers->message_digest, 32);
        kw_sim_message_clear(chip);
        return KW_OK;
    }
    KW_TRY(kw_sim_policy_temp_key(chip));
    memcpy(value, buffers->temp_key, 32);
    kw_sim_temp_key_clear(chip);
    return KW_OK;
}

static uint8_t flags_of(const struct kw_sim_volatile *buffers) {
    return (uint8_t)(buffers->temp_key_id | buffers->source_fixed << 4 |
                     buffers->gen_dig_data << 5 | buffers->gen_key_data << 6 |
                     buffers->no_mac << 7);
}

static kw_status internal_digest(struct kw_sim_chip *chip,
                                 const struct kw_command *command,
                                 uint8_t value[32]) {
    const struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const struct kw_sign_internal about = {
        .temp_key = buffers->temp_key,
        .head = kw_sim_head(command),
        .config = chip->eeprom.config,
        .key_id = buffers->temp_key_id,
        .temp_key_flags = flags_of(buffers),
        .for_invalidate = (command->param1 & MODE_INVALIDATE) != 0,
        .full_serial = (command->param1 & MODE_FULL_SERIAL) != 0,
    };
    uint8_t message[KW_SIGN_MESSAGE_SIZE];
    KW_TRY(kw_sim_policy_sign_internal(chip));
    kw_message_sign_internal(&about, message);
    kw_sim_temp_key_clear(chip);
    const kw_status status =
        kw_hash_bytes(&chip->hash, message, sizeof(message), value);
    kw_wipe(message, sizeof(message)); /* TempKey is in it */
    return status;
}

static kw_status sign(struct kw_sim_chip *chip, unsigned slot,
                      const uint8_t value[32], struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_health(chip));
    const kw_status status = chip->crypto->sign(
        chip->crypto_context, kw_sim_slot(chip, slot) + KW_SIM_PAD, value,
        answer->data);
    KW_SIM_DEMAND(status != KW_PARSE_KEY, chip, KW_CHIP_EXECUTION,
                  "slot %u holds no private key yet: make one with GenKey "
                  "first",
                  slot);
    answer->size = KW_SIGNATURE_SIZE;
    return status;
}

kw_status kw_sim_sign(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      struct kw_sim_answer *answer) {
    const bool external = (command->param1 & MODE_EXTERNAL) != 0;
    const unsigned slot = command->param2;
    uint8_t value[32];
    /* Bit 5 means nothing for an internal message, and is tolerated. */
    KW_TRY(
        kw_sim_policy_mode(chip, command,
                           MODE_MESSAGE | MODE_FULL_SERIAL |
                               (external ? MODE_EXTERNAL : MODE_INVALIDATE)));
    KW_TRY(kw_sim_policy_slot_number(chip, slot));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    KW_TRY(kw_sim_policy_sign(chip, slot, external));
    KW_TRY(external ? external_digest(chip, command->param1, value)
                    : internal_digest(chip, command, value));
    const kw_status status = sign(chip, slot, value, answer);
    kw_wipe(value, sizeof(value));
    return status;
}
