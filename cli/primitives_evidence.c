/* cli/primitives_evidence.c: what is proved, and what lacks proof. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/primitives.h"
#include "core/sha256.h"
#include "host/files.h"
#include "host/text.h"

/* --- files --- */

#define EVIDENCE_LIMIT (64U << 20)

/* A path in a project is relative to the project's file. */
static char *beside(const char *project, const char *path) {
    const char *slash = strrchr(project, '/');
    return path[0] == '/' || slash == NULL
               ? kw_format("%s", path)
               : kw_format("%.*s/%s", (int)(slash - project), project, path);
}

/* The SHA-256 of an entry's file as hex; false: no such file. */
static bool hash_file(const struct kw_project *project, const json_t *entry,
                      char text[2 * KW_SHA256_SIZE + 1]) {
    struct kw_error ignored;
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t *data = NULL;
    size_t size = 0;
    char *path = beside(project->document.name, kw_text(entry, "file"));
    const bool there = path != NULL && kw_file_read(path, EVIDENCE_LIMIT, &data,
                                                    &size, &ignored) == KW_OK;
    free(path);
    if (there) {
        kw_sha256_of(data, size, digest);
        kw_hex(digest, sizeof digest, text);
    }
    free(data);
    return there;
}

static const char *check_file(const struct kw_project *project,
                              const json_t *entry) {
    char text[2 * KW_SHA256_SIZE + 1];
    const char *wanted = kw_text(entry, "sha256");
    if (!hash_file(project, entry, text)) {
        return "no file";
    }
    if (wanted[0] == '\0') {
        return "no hash";
    }
    return strcmp(text, wanted) == 0 ? "intact" : "changed";
}

/* --- --update --- */

static void today(char text[16]) {
    const time_t now = time(NULL);
    struct tm date;
    if (gmtime_r(&now, &date) == NULL ||
        strftime(text, 16, "%Y-%m-%d", &date) == 0) {
        text[0] = '\0';
    }
}

/* Writes the hash of each file that has none, or another, and today as its
 * date. How many; the status is the caller's to judge. */
static size_t update_hashes(const struct kw_project *project) {
    char hash[2 * KW_SHA256_SIZE + 1];
    char date[16];
    size_t count = 0;
    size_t index;
    json_t *entry;
    today(date);
    json_array_foreach(json_object_get(project->document.root, "evidence"),
                       index, entry) {
        if (json_object_get(entry, "file") != NULL &&
            hash_file(project, entry, hash) &&
            strcmp(hash, kw_text(entry, "sha256")) != 0) {
            json_object_set_new(entry, "sha256", json_string(hash));
            json_object_set_new(entry, "date", json_string(date));
            count++;
        }
    }
    return count;
}

static kw_status write_project(struct kw_cli *cli,
                               const struct kw_project *project) {
    char *text = json_dumps(project->document.root, JSON_INDENT(2));
    char *whole = text == NULL ? NULL : kw_format("%s\n", text);
    const kw_status status =
        whole == NULL ? kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory")
                      : kw_file_replace(project->document.name, KW_PUBLIC_MODE,
                                        whole, strlen(whole), &cli->error);
    free(text);
    free(whole);
    return status;
}

static kw_status update(struct kw_cli *cli, const struct kw_project *project,
                        size_t *updated) {
    const size_t count = update_hashes(project);
    if (count > 0) {
        KW_TRY(write_project(cli, project));
    }
    *updated = count;
    kw_print(cli, "%zu hashes written into %s\n", count,
             project->document.name);
    return KW_OK;
}

/* --- rows --- */

static json_t *evidence_entry(const struct kw_project *project,
                              const json_t *entry) {
    const char *file = kw_text(entry, "file");
    const char *check = "not checked";
    if (file[0] != '\0') {
        check = check_file(project, entry);
    }
    return json_pack("{s:s, s:s, s:s, s:s}", "where",
                     file[0] != '\0' ? file : kw_text(entry, "url"), "date",
                     kw_text(entry, "date"), "status", kw_text(entry, "status"),
                     "check", check);
}

