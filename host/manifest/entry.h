/* host/manifest/entry.h: one SignedSecureElement, read.
 *
 * {"payload", "protected", "header": {"uniqueId"}, "signature"}: a flattened
 * JWS (RFC 7515, 7.2.2) with ES256. The bytes are in docs/manifest.md.
 * Source: "Trust Platform Manifest File Format" (2019-09-26).
 * Knows host/manifest/json.h, host/certs/pki.h. */
#ifndef KW_HOST_MANIFEST_ENTRY_H
#define KW_HOST_MANIFEST_ENTRY_H

#include "host/certs/pki.h"
#include "host/manifest/json.h"
#include "host/manifest/scan.h"

#define KW_MANIFEST_KEYS_MAX 16
#define KW_UNIQUE_ID_SIZE    9
#define KW_UNIQUE_ID_TEXT    19 /* 18 lower-case hex digits and a NUL */

struct kw_manifest_key {
    uint8_t kid; /* slot */
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
};

/* Texts point into the piece or into the room; the room must outlive them. */
struct kw_manifest_entry {
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    struct kw_text protected_text; /* as they are signed */
    struct kw_text payload_text;
    uint8_t signature[KW_SIGNATURE_SIZE];
    uint8_t signer_id[KW_KEY_ID_SIZE];     /* kid */
    uint8_t signer_digest[KW_SHA256_SIZE]; /* x5t#S256 */
    struct kw_text model;
    struct kw_text part_number;
    struct kw_text timestamp;
    size_t key_count;
    struct kw_manifest_key keys[KW_MANIFEST_KEYS_MAX];
    struct kw_der device; /* certificates of x5c, DER; empty: none */
    struct kw_der signer;
};

/* What reading needs beside the text. */
struct kw_manifest_room {
    uint8_t payload[KW_MANIFEST_ENTRY_MAX];
    uint8_t head[1024]; /* the protected header */
    uint8_t device[KW_PKI_MAX];
    uint8_t signer[KW_PKI_MAX];
    char unescaped[2 * KW_MANIFEST_ENTRY_MAX];
};

/* What is wrong with an entry. KW_OK; of class KW_CLASS_PARSE: it cannot be
 * read; KW_NO: it can, and is wrong. Words are NULL or constant. */
struct kw_verdict {
    kw_status status;
    const char *words;
};

struct kw_verdict kw_manifest_entry_read(const struct kw_manifest_piece *piece,
                                         struct kw_manifest_room *room,
                                         struct kw_manifest_entry *entry);

/* The unique id alone, for whoever sorts entries: the cheapest look. */
struct kw_verdict
kw_manifest_entry_unique_id(const struct kw_manifest_piece *piece,
                            struct kw_manifest_room *room,
                            uint8_t unique_id[KW_UNIQUE_ID_SIZE]);

void kw_unique_id_text(const uint8_t unique_id[KW_UNIQUE_ID_SIZE],
                       char text[KW_UNIQUE_ID_TEXT]);
/* 18 hex digits, as they are typed: in either case. */
KW_MUST_USE kw_status kw_serial_read(struct kw_text text,
                                     uint8_t serial[KW_UNIQUE_ID_SIZE]);
/* 18 hex digits of lower case, as they are signed. */
KW_MUST_USE kw_status kw_unique_id_read(struct kw_text text,
                                        uint8_t unique_id[KW_UNIQUE_ID_SIZE]);

#endif
