#include "host/signature_file.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "host/hex_file.h"

#define FILE_MAX  65536
#define HALF      32
#define DER_FIRST 0x30
#define POINT     65 /* 04 X Y */

static kw_status from_der(const uint8_t *data, size_t size,
                          uint8_t signature[KW_SIGNATURE_SIZE]) {
    const uint8_t *at = data;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)size);
    const bool whole = sig != NULL && at == data + size;
    const bool fits =
        whole && BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, HALF) == HALF &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + HALF, HALF) == HALF;
    ECDSA_SIG_free(sig);
    return fits ? KW_OK : KW_PARSE;
}

static kw_status from_hex(const uint8_t *data, size_t size, uint8_t *bytes,
                          size_t wanted) {
    size_t count = 0;
    KW_TRY(kw_hex_text_read((const char *)data, size, bytes, wanted, &count));
    return count == wanted ? KW_OK : KW_PARSE_SIZE;
}

static kw_status sort_signature(const uint8_t *data, size_t size,
                                uint8_t signature[KW_SIGNATURE_SIZE]) {
    if (size == KW_SIGNATURE_SIZE) {
        memcpy(signature, data, size);
        return KW_OK;
    }
    if (size > 0 && data[0] == DER_FIRST &&
        from_der(data, size, signature) == KW_OK) {
        return KW_OK;
    }
    return from_hex(data, size, signature, KW_SIGNATURE_SIZE);
}

kw_status kw_signature_file_read(const char *path,
                                 uint8_t signature[KW_SIGNATURE_SIZE],
                                 struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, error));
    const kw_status status = sort_signature(data, size, signature);
    free(data);
    return status == KW_OK
               ? KW_OK
               : kw_error(error, KW_PARSE,
                          "%s holds no P-256 signature: neither DER, nor 64 "
                          "bytes, nor 128 hex digits",
                          path);
}

/* Takes over both numbers, or frees them. */
static ECDSA_SIG *join(BIGNUM *r, BIGNUM *s) {
    ECDSA_SIG *sig = ECDSA_SIG_new();
    if (sig != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(sig, r, s) == 1) {
        return sig;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return NULL;
}

kw_status kw_signature_to_der(const uint8_t signature[KW_SIGNATURE_SIZE],
                              uint8_t der[KW_SIGNATURE_DER_MAX], size_t *size) {
    ECDSA_SIG *sig = join(BN_bin2bn(signature, HALF, NULL),
                          BN_bin2bn(signature + HALF, HALF, NULL));
    uint8_t *at = der;
    const int written = sig == NULL ? -1 : i2d_ECDSA_SIG(sig, &at);
    ECDSA_SIG_free(sig);
    KW_ENSURE(written > 0, KW_SYSTEM_CRYPTO);
    *size = (size_t)written;
    return KW_OK;
}

/* --- public keys --- */

static kw_status from_pem(const uint8_t *data, size_t size,
                          uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t point[POINT];
    size_t point_size = 0;
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    const bool fine =
        key != NULL &&
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                        sizeof point, &point_size) == 1 &&
        point_size == POINT && EVP_PKEY_get_bits(key) == 256;
    if (fine) {
        memcpy(public_key, point + 1, KW_PUBLIC_KEY_SIZE);
    }
    EVP_PKEY_free(key);
    BIO_free(bio);
    return fine ? KW_OK : KW_PARSE_KEY;
}

static kw_status sort_key(const uint8_t *data, size_t size,
                          uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    if (size == KW_PUBLIC_KEY_SIZE) {
        memcpy(public_key, data, size);
        return KW_OK;
    }
    return from_pem(data, size, public_key) == KW_OK
               ? KW_OK
               : from_hex(data, size, public_key, KW_PUBLIC_KEY_SIZE);
}

kw_status kw_public_key_file_read(const char *path,
                                  uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                                  struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, error));
    const kw_status status = sort_key(data, size, public_key);
    free(data);
    return status == KW_OK
               ? KW_OK
               : kw_error(error, KW_PARSE_KEY,
                          "%s holds no P-256 public key: neither PEM, nor 64 "
                          "bytes, nor 128 hex digits",
                          path);
}
