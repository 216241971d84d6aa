/* host/part.h: which part a chip is.
 *
 * A vendor's part says what it is by a code in OTP bytes 0-7; the revision
 * that Info answers tells the model. A part whose configuration does not
 * hold what the code promises is unknown.
 * Sources: data sheets DS40002138A (TFLXTLS) and DS40002112B (TNGTLS), table
 * 2-3 and section 2.3; the newer codes: cryptoauthlib, app/tng/tng_atca.c.
 * Knows core/chip.h and host/error.h. */
#ifndef KW_HOST_PART_H
#define KW_HOST_PART_H

#include "core/chip.h"
#include "host/error.h"

enum kw_part {
    KW_PART_TRUSTFLEX,
    KW_PART_TRUSTGO,
    KW_PART_BLANK,
    KW_PART_UNKNOWN,
};

enum kw_model { KW_MODEL_608A, KW_MODEL_608B, KW_MODEL_UNKNOWN };

/* What a chip says about itself. */
struct kw_chip_about {
    uint8_t revision[4];
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    enum kw_part part;
    enum kw_model model;
};

/* Asks the chip: Info, the configuration and, once it can be read, the
 * code. */
KW_MUST_USE kw_status kw_part_read(struct kw_chip *chip,
                                   struct kw_chip_about *about,
                                   struct kw_error *error);

/* The code is 8 bytes; NULL: it cannot be read. */
enum kw_part kw_part_of(const uint8_t config[KW_CONFIG_SIZE],
                        const uint8_t *code);
enum kw_model kw_model_of(const uint8_t revision[4]);

/* KW_NO_CHIP_TYPE unless it is a TrustFLEX part; the hint says what to
 * check. `link` is how the user named the chip. */
KW_MUST_USE kw_status
kw_part_require_trustflex(const struct kw_chip_about *about, const char *link,
                          struct kw_error *error);

/* For documents ("trustflex", "608b") and for people ("TrustFLEX",
 * "ATECC608B"). */
const char *kw_part_name(enum kw_part part);
const char *kw_part_words(enum kw_part part);
const char *kw_model_name(enum kw_model model);
const char *kw_model_words(enum kw_model model);

/* The address that the chip answers at on I2C, 8-bit form. */
uint8_t kw_chip_i2c_address(const uint8_t config[KW_CONFIG_SIZE]);

#endif
