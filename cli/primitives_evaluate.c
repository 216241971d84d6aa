/* cli/primitives_evaluate.c: evaluate and lint. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/primitives.h"
#include "host/files.h"
#include "host/primitives/closing.h"
#include "host/primitives/output.h"

/* --- evaluate --- */

/* Nothing uncovered, and every primitive covered or left to guidance. */
static kw_status answer_of(const struct kw_project *project) {
    bool no = project->result.uncovered_count > 0;
    for (uint32_t i = 0; i < project->result.fit_count; i++) {
        no = no || project->result.fits[i].state < KW_ENGINE_FULL;
    }
    return no ? KW_NO : KW_OK;
}

/* A format that is known, and has somewhere to go. */
static kw_status check_format(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    static const char *const FORMATS[] = {"text",
                                          "markdown",
                                          "csv",
                                          "implementation",
                                          "guidance",
                                          "oscal-catalog",
                                          "oscal-component",
                                          "oscal-mapping",
                                          "oscal-results"};
    const char *format = kw_argument(arguments, "--format");
    bool known = format == NULL;
    for (size_t i = 0; !known && i < sizeof FORMATS / sizeof *FORMATS; i++) {
        known = strcmp(FORMATS[i], format) == 0;
    }
    if (!known) {
        return kw_error(&cli->error, KW_USAGE,
                        "there is no format \"%.40s\"; --help names them",
                        format);
    }
    if (cli->json && format != NULL &&
        kw_argument(arguments, "--output") == NULL) {
        return kw_error(&cli->error, KW_USAGE,
                        "with --json a --format needs --output FILE");
    }
    return KW_OK;
}

static kw_status put_oscal(struct kw_cli *cli,
                           const struct kw_arguments *arguments,
                           const struct kw_project *project, const char *kind) {
    json_t *oscal = kw_oscal(project, kind);
    char *text = json_dumps(oscal, JSON_INDENT(1));
    json_decref(oscal);
    return kw_emit(cli, arguments, text);
}

static kw_status put_text(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          const json_t *document) {
    char *text = NULL;
    size_t size = 0;
    if (kw_argument(arguments, "--output") == NULL) {
        kw_show_evaluation(cli, document, arguments->operand[0]);
        return KW_OK;
    }
    cli->text = open_memstream(&text, &size);
    if (cli->text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    kw_show_evaluation(cli, document, arguments->operand[0]);
    const bool whole = fclose(cli->text) == 0;
    cli->text = NULL;
    if (!whole) {
        free(text);
        text = NULL;
    }
    return kw_emit(cli, arguments, text);
}

static kw_status put(struct kw_cli *cli, const struct kw_arguments *arguments,
                     const struct kw_project *project, const json_t *document) {
    const char *format = kw_argument(arguments, "--format");
    if (format == NULL || strcmp(format, "text") == 0) {
        return put_text(cli, arguments, document);
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
    return put_oscal(cli, arguments, project, format + strlen("oscal-"));
}

/* What is odd, but no error, of the project and of the user's data. */
static void show_warnings(const struct kw_cli *cli,
                          const struct kw_problems *problems) {
    size_t index;
    json_t *entry;
    json_array_foreach(problems->list, index, entry) {
        kw_warn(cli, "%s:%d: %s: %s", kw_text(entry, "file"),
                (int)json_integer_value(json_object_get(entry, "line")),
                kw_text(entry, "field"), kw_text(entry, "message"));
    }
}

static kw_status evaluate(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          struct kw_primitives *primitives,
                          struct kw_project *project) {
    show_warnings(cli, &primitives->problems);
    json_t *document = kw_project_document(project);
    const kw_status status = put(cli, arguments, project, document);
    json_object_update(cli->result, document);
    json_object_del(cli->result, "file");
    json_decref(document);
    KW_TRY(status);
    return answer_of(project);
}

kw_status kw_primitives_evaluate(struct kw_cli *cli,
                                 const struct kw_arguments *arguments) {
    KW_TRY(check_format(cli, arguments));
    return kw_with_project(cli, arguments, evaluate);
}

/* --- lint --- */

struct lint {
    struct kw_cli *cli;
    struct kw_primitives *primitives;
    json_t *data; /* the names of data files, checked as one set */
    size_t files;
};

static bool is_data(const struct kw_document *document) {
    return strncmp(kw_text(document->root, "schema"), "keywright/data-", 15) ==
           0;
}

static void lint_project(struct lint *lint, const char *path) {
    const struct kw_project_options options = {.model = NULL};
    struct kw_project *project = NULL;
    if (kw_open_project(lint->cli, lint->primitives, path, &options,
                        &project) == KW_OK) {
        kw_closing_check(project, &lint->primitives->problems);
    }
    kw_project_done(project);
}

static kw_status keep_data(struct lint *lint, const char *path) {
    if (json_array_size(lint->data) == KW_DATA_FILES_MAX) {
        return kw_error(&lint->cli->error, KW_USAGE, "more than %d data files",
                        KW_DATA_FILES_MAX);
    }
    return json_array_append_new(lint->data, json_string(path)) == 0
               ? KW_OK
               : kw_error(&lint->cli->error, KW_USAGE,
                          "the name of a data file is not UTF-8");
}

static kw_status lint_file(void *self, const char *path) {
    struct lint *lint = self;
    struct kw_problems none;
    struct kw_document document;
    kw_problems_init(&none);
    lint->files++;
    const bool data =
        kw_document_read(&document, path, &none) && is_data(&document);
    kw_document_free(&document);
    kw_problems_free(&none);
    if (data) {
        return keep_data(lint, path);
    }
    lint_project(lint, path);
    return KW_OK;
}

static void lint_data(struct lint *lint, bool only) {
    const char *files[KW_DATA_FILES_MAX];
    struct kw_catalogue catalogue;
    size_t index;
    json_t *name;
    json_array_foreach(lint->data, index, name) {
        files[index] = json_string_value(name);
    }
    if (json_array_size(lint->data) > 0) {
        (void)!kw_catalogue_load(
            &catalogue, !only, files, json_array_size(lint->data),
            &lint->primitives->problems, &lint->cli->error);
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
            KW_TRY(kw_each_json_file(cli, path, lint_file, lint));
        } else {
            KW_TRY(lint_file(lint, path));
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
    kw_print(cli, "%zu %s, %zu %s, %zu %s\n", lint->files,
             kw_counted(lint->files, "file", "files"), problems->errors,
             kw_counted(problems->errors, "error", "errors"),
             problems->warnings,
             kw_counted(problems->warnings, "warning", "warnings"));
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
    struct lint lint = {
        .cli = cli, .primitives = &primitives, .data = json_array()};
    kw_status status = kw_primitives_load(cli, arguments, &primitives);
    /* The shipped data has its warnings where it is checked itself. */
    json_array_clear(primitives.problems.list);
    primitives.problems.warnings = 0;
    if (status == KW_OK) {
        status = lint_all(&lint, arguments);
    }
    json_decref(lint.data);
    kw_primitives_close(&primitives);
    return status;
}
