/* cli/manifest_show.c: `manifest show`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/answer.h"
#include "cli/manifest.h"
#include "cli/show.h"
#include "host/manifest/entry.h"

/* A document goes to stdout as it is made, row by row: a manifest may hold a
 * million. */
struct showing {
    struct kw_cli *cli;
    const char *path;
    json_t *rows; /* of a document that is not ours to print; else NULL */
    bool counts;  /* what would be shown, and whether it can be read */
    unsigned long shown;
    bool one; /* the entry with this id alone */
    uint8_t unique_id[KW_UNIQUE_ID_SIZE];
    struct kw_manifest_entry entry;
    struct kw_manifest_room room;
};

static json_t *text_or_null(struct kw_text text) {
    json_t *string = text.at == NULL ? NULL : json_stringn(text.at, text.size);
    return string == NULL ? json_null() : string;
}

static json_t *list_keys(const struct kw_manifest_entry *entry) {
    json_t *keys = json_array();
    for (size_t i = 0; i < entry->key_count; i++) {
        json_t *key = json_pack("{s:i}", "slot", (int)entry->keys[i].kid);
        kw_set_fingerprint(key, "fingerprint", entry->keys[i].public_key);
        json_array_append_new(keys, key);
    }
    return keys;
}

static void common_name(const struct kw_manifest_entry *entry, char *text,
                        size_t size) {
    struct kw_pki_view view;
    text[0] = '\0';
    if (entry->device.left > 0 && kw_pki_read(entry->device, &view) == KW_OK &&
        kw_pki_attribute(view.subject, KW_PKI_COMMON_NAME, text, size) !=
            KW_OK) {
        text[0] = '\0';
    }
}

static json_t *row_of(const struct kw_manifest_entry *entry, uint32_t number,
                      const char *name) {
    char unique_id[KW_UNIQUE_ID_TEXT];
    kw_unique_id_text(entry->unique_id, unique_id);
    json_t *row = json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:o}", "entry", (json_int_t)number,
        "unique_id", unique_id, "model", text_or_null(entry->model),
        "part_number", text_or_null(entry->part_number), "provisioned",
        text_or_null(entry->timestamp), "keys", list_keys(entry));
    json_t *subject = json_string(name);
    json_object_set_new(row, "device", subject == NULL ? json_null() : subject);
    return row;
}

/* A row of the document that is being printed. */
static void print_row(const struct showing *showing, const json_t *row) {
    (void)fputs(showing->shown > 1 ? ",\n    " : "\n    ", stdout);
    (void)json_dumpf(row, stdout, JSON_COMPACT);
}

static void show_document(struct showing *showing, uint32_t number,
                          const char *name) {
    json_t *row = row_of(&showing->entry, number, name);
    if (showing->rows != NULL) {
        json_array_append(showing->rows, row);
    } else {
        print_row(showing, row);
    }
    json_decref(row);
}

static void show_entry(struct showing *showing, uint32_t number) {
    const struct kw_manifest_entry *entry = &showing->entry;
    char unique_id[KW_UNIQUE_ID_TEXT];
    char name[KW_PKI_MAX];
    kw_unique_id_text(entry->unique_id, unique_id);
    common_name(entry, name, sizeof name);
    if (showing->cli->json) {
        show_document(showing, number, name);
        return;
    }
    kw_print(showing->cli, "%6u  %s  %-18.*s  %-24.*s  %zu keys  %s\n", number,
             unique_id, (int)entry->part_number.size,
             entry->part_number.at == NULL ? "" : entry->part_number.at,
             (int)entry->timestamp.size,
             entry->timestamp.at == NULL ? "" : entry->timestamp.at,
             entry->key_count, name);
}

static void show_keys(const struct showing *showing) {
    char text[KW_SHORT_TEXT];
    for (size_t i = 0; i < showing->entry.key_count; i++) {
        const struct kw_manifest_key *key = &showing->entry.keys[i];
        kw_print(showing->cli, "        slot %2u  %s\n", (unsigned)key->kid,
                 kw_short_fingerprint(key->public_key, text));
    }
}

