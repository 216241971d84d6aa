/* host/authorization.h: from a device's request to an authority's bundle.
 *
 * Needs no chip. The authority believes of a request what the proof binds
 * (serial, configuration, old and new key) and decides the rest by its own
 * register: docs/formats.md, "Register". Knows host/authority.h,
 * host/envelope.h and host/register.h. */
#ifndef KW_HOST_AUTHORIZATION_H
#define KW_HOST_AUTHORIZATION_H

#include "host/authority.h"
#include "host/envelope.h"
#include "host/workspace.h"

/* A request that was decoded and whose proof was verified; points into the
 * envelope. */
struct kw_checked_request {
    struct kw_request request;
    const uint8_t *proof; /* KW_SIGNATURE_SIZE bytes */
    uint8_t configuration_digest[KW_SHA256_SIZE];
};

/* Class KW_CLASS_PARSE, KW_NO_SLOT, KW_NO_CHIP_TYPE, KW_NO_PROOF,
 * KW_NO_SAME_KEY. */
KW_MUST_USE kw_status kw_request_check(const struct kw_envelope *envelope,
                                       struct kw_checked_request *checked,
                                       struct kw_error *error);

struct kw_authorization {
    const struct kw_workspace *workspace; /* holds the register */
    const struct kw_authority *authority;
    uint32_t sequence;          /* 0: the next one; a fleet must name it */
    const char *accept_old_key; /* a fingerprint, or NULL */
};

/* The greater of the device's counter 1 and the register's last for this
 * serial, plus one. KW_NO_SEQUENCE_AHEAD: the device would not take it. */
KW_MUST_USE kw_status kw_authorization_next(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    uint32_t counter, uint32_t *sequence, struct kw_error *error);

/* The sequence that the bundle would get. KW_USAGE: a fleet names none.
 * KW_NO_SEQUENCE_REPLAYED, KW_NO_SEQUENCE_AHEAD: the device that the request
 * names would not take it. */
KW_MUST_USE kw_status
kw_authorization_sequence(const struct kw_authorization *authorization,
                          const struct kw_checked_request *checked,
                          uint32_t *sequence, struct kw_error *error);

/* Whether a validate pair for this old key, which could bring it back, may be
 * made: KW_NO unless the register vouches for the key, or the user. */
KW_MUST_USE kw_status kw_authorization_old_key(
    const struct kw_authorization *authorization,
    const uint8_t old_key[KW_PUBLIC_KEY_SIZE], struct kw_error *error);

/* Signs the pairs and the bundle, and enters it into the register before it
 * answers it. KW_NO: the old key is validated and nobody vouches for it, or
 * the chip's authority is another one. */
KW_MUST_USE kw_status kw_authorize(const struct kw_authorization *authorization,
                                   const struct kw_checked_request *checked,
                                   struct kw_envelope *bundle,
                                   uint32_t *sequence, struct kw_error *error);

/* A pair for a key: fresh random nonce, signature over its message. */
KW_MUST_USE kw_status kw_pair_make(const struct kw_authority *authority,
                                   const struct kw_configuration *configuration,
                                   const uint8_t *serial, const uint8_t *key,
                                   bool invalidate, uint8_t pair[KW_PAIR_SIZE],
                                   struct kw_error *error);

#endif
