/* host/winc/input.h: certificates and private keys as they come in.
 *
 * A file or a body is DER or PEM; it is whole when it parses to exactly its
 * own length (DER) or ends at its END line (PEM). What comes out is DER.
 * Knows host/files.h, core/winc_cert.h and OpenSSL. */
#ifndef KW_HOST_WINC_INPUT_H
#define KW_HOST_WINC_INPUT_H

#include "core/winc_cert.h"
#include "host/error.h"

#define KW_WINC_INPUT_MAX 16384u /* bytes of a file or body */

enum kw_winc_input_kind { KW_WINC_INPUT_CERT, KW_WINC_INPUT_KEY };

struct kw_winc_input {
    char name[128]; /* for words */
    enum kw_winc_input_kind kind;
    uint8_t *der;
    struct kw_source source; /* over der */
    struct kw_winc_cert cert;
    struct kw_winc_rsa_key key;
};

/* KW_PARSE_DER, KW_PARSE_RSA_KEY, KW_NO_WINC_KEY_TYPE, KW_NO_WINC_NAME. The
 * input is freed by kw_winc_input_free in any case. */
KW_MUST_USE kw_status kw_winc_input_parse(struct kw_winc_input *input,
                                          const char *name,
                                          enum kw_winc_input_kind kind,
                                          const uint8_t *bytes, size_t size,
                                          struct kw_error *error);
KW_MUST_USE kw_status kw_winc_input_read(struct kw_winc_input *input,
                                         const char *path,
                                         enum kw_winc_input_kind kind,
                                         struct kw_error *error);
/* Wipes and frees what it holds. */
void kw_winc_input_free(struct kw_winc_input *input);

/* The subject's common name, "" when there is none. */
void kw_winc_input_common_name(const struct kw_winc_input *input, char *name,
                               size_t size);
/* The subject, as DER in hex; the caller frees; NULL without memory. */
char *kw_winc_input_subject(const struct kw_winc_input *input);
/* Whether the certificate's signature is the issuer's. */
bool kw_winc_input_issued(const struct kw_winc_input *issuer,
                          const struct kw_winc_input *input);
/* X, Y of a P-256 certificate. */
void kw_winc_input_point(const struct kw_winc_input *input, uint8_t point[64]);
bool kw_winc_input_expired(const struct kw_winc_input *input);

struct kw_winc_date kw_winc_today(void);

/* X, Y of a P-256 key in PEM, public or private. KW_PARSE_KEY. */
KW_MUST_USE kw_status kw_winc_public_key_read(const char *path,
                                              uint8_t point[64],
                                              struct kw_error *error);

#endif
