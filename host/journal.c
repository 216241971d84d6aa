#include "host/journal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/keyring.h"
#include "host/lines.h"
#include "host/text.h"

#define FOLDER "journal"
#define PREFIX "rotation-"
#define SUFFIX ".ndjson"

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

void kw_journal_free(struct kw_journal *journal) {
    free(journal->path);
    free(journal->key);
    free(journal->bundle);
    *journal = (struct kw_journal){.path = NULL};
}

/* --- reading --- */

static void take_text(char **field, const json_t *line, const char *member) {
    const char *text = json_string_value(json_object_get(line, member));
    free(*field);
    *field = text == NULL ? NULL : strdup(text);
}

static void take_line(struct kw_journal *journal, const json_t *line,
                      bool *closed) {
    const char *event = json_string_value(json_object_get(line, "event"));
    if (event == NULL) {
        return;
    }
    const bool applies =
        strcmp(event, "begin") == 0 && json_object_get(line, "file") != NULL;
    if (strcmp(event, "new-key") == 0) {
        take_text(&journal->key, line, "file");
    } else if (applies || strcmp(event, "bundle") == 0) {
        take_text(&journal->bundle, line, "file");
        journal->sequence =
            (uint32_t)json_integer_value(json_object_get(line, "sequence"));
    } else if (strcmp(event, "applied") == 0) {
        journal->applied = true;
    } else if (strcmp(event, "closed") == 0) {
        *closed = true;
    }
}

/* Leaves journal->path NULL when the file's rotation is closed. */
static kw_status read_journal(const char *path, struct kw_journal *journal,
                              struct kw_error *error) {
    json_t *lines = NULL;
    json_t *line = NULL;
    size_t i = 0;
    bool closed = false;
    *journal = (struct kw_journal){.path = NULL};
    KW_TRY(kw_lines_read(path, &lines, error));
    const bool begun = json_array_size(lines) > 0;
    json_array_foreach(lines, i, line) {
        take_line(journal, line, &closed);
    }
    json_decref(lines);
    if (closed || !begun) {
        kw_journal_free(journal);
        return KW_OK;
    }
    journal->path = strdup(path);
    if (journal->path == NULL) {
        kw_journal_free(journal);
        return no_memory(error);
    }
    return KW_OK;
}

static bool has_ending(const char *name, const char *ending) {
    const size_t size = strlen(name);
    const size_t tail = strlen(ending);
    return size >= tail && strcmp(name + size - tail, ending) == 0;
}

static bool is_journal(const char *name, const char *prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0 &&
           has_ending(name, SUFFIX);
}

static kw_status list_journals(const struct kw_workspace *workspace,
                               struct kw_names *names, struct kw_error *error) {
    char *folder = kw_workspace_path(workspace, FOLDER);
    const kw_status status = folder == NULL
                                 ? no_memory(error)
                                 : kw_folder_list(folder, names, error);
    free(folder);
    return status;
}

/* The first open journal whose name begins so. */
static kw_status find_open(const struct kw_workspace *workspace,
                           const struct kw_names *names, const char *prefix,
                           struct kw_journal *journal, struct kw_error *error) {
    for (size_t i = 0; i < names->count; i++) {
        if (!is_journal(names->name[i], prefix)) {
            continue;
        }
        char *path = kw_workspace_path(workspace, FOLDER "/%s", names->name[i]);
        const kw_status status = path == NULL
                                     ? no_memory(error)
                                     : read_journal(path, journal, error);
        free(path);
        KW_TRY(status);
        if (journal->path != NULL) {
            return KW_OK;
        }
    }
    return KW_OK;
}

static char *prefix_of(const uint8_t serial[KW_SERIAL_SIZE]) {
    char text[KW_SERIAL_TEXT];
    kw_serial_text(serial, text);
    return kw_format(PREFIX "%s-", text);
}

kw_status kw_journal_find(const struct kw_workspace *workspace,
                          const uint8_t serial[KW_SERIAL_SIZE],
                          struct kw_journal *journal, struct kw_error *error) {
    struct kw_names names = {NULL, 0};
    *journal = (struct kw_journal){.path = NULL};
    char *prefix = prefix_of(serial);
    if (prefix == NULL) {
        return no_memory(error);
    }
    kw_status status = list_journals(workspace, &names, error);
    if (status == KW_OK) {
        status = find_open(workspace, &names, prefix, journal, error);
    }
    kw_names_free(&names);
    free(prefix);
    return status;
}

static kw_status file_is_named(const struct kw_workspace *workspace,
                               const char *name, const char *file, bool *needs,
                               struct kw_error *error) {
    struct kw_journal journal = {.path = NULL};
    char *path = kw_workspace_path(workspace, FOLDER "/%s", name);
    const kw_status status =
        path == NULL ? no_memory(error) : read_journal(path, &journal, error);
    free(path);
    KW_TRY(status);
    *needs = *needs || (journal.key != NULL && strcmp(journal.key, file) == 0);
    kw_journal_free(&journal);
    return KW_OK;
}