/* It counts when it passed and, if it is a file with a hash, is as it was. */
static bool counts(const json_t *entry) {
    const char *check = kw_text(entry, "check");
    return strcmp(kw_text(entry, "status"), "passed") == 0 &&
           strcmp(check, "no file") != 0 && strcmp(check, "changed") != 0;
}

static void show_row(struct kw_cli *cli, const char *word, const char *standard,
                     const char *id, const char *text) {
    char *left = kw_format("%-9s%s %s", word, standard, id);
    kw_print_column(cli, 36, left == NULL ? word : left, text);
    free(left);
}

static void show_entry(struct kw_cli *cli, const char *standard, const char *id,
                       const json_t *entry) {
    char *text = kw_format("%s, %s %s, %s", kw_text(entry, "where"),
                           kw_text(entry, "status"), kw_text(entry, "date"),
                           kw_text(entry, "check"));
    show_row(cli, counts(entry) ? "proved" : "unproved", standard, id,
             text == NULL ? "" : text);
    free(text);
}

static bool list_evidence(struct kw_cli *cli, const struct kw_project *project,
                          const char *standard, const char *id, json_t *row) {
    json_t *list = json_array();
    bool proved = false;
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(project->document.root, "evidence"),
                       index, entry) {
        if (strcmp(kw_text(entry, "standard"), standard) == 0 &&
            strcmp(kw_text(entry, "requirement"), id) == 0) {
            json_t *found = evidence_entry(project, entry);
            proved = proved || counts(found);
            show_entry(cli, standard, id, found);
            json_array_append_new(list, found);
        }
    }
    if (json_array_size(list) == 0) {
        show_row(cli, "lacking", standard, id, "");
    }
    json_object_set_new(row, "evidence", list);
    json_object_set_new(row, "proved", json_boolean(proved));
    return proved;
}

static kw_status show_evidence(struct kw_cli *cli,
                               const struct kw_project *project) {
    const struct kw_catalogue *catalogue = project->catalogue;
    json_t *rows = json_array();
    size_t lacking = 0;
    for (uint32_t i = 0; i < project->result.row_count; i++) {
        const struct kw_engine_row *row = &project->result.rows[i];
        const uint32_t standard =
            catalogue->data.requirements[row->requirement].standard;
        const char *id = catalogue->requirements.id[row->requirement];
        const char *name = catalogue->standards.id[standard];
        json_t *entry =
            json_pack("{s:s, s:s, s:s}", "standard", name, "requirement", id,
                      "coverage", kw_row_word(row->state));
        if (row->state == KW_ENGINE_EXCLUDED) {
            show_row(cli, "excluded", name, id,
                     kw_project_argument(project, row->requirement));
            json_object_set_new(entry, "evidence", json_array());
            json_object_set_new(entry, "proved", json_false());
        } else {
            lacking += !list_evidence(cli, project, name, id, entry);
        }
        json_array_append_new(rows, entry);
    }
    kw_print(cli, "%zu %s in scope, %zu %s evidence that passed\n",
             json_array_size(rows),
             kw_counted(json_array_size(rows), "requirement", "requirements"),
             lacking, kw_counted(lacking, "lacks", "lack"));
    json_object_set_new(cli->result, "rows", rows);
    json_object_set_new(cli->result, "lacking",
                        json_integer((json_int_t)lacking));
    return lacking == 0 ? KW_OK : KW_NO;
}

static kw_status evidence(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          struct kw_primitives *primitives,
                          struct kw_project *project) {
    size_t updated = 0;
    (void)primitives;
    if (kw_argument(arguments, "--update") != NULL) {
        KW_TRY(update(cli, project, &updated));
    }
    json_object_set_new(cli->result, "updated",
                        json_integer((json_int_t)updated));
    return show_evidence(cli, project);
}

kw_status kw_primitives_evidence(struct kw_cli *cli,
                                 const struct kw_arguments *arguments) {
    return kw_with_project(cli, arguments, evidence);
}
