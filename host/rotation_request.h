/* host/rotation_request.h: the next key, its request, and the authority.
 *
 * Knows host/rotation_view.h, host/keyring.h and host/authority.h. */
#ifndef KW_HOST_ROTATION_REQUEST_H
#define KW_HOST_ROTATION_REQUEST_H

#include "host/authority.h"
#include "host/envelope.h"
#include "host/keyring.h"
#include "host/rotation_view.h"

/* A new key pair of slot 14 in a generation of its own. */
KW_MUST_USE kw_status kw_rotation_new_key(const struct kw_rotation *rotation,
                                          const uint8_t *serial,
                                          struct kw_key_file *made,
                                          struct kw_error *error);

/* The newest key of this chip, when it is newer than the one in slot 14 and
 * no device can have it: `new-key` made it for the next rotation. KW_NO:
 * there is none, or a bundle or an exported header names it already. */
KW_MUST_USE kw_status kw_rotation_waiting_key(
    const struct kw_rotation *rotation, const struct kw_rotation_view *view,
    struct kw_key_file *waiting, struct kw_error *error);

/* A request for a key file. */
KW_MUST_USE kw_status kw_rotation_request(const struct kw_rotation_view *view,
                                          const struct kw_key_file *key,
                                          bool fleet,
                                          struct kw_envelope *request,
                                          struct kw_error *error);

/* The authority: --authority, else the private key in keys/ that belongs to
 * this public key. */
KW_MUST_USE kw_status
kw_rotation_authority(const struct kw_rotation *rotation,
                      const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                      struct kw_authority **authority, struct kw_error *error);

/* A file below bundles/ that is not there yet; the caller frees. */
char *kw_rotation_new_file(const struct kw_workspace *workspace,
                           const uint8_t *serial, const char *kind);

#endif
