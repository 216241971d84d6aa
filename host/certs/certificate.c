#include "host/certs/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "host/certs/pki.h"
#include "host/files.h"
#include "host/key.h"
#include "host/openssl_hash.h"

#define CERTIFICATE_FILE_MAX 65536
#define POINT_SIZE           65 /* 04 X Y */
#define SCALAR_SIZE          32

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
    static const enum kw_pki_profile PROFILES[] = {
        [KW_CERTIFICATE_ROOT] = KW_PKI_ROOT,
        [KW_CERTIFICATE_SIGNER] = KW_PKI_SIGNER,
        [KW_CERTIFICATE_DEVICE] = KW_PKI_DEVICE,
    };
    uint8_t serial[KW_COMPCERT_SERIAL_SIZE];
    uint8_t id[KW_KEY_ID_SIZE];
    struct kw_pki_bytes issuer;
    struct kw_pki_bytes subject;
    struct kw_pki_bytes built;
    KW_TRY(serial_of(about, serial));
    KW_TRY(kw_pki_name(about->organisation, about->issuer, &issuer));
    KW_TRY(kw_pki_name(about->organisation, about->subject, &subject));
    kw_pki_key_id(about->issuer_key, id);
    struct kw_pki_about pki = {
        .profile = PROFILES[about->kind],
        .issuer = kw_pki_cursor(&issuer),
        .subject = kw_pki_cursor(&subject),
        .public_key = about->public_key,
        .issuer_id = id,
        .serial = serial,
        .serial_size = sizeof serial,
        .after_is_generalized = about->kind != KW_CERTIFICATE_ROOT,
    };
    kw_moments_of_dates(&about->dates, &pki.not_before, &pki.not_after);
    KW_TRY(kw_pki_tbs(&pki, &built));
    KW_ENSURE(built.size <= sizeof tbs->der, KW_PARSE_SIZE);
    memcpy(tbs->der, built.der, built.size);
    tbs->size = built.size;
    return KW_OK;
}

kw_status kw_certificate_join(const struct kw_tbs *tbs,
                              const uint8_t signature[KW_SIGNATURE_SIZE],
                              X509 **certificate) {
    struct kw_pki_bytes whole;
    const uint8_t *from = whole.der;
    KW_TRY(
        kw_pki_join((struct kw_der){tbs->der, tbs->size}, signature, &whole));
    *certificate = d2i_X509(NULL, &from, (long)whole.size);
    return *certificate == NULL ? KW_SYSTEM_CRYPTO : KW_OK;
}

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
