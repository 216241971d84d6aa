/* PrivWrite (46): puts a private key made elsewhere into a slot. Not in the
 * TrustFLEX sheet; sources: DS20005927A 9.14 as cited, and the vendor's host
 * library. 36 bytes (4 of padding, the scalar) and a MAC. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_ENCRYPTED 0x40
#define KEY_SIZE       36
#define MAC_SIZE       32

/* The mask is TempKey, and 4 bytes of its digest for the rest. */
static kw_status unmask(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        uint8_t plain[KEY_SIZE]) {
    uint8_t more[32];
    KW_TRY(kw_hash_bytes(&chip->hash, chip->sram.buffers.temp_key, 32, more));
    for (size_t i = 0; i < KEY_SIZE; i++) {
        const uint8_t mask =
            i < 32 ? chip->sram.buffers.temp_key[i] : more[i - 32];
        plain[i] = command->data[i] ^ mask;
    }
    kw_wipe(more, sizeof(more));
    return KW_OK;
}

/* A wrong MAC answers 01, as every comparison does (low confidence). */
static kw_status decrypt(struct kw_sim_chip *chip,
                         const struct kw_command *command,
                         uint8_t plain[KEY_SIZE]) {
    const struct kw_sim_serial serial = kw_sim_serial(chip);
    uint8_t mac[MAC_SIZE];
    KW_TRY(unmask(chip, command, plain));
    KW_TRY(kw_message_write_mac(&chip->hash, chip->sram.buffers.temp_key,
                                kw_sim_head(command), serial.bytes, plain,
                                KEY_SIZE, mac));
    kw_sim_temp_key_clear(chip);
    KW_SIM_DEMAND(kw_equal_ct(mac, command->data + KEY_SIZE, MAC_SIZE), chip,
                  KW_CHIP_MISMATCH,
                  "the MAC of the private key does not match");
    return KW_OK;
}

static kw_status store(struct kw_sim_chip *chip, unsigned slot,
                       const uint8_t plain[KEY_SIZE]) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    const kw_status status = chip->crypto->key_public(
        chip->crypto_context, plain + KW_SIM_PAD, public_key);
    KW_SIM_DEMAND(status != KW_PARSE_KEY, chip, KW_CHIP_EXECUTION,
                  "the bytes are not a P-256 private key");
    KW_TRY(status);
    kw_sim_slot_write(chip, slot, 0, plain, KEY_SIZE);
    return KW_OK;
}

kw_status kw_sim_privwrite(struct kw_sim_chip *chip,
                           const struct kw_command *command,
                           struct kw_sim_answer *answer) {
    (void)answer;
    const bool encrypted = (command->param1 & MODE_ENCRYPTED) != 0;
    const unsigned slot = command->param2;
    uint8_t plain[KEY_SIZE];
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_ENCRYPTED));
    KW_TRY(kw_sim_policy_slot_number(chip, slot));
    KW_TRY(kw_sim_policy_size(chip, command, KEY_SIZE + MAC_SIZE));
    KW_TRY(kw_sim_policy_privwrite(chip, slot, encrypted));
    if (!encrypted) {
        return store(chip, slot, command->data);
    }
    kw_status status = decrypt(chip, command, plain);
    if (status == KW_OK) {
        status = store(chip, slot, plain);
    }
    kw_wipe(plain, sizeof(plain));
    return status;
}
