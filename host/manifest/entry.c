#include "host/manifest/entry.h"

#include <string.h>

#include "host/base64.h"
#include "host/text.h"

#define COORDINATE_SIZE 32

/* Members that an entry, a header, a payload and a key must have. */
enum {
    HAS_PAYLOAD = 1,
    HAS_PROTECTED = 2,
    HAS_HEADER = 4,
    HAS_SIGNATURE = 8,
    HAS_ALL = 15,
};
enum { HAS_TYP = 1, HAS_ALG = 2, HAS_KID = 4, HAS_X5T = 8, HAS_HEAD = 15 };
enum {
    HAS_VERSION = 1,
    HAS_UNIQUE_ID = 2,
    HAS_KEYS = 4,
    HAS_PAYLOAD_ALL = 7,
};
enum {
    HAS_KEY_KID = 1,
    HAS_KTY = 2,
    HAS_CRV = 4,
    HAS_X = 8,
    HAS_Y = 16,
    HAS_KEY = 31,
};

/* What is read, why it cannot be, and the first thing that is wrong. What is
 * wrong is read on: something behind it may be unreadable. */
struct reading {
    struct kw_json json;
    struct kw_manifest_room *room;
    struct kw_manifest_entry *entry;
    struct kw_text unique_id; /* of the header */
    const char *words;
    const char *wrong; /* NULL: nothing */
};

static kw_status bad(struct reading *reading, const char *words) {
    reading->words = words;
    return KW_PARSE;
}

static kw_status wrong(struct reading *reading, const char *words) {
    if (reading->wrong == NULL) {
        reading->wrong = words;
    }
    return KW_OK;
}

/* One member: takes its value from the JSON, and notes that it was there. */
typedef kw_status member_reader(struct reading *reading, struct kw_text name,
                                unsigned *has);

static kw_status read_object(struct reading *reading, member_reader *read,
                             unsigned *has) {
    struct kw_json_object object;
    struct kw_text name;
    bool more = true;
    *has = 0;
    KW_TRY(kw_json_object_begin(&reading->json, &object));
    for (;;) {
        const kw_status status =
            kw_json_member(&reading->json, &object, &name, &more);
        if (status == KW_PARSE_RESERVED) {
            return bad(reading, "a member is there twice");
        }
        KW_TRY(status);
        if (!more) {
            return KW_OK;
        }
        KW_TRY(read(reading, name, has));
    }
}

static kw_status read_string(struct reading *reading, struct kw_text *text,
                             unsigned *has, unsigned bit) {
    *has |= bit;
    return kw_json_string(&reading->json, text);
}

static kw_status read_bytes(struct reading *reading, uint8_t *bytes,
                            size_t size, const char *words) {
    struct kw_text text;
    size_t decoded = 0;
    KW_TRY(kw_json_string(&reading->json, &text));
    if (kw_base64_decode(KW_BASE64URL, text.at, text.size, bytes, size,
                         &decoded) != KW_OK ||
        decoded != size) {
        return bad(reading, words);
    }
    return KW_OK;
}

/* --- unique ids --- */

void kw_unique_id_text(const uint8_t unique_id[KW_UNIQUE_ID_SIZE],
                       char text[KW_UNIQUE_ID_TEXT]) {
    kw_hex(unique_id, KW_UNIQUE_ID_SIZE, text);
}

kw_status kw_serial_read(struct kw_text text,
                         uint8_t serial[KW_UNIQUE_ID_SIZE]) {
    char digits[KW_UNIQUE_ID_TEXT];
    KW_ENSURE(text.size == KW_UNIQUE_ID_TEXT - 1, KW_PARSE);
    memcpy(digits, text.at, text.size);
    digits[text.size] = '\0';
    return kw_hex_read(digits, serial, KW_UNIQUE_ID_SIZE);
}

kw_status kw_unique_id_read(struct kw_text text,
                            uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    for (size_t i = 0; i < text.size; i++) {
        KW_ENSURE(text.at[i] < 'A' || text.at[i] > 'F', KW_PARSE);
    }
    return kw_serial_read(text, unique_id);
}

/* --- the protected header --- */

