/* sim/atecc608/kdf.h: what the two halves of KDF share: the command (kdf.c)
 * and its three algorithms (kdf_algorithms.c).
 *
 * Knows sim/atecc608/commands.h. */
#ifndef KW_SIM_ATECC608_KDF_H
#define KW_SIM_ATECC608_KDF_H

#include "sim/atecc608/commands.h"

#define KW_SIM_KDF_RESULT 64

enum kw_sim_kdf_algorithm {
    KW_SIM_KDF_PRF,
    KW_SIM_KDF_AES,
    KW_SIM_KDF_HKDF,
};

struct kw_sim_kdf {
    unsigned source;
    unsigned target;
    enum kw_sim_kdf_algorithm algorithm;
    unsigned source_slot;
    unsigned target_slot;
    uint32_t details;
    const uint8_t *message; /* as it came */
    size_t message_size;

    /* What the details say. */
    size_t key_offset; /* in the source */
    size_t key_size;
    size_t stored_size; /* 32 or 64 bytes for the target */
    bool aead;          /* and 32 more for the host */
    bool zero_key;

    const uint8_t *key; /* NULL with zero_key */
};

/* Reads the details; 03 for bits that the algorithm does not know. */
KW_MUST_USE kw_status kw_sim_kdf_details(struct kw_sim_chip *chip,
                                         struct kw_sim_kdf *kdf);
KW_MUST_USE kw_status kw_sim_kdf_compute(struct kw_sim_chip *chip,
                                         const struct kw_sim_kdf *kdf,
                                         uint8_t result[KW_SIM_KDF_RESULT]);

#endif
