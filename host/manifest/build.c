#include "host/manifest/build.h"

#include <string.h>

#include "host/base64.h"
#include "host/openssl_hash.h"
#include "host/text.h"

/* The vendor's names of the two parts. */
static const struct part_words {
    const char *part_number; /* behind the model */
    const char *file;
} PARTS[] = {
    [KW_PART_TRUSTFLEX] = {"TFLXTLS", "TFLXTLS_devices_manifest.json"},
    [KW_PART_TRUSTGO] = {"TNGTLS", "TNGTLS_devices_manifest.json"},
};

const char *kw_manifest_file_name(enum kw_part part) {
    return PARTS[part].file;
}

/* --- text --- */

static void put(struct kw_manifest_text *to, const char *text, size_t size) {
    if (size > sizeof to->text - to->size) {
        to->size = sizeof to->text; /* full, and stays so */
        return;
    }
    memcpy(to->text + to->size, text, size);
    to->size += size;
}

/* Inline: the length of a literal is known then. */
static inline void put_text(struct kw_manifest_text *to, const char *text) {
    put(to, text, strlen(text));
}

static void put_base64(struct kw_manifest_text *to, enum kw_base64 kind,
                       const void *bytes, size_t size) {
    if (kw_base64_length(kind, size) > sizeof to->text - to->size) {
        to->size = sizeof to->text;
        return;
    }
    to->size += kw_base64_encode(kind, bytes, size, to->text + to->size);
}

/* The same in base64url, for what is long. */
static void put_payload(struct kw_manifest_text *to,
                        const struct kw_base64_pairs *pairs,
                        const struct kw_manifest_text *payload) {
    const uint8_t *bytes = (const uint8_t *)payload->text;
    const size_t whole = payload->size - payload->size % 3;
    if (kw_base64_length(KW_BASE64URL, payload->size) >
        sizeof to->text - to->size) {
        to->size = sizeof to->text;
        return;
    }
    to->size +=
        kw_base64_encode_triples(pairs, bytes, whole, to->text + to->size);
    put_base64(to, KW_BASE64URL, bytes + whole, payload->size - whole);
}

/* --- the payload --- */

static void put_organisation(struct kw_manifest_text *to, const char *role,
                             const char *unit) {
    put_text(to, ", \"");
    put_text(to, role);
    put_text(to, "\": {\"organizationName\": \"Microchip Technology Inc\", "
                 "\"organizationalUnitName\": \"");
    put_text(to, unit);
    put_text(to, "\"}");
}

static void put_part(struct kw_manifest_text *to,
                     const struct kw_manifest_record *record) {
    const char *model = kw_model_words(record->model);
    put_text(to, "{\"version\": 1, \"model\": \"");
    put_text(to, model);
    put_text(to, "\", \"partNumber\": \"");
    put_text(to, model);
    put_text(to, "-");
    put_text(to, PARTS[record->part].part_number);
    put_text(to, "\"");
    put_organisation(to, "manufacturer", "Secure Products Group");
    put_organisation(to, "provisioner", "Secure Products Group");
    put_organisation(to, "distributor", "Microchip Direct");
}

static void put_identity(struct kw_manifest_text *to,
                         const struct kw_manifest_record *record) {
    char time[KW_MOMENT_TEXT];
    char unique_id[KW_UNIQUE_ID_TEXT];
    kw_moment_text(&record->provisioned, time);
    kw_unique_id_text(record->serial, unique_id);
    put_text(to, ", \"provisioningTimestamp\": \"");
    put(to, time, strlen(time) - 1); /* without its Z */
    put_text(to, ".000Z\", \"uniqueId\": \"");
    put_text(to, unique_id);
    put_text(to, "\", \"publicKeySet\": {\"keys\": [");
}

static void put_certificate(struct kw_manifest_text *to,
                            const struct kw_pki_bytes *bytes,
                            struct kw_text text) {
    if (text.at != NULL) {
        put(to, text.at, text.size);
    } else {
        put_base64(to, KW_BASE64_PADDED, bytes->der, bytes->size);
    }
}