static kw_status head_member(struct reading *reading, struct kw_text name,
                             unsigned *has) {
    struct kw_text value;
    if (kw_text_is(name, "typ")) {
        KW_TRY(read_string(reading, &value, has, HAS_TYP));
        return kw_text_is(value, "JWT") ? KW_OK
                                        : wrong(reading, "typ is not JWT");
    }
    if (kw_text_is(name, "alg")) {
        KW_TRY(read_string(reading, &value, has, HAS_ALG));
        return kw_text_is(value, "ES256") ? KW_OK
                                          : wrong(reading, "alg is not ES256");
    }
    if (kw_text_is(name, "kid")) {
        *has |= HAS_KID;
        return read_bytes(reading, reading->entry->signer_id, KW_KEY_ID_SIZE,
                          "kid of the protected header is not 20 bytes in "
                          "base64url");
    }
    if (kw_text_is(name, "x5t#S256")) {
        *has |= HAS_X5T;
        return read_bytes(reading, reading->entry->signer_digest,
                          KW_SHA256_SIZE,
                          "x5t#S256 is not 32 bytes in base64url");
    }
    if (kw_text_is(name, "crit")) {
        KW_TRY(wrong(reading, "crit is there: nothing critical is known"));
    }
    return kw_json_skip(&reading->json);
}

static kw_status read_head(struct reading *reading) {
    struct kw_manifest_room *room = reading->room;
    const struct kw_text text = reading->entry->protected_text;
    unsigned has = 0;
    size_t size = 0;
    if (kw_base64_decode(KW_BASE64URL, text.at, text.size, room->head,
                         sizeof room->head, &size) != KW_OK) {
        return bad(reading, "protected is no base64url");
    }
    reading->json.at = (const char *)room->head;
    reading->json.end = (const char *)room->head + size;
    reading->words = "the protected header is no JSON object";
    KW_TRY(read_object(reading, head_member, &has));
    KW_TRY(kw_json_end(&reading->json));
    return has == HAS_HEAD
               ? KW_OK
               : wrong(reading, "the protected header lacks typ, alg, kid or "
                                "x5t#S256");
}

/* --- keys --- */

static kw_status read_certificate(struct reading *reading, uint8_t *room,
                                  struct kw_der *der) {
    struct kw_text text;
    size_t size = 0;
    KW_TRY(kw_json_string(&reading->json, &text));
    if (kw_base64_decode(KW_BASE64_PADDED, text.at, text.size, room, KW_PKI_MAX,
                         &size) != KW_OK) {
        return bad(reading, "a certificate of x5c is no base64");
    }
    *der = (struct kw_der){room, size};
    return KW_OK;
}

/* Device, signer; what follows them (a root) is nobody's proof. */
static kw_status read_x5c(struct reading *reading) {
    struct kw_manifest_room *room = reading->room;
    struct kw_manifest_entry *entry = reading->entry;
    bool first = true;
    bool more = true;
    if (entry->device.left > 0) {
        KW_TRY(wrong(reading, "x5c is there for more than one key"));
        return kw_json_skip(&reading->json);
    }
    KW_TRY(kw_json_array_begin(&reading->json));
    for (unsigned i = 0;; i++) {
        KW_TRY(kw_json_element(&reading->json, &first, &more));
        if (!more) {
            return i >= 2 ? KW_OK
                          : wrong(reading, "x5c lacks the device's or the "
                                           "signer's certificate");
        }
        KW_TRY(i == 0 ? read_certificate(reading, room->device, &entry->device)
               : i == 1
                   ? read_certificate(reading, room->signer, &entry->signer)
                   : kw_json_skip(&reading->json));
    }
}

/* "0" to "15". */
static kw_status read_kid(struct reading *reading, uint8_t *kid) {
    struct kw_text text;
    unsigned value = 0;
    KW_TRY(kw_json_string(&reading->json, &text));
    bool good = text.size == 1 || (text.size == 2 && text.at[0] == '1');
    for (size_t i = 0; good && i < text.size; i++) {
        good = text.at[i] >= '0' && text.at[i] <= '9';
        value = 10 * value + (unsigned)(text.at[i] - '0');
    }
    *kid = (uint8_t)value;
    return good && value < KW_MANIFEST_KEYS_MAX
               ? KW_OK
               : bad(reading, "kid of a key is no slot");
}

static kw_status expect(struct reading *reading, const char *word,
                        const char *words) {
    struct kw_text value;
    KW_TRY(kw_json_string(&reading->json, &value));
    return kw_text_is(value, word) ? KW_OK : wrong(reading, words);
}

