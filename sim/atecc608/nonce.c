/* Nonce (16): random or passed-in values for TempKey, the message digest
 * buffer and the alternate key buffer. DS40002138A 5.1.4, tables 5-16 to
 * 5-22. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_MASK         0x03
#define MODE_PASS_THROUGH 0x03
#define MODE_64_BYTES     0x20
#define MODE_TARGET       0xC0
#define TARGET_TEMP_KEY   0x00
#define TARGET_MESSAGE    0x40
#define TARGET_ALTERNATE  0x80
#define PARAM2_TEMP_KEY   0x8000u /* hash TempKey in place of the RNG */

static kw_status hashed(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        const uint8_t source[32], uint8_t digest[32]) {
    return kw_message_nonce(&chip->hash, source, command->data,
                            kw_sim_head(command), digest);
}

static kw_status from_generator(struct kw_sim_chip *chip,
                                const struct kw_command *command,
                                struct kw_sim_answer *answer) {
    uint8_t value[32];
    KW_TRY(kw_sim_random_bytes(chip, answer->data));
    KW_TRY(hashed(chip, command, answer->data, value));
    kw_sim_temp_key_load(chip, value, sizeof(value), false);
    kw_wipe(value, sizeof(value));
    answer->size = 32;
    return KW_OK;
}

/* Table 5-18 says that SourceFlag ends as "random". Taken literally, a fixed
 * nonce could be laundered into a random one and ReqRandom defeated; the
 * vendor's host model keeps all flags, and so does this. Open point. */
static kw_status from_temp_key(struct kw_sim_chip *chip,
                               const struct kw_command *command,
                               struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_temp_key(chip));
    KW_TRY(hashed(chip, command, chip->sram.buffers.temp_key, answer->data));
    kw_sim_temp_key_replace(chip, answer->data);
    answer->size = 32;
    return KW_OK;
}

static kw_status random_nonce(struct kw_sim_chip *chip,
                              const struct kw_command *command,
                              struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_mode(chip, command, 0x01));
    KW_TRY(kw_sim_policy_size(chip, command, KW_NUM_IN_SIZE));
    if (command->param2 == PARAM2_TEMP_KEY) {
        return from_temp_key(chip, command, answer);
    }
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    return from_generator(chip, command, answer);
}

static kw_status load(struct kw_sim_chip *chip,
                      const struct kw_command *command) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const size_t size = command->data_size;
    switch (command->param1 & MODE_TARGET) {
    case TARGET_TEMP_KEY:
        kw_sim_temp_key_load(chip, command->data, size, true);
        return KW_OK;
    case TARGET_MESSAGE:
        kw_sim_message_load(chip, command->data, size);
        return KW_OK;
    case TARGET_ALTERNATE:
        KW_TRY(kw_sim_policy_size(chip, command, 32));
        memcpy(buffers->alternate_key, command->data, 32);
        buffers->alternate_key_valid = true;
        return KW_OK;
    default:
        return kw_sim_refuse(chip, KW_CHIP_PARSE, "Nonce has no target 3");
    }
}

static kw_status pass_through(struct kw_sim_chip *chip,
                              const struct kw_command *command) {
    const size_t size = (command->param1 & MODE_64_BYTES) != 0 ? 64 : 32;
    KW_TRY(kw_sim_policy_mode(chip, command,
                              MODE_MASK | MODE_64_BYTES | MODE_TARGET));
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    KW_TRY(kw_sim_policy_size(chip, command, size));
    return load(chip, command);
}

kw_status kw_sim_nonce(struct kw_sim_chip *chip,
                       const struct kw_command *command,
                       struct kw_sim_answer *answer) {
    const unsigned mode = command->param1 & MODE_MASK;
    return mode == MODE_PASS_THROUGH ? pass_through(chip, command)
                                     : random_nonce(chip, command, answer);
}
