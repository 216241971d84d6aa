/* host/authority_set.h: another authority for slot 13, or the one of before.
 *
 * Knows host/rotation_step.h, host/journal.h, host/register.h and
 * host/public_slot.h. */
#ifndef KW_HOST_AUTHORITY_SET_H
#define KW_HOST_AUTHORITY_SET_H

#include "host/rotation_view.h"

/* The public key of the authority that --authority names; a file of its public
 * key will do for who does not sign with it. */
KW_MUST_USE kw_status kw_authority_named(const struct kw_rotation *rotation,
                                         uint8_t key[KW_PUBLIC_KEY_SIZE],
                                         struct kw_error *error);

/* The public key of the authority that slot 13 is to hold: what --authority
 * names, its public key alone being enough; else the authority that the
 * register names for the key in slot 14, or for the one that an open rotation
 * puts there, when its private key is in keys/.
 * KW_NO: neither. */
KW_MUST_USE kw_status kw_authority_choose(const struct kw_rotation *rotation,
                                          const struct kw_rotation_view *view,
                                          uint8_t key[KW_PUBLIC_KEY_SIZE],
                                          struct kw_error *error);

/* Writes it and reads it back. KW_NO: slot 13 is locked. */
KW_MUST_USE kw_status kw_authority_set(const struct kw_rotation *rotation,
                                       const struct kw_rotation_view *view,
                                       const uint8_t key[KW_PUBLIC_KEY_SIZE],
                                       struct kw_error *error);

#endif
