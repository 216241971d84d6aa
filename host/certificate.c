#include "host/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "host/files.h"
#include "host/key.h"
#include "host/openssl_hash.h"

#define CERTIFICATE_FILE_MAX 65536
#define POINT_SIZE           65 /* 04 X Y */
#define SCALAR_SIZE          32
#define SIGNATURE_DER_MAX    72
#define LAST_UTC_TIME_YEAR   2049

/* --- extensions --- */

struct extension {
    int nid;
    const char *value; /* NULL: a key identifier */
};

#define EXTENSIONS_MAX 4

static const struct extension EXTENSIONS[][EXTENSIONS_MAX] = {
    [KW_CERTIFICATE_ROOT] =
        {
            {NID_subject_key_identifier, NULL},
            {NID_authority_key_identifier, NULL},
            {NID_basic_constraints, "critical,CA:TRUE"},
        },
    [KW_CERTIFICATE_SIGNER] =
        {
            {NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"},
            {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
            {NID_subject_key_identifier, NULL},
            {NID_authority_key_identifier, NULL},
        },
    [KW_CERTIFICATE_DEVICE] =
        {
            {NID_basic_constraints, "critical,CA:FALSE"},
            {NID_key_usage, "critical,digitalSignature,keyAgreement"},
            {NID_subject_key_identifier, NULL},
            {NID_authority_key_identifier, NULL},
        },
};

/* SHA-1 of the uncompressed point: RFC 5280, 4.2.1.2, method 1. */
static ASN1_OCTET_STRING *
key_identifier(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t point[POINT_SIZE] = {4};
    uint8_t digest[KW_SHA1_SIZE];
    memcpy(point + 1, public_key, KW_PUBLIC_KEY_SIZE);
    ASN1_OCTET_STRING *identifier = ASN1_OCTET_STRING_new();
    if (identifier == NULL || SHA1(point, sizeof point, digest) == NULL ||
        ASN1_OCTET_STRING_set(identifier, digest, sizeof digest) != 1) {
        ASN1_OCTET_STRING_free(identifier);
        return NULL;
    }
    return identifier;
}

static bool add_subject_identifier(X509 *certificate, const uint8_t *key) {
    ASN1_OCTET_STRING *identifier = key_identifier(key);
    const bool added =
        identifier != NULL &&
        X509_add1_ext_i2d(certificate, NID_subject_key_identifier, identifier,
                          0, X509V3_ADD_APPEND) == 1;
    ASN1_OCTET_STRING_free(identifier);
    return added;
}

static bool add_authority_identifier(X509 *certificate, const uint8_t *key) {
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    if (authority == NULL) {
        return false;
    }
    authority->keyid = key_identifier(key);
    const bool added =
        authority->keyid != NULL &&
        X509_add1_ext_i2d(certificate, NID_authority_key_identifier, authority,
                          0, X509V3_ADD_APPEND) == 1;
    AUTHORITY_KEYID_free(authority);
    return added;
}

static bool add_by_words(X509 *certificate, const struct extension *row) {
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, row->nid, row->value);
    const bool added =
        extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool add_extension(X509 *certificate,
                          const struct kw_certificate_about *about,
                          const struct extension *row) {
    switch (row->nid) {
    case NID_subject_key_identifier:
        return add_subject_identifier(certificate, about->public_key);
    case NID_authority_key_identifier:
        return add_authority_identifier(certificate, about->issuer_key);
    default:
        return add_by_words(certificate, row);
    }
}

static bool add_extensions(X509 *certificate,
                           const struct kw_certificate_about *about) {
    const struct extension *rows = EXTENSIONS[about->kind];
    for (size_t i = 0; i < EXTENSIONS_MAX && rows[i].nid != NID_undef; i++) {
        if (!add_extension(certificate, about, &rows[i])) {
            return false;
        }
    }
    return true;
}

/* --- the other fields --- */

/* The key as OpenSSL holds it. */
static EVP_PKEY *pkey_of(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    char *pem = kw_public_key_pem(public_key);
    BIO *bio = pem == NULL ? NULL : BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey =
        bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    free(pem);
    return pkey;
}

static bool set_public_key(X509 *certificate, const uint8_t *public_key) {
    EVP_PKEY *pkey = pkey_of(public_key);
    const bool set = pkey != NULL && X509_set_pubkey(certificate, pkey) == 1;
    EVP_PKEY_free(pkey);
    return set;
}

static bool set_name(X509_NAME *name, const char *organisation,
                     const char *common_name) {
    return X509_NAME_add_entry_by_NID(
               name, NID_organizationName, V_ASN1_UTF8STRING,
               (const uint8_t *)organisation, -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                      (const uint8_t *)common_name, -1, -1,
                                      0) == 1;
}

static bool set_names(X509 *certificate,
                      const struct kw_certificate_about *about) {
    return set_name(X509_get_issuer_name(certificate), about->organisation,
                    about->issuer) &&
           set_name(X509_get_subject_name(certificate), about->organisation,
                    about->subject);
}

static bool set_serial(X509 *certificate,
                       const uint8_t serial[KW_COMPCERT_SERIAL_SIZE]) {
    BIGNUM *number = BN_bin2bn(serial, KW_COMPCERT_SERIAL_SIZE, NULL);
    ASN1_INTEGER *integer =
        number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);
    const bool set =
        integer != NULL && X509_set_serialNumber(certificate, integer) == 1;
    ASN1_INTEGER_free(integer);
    BN_free(number);
    return set;
}

/* OpenSSL takes a text of 13 characters for a UTCTime, of 15 for a
 * GeneralizedTime. */
static ASN1_TIME *time_of(const struct kw_compcert_dates *dates, bool utc) {
    ASN1_TIME *made = ASN1_TIME_new();
    const unsigned year = utc ? dates->year % 100u : dates->year;
    char *text = kw_format("%0*u%02u%02u%02u0000Z", utc ? 2 : 4, year,
                           dates->month, dates->day, dates->hour);
    if (made == NULL || text == NULL || ASN1_TIME_set_string(made, text) != 1) {
        ASN1_TIME_free(made);
        made = NULL;
    }
    free(text);
    return made;
}

/* The vendor's templates end with a GeneralizedTime in any year. */
static bool set_dates(X509 *certificate,
                      const struct kw_certificate_about *about) {
    const struct kw_compcert_dates expiry = kw_compcert_expiry(&about->dates);
    const bool root_in_time =
        about->kind == KW_CERTIFICATE_ROOT && expiry.year <= LAST_UTC_TIME_YEAR;
    ASN1_TIME *from =
        time_of(&about->dates, about->dates.year <= LAST_UTC_TIME_YEAR);
    ASN1_TIME *to = time_of(&expiry, root_in_time);
    const bool set = from != NULL && to != NULL &&
                     X509_set1_notBefore(certificate, from) == 1 &&
                     X509_set1_notAfter(certificate, to) == 1;
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return set;
}

/* OpenSSL sets the algorithm when it signs; here the key signs elsewhere,
 * and no function for that is public. */
static bool set_algorithm(X509 *certificate) {
    X509_ALGOR *algorithm = (X509_ALGOR *)X509_get0_tbs_sigalg(certificate);
    return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ecdsa_with_SHA256),
                           V_ASN1_UNDEF, NULL) == 1;
}