static kw_status key_member(struct reading *reading, struct kw_text name,
                            unsigned *has) {
    struct kw_manifest_key *key =
        &reading->entry->keys[reading->entry->key_count];
    if (kw_text_is(name, "kid")) {
        *has |= HAS_KEY_KID;
        return read_kid(reading, &key->kid);
    }
    if (kw_text_is(name, "kty")) {
        *has |= HAS_KTY;
        return expect(reading, "EC", "kty of a key is not EC");
    }
    if (kw_text_is(name, "crv")) {
        *has |= HAS_CRV;
        return expect(reading, "P-256", "crv of a key is not P-256");
    }
    if (kw_text_is(name, "x")) {
        *has |= HAS_X;
        return read_bytes(reading, key->public_key, COORDINATE_SIZE,
                          "x of a key is not 32 bytes in base64url");
    }
    if (kw_text_is(name, "y")) {
        *has |= HAS_Y;
        return read_bytes(reading, key->public_key + COORDINATE_SIZE,
                          COORDINATE_SIZE,
                          "y of a key is not 32 bytes in base64url");
    }
    return kw_text_is(name, "x5c") ? read_x5c(reading)
                                   : kw_json_skip(&reading->json);
}

static bool is_new_kid(const struct kw_manifest_entry *entry) {
    for (size_t i = 0; i < entry->key_count; i++) {
        if (entry->keys[i].kid == entry->keys[entry->key_count].kid) {
            return false;
        }
    }
    return true;
}

static kw_status read_key(struct reading *reading) {
    struct kw_manifest_entry *entry = reading->entry;
    const bool had_chain = entry->device.left > 0;
    unsigned has = 0;
    if (entry->key_count == KW_MANIFEST_KEYS_MAX) {
        return bad(reading, "more than 16 keys");
    }
    KW_TRY(read_object(reading, key_member, &has));
    if (has != HAS_KEY) {
        KW_TRY(wrong(reading, "a key lacks kid, kty, crv, x or y"));
    }
    if (!is_new_kid(entry)) {
        KW_TRY(wrong(reading, "two keys have the same kid"));
    }
    if (!had_chain && entry->device.left > 0 &&
        entry->keys[entry->key_count].kid != 0) {
        KW_TRY(wrong(reading, "x5c is there for another key than kid 0"));
    }
    entry->key_count++;
    return KW_OK;
}

static kw_status key_set_member(struct reading *reading, struct kw_text name,
                                unsigned *has) {
    bool first = true;
    bool more = true;
    if (!kw_text_is(name, "keys")) {
        return kw_json_skip(&reading->json);
    }
    *has |= HAS_KEYS;
    KW_TRY(kw_json_array_begin(&reading->json));
    for (;;) {
        KW_TRY(kw_json_element(&reading->json, &first, &more));
        if (!more) {
            return KW_OK;
        }
        KW_TRY(read_key(reading));
    }
}

/* --- the payload --- */

static kw_status check_unique_id(struct reading *reading) {
    struct kw_text text;
    KW_TRY(kw_json_string(&reading->json, &text));
    return text.size == reading->unique_id.size &&
                   memcmp(text.at, reading->unique_id.at, text.size) == 0
               ? KW_OK
               : wrong(reading, "uniqueId of the payload is not the header's");
}

static kw_status check_version(struct reading *reading) {
    unsigned version = 0;
    KW_TRY(kw_json_number(&reading->json, &version));
    return version == 1 ? KW_OK : wrong(reading, "version is not 1");
}

static kw_status payload_member(struct reading *reading, struct kw_text name,
                                unsigned *has) {
    struct kw_manifest_entry *entry = reading->entry;
    unsigned keys = 0;
    if (kw_text_is(name, "version")) {
        *has |= HAS_VERSION;
        return check_version(reading);
    }
    if (kw_text_is(name, "uniqueId")) {
        *has |= HAS_UNIQUE_ID;
        return check_unique_id(reading);
    }
    if (kw_text_is(name, "publicKeySet")) {
        KW_TRY(read_object(reading, key_set_member, &keys));
        *has |= keys;
        return KW_OK;
    }
    if (kw_text_is(name, "model")) {
        return kw_json_string(&reading->json, &entry->model);
    }
    if (kw_text_is(name, "partNumber")) {
        return kw_json_string(&reading->json, &entry->part_number);
    }
    return kw_text_is(name, "provisioningTimestamp")
               ? kw_json_string(&reading->json, &entry->timestamp)
               : kw_json_skip(&reading->json);
}

