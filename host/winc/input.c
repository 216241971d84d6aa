#include "host/winc/input.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bytes.h"
#include "host/files.h"
#include "host/text.h"

static const char BEGIN[] = "-----BEGIN ";

/* --- PEM --- */

static bool is_pem(const uint8_t *bytes, size_t size) {
    return size > 0 && bytes[0] != 0x30 &&
           memmem(bytes, size, BEGIN, sizeof BEGIN - 1) != NULL;
}

/* One block, and nothing but line ends behind its END line. */
static bool ends_at_its_end(BIO *bio) {
    char rest[64];
    int count = 0;
    while ((count = BIO_read(bio, rest, sizeof rest)) > 0) {
        for (int i = 0; i < count; i++) {
            if (rest[i] != '\n' && rest[i] != '\r') {
                return false;
            }
        }
    }
    return true;
}

static bool label_fits(enum kw_winc_input_kind kind, const char *label) {
    if (kind == KW_WINC_INPUT_CERT) {
        return strcmp(label, "CERTIFICATE") == 0;
    }
    return strcmp(label, "PRIVATE KEY") == 0 ||
           strcmp(label, "RSA PRIVATE KEY") == 0;
}

static kw_status decode_pem(struct kw_winc_input *input, const uint8_t *bytes,
                            size_t size) {
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long der_size = 0;
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    kw_status status =
        input->kind == KW_WINC_INPUT_CERT ? KW_PARSE_DER : KW_PARSE_RSA_KEY;
    if (bio != NULL &&
        PEM_read_bio(bio, &label, &header, &der, &der_size) == 1) {
        input->der = malloc((size_t)der_size + 1);
        if (label_fits(input->kind, label) && header[0] == '\0' &&
            ends_at_its_end(bio) && input->der != NULL) {
            memcpy(input->der, der, (size_t)der_size);
            input->source.size = (uint32_t)der_size;
            status = KW_OK;
        }
        OPENSSL_clear_free(der, (size_t)der_size);
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    BIO_free(bio);
    ERR_clear_error();
    return status;
}

static kw_status take_bytes(struct kw_winc_input *input, const uint8_t *bytes,
                            size_t size) {
    if (is_pem(bytes, size)) {
        return decode_pem(input, bytes, size);
    }
    input->der = malloc(size + 1);
    KW_ENSURE(input->der != NULL, KW_SYSTEM_MEMORY);
    memcpy(input->der, bytes, size);
    input->source.size = (uint32_t)size;
    return KW_OK;
}

/* --- words --- */

static X509 *x509_of(const struct kw_winc_input *input) {
    const uint8_t *at = input->der;
    return d2i_X509(NULL, &at, (long)input->source.size);
}

static kw_status refuse_key(const struct kw_winc_input *input,
                            struct kw_error *error) {
    char curve[64] = "of another kind";
    X509 *x509 = x509_of(input);
    EVP_PKEY *key = x509 == NULL ? NULL : X509_get0_pubkey(x509);
    size_t size = 0;
    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        (void)EVP_PKEY_get_group_name(key, curve, sizeof curve, &size);
    } else if (key != NULL) {
        (void)snprintf(curve, sizeof curve, "%s, %d bits",
                       EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
    }
    X509_free(x509);
    kw_error(error, KW_NO_WINC_KEY_TYPE, "the key of %s is %s", input->name,
             curve);
    return kw_error_hint(error, "the module takes RSA up to 4096 bits and "
                                "P-256 (prime256v1) alone");
}

static kw_status refuse(const struct kw_winc_input *input, kw_status status,
                        struct kw_error *error) {
    if (status == KW_NO_WINC_KEY_TYPE) {
        return refuse_key(input, error);
    }
    (void)kw_error_core(error, status, input->name);
    if (kw_status_class(status) == KW_CLASS_PARSE) {
        return kw_error_hint(
            error,
            "it must be one whole %s, DER to its last byte or PEM to "
            "its END line; nothing was changed",
            input->kind == KW_WINC_INPUT_CERT ? "certificate"
                                              : "private RSA key");
    }
    return status;
}

/* --- the input --- */

static kw_status parse(struct kw_winc_input *input, const uint8_t *bytes,
                       size_t size) {
    KW_ENSURE(size <= KW_WINC_INPUT_MAX, KW_PARSE_SIZE);
    KW_TRY(take_bytes(input, bytes, size));
    input->source.memory = input->der;
    if (input->kind == KW_WINC_INPUT_KEY) {
        return kw_winc_rsa_key_read(&input->source, &input->key);
    }
    KW_TRY(kw_winc_cert_read(&input->source, &input->cert));
    X509 *x509 = x509_of(input);
    const bool whole = x509 != NULL && X509_get0_pubkey(x509) != NULL;
    X509_free(x509);
    ERR_clear_error();
    return whole ? KW_OK : KW_PARSE_DER;
}

kw_status kw_winc_input_parse(struct kw_winc_input *input, const char *name,
                              enum kw_winc_input_kind kind,
                              const uint8_t *bytes, size_t size,
                              struct kw_error *error) {
    *input = (struct kw_winc_input){.kind = kind};
    (void)snprintf(input->name, sizeof input->name, "%s", name);
    const kw_status status = parse(input, bytes, size);
    return status == KW_OK ? KW_OK : refuse(input, status, error);
}

kw_status kw_winc_input_read(struct kw_winc_input *input, const char *path,
                             enum kw_winc_input_kind kind,
                             struct kw_error *error) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    *input = (struct kw_winc_input){.kind = kind};
    KW_TRY(kw_file_read(path, KW_WINC_INPUT_MAX, &bytes, &size, error));
    const kw_status status =
        kw_winc_input_parse(input, path, kind, bytes, size, error);
    kw_wipe(bytes, size);
    free(bytes);
    return status;
}

