#include "sim/atecc608/output.h"

#include "core/bytes.h"

#define NONCE_SIZE 32
#define HALF       16
#define BLOCK      32

static kw_status mask_block(const struct kw_sim_chip *chip,
                            const uint8_t half[HALF], uint8_t block[BLOCK]) {
    const struct kw_span spans[] = {
        {kw_sim_io_key(chip), KW_SIM_KEY_SIZE},
        {half, HALF},
    };
    uint8_t mask[KW_SHA256_SIZE];
    KW_TRY(kw_hash_spans(&chip->hash, spans, 2, mask));
    for (size_t i = 0; i < BLOCK; i++) {
        block[i] ^= mask[i];
    }
    kw_wipe(mask, sizeof(mask));
    return KW_OK;
}

kw_status kw_sim_output_encrypt(struct kw_sim_chip *chip,
                                struct kw_sim_answer *answer) {
    uint8_t *nonce = answer->data + answer->size;
    KW_TRY(kw_sim_random_bytes(chip, nonce));
    for (size_t block = 0; block < answer->size / BLOCK; block++) {
        KW_TRY(mask_block(chip, nonce + HALF * block,
                          answer->data + BLOCK * block));
    }
    answer->size += NONCE_SIZE;
    return KW_OK;
}