static kw_status read_payload(struct reading *reading) {
    struct kw_manifest_room *room = reading->room;
    const struct kw_text text = reading->entry->payload_text;
    unsigned has = 0;
    size_t size = 0;
    if (kw_base64_decode(KW_BASE64URL, text.at, text.size, room->payload,
                         sizeof room->payload, &size) != KW_OK) {
        return bad(reading, "payload is no base64url");
    }
    reading->json.at = (const char *)room->payload;
    reading->json.end = (const char *)room->payload + size;
    reading->words = "the payload is no JSON object of the manifest's form";
    KW_TRY(read_object(reading, payload_member, &has));
    KW_TRY(kw_json_end(&reading->json));
    return has == HAS_PAYLOAD_ALL
               ? KW_OK
               : wrong(reading, "the payload lacks version, uniqueId or "
                                "publicKeySet");
}

/* --- the entry --- */

static kw_status header_member(struct reading *reading, struct kw_text name,
                               unsigned *has) {
    if (kw_text_is(name, "uniqueId")) {
        return read_string(reading, &reading->unique_id, has, HAS_UNIQUE_ID);
    }
    return kw_json_skip(&reading->json);
}

static kw_status read_header(struct reading *reading) {
    unsigned has = 0;
    KW_TRY(read_object(reading, header_member, &has));
    if (has != HAS_UNIQUE_ID) {
        return bad(reading, "the header lacks uniqueId");
    }
    return kw_unique_id_read(reading->unique_id, reading->entry->unique_id) ==
                   KW_OK
               ? KW_OK
               : bad(reading, "uniqueId is not 18 lower-case hex digits");
}

static kw_status entry_member(struct reading *reading, struct kw_text name,
                              unsigned *has) {
    struct kw_manifest_entry *entry = reading->entry;
    if (kw_text_is(name, "payload")) {
        return read_string(reading, &entry->payload_text, has, HAS_PAYLOAD);
    }
    if (kw_text_is(name, "protected")) {
        return read_string(reading, &entry->protected_text, has, HAS_PROTECTED);
    }
    if (kw_text_is(name, "header")) {
        *has |= HAS_HEADER;
        return read_header(reading);
    }
    if (kw_text_is(name, "signature")) {
        *has |= HAS_SIGNATURE;
        return read_bytes(reading, entry->signature, KW_SIGNATURE_SIZE,
                          "signature is not 64 bytes in base64url");
    }
    return bad(reading, "a member is there that no manifest has");
}

static kw_status read_outside(struct reading *reading) {
    unsigned has = 0;
    KW_TRY(read_object(reading, entry_member, &has));
    KW_TRY(kw_json_end(&reading->json));
    return has == HAS_ALL ? KW_OK
                          : bad(reading, "payload, protected, header or "
                                         "signature is missing");
}

static struct reading begin(const struct kw_manifest_piece *piece,
                            struct kw_manifest_room *room,
                            struct kw_manifest_entry *entry) {
    memset(entry, 0, offsetof(struct kw_manifest_entry, keys));
    entry->device = (struct kw_der){NULL, 0};
    entry->signer = (struct kw_der){NULL, 0};
    return (struct reading){
        .json = {piece->text, piece->text + piece->size, room->unescaped,
                 room->unescaped + sizeof room->unescaped},
        .room = room,
        .entry = entry,
        .words = "it is no JSON object of the manifest's form",
    };
}

static struct kw_verdict verdict_of(const struct reading *reading,
                                    kw_status status) {
    if (status != KW_OK) {
        return (struct kw_verdict){status, reading->words};
    }
    return (struct kw_verdict){reading->wrong == NULL ? KW_OK : KW_NO,
                               reading->wrong};
}

struct kw_verdict kw_manifest_entry_read(const struct kw_manifest_piece *piece,
                                         struct kw_manifest_room *room,
                                         struct kw_manifest_entry *entry) {
    struct reading reading = begin(piece, room, entry);
    if (piece->words != NULL) {
        return (struct kw_verdict){KW_PARSE, piece->words};
    }
    kw_status status = read_outside(&reading);
    if (status == KW_OK) {
        status = read_head(&reading);
    }
    if (status == KW_OK) {
        status = read_payload(&reading);
    }
    return verdict_of(&reading, status);
}

struct kw_verdict
kw_manifest_entry_unique_id(const struct kw_manifest_piece *piece,
                            struct kw_manifest_room *room,
                            uint8_t unique_id[KW_UNIQUE_ID_SIZE]) {
    struct kw_manifest_entry entry;
    struct reading reading = begin(piece, room, &entry);
    if (piece->words != NULL) {
        return (struct kw_verdict){KW_PARSE, piece->words};
    }
    const kw_status status = read_outside(&reading);
    memcpy(unique_id, entry.unique_id, KW_UNIQUE_ID_SIZE);
    return verdict_of(&reading, status);
}
