/* SecureBoot (80): verifies the digest of a firmware. DS40002138A 5.2.3. Its
 * table for FullCopy prints mode 86 in the MAC; here it is the mode byte that
 * came, as the vendor's library has it. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

enum {
    MODE_FULL = 5,
    MODE_FULL_STORE = 6,
    MODE_FULL_COPY = 7,
};

#define MODE_MASK      0x07
#define MODE_PROHIBIT  0x40
#define MODE_ENCRYPTED 0x80
#define DIGEST_SIZE    32

/* One boot: the digest in clear, the signature if there is one, and the key
 * that masks. */
struct check {
    uint8_t digest[DIGEST_SIZE];
    uint8_t mask[DIGEST_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    bool has_signature;
};

static unsigned kind_of(const struct kw_command *command) {
    return command->param1 & MODE_MASK;
}

static bool is_encrypted(const struct kw_command *command) {
    return (command->param1 & MODE_ENCRYPTED) != 0;
}

static bool stores_signature(const struct kw_sim_chip *chip) {
    return kw_sim_boot_config(chip).mode == KW_SIM_BOOT_FULL_SIGNATURE;
}

static const uint8_t *stored(const struct kw_sim_chip *chip) {
    return kw_sim_slot(chip, kw_sim_boot_config(chip).digest_slot);
}

/* mask = SHA-256(IO key, TempKey), which is used up. */
static kw_status decrypt(struct kw_sim_chip *chip, struct check *check) {
    const struct kw_span spans[] = {
        {kw_sim_io_key(chip), KW_SIM_KEY_SIZE},
        {chip->sram.buffers.temp_key, 32},
    };
    KW_TRY(kw_hash_spans(&chip->hash, spans, 2, check->mask));
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        check->digest[i] ^= check->mask[i];
    }
    kw_sim_temp_key_clear(chip);
    return KW_OK;
}

static kw_status gather(struct kw_sim_chip *chip,
                        const struct kw_command *command, struct check *check) {
    const bool from_slot = kind_of(command) == MODE_FULL_STORE;
    check->has_signature = !from_slot || stores_signature(chip);
    memcpy(check->digest, command->data, DIGEST_SIZE);
    if (check->has_signature) {
        memcpy(check->signature,
               from_slot ? stored(chip) : command->data + DIGEST_SIZE,
               KW_SIGNATURE_SIZE);
    }
    return is_encrypted(command) ? decrypt(chip, check) : KW_OK;
}

static kw_status verify(struct kw_sim_chip *chip, const struct check *check) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    kw_sim_public_key(chip, kw_sim_boot_config(chip).key_slot, public_key);
    const kw_status status = chip->crypto->verify(
        chip->crypto_context, public_key, check->digest, check->signature);
    KW_SIM_DEMAND(status != KW_PARSE_KEY, chip, KW_CHIP_EXECUTION,
                  "slot %u holds no public key for SecureBoot",
                  kw_sim_boot_config(chip).key_slot);
    KW_SIM_DEMAND(status != KW_NO_SIGNATURE, chip, KW_CHIP_MISMATCH,
                  "the signature does not match the firmware's digest and "
                  "the key for SecureBoot");
    return status;
}

/* A blank slot is no digest of FF: FullCopy has to come first. */
static kw_status compare(struct kw_sim_chip *chip, const struct check *check) {
    KW_SIM_DEMAND(!kw_all_bytes(stored(chip), DIGEST_SIZE, 0xFF), chip,
                  KW_CHIP_MISMATCH,
                  "no digest is stored yet: SecureBoot(FullCopy) comes first");
    KW_SIM_DEMAND(kw_equal_ct(stored(chip), check->digest, DIGEST_SIZE), chip,
                  KW_CHIP_MISMATCH,
                  "the digest is not the one that SecureBoot stored");
    return KW_OK;
}

static void store(struct kw_sim_chip *chip, const struct check *check) {
    const unsigned slot = kw_sim_boot_config(chip).digest_slot;
    if (stores_signature(chip)) {
        kw_sim_slot_write(chip, slot, 0, check->signature, KW_SIGNATURE_SIZE);
    } else {
        kw_sim_slot_write(chip, slot, 0, check->digest, DIGEST_SIZE);
    }
}

/* SHA-256(mask, digest, signature if any, head). */
static kw_status mac(const struct kw_sim_chip *chip,
                     const struct kw_command *command,
                     const struct check *check, struct kw_sim_answer *answer) {
    const struct kw_message_head head = kw_sim_head(command);
    const struct kw_span spans[] = {
        {check->mask, sizeof(check->mask)},
        {check->digest, sizeof(check->digest)},
        {check->signature, check->has_signature ? KW_SIGNATURE_SIZE : 0},
        {head.bytes, sizeof(head.bytes)},
    };
    answer->size = KW_SHA256_SIZE;
    return kw_hash_spans(&chip->hash, spans, sizeof(spans) / sizeof(*spans),
                         answer->data);
}

static kw_status boot(struct kw_sim_chip *chip,
                      const struct kw_command *command, struct check *check,
                      struct kw_sim_answer *answer) {
    KW_TRY(gather(chip, command, check));
    KW_TRY(check->has_signature ? verify(chip, check) : compare(chip, check));
    if (kind_of(command) == MODE_FULL_COPY) {
        store(chip, check);
    }
    if (kw_sim_boot_config(chip).sets_latch) {
        chip->powered.latch = true;
    }
    /* What the bit does before a success is not published. */
    if ((command->param1 & MODE_PROHIBIT) != 0) {
        chip->powered.boot_prohibited = true;
    }
    return is_encrypted(command) ? mac(chip, command, check, answer) : KW_OK;
}

static kw_status form(struct kw_sim_chip *chip,
                      const struct kw_command *command) {
    const bool store_mode = kind_of(command) == MODE_FULL_STORE;
    KW_SIM_DEMAND(kind_of(command) >= MODE_FULL, chip, KW_CHIP_PARSE,
                  "SecureBoot has no mode %02X", command->param1);
    KW_TRY(kw_sim_policy_mode(chip, command,
                              MODE_MASK | MODE_PROHIBIT | MODE_ENCRYPTED));
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    return kw_sim_policy_size(chip, command,
                              store_mode ? DIGEST_SIZE
                                         : DIGEST_SIZE + KW_SIGNATURE_SIZE);
}

kw_status kw_sim_secureboot(struct kw_sim_chip *chip,
                            const struct kw_command *command,
                            struct kw_sim_answer *answer) {
    struct check check = {.has_signature = false};
    KW_TRY(form(chip, command));
    KW_TRY(kw_sim_policy_boot(chip, is_encrypted(command)));
    if (kind_of(command) != MODE_FULL) {
        KW_TRY(
            kw_sim_policy_boot_store(chip, kind_of(command) == MODE_FULL_COPY));
    }
    const kw_status status = boot(chip, command, &check, answer);
    kw_wipe(&check, sizeof(check));
    return status;
}
