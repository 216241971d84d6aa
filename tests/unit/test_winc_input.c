/* A body is a whole certificate or key, or it is refused: cut at each byte,
 * and with each byte changed it never does harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "host/winc/input.h"

struct body {
    uint8_t *bytes;
    size_t size;
};

static struct body of_bio(BIO *bio) {
    char *data = NULL;
    const long size = BIO_get_mem_data(bio, &data);
    struct body body = {malloc((size_t)size), (size_t)size};
    assert_non_null(body.bytes);
    memcpy(body.bytes, data, body.size);
    BIO_free(bio);
    return body;
}

static X509 *make_certificate(EVP_PKEY *key) {
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const uint8_t *)"Root", -1, -1,
                                                0),
                     1);
    assert_int_equal(X509_set_issuer_name(x509, name), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 77), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 3600));
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    return x509;
}

static kw_status parse(enum kw_winc_input_kind kind, const uint8_t *bytes,
                       size_t size) {
    struct kw_winc_input input;
    struct kw_error error;
    const kw_status status =
        kw_winc_input_parse(&input, "body", kind, bytes, size, &error);
    kw_winc_input_free(&input);
    return status;
}

/* least: the first size that is whole. */
static void cut_everywhere(enum kw_winc_input_kind kind,
                           const struct body *body, size_t least) {
    for (size_t size = 0; size <= body->size; size++) {
        const kw_status status = parse(kind, body->bytes, size);
        assert_int_equal(status == KW_OK, size >= least);
    }
}

static void certificate_in_der(void **state) {
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = make_certificate(key);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_X509_bio(bio, x509), 1);
    struct body body = of_bio(bio);
    cut_everywhere(KW_WINC_INPUT_CERT, &body, body.size);
    for (size_t i = 0; i < body.size; i++) {
        body.bytes[i] ^= 0xFF;
        (void)!parse(KW_WINC_INPUT_CERT, body.bytes, body.size);
        body.bytes[i] ^= 0xFF;
    }
    free(body.bytes);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void certificate_in_pem(void **state) {
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = make_certificate(key);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
    struct body body = of_bio(bio);
    cut_everywhere(KW_WINC_INPUT_CERT, &body, body.size - 1);
    free(body.bytes);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void rsa_key(void **state) {
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    struct body pem = of_bio(bio);
    cut_everywhere(KW_WINC_INPUT_KEY, &pem, pem.size - 1);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_PrivateKey_bio(bio, key), 1);
    struct body der = of_bio(bio);
    cut_everywhere(KW_WINC_INPUT_KEY, &der, der.size);
    assert_int_equal(parse(KW_WINC_INPUT_CERT, der.bytes, der.size),
                     KW_PARSE_DER);
    free(pem.bytes);
    free(der.bytes);
    EVP_PKEY_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_in_der),
        cmocka_unit_test(certificate_in_pem),
        cmocka_unit_test(rsa_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
