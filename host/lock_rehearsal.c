#include "host/lock_rehearsal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/chip_explain.h"
#include "host/phrase.h"
#include "host/slot_words.h"

__attribute__((format(printf, 2, 3))) static void
say(struct kw_lock_words *words, const char *format, ...) {
    va_list arguments;
    if (words->count == KW_LOCK_LINES) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(words->line[words->count++], KW_LOCK_LINE, format,
                    arguments);
    va_end(arguments);
}

static kw_status lock(struct kw_chip *chip, const struct kw_lock_plan *plan) {
    switch (plan->what) {
    case KW_LOCK_CONFIG:
        return kw_chip_lock_zone(chip, KW_ZONE_CONFIG, plan->crc);
    case KW_LOCK_DATA:
        return kw_chip_lock_zone(chip, KW_ZONE_DATA, plan->crc);
    case KW_LOCK_SLOT:
        break;
    }
    return kw_chip_lock_slot(chip, plan->slot);
}

/* --- what changes --- */

static void compare_slot(const uint8_t *before, const uint8_t *after,
                         unsigned slot, struct kw_lock_words *words) {
    struct kw_permission was[KW_PERMISSIONS_MAX];
    struct kw_permission is[KW_PERMISSIONS_MAX];
    const size_t count = kw_explain_slot(before, slot, was);
    char lost[KW_LOCK_LINE] = "";
    char gained[KW_LOCK_LINE] = "";
    (void)kw_explain_slot(after, slot, is);
    for (size_t i = 0; i < count; i++) {
        if (was[i].permitted != KW_PERMITTED_NO &&
            is[i].permitted == KW_PERMITTED_NO) {
            kw_phrase_add(lost, sizeof lost, "%s", is[i].command);
        }
        if (was[i].permitted == KW_PERMITTED_NO &&
            is[i].permitted != KW_PERMITTED_NO) {
            kw_phrase_add(gained, sizeof gained, "%s", is[i].command);
        }
    }
    if (lost[0] != '\0') {
        say(words, "slot %u: never again %.*s", slot, KW_LOCK_LINE - 40, lost);
    }
    if (gained[0] != '\0') {
        say(words, "slot %u: from now on %.*s", slot, KW_LOCK_LINE - 40,
            gained);
    }
}

static void say_zone(const struct kw_lock_plan *plan,
                     struct kw_lock_words *words) {
    static const char *const ZONES[] = {
        [KW_LOCK_CONFIG] = "the configuration zone never changes again: no "
                           "SlotConfig, KeyConfig, ChipOptions, address",
        [KW_LOCK_DATA] = "the OTP zone never changes again, and SlotConfig "
                         "rules every slot",
        [KW_LOCK_SLOT] = "the content of the slot never changes again",
    };
    say(words, "%s", ZONES[plan->what]);
}

/* A private key is never written, locked or not: another one tells. */
static kw_status try_slot(struct kw_chip *copy, unsigned slot,
                          bool is_private) {
    static const uint8_t ZEROS[KW_BLOCK_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    return is_private ? kw_chip_make_key(copy, slot, key)
                      : kw_chip_write_block(copy, slot, 0, ZEROS, sizeof ZEROS);
}

/* What the copy says to a write of what was just locked. */
static void try_write(struct kw_chip *copy, const struct kw_lock_plan *plan,
                      const uint8_t *config, struct kw_lock_words *words) {
    const bool is_private = plan->what == KW_LOCK_SLOT &&
                            kw_config_key(config, plan->slot).is_private;
    static const uint8_t ZEROS[KW_BLOCK_SIZE];
    kw_status status = KW_OK;
    const char *what = "a Write to the zone";
    switch (plan->what) {
    case KW_LOCK_CONFIG:
        status = kw_chip_write(copy, KW_ZONE_CONFIG, 0, 0,
                               KW_CONFIG_SLOT_CONFIG / KW_WORD_SIZE, ZEROS,
                               KW_WORD_SIZE);
        break;
    case KW_LOCK_DATA:
        status = kw_chip_write(copy, KW_ZONE_OTP, 0, 0, 0, ZEROS, sizeof ZEROS);
        break;
    case KW_LOCK_SLOT:
        what = is_private ? "GenKey of a new key" : "a Write to the slot";
        status = try_slot(copy, plan->slot, is_private);
        break;
    }
    say(words, "tried on the copy: %s is %s%s%s", what,
        status == KW_OK ? "still taken" : "refused",
        status == KW_OK ? "" : ": ",
        status == KW_OK ? "" : kw_chip_reason(copy));
}

/* Before the data lock no slot can be read: unless the copy is whole its data
 * are not the chip's, and their CRC would not match. */
static kw_status try_lock(struct kw_chip *copy, const struct kw_lock_plan *plan,
                          struct kw_lock_words *words) {
    struct kw_lock_plan tried = *plan;
    if (plan->what == KW_LOCK_DATA && plan->name == NULL && plan->crc != NULL) {
        tried.crc = NULL;
        say(words, "the CRC of the image is not tried: no copy can be made of "
                   "slots that cannot be read; the chip compares it when it "
                   "locks");
    }
    return lock(copy, &tried);
}

static kw_status rehearse_on(struct kw_chip *copy,
                             const struct kw_lock_plan *plan,
                             struct kw_lock_words *words,
                             struct kw_error *error) {
    uint8_t before[KW_CONFIG_SIZE];
    uint8_t after[KW_CONFIG_SIZE];
    kw_status status = kw_chip_read_config(copy, before);
    if (status == KW_OK) {
        status = try_lock(copy, plan, words);
    }
    if (status != KW_OK) {
        return kw_error_chip(error, status, copy, "the chip would not lock");
    }
    status = kw_chip_read_config(copy, after);
    if (status != KW_OK) {
        return kw_error_chip(error, status, copy, "cannot read the copy");
    }
    say_zone(plan, words);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        compare_slot(before, after, slot, words);
    }
    try_write(copy, plan, after, words);
    return KW_OK;
}

/* Of the chip itself: a copy may have other secrets. */
static kw_status say_content(struct kw_chip *chip, unsigned slot,
                             struct kw_lock_words *words,
                             struct kw_error *error) {
    struct kw_chip_about about;
    struct kw_slot_words holds;
    KW_TRY(kw_part_read(chip, &about, error));
    KW_TRY(kw_slot_words_read(chip, &about, slot, &holds, error));
    kw_chip_idle(chip);
    say(words, "slot %u holds for ever what it holds now: %s%s%.*s", slot,
        holds.state, holds.has_fingerprint ? " " : "", KW_FINGERPRINT_SHOWN,
        holds.has_fingerprint ? holds.fingerprint : "");
    return KW_OK;
}

kw_status kw_lock_rehearse(struct kw_chip *chip,
                           const struct kw_lock_plan *plan,
                           struct kw_lock_words *words,
                           struct kw_error *error) {
    struct kw_rehearsal copy;
    words->count = 0;
    KW_TRY(plan->name == NULL ? kw_rehearsal_open(chip, &copy, error)
                              : kw_rehearsal_open_whole(
                                    plan->workspace, plan->name, &copy, error));
    const kw_status status = rehearse_on(&copy.chip, plan, words, error);
    kw_rehearsal_close(&copy);
    return status == KW_OK && plan->what == KW_LOCK_SLOT
               ? say_content(chip, plan->slot, words, error)
               : status;
}

kw_status kw_lock_chip(struct kw_chip *chip, const struct kw_lock_plan *plan,
                       struct kw_error *error) {
    const kw_status status = lock(chip, plan);
    kw_chip_idle(chip);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(error, status, chip, "cannot lock");
}
