/* cli/primitives_compare.c: what-if, diff, cross and evidence. */
#include <stdlib.h>
#include <string.h>

#include "cli/primitives.h"
#include "core/sha256.h"
#include "host/files.h"
#include "host/text.h"

/* --- the delta of two evaluations --- */

static void note(json_t *set, const char *first, const char *second) {
    char *key = second == NULL ? kw_format("%s", first)
                               : kw_format("%s %s", first, second);
    if (key != NULL) {
        json_object_set_new(set, key, json_true());
    }
    free(key);
}

static json_t *primitives_of(const json_t *document) {
    json_t *set = json_object();
    size_t index;
    json_t *entry;
    json_array_foreach(
        json_object_get(json_object_get(document, "phase1"), "applicable"),
        index, entry) {
        note(set, kw_text(entry, "primitive"), NULL);
    }
    return set;
}

static json_t *rows_in(const json_t *document, const char *status) {
    json_t *set = json_object();
    size_t index;
    size_t n;
    json_t *standard;
    json_t *row;
    json_array_foreach(
        json_object_get(json_object_get(document, "phase2"), "standards"),
        index, standard) {
        json_array_foreach(json_object_get(standard, "rows"), n, row) {
            if (strcmp(kw_text(row, "status"), status) == 0) {
                note(set, kw_text(standard, "standard"),
                     kw_text(row, "requirement"));
            }
        }
    }
    return set;
}

static json_t *gaps_of(const json_t *document) {
    const json_t *phase = json_object_get(document, "phase3");
    json_t *set = json_object();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(phase, "rows"), index, entry) {
        const char *status = kw_text(entry, "status");
        if (strcmp(status, "gap") == 0 || strcmp(status, "partial") == 0) {
            note(set, status, kw_text(entry, "primitive"));
        }
    }
    json_array_foreach(json_object_get(phase, "missing_items"), index, entry) {
        note(set, "missing", json_string_value(entry));
    }
    return set;
}

static json_t *keys_without(json_t *set, const json_t *without) {
    json_t *list = json_array();
    const char *key;
    json_t *value;
    json_object_foreach(set, key, value) {
        if (json_object_get(without, key) == NULL) {
            json_array_append_new(list, json_string(key));
        }
    }
    return list;
}

static size_t add_delta(struct kw_cli *cli, const char *name, json_t *before,
                        json_t *after) {
    json_t *added = keys_without(after, before);
    json_t *removed = keys_without(before, after);
    const size_t count = json_array_size(added);
    size_t index;
    json_t *key;
    json_array_foreach(added, index, key) {
        kw_print(cli, "+ %-10s %s\n", name, json_string_value(key));
    }
    json_array_foreach(removed, index, key) {
        kw_print(cli, "- %-10s %s\n", name, json_string_value(key));
    }
    json_object_set_new(
        cli->result, name,
        json_pack("{s:o, s:o}", "added", added, "removed", removed));
    json_decref(before);
    json_decref(after);
    return count;
}

/* KW_NO when something uncovered or a gap was added. */
static kw_status compare(struct kw_cli *cli, const json_t *old,
                         const json_t *new) {
    size_t worse = 0;
    (void)add_delta(cli, "primitives", primitives_of(old), primitives_of(new));
    (void)add_delta(cli, "covered", rows_in(old, "covered"),
                    rows_in(new, "covered"));
    worse += add_delta(cli, "uncovered", rows_in(old, "uncovered"),
                       rows_in(new, "uncovered"));
    (void)add_delta(cli, "excluded", rows_in(old, "excluded"),
                    rows_in(new, "excluded"));
    worse += add_delta(cli, "gaps", gaps_of(old), gaps_of(new));
    kw_print(cli, worse == 0 ? "Nothing got worse.\n" : "");
    return worse == 0 ? KW_OK : KW_NO;
}

static kw_status document_of(struct kw_cli *cli,
                             struct kw_primitives *primitives, const char *path,
                             const struct kw_project_options *options,
                             json_t **document) {
    struct kw_project *project = NULL;
    const kw_status status =
        kw_open_project(cli, primitives, path, options, &project);
    *document = status == KW_OK ? kw_project_document(project) : NULL;
    kw_project_done(project);
    return status;
}

