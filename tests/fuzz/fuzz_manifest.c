/* Manifests: whatever the scanner and the reader of entries accept, jansson
 * accepts too, and finds the same in it. */
#include <jansson.h>
#include <unistd.h>

#include "host/manifest/entry.h"
#include "tests/fuzz/fuzz.h"

static struct kw_manifest_room room;

static void demand_text(const json_t *object, const char *name,
                        struct kw_text text) {
    const json_t *value = json_object_get(object, name);
    FUZZ_DEMAND(json_is_string(value));
    FUZZ_DEMAND(json_string_length(value) == text.size);
    FUZZ_DEMAND(memcmp(json_string_value(value), text.at, text.size) == 0);
}

/* An entry whose outside could be read. */
static void compare(const struct kw_manifest_piece *piece,
                    const struct kw_manifest_entry *entry) {
    char unique_id[KW_UNIQUE_ID_TEXT];
    json_t *object =
        json_loadb(piece->text, piece->size, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_DEMAND(json_is_object(object));
    demand_text(object, "payload", entry->payload_text);
    demand_text(object, "protected", entry->protected_text);
    kw_unique_id_text(entry->unique_id, unique_id);
    demand_text(json_object_get(object, "header"), "uniqueId",
                (struct kw_text){unique_id, KW_UNIQUE_ID_TEXT - 1});
    json_decref(object);
}

static void try_piece(const struct kw_manifest_piece *piece) {
    static struct kw_manifest_entry entry;
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    const struct kw_verdict verdict =
        kw_manifest_entry_read(piece, &room, &entry);
    FUZZ_DEMAND((verdict.status == KW_OK) == (verdict.words == NULL));
    if (verdict.status != KW_OK) {
        return;
    }
    compare(piece, &entry);
    FUZZ_DEMAND(kw_manifest_entry_unique_id(piece, &room, unique_id).status ==
                KW_OK);
    FUZZ_DEMAND(memcmp(unique_id, entry.unique_id, sizeof unique_id) == 0);
}

/* What the cursor skips is what jansson loads; NUL and depth apart. */
static void try_json(const char *text, size_t size) {
    struct kw_json json = {text, text + size, room.unescaped,
                           room.unescaped + sizeof room.unescaped};
    if (size > sizeof room.unescaped / 2 || kw_json_skip(&json) != KW_OK ||
        kw_json_end(&json) != KW_OK) {
        return;
    }
    json_error_t error;
    json_t *value = json_loadb(
        text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    FUZZ_DEMAND(value != NULL ||
                json_error_code(&error) == json_error_numeric_overflow);
    json_decref(value);
}

static void try_file(const char *path) {
    struct kw_manifest_scan *scan = NULL;
    struct kw_manifest_piece piece;
    struct kw_error error;
    bool more = true;
    FUZZ_DEMAND(kw_manifest_scan_open(path, &scan, &error) == KW_OK);
    while (kw_manifest_scan_next(scan, &piece, &more, &error) == KW_OK &&
           more) {
        FUZZ_DEMAND(piece.words != NULL || piece.size <= KW_MANIFEST_ENTRY_MAX);
        try_piece(&piece);
    }
    kw_manifest_scan_close(scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_path("manifest.json");
    FILE *file = fopen(path, "wb");
    FUZZ_DEMAND(file != NULL);
    FUZZ_DEMAND(fwrite(data, 1, size, file) == size);
    FUZZ_DEMAND(fclose(file) == 0);
    try_json((const char *)data, size);
    try_file(path);
    return 0;
}
