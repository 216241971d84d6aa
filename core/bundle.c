#include "core/bundle.h"

#include <string.h>

#include "core/bytes.h"

#define TAG_SIZE 20
static const uint8_t PROOF_TAG[TAG_SIZE] = "keywright proof v1\0";
static const uint8_t BUNDLE_TAG[TAG_SIZE] = "keywright bundle v1";

#define MAGIC_SIZE 4
static const uint8_t REQUEST_MAGIC[MAGIC_SIZE] = {'K', 'W', 'R', '1'};
static const uint8_t BUNDLE_MAGIC[MAGIC_SIZE] = {'K', 'W', 'B', '1'};

enum { FLAG_SERIAL = 1, FLAG_OLD_KEY = 2, FLAG_OLD_VALIDATED = 4 };

/* The head is the same in both; offsets of docs/formats.md. */
enum {
    AT_FLAGS = 4,
    AT_SLOT = 5,
    AT_RESERVED = 6,
    AT_NUMBER = 8, /* counter or sequence */
    AT_SERIAL = 12,
};

enum {
    REQUEST_LOCK_BITS = 21,
    REQUEST_RESERVED_22 = 22,
    REQUEST_SLOT_CONFIGS = 24,
    REQUEST_KEY_CONFIGS = 56,
    REQUEST_RESERVED_94 = 94,
    REQUEST_OLD_KEY = 96,
    REQUEST_NEW_KEY = 160,
    REQUEST_AUTHORITY = 224,
};

enum {
    BUNDLE_RESERVED_21 = 21,
    BUNDLE_CONFIGURATION = 24,
    BUNDLE_OLD_KEY = 56,
    BUNDLE_OLD_INVALIDATE = 120,
    BUNDLE_OLD_VALIDATE = 216,
    BUNDLE_NEW_KEY = 312,
    BUNDLE_NEW_VALIDATE = 376,
    BUNDLE_PROOF = 472,
};

struct kw_configuration
kw_configuration_of(const uint8_t config[KW_CONFIG_SIZE]) {
    uint8_t bits = 0;
    if (!kw_config_slot_is_locked(config, KW_AUTHORITY_SLOT)) {
        bits |= KW_AUTHORITY_UNLOCKED;
    }
    if (!kw_config_slot_is_locked(config, KW_ROTATING_SLOT)) {
        bits |= KW_ROTATING_UNLOCKED;
    }
    return (struct kw_configuration){
        .slot_configs = config + KW_CONFIG_SLOT_CONFIG,
        .key_configs = config + KW_CONFIG_CHIP_OPTIONS,
        .lock_bits = bits,
    };
}

kw_status kw_configuration_digest(const struct kw_hash *hash,
                                  const struct kw_configuration *configuration,
                                  uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {
        {configuration->slot_configs, KW_SLOT_CONFIGS_SIZE},
        {configuration->key_configs, KW_KEY_CONFIGS_SIZE},
        {&configuration->lock_bits, 1},
    };
    return kw_hash_spans(hash, spans, 3, digest);
}

void kw_serial_of_fleet(const uint8_t serial[KW_SERIAL_SIZE],
                        uint8_t field[KW_SERIAL_SIZE]) {
    const uint8_t first = serial[0];
    const uint8_t second = serial[1];
    const uint8_t last = serial[8];
    memset(field, 0, KW_SERIAL_SIZE);
    field[0] = first;
    field[1] = second;
    field[8] = last;
}

/* What both payloads share. */
struct head {
    uint8_t flags;
    uint32_t number;
};