/* A project under two sets of options, or two projects. */
static kw_status compare_files(struct kw_cli *cli,
                               struct kw_primitives *primitives,
                               const char *const path[2],
                               const struct kw_project_options *old_options,
                               const struct kw_project_options *new_options) {
    json_t *old = NULL;
    json_t *new = NULL;
    kw_status status = document_of(cli, primitives, path[0], old_options, &old);
    if (status == KW_OK) {
        status = document_of(cli, primitives, path[1], new_options, &new);
    }
    if (status == KW_OK) {
        status = compare(cli, old, new);
    }
    json_decref(old);
    json_decref(new);
    return status;
}

kw_status kw_primitives_diff(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    const struct kw_project_options options = kw_options_of(arguments);
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = compare_files(cli, &primitives, arguments->operand, &options,
                               &options);
    }
    kw_primitives_close(&primitives);
    return status;
}

static kw_status what_if(struct kw_cli *cli,
                         const struct kw_arguments *arguments,
                         struct kw_primitives *primitives,
                         const struct kw_word_set *add,
                         const struct kw_word_set *remove) {
    const char *const path[2] = {arguments->operand[0], arguments->operand[0]};
    struct kw_project_options old = kw_options_of(arguments);
    struct kw_project_options new = old;
    old.level = NULL;
    new.add = add->word;
    new.add_count = add->count;
    new.remove = remove->word;
    new.remove_count = remove->count;
    if (add->count + remove->count == 0 && new.level == NULL) {
        return kw_error(&cli->error, KW_USAGE,
                        "what-if needs --add, --remove or --level");
    }
    return compare_files(cli, primitives, path, &old, &new);
}

kw_status kw_primitives_what_if(struct kw_cli *cli,
                                const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    struct kw_word_set add = {.count = 0};
    struct kw_word_set remove = {.count = 0};
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = kw_words_read(cli, kw_argument(arguments, "--add"), &add);
    }
    if (status == KW_OK) {
        status =
            kw_words_read(cli, kw_argument(arguments, "--remove"), &remove);
    }
    if (status == KW_OK) {
        status = what_if(cli, arguments, &primitives, &add, &remove);
    }
    kw_words_free(&add);
    kw_words_free(&remove);
    kw_primitives_close(&primitives);
    return status;
}

/* --- cross --- */

struct side {
    struct kw_engine_target target;
    struct kw_engine_result result;
    uint8_t *memory;
};

static kw_status read_side(struct kw_cli *cli,
                           const struct kw_catalogue *catalogue,
                           const char *operand, struct side *side) {
    const size_t size = strcspn(operand, ":");
    char id[80];
    (void)snprintf(id, sizeof id, "%.*s", (int)(size < 79 ? size : 79),
                   operand);
    const struct kw_table *standards = &catalogue->standards;
    const uint32_t found = kw_table_find(standards, id);
    if (found == KW_ENGINE_NONE) {
        const char *nearest = kw_nearest(id, standards->id, standards->count);
        return kw_error(&cli->error, KW_NO, "no standard \"%s\"%s%s", id,
                        nearest == NULL ? "" : "; nearest: ",
                        nearest == NULL ? "" : nearest);
    }
    const uint32_t levels = catalogue->data.standards[found].level_count;
    uint32_t level = levels == 0 ? 1 : levels;
    if (operand[size] == ':') {
        level = kw_standard_level(standards->entry[found], operand + size + 1);
        if (level == KW_ENGINE_NONE) {
            return kw_error(&cli->error, KW_NO, "%s has no level \"%.40s\"", id,
                            operand + size + 1);
        }
        level++;
    }
    side->target = (struct kw_engine_target){found, KW_ENGINE_NONE, {0}};
    for (size_t i = 0; i < KW_ENGINE_GROUPS_MAX; i++) {
        side->target.levels[i] = level;
    }
    return KW_OK;
}