kw_status kw_journal_needs(const struct kw_workspace *workspace,
                           const char *file, bool *needs,
                           struct kw_error *error) {
    struct kw_names names = {NULL, 0};
    *needs = false;
    kw_status status = list_journals(workspace, &names, error);
    for (size_t i = 0; status == KW_OK && i < names.count; i++) {
        if (is_journal(names.name[i], PREFIX)) {
            status =
                file_is_named(workspace, names.name[i], file, needs, error);
        }
    }
    kw_names_free(&names);
    return status;
}

const char *kw_journal_stage(const struct kw_journal *journal) {
    if (journal->applied) {
        return "finish";
    }
    if (journal->bundle != NULL) {
        return "apply";
    }
    return journal->key != NULL ? "bundle" : "key";
}

/* --- writing --- */

static kw_status append(const struct kw_journal *journal, json_t *line,
                        struct kw_error *error) {
    return line == NULL ? no_memory(error)
                        : kw_lines_append(journal->path, line, error);
}

/* The first number that is free, so that no journal is written again. */
static char *new_path(const struct kw_workspace *workspace,
                      const uint8_t serial[KW_SERIAL_SIZE]) {
    char text[KW_SERIAL_TEXT];
    char *path = NULL;
    kw_serial_text(serial, text);
    for (unsigned number = 1;; number++) {
        path = kw_workspace_path(workspace, FOLDER "/" PREFIX "%s-%04u" SUFFIX,
                                 text, number);
        if (path == NULL || !kw_file_exists(path)) {
            return path;
        }
        free(path);
    }
}

/* Appends the first line, which it takes over. */
static kw_status begin(const struct kw_workspace *workspace,
                       const uint8_t *serial, json_t *line,
                       struct kw_journal *journal, struct kw_error *error) {
    char now[KW_TIME_TEXT];
    char text[2 * KW_SERIAL_SIZE + 1];
    kw_time_now(now);
    kw_hex(serial, KW_SERIAL_SIZE, text);
    json_object_set_new(line, "time", json_string(now));
    json_object_set_new(line, "serial", json_string(text));
    *journal = (struct kw_journal){.path = new_path(workspace, serial)};
    if (journal->path == NULL) {
        json_decref(line);
        return no_memory(error);
    }
    const kw_status status = append(journal, line, error);
    if (status != KW_OK) {
        kw_journal_free(journal);
    }
    return status;
}

kw_status kw_journal_begin_run(const struct kw_workspace *workspace,
                               const uint8_t *serial,
                               struct kw_journal *journal,
                               struct kw_error *error) {
    return begin(workspace, serial,
                 json_pack("{s:s, s:s}", "event", "begin", "verb", "run"),
                 journal, error);
}

kw_status kw_journal_begin_apply(const struct kw_workspace *workspace,
                                 const uint8_t *serial, const char *bundle,
                                 uint32_t sequence, struct kw_journal *journal,
                                 struct kw_error *error) {
    KW_TRY(begin(workspace, serial,
                 json_pack("{s:s, s:s, s:s, s:I}", "event", "begin", "verb",
                           "apply", "file", bundle, "sequence",
                           (json_int_t)sequence),
                 journal, error));
    journal->bundle = strdup(bundle);
    journal->sequence = sequence;
    return journal->bundle == NULL ? no_memory(error) : KW_OK;
}

kw_status kw_journal_note_key(struct kw_journal *journal, const char *file,
                              const char *fingerprint, struct kw_error *error) {
    KW_TRY(append(journal,
                  json_pack("{s:s, s:s, s:s}", "event", "new-key", "file", file,
                            "fingerprint", fingerprint),
                  error));
    free(journal->key);
    journal->key = strdup(file);
    return journal->key == NULL ? no_memory(error) : KW_OK;
}

kw_status kw_journal_note_bundle(struct kw_journal *journal, const char *file,
                                 uint32_t sequence, struct kw_error *error) {
    KW_TRY(append(journal,
                  json_pack("{s:s, s:s, s:I}", "event", "bundle", "file", file,
                            "sequence", (json_int_t)sequence),
                  error));
    free(journal->bundle);
    journal->bundle = strdup(file);
    journal->sequence = sequence;
    return journal->bundle == NULL ? no_memory(error) : KW_OK;
}

kw_status kw_journal_note_applied(struct kw_journal *journal,
                                  struct kw_error *error) {
    char now[KW_TIME_TEXT];
    kw_time_now(now);
    KW_TRY(append(journal,
                  json_pack("{s:s, s:s, s:I}", "event", "applied", "time", now,
                            "sequence", (json_int_t)journal->sequence),
                  error));
    journal->applied = true;
    return KW_OK;
}

kw_status kw_journal_close(struct kw_journal *journal, const char *outcome,
                           struct kw_error *error) {
    char now[KW_TIME_TEXT];
    kw_time_now(now);
    const kw_status status =
        append(journal,
               json_pack("{s:s, s:s, s:s}", "event", "closed", "time", now,
                         "outcome", outcome),
               error);
    if (status == KW_OK) {
        kw_journal_free(journal);
    }
    return status;
}
