#include "host/rotation_view.h"

#include "host/public_slot.h"

void kw_rotation_say(const struct kw_rotation *rotation, const char *line) {
    if (rotation->say != NULL) {
        rotation->say(rotation->observer, line);
    }
}

static bool can_rotate(const uint8_t config[KW_CONFIG_SIZE]) {
    const struct kw_configuration configuration = kw_configuration_of(config);
    return kw_config_is_locked(config) && kw_config_data_is_locked(config) &&
           kw_configuration_can_rotate(&configuration);
}

static kw_status wrong_type(struct kw_error *error) {
    kw_error(error, KW_NO_CHIP_TYPE,
             "this chip is no TrustFLEX part: its slot 14 is not configured "
             "as a rotating public key under slot 13");
    return kw_error_hint(error, "check --chip, and the board's switches: a "
                                "TrustFLEX part answers at address 6C");
}

static void look_at_keys(struct kw_rotation_view *view,
                         const uint8_t authority[KW_STORED_KEY_SIZE]) {
    view->has_key = kw_stored_key_read(view->state.stored, view->key);
    view->authority_is_blank = !kw_stored_key_read(authority, view->authority);
    view->has_authority = kw_public_slot_key(authority, view->authority);
    view->authority_locked =
        kw_config_slot_is_locked(view->state.config, KW_AUTHORITY_SLOT);
}

kw_status kw_rotation_look(const struct kw_rotation *rotation,
                           struct kw_rotation_view *view,
                           struct kw_error *error) {
    uint8_t authority[KW_STORED_KEY_SIZE];
    kw_status status = kw_chip_read_config(rotation->chip, view->state.config);
    if (status == KW_OK && !can_rotate(view->state.config)) {
        return wrong_type(error);
    }
    if (status == KW_OK) {
        status = kw_rotate_read_state(rotation->chip, &view->state);
    }
    if (status == KW_OK) {
        status = kw_chip_read_slot(rotation->chip, KW_AUTHORITY_SLOT, authority,
                                   sizeof authority);
    }
    kw_chip_idle(rotation->chip);
    if (status != KW_OK) {
        return kw_error_chip(error, status, rotation->chip,
                             "cannot read the chip");
    }
    look_at_keys(view, authority);
    return kw_keyring_resources(rotation->workspace, view->state.serial,
                                &view->resources, error);
}

bool kw_rotation_view_is_unfinished(const struct kw_rotation_view *view) {
    return view->resources.number != 0 && !view->resources.is_whole;
}

/* What to do about a slot 13 without a P-256 key. A key in slot 14 shows that
 * it had one. */
static kw_status advise(const struct kw_rotation_view *view,
                        struct kw_error *error) {
    if (!kw_authority_slot_is_open(view->state.config)) {
        return kw_error_hint(error, "it is locked, so it never will: use "
                                    "another chip");
    }
    if (kw_rotation_view_is_unfinished(view)) {
        return kw_error_hint(error,
                             "a `resources make` was interrupted (generation "
                             "%u): run `keywright resources make` again",
                             view->resources.number);
    }
    if (!view->has_key) {
        return kw_error_hint(error, "run `keywright resources make` first");
    }
    return kw_error_hint(error, "`keywright rotate set-authority` puts back "
                                "the one that it held before; `keywright "
                                "resources make` makes all keys of the chip "
                                "anew");
}

kw_status kw_rotation_need_authority(const struct kw_rotation_view *view,
                                     struct kw_error *error) {
    if (view->has_authority) {
        return KW_OK;
    }
    kw_error(error, KW_NO,
             view->authority_is_blank
                 ? "slot 13 holds no validation authority"
                 : "slot 13 holds no validation authority: what is in it is "
                   "no P-256 key");
    return advise(view, error);
}
