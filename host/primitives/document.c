#include "host/primitives/document.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/files.h"

/* --- problems --- */

void kw_problems_init(struct kw_problems *problems) {
    problems->list = json_array();
    problems->errors = 0;
}

void kw_problems_free(struct kw_problems *problems) {
    json_decref(problems->list);
    problems->list = NULL;
}

/* Keeps what another program would act on out of messages. */
static void printable(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            *text = '?';
        }
    }
}

static json_t *text_or(const char *text, const char *instead) {
    json_t *value = json_string(text);
    return value != NULL ? value : json_string(instead);
}

static void add(struct kw_problems *problems,
                const struct kw_document *document, unsigned line,
                const char *field, const char *severity, char *message) {
    json_t *entry = json_object();
    printable(message);
    json_object_set_new(entry, "file", text_or(document->name, "?"));
    json_object_set_new(entry, "line", json_integer(line));
    json_object_set_new(entry, "field", text_or(field, "?"));
    json_object_set_new(entry, "severity", json_string(severity));
    json_object_set_new(entry, "message", text_or(message, "not UTF-8"));
    json_array_append_new(problems->list, entry);
}

void kw_problem(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *format, ...) {
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    problems->errors++;
    add(problems, document,
        field == NULL ? 1 : kw_document_line(document, field),
        field == NULL ? "" : field, "error", message);
}

void kw_warning(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *format, ...) {
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    add(problems, document,
        field == NULL ? 1 : kw_document_line(document, field),
        field == NULL ? "" : field, "warning", message);
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

/* --- reading --- */

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
    *document = (struct kw_document){
        .name = strdup(name), .text = malloc(size + 1), .size = size};
    if (document->name == NULL || document->text == NULL) {
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

bool kw_document_read(struct kw_document *document, const char *path,
                      struct kw_problems *problems) {
    struct kw_error error;
    uint8_t *data = NULL;
    size_t size = 0;
    if (kw_file_read(path, KW_DOCUMENT_LIMIT, &data, &size, &error) != KW_OK) {
        *document = (struct kw_document){.name = strdup(path)};
        kw_problem(problems, document, NULL, "%s", error.message);
        return false;
    }
    const bool ok =
        kw_document_parse(document, path, (const char *)data, size, problems);
    free(data);
    return ok;
}

void kw_document_free(struct kw_document *document) {
    json_decref(document->root);
    free(document->name);
    free(document->text);
    *document = (struct kw_document){.name = NULL};
}

/* --- lines --- */

struct scan {
    const char *at;
    const char *end;
    unsigned line;
    const char *wanted;
    size_t wanted_size;
    size_t best_size; /* of the longest path around the field so far */
    unsigned best_line;
    char path[KW_FIELD_SIZE];
};

static void skip_space(struct scan *scan) {
    while (scan->at < scan->end && strchr(" \t\r\n,:", *scan->at) != NULL) {
        scan->line += *scan->at == '\n' ? 1U : 0U;
        scan->at++;
    }
}

/* Over a string, whose text without quotes goes into *text. */
static size_t skip_string(struct scan *scan, const char **text) {
    const char *start = ++scan->at;
    while (scan->at < scan->end && *scan->at != '"') {
        scan->at += *scan->at == '\\' && scan->at + 1 < scan->end ? 2 : 1;
    }
    *text = start;
    const size_t size = (size_t)(scan->at - start);
    scan->at += scan->at < scan->end;
    return size;
}

/* The path of this value is the wanted one, or leads to it. */
static void consider(struct scan *scan, size_t size) {
    const bool ends = size >= scan->wanted_size || scan->wanted[size] == '.' ||
                      scan->wanted[size] == '[';
    const bool leads = size <= scan->wanted_size &&
                       memcmp(scan->path, scan->wanted, size) == 0 &&
                       (size == 0 || ends);
    if (leads && (size >= scan->best_size || scan->best_line == 0)) {
        scan->best_size = size;
        scan->best_line = scan->line;
    }
}

static void scan_value(struct scan *scan, size_t size);

static void scan_members(struct scan *scan, size_t size) {
    for (unsigned index = 0;; index++) {
        const char *name = "";
        skip_space(scan);
        if (scan->at >= scan->end || *scan->at == '}' || *scan->at == ']') {
            scan->at += scan->at < scan->end;
            return;
        }
        int wrote = 0;
        /* An object's member is a string and a colon. */
        const char *before = scan->at;
        const unsigned line = scan->line;
        if (*scan->at == '"') {
            const size_t length = skip_string(scan, &name);
            skip_space(scan);
            const bool is_member =
                scan->at > before + length + 2 &&
                memchr(before + length + 2, ':',
                       (size_t)(scan->at - before) - length - 2) != NULL;
            if (is_member) {
                wrote = snprintf(scan->path + size, sizeof scan->path - size,
                                 "%s%.*s", size == 0 ? "" : ".",
                                 (int)(length < 80 ? length : 80), name);
            } else {
                scan->at = before;
                scan->line = line;
            }
        }
        if (wrote == 0) {
            wrote = snprintf(scan->path + size, sizeof scan->path - size,
                             "[%u]", index);
        }
        const size_t longer = size + (wrote > 0 ? (size_t)wrote : 0);
        scan_value(scan,
                   longer < sizeof scan->path ? longer : sizeof scan->path - 1);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as jansson let it be */
static void scan_value(struct scan *scan, size_t size) {
    const char *ignored = NULL;
    consider(scan, size);
    if (scan->at >= scan->end) {
        return;
    }
    if (*scan->at == '{' || *scan->at == '[') {
        scan->at++;
        scan_members(scan, size);
        return;
    }
    if (*scan->at == '"') {
        (void)skip_string(scan, &ignored);
        return;
    }
    while (scan->at < scan->end && strchr(" \t\r\n,}]", *scan->at) == NULL) {
        scan->at++;
    }
}

unsigned kw_document_line(const struct kw_document *document,
                          const char *field) {
    if (document->text == NULL || document->root == NULL) {
        return 1;
    }
    struct scan scan = {.at = document->text,
                        .end = document->text + document->size,
                        .line = 1,
                        .wanted = field,
                        .wanted_size = strlen(field)};
    skip_space(&scan);
    scan_value(&scan, 0);
    return scan.best_line == 0 ? 1 : scan.best_line;
}