void kw_winc_input_free(struct kw_winc_input *input) {
    if (input->der != NULL) {
        kw_wipe(input->der, input->source.size);
        free(input->der);
    }
    kw_wipe(input, sizeof *input);
}

/* --- what OpenSSL knows of it --- */

void kw_winc_input_common_name(const struct kw_winc_input *input, char *name,
                               size_t size) {
    X509 *x509 = x509_of(input);
    name[0] = '\0';
    if (x509 != NULL && size > 0 &&
        X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName,
                                  name, (int)size) < 0) {
        name[0] = '\0';
    }
    X509_free(x509);
}

char *kw_winc_input_subject(const struct kw_winc_input *input) {
    X509 *x509 = x509_of(input);
    unsigned char *der = NULL;
    char *text = NULL;
    const int size =
        x509 == NULL ? -1 : i2d_X509_NAME(X509_get_subject_name(x509), &der);
    if (size > 0) {
        text = malloc(2 * (size_t)size + 1);
    }
    if (text != NULL) {
        kw_hex(der, (size_t)size, text);
    }
    OPENSSL_free(der);
    X509_free(x509);
    return text;
}

bool kw_winc_input_issued(const struct kw_winc_input *issuer,
                          const struct kw_winc_input *input) {
    X509 *above = x509_of(issuer);
    X509 *below = x509_of(input);
    const bool issued = above != NULL && below != NULL &&
                        X509_verify(below, X509_get0_pubkey(above)) == 1;
    X509_free(above);
    X509_free(below);
    ERR_clear_error();
    return issued;
}

void kw_winc_input_point(const struct kw_winc_input *input, uint8_t point[64]) {
    memcpy(point, input->der + input->cert.key[0].at, 64);
}

struct kw_winc_date kw_winc_today(void) {
    struct tm parts;
    const time_t seconds = time(NULL);
    (void)gmtime_r(&seconds, &parts);
    return (struct kw_winc_date){
        .year = (uint16_t)(parts.tm_year + 1900),
        .month = (uint8_t)(parts.tm_mon + 1),
        .day = (uint8_t)parts.tm_mday,
        .hour = (uint8_t)parts.tm_hour,
        .minute = (uint8_t)parts.tm_min,
        .second = (uint8_t)parts.tm_sec,
    };
}

bool kw_winc_input_expired(const struct kw_winc_input *input) {
    const struct kw_winc_date today = kw_winc_today();
    return kw_winc_date_compare(&input->cert.not_after, &today) < 0;
}

/* --- an authority's public key --- */

static EVP_PKEY *any_key(const char *path) {
    BIO *bio = BIO_new_file(path, "r");
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (key == NULL && bio != NULL && BIO_reset(bio) == 0) {
        static char none[] = "";
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, none);
    }
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

kw_status kw_winc_public_key_read(const char *path, uint8_t point[64],
                                  struct kw_error *error) {
    uint8_t octets[65];
    char group[32] = "";
    size_t size = 0;
    EVP_PKEY *key = any_key(path);
    const bool fine =
        key != NULL &&
        EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
        strcmp(group, "prime256v1") == 0 &&
        EVP_PKEY_get_octet_string_param(key, "pub", octets, sizeof octets,
                                        &size) == 1 &&
        size == sizeof octets && octets[0] == 4;
    EVP_PKEY_free(key);
    if (!fine) {
        return kw_error(error, KW_PARSE_KEY, "%s holds no P-256 key in PEM",
                        path);
    }
    memcpy(point, octets + 1, 64);
    return KW_OK;
}
