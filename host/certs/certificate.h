/* host/certs/certificate.h: P-256 certificates that are built to the byte.
 *
 * Names are O and CN as UTF8String; the signature is ECDSA with SHA-256.
 * The part that is signed comes from its description alone, so that a
 * certificate whose signature and dates are known can be built again.
 * Knows core/compcert.h, host/key.h and host/certs/pki.h, which encodes. */
#ifndef KW_HOST_CERTS_CERTIFICATE_H
#define KW_HOST_CERTS_CERTIFICATE_H

#include <openssl/types.h>

#include "core/compcert.h"
#include "host/error.h"

#define KW_TBS_MAX 1024 /* bytes */

/* Which extensions a certificate has, and in which order. */
enum kw_certificate_kind {
    KW_CERTIFICATE_ROOT,   /* SKI, AKI, CA */
    KW_CERTIFICATE_SIGNER, /* key usage, CA with path length 0, SKI, AKI */
    KW_CERTIFICATE_DEVICE, /* no CA, key usage, SKI, AKI */
};

struct kw_certificate_about {
    enum kw_certificate_kind kind;
    const char *organisation; /* of issuer and subject */
    const char *issuer;       /* common names */
    const char *subject;
    const uint8_t *issuer_key; /* KW_PUBLIC_KEY_SIZE bytes */
    const uint8_t *public_key;
    const uint8_t *serial; /* KW_COMPCERT_SERIAL_SIZE bytes; NULL: by key */
    struct kw_compcert_dates dates;
};

/* The part that is signed, in DER. */
struct kw_tbs {
    uint8_t der[KW_TBS_MAX];
    size_t size;
};

/* KW_SYSTEM_CRYPTO; KW_PARSE: a date that there is not. */
KW_MUST_USE kw_status kw_certificate_tbs(
    const struct kw_certificate_about *about, struct kw_tbs *tbs);
KW_MUST_USE kw_status kw_certificate_join(
    const struct kw_tbs *tbs, const uint8_t signature[KW_SIGNATURE_SIZE],
    X509 **certificate);

/* KW_NO_SIGNATURE: another key signed it. KW_PARSE_KEY: no P-256 key. */
KW_MUST_USE kw_status kw_certificate_verify(
    X509 *certificate, const uint8_t issuer_key[KW_PUBLIC_KEY_SIZE]);

/* What is in one that was read. KW_PARSE_KEY, KW_PARSE. */
KW_MUST_USE kw_status kw_certificate_public_key(
    const X509 *certificate, uint8_t public_key[KW_PUBLIC_KEY_SIZE]);
KW_MUST_USE kw_status kw_certificate_signature(
    const X509 *certificate, uint8_t signature[KW_SIGNATURE_SIZE]);
KW_MUST_USE kw_status kw_certificate_dates(const X509 *certificate,
                                           struct kw_compcert_dates *dates);

/* PEM files. KW_PARSE: it holds no certificate. */
KW_MUST_USE kw_status kw_certificate_read(const char *path, X509 **certificate,
                                          struct kw_error *error);
KW_MUST_USE kw_status kw_certificate_write(X509 *certificate, const char *path,
                                           struct kw_error *error);

#endif
