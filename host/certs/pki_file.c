#include "host/certs/pki_file.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536

static kw_status from_pem(const char *label, const uint8_t *data, size_t size,
                          struct kw_pki_bytes *bytes) {
    char *name = NULL;
    uint8_t *der = NULL;
    long der_size = 0;
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    kw_status status = KW_PARSE;
    if (bio != NULL && PEM_bytes_read_bio(&der, &der_size, &name, label, bio,
                                          NULL, NULL) == 1) {
        status = der_size > 0 && (size_t)der_size <= sizeof bytes->der
                     ? KW_OK
                     : KW_PARSE_SIZE;
    }
    if (status == KW_OK) {
        memcpy(bytes->der, der, (size_t)der_size);
        bytes->size = (size_t)der_size;
    }
    OPENSSL_free(name);
    OPENSSL_free(der);
    BIO_free(bio);
    return status;
}

static kw_status from_der(const uint8_t *data, size_t size,
                          struct kw_pki_bytes *bytes) {
    KW_ENSURE(size <= sizeof bytes->der, KW_PARSE_SIZE);
    memcpy(bytes->der, data, size);
    bytes->size = size;
    return KW_OK;
}

static kw_status read_bytes(const char *path, struct kw_pki_bytes *bytes,
                            struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    bytes->size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, error));
    const bool is_der = size > 0 && data[0] == KW_DER_SEQUENCE;
    const kw_status status =
        is_der ? from_der(data, size, bytes)
               : from_pem(KW_PEM_CERTIFICATE, data, size, bytes);
    free(data);
    return status == KW_OK ? KW_OK
                           : kw_error(error, status,
                                      "%s holds no certificate of at most %d "
                                      "bytes",
                                      path, KW_PKI_MAX);
}

kw_status kw_pki_read_file(const char *path, struct kw_pki_bytes *bytes,
                           struct kw_pki_view *view, struct kw_error *error) {
    KW_TRY(read_bytes(path, bytes, error));
    const kw_status status = kw_pki_read(kw_pki_cursor(bytes), view);
    if (status == KW_PARSE_KEY) {
        return kw_error(error, status,
                        "the certificate in %s is not of a P-256 key signed "
                        "with ECDSA and SHA-256",
                        path);
    }
    return status == KW_OK
               ? KW_OK
               : kw_error(error, status,
                          "%s holds no X.509 certificate of version 3", path);
}

kw_status kw_pki_read_request_file(const char *path, struct kw_pki_bytes *bytes,
                                   struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, error));
    const kw_status status = from_pem(KW_PEM_REQUEST, data, size, bytes);
    free(data);
    return status == KW_OK
               ? KW_OK
               : kw_error(error, status, "%s holds no request", path);
}

/* --- public keys --- */

static kw_status key_of_pkey(EVP_PKEY *pkey,
                             uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t point[1 + KW_PUBLIC_KEY_SIZE];
    size_t size = 0;
    char group[32] = "";
    KW_ENSURE(
        pkey != NULL && EVP_PKEY_is_a(pkey, "EC") &&
            EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
            strcmp(group, SN_X9_62_prime256v1) == 0 &&
            EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, sizeof point, &size) == 1 &&
            size == sizeof point && point[0] == 4,
        KW_PARSE_KEY);
    memcpy(public_key, point + 1, KW_PUBLIC_KEY_SIZE);
    return KW_OK;
}

static kw_status key_of_pem(const uint8_t *data, size_t size,
                            uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    EVP_PKEY *pkey =
        bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    const kw_status status = key_of_pkey(pkey, public_key);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    return status;
}

kw_status kw_pki_read_key_file(const char *path,
                               uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                               struct kw_error *error) {
    struct kw_pki_bytes bytes;
    struct kw_pki_view view;
    struct kw_error ignored;
    uint8_t *data = NULL;
    size_t size = 0;
    if (kw_pki_read_file(path, &bytes, &view, &ignored) == KW_OK) {
        memcpy(public_key, view.public_key, KW_PUBLIC_KEY_SIZE);
        return KW_OK;
    }
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, error));
    kw_status status = KW_OK;
    if (size == KW_PUBLIC_KEY_SIZE) {
        memcpy(public_key, data, size);
    } else {
        status = key_of_pem(data, size, public_key);
    }
    free(data);
    return status == KW_OK ? KW_OK
                           : kw_error(error, status,
                                      "%s holds no public key on P-256", path);
}

/* --- writing --- */

char *kw_pki_pem(const char *label, const struct kw_pki_bytes *bytes) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    char *copy = NULL;
    if (bio != NULL &&
        PEM_write_bio(bio, label, "", bytes->der, (long)bytes->size) > 0) {
        const long size = BIO_get_mem_data(bio, &text);
        copy = strndup(text, (size_t)size);
    }
    BIO_free(bio);
    return copy;
}

kw_status kw_pki_write_file(const char *path, const char *label,
                            const struct kw_pki_bytes *bytes,
                            struct kw_error *error) {
    char *text = kw_pki_pem(label, bytes);
    if (text == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status =
        kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text), error);
    free(text);
    return status;
}
