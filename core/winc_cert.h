/* core/winc_cert.h: what the Wi-Fi module's stores keep of a certificate.
 *
 * The certificate stays where it is; this holds offsets into it. The name
 * hash is the module's own: SHA-1 over the value bytes of the attributes in
 * DER order, without tag, length and OID, and with each length cut to 8
 * bits. Source: public descriptions of the root store by two independent
 * encoders of it; the layout of X.509 is RFC 5280.
 * Knows core/winc_der.h and core/sha1.h. */
#ifndef KW_CORE_WINC_CERT_H
#define KW_CORE_WINC_CERT_H

#include "core/hash.h"
#include "core/winc_der.h"

enum kw_winc_key_type { KW_WINC_RSA = 1, KW_WINC_ECDSA = 2 };

struct kw_winc_date {
    uint16_t year;
    uint8_t month;
    uint8_t day;
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
};

struct kw_winc_cert {
    const struct kw_source *source;
    uint8_t subject_hash[KW_SHA1_SIZE];
    uint8_t issuer_hash[KW_SHA1_SIZE];
    struct kw_winc_date not_before;
    struct kw_winc_date not_after;
    struct kw_winc_der serial;
    enum kw_winc_key_type key_type;
    /* RSA: modulus and exponent without leading zeros; P-256: X and Y. */
    struct kw_winc_der key[2];
};

/* KW_PARSE_DER: not one whole certificate and nothing behind it.
 * KW_NO_WINC_KEY_TYPE: neither RSA of at most 4096 bits nor P-256.
 * KW_NO_WINC_NAME: a name with a part of several attributes. */
KW_MUST_USE kw_status kw_winc_cert_read(const struct kw_source *source,
                                        struct kw_winc_cert *cert);

/* A private RSA key, PKCS#1 or PKCS#8, in DER: n e d p q dP dQ qInv. */
struct kw_winc_rsa_key {
    const struct kw_source *source;
    struct kw_winc_der number[8];
};

/* KW_PARSE_RSA_KEY. */
KW_MUST_USE kw_status kw_winc_rsa_key_read(const struct kw_source *source,
                                           struct kw_winc_rsa_key *key);

/* KW_NO_WINC_KEY: the certificate is for another key. */
KW_MUST_USE kw_status kw_winc_key_matches(const struct kw_winc_rsa_key *key,
                                          const struct kw_winc_cert *cert);

/* Less than, equal to, greater than 0, as memcmp. */
int kw_winc_date_compare(const struct kw_winc_date *left,
                         const struct kw_winc_date *right);

#endif