static kw_status find_rows(struct kw_cli *cli,
                           const struct kw_catalogue *catalogue,
                           const struct kw_arguments *arguments,
                           const char *operand, struct side *side) {
    struct kw_engine_arena arena = {.size = (size_t)1 << 20};
    const char *least = kw_argument(arguments, "--min-confidence");
    const struct kw_engine_project project = {
        .layers = UINT32_MAX,
        .min_confidence = least == NULL                  ? 0
                          : strcmp(least, "high") == 0   ? 2
                          : strcmp(least, "medium") == 0 ? 1
                                                         : 0,
        .targets = &side->target,
        .target_count = 1,
    };
    KW_TRY(read_side(cli, catalogue, operand, side));
    side->memory = arena.base = malloc(arena.size);
    if (arena.base == NULL ||
        kw_engine_evaluate(&catalogue->data, &project, &arena, &side->result) !=
            KW_ENGINE_OK) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    return KW_OK;
}

/* The surest link of a standard to a primitive; NONE: no link. */
static uint32_t best_link(const struct kw_catalogue *catalogue,
                          const struct side *side, uint32_t primitive) {
    const struct kw_engine_mapping *mappings = catalogue->data.mappings;
    uint32_t best = KW_ENGINE_NONE;
    for (uint32_t i = 0; i < side->result.link_count; i++) {
        const uint32_t link = side->result.links[i];
        if (mappings[link].primitive == primitive &&
            (best == KW_ENGINE_NONE ||
             mappings[link].confidence > mappings[best].confidence)) {
            best = link;
        }
    }
    return best;
}

static json_t *path_of(const struct kw_catalogue *catalogue, uint32_t link,
                       uint32_t other) {
    static const char *const WORDS[] = {"low", "medium", "high"};
    const struct kw_engine_mapping *one = &catalogue->data.mappings[link];
    const struct kw_engine_mapping *two = &catalogue->data.mappings[other];
    const uint32_t weakest =
        one->confidence < two->confidence ? one->confidence : two->confidence;
    return json_pack("{s:s, s:s, s:s}", "primitive",
                     catalogue->primitives.id[one->primitive], "requirement",
                     catalogue->requirements.id[two->requirement], "confidence",
                     WORDS[weakest > 2 ? 2 : weakest]);
}

static json_t *paths_of(const struct kw_catalogue *catalogue,
                        const struct side *one, const struct side *two,
                        const struct kw_engine_row *row) {
    json_t *paths = json_array();
    for (uint32_t i = 0; i < row->link_count; i++) {
        const uint32_t link = two->result.links[row->first_link + i];
        const uint32_t other =
            best_link(catalogue, one, catalogue->data.mappings[link].primitive);
        if (other != KW_ENGINE_NONE) {
            json_array_append_new(paths, path_of(catalogue, link, other));
        }
    }
    return paths;
}

static json_t *new_primitives(const struct kw_catalogue *catalogue,
                              const struct side *two,
                              const struct kw_engine_row *row) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < row->link_count; i++) {
        const uint32_t link = two->result.links[row->first_link + i];
        json_array_append_new(
            list,
            json_string(catalogue->primitives
                            .id[catalogue->data.mappings[link].primitive]));
    }
    return list;
}

static void show_cross(struct kw_cli *cli, const struct kw_catalogue *catalogue,
                       const struct side *one, const struct side *two) {
    json_t *adds = json_array();
    json_t *shared = json_array();
    for (uint32_t i = 0; i < two->result.row_count; i++) {
        const struct kw_engine_row *row = &two->result.rows[i];
        const char *id = catalogue->requirements.id[row->requirement];
        const char *title =
            kw_text(catalogue->requirements.entry[row->requirement], "title");
        json_t *paths = paths_of(catalogue, one, two, row);
        if (json_array_size(paths) == 0) {
            kw_print(cli, "adds   %-14s %s\n", id, title);
            json_decref(paths);
            json_array_append_new(
                adds,
                json_pack("{s:s, s:s, s:o}", "requirement", id, "title", title,
                          "primitives", new_primitives(catalogue, two, row)));
            continue;
        }
        const json_t *first = json_array_get(paths, 0);
        kw_print(cli, "shares %-14s through %s with %s (%s)\n", id,
                 kw_text(first, "primitive"), kw_text(first, "requirement"),
                 kw_text(first, "confidence"));
        json_array_append_new(shared,
                              json_pack("{s:s, s:s, s:o}", "requirement", id,
                                        "title", title, "paths", paths));
    }
    json_object_set_new(cli->result, "adds", adds);
    json_object_set_new(cli->result, "shares", shared);
}

