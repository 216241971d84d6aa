#include "host/retirement_record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/out.h"

#define SCHEMA "keywright/retired/1"
#define PREFIX "retired-"

/* Sixteen rows, each with words of at most 200 bytes, and what is around
 * them. */
#define ROOM 8192

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static json_t *describe_slots(const struct kw_retirement *retirement) {
    json_t *slots = json_array();
    for (unsigned i = 0; i < KW_SLOT_COUNT; i++) {
        const struct kw_retired_slot *slot = &retirement->slot[i];
        json_array_append_new(
            slots, json_pack("{s:i, s:b, s:s}", "slot", (int)i, "done",
                             slot->done ? 1 : 0, "words", slot->words));
    }
    return slots;
}

/* ended NULL: what is going to be done. The caller frees. */
static char *describe(const struct kw_retirement_record *record,
                      const struct kw_retirement *retirement,
                      const char *ended) {
    char serial[2 * KW_SERIAL_SIZE + 1];
    kw_hex(retirement->serial, KW_SERIAL_SIZE, serial);
    json_t *root =
        json_pack("{s:s, s:s, s:s?, s:s, s:i, s:o}", "schema", SCHEMA, "begun",
                  record->begun, "ended", ended, "serial", serial, "generation",
                  (int)record->generation, "slots", describe_slots(retirement));
    char *json = json_dumps(root, JSON_INDENT(2));
    char *text = json == NULL ? NULL : kw_format("%s\n", json);
    free(json);
    json_decref(root);
    return text;
}

static char *new_path(const struct kw_workspace *workspace,
                      const uint8_t serial[KW_SERIAL_SIZE]) {
    char text[KW_SERIAL_TEXT];
    kw_serial_text(serial, text);
    for (unsigned number = 1;; number++) {
        char *path = kw_workspace_path(
            workspace, "journal/" PREFIX "%s-%04u.json", text, number);
        if (path == NULL || !kw_file_exists(path)) {
            return path;
        }
        free(path);
    }
}

/* --- begin and end --- */

static kw_status write_begun(struct kw_retirement_record *record,
                             const struct kw_retirement *rehearsed,
                             struct kw_error *error) {
    char *text = describe(record, rehearsed, NULL);
    const kw_status status = text == NULL || record->path == NULL
                                 ? no_memory(error)
                                 : kw_file_create(record->path, KW_SECRET_MODE,
                                                  text, strlen(text), error);
    free(text);
    return status;
}

static kw_status hold_room(struct kw_retirement_record *record,
                           struct kw_error *error) {
    static const char room[ROOM];
    KW_TRY(kw_file_begin(record->path, KW_SECRET_MODE, &record->end, error));
    const kw_status status =
        kw_file_put(record->path, &record->end, room, sizeof room, error);
    if (status != KW_OK) {
        kw_file_end(&record->end);
    }
    return status;
}

static kw_status begin(struct kw_retirement_record *record,
                       const struct kw_retirement *rehearsed,
                       struct kw_error *error) {
    struct kw_error ignored;
    KW_TRY(write_begun(record, rehearsed, error));
    const kw_status status = hold_room(record, error);
    if (status != KW_OK) {
        (void)!kw_file_wipe(record->path, &ignored);
    }
    return status;
}

kw_status kw_retirement_begin(const struct kw_workspace *workspace,
                              const struct kw_retirement *rehearsed,
                              struct kw_retirement_record *record,
                              struct kw_error *error) {
    *record = (struct kw_retirement_record){.path = NULL};
    kw_time_now(record->begun);
    KW_TRY(kw_keyring_last_generation(workspace, rehearsed->serial,
                                      &record->generation, error));
    record->path = new_path(workspace, rehearsed->serial);
    const kw_status status = begin(record, rehearsed, error);
    if (status != KW_OK) {
        free(record->path);
        record->path = NULL;
    }
    return status;
}

static kw_status write_ended(const struct kw_retirement_record *record,
                             const char *text, struct kw_error *error) {
    struct kw_out out;
    KW_TRY(kw_out_open(record->end.fd, record->path, 0, &out, error));
    kw_status status = kw_out_put(&out, text, strlen(text), error);
    if (status == KW_OK) {
        status = kw_out_finish(&out, error);
    }
    kw_out_close(&out);
    return status;
}

kw_status kw_retirement_end(struct kw_retirement_record *record,
                            const struct kw_retirement *retirement,
                            struct kw_error *error) {
    char now[KW_TIME_TEXT];
    kw_time_now(now);
    char *text = describe(record, retirement, now);
    kw_status status =
        text == NULL ? no_memory(error) : write_ended(record, text, error);
    free(text);
    if (status == KW_OK) {
        status = kw_file_place(record->path, &record->end, true, error);
    }
    return status == KW_OK
               ? KW_OK
               : kw_error_hint(error, "the chip is retired; run it again for "
                                      "a record that says so");
}

void kw_retirement_free(struct kw_retirement_record *record, bool untouched) {
    struct kw_error ignored;
    kw_file_end(&record->end);
    if (untouched) {
        (void)!kw_file_wipe(record->path, &ignored);
    }
    free(record->path);
    record->path = NULL;
}

/* --- looking it up --- */

static bool has_erased(const json_t *record, const struct kw_key_file *file) {
    const json_t *row =
        json_array_get(json_object_get(record, "slots"), (size_t)file->slot);
    const json_int_t newest =
        json_integer_value(json_object_get(record, "generation"));
    return json_is_string(json_object_get(record, "ended")) &&
           newest >= (json_int_t)file->generation &&
           json_is_true(json_object_get(row, "done"));
}

/* One that cannot be read says nothing. */
static bool record_has_erased(const struct kw_workspace *workspace,
                              const char *name,
                              const struct kw_key_file *file) {
    json_error_t ignored;
    char *path = kw_workspace_path(workspace, "journal/%s", name);
    json_t *record =
        path == NULL ? NULL
                     : json_load_file(path, JSON_REJECT_DUPLICATES, &ignored);
    const bool erased = has_erased(record, file);
    json_decref(record);
    free(path);
    return erased;
}

static bool is_record_of(const char *name, const struct kw_key_file *file) {
    const size_t size = strlen(PREFIX);
    return strncmp(name, PREFIX, size) == 0 &&
           strncmp(name + size, file->serial, KW_SERIAL_TEXT - 1) == 0;
}

kw_status kw_retirement_erased(const struct kw_workspace *workspace,
                               const struct kw_key_file *file, bool *erased,
                               struct kw_error *error) {
    struct kw_names names = {NULL, 0};
    *erased = false;
    char *folder = kw_workspace_path(workspace, "journal");
    const kw_status status = folder == NULL
                                 ? no_memory(error)
                                 : kw_folder_list(folder, &names, error);
    free(folder);
    KW_TRY(status);
    for (size_t i = 0; i < names.count; i++) {
        *erased =
            *erased || (is_record_of(names.name[i], file) &&
                        record_has_erased(workspace, names.name[i], file));
    }
    kw_names_free(&names);
    return KW_OK;
}