static bool fill(X509 *certificate, const struct kw_certificate_about *about,
                 const uint8_t serial[KW_COMPCERT_SERIAL_SIZE]) {
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           set_serial(certificate, serial) && set_algorithm(certificate) &&
           set_names(certificate, about) && set_dates(certificate, about) &&
           set_public_key(certificate, about->public_key) &&
           add_extensions(certificate, about);
}

/* --- the part that is signed, and the whole --- */

static kw_status serial_of(const struct kw_certificate_about *about,
                           uint8_t serial[KW_COMPCERT_SERIAL_SIZE]) {
    uint8_t encoded[KW_COMPCERT_DATES_SIZE];
    uint8_t high = 0;
    KW_TRY(kw_compcert_encode_dates(&about->dates, encoded, &high));
    if (about->serial != NULL) {
        memcpy(serial, about->serial, KW_COMPCERT_SERIAL_SIZE);
        return KW_OK;
    }
    return kw_compcert_serial(&kw_openssl_hash, about->public_key, encoded,
                              serial);
}

kw_status kw_certificate_tbs(const struct kw_certificate_about *about,
                             struct kw_tbs *tbs) {
    uint8_t serial[KW_COMPCERT_SERIAL_SIZE];
    uint8_t *der = NULL;
    KW_TRY(serial_of(about, serial));
    X509 *certificate = X509_new();
    const int size = certificate != NULL && fill(certificate, about, serial)
                         ? i2d_re_X509_tbs(certificate, &der)
                         : 0;
    const bool fits = size > 0 && (size_t)size <= sizeof tbs->der;
    if (fits) {
        memcpy(tbs->der, der, (size_t)size);
        tbs->size = (size_t)size;
    }
    OPENSSL_free(der);
    X509_free(certificate);
    return fits ? KW_OK : KW_SYSTEM_CRYPTO;
}

static size_t signature_to_der(const uint8_t signature[KW_SIGNATURE_SIZE],
                               uint8_t der[SIGNATURE_DER_MAX]) {
    ECDSA_SIG *built = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, SCALAR_SIZE, NULL);
    BIGNUM *s = BN_bin2bn(signature + SCALAR_SIZE, SCALAR_SIZE, NULL);
    if (built == NULL || r == NULL || s == NULL ||
        ECDSA_SIG_set0(built, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(built);
        return 0;
    }
    const int size = i2d_ECDSA_SIG(built, &der);
    ECDSA_SIG_free(built);
    return size > 0 ? (size_t)size : 0;
}

