/* KDF (56): derives a key with the PRF of TLS 1.2, AES or HKDF's extraction.
 * DS40002138A 5.3.4. What IV mode does is published nowhere but in the
 * vendor's tests (low confidence). */
#include "sim/atecc608/kdf.h"

#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/output.h"
#include "sim/atecc608/policy.h"

enum {
    SOURCE_TEMP_KEY,
    SOURCE_TEMP_KEY_UPPER,
    SOURCE_SLOT,
    SOURCE_ALTERNATE,
};

enum {
    TARGET_TEMP_KEY,
    TARGET_TEMP_KEY_UPPER,
    TARGET_SLOT,
    TARGET_ALTERNATE,
    TARGET_OUTPUT,
    TARGET_OUTPUT_ENCRYPTED,
};

#define MODE_BITS    0x7F
#define DETAILS_SIZE 4
#define MESSAGE_MAX  128

/* --- form --- */

static kw_status message_size(struct kw_sim_chip *chip,
                              const struct kw_command *command,
                              const struct kw_sim_kdf *kdf) {
    const size_t size =
        kdf->algorithm == KW_SIM_KDF_AES ? 16 : (size_t)(kdf->details >> 24);
    KW_SIM_DEMAND(size <= MESSAGE_MAX, chip, KW_CHIP_PARSE,
                  "KDF takes a message of up to 128 bytes, not %zu", size);
    return kw_sim_policy_size(chip, command, DETAILS_SIZE + size);
}

/* What TempKey holds at present is asked later. */
static kw_status source_size(struct kw_sim_chip *chip,
                             const struct kw_sim_kdf *kdf) {
    const size_t needed = kdf->key_offset + kdf->key_size;
    size_t room = 32;
    if (kdf->source == SOURCE_TEMP_KEY) {
        room = 64;
    }
    if (kdf->source == SOURCE_SLOT) {
        room = kw_slot_size(kdf->source_slot);
    }
    KW_SIM_DEMAND(needed <= room, chip, KW_CHIP_PARSE,
                  "the source of KDF has %zu bytes, and the key needs %zu",
                  room, needed);
    return KW_OK;
}

/* 64 bytes fit into TempKey, a large slot or the output. */
static kw_status target_size(struct kw_sim_chip *chip,
                             const struct kw_sim_kdf *kdf) {
    const bool small =
        kdf->target == TARGET_TEMP_KEY_UPPER ||
        kdf->target == TARGET_ALTERNATE ||
        (kdf->target == TARGET_SLOT && kw_slot_size(kdf->target_slot) < 64);
    KW_SIM_DEMAND(kdf->stored_size <= 32 || !small, chip, KW_CHIP_PARSE,
                  "the target of KDF cannot hold 64 bytes");
    KW_SIM_DEMAND(!kdf->aead || kdf->target < TARGET_OUTPUT, chip,
                  KW_CHIP_PARSE,
                  "KDF for AEAD gives half of its result out, and the other "
                  "half needs a target inside");
    return KW_OK;
}

static kw_status slots(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf) {
    KW_TRY(kdf->source == SOURCE_SLOT
               ? kw_sim_policy_slot_number(chip, kdf->source_slot)
               : KW_OK);
    return kdf->target == TARGET_SLOT
               ? kw_sim_policy_slot_number(chip, kdf->target_slot)
               : KW_OK;
}

/* param2: source slot below, target slot above; a byte that names nothing is
 * not looked at. */
static kw_status form(struct kw_sim_chip *chip,
                      const struct kw_command *command,
                      struct kw_sim_kdf *kdf) {
    const unsigned mode = command->param1;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BITS));
    KW_SIM_DEMAND(command->data_size >= DETAILS_SIZE, chip, KW_CHIP_PARSE,
                  "KDF takes 4 bytes of details and a message");
    *kdf = (struct kw_sim_kdf){
        .source = mode & 3u,
        .target = mode >> 2 & 7u,
        .algorithm = (enum kw_sim_kdf_algorithm)(mode >> 5),
        .source_slot = command->param2 & 0xFFu,
        .target_slot = command->param2 >> 8,
        .details = kw_load_le32(command->data),
        .message = command->data + DETAILS_SIZE,
        .message_size = command->data_size - DETAILS_SIZE,
        .stored_size = 32,
        .key_size = 32,
    };
    KW_SIM_DEMAND(kdf->target <= TARGET_OUTPUT_ENCRYPTED, chip, KW_CHIP_PARSE,
                  "KDF has no target %u", kdf->target);
    KW_SIM_DEMAND(kdf->algorithm <= KW_SIM_KDF_HKDF, chip, KW_CHIP_PARSE,
                  "KDF has no algorithm 3");
    KW_TRY(slots(chip, kdf));
    KW_TRY(message_size(chip, command, kdf));
    KW_TRY(kw_sim_kdf_details(chip, kdf));
    KW_TRY(source_size(chip, kdf));
    return target_size(chip, kdf);
}

