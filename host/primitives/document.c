#include "host/primitives/document.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/primitives/document_lines.h"
#include "host/primitives/printable.h"

/* --- problems --- */

void kw_problems_init(struct kw_problems *problems) {
    problems->list = json_array();
    problems->errors = 0;
    problems->warnings = 0;
}

void kw_problems_free(struct kw_problems *problems) {
    json_decref(problems->list);
    problems->list = NULL;
}

static json_t *text_or(const char *text, const char *instead) {
    json_t *value = json_string(text);
    return value != NULL ? value : json_string(instead);
}

static void add(struct kw_problems *problems,
                const struct kw_document *document, unsigned line,
                const char *field, const char *severity, char *message) {
    if (json_array_size(problems->list) >= KW_PROBLEMS_MAX) {
        return;
    }
    char shown[KW_FIELD_SIZE];
    json_t *entry = json_object();
    (void)snprintf(shown, sizeof shown, "%s", field);
    kw_make_printable(shown);
    kw_make_printable(message);
    json_object_set_new(entry, "file", text_or(document->name, "?"));
    json_object_set_new(entry, "line", json_integer(line));
    json_object_set_new(entry, "field", text_or(shown, "?"));
    json_object_set_new(entry, "severity", json_string(severity));
    json_object_set_new(entry, "message", text_or(message, "not UTF-8"));
    json_array_append_new(problems->list, entry);
}

/* field NULL: the document as a whole. */
static void add_formatted(struct kw_problems *problems,
                          const struct kw_document *document, const char *field,
                          const char *severity, const char *format,
                          va_list arguments) {
    char message[400];
    (void)vsnprintf(message, sizeof message, format, arguments);
    add(problems, document,
        field == NULL ? 1 : kw_document_line(document, field),
        field == NULL ? "" : field, severity, message);
}

void kw_problem(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    problems->errors++;
    add_formatted(problems, document, field, "error", format, arguments);
    va_end(arguments);
}

void kw_warning(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    problems->warnings++;
    add_formatted(problems, document, field, "warning", format, arguments);
    va_end(arguments);
}

static const char *text_of(const json_t *entry, const char *member) {
    return json_string_value(json_object_get(entry, member));
}

kw_status kw_problems_status(const struct kw_problems *problems,
                             struct kw_error *error) {
    size_t index;
    json_t *entry;
    json_array_foreach(problems->list, index, entry) {
        const char *field = text_of(entry, "field");
        if (strcmp(text_of(entry, "severity"), "error") != 0) {
            continue;
        }
        kw_error(error, KW_PARSE, "%s:%d: %s%s%s", text_of(entry, "file"),
                 (int)json_integer_value(json_object_get(entry, "line")), field,
                 field[0] == '\0' ? "" : ": ", text_of(entry, "message"));
        return problems->errors == 1
                   ? KW_PARSE
                   : kw_error_hint(error,
                                   "and %zu more; keywright primitives lint "
                                   "names them all",
                                   problems->errors - 1);
    }
    return KW_OK;
}

/* --- a document --- */

static void syntax_problem(struct kw_problems *problems,
                           const struct kw_document *document,
                           const json_error_t *error) {
    char message[sizeof error->text + 16];
    (void)snprintf(message, sizeof message, "%s", error->text);
    problems->errors++;
    add(problems, document, error->line > 0 ? (unsigned)error->line : 1U, "",
        "error", message);
}

bool kw_document_parse(struct kw_document *document, const char *name,
                       const char *text, size_t size,
                       struct kw_problems *problems) {
    json_error_t error;
    *document = (struct kw_document){.name = strdup(name),
                                     .text = malloc(size + 1),
                                     .size = size,
                                     .lines = calloc(1, sizeof(void *))};
    if (document->name == NULL || document->text == NULL ||
        document->lines == NULL) {
        kw_problem(problems, document, NULL, "no memory");
        return false;
    }
    memcpy(document->text, text, size);
    document->text[size] = '\0';
    document->root =
        json_loadb(document->text, size, JSON_REJECT_DUPLICATES, &error);
    if (document->root == NULL) {
        syntax_problem(problems, document, &error);
        return false;
    }
    if (!json_is_object(document->root)) {
        kw_problem(problems, document, NULL, "a JSON object is expected");
        json_decref(document->root);
        document->root = NULL;
        return false;
    }
    return true;
}

void kw_document_free(struct kw_document *document) {
    json_decref(document->root);
    free(document->name);
    free(document->text);
    if (document->lines != NULL) {
        kw_lines_free(*document->lines);
    }
    free((void *)document->lines);
    *document = (struct kw_document){.name = NULL};
}

/* --- lines --- */

unsigned kw_document_line(const struct kw_document *document,
                          const char *field) {
    struct kw_lines **lines = document->lines;
    if (document->root == NULL || lines == NULL) {
        return 1;
    }
    if (*lines == NULL) {
        *lines = kw_lines_new(document->text, document->size);
    }
    return *lines == NULL ? 1 : kw_lines_of(*lines, field);
}
