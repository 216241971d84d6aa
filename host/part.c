#include "host/part.h"

#include <string.h>

#include "core/bytes.h"
#include "host/text.h"

#define CODE_SIZE         8
#define ALTERNATE_ADDRESS 0x01 /* of ChipMode */

struct part_row {
    const char *name;
    const char *words;
};

static const struct part_row PARTS[] = {
    [KW_PART_TRUSTFLEX] = {"trustflex", "TrustFLEX"},
    [KW_PART_TRUSTGO] = {"trustgo", "Trust&GO"},
    [KW_PART_BLANK] = {"blank", "blank"},
    [KW_PART_UNKNOWN] = {"unknown", "unknown"},
};

static const struct part_row MODELS[] = {
    [KW_MODEL_608A] = {"608a", "ATECC608A"},
    [KW_MODEL_608B] = {"608b", "ATECC608B"},
    [KW_MODEL_UNKNOWN] = {"unknown", "of an unknown model"},
};

static const struct {
    char code[CODE_SIZE + 1];
    enum kw_part part;
} CODES[] = {
    {"wdNxAjae", KW_PART_TRUSTFLEX}, /* I2C */
    {"BWuzMoAa", KW_PART_TRUSTFLEX}, /* single wire */
    {"MKMwyhP1", KW_PART_TRUSTFLEX}, /* newer */
    {"Rsuy5YJh", KW_PART_TRUSTGO},   {"KQp2ZkD8", KW_PART_TRUSTGO},
    {"x6tjuZMy", KW_PART_TRUSTGO},
};

const char *kw_part_name(enum kw_part part) {
    return PARTS[part].name;
}

const char *kw_part_words(enum kw_part part) {
    return PARTS[part].words;
}

const char *kw_model_name(enum kw_model model) {
    return MODELS[model].name;
}

const char *kw_model_words(enum kw_model model) {
    return MODELS[model].words;
}

static enum kw_part part_of_code(const uint8_t *code) {
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        if (memcmp(CODES[i].code, code, CODE_SIZE) == 0) {
            return CODES[i].part;
        }
    }
    return KW_PART_UNKNOWN;
}

/* What makes a TrustFLEX part: slot 14 holds a public key that is written
 * while it is not valid, and validated by the key in slot 13. */
static bool can_rotate(const uint8_t config[KW_CONFIG_SIZE]) {
    const struct kw_slot_config rotating = kw_config_slot(config, 14);
    return kw_config_keeps_validity(config, 14) && rotating.read_key == 13 &&
           kw_slot_write_rule(rotating) == KW_WRITE_PUB_INVALID;
}

enum kw_part kw_part_of(const uint8_t config[KW_CONFIG_SIZE],
                        const uint8_t *code) {
    if (!kw_config_is_locked(config)) {
        return KW_PART_BLANK;
    }
    const enum kw_part part =
        code == NULL ? KW_PART_UNKNOWN : part_of_code(code);
    return part == KW_PART_TRUSTFLEX && !can_rotate(config) ? KW_PART_UNKNOWN
                                                            : part;
}

enum kw_model kw_model_of(const uint8_t revision[4]) {
    if (revision[2] != 0x60) {
        return KW_MODEL_UNKNOWN;
    }
    return revision[3] <= 2 ? KW_MODEL_608A : KW_MODEL_608B;
}

/* OTP is readable from the data lock on. */
static kw_status ask(struct kw_chip *chip, struct kw_chip_about *about) {
    uint8_t otp[KW_BLOCK_SIZE];
    KW_TRY(kw_chip_info(chip, about->revision));
    KW_TRY(kw_chip_read_config(chip, about->config));
    const bool coded = kw_config_data_is_locked(about->config);
    if (coded) {
        KW_TRY(kw_chip_read(chip, KW_ZONE_OTP, 0, 0, 0, otp, sizeof otp));
    }
    kw_config_serial(about->config, about->serial);
    about->part = kw_part_of(about->config, coded ? otp : NULL);
    about->model = kw_model_of(about->revision);
    return KW_OK;
}

kw_status kw_part_read(struct kw_chip *chip, struct kw_chip_about *about,
                       struct kw_error *error) {
    const kw_status status = ask(chip, about);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(error, status, chip,
                                           "cannot read what the chip is");
}

static const char *const KINDS[] = {
    [KW_PART_TRUSTFLEX] = "a TrustFLEX part",
    [KW_PART_TRUSTGO] = "a Trust&GO part",
    [KW_PART_BLANK] = "a blank part without a configuration",
    [KW_PART_UNKNOWN] = "a part of a configuration that is not known here",
};

kw_status kw_part_require_trustflex(const struct kw_chip_about *about,
                                    const char *link, struct kw_error *error) {
    char serial[2 * KW_SERIAL_SIZE + 1];
    if (about->part == KW_PART_TRUSTFLEX) {
        return KW_OK;
    }
    kw_hex_upper(about->serial, sizeof about->serial, serial);
    kw_error(error, KW_NO_CHIP_TYPE,
             "%s is no TrustFLEX chip, and this needs one: it is %s (%s, "
             "serial %s)",
             link, KINDS[about->part], kw_model_words(about->model), serial);
    return kw_error_hint(error,
                         "connect a TrustFLEX chip (I2C address 6C) or name "
                         "one with --chip; `keywright chip info` shows what "
                         "a chip is");
}

uint8_t kw_chip_i2c_address(const uint8_t config[KW_CONFIG_SIZE]) {
    const uint8_t other = config[KW_CONFIG_USER_EXTRA_ADD];
    const bool moved =
        (config[KW_CONFIG_CHIP_MODE] & ALTERNATE_ADDRESS) != 0 && other != 0;
    return moved ? other : config[KW_CONFIG_I2C_ADDRESS];
}
