#include "sim/atecc608/kdf.h"

#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/policy.h"

static const uint8_t ZEROS[32];

static kw_status no_bits(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf,
                         uint32_t bits) {
    KW_SIM_DEMAND((kdf->details & bits) == 0, chip, KW_CHIP_PARSE,
                  "KDF details %08X have bits that must be zero",
                  (unsigned)kdf->details);
    return KW_OK;
}

/* --- PRF --- */

#define PRF_RESERVED  0x00FFF8FCu
#define PRF_TARGET_64 0x00000100u
#define PRF_AEAD      0x00000600u
#define PRF_AEAD_ONE  0x00000200u

static kw_status prf_details(struct kw_sim_chip *chip, struct kw_sim_kdf *kdf) {
    const uint32_t aead = kdf->details & PRF_AEAD;
    const bool is_64 = (kdf->details & PRF_TARGET_64) != 0;
    KW_TRY(no_bits(chip, kdf, PRF_RESERVED));
    KW_SIM_DEMAND(aead == 0 || (aead == PRF_AEAD_ONE && is_64), chip,
                  KW_CHIP_PARSE,
                  "KDF for AEAD has mode 1 alone, with a result of 64 bytes");
    kdf->key_size = 16 * ((kdf->details & 3u) + 1);
    kdf->aead = aead != 0;
    kdf->stored_size = is_64 && !kdf->aead ? 64 : 32;
    return KW_OK;
}

/* P_SHA256 of RFC 5246 section 5; the message is label and seed. */
static kw_status prf(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf,
                     uint8_t result[KW_SIM_KDF_RESULT]) {
    const struct kw_span key = {kdf->key, kdf->key_size};
    const struct kw_span seed = {kdf->message, kdf->message_size};
    uint8_t chain[32];
    const struct kw_span block[] = {{chain, sizeof(chain)}, seed};
    kw_status status = kw_sim_hmac(&chip->hash, key, &seed, 1, chain);
    for (size_t at = 0; at < KW_SIM_KDF_RESULT && status == KW_OK; at += 32) {
        status = kw_sim_hmac(&chip->hash, key, block, 2, result + at);
        if (status == KW_OK) {
            status = kw_sim_hmac(&chip->hash, key, block, 1, chain);
        }
    }
    kw_wipe(chain, sizeof(chain));
    return status;
}

/* --- AES --- */

static kw_status aes_details(struct kw_sim_chip *chip, struct kw_sim_kdf *kdf) {
    KW_TRY(no_bits(chip, kdf, 0xFFFFFFFCu));
    kdf->key_offset = 16 * (size_t)(kdf->details & 3u);
    kdf->key_size = 16;
    return KW_OK;
}

/* One block, and 16 zeros. */
static kw_status aes(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf,
                     uint8_t result[KW_SIM_KDF_RESULT]) {
    return chip->crypto->aes128(chip->crypto_context, kdf->key, false,
                                kdf->message, result);
}

/* --- HKDF --- */

enum {
    MESSAGE_SLOT,
    MESSAGE_TEMP_KEY,
    MESSAGE_INPUT,
    MESSAGE_IV,
};

#define HKDF_RESERVED 0x00FFF0F8u
#define HKDF_ZERO_KEY 0x00000004u
#define TEMP_KEY      0u /* source or target */
#define IV_SIZE       2

static kw_status hkdf_details(struct kw_sim_chip *chip,
                              struct kw_sim_kdf *kdf) {
    KW_TRY(no_bits(chip, kdf, HKDF_RESERVED));
    kdf->zero_key = (kdf->details & HKDF_ZERO_KEY) != 0;
    KW_SIM_DEMAND((kdf->details & 3u) != MESSAGE_TEMP_KEY ||
                      (kdf->source != TEMP_KEY && kdf->target != TEMP_KEY),
                  chip, KW_CHIP_PARSE,
                  "HKDF cannot take its message from the TempKey that is its "
                  "source or target");
    return KW_OK;
}

/* The message must hold KdfIvStr at KdfIvLoc. */
static kw_status check_iv(struct kw_sim_chip *chip,
                          const struct kw_sim_kdf *kdf) {
    const uint8_t *config = chip->eeprom.config;
    const size_t at = config[KW_CONFIG_KDF_IV_LOC];
    KW_SIM_DEMAND(at + IV_SIZE <= kdf->message_size &&
                      memcmp(kdf->message + at, config + KW_CONFIG_KDF_IV_STR,
                             IV_SIZE) == 0,
                  chip, KW_CHIP_EXECUTION,
                  "the message does not hold KdfIvStr at byte %zu", at);
    return KW_OK;
}

/* A slot or TempKey gives 32 bytes; no message is 32 zeros. */
static kw_status hkdf_message(struct kw_sim_chip *chip,
                              const struct kw_sim_kdf *kdf,
                              struct kw_span *message) {
    const unsigned slot = kdf->details >> 8 & 0x0Fu;
    const struct kw_span input = {kdf->message, kdf->message_size};
    const struct kw_span none = {ZEROS, sizeof(ZEROS)};
    switch (kdf->details & 3u) {
    case MESSAGE_SLOT:
        KW_TRY(kw_sim_policy_kdf_source(chip, slot, false));
        *message = (struct kw_span){kw_sim_slot(chip, slot), 32};
        return KW_OK;
    case MESSAGE_TEMP_KEY:
        KW_TRY(kw_sim_policy_temp_key(chip));
        *message = (struct kw_span){chip->sram.buffers.temp_key, 32};
        return KW_OK;
    case MESSAGE_IV:
        KW_TRY(check_iv(chip, kdf));
        *message = input;
        return KW_OK;
    default:
        *message = kdf->message_size > 0 ? input : none;
        return KW_OK;
    }
}

/* RFC 5869's extraction: HMAC over the message. */
static kw_status hkdf(struct kw_sim_chip *chip, const struct kw_sim_kdf *kdf,
                      uint8_t result[KW_SIM_KDF_RESULT]) {
    const struct kw_span key = {kdf->zero_key ? ZEROS : kdf->key, 32};
    struct kw_span message;
    KW_TRY(hkdf_message(chip, kdf, &message));
    return kw_sim_hmac(&chip->hash, key, &message, 1, result);
}

/* --- the three --- */

typedef kw_status read_details(struct kw_sim_chip *chip,
                               struct kw_sim_kdf *kdf);
typedef kw_status compute(struct kw_sim_chip *chip,
                          const struct kw_sim_kdf *kdf,
                          uint8_t result[KW_SIM_KDF_RESULT]);

static const struct {
    read_details *details;
    compute *compute;
} ALGORITHMS[] = {
    [KW_SIM_KDF_PRF] = {prf_details, prf},
    [KW_SIM_KDF_AES] = {aes_details, aes},
    [KW_SIM_KDF_HKDF] = {hkdf_details, hkdf},
};

kw_status kw_sim_kdf_details(struct kw_sim_chip *chip, struct kw_sim_kdf *kdf) {
    return ALGORITHMS[kdf->algorithm].details(chip, kdf);
}

kw_status kw_sim_kdf_compute(struct kw_sim_chip *chip,
                             const struct kw_sim_kdf *kdf,
                             uint8_t result[KW_SIM_KDF_RESULT]) {
    memset(result, 0, KW_SIM_KDF_RESULT);
    return ALGORITHMS[kdf->algorithm].compute(chip, kdf, result);
}
