#include "host/authority_lock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/authority_set.h"
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
    KW_TRY(kw_rotation_need_authority(view, error));
    if (kw_rotation_view_is_unfinished(view)) {
        kw_error(error, KW_NO,
                 "a `resources make` was interrupted (generation %u), and "
                 "could not be made up for with slot 13 locked",
                 view->resources.number);
        return kw_error_hint(error, "run `keywright resources make` first; "
                                    "nothing was changed");
    }
    return KW_OK;
}

static kw_status another_authority(const struct kw_rotation_view *view,
                                   struct kw_error *error) {
    char found[KW_FINGERPRINT_TEXT];
    kw_fingerprint(view->authority, found);
    kw_error(error, KW_NO, "slot 13 holds another authority (%.16s)", found);
    return kw_error_hint(error, "nothing was changed; `keywright rotate "
                                "set-authority` puts the one of the file "
                                "there");
}

/* The lock makes slot 14 depend on one private key for ever: it is in keys/,
 * or the user names whose it is. */
static kw_status check_authority(const struct kw_rotation *rotation,
                                 const struct kw_rotation_view *view,
                                 struct kw_error *error) {
    uint8_t named[KW_PUBLIC_KEY_SIZE];
    struct kw_authority *authority = NULL;
    if (rotation->authority != NULL) {
        KW_TRY(kw_authority_named(rotation, named, error));
        return memcmp(named, view->authority, sizeof named) == 0
                   ? KW_OK
                   : another_authority(view, error);
    }
    const kw_status status =
        kw_rotation_authority(rotation, view->authority, &authority, error);
    kw_authority_close(authority);
    if (status == KW_NO) {
        return kw_error_hint(error, "without it slot 14 could never be rotated "
                                    "again: if it is kept elsewhere name it, "
                                    "or its public key, with --authority FILE");
    }
    return status;
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
    add(rehearsal, "slot 14 can only be rotated with the authority's private "
                   "key from then on: keep it");
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
    KW_TRY(check_authority(rotation, view, error));
    KW_TRY(kw_rehearsal_open(rotation->chip, &copy, error));
    const kw_status status = play(&copy.chip, view, rehearsal);
    const kw_status answer =
        status == KW_OK ? KW_OK
                        : kw_error_chip(error, status, &copy.chip,
                                        "the rehearsal of the lock failed; "
                                        "nothing was changed");
    kw_rehearsal_close(&copy);
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
