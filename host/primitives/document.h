/* host/primitives/document.h: JSON files whose errors name file, line, field.
 *
 * jansson reads (duplicate members are refused); one more pass over the text
 * notes the line of every field, when there is something to say.
 * A field is written as a path: "mappings[12].primitive".
 * Knows host/error.h and host/files.h. */
#ifndef KW_HOST_PRIMITIVES_DOCUMENT_H
#define KW_HOST_PRIMITIVES_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/error.h"

#define KW_DOCUMENT_LIMIT (4U << 20) /* bytes of one file */
#define KW_FIELD_SIZE     192

struct kw_lines;
struct kw_document {
    char *name;
    char *text;
    size_t size;
    json_t *root;            /* an object */
    struct kw_lines **lines; /* made when first asked for */
};

/* What is wrong with documents, in the order found: objects with "file",
 * "line", "field", "severity" ("error" or "warning") and "message". After so
 * many they are counted, no more listed. */
#define KW_PROBLEMS_MAX 10000
struct kw_problems {
    json_t *list;
    size_t errors;
    size_t warnings;
};

void kw_problems_init(struct kw_problems *problems);
void kw_problems_free(struct kw_problems *problems);

/* field NULL: the file as a whole. */
void kw_problem(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
void kw_warning(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The first error as the error of a command: KW_PARSE; KW_OK when there is
 * none. */
KW_MUST_USE kw_status kw_problems_status(const struct kw_problems *problems,
                                         struct kw_error *error);

/* Reads a file, or bytes under a name. False: a problem was added. A file is
 * somebody's: its texts are checked too. Free it in either case. */
bool kw_document_read(struct kw_document *document, const char *path,
                      struct kw_problems *problems);
bool kw_document_parse(struct kw_document *document, const char *name,
                       const char *text, size_t size,
                       struct kw_problems *problems);
/* Adds a problem for each text and name with a control character. */
bool kw_document_texts(const struct kw_document *document,
                       struct kw_problems *problems);
void kw_document_free(struct kw_document *document);

/* The line of a field, or of the nearest thing around it; 1 at least. */
unsigned kw_document_line(const struct kw_document *document,
                          const char *field);

/* --- shapes --- */

enum kw_kind {
    KW_KIND_TEXT,    /* a string that is not empty */
    KW_KIND_TEXTS,   /* an array of them */
    KW_KIND_ID,      /* letters, digits and " .-_()/": fit for any output */
    KW_KIND_COUNT,   /* an integer from 0 to a million */
    KW_KIND_FLAG,    /* true or false */
    KW_KIND_OBJECT,  /* of the inner shape */
    KW_KIND_OBJECTS, /* an array of them */
    KW_KIND_MAP,     /* any members, each an array of strings */
    KW_KIND_ANY,
};

struct kw_shape;
struct kw_member {
    const char *name; /* NULL ends the list */
    enum kw_kind kind;
    bool required;
    const struct kw_member *inner;
    const char *const *words; /* the texts allowed; NULL: all */
};

/* Adds a problem for each member that is missing, unknown (with the nearest
 * known name) or of another kind. True: the object has the shape. */
bool kw_shape_check(const struct kw_document *document, const json_t *object,
                    const char *field, const struct kw_member *members,
                    struct kw_problems *problems);

/* --- names --- */

/* The name that is nearest to a wrong one; NULL: none is near. */
const char *kw_nearest(const char *wrong, const char *const *names,
                       size_t count);

#endif
