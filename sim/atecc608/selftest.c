/* SelfTest (77): tests of the silicon's engines, with answers that are known.
 * DS40002138A 5.1.7, table 5-28. Bit 1, which the sheet leaves zero and the
 * vendor's library sets, asks for ECDSA as bit 2 does. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

#define MODE_BITS      0x3F
#define MODE_ECDSA_OLD 0x02

/* The private key is 1, so the public one is the curve's generator, and so
 * is the secret that it shares with its own public key: SP 800-186 3.2.1.3. */
static const uint8_t ONE[32] = {[31] = 1};
static const uint8_t GENERATOR[KW_PUBLIC_KEY_SIZE] = {
    0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6,
    0xE5, 0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB,
    0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F,
    0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A,
    0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E,
    0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
};
/* FIPS 197 appendix C.1. */
static const uint8_t AES_KEY[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                    8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t AES_PLAIN[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
                                      0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB,
                                      0xCC, 0xDD, 0xEE, 0xFF};
static const uint8_t AES_CIPHER[16] = {0x69, 0xC4, 0xE0, 0xD8, 0x6A, 0x7B,
                                       0x04, 0x30, 0xD8, 0xCD, 0xB7, 0x80,
                                       0x70, 0xB4, 0xC5, 0x5A};
/* SHA-256 of "abc": FIPS 180-4's example. */
static const uint8_t ABC_DIGEST[32] = {
    0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40,
    0xDE, 0x5D, 0xAE, 0x22, 0x23, 0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17,
    0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD,
};

/* Two draws that are the same are a broken generator's. */
static kw_status test_generator(struct kw_sim_chip *chip, bool *passed) {
    uint8_t first[32];
    uint8_t second[32];
    KW_TRY(chip->crypto->random(chip->crypto_context, first, sizeof(first)));
    KW_TRY(chip->crypto->random(chip->crypto_context, second, sizeof(second)));
    *passed = memcmp(first, second, sizeof(first)) != 0;
    return KW_OK;
}

static kw_status test_ecdsa(struct kw_sim_chip *chip, bool *passed) {
    uint8_t signature[KW_SIGNATURE_SIZE];
    KW_TRY(
        chip->crypto->sign(chip->crypto_context, ONE, ABC_DIGEST, signature));
    const kw_status status = chip->crypto->verify(
        chip->crypto_context, GENERATOR, ABC_DIGEST, signature);
    *passed = status == KW_OK;
    return status == KW_NO_SIGNATURE ? KW_OK : status;
}

static kw_status test_ecdh(struct kw_sim_chip *chip, bool *passed) {
    uint8_t secret[32];
    KW_TRY(chip->crypto->ecdh(chip->crypto_context, ONE, GENERATOR, secret));
    *passed = memcmp(secret, GENERATOR, sizeof(secret)) == 0;
    return KW_OK;
}

static kw_status test_aes(struct kw_sim_chip *chip, bool *passed) {
    uint8_t block[16];
    KW_TRY(chip->crypto->aes128(chip->crypto_context, AES_KEY, false, AES_PLAIN,
                                block));
    *passed = memcmp(block, AES_CIPHER, sizeof(block)) == 0;
    return KW_OK;
}

static kw_status test_sha(struct kw_sim_chip *chip, bool *passed) {
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(kw_hash_bytes(&chip->hash, "abc", 3, digest));
    *passed = memcmp(digest, ABC_DIGEST, sizeof(digest)) == 0;
    return KW_OK;
}

static const struct {
    uint8_t bit;
    kw_status (*run)(struct kw_sim_chip *chip, bool *passed);
} TESTS[] = {
    {KW_SIM_BROKEN_GENERATOR, test_generator},
    {KW_SIM_BROKEN_ECDSA, test_ecdsa},
    {KW_SIM_BROKEN_ECDH, test_ecdh},
    {KW_SIM_BROKEN_AES, test_aes},
    {KW_SIM_BROKEN_SHA, test_sha},
};

kw_status kw_sim_self_test(struct kw_sim_chip *chip, uint8_t tests,
                           uint8_t *failed) {
    uint8_t found = 0;
    for (size_t i = 0; i < sizeof(TESTS) / sizeof(*TESTS); i++) {
        bool passed = true;
        if ((tests & TESTS[i].bit) != 0) {
            KW_TRY(TESTS[i].run(chip, &passed));
            passed = passed && (chip->broken & TESTS[i].bit) == 0;
        }
        found |= passed ? 0 : TESTS[i].bit;
    }
    *failed = found;
    return KW_OK;
}

/* Mode 0 runs nothing and answers what failed before. */
kw_status kw_sim_selftest(struct kw_sim_chip *chip,
                          const struct kw_command *command,
                          struct kw_sim_answer *answer) {
    const bool old_bit = (command->param1 & MODE_ECDSA_OLD) != 0;
    const uint8_t tests =
        (uint8_t)(command->param1 | (old_bit ? KW_SIM_BROKEN_ECDSA : 0));
    uint8_t *known = &chip->sram.self_test_failed;
    uint8_t failed = *known;
    KW_TRY(kw_sim_policy_mode(chip, command, MODE_BITS));
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    if (tests != 0) {
        KW_TRY(kw_sim_self_test(chip, tests, &failed));
        *known = (uint8_t)((*known & ~tests) | failed);
    }
    answer->data[0] = failed;
    answer->size = 1;
    return KW_OK;
}
