/* host/certs/pki_verify.h: is this certificate what it says?
 *
 * A verifier is a public key that is parsed once and verifies often; it is
 * for one thread. Chains are checked from the root down: signature, names,
 * key identifiers, CA, path length, key usage, and validity at a time. Knows
 * host/certs/pki.h. */
#ifndef KW_HOST_CERTS_PKI_VERIFY_H
#define KW_HOST_CERTS_PKI_VERIFY_H

#include "host/certs/pki.h"

struct kw_verifier;

/* KW_PARSE_KEY: no point of the curve. */
KW_MUST_USE kw_status
kw_verifier_open(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                 struct kw_verifier **verifier);
void kw_verifier_close(struct kw_verifier *verifier);
/* KW_NO_SIGNATURE: it does not match. */
KW_MUST_USE kw_status kw_verifier_digest(
    struct kw_verifier *verifier, const uint8_t digest[KW_SHA256_SIZE],
    const uint8_t signature[KW_SIGNATURE_SIZE]);
/* The certificate's signature alone. */
KW_MUST_USE kw_status kw_verifier_certificate(struct kw_verifier *verifier,
                                              const struct kw_pki_view *view);

/* One link: did the issuer issue this certificate, as far as everything but
 * the signature says? `words`: the first thing that is wrong, NULL when
 * nothing is; KW_NO then. */
KW_MUST_USE kw_status kw_pki_check_link(const struct kw_pki_view *issuer,
                                        const struct kw_pki_view *subject,
                                        const char **words);
/* Does it begin and end within its issuer's validity? RFC 5280 does not ask
 * for it; certificates that are made here do. KW_NO with words. */
KW_MUST_USE kw_status kw_pki_check_nesting(const struct kw_pki_view *issuer,
                                           const struct kw_pki_view *subject,
                                           const char **words);
/* Is it valid at the time? KW_NO with words. */
KW_MUST_USE kw_status kw_pki_check_time(const struct kw_pki_view *view,
                                        const struct kw_moment *at,
                                        const char **words);

/* chain[0] is the trusted root, each next one is issued by the one before.
 * `at` NULL: at any time. The error names the certificate by names[i]. */
KW_MUST_USE kw_status kw_pki_check_chain(const struct kw_pki_view *chain,
                                         const char *const *names, size_t count,
                                         const struct kw_moment *at,
                                         struct kw_error *error);

#endif
