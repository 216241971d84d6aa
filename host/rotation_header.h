/* host/rotation_header.h: a rotation as a C header.
 *
 * The vendor's public_key_rotation.h, which its own firmware includes as it
 * is, and Keywright's bundle as arrays (docs/formats.md, "Key files").
 * Knows host/rotation.h. */
#ifndef KW_HOST_ROTATION_HEADER_H
#define KW_HOST_ROTATION_HEADER_H

#include "host/rotation.h"

struct kw_header_about {
    const struct kw_authority *authority;
    const uint8_t *config;      /* the chip's, KW_CONFIG_SIZE bytes */
    const uint8_t *new_key;     /* public */
    const char *new_key_file;   /* its private key */
    const uint8_t *invalidates; /* the key that the invalidate pair is for */
};

/* A new file. Enters the new key into the register of the workspace: from
 * now on this authority vouches for it. */
KW_MUST_USE kw_status kw_vendor_header_create(
    const struct kw_workspace *workspace, const char *path,
    const struct kw_header_about *about, struct kw_error *error);

/* A new header with the envelope's bytes as constants; `bundle` is what its
 * payload says, for the comment. */
KW_MUST_USE kw_status
kw_bundle_header_create(const char *path, const struct kw_envelope *envelope,
                        const struct kw_bundle *bundle, struct kw_error *error);

#endif
