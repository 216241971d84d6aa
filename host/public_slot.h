/* host/public_slot.h: public keys in the slots of a chip, outside of a
 * rotation.
 *
 * What `resources make`, `rotate set-authority` and `chip retire` share.
 * Knows core/rotate.h and host/authorization.h. */
#ifndef KW_HOST_PUBLIC_SLOT_H
#define KW_HOST_PUBLIC_SLOT_H

#include "core/rotate.h"
#include "host/authority.h"

/* The P-256 key that a slot holds. False: it is blank, or holds other
 * bytes. */
bool kw_public_slot_key(const uint8_t stored[KW_STORED_KEY_SIZE],
                        uint8_t key[KW_PUBLIC_KEY_SIZE]);

/* Writes a public key into a slot that a Write may change, and reads it
 * back: KW_CHIP_READ_BACK when it is another one. */
KW_MUST_USE kw_status kw_public_slot_write(
    struct kw_chip *chip, unsigned slot, const uint8_t key[KW_PUBLIC_KEY_SIZE]);

/* Invalidates the key in slot 14 with whatever authority slot 13 holds: the
 * chip keeps no note of who validated it. Config is KW_CONFIG_SIZE bytes. */
KW_MUST_USE kw_status kw_public_slot_invalidate(
    struct kw_chip *chip, const uint8_t *config,
    const uint8_t key[KW_PUBLIC_KEY_SIZE], const struct kw_authority *authority,
    struct kw_error *error);

/* Whether a Write can put another authority into slot 13. */
bool kw_authority_slot_is_open(const uint8_t config[KW_CONFIG_SIZE]);

#endif
