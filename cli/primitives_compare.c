/* cli/primitives_compare.c: what-if and diff. */
#include <stdlib.h>
#include <string.h>

#include "cli/primitives.h"
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

static json_t *evidence_of(const json_t *document) {
    json_t *set = json_object();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(document, "evidence"), index, entry) {
        const char *file = kw_text(entry, "file");
        char *what = kw_format("%s %s %s %s", kw_text(entry, "requirement"),
                               kw_text(entry, "status"),
                               file[0] != '\0' ? file : kw_text(entry, "url"),
                               kw_text(entry, "sha256"));
        if (what != NULL) {
            what[strcspn(what, "\n")] = '\0';
            note(set, kw_text(entry, "standard"), what);
        }
        free(what);
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

static void show_keys(struct kw_cli *cli, const char *sign, const char *name,
                      const json_t *keys, const json_t *but) {
    size_t index;
    json_t *key;
    char *left = kw_format("%s %s", sign, name);
    json_array_foreach(keys, index, key) {
        if (json_object_get(but, json_string_value(key)) == NULL) {
            kw_print_column(cli, 14, left == NULL ? sign : left,
                            json_string_value(key));
        }
    }
    free(left);
}

/* How many keys were added. What was uncovered and is covered now is news
 * once: `but` names what is not printed as removed. */
static size_t add_delta(struct kw_cli *cli, const char *name, json_t *before,
                        json_t *after, const json_t *but) {
    json_t *added = keys_without(after, before);
    json_t *removed = keys_without(before, after);
    const size_t count = json_array_size(added);
    show_keys(cli, "+", name, added, NULL);
    show_keys(cli, "-", name, removed, but);
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
    json_t *covered = rows_in(new, "covered");
    json_t *uncovered = rows_in(new, "uncovered");
    (void)add_delta(cli, "primitives", primitives_of(old), primitives_of(new),
                    NULL);
    (void)add_delta(cli, "covered", rows_in(old, "covered"),
                    json_incref(covered), uncovered);
    const size_t rows = add_delta(cli, "uncovered", rows_in(old, "uncovered"),
                                  uncovered, covered);
    (void)add_delta(cli, "excluded", rows_in(old, "excluded"),
                    rows_in(new, "excluded"), NULL);
    const size_t gaps =
        add_delta(cli, "gaps", gaps_of(old), gaps_of(new), NULL);
    (void)add_delta(cli, "evidence", evidence_of(old), evidence_of(new), NULL);
    json_decref(covered);
    kw_print(cli, "%s: %zu more uncovered requirement%s, %zu more gap%s\n",
             rows + gaps == 0 ? "Nothing got worse" : "Worse", rows,
             rows == 1 ? "" : "s", gaps, gaps == 1 ? "" : "s");
    return rows + gaps == 0 ? KW_OK : KW_NO;
}

static kw_status document_of(struct kw_cli *cli,
                             struct kw_primitives *primitives, const char *path,
                             const struct kw_project_options *options,
                             json_t **document) {
    struct kw_project *project = NULL;
    const kw_status status =
        kw_open_project(cli, primitives, path, options, &project);
    *document = NULL;
    if (status == KW_OK) {
        *document = kw_project_document(project);
        json_object_set(*document, "evidence",
                        json_object_get(project->document.root, "evidence"));
    }
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
