/* host/manifest/record.h: a line of RECORDS.ndjson. */
#include <string.h>

#include "host/base64.h"
#include "host/certs/pki_verify.h"
#include "host/manifest/record.h"
#include "host/text.h"

#define CHIPS_OWN_KEYS 5u
#define KEY_DIGITS     (2 * KW_PUBLIC_KEY_SIZE)

enum {
    HAS_PART = 1,
    HAS_MODEL = 2,
    HAS_SERIAL = 4,
    HAS_KEYS = 8,
    HAS_DEVICE = 16,
    HAS_SIGNER = 32,
    HAS_ALL = 63,
};

struct reading {
    struct kw_json json;
    struct kw_manifest_record *record;
    const char *words;
};

static kw_status bad(struct reading *reading, const char *words) {
    reading->words = words;
    return KW_PARSE;
}

static kw_status read_part(struct reading *reading) {
    static const enum kw_part PARTS[] = {KW_PART_TRUSTFLEX, KW_PART_TRUSTGO};
    struct kw_text text;
    KW_TRY(kw_json_string(&reading->json, &text));
    for (size_t i = 0; i < 2; i++) {
        if (kw_text_is(text, kw_part_name(PARTS[i]))) {
            reading->record->part = PARTS[i];
            return KW_OK;
        }
    }
    return bad(reading, "part is neither trustflex nor trustgo");
}

static kw_status read_model(struct reading *reading) {
    static const enum kw_model MODELS[] = {KW_MODEL_608A, KW_MODEL_608B};
    struct kw_text text;
    KW_TRY(kw_json_string(&reading->json, &text));
    for (size_t i = 0; i < 2; i++) {
        if (kw_text_is(text, kw_model_name(MODELS[i]))) {
            reading->record->model = MODELS[i];
            return KW_OK;
        }
    }
    return bad(reading, "model is neither 608a nor 608b");
}

static kw_status read_serial(struct reading *reading) {
    struct kw_text text;
    KW_TRY(kw_json_string(&reading->json, &text));
    return kw_serial_read(text, reading->record->serial) == KW_OK
               ? KW_OK
               : bad(reading, "serial is not 18 hex digits");
}

/* The slots of keys, in their order. */
static int slot_of(const struct kw_manifest_record *record,
                   struct kw_text name) {
    static const char *const NAMES[] = {"0", "1",  "2",  "3",
                                        "4", "13", "14", "15"};
    static const int SLOTS[] = {0, 1, 2, 3, 4, 13, 14, 15};
    const size_t next = record->key_count;
    return next < sizeof NAMES / sizeof *NAMES && kw_text_is(name, NAMES[next])
               ? SLOTS[next]
               : -1;
}

static kw_status read_key(struct reading *reading, struct kw_text name) {
    struct kw_manifest_record *record = reading->record;
    struct kw_text text;
    char digits[KEY_DIGITS + 1];
    const int slot = slot_of(record, name);
    if (slot < 0) {
        return bad(reading, "keys are not those of slots 0 to 4, then 13 to "
                            "15, in this order");
    }
    KW_TRY(kw_json_string(&reading->json, &text));
    if (text.size != KEY_DIGITS) {
        return bad(reading, "a key is not 128 hex digits");
    }
    memcpy(digits, text.at, KEY_DIGITS);
    digits[KEY_DIGITS] = '\0';
    struct kw_manifest_key *key = &record->keys[record->key_count++];
    key->kid = (uint8_t)slot;
    return kw_hex_read(digits, key->public_key, KW_PUBLIC_KEY_SIZE) == KW_OK
               ? KW_OK
               : bad(reading, "a key is not 128 hex digits");
}

static kw_status read_keys(struct reading *reading) {
    struct kw_json_object object;
    struct kw_text name;
    bool more = true;
    KW_TRY(kw_json_object_begin(&reading->json, &object));
    for (;;) {
        KW_TRY(kw_json_member(&reading->json, &object, &name, &more));
        if (!more) {
            return KW_OK;
        }
        KW_TRY(read_key(reading, name));
    }
}

/* There is one base64 of some bytes: what is read is what would be made. */
static kw_status read_certificate(struct reading *reading,
                                  struct kw_pki_bytes *bytes,
                                  struct kw_text *text) {
    KW_TRY(kw_json_string(&reading->json, text));
    return kw_base64_decode(KW_BASE64_PADDED, text->at, text->size, bytes->der,
                            sizeof bytes->der, &bytes->size) == KW_OK
               ? KW_OK
               : bad(reading, "a certificate is no base64");
}

static kw_status read_member(struct reading *reading, struct kw_text name,
                             unsigned *has) {
    if (kw_text_is(name, "part")) {
        *has |= HAS_PART;
        return read_part(reading);
    }
    if (kw_text_is(name, "model")) {
        *has |= HAS_MODEL;
        return read_model(reading);
    }
    if (kw_text_is(name, "serial")) {
        *has |= HAS_SERIAL;
        return read_serial(reading);
    }
    if (kw_text_is(name, "keys")) {
        *has |= HAS_KEYS;
        return read_keys(reading);
    }
    if (kw_text_is(name, "device")) {
        *has |= HAS_DEVICE;
        return read_certificate(reading, &reading->record->device,
                                &reading->record->device_text);
    }
    if (kw_text_is(name, "signer")) {
        *has |= HAS_SIGNER;
        return read_certificate(reading, &reading->record->signer,
                                &reading->record->signer_text);
    }
    return bad(reading, "a member is there that no record has");
}

static kw_status read_line(struct reading *reading) {
    struct kw_json_object object;
    struct kw_text name;
    unsigned has = 0;
    bool more = true;
    KW_TRY(kw_json_object_begin(&reading->json, &object));
    for (;;) {
        KW_TRY(kw_json_member(&reading->json, &object, &name, &more));
        if (!more) {
            break;
        }
        KW_TRY(read_member(reading, name, &has));
    }
    KW_TRY(kw_json_end(&reading->json));
    return has == HAS_ALL ? KW_OK
                          : bad(reading, "part, model, serial, keys, device "
                                         "or signer is missing");
}

/* Which slots a part's entry names. */
static bool has_all_keys(const struct kw_manifest_record *record) {
    return record->key_count == (record->part == KW_PART_TRUSTFLEX
                                     ? CHIPS_OWN_KEYS + 3
                                     : CHIPS_OWN_KEYS);
}

struct kw_verdict
kw_manifest_record_of_line(const char *line, size_t size,
                           struct kw_manifest_room *room,
                           struct kw_manifest_record *record) {
    struct reading reading = {
        .json = {line, line + size, room->unescaped,
                 room->unescaped + sizeof room->unescaped},
        .record = record,
        .words = "it is no JSON object of a record's form",
    };
    record->key_count = 0;
    const kw_status status = read_line(&reading);
    if (status != KW_OK) {
        return (struct kw_verdict){status, reading.words};
    }
    if (!has_all_keys(record)) {
        return (struct kw_verdict){
            KW_NO, "the part has keys in slots 0 to 4, TrustFLEX in 13 to 15 "
                   "too, and they are not all there"};
    }
    return kw_manifest_record_check(record);
}