kw_status kw_primitives_cross(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    struct side one = {.memory = NULL};
    struct side two = {.memory = NULL};
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    const struct kw_catalogue *catalogue = &primitives.catalogue;
    if (status == KW_OK) {
        status =
            find_rows(cli, catalogue, arguments, arguments->operand[0], &one);
    }
    if (status == KW_OK) {
        status =
            find_rows(cli, catalogue, arguments, arguments->operand[1], &two);
    }
    if (status == KW_OK) {
        show_cross(cli, catalogue, &one, &two);
    }
    free(one.memory);
    free(two.memory);
    kw_primitives_close(&primitives);
    return status;
}

/* --- evidence --- */

#define EVIDENCE_LIMIT (64U << 20)

/* A path in a project is relative to the project's file. */
static char *beside(const char *project, const char *path) {
    const char *slash = strrchr(project, '/');
    return path[0] == '/' || slash == NULL
               ? kw_format("%s", path)
               : kw_format("%.*s/%s", (int)(slash - project), project, path);
}

static const char *check_file(const char *path, const char *wanted) {
    struct kw_error ignored;
    uint8_t digest[KW_SHA256_SIZE];
    char text[2 * KW_SHA256_SIZE + 1];
    uint8_t *data = NULL;
    size_t size = 0;
    if (path == NULL ||
        kw_file_read(path, EVIDENCE_LIMIT, &data, &size, &ignored) != KW_OK) {
        return "no file";
    }
    kw_sha256_of(data, size, digest);
    free(data);
    kw_hex(digest, sizeof digest, text);
    if (wanted[0] == '\0') {
        return "no hash";
    }
    return strcmp(text, wanted) == 0 ? "intact" : "changed";
}

static json_t *evidence_entry(const struct kw_project *project,
                              const json_t *entry) {
    const char *file = kw_text(entry, "file");
    const char *check = "not checked";
    if (file[0] != '\0') {
        char *path = beside(project->document.name, file);
        check = check_file(path, kw_text(entry, "sha256"));
        free(path);
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
            kw_print(cli, "%-9s %s %s: %s, %s, %s\n",
                     counts(found) ? "proved" : "unproved", standard, id,
                     kw_text(found, "where"), kw_text(found, "status"),
                     kw_text(found, "check"));
            json_array_append_new(list, found);
        }
    }
    if (json_array_size(list) == 0) {
        kw_print(cli, "%-9s %s %s\n", "lacking", standard, id);
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
            kw_print(cli, "%-9s %s %s: %s\n", "excluded", name, id,
                     kw_project_argument(project, row->requirement));
            json_object_set_new(entry, "evidence", json_array());
            json_object_set_new(entry, "proved", json_false());
        } else {
            lacking += !list_evidence(cli, project, name, id, entry);
        }
        json_array_append_new(rows, entry);
    }
    kw_print(cli, "%zu requirements, %zu lack evidence\n",
             json_array_size(rows), lacking);
    json_object_set_new(cli->result, "rows", rows);
    json_object_set_new(cli->result, "lacking",
                        json_integer((json_int_t)lacking));
    return lacking == 0 ? KW_OK : KW_NO;
}

kw_status kw_primitives_evidence(struct kw_cli *cli,
                                 const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    struct kw_project *project = NULL;
    const struct kw_project_options options = kw_options_of(arguments);
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = kw_open_project(cli, &primitives, arguments->operand[0],
                                 &options, &project);
    }
    if (status == KW_OK) {
        status = show_evidence(cli, project);
    }
    kw_project_done(project);
    kw_primitives_close(&primitives);
    return status;
}
