/* host/authority.h: whoever signs: for a chip's key, a certificate, a
 * manifest.
 *
 * Signs digests; the private key never leaves it. A PEM file, or a PKCS#11
 * object named by an RFC 7512 URI (docs/certs.md, "Tokens").
 * Knows host/key.h. */
#ifndef KW_HOST_AUTHORITY_H
#define KW_HOST_AUTHORITY_H

#include "host/key.h"

struct kw_authority;

/* A path of a PEM file, or a pkcs11: URI. KW_USAGE: the URI cannot be read,
 * fits several keys, or holds a PIN. KW_ABSENT: no such token or key. KW_NO:
 * the PIN is wrong. Else as kw_key_read. */
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
