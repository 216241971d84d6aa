/* host/key.h: P-256 key pairs on the PC.
 *
 * Private keys live in OpenSSL's memory and in PKCS#8 files of mode 0600;
 * no function answers a private key's bytes. Knows host/files.h. */
#ifndef KW_HOST_KEY_H
#define KW_HOST_KEY_H

#include "core/message.h"
#include "host/error.h"

#define KW_FINGERPRINT_SIZE  32 /* SHA-256 of X, Y */
#define KW_FINGERPRINT_TEXT  65 /* 64 hex digits and a NUL */
#define KW_FINGERPRINT_SHOWN 16 /* digits shown to people */

struct kw_key; /* a private key; for one thread at a time */

/* A new pair, from OpenSSL's generator. KW_SYSTEM_CRYPTO. */
KW_MUST_USE kw_status kw_key_make(struct kw_key **key, struct kw_error *error);
/* KW_SYSTEM_FILE: unreadable. KW_PARSE_KEY: not a P-256 private key without
 * a password. */
KW_MUST_USE kw_status kw_key_read(const char *path, struct kw_key **key,
                                  struct kw_error *error);
/* Writes PKCS#8 PEM to a new file. */
KW_MUST_USE kw_status kw_key_write(const struct kw_key *key, const char *path,
                                   struct kw_error *error);
void kw_key_free(struct kw_key *key);

/* X, Y, big-endian. */
void kw_key_public(const struct kw_key *key,
                   uint8_t public_key[KW_PUBLIC_KEY_SIZE]);
KW_MUST_USE kw_status kw_key_sign(const struct kw_key *key,
                                  const uint8_t digest[KW_SHA256_SIZE],
                                  uint8_t signature[KW_SIGNATURE_SIZE],
                                  struct kw_error *error);

/* KW_OK, KW_NO_SIGNATURE, KW_PARSE_KEY (no point of the curve) or
 * KW_SYSTEM_CRYPTO. */
KW_MUST_USE kw_status
kw_public_key_verify(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                     const uint8_t digest[KW_SHA256_SIZE],
                     const uint8_t signature[KW_SIGNATURE_SIZE]);
/* Whether X, Y are a point of the curve: other bytes are nobody's key. */
bool kw_public_key_is_point(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]);
/* The same point as X.509 SubjectPublicKeyInfo in PEM; the caller frees;
 * NULL when it is none. */
char *kw_public_key_pem(const uint8_t public_key[KW_PUBLIC_KEY_SIZE]);

/* SHA-256 of X, Y in lower-case hex. */
void kw_fingerprint(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                    char text[KW_FINGERPRINT_TEXT]);

/* Bytes from the operating system's generator. */
KW_MUST_USE kw_status kw_random(uint8_t *bytes, size_t size,
                                struct kw_error *error);

#endif
