/* AES (51): one block of AES-128, or one multiplication of GCM's field.
 * DS40002138A 5.3.1. Table 5-72 lists only block 0 with TempKey; the vendor's
 * tests use all four after a load of 64 bytes. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

enum {
    MODE_ENCRYPT,
    MODE_DECRYPT,
    MODE_GFM = 3,
};

#define MODE_MASK  0x07
#define MODE_BLOCK 0xC0 /* which 16 bytes of the slot are the key */
#define BLOCK      16

/* Neither reads TempKey up nor changes it: D1 3.1. */
static kw_status find_key(struct kw_sim_chip *chip,
                          const struct kw_command *command,
                          const uint8_t **key) {
    const unsigned block = command->param1 >> 6;
    const unsigned slot = command->param2;
    if (slot == KW_SIM_KEY_TEMPKEY) {
        KW_TRY(block < 2 ? kw_sim_policy_temp_key(chip)
                         : kw_sim_policy_temp_key_64(chip));
        *key = chip->sram.buffers.temp_key + BLOCK * (size_t)block;
        return KW_OK;
    }
    KW_TRY(kw_sim_policy_slot_number(chip, slot));
    KW_SIM_DEMAND((block + 1) * (size_t)BLOCK <= kw_slot_size(slot), chip,
                  KW_CHIP_PARSE, "slot %u has no AES key block %u", slot,
                  block);
    KW_TRY(kw_sim_policy_aes_key(chip, slot));
    *key = kw_sim_slot(chip, slot) + BLOCK * (size_t)block;
    return KW_OK;
}

static kw_status cipher(struct kw_sim_chip *chip,
                        const struct kw_command *command,
                        struct kw_sim_answer *answer) {
    const bool decrypt = (command->param1 & MODE_MASK) == MODE_DECRYPT;
    const uint8_t *key = NULL;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BLOCK | MODE_DECRYPT));
    KW_TRY(kw_sim_policy_size(chip, command, BLOCK));
    KW_TRY(kw_sim_policy_aes(chip));
    KW_TRY(find_key(chip, command, &key));
    answer->size = BLOCK;
    return chip->crypto->aes128(chip->crypto_context, key, decrypt,
                                command->data, answer->data);
}

/* Divides by x in the field of SP 800-38D 6.3, where bit 0 comes first. */
static void halve(uint8_t value[BLOCK]) {
    const unsigned lost = (value[BLOCK - 1] & 1u) != 0 ? 0xE1u : 0u;
    for (size_t i = BLOCK - 1; i > 0; i--) {
        value[i] = (uint8_t)(value[i] >> 1 | value[i - 1] << 7);
    }
    value[0] = (uint8_t)((unsigned)value[0] >> 1 ^ lost);
}

/* Every bit takes the same time: H is a secret. */
static void multiply(const uint8_t factor[BLOCK], const uint8_t input[BLOCK],
                     uint8_t product[BLOCK]) {
    uint8_t power[BLOCK];
    memcpy(power, factor, BLOCK);
    memset(product, 0, BLOCK);
    for (size_t bit = 0; bit < 8 * BLOCK; bit++) {
        const unsigned byte = input[bit / 8];
        const unsigned set = byte >> (7 - bit % 8) & 1u;
        const uint8_t mask = (uint8_t)(0u - set);
        for (size_t i = 0; i < BLOCK; i++) {
            product[i] = (uint8_t)(product[i] ^ (power[i] & mask));
        }
        halve(power);
    }
    kw_wipe(power, sizeof(power));
}

/* No key takes part: param2 has no meaning. */
static kw_status gfm(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_GFM));
    KW_TRY(kw_sim_policy_size(chip, command, 2 * BLOCK));
    KW_TRY(kw_sim_policy_aes(chip));
    multiply(command->data, command->data + BLOCK, answer->data);
    answer->size = BLOCK;
    return KW_OK;
}

kw_status kw_sim_aes(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    return (command->param1 & MODE_MASK) == MODE_GFM
               ? gfm(chip, command, answer)
               : cipher(chip, command, answer);
}
