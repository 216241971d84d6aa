/* core/bundle.h: what a device says and what an authority answers.
 *
 * A request says which key a device wants in its rotating slot; a bundle is
 * all that the device needs to rotate it, with no private key in it. Both
 * are fixed binary layouts: docs/formats.md, "Request payload" and "Bundle
 * payload". A decoded one points into the payload.
 * Knows core/message.h and core/hash.h. No heap. */
#ifndef KW_CORE_BUNDLE_H
#define KW_CORE_BUNDLE_H

#include "core/config.h"
#include "core/hash.h"
#include "core/message.h"

#define KW_REQUEST_SIZE 288
#define KW_BUNDLE_SIZE  536
#define KW_PAIR_SIZE    (KW_NONCE_SIZE + KW_SIGNATURE_SIZE)

#define KW_ROTATING_SLOT     14
#define KW_AUTHORITY_SLOT    13
#define KW_SLOT_CONFIGS_SIZE 32 /* configuration bytes 20-51 */
#define KW_KEY_CONFIGS_SIZE  38 /* configuration bytes 90-127 */

/* Lock bits of a request and of the configuration digest. */
enum {
    KW_AUTHORITY_UNLOCKED = 1, /* slot 13 */
    KW_ROTATING_UNLOCKED = 2,  /* slot 14 */
};

/* What of a configuration the chip's messages and the bundle depend on. */
struct kw_configuration {
    const uint8_t *slot_configs; /* KW_SLOT_CONFIGS_SIZE bytes */
    const uint8_t *key_configs;  /* KW_KEY_CONFIGS_SIZE bytes */
    uint8_t lock_bits;
};

struct kw_configuration
kw_configuration_of(const uint8_t config[KW_CONFIG_SIZE]);

/* What slot 14 must be for a rotation to work, whatever the part is called:
 * a P-256 public key whose validity the chip keeps, written only while it is
 * not valid, validated by slot 13, readable. */
bool kw_configuration_can_rotate(const struct kw_configuration *configuration);

/* docs/formats.md, "Configuration digest": no counter changes it. */
KW_MUST_USE kw_status kw_configuration_digest(
    const struct kw_hash *hash, const struct kw_configuration *configuration,
    uint8_t digest[KW_SHA256_SIZE]);

struct kw_request {
    bool names_serial;
    bool has_old_key;
    bool old_validated;
    uint32_t counter;
    const uint8_t *serial; /* serial field, KW_SERIAL_SIZE bytes */
    struct kw_configuration configuration;
    const uint8_t *old_key; /* KW_PUBLIC_KEY_SIZE bytes; zeros when none */
    const uint8_t *new_key;
    const uint8_t *authority;
};

struct kw_bundle {
    bool names_serial;
    bool has_old_key;
    bool old_validated;
    uint32_t sequence;
    const uint8_t *serial;
    const uint8_t *configuration_digest;
    const uint8_t *old_key;
    const uint8_t *old_invalidate; /* KW_PAIR_SIZE bytes: nonce, signature */
    const uint8_t *old_validate;
    const uint8_t *new_key;
    const uint8_t *new_validate;
    const uint8_t *proof;   /* KW_SIGNATURE_SIZE bytes */
    const uint8_t *payload; /* KW_BUNDLE_SIZE bytes: what is signed */
};

/* KW_PARSE_SIZE, KW_PARSE_MAGIC, KW_NO_SLOT, KW_PARSE_RESERVED: a reserved
 * or unused field is not zero, flags contradict each other, or the number is
 * beyond KW_COUNTER_MAX. */
KW_MUST_USE kw_status kw_request_decode(const uint8_t *payload, size_t size,
                                        struct kw_request *request);
KW_MUST_USE kw_status kw_bundle_decode(const uint8_t *payload, size_t size,
                                       struct kw_bundle *bundle);

/* Pointers that a flag says are unused may be NULL; none may point into the
 * payload that is written. */
void kw_request_encode(const struct kw_request *request,
                       uint8_t payload[KW_REQUEST_SIZE]);
void kw_bundle_encode(const struct kw_bundle *bundle,
                      uint8_t payload[KW_BUNDLE_SIZE]);

/* The serial field of a fleet: SN[2:7] zero. */
void kw_serial_of_fleet(const uint8_t serial[KW_SERIAL_SIZE],
                        uint8_t field[KW_SERIAL_SIZE]);

/* What a proof signs; each checker gives what it knows itself. */
struct kw_proof {
    bool names_serial;
    const uint8_t *serial; /* serial field */
    const uint8_t *configuration_digest;
    const uint8_t *old_key; /* NULL: none */
    const uint8_t *new_key;
};
KW_MUST_USE kw_status kw_proof_digest(const struct kw_hash *hash,
                                      const struct kw_proof *proof,
                                      uint8_t digest[KW_SHA256_SIZE]);

/* What the authority signs of a bundle. */
KW_MUST_USE kw_status kw_bundle_digest(const struct kw_hash *hash,
                                       const uint8_t payload[KW_BUNDLE_SIZE],
                                       uint8_t digest[KW_SHA256_SIZE]);

/* What the authority signs of a pair: SHA-256 of the 55 bytes, and the
 * OtherData that goes with the command. The serial needs SN[0], SN[1] and
 * SN[8] alone. */
struct kw_pair_about {
    const uint8_t *serial;
    struct kw_configuration configuration;
    const uint8_t *key;   /* KW_PUBLIC_KEY_SIZE bytes */
    const uint8_t *nonce; /* KW_NONCE_SIZE bytes */
    bool invalidate;
};
KW_MUST_USE kw_status kw_pair_digest(const struct kw_hash *hash,
                                     const struct kw_pair_about *about,
                                     uint8_t digest[KW_SHA256_SIZE],
                                     uint8_t other[KW_OTHER_DATA_SIZE]);

#endif