/* SEQUENCE of: what is signed, ecdsa-with-SHA256, BIT STRING. The contents
 * are longer than 255 bytes and shorter than 65536. */
kw_status kw_certificate_join(const struct kw_tbs *tbs,
                              const uint8_t signature[KW_SIGNATURE_SIZE],
                              X509 **certificate) {
    static const uint8_t ALGORITHM[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                        0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
    uint8_t der[KW_TBS_MAX + 128];
    uint8_t *at = der + 4;
    uint8_t encoded[SIGNATURE_DER_MAX];
    const size_t encoded_size = signature_to_der(signature, encoded);
    const uint8_t bits[] = {0x03, (uint8_t)(encoded_size + 1), 0x00};
    KW_ENSURE(encoded_size > 0, KW_SYSTEM_CRYPTO);
    at = mempcpy(at, tbs->der, tbs->size);
    at = mempcpy(at, ALGORITHM, sizeof ALGORITHM);
    at = mempcpy(at, bits, sizeof bits);
    at = mempcpy(at, encoded, encoded_size);
    const size_t content = (size_t)(at - der) - 4;
    const uint8_t head[] = {0x30, 0x82, (uint8_t)(content >> 8),
                            (uint8_t)content};
    memcpy(der, head, sizeof head);
    const uint8_t *from = der;
    *certificate = d2i_X509(NULL, &from, (long)(content + sizeof head));
    return *certificate == NULL ? KW_SYSTEM_CRYPTO : KW_OK;
}

kw_status kw_certificate_verify(X509 *certificate,
                                const uint8_t issuer_key[KW_PUBLIC_KEY_SIZE]) {
    EVP_PKEY *pkey = pkey_of(issuer_key);
    KW_ENSURE(pkey != NULL, KW_PARSE_KEY);
    const bool matches = X509_verify(certificate, pkey) == 1;
    EVP_PKEY_free(pkey);
    return matches ? KW_OK : KW_NO_SIGNATURE;
}

/* --- what is in one --- */

kw_status kw_certificate_public_key(const X509 *certificate,
                                    uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
    const uint8_t *point = bits == NULL ? NULL : ASN1_STRING_get0_data(bits);
    KW_ENSURE(point != NULL && ASN1_STRING_length(bits) == POINT_SIZE &&
                  point[0] == 4,
              KW_PARSE_KEY);
    memcpy(public_key, point + 1, KW_PUBLIC_KEY_SIZE);
    return KW_OK;
}

kw_status kw_certificate_signature(const X509 *certificate,
                                   uint8_t signature[KW_SIGNATURE_SIZE]) {
    const ASN1_BIT_STRING *bits = NULL;
    X509_get0_signature(&bits, NULL, certificate);
    KW_ENSURE(bits != NULL, KW_PARSE);
    const uint8_t *der = ASN1_STRING_get0_data(bits);
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, ASN1_STRING_length(bits));
    const bool done =
        parsed != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, SCALAR_SIZE) > 0 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + SCALAR_SIZE,
                     SCALAR_SIZE) > 0;
    ECDSA_SIG_free(parsed);
    return done ? KW_OK : KW_PARSE;
}

kw_status kw_certificate_dates(const X509 *certificate,
                               struct kw_compcert_dates *dates) {
    struct tm from;
    struct tm to;
    KW_ENSURE(ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &from) == 1 &&
                  ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &to) == 1 &&
                  to.tm_year >= from.tm_year && to.tm_year - from.tm_year < 128,
              KW_PARSE);
    *dates = (struct kw_compcert_dates){
        .year = (uint16_t)(from.tm_year + 1900),
        .month = (uint8_t)(from.tm_mon + 1),
        .day = (uint8_t)from.tm_mday,
        .hour = (uint8_t)from.tm_hour,
        .years = (uint8_t)(to.tm_year - from.tm_year),
    };
    return KW_OK;
}

/* --- files --- */

kw_status kw_certificate_read(const char *path, X509 **certificate,
                              struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, CERTIFICATE_FILE_MAX, &data, &size, error));
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    *certificate =
        bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    free(data);
    return *certificate != NULL
               ? KW_OK
               : kw_error(error, KW_PARSE, "%s holds no certificate in PEM",
                          path);
}

kw_status kw_certificate_write(X509 *certificate, const char *path,
                               struct kw_error *error) {
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1) {
        BIO_free(bio);
        return kw_error(error, KW_SYSTEM_CRYPTO,
                        "OpenSSL failed to write a certificate");
    }
    const long size = BIO_get_mem_data(bio, &text);
    const kw_status status =
        kw_file_create(path, KW_PUBLIC_MODE, text, (size_t)size, error);
    BIO_free(bio);
    return status;
}
