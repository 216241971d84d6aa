#include "host/certs/pki.h"

#include <string.h>

#include "core/sha1.h"
#include "host/openssl_hash.h"

#define POINT_SIZE         65 /* 04 X Y */
#define LAST_UTC_TIME_YEAR 2049
#define TEXT_MAX           64 /* characters of O and CN: RFC 5280, A.1 */

/* ecdsa-with-SHA256. */
static const uint8_t ALGORITHM[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                    0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};

/* SubjectPublicKeyInfo up to X: id-ecPublicKey, prime256v1. */
static const uint8_t KEY_INFO[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A,
                                   0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                                   0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03,
                                   0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

/* Moves what was written to the front. */
static kw_status finish(const struct kw_der_writer *writer,
                        struct kw_pki_bytes *bytes) {
    struct kw_der written;
    KW_TRY(kw_der_finish(writer, &written));
    memmove(bytes->der, written.at, written.left);
    bytes->size = written.left;
    return KW_OK;
}

/* --- extensions --- */

static const uint8_t CA[] = {0x30, 0x0F, 0x06, 0x03, 0x55, 0x1D,
                             0x13, 0x01, 0x01, 0xFF, 0x04, 0x05,
                             0x30, 0x03, 0x01, 0x01, 0xFF};
static const uint8_t CA_OF_LEAVES[] = {0x30, 0x12, 0x06, 0x03, 0x55, 0x1D, 0x13,
                                       0x01, 0x01, 0xFF, 0x04, 0x08, 0x30, 0x06,
                                       0x01, 0x01, 0xFF, 0x02, 0x01, 0x00};
static const uint8_t NO_CA[] = {0x30, 0x0C, 0x06, 0x03, 0x55, 0x1D, 0x13,
                                0x01, 0x01, 0xFF, 0x04, 0x02, 0x30, 0x00};
/* digitalSignature, keyCertSign, cRLSign */
static const uint8_t SIGNER_USAGE[] = {0x30, 0x0E, 0x06, 0x03, 0x55, 0x1D,
                                       0x0F, 0x01, 0x01, 0xFF, 0x04, 0x04,
                                       0x03, 0x02, 0x01, 0x86};
/* digitalSignature, keyAgreement */
static const uint8_t DEVICE_USAGE[] = {0x30, 0x0E, 0x06, 0x03, 0x55, 0x1D,
                                       0x0F, 0x01, 0x01, 0xFF, 0x04, 0x04,
                                       0x03, 0x02, 0x03, 0x88};
/* Up to the identifier's 20 bytes. */
static const uint8_t SUBJECT_ID[] = {0x30, 0x1D, 0x06, 0x03, 0x55, 0x1D,
                                     0x0E, 0x04, 0x16, 0x04, 0x14};
static const uint8_t AUTHORITY_ID[] = {0x30, 0x1F, 0x06, 0x03, 0x55, 0x1D, 0x23,
                                       0x04, 0x18, 0x30, 0x16, 0x80, 0x14};
/* subjectAltName, a directory name of one serialNumber, up to the digits.
 * That the text is a PrintableString is inference (X.520, 6.2.9). */
static const uint8_t EUI48[] = {0x30, 0x2A, 0x06, 0x03, 0x55, 0x1D, 0x11, 0x04,
                                0x23, 0x30, 0x21, 0xA4, 0x1F, 0x30, 0x1D, 0x31,
                                0x1B, 0x30, 0x19, 0x06, 0x03, 0x55, 0x04, 0x05,
                                0x13, 0x12, 'e',  'u',  'i',  '4',  '8',  '_'};

static void put_subject_id(struct kw_der_writer *writer,
                           const struct kw_pki_about *about) {
    uint8_t id[KW_KEY_ID_SIZE];
    kw_pki_key_id(about->public_key, id);
    kw_der_put(writer, id, sizeof id);
    kw_der_put(writer, SUBJECT_ID, sizeof SUBJECT_ID);
}

static void put_authority_id(struct kw_der_writer *writer,
                             const struct kw_pki_about *about) {
    if (about->issuer_id != NULL) {
        kw_der_put(writer, about->issuer_id, KW_KEY_ID_SIZE);
        kw_der_put(writer, AUTHORITY_ID, sizeof AUTHORITY_ID);
    }
}

static void put_eui48(struct kw_der_writer *writer,
                      const struct kw_pki_about *about) {
    if (about->eui48 != NULL) {
        kw_der_put(writer, about->eui48, KW_EUI48_DIGITS);
        kw_der_put(writer, EUI48, sizeof EUI48);
    }
}

static void put_ca(struct kw_der_writer *writer,
                   const struct kw_pki_about *about) {
    (void)about;
    kw_der_put(writer, CA, sizeof CA);
}

static void put_signer_rights(struct kw_der_writer *writer,
                              const struct kw_pki_about *about) {
    (void)about;
    kw_der_put(writer, CA_OF_LEAVES, sizeof CA_OF_LEAVES);
    kw_der_put(writer, SIGNER_USAGE, sizeof SIGNER_USAGE);
}

static void put_device_rights(struct kw_der_writer *writer,
                              const struct kw_pki_about *about) {
    (void)about;
    kw_der_put(writer, DEVICE_USAGE, sizeof DEVICE_USAGE);
    kw_der_put(writer, NO_CA, sizeof NO_CA);
}

#define EXTENSIONS_MAX 4
typedef void put_extension(struct kw_der_writer *writer,
                           const struct kw_pki_about *about);

/* In the order of the certificate. */
static put_extension *const EXTENSIONS[][EXTENSIONS_MAX] = {
    [KW_PKI_ROOT] = {put_subject_id, put_authority_id, put_ca},
    [KW_PKI_SIGNER] = {put_signer_rights, put_subject_id, put_authority_id},
    [KW_PKI_DEVICE] = {put_eui48, put_device_rights, put_subject_id,
                       put_authority_id},
    [KW_PKI_LOG_SIGNER] = {put_subject_id, put_ca},
};

static void put_extensions(struct kw_der_writer *writer,
                           const struct kw_pki_about *about) {
    const size_t mark = kw_der_mark(writer);
    for (size_t i = EXTENSIONS_MAX; i-- > 0;) {
        if (EXTENSIONS[about->profile][i] != NULL) {
            EXTENSIONS[about->profile][i](writer, about);
        }
    }
    kw_der_head(writer, KW_DER_SEQUENCE, mark);
}

/* --- names, times, keys --- */

/* SET of one AttributeTypeAndValue, 2.5.4.N. */
static void put_attribute(struct kw_der_writer *writer,
                          enum kw_pki_attribute attribute, const char *text) {
    const uint8_t type[] = {KW_DER_OID, 3, 0x55, 0x04, (uint8_t)attribute};
    const size_t mark = kw_der_mark(writer);
    kw_der_put_item(writer, KW_DER_UTF8, text, strlen(text));
    kw_der_put(writer, type, sizeof type);
    kw_der_head(writer, KW_DER_SEQUENCE, mark);
    kw_der_head(writer, KW_DER_SET, mark);
}

kw_status kw_pki_name(const char *organisation, const char *common_name,
                      struct kw_pki_bytes *name) {
    struct kw_der_writer writer;
    KW_ENSURE(strlen(organisation) <= TEXT_MAX &&
                  strlen(common_name) <= TEXT_MAX,
              KW_PARSE_SIZE);
    kw_der_begin(&writer, name->der, sizeof name->der);
    const size_t mark = kw_der_mark(&writer);
    put_attribute(&writer, KW_PKI_COMMON_NAME, common_name);
    put_attribute(&writer, KW_PKI_ORGANISATION, organisation);
    kw_der_head(&writer, KW_DER_SEQUENCE, mark);
    return finish(&writer, name);
}

static void put_time(struct kw_der_writer *writer,
                     const struct kw_moment *moment, bool generalized) {
    char text[KW_GENERALIZED_TIME_SIZE];
    kw_moment_write(moment, generalized, text);
    kw_der_put_item(
        writer, generalized ? KW_DER_GENERALIZED_TIME : KW_DER_UTC_TIME, text,
        generalized ? KW_GENERALIZED_TIME_SIZE : KW_UTC_TIME_SIZE);
}

static void put_validity(struct kw_der_writer *writer,
                         const struct kw_pki_about *about) {
    const size_t mark = kw_der_mark(writer);
    put_time(writer, &about->not_after,
             about->after_is_generalized ||
                 about->not_after.year > LAST_UTC_TIME_YEAR);
    put_time(writer, &about->not_before,
             about->not_before.year > LAST_UTC_TIME_YEAR);
    kw_der_head(writer, KW_DER_SEQUENCE, mark);
}

static void put_key(struct kw_der_writer *writer, const uint8_t *public_key) {
    kw_der_put(writer, public_key, KW_PUBLIC_KEY_SIZE);
    kw_der_put(writer, KEY_INFO, sizeof KEY_INFO);
}

void kw_pki_key_id(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                   uint8_t id[KW_KEY_ID_SIZE]) {
    uint8_t point[POINT_SIZE] = {4};
    memcpy(point + 1, public_key, KW_PUBLIC_KEY_SIZE);
    kw_sha1_of(point, sizeof point, id);
}

kw_status kw_pki_random_serial(uint8_t serial[KW_PKI_SERIAL_SIZE],
                               struct kw_error *error) {
    KW_TRY(kw_random(serial, KW_PKI_SERIAL_SIZE, error));
    serial[0] = (serial[0] & 0x7F) | 0x40;
    return KW_OK;
}

/* --- the part that is signed, and the whole --- */

kw_status kw_pki_tbs(const struct kw_pki_about *about,
                     struct kw_pki_bytes *tbs) {
    static const uint8_t VERSION_3[] = {0xA0, 0x03, 0x02, 0x01, 0x02};
    struct kw_der_writer writer;
    kw_der_begin(&writer, tbs->der, sizeof tbs->der);
    const size_t mark = kw_der_mark(&writer);
    put_extensions(&writer, about);
    kw_der_head(&writer, KW_DER_EXPLICIT_0 + 3, mark);
    put_key(&writer, about->public_key);
    kw_der_put(&writer, about->subject.at, about->subject.left);
    put_validity(&writer, about);
    kw_der_put(&writer, about->issuer.at, about->issuer.left);
    kw_der_put(&writer, ALGORITHM, sizeof ALGORITHM);
    kw_der_put_number(&writer, about->serial, about->serial_size);
    kw_der_put(&writer, VERSION_3, sizeof VERSION_3);
    kw_der_head(&writer, KW_DER_SEQUENCE, mark);
    return finish(&writer, tbs);
}

kw_status kw_pki_request(struct kw_der subject, const uint8_t *public_key,
                         struct kw_pki_bytes *info) {
    /* extensionRequest, 1.2.840.113549.1.9.14 */
    static const uint8_t EXTENSION_REQUEST[] = {
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x0E};
    static const uint8_t VERSION_1[] = {0x02, 0x01, 0x00};
    uint8_t id[KW_KEY_ID_SIZE];
    struct kw_der_writer writer;
    kw_pki_key_id(public_key, id);
    const struct kw_pki_about about = {
        .profile = KW_PKI_SIGNER, .public_key = public_key, .issuer_id = id};
    kw_der_begin(&writer, info->der, sizeof info->der);
    const size_t mark = kw_der_mark(&writer);
    put_extensions(&writer, &about);
    kw_der_head(&writer, KW_DER_SET, mark);
    kw_der_put(&writer, EXTENSION_REQUEST, sizeof EXTENSION_REQUEST);
    kw_der_head(&writer, KW_DER_SEQUENCE, mark);
    kw_der_head(&writer, KW_DER_EXPLICIT_0, mark);
    put_key(&writer, public_key);
    kw_der_put(&writer, subject.at, subject.left);
    kw_der_put(&writer, VERSION_1, sizeof VERSION_1);
    kw_der_head(&writer, KW_DER_SEQUENCE, mark);
    return finish(&writer, info);
}

kw_status kw_pki_join(struct kw_der tbs,
                      const uint8_t signature[KW_SIGNATURE_SIZE],
                      struct kw_pki_bytes *whole) {
    static const uint8_t NO_UNUSED_BITS[] = {0};
    struct kw_der_writer writer;
    kw_der_begin(&writer, whole->der, sizeof whole->der);
    const size_t mark = kw_der_mark(&writer);
    kw_der_put_signature(&writer, signature);
    kw_der_put(&writer, NO_UNUSED_BITS, sizeof NO_UNUSED_BITS);
    kw_der_head(&writer, KW_DER_BIT_STRING, mark);
    kw_der_put(&writer, ALGORITHM, sizeof ALGORITHM);
    kw_der_put(&writer, tbs.at, tbs.left);
    kw_der_head(&writer, KW_DER_SEQUENCE, mark);
    return finish(&writer, whole);
}

kw_status kw_pki_sign(const struct kw_pki_bytes *tbs,
                      const struct kw_authority *authority,
                      struct kw_pki_bytes *whole, struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    kw_status status =
        kw_hash_bytes(&kw_openssl_hash, tbs->der, tbs->size, digest);
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot hash a certificate");
    }
    KW_TRY(kw_authority_sign(authority, digest, signature, error));
    status = kw_pki_join(kw_pki_cursor(tbs), signature, whole);
    return status == KW_OK
               ? KW_OK
               : kw_error_core(error, status, "a certificate is too long");
}
