/* host/signature_file.h: signatures and public keys in the files of others.
 *
 * A signature: ECDSA-Sig-Value in DER (RFC 3279 2.2.3), 64 bytes R, S, or
 * 128 hex digits. A public key: PEM, 64 bytes X, Y, or 128 hex digits.
 * Knows core/message.h and host/error.h. */
#ifndef KW_HOST_SIGNATURE_FILE_H
#define KW_HOST_SIGNATURE_FILE_H

#include "core/message.h"
#include "host/error.h"

#define KW_SIGNATURE_DER_MAX 72

KW_MUST_USE kw_status
kw_signature_file_read(const char *path, uint8_t signature[KW_SIGNATURE_SIZE],
                       struct kw_error *error);
/* KW_SYSTEM_CRYPTO: no memory. */
KW_MUST_USE kw_status
kw_signature_to_der(const uint8_t signature[KW_SIGNATURE_SIZE],
                    uint8_t der[KW_SIGNATURE_DER_MAX], size_t *size);
KW_MUST_USE kw_status kw_public_key_file_read(
    const char *path, uint8_t public_key[KW_PUBLIC_KEY_SIZE],
    struct kw_error *error);

#endif
