#include "host/retirement.h"

#include <stdio.h>
#include <string.h>

#include "host/chip_reading.h"
#include "host/openssl_hash.h"
#include "host/public_slot.h"
#include "host/text.h"

/* The rotating key while its authority is still there, and the IO protection
 * key before the slot that is written under it. */
static const unsigned ORDER[KW_SLOT_COUNT] = {14, 6, 5, 0,  1,  2,  3,  4,
                                              7,  8, 9, 10, 11, 12, 13, 15};

struct work {
    struct kw_chip *chip;
    const struct kw_authority *authority;
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    bool zeroised[KW_SLOT_COUNT];
};

static const uint8_t ZEROS[KW_SLOT_MAX];

static void row(struct kw_retired_slot *slot, bool done, const char *words) {
    slot->done = done;
    (void)snprintf(slot->words, sizeof slot->words, "%s", words);
}

/* A refusal becomes a row; a lost chip a failure. */
static kw_status settle(const struct work *work, struct kw_retired_slot *slot,
                        kw_status status, const char *words) {
    if (status == KW_OK) {
        row(slot, true, words);
        return KW_OK;
    }
    KW_ENSURE(kw_status_is_refusal(status), status);
    const char *reason = kw_chip_reason(work->chip);
    row(slot, false, reason[0] == '\0' ? kw_status_text(status) : reason);
    return KW_OK;
}

static kw_status new_private_key(struct work *work, unsigned slot,
                                 struct kw_retired_slot *result) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    return settle(work, result, kw_chip_make_key(work->chip, slot, key),
                  "private key overwritten with one that nobody knows");
}

static kw_status zeroise(struct work *work, unsigned slot,
                         struct kw_retired_slot *result) {
    const kw_status status =
        kw_chip_write_slot(work->chip, slot, ZEROS, kw_slot_size(slot));
    work->zeroised[slot] = status == KW_OK;
    return settle(work, result, status, "overwritten with zeros");
}

static kw_status encrypt_zeros(struct work *work, unsigned slot,
                               unsigned key_slot) {
    struct kw_error ignored;
    uint8_t num_in[KW_NUM_IN_SIZE];
    const unsigned blocks = (unsigned)((kw_slot_size(slot) + 31) / 32);
    for (unsigned block = 0; block < blocks; block++) {
        KW_TRY(kw_random(num_in, sizeof num_in, &ignored));
        const struct kw_encrypted_write write = {
            .slot = slot,
            .block = block,
            .key_slot = key_slot,
            .key = ZEROS,
            .plain = ZEROS,
            .serial = work->serial,
            .num_in = num_in,
        };
        KW_TRY(kw_chip_write_encrypted(work->chip, &kw_openssl_hash, &write));
    }
    return KW_OK;
}

/* The key that it is encrypted under is zero by now. */
static kw_status zeroise_encrypted(struct work *work, unsigned slot,
                                   struct kw_retired_slot *result) {
    const unsigned key_slot = kw_config_slot(work->config, slot).write_key;
    if (!work->zeroised[key_slot]) {
        row(result, false,
            "can only be written under a key that is not known here");
        return KW_OK;
    }
    return settle(work, result, encrypt_zeros(work, slot, key_slot),
                  "overwritten with zeros, encrypted");
}

/* --- slot 14 --- */

/* A validated key outlives the retirement only when its authority is gone
 * already and slot 13 is locked. KW_NO: slot 13 holds a key, so whoever has
 * its private half can still erase slot 14, and nothing must be overwritten
 * without it. */
static kw_status may_stay(struct work *work) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_chip_read_slot(work->chip, KW_AUTHORITY_SLOT, stored,
                             sizeof stored));
    return kw_public_slot_key(stored, key) ? KW_NO : KW_OK;
}

/* With an authority of this moment, whose public key slot 13 takes as long as
 * it is not locked. What it held comes back when that does not help. */
static kw_status invalidate_anyhow(struct work *work, const uint8_t *key) {
    struct kw_error ignored;
    struct kw_authority *authority = NULL;
    uint8_t before[KW_STORED_KEY_SIZE];
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_chip_read_slot(work->chip, KW_AUTHORITY_SLOT, before,
                             sizeof before));
    KW_TRY(kw_authority_make(&authority, &ignored));
    kw_authority_public(authority, public_key);
    kw_status status =
        kw_public_slot_write(work->chip, KW_AUTHORITY_SLOT, public_key);
    if (status == KW_OK) {
        status = kw_public_slot_invalidate(work->chip, work->config, key,
                                           authority, &ignored);
    }
    kw_authority_close(authority);
    if (status != KW_OK) {
        (void)!kw_chip_write_slot(work->chip, KW_AUTHORITY_SLOT, before,
                                  sizeof before);
    }
    return status;
}