static void put_certificates(struct kw_manifest_text *to,
                             const struct kw_manifest_record *record) {
    put_text(to, ", \"x5c\": [\"");
    put_certificate(to, &record->device, record->device_text);
    put_text(to, "\", \"");
    put_certificate(to, &record->signer, record->signer_text);
    put_text(to, "\"]");
}

static const char *const KIDS[KW_MANIFEST_KEYS_MAX] = {
    "0", "1", "2",  "3",  "4",  "5",  "6",  "7",
    "8", "9", "10", "11", "12", "13", "14", "15"};

static void put_key(struct kw_manifest_text *to,
                    const struct kw_manifest_record *record, size_t index) {
    const struct kw_manifest_key *key = &record->keys[index];
    put_text(to, index == 0 ? "{\"kid\": \"" : ", {\"kid\": \"");
    put_text(to, KIDS[key->kid % KW_MANIFEST_KEYS_MAX]);
    put_text(to, "\", \"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"");
    put_base64(to, KW_BASE64URL, key->public_key, KW_PUBLIC_KEY_SIZE / 2);
    put_text(to, "\", \"y\": \"");
    put_base64(to, KW_BASE64URL, key->public_key + KW_PUBLIC_KEY_SIZE / 2,
               KW_PUBLIC_KEY_SIZE / 2);
    put_text(to, "\"");
    if (key->kid == 0) {
        put_certificates(to, record);
    }
    put_text(to, "}");
}

kw_status kw_manifest_payload(const struct kw_manifest_record *record,
                              struct kw_manifest_text *payload) {
    payload->size = 0;
    put_part(payload, record);
    put_identity(payload, record);
    for (size_t i = 0; i < record->key_count; i++) {
        put_key(payload, record, i);
    }
    put_text(payload, "]}}");
    return payload->size < sizeof payload->text ? KW_OK : KW_PARSE_SIZE;
}

/* --- the entry --- */

static kw_status sign(const struct kw_log_signer *signer, struct kw_text text,
                      uint8_t signature[KW_SIGNATURE_SIZE],
                      struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    const struct kw_span spans[] = {
        {signer->protected_text, signer->protected_size},
        {".", 1},
        {text.at, text.size},
    };
    const kw_status status = kw_hasher_spans(signer->hasher, spans, 3, digest);
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot hash an entry");
    }
    return kw_authority_sign(signer->authority, digest, signature, error);
}

static kw_status put_signed(const struct kw_manifest_record *record,
                            const struct kw_log_signer *signer,
                            const struct kw_manifest_text *payload,
                            struct kw_manifest_text *entry,
                            struct kw_error *error) {
    uint8_t signature[KW_SIGNATURE_SIZE];
    char unique_id[KW_UNIQUE_ID_TEXT];
    kw_unique_id_text(record->serial, unique_id);
    entry->size = 0;
    put_text(entry, "{\n    \"payload\": \"");
    const size_t start = entry->size;
    put_payload(entry, signer->pairs, payload);
    KW_TRY(sign(signer,
                (struct kw_text){entry->text + start, entry->size - start},
                signature, error));
    put_text(entry, "\",\n    \"protected\": \"");
    put(entry, signer->protected_text, signer->protected_size);
    put_text(entry, "\",\n    \"header\": {\n      \"uniqueId\": \"");
    put_text(entry, unique_id);
    put_text(entry, "\"\n    },\n    \"signature\": \"");
    put_base64(entry, KW_BASE64URL, signature, sizeof signature);
    put_text(entry, "\"\n  }");
    return entry->size < sizeof entry->text
               ? KW_OK
               : kw_error(error, KW_PARSE_SIZE, "the entry does not fit");
}

kw_status kw_manifest_build(const struct kw_manifest_record *record,
                            const struct kw_log_signer *signer,
                            struct kw_manifest_text *entry,
                            struct kw_error *error) {
    struct kw_manifest_text payload;
    const kw_status status = kw_manifest_payload(record, &payload);
    if (status != KW_OK) {
        return kw_error_core(error, status, "cannot make an entry");
    }
    return put_signed(record, signer, &payload, entry, error);
}
