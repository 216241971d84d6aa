/* tests/fuzz/chip_double.h: a quick crypto table that answers the same each
 * time, and knows every secret of the chip that it serves.
 *
 * SHA-256 is real. A key pair is a number and its hash. A signature is good
 * when its first byte is odd, so that a fuzzer finds good ones. */
#ifndef KW_TESTS_FUZZ_CHIP_DOUBLE_H
#define KW_TESTS_FUZZ_CHIP_DOUBLE_H

#include "sim/atecc608/chip.h"

extern const struct kw_sim_crypto fuzz_crypto;

/* Forgets all secrets and starts the generator anew. */
void fuzz_crypto_reset(void);

/* 32 bytes that nobody outside the chip can know. */
void fuzz_secret(uint8_t secret[32]);

/* The call after this many more to the table fails; and whether it has
 * failed since. */
void fuzz_crypto_fail_after(unsigned calls);
bool fuzz_crypto_has_failed(void);

/* Whether these bytes hold one of the secrets made since the reset. */
bool fuzz_holds_secret(const uint8_t *bytes, size_t size);

#endif
