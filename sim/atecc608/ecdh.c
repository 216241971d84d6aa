/* ECDH (43): the X coordinate of a private key times a public one, to the
 * host, to TempKey or to a slot. DS40002138A 5.2.1; mode 00, as the 508A had
 * it, is the vendor's library's. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/output.h"
#include "sim/atecc608/policy.h"

#define MODE_TEMP_KEY  0x01
#define MODE_ENCRYPTED 0x02
#define MODE_TARGET    0x0C

enum {
    TARGET_COMPATIBLE = 0x00,
    TARGET_SLOT = 0x04,
    TARGET_TEMP_KEY = 0x08,
    TARGET_OUTPUT = 0x0C,
};

/* Slot source: 00, 08, 0C, 0E. TempKey source: 05, 09, 0D, 0F. */
static kw_status form(struct kw_sim_chip *chip,
                      const struct kw_command *command) {
    static const uint8_t modes[] = {0x00, 0x08, 0x0C, 0x0E,
                                    0x05, 0x09, 0x0D, 0x0F};
    KW_SIM_DEMAND(memchr(modes, command->param1, sizeof(modes)) != NULL, chip,
                  KW_CHIP_PARSE, "ECDH has no mode %02X", command->param1);
    /* With both ends in TempKey or outside, param2 names nothing. */
    if ((command->param1 & MODE_TEMP_KEY) == 0 ||
        (command->param1 & MODE_TARGET) == TARGET_SLOT) {
        KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    }
    return kw_sim_policy_size(chip, command, KW_PUBLIC_KEY_SIZE);
}

static kw_status agree(struct kw_sim_chip *chip,
                       const struct kw_command *command, uint8_t secret[32]) {
    const bool from_temp_key = (command->param1 & MODE_TEMP_KEY) != 0;
    const unsigned slot = command->param2;
    KW_TRY(from_temp_key ? kw_sim_policy_ecdh_temp_key(chip)
                         : kw_sim_policy_ecdh(chip, slot));
    const uint8_t *private_key = from_temp_key
                                     ? chip->sram.buffers.temp_key
                                     : kw_sim_slot(chip, slot) + KW_SIM_PAD;
    const kw_status status = chip->crypto->ecdh(
        chip->crypto_context, private_key, command->data, secret);
    KW_SIM_DEMAND(status != KW_PARSE_KEY, chip, KW_CHIP_EXECUTION,
                  "slot %u holds no private key yet: make one with GenKey "
                  "first",
                  slot);
    KW_SIM_DEMAND(status != KW_PARSE, chip, KW_CHIP_EXECUTION,
                  "the public key is not a point of the curve");
    if (status == KW_OK && from_temp_key) {
        kw_sim_temp_key_clear(chip);
    }
    return status;
}

static kw_status put_out(struct kw_sim_chip *chip, bool encrypted,
                         const uint8_t secret[32],
                         struct kw_sim_answer *answer) {
    KW_TRY(kw_sim_policy_output(chip, KW_SIM_ECDH_PROTECTION, &encrypted));
    memcpy(answer->data, secret, 32);
    answer->size = 32;
    return encrypted ? kw_sim_output_encrypt(chip, answer) : KW_OK;
}

/* Mode 00: ReadKey bit 3 sends the secret to the slot behind the key's. */
static kw_status compatible(struct kw_sim_chip *chip, unsigned slot,
                            const uint8_t secret[32],
                            struct kw_sim_answer *answer) {
    const unsigned rights = kw_sim_slot_config(chip, slot).read_key;
    if ((rights & KW_READ_KEY_ECDH_TO_SLOT) == 0) {
        return put_out(chip, false, secret, answer);
    }
    KW_TRY(kw_sim_policy_ecdh_next(chip, slot));
    kw_sim_slot_write(chip, slot + 1, 0, secret, 32);
    return KW_OK;
}

/* TempKey's flags afterwards are not published: fixed is taken, as the
 * other party chose its part of the value. */
static kw_status deliver(struct kw_sim_chip *chip,
                         const struct kw_command *command,
                         const uint8_t secret[32],
                         struct kw_sim_answer *answer) {
    switch (command->param1 & MODE_TARGET) {
    case TARGET_COMPATIBLE:
        return compatible(chip, command->param2, secret, answer);
    case TARGET_SLOT:
        KW_TRY(kw_sim_policy_kdf_target(chip, command->param2));
        kw_sim_slot_write(chip, command->param2, 0, secret, 32);
        return KW_OK;
    case TARGET_TEMP_KEY:
        kw_sim_temp_key_load(chip, secret, 32, true);
        return KW_OK;
    default:
        return put_out(chip, (command->param1 & MODE_ENCRYPTED) != 0, secret,
                       answer);
    }
}

kw_status kw_sim_ecdh(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      struct kw_sim_answer *answer) {
    uint8_t secret[32];
    KW_TRY(form(chip, command));
    kw_status status = agree(chip, command, secret);
    if (status == KW_OK) {
        status = deliver(chip, command, secret, answer);
    }
    kw_wipe(secret, sizeof(secret));
    return status;
}
