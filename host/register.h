/* host/register.h: what an authority has authorised, append-only.
 *
 * bundles/register.ndjson (docs/formats.md, "Register"). It decides the next
 * sequence of a device and whether this authority vouches for an old key.
 * Knows host/workspace.h. */
#ifndef KW_HOST_REGISTER_H
#define KW_HOST_REGISTER_H

#include "core/bundle.h"
#include "host/key.h"
#include "host/workspace.h"

struct kw_register_entry {
    const uint8_t *serial; /* NULL: a fleet */
    uint32_t sequence;     /* 0: an exported header, which has none */
    const uint8_t *authority;
    const uint8_t *old_key; /* NULL: none */
    const uint8_t *new_key;
    const uint8_t *payload; /* KW_BUNDLE_SIZE bytes; NULL: a header */
};

/* Durable when it returns KW_OK. */
KW_MUST_USE kw_status kw_register_append(const struct kw_workspace *workspace,
                                         const struct kw_register_entry *entry,
                                         struct kw_error *error);

/* The last sequence of this serial (NULL: of fleets); 0 when there is
 * none. */
KW_MUST_USE kw_status kw_register_last_sequence(
    const struct kw_workspace *workspace, const uint8_t *serial,
    uint32_t *sequence, struct kw_error *error);

/* The fingerprint of the authority that authorised this key last; "" when
 * the register does not show it. */
KW_MUST_USE kw_status kw_register_authority_of(
    const struct kw_workspace *workspace, const uint8_t key[KW_PUBLIC_KEY_SIZE],
    char fingerprint[KW_FINGERPRINT_TEXT], struct kw_error *error);

/* Whether this authority (NULL: any) has authorised this key before. */
KW_MUST_USE kw_status kw_register_vouches(const struct kw_workspace *workspace,
                                          const uint8_t *authority,
                                          const uint8_t key[KW_PUBLIC_KEY_SIZE],
                                          bool *vouches,
                                          struct kw_error *error);

#endif
