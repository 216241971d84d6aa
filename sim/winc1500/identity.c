#define OPENSSL_SUPPRESS_DEPRECATED    /* EC_KEY_METHOD: a key that signs      \
                                          elsewhere, without a provider */
#include "sim/winc1500/identity.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <string.h>

#include "core/bytes.h"
#include "core/winc_tls.h"

#define KEY_HEAD 52u

struct identity {
    struct kw_sim_firmware *firmware;
    struct kw_source store;
    struct kw_winc_tls tls;
    EC_KEY_METHOD **method;
};

static const uint8_t *bytes_of(const struct identity *identity,
                               const struct kw_winc_file *file) {
    return identity->firmware->flash + file->address;
}

static const struct kw_winc_file *find(const struct identity *identity,
                                       const char *name) {
    for (uint32_t i = 0; i < identity->tls.count; i++) {
        if (strncmp(identity->tls.file[i].name, name, KW_WINC_TLS_NAME) == 0) {
            return &identity->tls.file[i];
        }
    }
    return NULL;
}

/* --- RSA: sizes, pointers, then eight numbers --- */

static const char *const RSA_PARAMETERS[8] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static EVP_PKEY *key_of(OSSL_PARAM_BLD *builder) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (parameters == NULL || context == NULL ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *rsa_key(const uint8_t *bytes, uint32_t size) {
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *number[8] = {NULL};
    uint32_t at = KEY_HEAD;
    bool whole = builder != NULL && size >= KEY_HEAD;
    for (size_t i = 0; i < 8 && whole; i++) {
        const uint32_t part = kw_load_le16(bytes + 2 * i);
        whole = at <= size && part <= size - at;
        if (whole) {
            number[i] = BN_bin2bn(bytes + at, (int)part, NULL);
            whole = OSSL_PARAM_BLD_push_BN(builder, RSA_PARAMETERS[i],
                                           number[i]) == 1;
            at += (part + 3) & ~3u;
        }
    }
    EVP_PKEY *key = whole ? key_of(builder) : NULL;
    for (size_t i = 0; i < 8; i++) {
        BN_clear_free(number[i]);
    }
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* --- P-256: the secure element signs --- */

static ECDSA_SIG *sign_in_chip(const unsigned char *digest, int size,
                               const BIGNUM *kinv, const BIGNUM *r,
                               EC_KEY *key) {
    (void)kinv;
    (void)r;
    const struct kw_sim_firmware *firmware = EC_KEY_get_ex_data(key, 0);
    uint8_t raw[64];
    if (size != 32 || firmware == NULL ||
        firmware->sign(firmware->signer, digest, raw) != KW_OK) {
        return NULL;
    }
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (signature != NULL &&
        ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL),
                       BN_bin2bn(raw + 32, 32, NULL)) != 1) {
        ECDSA_SIG_free(signature);
        return NULL;
    }
    return signature;
}

static int sign_der(int type, const unsigned char *digest, int size,
                    unsigned char *signature, unsigned int *signature_size,
                    const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key) {
    (void)type;
    ECDSA_SIG *pair = sign_in_chip(digest, size, kinv, r, key);
    if (pair == NULL) {
        return 0;
    }
    const int written = i2d_ECDSA_SIG(pair, &signature);
    ECDSA_SIG_free(pair);
    *signature_size = written > 0 ? (unsigned)written : 0;
    return written > 0 ? 1 : 0;
}

/* The public half is the certificate's; the private half stays in the
 * chip. */
static EVP_PKEY *chip_key(const struct identity *identity, const X509 *leaf) {
    const EC_KEY *public = EVP_PKEY_get0_EC_KEY(X509_get0_pubkey(leaf));
    EC_KEY *key = public == NULL ? NULL : EC_KEY_dup(public);
    EC_KEY_METHOD *method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EVP_PKEY *made = EVP_PKEY_new();
    *identity->method = method;
    if (key == NULL || method == NULL || made == NULL) {
        EC_KEY_free(key);
        EVP_PKEY_free(made);
        return NULL;
    }
    EC_KEY_METHOD_set_sign(method, sign_der, NULL, sign_in_chip);
    (void)EC_KEY_set_method(key, method);
    (void)EC_KEY_set_ex_data(key, 0, identity->firmware);
    (void)EVP_PKEY_assign_EC_KEY(made, key);
    return made;
}

void kw_sim_identity_free(EC_KEY_METHOD *method) {
    if (method != NULL) {
        EC_KEY_METHOD_free(method);
    }
}

/* --- a list --- */

static X509 *certificate(const struct identity *identity, const char *name) {
    const struct kw_winc_file *file = find(identity, name);
    if (file == NULL) {
        return NULL;
    }
    const uint8_t *at = bytes_of(identity, file);
    return d2i_X509(NULL, &at, (long)file->size);
}

static EVP_PKEY *private_key(const struct identity *identity, const char *name,
                             const X509 *leaf) {
    const struct kw_winc_file *file = find(identity, name);
    if (strncmp(name, "PRIV_", 5) != 0) {
        return identity->firmware->sign == NULL ? NULL
                                                : chip_key(identity, leaf);
    }
    return file == NULL ? NULL : rsa_key(bytes_of(identity, file), file->size);
}

/* The leaf with its key, then the issuers. */
static bool use_list(const struct identity *identity,
                     const struct kw_winc_file *list, SSL_CTX *context) {
    const char *names = (const char *)bytes_of(identity, list);
    const uint32_t count = list->size / KW_WINC_TLS_NAME;
    const uint32_t first = count > 0 && strncmp(names, "PRIV_", 5) == 0;
    X509 *leaf = count > first
                     ? certificate(identity, names + first * KW_WINC_TLS_NAME)
                     : NULL;
    EVP_PKEY *key = leaf == NULL ? NULL : private_key(identity, names, leaf);
    bool used = key != NULL && SSL_CTX_use_certificate(context, leaf) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    for (uint32_t i = first + 1; used && i < count; i++) {
        X509 *issuer = certificate(identity, names + i * KW_WINC_TLS_NAME);
        used = issuer != NULL && SSL_CTX_add1_chain_cert(context, issuer) == 1;
        X509_free(issuer);
    }
    X509_free(leaf);
    EVP_PKEY_free(key);
    return used;
}

kw_status kw_sim_identity(struct kw_sim_firmware *firmware, SSL_CTX *context,
                          EC_KEY_METHOD **method, char words[8]) {
    struct identity identity = {
        .method = method,
        .firmware = firmware,
        .store = {.memory = firmware->flash + KW_WINC_TLS_ADDRESS,
                  .size = KW_WINC_TLS_SIZE},
    };
    memcpy(words, "none", 5);
    KW_TRY(kw_winc_tls_read(&identity.store, KW_WINC_TLS_HEADER_196,
                            &identity.tls));
    const struct kw_winc_file *rsa = find(&identity, "RSA.lst");
    const struct kw_winc_file *ecc = find(&identity, "ECDSA.lst");
    if (rsa != NULL && use_list(&identity, rsa, context)) {
        memcpy(words, "RSA", 4);
    }
    if (ecc != NULL && use_list(&identity, ecc, context)) {
        memcpy(words, "ECC", 4);
    }
    return KW_OK;
}
