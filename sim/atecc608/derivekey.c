/* DeriveKey (1C): replaces a symmetric key by a hash of its parent and a
 * nonce. DS40002154A 5.3.3 (the only sheet of a 608 that describes it). */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_SOURCE_FIXED 0x04
#define MAC_SIZE          32

static const uint8_t ZEROS[25];

/* parent(32) 1C param1 param2 SN[8] SN[0:1]. A wrong MAC answers 01, as
 * every comparison does (low confidence). */
static kw_status check_mac(struct kw_sim_chip *chip,
                           const struct kw_command *command, unsigned parent) {
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    const struct kw_message_head head = kw_sim_head(command);
    const struct kw_span spans[] = {
        {kw_sim_slot(chip, parent), KW_SIM_KEY_SIZE},
        {head.bytes, sizeof(head.bytes)},
        {serial.bytes + 8, 1},
        {serial.bytes, 2},
    };
    uint8_t mac[KW_SHA256_SIZE];
    KW_TRY(
        kw_hash_spans(&chip->hash, spans, sizeof(spans) / sizeof(*spans), mac));
    const bool matches = kw_equal_ct(mac, command->data, MAC_SIZE);
    kw_wipe(mac, sizeof(mac));
    if (!matches) {
        kw_sim_temp_key_clear(chip);
    }
    KW_SIM_DEMAND(matches, chip, KW_CHIP_MISMATCH,
                  "the MAC over the command is not the parent key's");
    return KW_OK;
}

kw_status kw_sim_derivekey(struct kw_sim_chip *chip,
                           const struct kw_command *command,
                           struct kw_sim_answer *answer) {
    (void)answer;
    const unsigned target = command->param2;
    const bool with_mac = command->data_size != 0;
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    struct kw_sim_derivation derivation;
    uint8_t key[KW_SHA256_SIZE];
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_SOURCE_FIXED));
    KW_TRY(kw_sim_policy_slot_number(chip, target));
    KW_TRY(kw_sim_policy_size(chip, command, with_mac ? MAC_SIZE : 0));
    KW_TRY(kw_sim_policy_data_locked(chip));
    KW_TRY(
        kw_sim_policy_source(chip, (command->param1 & MODE_SOURCE_FIXED) != 0));
    KW_TRY(kw_sim_policy_derive(chip, target, with_mac, &derivation));
    KW_TRY(with_mac ? check_mac(chip, command, derivation.parent) : KW_OK);
    KW_TRY(kw_message_gendig(&chip->hash, kw_sim_slot(chip, derivation.source),
                             kw_sim_head(command), serial.bytes, ZEROS,
                             chip->sram.buffers.temp_key, key));
    kw_sim_slot_write(chip, target, 0, key, sizeof(key));
    kw_wipe(key, sizeof(key));
    kw_sim_temp_key_clear(chip);
    return KW_OK;
}
