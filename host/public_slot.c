#include "host/public_slot.h"

#include <string.h>

#include "host/authorization.h"
#include "host/openssl_hash.h"

bool kw_public_slot_key(const uint8_t stored[KW_STORED_KEY_SIZE],
                        uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    return kw_stored_key_read(stored, key) && kw_public_key_is_point(key);
}

kw_status kw_public_slot_write(struct kw_chip *chip, unsigned slot,
                               const uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t read[KW_STORED_KEY_SIZE];
    uint8_t found[KW_PUBLIC_KEY_SIZE];
    kw_stored_key(key, stored);
    KW_TRY(kw_chip_write_slot(chip, slot, stored, sizeof stored));
    KW_TRY(kw_chip_read_slot(chip, slot, read, sizeof read));
    KW_ENSURE(kw_stored_key_read(read, found) &&
                  memcmp(found, key, sizeof found) == 0,
              KW_CHIP_READ_BACK);
    return KW_OK;
}

kw_status kw_public_slot_invalidate(struct kw_chip *chip, const uint8_t *config,
                                    const uint8_t key[KW_PUBLIC_KEY_SIZE],
                                    const struct kw_authority *authority,
                                    struct kw_error *error) {
    const struct kw_configuration configuration = kw_configuration_of(config);
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t pair[KW_PAIR_SIZE];
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t other[KW_OTHER_DATA_SIZE];
    kw_config_serial(config, serial);
    KW_TRY(kw_pair_make(authority, &configuration, serial, key, true, pair,
                        error));
    const struct kw_pair_about about = {serial, configuration, key, pair, true};
    const struct kw_validation validation = {
        .slot = KW_ROTATING_SLOT,
        .invalidate = true,
        .nonce = pair,
        .signature = pair + KW_NONCE_SIZE,
        .other = other,
    };
    kw_status status = kw_pair_digest(&kw_openssl_hash, &about, digest, other);
    if (status == KW_OK) {
        status = kw_chip_validate(chip, &validation);
    }
    return status == KW_OK ? KW_OK
                           : kw_error_chip(error, status, chip,
                                           "cannot invalidate slot 14");
}

bool kw_authority_slot_is_open(const uint8_t config[KW_CONFIG_SIZE]) {
    return !kw_config_slot_is_locked(config, KW_AUTHORITY_SLOT) &&
           kw_slot_write_rule(kw_config_slot(config, KW_AUTHORITY_SLOT)) ==
               KW_WRITE_ALWAYS;
}
