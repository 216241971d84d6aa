/* Certificates by the DER cursor: what it reads OpenSSL reads too, to the
 * same fields; what is read can be built again. Anything else is walked as
 * elements within elements. */
#include <openssl/asn1.h>
#include <openssl/x509.h>

#include "host/certs/pki.h"
#include "tests/fuzz/fuzz.h"

static bool is_constructed(const struct kw_der_item *item) {
    return (item->tag & 0x20) != 0;
}

/* Elements lie within what they came from, one behind the other. */
static void walk(struct kw_der cursor, unsigned depth) {
    struct kw_der_item item;
    while (kw_der_next(&cursor, &item) == KW_OK) {
        FUZZ_DEMAND(item.whole.at + item.whole.left == cursor.at);
        FUZZ_DEMAND(item.content.at + item.content.left == cursor.at);
        FUZZ_DEMAND(item.whole.left >= item.content.left + 2);
        if (is_constructed(&item) && depth < 64) {
            walk(item.content, depth + 1);
        }
    }
}

static void same_bytes(const struct kw_der *mine, const uint8_t *bytes,
                       int size) {
    FUZZ_DEMAND(size >= 0 && kw_der_is(mine, bytes, (size_t)size));
}

static void compare_names(const X509 *certificate,
                          const struct kw_pki_view *view) {
    uint8_t *der = NULL;
    const int size = i2d_X509_NAME(X509_get_subject_name(certificate), &der);
    same_bytes(&view->subject, der, size);
    OPENSSL_free(der);
}

/* OpenSSL's own parser is more lenient, not stricter. */
static void compare(struct kw_der der, const struct kw_pki_view *view) {
    const uint8_t *at = der.at;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.left);
    if (certificate == NULL) {
        return; /* an extension or a name that is no name: not looked into */
    }
    FUZZ_DEMAND(at == der.at + der.left);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(certificate);
    FUZZ_DEMAND(ASN1_STRING_length(key) == 65);
    FUZZ_DEMAND(memcmp(ASN1_STRING_get0_data(key) + 1, view->public_key, 64) ==
                0);
    const ASN1_TIME *begin = X509_get0_notBefore(certificate);
    same_bytes(&view->not_before_text, ASN1_STRING_get0_data(begin),
               ASN1_STRING_length(begin));
    compare_names(certificate, view);
    X509_free(certificate);
}

/* The signature is the only thing that is decoded and encoded again. */
static void join(struct kw_der der, const struct kw_pki_view *view) {
    struct kw_pki_bytes again;
    if (kw_pki_join(view->tbs, view->signature, &again) == KW_OK) {
        FUZZ_DEMAND(kw_der_is(&der, again.der, again.size));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct kw_der der = {data, size};
    struct kw_pki_view view;
    char text[65];
    walk(der, 0);
    if (kw_pki_read(der, &view) == KW_OK) {
        compare(der, &view);
        join(der, &view);
        (void)!kw_pki_attribute(view.subject, KW_PKI_COMMON_NAME, text,
                                sizeof text);
    }
    return 0;
}