static kw_status decode_head(const uint8_t *payload,
                             const uint8_t magic[MAGIC_SIZE],
                             struct head *head) {
    const unsigned all = FLAG_SERIAL | FLAG_OLD_KEY | FLAG_OLD_VALIDATED;
    const uint8_t flags = payload[AT_FLAGS];
    KW_ENSURE(memcmp(payload, magic, MAGIC_SIZE) == 0, KW_PARSE_MAGIC);
    KW_ENSURE(payload[AT_SLOT] == KW_ROTATING_SLOT, KW_NO_SLOT);
    KW_ENSURE((flags & ~all) == 0 && kw_all_bytes(payload + AT_RESERVED, 2, 0),
              KW_PARSE_RESERVED);
    KW_ENSURE(kw_load_le32(payload + AT_NUMBER) <= KW_COUNTER_MAX,
              KW_PARSE_RESERVED);
    KW_ENSURE((flags & FLAG_OLD_VALIDATED) == 0 || (flags & FLAG_OLD_KEY) != 0,
              KW_PARSE_RESERVED);
    KW_ENSURE((flags & FLAG_SERIAL) != 0 ||
                  kw_all_bytes(payload + AT_SERIAL + 2, 6, 0),
              KW_PARSE_RESERVED);
    *head = (struct head){flags, kw_load_le32(payload + AT_NUMBER)};
    return KW_OK;
}

static void encode_head(uint8_t *payload, const uint8_t magic[MAGIC_SIZE],
                        struct head head, const uint8_t *serial) {
    memcpy(payload, magic, MAGIC_SIZE);
    payload[AT_FLAGS] = head.flags;
    payload[AT_SLOT] = KW_ROTATING_SLOT;
    kw_store_le32(payload + AT_NUMBER, head.number);
    memcpy(payload + AT_SERIAL, serial, KW_SERIAL_SIZE);
    if ((head.flags & FLAG_SERIAL) == 0) {
        kw_serial_of_fleet(serial, payload + AT_SERIAL);
    }
}

static uint8_t flags_of(bool serial, bool old_key, bool old_validated) {
    return (uint8_t)((serial ? FLAG_SERIAL : 0) | (old_key ? FLAG_OLD_KEY : 0) |
                     (old_validated ? FLAG_OLD_VALIDATED : 0));
}

/* A field that a flag says is unused must be zero. */
static bool unused_is_zero(uint8_t flags, uint8_t flag, const uint8_t *field,
                           size_t size) {
    return (flags & flag) != 0 || kw_all_bytes(field, size, 0);
}

kw_status kw_request_decode(const uint8_t *payload, size_t size,
                            struct kw_request *request) {
    struct head head;
    KW_ENSURE(size == KW_REQUEST_SIZE, KW_PARSE_SIZE);
    KW_TRY(decode_head(payload, REQUEST_MAGIC, &head));
    KW_ENSURE(kw_all_bytes(payload + REQUEST_RESERVED_22, 2, 0) &&
                  kw_all_bytes(payload + REQUEST_RESERVED_94, 2, 0) &&
                  payload[REQUEST_LOCK_BITS] <= 3 &&
                  unused_is_zero(head.flags, FLAG_OLD_KEY,
                                 payload + REQUEST_OLD_KEY, KW_PUBLIC_KEY_SIZE),
              KW_PARSE_RESERVED);
    *request = (struct kw_request){
        .names_serial = (head.flags & FLAG_SERIAL) != 0,
        .has_old_key = (head.flags & FLAG_OLD_KEY) != 0,
        .old_validated = (head.flags & FLAG_OLD_VALIDATED) != 0,
        .counter = head.number,
        .serial = payload + AT_SERIAL,
        .configuration = {.slot_configs = payload + REQUEST_SLOT_CONFIGS,
                          .key_configs = payload + REQUEST_KEY_CONFIGS,
                          .lock_bits = payload[REQUEST_LOCK_BITS]},
        .old_key = payload + REQUEST_OLD_KEY,
        .new_key = payload + REQUEST_NEW_KEY,
        .authority = payload + REQUEST_AUTHORITY,
    };
    return KW_OK;
}

