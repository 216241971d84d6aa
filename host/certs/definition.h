/* host/certs/definition.h: what a certificate has besides its 72 bytes.
 *
 * A definition is a template of the part that is signed, and where in it
 * each thing stands that differs: serial number, dates, keys, names of the
 * chip. With a compressed certificate and the keys it gives the certificate
 * back. File: docs/certs.md, "Compressed certificates".
 * Sources: cryptoauthlib's atcacert_def.h (elements, sources of the serial
 * number). Knows core/compcert.h and host/certs/pki.h. */
#ifndef KW_HOST_CERTS_DEFINITION_H
#define KW_HOST_CERTS_DEFINITION_H

#include "host/certs/pki.h"

#define KW_CERT_SERIAL_MAX 32 /* bytes of a serial number */

enum kw_element {
    KW_ELEMENT_SERIAL,
    KW_ELEMENT_SIGNER_ID,
    KW_ELEMENT_NOT_BEFORE,
    KW_ELEMENT_NOT_AFTER,
    KW_ELEMENT_PUBLIC_KEY,
    KW_ELEMENT_SUBJECT_ID,
    KW_ELEMENT_AUTHORITY_ID,
    KW_ELEMENT_DEVICE_0_3,
    KW_ELEMENT_DEVICE_4_8,
    KW_ELEMENT_EUI48,
    KW_ELEMENTS,
};

struct kw_cert_definition {
    struct kw_pki_bytes template; /* of the part that is signed */
    struct {
        size_t offset;
        size_t size; /* 0: not there */
    } element[KW_ELEMENTS];
    uint8_t template_id;
    uint8_t chain_id;
    uint8_t serial_source;
};

/* What expands a compressed certificate besides its definition. NULL where
 * it is not needed. */
struct kw_cert_inputs {
    const uint8_t *public_key; /* KW_PUBLIC_KEY_SIZE bytes */
    const uint8_t *issuer_id;  /* KW_KEY_ID_SIZE bytes */
    const uint8_t *device;     /* KW_SERIAL_SIZE bytes */
    const uint8_t *serial;     /* as long as the element */
    size_t serial_size;
    const char *eui48;
};

/* The serial number of a source, `size` bytes. KW_PARSE: no such source, or
 * another size. KW_USAGE: it needs an input that is NULL. */
KW_MUST_USE kw_status kw_cert_serial(const struct kw_cert_inputs *inputs,
                                     const struct kw_compcert *compcert,
                                     size_t size,
                                     uint8_t serial[KW_CERT_SERIAL_MAX]);

/* Finds a certificate's definition: where things stand, where the serial
 * number comes from. `device` NULL: the chip's serial number is taken from
 * the subject where it stands there. Template and chain id are the
 * caller's. */
void kw_cert_definition_derive(const struct kw_pki_view *view,
                               const uint8_t *device,
                               struct kw_cert_definition *definition);

/* Answers the 72 bytes, after the certificate came back from them.
 * KW_NO: it cannot be compressed, for the reason in the error. */
KW_MUST_USE kw_status kw_cert_compress(
    const struct kw_cert_definition *definition, const struct kw_pki_view *view,
    const struct kw_cert_inputs *inputs, uint8_t compressed[KW_COMPCERT_SIZE],
    struct kw_error *error);

/* KW_PARSE...: bytes that no format knows, of another template, or a
 * definition that gives no certificate. KW_USAGE: an input is missing. */
KW_MUST_USE kw_status
kw_cert_expand(const struct kw_cert_definition *definition,
               const uint8_t compressed[KW_COMPCERT_SIZE],
               const struct kw_cert_inputs *inputs, struct kw_pki_bytes *whole,
               struct kw_error *error);

/* host/certs/definition_file.c. */
KW_MUST_USE kw_status kw_cert_definition_parse(
    const char *text, size_t size, struct kw_cert_definition *definition,
    struct kw_error *error);
/* The text; the caller frees; NULL without memory. */
char *kw_cert_definition_text(const struct kw_cert_definition *definition);

#endif
