#include "host/chip_reading.h"

#include <string.h>

#include "core/bytes.h"

static bool may_be_read(const uint8_t config[KW_CONFIG_SIZE], unsigned slot) {
    const struct kw_slot_config rule = kw_config_slot(config, slot);
    return kw_config_data_is_locked(config) && !rule.is_secret &&
           !rule.encrypt_read && !kw_config_key(config, slot).is_private;
}

static kw_status read_slots(struct kw_chip *chip,
                            struct kw_chip_reading *reading) {
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        if (may_be_read(reading->config, slot)) {
            KW_TRY(kw_chip_read_slot(chip, slot, reading->slots[slot],
                                     kw_slot_size(slot)));
            reading->readable[slot] = true;
        }
    }
    return KW_OK;
}

kw_status kw_chip_read_all(struct kw_chip *chip,
                           struct kw_chip_reading *reading,
                           struct kw_error *error) {
    memset(reading, 0, sizeof *reading);
    kw_status status = kw_chip_info(chip, reading->revision);
    if (status == KW_OK) {
        status = kw_chip_read_config(chip, reading->config);
    }
    if (status == KW_OK) {
        status = read_slots(chip, reading);
    }
    kw_chip_idle(chip);
    return status == KW_OK
               ? KW_OK
               : kw_error_chip(error, status, chip, "cannot read the chip");
}

kw_status kw_rehearsal_open(struct kw_chip *original,
                            struct kw_rehearsal *rehearsal,
                            struct kw_error *error) {
    struct kw_chip_reading reading;
    KW_TRY(kw_chip_read_all(original, &reading, error));
    const kw_status status =
        kw_emulated_copy(&reading, &rehearsal->link, error);
    kw_wipe(&reading, sizeof reading);
    KW_TRY(status);
    kw_chip_init(&rehearsal->chip, rehearsal->link.link);
    return KW_OK;
}

kw_status kw_rehearsal_open_whole(const struct kw_workspace *workspace,
                                  const char *name,
                                  struct kw_rehearsal *rehearsal,
                                  struct kw_error *error) {
    KW_TRY(kw_emulated_copy_whole(workspace, name, &rehearsal->link, error));
    kw_chip_init(&rehearsal->chip, rehearsal->link.link);
    return KW_OK;
}

void kw_rehearsal_close(struct kw_rehearsal *rehearsal) {
    kw_link_close(&rehearsal->link);
}
