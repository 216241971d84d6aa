#include "host/certs/journal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/files.h"
#include "host/keyring.h"
#include "host/lines.h"
#include "host/text.h"

#define SLOTS_TEXT (2 * sizeof(struct kw_cert_slots) + 1)

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

void kw_certs_journal_free(struct kw_certs_journal *journal) {
    free(journal->path);
    journal->path = NULL;
}

/* --- reading --- */

static bool take_slots(const json_t *line, const char *member,
                       struct kw_cert_slots *slots) {
    const char *text = json_string_value(json_object_get(line, member));
    return text != NULL && kw_hex_read(text, (uint8_t *)slots->slot,
                                       sizeof slots->slot) == KW_OK;
}

/* A journal is its first line, and open until a second one closes it. */
static kw_status take_lines(const char *path, const json_t *lines,
                            struct kw_certs_journal *journal,
                            struct kw_error *error) {
    const json_t *first = json_array_get(lines, 0);
    if (json_array_size(lines) != 1) {
        return KW_OK;
    }
    if (!take_slots(first, "before", &journal->before) ||
        !take_slots(first, "after", &journal->after)) {
        return kw_error(error, KW_PARSE,
                        "%s is no journal of slots 10, 11 and 12", path);
    }
    journal->path = strdup(path);
    return journal->path == NULL ? no_memory(error) : KW_OK;
}

static char *path_of(const struct kw_workspace *workspace,
                     const uint8_t serial[KW_SERIAL_SIZE], unsigned number) {
    char text[KW_SERIAL_TEXT];
    kw_serial_text(serial, text);
    return kw_workspace_path(workspace, "journal/certs-%s-%04u.ndjson", text,
                             number);
}

static kw_status read_journal(const char *path,
                              struct kw_certs_journal *journal,
                              struct kw_error *error) {
    json_t *lines = NULL;
    KW_TRY(kw_lines_read(path, &lines, error));
    const kw_status status = take_lines(path, lines, journal, error);
    json_decref(lines);
    return status;
}

/* Numbers have no gaps; only the newest can be open. */
kw_status kw_certs_journal_find(const struct kw_workspace *workspace,
                                const uint8_t serial[KW_SERIAL_SIZE],
                                struct kw_certs_journal *journal,
                                struct kw_error *error) {
    char *newest = NULL;
    *journal = (struct kw_certs_journal){.path = NULL};
    for (unsigned number = 1;; number++) {
        char *path = path_of(workspace, serial, number);
        if (path == NULL || !kw_file_exists(path)) {
            free(path);
            break;
        }
        free(newest);
        newest = path;
    }
    const kw_status status =
        newest == NULL ? KW_OK : read_journal(newest, journal, error);
    free(newest);
    return status;
}

/* --- writing --- */

static json_t *slots_json(const struct kw_cert_slots *slots) {
    char text[SLOTS_TEXT];
    kw_hex((const uint8_t *)slots->slot, sizeof slots->slot, text);
    return json_string(text);
}

static json_t *first_line(const uint8_t serial[KW_SERIAL_SIZE],
                          const char *verb,
                          const struct kw_certs_journal *journal) {
    char now[KW_TIME_TEXT];
    char text[2 * KW_SERIAL_SIZE + 1];
    kw_time_now(now);
    kw_hex(serial, KW_SERIAL_SIZE, text);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "event", "begin", "verb",
                     verb, "time", now, "serial", text, "before",
                     slots_json(&journal->before), "after",
                     slots_json(&journal->after));
}

/* The first number that is free: no journal is written again. */
static char *new_path(const struct kw_workspace *workspace,
                      const uint8_t serial[KW_SERIAL_SIZE]) {
    for (unsigned number = 1;; number++) {
        char *path = path_of(workspace, serial, number);
        if (path == NULL || !kw_file_exists(path)) {
            return path;
        }
        free(path);
    }
}

kw_status kw_certs_journal_begin(const struct kw_workspace *workspace,
                                 const uint8_t serial[KW_SERIAL_SIZE],
                                 const char *verb,
                                 struct kw_certs_journal *journal,
                                 struct kw_error *error) {
    json_t *line = first_line(serial, verb, journal);
    journal->path = new_path(workspace, serial);
    if (line == NULL || journal->path == NULL) {
        json_decref(line);
        kw_certs_journal_free(journal);
        return no_memory(error);
    }
    const kw_status status = kw_lines_append(journal->path, line, error);
    if (status != KW_OK) {
        kw_certs_journal_free(journal);
    }
    return status;
}

kw_status kw_certs_journal_close(struct kw_certs_journal *journal,
                                 const char *outcome, struct kw_error *error) {
    char now[KW_TIME_TEXT];
    kw_time_now(now);
    json_t *line = json_pack("{s:s, s:s, s:s}", "event", "closed", "time", now,
                             "outcome", outcome);
    const kw_status status = line == NULL
                                 ? no_memory(error)
                                 : kw_lines_append(journal->path, line, error);
    if (status == KW_OK) {
        kw_certs_journal_free(journal);
    }
    return status;
}
