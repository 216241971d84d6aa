#include "host/authority_lock.h"

#include <stdarg.h>
#include <stdio.h>

#include "host/chip_reading.h"

static void add(struct kw_authority_rehearsal *rehearsal, const char *format,
                ...) __attribute__((format(printf, 2, 3)));

static void add(struct kw_authority_rehearsal *rehearsal, const char *format,
                ...) {
    va_list arguments;
    if (rehearsal->count == KW_REHEARSAL_WORDS) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(rehearsal->words[rehearsal->count++],
                    sizeof rehearsal->words[0], format, arguments);
    va_end(arguments);
}

static kw_status check(const struct kw_rotation_view *view,
                       struct kw_error *error) {
    if (view->authority_locked) {
        return kw_error(error, KW_NO, "slot 13 is locked already");
    }
    return kw_rotation_need_authority(view, error);
}

/* Whether the private key is within reach: without it slot 14 can never be
 * rotated again. */
static void tell_authority(const struct kw_rotation *rotation,
                           const struct kw_rotation_view *view,
                           struct kw_authority_rehearsal *rehearsal) {
    struct kw_error ignored;
    struct kw_authority *authority = NULL;
    const bool found = kw_rotation_authority(rotation, view->authority,
                                             &authority, &ignored) == KW_OK;
    kw_authority_close(authority);
    add(rehearsal,
        found ? "the authority's private key is in keys/: keep it, slot 14 "
                "can only be rotated with it"
              : "WARNING: the authority's private key is not in keys/; "
                "without it slot 14 can never be rotated again");
}

static kw_status play(struct kw_chip *copy, const struct kw_rotation_view *view,
                      struct kw_authority_rehearsal *rehearsal) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    KW_TRY(kw_chip_lock_slot(copy, KW_AUTHORITY_SLOT));
    add(rehearsal, "Lock of slot 13: accepted, and it cannot be undone");
    kw_stored_key(view->authority, stored);
    const kw_status status =
        kw_chip_write_slot(copy, KW_AUTHORITY_SLOT, stored, sizeof stored);
    KW_ENSURE(kw_status_is_refusal(status), KW_CHIP_READ_BACK);
    add(rehearsal, "Write to slot 13: refused from then on (%s)",
        kw_chip_reason(copy));
    add(rehearsal, "`resources make` can make no new authority on this chip");
    add(rehearsal, "requests and bundles made before the lock no longer fit");
    return KW_OK;
}

kw_status kw_authority_lock_rehearse(const struct kw_rotation *rotation,
                                     const struct kw_rotation_view *view,
                                     struct kw_authority_rehearsal *rehearsal,
                                     struct kw_error *error) {
    struct kw_rehearsal copy;
    rehearsal->count = 0;
    KW_TRY(check(view, error));
    KW_TRY(kw_rehearsal_open(rotation->chip, &copy, error));
    const kw_status status = play(&copy.chip, view, rehearsal);
    const kw_status answer =
        status == KW_OK ? KW_OK
                        : kw_error_chip(error, status, &copy.chip,
                                        "the rehearsal of the lock failed; "
                                        "nothing was changed");
    kw_rehearsal_close(&copy);
    tell_authority(rotation, view, rehearsal);
    return answer;
}

kw_status kw_authority_lock(const struct kw_rotation *rotation,
                            struct kw_error *error) {
    uint8_t config[KW_CONFIG_SIZE];
    kw_status status = kw_chip_lock_slot(rotation->chip, KW_AUTHORITY_SLOT);
    if (status == KW_OK) {
        status = kw_chip_read_config(rotation->chip, config);
    }
    if (status == KW_OK &&
        !kw_config_slot_is_locked(config, KW_AUTHORITY_SLOT)) {
        status = KW_CHIP_READ_BACK;
    }
    kw_chip_idle(rotation->chip);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(error, status, rotation->chip,
                                           "cannot lock slot 13");
}
