/* cli/primitives_evaluate.c: evaluate, close and lint. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/primitives.h"
#include "host/files.h"
#include "host/primitives/closing.h"
#include "host/primitives/output.h"

/* --- evaluate --- */

static void show_phase_1(struct kw_cli *cli, const json_t *phase) {
    size_t index;
    json_t *entry;
    kw_print(cli, "Phase 1: primitives\n");
    json_array_foreach(json_object_get(phase, "applicable"), index, entry) {
        const json_t *path = json_object_get(entry, "path");
        kw_print(cli, "  %-36s %s", kw_text(entry, "primitive"),
                 kw_text(entry, "origin"));
        if (json_array_size(path) > 1) {
            kw_print(cli, ", required by %s",
                     json_string_value(
                         json_array_get(path, json_array_size(path) - 2)));
        }
        kw_print(cli, "\n");
    }
    json_array_foreach(json_object_get(phase, "optional_suggestions"), index,
                       entry) {
        kw_print(cli, "  %-36s suggested by %s: %s\n",
                 kw_text(entry, "primitive"), kw_text(entry, "suggested_by"),
                 kw_text(entry, "rationale"));
    }
}

static void show_standard(struct kw_cli *cli, const json_t *standard) {
    size_t index;
    size_t n;
    json_t *row;
    json_t *link;
    kw_print(
        cli, "\nPhase 2: %s: %d covered, %d uncovered, %d excluded\n",
        kw_text(standard, "standard"),
        (int)json_integer_value(json_object_get(standard, "count_unique")),
        (int)json_integer_value(json_object_get(standard, "count_uncovered")),
        (int)json_array_size(json_object_get(standard, "excluded")));
    json_array_foreach(json_object_get(standard, "rows"), index, row) {
        const bool covered = strcmp(kw_text(row, "status"), "covered") == 0;
        kw_print(cli, "  %-9s %-14s %s", kw_text(row, "status"),
                 kw_text(row, "requirement"), kw_text(row, "title"));
        json_array_foreach(json_object_get(row, "links"), n, link) {
            if (json_is_true(json_object_get(link, "applicable")) == covered) {
                kw_print(cli, "; %s (%s, %s)", kw_text(link, "primitive"),
                         kw_text(link, "layer"), kw_text(link, "confidence"));
            }
        }
        const char *argument = kw_text(row, "argument");
        kw_print(cli, "%s%s\n", argument[0] == '\0' ? "" : "; because ",
                 argument);
    }
}

static void show_texts(struct kw_cli *cli, const char *before,
                       const json_t *list) {
    size_t index;
    json_t *text;
    json_array_foreach(list, index, text) {
        kw_print(cli, "%s%s", index == 0 ? before : ", ",
                 json_string_value(text));
    }
}

static void show_phase_3(struct kw_cli *cli, const json_t *phase) {
    size_t index;
    size_t n;
    json_t *row;
    json_t *want;
    kw_print(cli, "\nPhase 3: %s\n", kw_text(phase, "verdict"));
    json_array_foreach(json_object_get(phase, "rows"), index, row) {
        kw_print(cli, "  %-9s %s", kw_text(row, "status"),
                 kw_text(row, "primitive"));
        show_texts(cli, ": ", json_object_get(row, "features"));
        kw_print(cli, "\n");
        json_array_foreach(json_object_get(row, "algorithms"), n, want) {
            kw_print(cli, "    %-8s %s", kw_text(want, "status"),
                     kw_text(want, "algorithm"));
            show_texts(cli, "; missing ", json_object_get(want, "missing"));
            show_texts(cli, "; building blocks ",
                       json_object_get(want, "present_blocks"));
            kw_print(cli, "\n");
        }
    }
    json_array_foreach(json_object_get(phase, "interoperable"), index, row) {
        kw_print(
            cli, "  %s with one of each kind: %s\n", kw_text(row, "protocol"),
            json_is_true(json_object_get(row, "possible")) ? "possible" : "no");
    }
}

static void show_all(struct kw_cli *cli, const json_t *document) {
    size_t index;
    json_t *standard;
    kw_print(cli, "%s\n\n", kw_text(document, "title"));
    show_phase_1(cli, json_object_get(document, "phase1"));
    json_array_foreach(
        json_object_get(json_object_get(document, "phase2"), "standards"),
        index, standard) {
        show_standard(cli, standard);
    }
    show_phase_3(cli, json_object_get(document, "phase3"));
}

/* Nothing uncovered, and every primitive covered or left to guidance. */
static kw_status answer_of(const struct kw_project *project) {
    bool no = project->result.uncovered_count > 0;
    for (uint32_t i = 0; i < project->result.fit_count; i++) {
        no = no || project->result.fits[i].state < KW_ENGINE_FULL;
    }
    return no ? KW_NO : KW_OK;
}

