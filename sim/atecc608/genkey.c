/* GenKey (40): makes private keys, gives public ones, digests them into
 * TempKey. DS40002138A 5.2.2, tables 5-46 to 5-55. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_CREATE        0x04
#define MODE_DIGEST        0x08
#define MODE_STORED_PUBLIC 0x10
#define OTHER_DATA_SIZE    3

static kw_status digest(struct kw_sim_chip *chip, unsigned slot,
                        struct kw_message_head head,
                        const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    uint8_t value[32];
    KW_TRY(kw_sim_policy_genkey_digest(chip, slot));
    KW_TRY(kw_message_genkey(&chip->hash, buffers->temp_key, head, serial.bytes,
                             public_key, value));
    kw_sim_temp_key_replace(chip, value);
    buffers->gen_key_data = true;
    buffers->gen_dig_data = false;
    buffers->temp_key_id = (uint8_t)slot;
    return KW_OK;
}

static kw_status public_of(struct kw_sim_chip *chip,
                           const uint8_t private_key[32],
                           struct kw_sim_answer *answer) {
    const kw_status status = chip->crypto->key_public(
        chip->crypto_context, private_key, answer->data);
    KW_SIM_DEMAND(status != KW_PARSE_KEY, chip, KW_CHIP_EXECUTION,
                  "there is no private key yet: make one with GenKey first");
    answer->size = KW_PUBLIC_KEY_SIZE;
    return status;
}

static kw_status create_in_slot(struct kw_sim_chip *chip, unsigned slot,
                                struct kw_sim_answer *answer) {
    uint8_t stored[KW_SIM_PAD + KW_SIM_KEY_SIZE] = {0};
    uint8_t *fresh = stored + KW_SIM_PAD;
    KW_TRY(kw_sim_random_key(chip, fresh));
    const kw_status status = public_of(chip, fresh, answer);
    if (status == KW_OK) {
        kw_sim_slot_write(chip, slot, 0, stored, sizeof(stored));
    }
    kw_wipe(stored, sizeof(stored));
    return status;
}

/* TempKey becomes an ephemeral private key that only ECDH can use. Its
 * flags are not published: SourceFlag random, all else 0 is taken. */
static kw_status create_in_temp_key(struct kw_sim_chip *chip,
                                    struct kw_sim_answer *answer) {
    uint8_t fresh[KW_SIM_KEY_SIZE];
    KW_TRY(kw_sim_random_key(chip, fresh));
    const kw_status status = public_of(chip, fresh, answer);
    if (status == KW_OK) {
        kw_sim_temp_key_load(chip, fresh, sizeof(fresh), false);
        chip->sram.buffers.temp_key_private = true;
    }
    kw_wipe(fresh, sizeof(fresh));
    return status;
}

/* Table 5-49 shows three bytes of OtherData that the vendor's library does
 * not send: both are taken. */
static kw_status for_temp_key(struct kw_sim_chip *chip,
                              const struct kw_command *command,
                              struct kw_sim_answer *answer) {
    KW_SIM_DEMAND(command->param1 == MODE_CREATE, chip, KW_CHIP_PARSE,
                  "GenKey mode %02X does not work on TempKey", command->param1);
    if (command->data_size != OTHER_DATA_SIZE) {
        KW_TRY(kw_sim_policy_size(chip, command, 0));
    }
    KW_TRY(kw_sim_policy_config_locked(chip));
    return create_in_temp_key(chip, answer);
}

static kw_status for_stored_public(struct kw_sim_chip *chip,
                                   const struct kw_command *command) {
    const unsigned slot = command->param2;
    struct kw_message_head head = kw_sim_head(command);
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_sim_policy_size(chip, command, OTHER_DATA_SIZE));
    KW_TRY(kw_sim_policy_public_key(chip, slot));
    kw_sim_public_key(chip, slot, public_key);
    memcpy(head.bytes + 1, command->data, OTHER_DATA_SIZE);
    return digest(chip, slot, head, public_key);
}

static kw_status for_private(struct kw_sim_chip *chip,
                             const struct kw_command *command,
                             struct kw_sim_answer *answer) {
    const unsigned slot = command->param2;
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    if ((command->param1 & MODE_CREATE) != 0) {
        KW_TRY(kw_sim_policy_genkey_create(chip, slot));
        KW_TRY(create_in_slot(chip, slot, answer));
    } else {
        KW_TRY(kw_sim_policy_genkey_public(chip, slot));
        KW_TRY(public_of(chip, kw_sim_slot(chip, slot) + KW_SIM_PAD, answer));
    }
    if ((command->param1 & MODE_DIGEST) == 0) {
        return KW_OK;
    }
    return digest(chip, slot, kw_sim_head(command), answer->data);
}

kw_status kw_sim_genkey(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        struct kw_sim_answer *answer) {
    if (command->param1 != MODE_STORED_PUBLIC) {
        KW_TRY(kw_sim_policy_mode(chip, command, MODE_CREATE | MODE_DIGEST));
    }
    if (command->param2 == KW_SIM_KEY_TEMPKEY) {
        return for_temp_key(chip, command, answer);
    }
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    return command->param1 == MODE_STORED_PUBLIC
               ? for_stored_public(chip, command)
               : for_private(chip, command, answer);
}
