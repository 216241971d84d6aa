/* GenDig (15): mixes a key, a counter or chip content into TempKey.
 * DS40002138A 5.3.3, tables 5-84 to 5-98. Table 5-86 prints mode 00 for the
 * OTP zone and table 5-98 another layout for KeyConfig: both are taken for
 * errata, since the vendor's tests run against silicon contradict them. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

enum {
    ZONE_CONFIG,
    ZONE_OTP,
    ZONE_DATA,
    ZONE_SHARED_NONCE,
    ZONE_COUNTER,
    ZONE_KEY_CONFIG,
};

#define MIDDLE_SIZE     25
#define OTHER_DATA_SIZE 4
#define SHARED_REVERSED 0x8000u /* param2: TempKey first, then the input */

/* The parts of the message that differ from zone to zone. */
struct parts {
    uint8_t input[32];
    uint8_t middle[MIDDLE_SIZE];
    uint8_t tail[32];
    struct kw_message_head head;
    bool from_key; /* GenDigData and KeyID are set */
    bool no_mac;
};

static kw_status blocks(struct kw_sim_chip *chip,
                        const struct kw_command *command, const uint8_t *zone,
                        size_t zone_size, struct parts *parts) {
    const size_t offset = (size_t)command->param2 * KW_BLOCK_SIZE;
    KW_SIM_DEMAND(offset < zone_size, chip, KW_CHIP_PARSE,
                  "GenDig zone %u has no block %u", command->param1,
                  command->param2);
    memcpy(parts->input, zone + offset, KW_BLOCK_SIZE);
    return KW_OK;
}

/* A key with NoMac puts OtherData in the place of the command's head, and
 * TempKey is marked, so that it cannot feed a MAC. */
static kw_status key(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct parts *parts) {
    const unsigned slot = command->param2;
    KW_TRY(kw_sim_policy_slot_number(chip, slot));
    KW_TRY(kw_sim_policy_gendig(chip, slot));
    parts->no_mac = kw_sim_slot_config(chip, slot).no_mac;
    if (parts->no_mac) {
        KW_TRY(kw_sim_policy_size(chip, command, OTHER_DATA_SIZE));
        memcpy(parts->head.bytes, command->data, OTHER_DATA_SIZE);
    }
    parts->from_key = true;
    memcpy(parts->input, kw_sim_slot(chip, slot), KW_SIM_KEY_SIZE);
    return KW_OK;
}

/* Never sets GenDigData, although the notes of table 5-91 say so: else any
 * host could pass for the holder of a slot's key. Open point. */
static kw_status shared_nonce(struct kw_sim_chip *chip,
                              const struct kw_command *command,
                              struct parts *parts) {
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2 & ~SHARED_REVERSED));
    KW_TRY(kw_sim_policy_size(chip, command, 32));
    parts->head.bytes[3] = 0;
    if ((command->param2 & SHARED_REVERSED) == 0) {
        memcpy(parts->input, command->data, 32);
        return KW_OK;
    }
    memcpy(parts->input, chip->sram.buffers.temp_key, 32);
    memcpy(parts->tail, command->data, 32);
    return KW_OK;
}

static kw_status counter(struct kw_sim_chip *chip,
                         const struct kw_command *command,
                         struct parts *parts) {
    KW_SIM_DEMAND(command->param2 <= 1, chip, KW_CHIP_PARSE,
                  "there is no counter %u", command->param2);
    const uint8_t *stored =
        chip->eeprom.config + KW_CONFIG_COUNTER + 8 * (size_t)command->param2;
    kw_store_le32(parts->middle + 1, kw_counter_decode(stored));
    return KW_OK;
}

static kw_status key_config(struct kw_sim_chip *chip,
                            const struct kw_command *command,
                            struct parts *parts) {
    const size_t slot = command->param2;
    const uint8_t *config = chip->eeprom.config;
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    memcpy(parts->middle + 1, config + KW_CONFIG_SLOT_CONFIG + 2 * slot, 2);
    memcpy(parts->middle + 3, config + KW_CONFIG_KEY_CONFIG + 2 * slot, 2);
    parts->middle[5] =
        kw_config_slot_is_locked(config, command->param2) ? 0 : 1;
    return KW_OK;
}

/* Real hosts send four spare bytes even where none are used. */
static kw_status data_size(struct kw_sim_chip *chip,
                           const struct kw_command *command) {
    KW_SIM_DEMAND(command->data_size == 0 ||
                      command->data_size == OTHER_DATA_SIZE ||
                      command->param1 == ZONE_SHARED_NONCE,
                  chip, KW_CHIP_PARSE,
                  "GenDig zone %u takes 0 or 4 bytes of data, not %zu",
                  command->param1, command->data_size);
    return KW_OK;
}

static kw_status gather(struct kw_sim_chip *chip,
                        const struct kw_command *command, struct parts *parts) {
    KW_TRY(data_size(chip, command));
    switch (command->param1) {
    case ZONE_CONFIG:
        return blocks(chip, command, chip->eeprom.config, KW_CONFIG_SIZE,
                      parts);
    case ZONE_OTP:
        return blocks(chip, command, chip->eeprom.otp, KW_OTP_SIZE, parts);
    case ZONE_DATA:
        return key(chip, command, parts);
    case ZONE_SHARED_NONCE:
        return shared_nonce(chip, command, parts);
    case ZONE_COUNTER:
        return counter(chip, command, parts);
    case ZONE_KEY_CONFIG:
        return key_config(chip, command, parts);
    default:
        return kw_sim_refuse(chip, KW_CHIP_PARSE, "GenDig has no zone %02X",
                             command->param1);
    }
}

/* SourceFlag stays; NoMac stays once set; GenKeyData no longer holds. */
static kw_status mix(struct kw_sim_chip *chip, const struct kw_command *command,
                     const struct parts *parts) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    uint8_t digest[32];
    KW_TRY(kw_message_gendig(&chip->hash, parts->input, parts->head,
                             serial.bytes, parts->middle, parts->tail, digest));
    kw_sim_temp_key_replace(chip, digest);
    kw_wipe(digest, sizeof(digest));
    buffers->gen_key_data = false;
    buffers->gen_dig_data = parts->from_key;
    buffers->temp_key_id =
        parts->from_key ? (uint8_t)command->param2 : (uint8_t)0;
    buffers->no_mac = buffers->no_mac || parts->no_mac;
    return KW_OK;
}

kw_status kw_sim_gendig(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        struct kw_sim_answer *answer) {
    (void)answer;
    struct parts parts = {.head = kw_sim_head(command)};
    memcpy(parts.tail, chip->sram.buffers.temp_key, 32);
    kw_status status = gather(chip, command, &parts);
    if (status == KW_OK) {
        status = kw_sim_policy_data_locked(chip);
    }
    if (status == KW_OK) {
        status = kw_sim_policy_temp_key(chip);
    }
    if (status == KW_OK) {
        status = mix(chip, command, &parts);
    }
    kw_wipe(&parts, sizeof(parts));
    chip->failure_takes_temp_key = status != KW_CHIP_PARSE;
    return status;
}