static kw_status put_oscal(struct kw_cli *cli,
                           const struct kw_arguments *arguments,
                           const struct kw_project *project, const char *kind) {
    json_t *oscal = kw_oscal(project, kind);
    if (oscal == NULL) {
        return kw_error(&cli->error, KW_USAGE,
                        "there is no format \"oscal-%.40s\"", kind);
    }
    char *text = json_dumps(oscal, JSON_INDENT(1));
    json_decref(oscal);
    return kw_emit(cli, arguments, text);
}

static kw_status put(struct kw_cli *cli, const struct kw_arguments *arguments,
                     const struct kw_project *project, const json_t *document) {
    const char *format = kw_argument(arguments, "--format");
    if (format == NULL || strcmp(format, "text") == 0) {
        show_all(cli, document);
        return KW_OK;
    }
    if (strcmp(format, "markdown") == 0) {
        return kw_emit(cli, arguments, kw_markdown(document));
    }
    if (strcmp(format, "csv") == 0) {
        return kw_emit(cli, arguments, kw_csv(document));
    }
    if (strcmp(format, "implementation") == 0) {
        return kw_emit(cli, arguments, kw_markdown_implementation(document));
    }
    if (strcmp(format, "guidance") == 0) {
        return kw_emit(cli, arguments, kw_markdown_guidance(project));
    }
    if (strncmp(format, "oscal-", 6) == 0) {
        return put_oscal(cli, arguments, project, format + 6);
    }
    return kw_error(&cli->error, KW_USAGE,
                    "there is no format \"%.40s\"; --help names them", format);
}

kw_status kw_primitives_evaluate(struct kw_cli *cli,
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
        json_t *document = kw_project_document(project);
        status = put(cli, arguments, project, document);
        json_object_update(cli->result, document);
        json_object_del(cli->result, "file");
        json_decref(document);
    }
    if (status == KW_OK) {
        status = answer_of(project);
    }
    kw_project_done(project);
    kw_primitives_close(&primitives);
    return status;
}

/* --- close --- */

static void show_gaps(struct kw_cli *cli, const json_t *gaps,
                      const char *heading) {
    size_t index;
    json_t *gap;
    if (json_array_size(gaps) > 0) {
        kw_print(cli, "%s\n", heading);
    }
    json_array_foreach(gaps, index, gap) {
        kw_print(cli, "  %s %s\n", kw_text(gap, "kind"), kw_text(gap, "id"));
    }
}

static void show_set(struct kw_cli *cli, const json_t *set) {
    const long cents = (long)json_integer_value(json_object_get(set, "cents"));
    kw_print(cli, "%ld.%02ld", cents / 100, cents % 100);
    show_texts(cli, "  ", json_object_get(set, "parts"));
    kw_print(cli, "\n");
}

static void show_closing(struct kw_cli *cli) {
    size_t index;
    json_t *entry;
    show_gaps(cli, json_object_get(cli->result, "gaps"), "Gaps");
    show_gaps(cli, json_object_get(cli->result, "impossible"),
              "No candidate closes");
    json_array_foreach(json_object_get(cli->result, "sets"), index, entry) {
        kw_print(cli, "%s ", index == 0 ? "Cheapest:   " : "Alternative:");
        show_set(cli, entry);
    }
    json_array_foreach(json_object_get(cli->result, "swaps"), index, entry) {
        kw_print(cli,
                 "With %s instead of %s, %d left: ", kw_text(entry, "main"),
                 kw_text(entry, "instead_of"),
                 (int)json_array_size(json_object_get(entry, "impossible")));
        show_set(cli, json_object_get(entry, "set"));
    }
}

static kw_status closing(struct kw_cli *cli,
                         const struct kw_arguments *arguments,
                         struct kw_primitives *primitives,
                         struct kw_project *project) {
    const char *sets = kw_argument(arguments, "--sets");
    struct kw_closing_options options = {
        .sets = sets == NULL ? 3 : (uint32_t)strtoul(sets, NULL, 10),
        .swap = kw_argument(arguments, "--swap") != NULL,
    };
    if (options.sets < 1 || options.sets > KW_COVER_SETS_MAX) {
        return kw_error(&cli->error, KW_USAGE, "--sets is 1 to %d",
                        KW_COVER_SETS_MAX);
    }
    if (project->engine.parts.count == 0) {
        return kw_error(&cli->error, KW_PARSE,
                        "%s:1: platforms: names no part to start from",
                        project->document.name);
    }
    KW_TRY(kw_closing(project, &options, &primitives->problems, cli->result,
                      &cli->error));
    show_closing(cli);
    return json_array_size(json_object_get(cli->result, "impossible")) > 0
               ? KW_NO
               : KW_OK;
}

