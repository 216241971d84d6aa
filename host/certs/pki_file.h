/* host/certs/pki_file.h: certificates and requests in files, PEM or DER.
 * Knows host/certs/pki.h and host/files.h; OpenSSL reads and writes PEM. */
#ifndef KW_HOST_CERTS_PKI_FILE_H
#define KW_HOST_CERTS_PKI_FILE_H

#include "host/certs/pki.h"
#include "host/files.h"

#define KW_PEM_CERTIFICATE "CERTIFICATE"
#define KW_PEM_REQUEST     "CERTIFICATE REQUEST"

/* A PEM or DER file's bytes, and a view into them. KW_PARSE and
 * KW_PARSE_KEY with words. */
KW_MUST_USE kw_status kw_pki_read_file(const char *path,
                                       struct kw_pki_bytes *bytes,
                                       struct kw_pki_view *view,
                                       struct kw_error *error);
/* The DER of a request in a PEM file; not looked into. KW_PARSE: none. */
KW_MUST_USE kw_status kw_pki_read_request_file(const char *path,
                                               struct kw_pki_bytes *bytes,
                                               struct kw_error *error);
/* A public key: of a certificate, in PEM (SubjectPublicKeyInfo), or 64 bytes
 * X, Y. KW_PARSE_KEY: none. */
KW_MUST_USE kw_status
kw_pki_read_key_file(const char *path, uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                     struct kw_error *error);
/* The PEM text; the caller frees; NULL without memory. */
char *kw_pki_pem(const char *label, const struct kw_pki_bytes *bytes);
/* A new PEM file. */
KW_MUST_USE kw_status kw_pki_write_file(const char *path, const char *label,
                                        const struct kw_pki_bytes *bytes,
                                        struct kw_error *error);

#endif
