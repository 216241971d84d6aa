/* Certificate definitions and the certificates that they expand to.
 *
 * Input: 72 bytes, a byte of what is given, then the definition's text. What
 * expands is a certificate, and compresses to the same 72 bytes again with
 * the same definition. */
#include "host/certs/definition.h"
#include "tests/fuzz/fuzz.h"

static void again(const struct kw_cert_definition *definition,
                  const uint8_t *compressed, const struct kw_pki_bytes *whole,
                  const struct kw_cert_inputs *inputs) {
    struct kw_pki_view view;
    struct kw_error error;
    uint8_t back[KW_COMPCERT_SIZE];
    FUZZ_DEMAND(kw_pki_read(kw_pki_cursor(whole), &view) == KW_OK);
    if (kw_cert_compress(definition, &view, inputs, back, &error) == KW_OK) {
        struct kw_pki_bytes twice;
        FUZZ_DEMAND(kw_cert_expand(definition, back, inputs, &twice, &error) ==
                    KW_OK);
        FUZZ_DEMAND(twice.size == whole->size &&
                    memcmp(twice.der, whole->der, whole->size) == 0);
        FUZZ_DEMAND(memcmp(back, compressed, KW_SIGNATURE_SIZE) == 0);
    }
}

static void derive(const struct kw_pki_bytes *whole) {
    struct kw_pki_view view;
    struct kw_cert_definition derived;
    FUZZ_DEMAND(kw_pki_read(kw_pki_cursor(whole), &view) == KW_OK);
    kw_cert_definition_derive(&view, NULL, &derived);
    for (int i = 0; i < KW_ELEMENTS; i++) {
        FUZZ_DEMAND(derived.element[i].offset + derived.element[i].size <=
                    derived.template.size);
    }
}

static void text_comes_back(const struct kw_cert_definition *definition) {
    struct kw_cert_definition back;
    struct kw_error error;
    char *text = kw_cert_definition_text(definition);
    FUZZ_DEMAND(text != NULL);
    FUZZ_DEMAND(kw_cert_definition_parse(text, strlen(text), &back, &error) ==
                KW_OK);
    FUZZ_DEMAND(back.template.size == definition->template.size);
    FUZZ_DEMAND(memcmp(back.template.der, definition->template.der,
                       back.template.size) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t KEY[KW_PUBLIC_KEY_SIZE] = {1, 2, 3};
    static const uint8_t ID[KW_KEY_ID_SIZE] = {4, 5, 6};
    static const uint8_t DEVICE[KW_SERIAL_SIZE] = {0x01, 0x23};
    static const uint8_t SERIAL[KW_CERT_SERIAL_MAX] = {0x40, 1};
    struct fuzz_input input = {data, size};
    uint8_t compressed[KW_COMPCERT_SIZE];
    struct kw_cert_definition definition;
    struct kw_pki_bytes whole;
    struct kw_error error;
    fuzz_bytes(&input, compressed, sizeof compressed);
    const uint8_t given = fuzz_byte(&input);
    const struct kw_cert_inputs inputs = {
        .public_key = (given & 1) != 0 ? KEY : NULL,
        .issuer_id = (given & 2) != 0 ? ID : NULL,
        .device = (given & 4) != 0 ? DEVICE : NULL,
        .serial = (given & 8) != 0 ? SERIAL : NULL,
        .serial_size = (given >> 4) + 1u,
        .eui48 = (given & 1) != 0 ? "0123456789AB" : NULL,
    };
    if (kw_cert_definition_parse((const char *)input.at, input.left,
                                 &definition, &error) != KW_OK) {
        return 0;
    }
    text_comes_back(&definition);
    if (kw_cert_expand(&definition, compressed, &inputs, &whole, &error) ==
        KW_OK) {
        again(&definition, compressed, &whole, &inputs);
        derive(&whole);
    }
    return 0;
}