kw_status kw_primitives_close_gaps(struct kw_cli *cli,
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
        status = closing(cli, arguments, &primitives, project);
    }
    kw_project_done(project);
    kw_primitives_close(&primitives);
    return status;
}

/* --- lint --- */

struct lint {
    struct kw_cli *cli;
    struct kw_primitives *primitives;
    char *data[KW_WORDS_MAX]; /* data files, checked as one set */
    size_t data_count;
    size_t files;
};

static bool is_data(const struct kw_document *document) {
    return strncmp(kw_text(document->root, "schema"), "keywright/data-", 15) ==
           0;
}

static void lint_project(struct lint *lint, const char *path) {
    const struct kw_project_options options = {.model = NULL};
    struct kw_project *project = NULL;
    (void)!kw_open_project(lint->cli, lint->primitives, path, &options,
                           &project);
    kw_project_done(project);
}

static void lint_file(struct lint *lint, const char *path) {
    struct kw_problems none;
    struct kw_document document;
    kw_problems_init(&none);
    lint->files++;
    const bool data = kw_document_read(&document, path, &none) &&
                      is_data(&document) && lint->data_count < KW_WORDS_MAX;
    if (data) {
        lint->data[lint->data_count++] = strdup(path);
    }
    kw_document_free(&document);
    kw_problems_free(&none);
    if (!data) {
        lint_project(lint, path);
    }
}

static void lint_folder(struct lint *lint, const char *folder) {
    struct kw_names names;
    if (kw_folder_list(folder, &names, &lint->cli->error) != KW_OK) {
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        const size_t size = strlen(names.name[i]);
        if (size > 5 && strcmp(names.name[i] + size - 5, ".json") == 0) {
            char *path = kw_format("%s/%s", folder, names.name[i]);
            if (path != NULL) {
                lint_file(lint, path);
            }
            free(path);
        }
    }
    kw_names_free(&names);
}

static void lint_data(struct lint *lint, bool only) {
    struct kw_catalogue catalogue;
    if (lint->data_count > 0) {
        (void)!kw_catalogue_load(
            &catalogue, !only, (const char *const *)lint->data,
            lint->data_count, &lint->primitives->problems, &lint->cli->error);
        kw_catalogue_free(&catalogue);
    }
}

static void show_problems(struct kw_cli *cli, const json_t *list) {
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry) {
        const char *field = kw_text(entry, "field");
        kw_print(cli, "%s:%d: %s: %s%s%s\n", kw_text(entry, "file"),
                 (int)json_integer_value(json_object_get(entry, "line")),
                 kw_text(entry, "severity"), field,
                 field[0] == '\0' ? "" : ": ", kw_text(entry, "message"));
    }
}

static kw_status lint_all(struct lint *lint,
                          const struct kw_arguments *arguments) {
    struct kw_cli *cli = lint->cli;
    struct stat status;
    for (size_t i = 0; i < arguments->operand_count; i++) {
        const char *path = arguments->operand[i];
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            lint_folder(lint, path);
        } else {
            lint_file(lint, path);
        }
    }
    lint_data(lint, kw_argument(arguments, "--only") != NULL);
    if (lint->files == 0) {
        return kw_error(&cli->error, KW_NO, "no file to check in %s",
                        arguments->operand[0]);
    }
    const struct kw_problems *problems = &lint->primitives->problems;
    show_problems(cli, problems->list);
    const size_t listed = json_array_size(problems->list);
    if (listed < problems->errors + problems->warnings) {
        kw_print(cli, "... and %zu more\n",
                 problems->errors + problems->warnings - listed);
    }
    kw_print(cli, "%zu files, %zu errors, %zu warnings\n", lint->files,
             problems->errors, problems->warnings);
    json_object_set_new(cli->result, "files",
                        json_integer((json_int_t)lint->files));
    json_object_set_new(cli->result, "errors",
                        json_integer((json_int_t)problems->errors));
    json_object_set(cli->result, "problems", problems->list);
    cli->error = (struct kw_error){.status = KW_OK};
    return problems->errors > 0 ? KW_NO : KW_OK;
}

kw_status kw_primitives_lint(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    struct lint lint = {.cli = cli, .primitives = &primitives};
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    /* The shipped data has its warnings where it is checked itself. */
    json_array_clear(primitives.problems.list);
    primitives.problems.warnings = 0;
    if (status == KW_OK) {
        status = lint_all(&lint, arguments);
    }
    for (size_t i = 0; i < lint.data_count; i++) {
        free(lint.data[i]);
    }
    kw_primitives_close(&primitives);
    return status;
}