void kw_request_encode(const struct kw_request *request,
                       uint8_t payload[KW_REQUEST_SIZE]) {
    const struct head head = {
        .flags = flags_of(request->names_serial, request->has_old_key,
                          request->old_validated),
        .number = request->counter,
    };
    memset(payload, 0, KW_REQUEST_SIZE);
    encode_head(payload, REQUEST_MAGIC, head, request->serial);
    payload[REQUEST_LOCK_BITS] = request->configuration.lock_bits;
    memcpy(payload + REQUEST_SLOT_CONFIGS, request->configuration.slot_configs,
           KW_SLOT_CONFIGS_SIZE);
    memcpy(payload + REQUEST_KEY_CONFIGS, request->configuration.key_configs,
           KW_KEY_CONFIGS_SIZE);
    if (request->has_old_key) {
        memcpy(payload + REQUEST_OLD_KEY, request->old_key, KW_PUBLIC_KEY_SIZE);
    }
    memcpy(payload + REQUEST_NEW_KEY, request->new_key, KW_PUBLIC_KEY_SIZE);
    memcpy(payload + REQUEST_AUTHORITY, request->authority, KW_PUBLIC_KEY_SIZE);
}

kw_status kw_bundle_decode(const uint8_t *payload, size_t size,
                           struct kw_bundle *bundle) {
    struct head head;
    KW_ENSURE(size == KW_BUNDLE_SIZE, KW_PARSE_SIZE);
    KW_TRY(decode_head(payload, BUNDLE_MAGIC, &head));
    KW_ENSURE(
        kw_all_bytes(payload + BUNDLE_RESERVED_21, 3, 0) &&
            unused_is_zero(head.flags, FLAG_OLD_KEY, payload + BUNDLE_OLD_KEY,
                           KW_PUBLIC_KEY_SIZE) &&
            unused_is_zero(head.flags, FLAG_OLD_VALIDATED,
                           payload + BUNDLE_OLD_INVALIDATE, 2 * KW_PAIR_SIZE),
        KW_PARSE_RESERVED);
    *bundle = (struct kw_bundle){
        .names_serial = (head.flags & FLAG_SERIAL) != 0,
        .has_old_key = (head.flags & FLAG_OLD_KEY) != 0,
        .old_validated = (head.flags & FLAG_OLD_VALIDATED) != 0,
        .sequence = head.number,
        .serial = payload + AT_SERIAL,
        .configuration_digest = payload + BUNDLE_CONFIGURATION,
        .old_key = payload + BUNDLE_OLD_KEY,
        .old_invalidate = payload + BUNDLE_OLD_INVALIDATE,
        .old_validate = payload + BUNDLE_OLD_VALIDATE,
        .new_key = payload + BUNDLE_NEW_KEY,
        .new_validate = payload + BUNDLE_NEW_VALIDATE,
        .proof = payload + BUNDLE_PROOF,
        .payload = payload,
    };
    return KW_OK;
}

void kw_bundle_encode(const struct kw_bundle *bundle,
                      uint8_t payload[KW_BUNDLE_SIZE]) {
    const struct head head = {
        .flags = flags_of(bundle->names_serial, bundle->has_old_key,
                          bundle->old_validated),
        .number = bundle->sequence,
    };
    memset(payload, 0, KW_BUNDLE_SIZE);
    encode_head(payload, BUNDLE_MAGIC, head, bundle->serial);
    memcpy(payload + BUNDLE_CONFIGURATION, bundle->configuration_digest,
           KW_SHA256_SIZE);
    if (bundle->has_old_key) {
        memcpy(payload + BUNDLE_OLD_KEY, bundle->old_key, KW_PUBLIC_KEY_SIZE);
    }
    if (bundle->old_validated) {
        memcpy(payload + BUNDLE_OLD_INVALIDATE, bundle->old_invalidate,
               KW_PAIR_SIZE);
        memcpy(payload + BUNDLE_OLD_VALIDATE, bundle->old_validate,
               KW_PAIR_SIZE);
    }
    memcpy(payload + BUNDLE_NEW_KEY, bundle->new_key, KW_PUBLIC_KEY_SIZE);
    memcpy(payload + BUNDLE_NEW_VALIDATE, bundle->new_validate, KW_PAIR_SIZE);
    memcpy(payload + BUNDLE_PROOF, bundle->proof, KW_SIGNATURE_SIZE);
}