/* --- source --- */

static kw_status from_temp_key(struct kw_sim_chip *chip,
                               struct kw_sim_kdf *kdf) {
    KW_TRY(kdf->key_offset + kdf->key_size > 32
               ? kw_sim_policy_temp_key_64(chip)
               : kw_sim_policy_temp_key(chip));
    kdf->key = chip->sram.buffers.temp_key + kdf->key_offset;
    return KW_OK;
}

static kw_status from_slot(struct kw_sim_chip *chip, struct kw_sim_kdf *kdf) {
    const unsigned slot = kdf->source_slot;
    KW_TRY(
        kw_sim_policy_kdf_source(chip, slot, kdf->algorithm == KW_SIM_KDF_AES));
    kdf->key = kw_sim_slot(chip, slot) + kdf->key_offset;
    return KW_OK;
}

static kw_status find_key(struct kw_sim_chip *chip, struct kw_sim_kdf *kdf) {
    if (kdf->zero_key) {
        return KW_OK;
    }
    if (kdf->source == SOURCE_SLOT) {
        return from_slot(chip, kdf);
    }
    if (kdf->source == SOURCE_TEMP_KEY) {
        return from_temp_key(chip, kdf);
    }
    if (kdf->source == SOURCE_TEMP_KEY_UPPER) {
        kdf->key_offset += 32;
        return from_temp_key(chip, kdf);
    }
    KW_TRY(kw_sim_policy_alternate_key(chip));
    kdf->key = chip->sram.buffers.alternate_key + kdf->key_offset;
    return KW_OK;
}

/* --- target --- */

static kw_status allow_target(struct kw_sim_chip *chip,
                              const struct kw_sim_kdf *kdf, bool *encrypted) {
    *encrypted = kdf->target == TARGET_OUTPUT_ENCRYPTED;
    if (kdf->target == TARGET_TEMP_KEY_UPPER) {
        return kw_sim_policy_temp_key(chip); /* never valid alone */
    }
    if (kdf->target == TARGET_SLOT) {
        return kw_sim_policy_kdf_target(chip, kdf->target_slot);
    }
    return kdf->target >= TARGET_OUTPUT
               ? kw_sim_policy_output(chip, KW_SIM_KDF_PROTECTION, encrypted)
               : KW_OK;
}

/* TempKey's flags afterwards are not published: fixed is taken. */
static void keep(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf,
                 const uint8_t *result) {
    struct kw_sim_volatile *buffers = &chip->sram.buffers;
    switch (kdf->target) {
    case TARGET_TEMP_KEY:
        kw_sim_temp_key_load(chip, result, kdf->stored_size, true);
        return;
    case TARGET_TEMP_KEY_UPPER:
        memcpy(buffers->temp_key + 32, result, 32);
        buffers->temp_key_is_64 = true;
        return;
    case TARGET_ALTERNATE:
        memcpy(buffers->alternate_key, result, 32);
        buffers->alternate_key_valid = true;
        return;
    default:
        kw_sim_slot_write(chip, kdf->target_slot, 0, result, kdf->stored_size);
    }
}

/* For AEAD the second half is public, and never encrypted. */
static kw_status deliver(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf,
                         bool encrypted,
                         const uint8_t result[KW_SIM_KDF_RESULT],
                         struct kw_sim_answer *answer) {
    if (kdf->target < TARGET_OUTPUT) {
        keep(chip, kdf, result);
        memcpy(answer->data, result + 32, kdf->aead ? 32 : 0);
        answer->size = kdf->aead ? 32 : 0;
        return KW_OK;
    }
    memcpy(answer->data, result, kdf->stored_size);
    answer->size = kdf->stored_size;
    return encrypted ? kw_sim_output_encrypt(chip, answer) : KW_OK;
}

kw_status kw_sim_kdf(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    struct kw_sim_kdf kdf = {.key = NULL};
    uint8_t result[KW_SIM_KDF_RESULT];
    bool encrypted = false;
    KW_TRY(form(chip, command, &kdf));
    KW_TRY(kw_sim_policy_kdf(chip, kdf.algorithm == KW_SIM_KDF_AES));
    KW_TRY(find_key(chip, &kdf));
    KW_TRY(allow_target(chip, &kdf, &encrypted));
    kw_status status = kw_sim_kdf_compute(chip, &kdf, result);
    if (status == KW_OK) {
        status = deliver(chip, &kdf, encrypted, result, answer);
    }
    kw_wipe(result, sizeof(result));
    return status;
}
