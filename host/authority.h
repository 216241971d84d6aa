/* host/authority.h: whoever signs: for a chip's key, a certificate, a
 * manifest.
 *
 * Signs digests; the private key never leaves it. A PEM file, a PKCS#11
 * object named by an RFC 7512 URI, or the private key in a slot of a chip
 * (docs/certs.md, "Tokens" and "Chips that sign").
 * Knows host/key.h and host/workspace.h. */
#ifndef KW_HOST_AUTHORITY_H
#define KW_HOST_AUTHORITY_H

#include "host/key.h"
#include "host/workspace.h"

struct kw_authority;

/* A path of a PEM file, a pkcs11: URI, or chip:LINK#SLOT. KW_USAGE: the URI
 * cannot be read, fits several keys, or holds a PIN; no such slot. KW_ABSENT:
 * no such token, key or chip. KW_NO: the PIN is wrong. Else as kw_key_read.
 * The workspace, which must outlive the authority, is for emulated chips;
 * without one they are refused. */
KW_MUST_USE kw_status kw_authority_open_in(const struct kw_workspace *workspace,
                                           const char *text,
                                           struct kw_authority **authority,
                                           struct kw_error *error);
/* The same without a workspace. */
KW_MUST_USE kw_status kw_authority_open(const char *text,
                                        struct kw_authority **authority,
                                        struct kw_error *error);
/* A new key that no file knows: for what is signed once and never again. */
KW_MUST_USE kw_status kw_authority_make(struct kw_authority **authority,
                                        struct kw_error *error);
void kw_authority_close(struct kw_authority *authority);

void kw_authority_public(const struct kw_authority *authority,
                         uint8_t public_key[KW_PUBLIC_KEY_SIZE]);
KW_MUST_USE kw_status kw_authority_sign(const struct kw_authority *authority,
                                        const uint8_t digest[KW_SHA256_SIZE],
                                        uint8_t signature[KW_SIGNATURE_SIZE],
                                        struct kw_error *error);

#endif