kw_status kw_proof_digest(const struct kw_hash *hash,
                          const struct kw_proof *proof,
                          uint8_t digest[KW_SHA256_SIZE]) {
    static const uint8_t no_key[KW_PUBLIC_KEY_SIZE];
    const uint8_t head[2] = {
        flags_of(proof->names_serial, proof->old_key != NULL, false),
        KW_ROTATING_SLOT,
    };
    const struct kw_span spans[] = {
        {PROOF_TAG, TAG_SIZE},
        {head, sizeof head},
        {proof->serial, KW_SERIAL_SIZE},
        {proof->configuration_digest, KW_SHA256_SIZE},
        {proof->old_key == NULL ? no_key : proof->old_key, KW_PUBLIC_KEY_SIZE},
        {proof->new_key, KW_PUBLIC_KEY_SIZE},
    };
    return kw_hash_spans(hash, spans, 6, digest);
}

kw_status kw_bundle_digest(const struct kw_hash *hash,
                           const uint8_t payload[KW_BUNDLE_SIZE],
                           uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {
        {BUNDLE_TAG, TAG_SIZE},
        {payload, KW_BUNDLE_SIZE},
    };
    return kw_hash_spans(hash, spans, 2, digest);
}

/* The chip's messages take the configuration words of a slot, its lock bit
 * and three bytes of the serial: enough of a configuration zone to share
 * core/config.h's and core/message.h's one reading of it. */
static void rebuild_config(const struct kw_configuration *configuration,
                           const uint8_t *serial,
                           uint8_t config[KW_CONFIG_SIZE]) {
    memset(config, 0, KW_CONFIG_SIZE);
    memcpy(config, serial, 4);
    memcpy(config + KW_CONFIG_SERIAL_4_8, serial + 4, 5);
    memcpy(config + KW_CONFIG_SLOT_CONFIG, configuration->slot_configs,
           KW_SLOT_CONFIGS_SIZE);
    memcpy(config + KW_CONFIG_CHIP_OPTIONS, configuration->key_configs,
           KW_KEY_CONFIGS_SIZE);
    if ((configuration->lock_bits & KW_ROTATING_UNLOCKED) != 0) {
        kw_store_le16(config + KW_CONFIG_SLOT_LOCKED, 1u << KW_ROTATING_SLOT);
    }
}

bool kw_configuration_can_rotate(const struct kw_configuration *configuration) {
    static const uint8_t no_serial[KW_SERIAL_SIZE];
    uint8_t config[KW_CONFIG_SIZE];
    rebuild_config(configuration, no_serial, config);
    const struct kw_slot_config slot = kw_config_slot(config, KW_ROTATING_SLOT);
    return kw_config_keeps_validity(config, KW_ROTATING_SLOT) &&
           slot.read_key == KW_AUTHORITY_SLOT && !slot.is_secret &&
           kw_slot_write_rule(slot) == KW_WRITE_PUB_INVALID;
}

kw_status kw_pair_digest(const struct kw_hash *hash,
                         const struct kw_pair_about *about,
                         uint8_t digest[KW_SHA256_SIZE],
                         uint8_t other[KW_OTHER_DATA_SIZE]) {
    const unsigned fixed_nonce = 1u << 4;
    const unsigned made_by_genkey = 1u << 6;
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t temp_key[KW_SHA256_SIZE];
    uint8_t message[KW_SIGN_MESSAGE_SIZE];

    KW_TRY(kw_message_genkey(hash, about->nonce, kw_message_head(0x40, 0, 0),
                             about->serial, about->key, temp_key));
    rebuild_config(&about->configuration, about->serial, config);
    const uint16_t parent = kw_config_slot(config, KW_ROTATING_SLOT).read_key;
    const struct kw_sign_internal internal = {
        .temp_key = temp_key,
        .head = kw_message_head(0x41, 0, parent),
        .config = config,
        .key_id = KW_ROTATING_SLOT,
        .temp_key_flags =
            (uint8_t)(KW_ROTATING_SLOT | fixed_nonce | made_by_genkey),
        .for_invalidate = about->invalidate,
        .full_serial = false,
    };
    kw_message_sign_internal(&internal, message);
    kw_message_other_data(message, other);
    return kw_hash_bytes(hash, message, sizeof message, digest);
}
