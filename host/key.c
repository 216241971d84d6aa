#include "host/key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/der.h"
#include "host/files.h"
#include "host/openssl_hash.h"
#include "host/text.h"

#define POINT_SIZE   65 /* 04 X Y */
#define UNCOMPRESSED 4
#define KEY_FILE_MAX 65536
#define DER_SIZE_MAX 80

struct kw_key {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signing; /* prepared once: a signature then costs no more
                              than OpenSSL's own */
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
};

static kw_status crypto_failed(struct kw_error *error, const char *doing) {
    return kw_error(error, KW_SYSTEM_CRYPTO, "OpenSSL failed to %s", doing);
}

/* A file may state a public key that does not belong to its private key. */
static bool is_pair(EVP_PKEY *pkey) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    const bool pair = context != NULL && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return pair;
}

/* Takes the key over; frees it when it is no P-256 key. */
static struct kw_key *wrap(EVP_PKEY *pkey) {
    uint8_t point[POINT_SIZE];
    size_t size = 0;
    char group[32] = "";
    const bool is_p256 =
        pkey != NULL && EVP_PKEY_is_a(pkey, "EC") &&
        EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
        strcmp(group, SN_X9_62_prime256v1) == 0 &&
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point,
                                        sizeof point, &size) == 1 &&
        size == POINT_SIZE && point[0] == UNCOMPRESSED && is_pair(pkey);
    struct kw_key *key = is_p256 ? calloc(1, sizeof *key) : NULL;
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key->pkey = pkey;
    key->signing = EVP_PKEY_CTX_new(pkey, NULL);
    memcpy(key->public_key, point + 1, sizeof key->public_key);
    if (key->signing == NULL || EVP_PKEY_sign_init(key->signing) != 1) {
        kw_key_free(key);
        return NULL;
    }
    return key;
}

kw_status kw_key_make(struct kw_key **key, struct kw_error *error) {
    *key = wrap(EVP_EC_gen("P-256"));
    return *key == NULL ? crypto_failed(error, "make a P-256 key") : KW_OK;
}

/* Never prompts: a key with a password is refused. */
static int no_password(char *buffer, int size, int writing, void *user) {
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static EVP_PKEY *parse_key(const uint8_t *data, size_t size) {
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    return pkey;
}

kw_status kw_key_read(const char *path, struct kw_key **key,
                      struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, KEY_FILE_MAX, &data, &size, error));
    *key = wrap(parse_key(data, size));
    kw_wipe(data, size);
    free(data);
    if (*key == NULL) {
        return kw_error(error, KW_PARSE_KEY,
                        "%s holds no P-256 private key in PEM without a "
                        "password",
                        path);
    }
    return KW_OK;
}

kw_status kw_key_write(const struct kw_key *key, const char *path,
                       struct kw_error *error) {
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL,
                                                     0, NULL, NULL) != 1) {
        BIO_free(bio);
        return crypto_failed(error, "write a private key");
    }
    const long size = BIO_get_mem_data(bio, &text);
    const kw_status status =
        kw_file_create(path, KW_SECRET_MODE, text, (size_t)size, error);
    kw_wipe(text, (size_t)size);
    BIO_free(bio);
    return status;
}

void kw_key_free(struct kw_key *key) {
    if (key != NULL) {
        EVP_PKEY_CTX_free(key->signing);
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

void kw_key_public(const struct kw_key *key,
                   uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    memcpy(public_key, key->public_key, KW_PUBLIC_KEY_SIZE);
}

kw_status kw_key_sign(const struct kw_key *key,
                      const uint8_t digest[KW_SHA256_SIZE],
                      uint8_t signature[KW_SIGNATURE_SIZE],
                      struct kw_error *error) {
    uint8_t der[DER_SIZE_MAX];
    size_t size = sizeof der;
    const bool done =
        EVP_PKEY_sign(key->signing, der, &size, digest, KW_SHA256_SIZE) == 1 &&
        kw_der_signature((struct kw_der){der, size}, signature) == KW_OK;
    return done ? KW_OK : crypto_failed(error, "sign");
}

static EVP_PKEY *public_pkey(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    uint8_t point[POINT_SIZE] = {UNCOMPRESSED};
    char group[] = SN_X9_62_prime256v1;
    memcpy(point + 1, public_key, KW_PUBLIC_KEY_SIZE);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                          sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) !=
            1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return pkey;
}

kw_status kw_public_key_verify(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                               const uint8_t digest[KW_SHA256_SIZE],
                               const uint8_t signature[KW_SIGNATURE_SIZE]) {
    uint8_t buffer[DER_SIZE_MAX];
    struct kw_der_writer writer;
    struct kw_der der;
    kw_der_begin(&writer, buffer, sizeof buffer);
    kw_der_put_signature(&writer, signature);
    KW_TRY(kw_der_finish(&writer, &der));
    EVP_PKEY *pkey = public_pkey(public_key);
    KW_ENSURE(pkey != NULL, KW_PARSE_KEY);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    const bool ready = context != NULL && EVP_PKEY_verify_init(context) == 1;
    const bool matches = ready && EVP_PKEY_verify(context, der.at, der.left,
                                                  digest, KW_SHA256_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pkey);
    KW_ENSURE(ready, KW_SYSTEM_CRYPTO);
    return matches ? KW_OK : KW_NO_SIGNATURE;
}

bool kw_public_key_is_point(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    EVP_PKEY *pkey = public_pkey(public_key);
    EVP_PKEY_free(pkey);
    return pkey != NULL;
}

char *kw_public_key_pem(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    char *data = NULL;
    EVP_PKEY *pkey = public_pkey(public_key);
    BIO *bio = BIO_new(BIO_s_mem());
    const bool done =
        pkey != NULL && bio != NULL && PEM_write_bio_PUBKEY(bio, pkey) == 1;
    const long size = done ? BIO_get_mem_data(bio, &data) : 0;
    char *text = done ? strndup(data, (size_t)size) : NULL;
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return text;
}

void kw_fingerprint(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                    char text[KW_FINGERPRINT_TEXT]) {
    uint8_t digest[KW_SHA256_SIZE] = {0};
    (void)!kw_hash_bytes(&kw_openssl_hash, public_key, KW_PUBLIC_KEY_SIZE,
                         digest);
    kw_hex(digest, sizeof digest, text);
}

kw_status kw_random(uint8_t *bytes, size_t size, struct kw_error *error) {
    return RAND_bytes(bytes, (int)size) == 1
               ? KW_OK
               : crypto_failed(error, "answer random bytes");
}