static kw_status invalidate(struct work *work, const uint8_t *key) {
    struct kw_error ignored;
    return work->authority == NULL
               ? invalidate_anyhow(work, key)
               : kw_public_slot_invalidate(work->chip, work->config, key,
                                           work->authority, &ignored);
}

static bool can_rotate(const struct work *work) {
    const struct kw_configuration configuration =
        kw_configuration_of(work->config);
    return kw_configuration_can_rotate(&configuration);
}

static kw_status zeroise_rotating(struct work *work, unsigned slot,
                                  struct kw_retired_slot *result) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_chip_read_slot(work->chip, slot, stored, sizeof stored));
    if (!kw_stored_key_is_valid(stored[0]) ||
        !kw_stored_key_read(stored, key)) {
        return zeroise(work, slot, result);
    }
    if (slot != KW_ROTATING_SLOT || !can_rotate(work)) {
        row(result, false, "validated, and nobody here could invalidate it");
        return KW_OK;
    }
    if (work->authority == NULL && !kw_authority_slot_is_open(work->config)) {
        row(result, false,
            "validated, and the authority's private key is not here");
        return may_stay(work);
    }
    const kw_status status = invalidate(work, key);
    if (status != KW_OK) {
        KW_TRY(settle(work, result, status, ""));
        return may_stay(work);
    }
    return zeroise(work, slot, result);
}

static kw_status retire_public(struct work *work, unsigned slot,
                               struct kw_retired_slot *result) {
    switch (kw_slot_write_rule(kw_config_slot(work->config, slot))) {
    case KW_WRITE_ALWAYS:
        return zeroise(work, slot, result);
    case KW_WRITE_PUB_INVALID:
        return zeroise_rotating(work, slot, result);
    case KW_WRITE_ENCRYPTED:
        return zeroise_encrypted(work, slot, result);
    case KW_WRITE_NEVER:
        break;
    }
    row(result, false, "no Write may change it");
    return KW_OK;
}

static kw_status retire_slot(struct work *work, unsigned slot,
                             struct kw_retired_slot *result) {
    const bool can_make_key =
        (kw_config_slot(work->config, slot).write_config & 2u) != 0;
    result->slot = slot;
    if (kw_config_slot_is_locked(work->config, slot)) {
        row(result, false, "locked for ever");
        return KW_OK;
    }
    if (!kw_config_key(work->config, slot).is_private) {
        return retire_public(work, slot, result);
    }
    if (can_make_key) {
        return new_private_key(work, slot, result);
    }
    row(result, false, "permanent private key; it cannot be read");
    return KW_OK;
}

static kw_status retire_all(struct work *work,
                            struct kw_retirement *retirement) {
    KW_TRY(kw_chip_read_config(work->chip, work->config));
    KW_ENSURE(kw_config_is_locked(work->config) &&
                  kw_config_data_is_locked(work->config),
              KW_NO_CHIP_TYPE);
    kw_config_serial(work->config, work->serial);
    memcpy(retirement->serial, work->serial, KW_SERIAL_SIZE);
    for (unsigned i = 0; i < KW_SLOT_COUNT; i++) {
        KW_TRY(retire_slot(work, ORDER[i], &retirement->slot[ORDER[i]]));
        kw_chip_idle(work->chip);
    }
    return KW_OK;
}

kw_status kw_retire_chip(struct kw_chip *chip,
                         const struct kw_authority *authority,
                         struct kw_retirement *retirement,
                         struct kw_error *error) {
    struct work work = {.chip = chip, .authority = authority};
    memset(retirement, 0, sizeof *retirement);
    const kw_status status = retire_all(&work, retirement);
    if (status == KW_OK) {
        return KW_OK;
    }
    if (status == KW_NO) {
        kw_error(error, status,
                 "slot 14 is validated and cannot be invalidated (%s)",
                 retirement->slot[KW_ROTATING_SLOT].words);
        return kw_error_hint(error, "nothing was changed; name the private "
                                    "key of slot 13 with --authority FILE");
    }
    if (status == KW_NO_CHIP_TYPE) {
        kw_error(error, status,
                 "the chip is not locked: it is no device's "
                 "chip yet, and nothing in it is final");
        return kw_error_hint(error, "nothing was changed");
    }
    kw_error_chip(error, status, chip, "cannot retire the chip");
    return kw_error_hint(error, "run it again: what was overwritten stays "
                                "overwritten");
}

kw_status kw_retire_rehearse(struct kw_chip *chip,
                             const struct kw_authority *authority,
                             struct kw_retirement *retirement,
                             struct kw_error *error) {
    struct kw_rehearsal copy;
    KW_TRY(kw_rehearsal_open(chip, &copy, error));
    const kw_status status =
        kw_retire_chip(&copy.chip, authority, retirement, error);
    kw_rehearsal_close(&copy);
    return status;
}
