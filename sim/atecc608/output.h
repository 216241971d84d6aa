/* sim/atecc608/output.h: results that leave the chip encrypted.
 *
 * data XOR SHA-256(IO key, nonce half b) for each 32-byte block b, and the
 * nonce of 32 bytes behind it, made by the chip: DS40002138A 5.3.4.4.
 *
 * Knows sim/atecc608/commands.h. */
#ifndef KW_SIM_ATECC608_OUTPUT_H
#define KW_SIM_ATECC608_OUTPUT_H

#include "sim/atecc608/commands.h"

/* Encrypts the answer's 32 or 64 bytes and appends the nonce. */
KW_MUST_USE kw_status kw_sim_output_encrypt(struct kw_sim_chip *chip,
                                            struct kw_sim_answer *answer);

#endif
