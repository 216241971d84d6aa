/* host/authority.h: whoever may say which key a chip shall trust.
 *
 * Signs digests; the private key never leaves it. Today a PEM file; a
 * PKCS#11 object named by an RFC 7512 URI is one more table of functions.
 * Knows host/key.h. */
#ifndef KW_HOST_AUTHORITY_H
#define KW_HOST_AUTHORITY_H

#include "host/key.h"

struct kw_authority;

/* A path of a PEM file. KW_USAGE: a pkcs11: URI, which this version does not
 * reach. Else as kw_key_read. */
KW_MUST_USE kw_status kw_authority_open(const char *text,
                                        struct kw_authority **authority,
                                        struct kw_error *error);
void kw_authority_close(struct kw_authority *authority);

void kw_authority_public(const struct kw_authority *authority,
                         uint8_t public_key[KW_PUBLIC_KEY_SIZE]);
KW_MUST_USE kw_status kw_authority_sign(const struct kw_authority *authority,
                                        const uint8_t digest[KW_SHA256_SIZE],
                                        uint8_t signature[KW_SIGNATURE_SIZE],
                                        struct kw_error *error);

#endif
