/* host/certs/pki.h: P-256 certificates, built and read to the byte.
 *
 * The part that is signed (TBS) is built here from its description; an
 * authority signs its digest. So a PEM file, a token or a chip serve alike,
 * and a certificate whose signature and dates are known can be built again.
 * Reading copies nothing: a view points into the bytes that it was read
 * from, which must outlive it.
 *
 * Sources: RFC 5280; RFC 2986 (requests); RFC 5480 and 5758 (P-256, ECDSA
 * with SHA-256); cryptoauthlib's templates for the order of extensions.
 * Knows core/der.h, core/compcert.h, host/authority.h. */
#ifndef KW_HOST_CERTS_PKI_H
#define KW_HOST_CERTS_PKI_H

#include <time.h>

#include "core/compcert.h"
#include "core/der.h"
#include "host/authority.h"
#include "host/error.h"

#define KW_PKI_MAX         2048 /* bytes of a certificate */
#define KW_KEY_ID_SIZE     20   /* SHA-1 of the uncompressed point */
#define KW_PKI_SERIAL_SIZE KW_COMPCERT_SERIAL_SIZE
#define KW_EUI48_DIGITS    12

struct kw_pki_bytes {
    uint8_t der[KW_PKI_MAX];
    size_t size;
};

static inline struct kw_der kw_pki_cursor(const struct kw_pki_bytes *bytes) {
    return (struct kw_der){bytes->der, bytes->size};
}

/* A time, UTC. */
struct kw_moment {
    uint16_t year;
    uint8_t month;
    uint8_t day;
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
};

/* 9999-12-31T23:59:59: never (RFC 5280, 4.1.2.5). */
extern const struct kw_moment KW_MOMENT_NEVER;

struct kw_moment kw_moment_of(time_t time);
/* Negative, 0 or positive, as memcmp. */
int kw_moment_order(const struct kw_moment *left,
                    const struct kw_moment *right);
#define KW_MOMENT_TEXT 21
/* 2026-11-20T09:43:02Z */
void kw_moment_text(const struct kw_moment *moment, char text[KW_MOMENT_TEXT]);

/* YYMMDDHHMMSSZ, the text of a UTCTime, or generalized with the century
 * before it. No NUL follows. */
#define KW_UTC_TIME_SIZE         13
#define KW_GENERALIZED_TIME_SIZE 15
void kw_moment_write(const struct kw_moment *moment, bool generalized,
                     char text[KW_GENERALIZED_TIME_SIZE]);

/* Dates of a compressed certificate as its two times; `years` 0: never. */
void kw_moments_of_dates(const struct kw_compcert_dates *dates,
                         struct kw_moment *not_before,
                         struct kw_moment *not_after);

/* --- building --- */

/* Which extensions, in which order. */
enum kw_pki_profile {
    KW_PKI_ROOT,       /* SKI, AKI, CA */
    KW_PKI_SIGNER,     /* key usage, CA with path length 0, SKI, AKI */
    KW_PKI_DEVICE,     /* (EUI-48), no CA, key usage, SKI, AKI */
    KW_PKI_LOG_SIGNER, /* SKI, CA */
};

/* A Name of O and CN as UTF8Strings. KW_PARSE_SIZE: longer than 64. */
KW_MUST_USE kw_status kw_pki_name(const char *organisation,
                                  const char *common_name,
                                  struct kw_pki_bytes *name);

struct kw_pki_about {
    enum kw_pki_profile profile;
    struct kw_der issuer; /* names: whole DER */
    struct kw_der subject;
    const uint8_t *public_key; /* KW_PUBLIC_KEY_SIZE bytes */
    const uint8_t *issuer_id;  /* KW_KEY_ID_SIZE bytes; NULL: no AKI */
    const uint8_t *serial;     /* big-endian */
    size_t serial_size;
    struct kw_moment not_before; /* UTCTime up to 2049 */
    struct kw_moment not_after;
    bool after_is_generalized; /* in any year, as vendor templates have it */
    const char *eui48;         /* KW_EUI48_DIGITS digits; NULL: none */
};

/* KW_PARSE_SIZE: longer than KW_PKI_MAX. */
KW_MUST_USE kw_status kw_pki_tbs(const struct kw_pki_about *about,
                                 struct kw_pki_bytes *tbs);
/* What is signed of a request (PKCS#10): subject and key, and the signer's
 * extensions with its own SKI as AKI. */
KW_MUST_USE kw_status kw_pki_request(struct kw_der subject,
                                     const uint8_t *public_key,
                                     struct kw_pki_bytes *info);
/* What is signed, the algorithm and the signature (R, S). */
KW_MUST_USE kw_status kw_pki_join(struct kw_der tbs,
                                  const uint8_t signature[KW_SIGNATURE_SIZE],
                                  struct kw_pki_bytes *whole);
/* Asks the authority for the signature, and joins. */
KW_MUST_USE kw_status kw_pki_sign(const struct kw_pki_bytes *tbs,
                                  const struct kw_authority *authority,
                                  struct kw_pki_bytes *whole,
                                  struct kw_error *error);

void kw_pki_key_id(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                   uint8_t id[KW_KEY_ID_SIZE]);
/* 16 random bytes, the highest two bits 01. */
KW_MUST_USE kw_status kw_pki_random_serial(uint8_t serial[KW_PKI_SERIAL_SIZE],
                                           struct kw_error *error);

/* --- reading --- */

struct kw_pki_view {
    struct kw_der whole;
    struct kw_der tbs;
    struct kw_der serial;  /* the INTEGER's content */
    struct kw_der issuer;  /* whole DER */
    struct kw_der subject; /* whole DER */
    struct kw_der not_before_text;
    struct kw_der not_after_text;
    struct kw_moment not_before;
    struct kw_moment not_after;
    const uint8_t *public_key;   /* KW_PUBLIC_KEY_SIZE bytes */
    const uint8_t *subject_id;   /* KW_KEY_ID_SIZE bytes; NULL: no SKI */
    const uint8_t *authority_id; /* the same of the AKI */
    const char *eui48;           /* KW_EUI48_DIGITS digits; NULL: none */
    bool is_ca;
    bool has_path_length;
    uint8_t path_length;
    bool has_key_usage;
    bool may_sign_certificates; /* keyCertSign */
    uint8_t signature[KW_SIGNATURE_SIZE];
};

/* A version 3 certificate for a P-256 key, signed with ECDSA and SHA-256.
 * KW_PARSE: not one; KW_PARSE_KEY: another kind of key or signature. */
KW_MUST_USE kw_status kw_pki_read(struct kw_der der, struct kw_pki_view *view);

/* The text of an attribute of a Name (2.5.4.N), ended by a NUL.
 * KW_PARSE: it is not there, or too long. */
enum kw_pki_attribute { KW_PKI_COMMON_NAME = 3, KW_PKI_ORGANISATION = 10 };
KW_MUST_USE kw_status kw_pki_attribute(struct kw_der name,
                                       enum kw_pki_attribute attribute,
                                       char *text, size_t size);

#endif
