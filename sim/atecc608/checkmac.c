/* CheckMac (28): compares a MAC that a host computed; a match authorises the
 * use of other keys, and may copy a key to TempKey. The message is the
 * vendor's library's, the copy DS40002025A p. 47 (medium confidence: that
 * the 608 pairs slots by parity as the 204A does is not confirmed). */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_SECOND_TEMP_KEY 0x01
#define MODE_FIRST_TEMP_KEY  0x02
#define MODE_SOURCE_FIXED    0x04
#define MODE_OTP_64          0x20
#define MODE_BITS            0x27
#define OTP_PART             8

/* The command's data: challenge, the MAC to compare with, OtherData. */
enum {
    AT_CHALLENGE = 0,
    AT_RESPONSE = 32,
    AT_OTHER = 64,
    DATA_SIZE = 77,
};

static bool has(const struct kw_command *command, unsigned bit) {
    return (command->param1 & bit) != 0;
}

static bool uses_temp_key(const struct kw_command *command) {
    return has(command, MODE_FIRST_TEMP_KEY | MODE_SECOND_TEMP_KEY);
}

static kw_status allow(struct kw_sim_chip *chip,
                       const struct kw_command *command) {
    KW_TRY(kw_sim_policy_data_locked(chip));
    if (uses_temp_key(command)) {
        KW_TRY(kw_sim_policy_source(chip, has(command, MODE_SOURCE_FIXED)));
    }
    if (has(command, MODE_FIRST_TEMP_KEY)) {
        return KW_OK;
    }
    return kw_sim_policy_checkmac(chip, command->param2,
                                  has(command, MODE_SECOND_TEMP_KEY));
}

/* first second other[0:4] OTP[0:8] other[4:7] SN[8] other[7:11] SN[0:1]
 * other[11:13]: 88 bytes, the layout of MAC. */
static kw_status compute(const struct kw_sim_chip *chip,
                         const struct kw_command *command, uint8_t mac[32]) {
    static const uint8_t no_otp[OTP_PART];
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    const uint8_t *temp_key = chip->sram.buffers.temp_key;
    const uint8_t *other = command->data + AT_OTHER;
    const struct kw_span spans[] = {
        {has(command, MODE_FIRST_TEMP_KEY) ? temp_key
                                           : kw_sim_slot(chip, command->param2),
         KW_SIM_KEY_SIZE},
        {has(command, MODE_SECOND_TEMP_KEY) ? temp_key
                                            : command->data + AT_CHALLENGE,
         32},
        {other, 4},
        {has(command, MODE_OTP_64) ? chip->eeprom.otp : no_otp, OTP_PART},
        {other + 4, 3},
        {serial.bytes + 8, 1},
        {other + 7, 4},
        {serial.bytes, 2},
        {other + 11, 2},
    };
    return kw_hash_spans(&chip->hash, spans, sizeof(spans) / sizeof(*spans),
                         mac);
}

/* Modes 01 and 05: the odd slot of the pair, when its ReadKey is 0. That
 * NoMac of the copied key sticks to TempKey is inference. */
static void copy(struct kw_sim_chip *chip, unsigned slot) {
    const unsigned target = slot | 1u;
    if (kw_sim_policy_may_copy(chip, target)) {
        kw_sim_temp_key_load(chip, kw_sim_slot(chip, target), KW_SIM_KEY_SIZE,
                             true);
        chip->sram.buffers.no_mac = kw_sim_slot_config(chip, target).no_mac;
    }
}

/* Only a key that answered a random nonce authorises; a failed comparison
 * takes an earlier authorisation away (inference, on the safe side). */
static void settle(struct kw_sim_chip *chip, const struct kw_command *command,
                   bool matches) {
    const unsigned temp_keys = MODE_FIRST_TEMP_KEY | MODE_SECOND_TEMP_KEY;
    const bool by_nonce = (command->param1 & temp_keys) == MODE_SECOND_TEMP_KEY;
    const bool random = !chip->sram.buffers.source_fixed;
    if (uses_temp_key(command)) {
        kw_sim_temp_key_clear(chip);
    }
    if (!matches) {
        chip->sram.authorisation.valid = false;
        chip->sram.authorisation.key_id = 0;
        return;
    }
    if (by_nonce && random) {
        chip->sram.authorisation.valid = true;
        chip->sram.authorisation.key_id = (uint8_t)command->param2;
    }
    if (by_nonce && !has(command, MODE_OTP_64)) {
        copy(chip, command->param2);
    }
}

kw_status kw_sim_checkmac(struct kw_sim_chip *chip,
                          const struct kw_command *command,
                          struct kw_sim_answer *answer) {
    (void)answer;
    uint8_t mac[KW_SHA256_SIZE];
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BITS));
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    KW_TRY(kw_sim_policy_size(chip, command, DATA_SIZE));
    KW_TRY(allow(chip, command));
    KW_TRY(compute(chip, command, mac));
    const bool matches =
        kw_equal_ct(mac, command->data + AT_RESPONSE, sizeof(mac));
    kw_wipe(mac, sizeof(mac));
    settle(chip, command, matches);
    KW_SIM_DEMAND(matches, chip, KW_CHIP_MISMATCH,
                  "the MAC is not the one of the key and the challenge");
    return KW_OK;
}