static kw_status visit(void *self, const struct kw_manifest_piece *piece) {
    struct showing *showing = self;
    const struct kw_verdict verdict =
        kw_manifest_entry_read(piece, &showing->room, &showing->entry);
    if (verdict.status != KW_OK) {
        return kw_manifest_unreadable(showing->cli, showing->path,
                                      piece->number, verdict.words);
    }
    if (showing->one && memcmp(showing->entry.unique_id, showing->unique_id,
                               KW_UNIQUE_ID_SIZE) != 0) {
        return KW_OK;
    }
    showing->shown++;
    if (showing->counts) {
        return KW_OK;
    }
    show_entry(showing, piece->number);
    if (showing->one) {
        show_keys(showing);
    }
    return ferror(stdout) == 0 ? KW_OK : kw_answer_failed(showing->cli);
}

static kw_status show_text(struct showing *showing) {
    KW_TRY(kw_manifest_each(showing->cli, showing->path, visit, showing));
    if (showing->one && showing->shown == 0) {
        return KW_OK;
    }
    kw_print(showing->cli,
             "%lu %s shown; nothing was verified: `keywright "
             "manifest verify`\n",
             showing->shown, kw_counted(showing->shown, "entry", "entries"));
    return KW_OK;
}

/* Everything can be read before the first byte is printed: half a document
 * would be none. */
static kw_status show_json(struct showing *showing) {
    json_t *file = json_string(showing->path);
    showing->counts = true;
    kw_status status =
        kw_manifest_each(showing->cli, showing->path, visit, showing);
    if (status == KW_OK && (!showing->one || showing->shown > 0)) {
        showing->counts = false;
        showing->shown = 0;
        showing->cli->announced = true;
        (void)fputs("{\n  \"schema\": \"keywright/manifest-show/1\",\n"
                    "  \"file\": ",
                    stdout);
        (void)json_dumpf(file, stdout, JSON_ENCODE_ANY);
        (void)fputs(",\n  \"entries\": [", stdout);
        status = kw_manifest_each(showing->cli, showing->path, visit, showing);
        (void)fputs("\n  ]\n}\n", stdout);
    }
    json_decref(file);
    return status;
}

/* A pipe cannot be read twice. */
static bool is_file(const char *path) {
    struct stat found;
    return stat(path, &found) != 0 || S_ISREG(found.st_mode);
}

/* A pipe, or a line of a script, whose document belongs to another: as a
 * whole, in memory. */
static kw_status show_at_once(struct showing *showing) {
    json_t *result = showing->cli->result;
    showing->rows = json_array();
    json_object_set_new(result, "file", json_string(showing->path));
    json_object_set_new(result, "entries", showing->rows);
    return kw_manifest_each(showing->cli, showing->path, visit, showing);
}

static kw_status show_file(struct showing *showing,
                           const struct kw_arguments *arguments) {
    struct kw_cli *cli = showing->cli;
    if (arguments->operand_count == 2) {
        const char *id = arguments->operand[1];
        showing->one = true;
        if (kw_serial_read((struct kw_text){id, strlen(id)},
                           showing->unique_id) != KW_OK) {
            return kw_error(&cli->error, KW_USAGE, "'%s' is not 18 hex digits",
                            id);
        }
    }
    const bool streams = !cli->in_script && is_file(showing->path);
    KW_TRY(!cli->json ? show_text(showing)
           : streams  ? show_json(showing)
                      : show_at_once(showing));
    return !showing->one || showing->shown > 0
               ? KW_OK
               : kw_error(&cli->error, KW_NO, "%s has no entry %s",
                          showing->path, arguments->operand[1]);
}

kw_status kw_manifest_show(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct showing *showing = calloc(1, sizeof *showing);
    if (showing == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    showing->cli = cli;
    showing->path = arguments->operand[0];
    const kw_status status = show_file(showing, arguments);
    free(showing);
    return status;
}
