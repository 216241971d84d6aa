/* host/primitives/document_text.c: characters that a terminal, an editor or
 * a page would act on have no place in a name or a text. */
#include <stdio.h>

#include "host/primitives/document.h"
#include "host/primitives/printable.h"

struct walk {
    const struct kw_document *document;
    struct kw_problems *problems;
    bool ok;
};

static void check_text(struct walk *walk, const char *text, const char *path) {
    for (; *text != '\0'; text++) {
        if (kw_text_acts(text)) {
            kw_problem(walk->problems, walk->document, path,
                       "a control character in a text (byte 0x%02x)",
                       (unsigned)(unsigned char)*text);
            walk->ok = false;
            return;
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as jansson let it be */
static void check_value(struct walk *walk, json_t *value, const char *path) {
    char inner[KW_FIELD_SIZE];
    const char *name;
    json_t *entry;
    size_t index;
    json_object_foreach(value, name, entry) {
        (void)snprintf(inner, sizeof inner, "%.100s%s%.80s", path,
                       path[0] == '\0' ? "" : ".", name);
        check_text(walk, name, inner);
        check_value(walk, entry, inner);
    }
    json_array_foreach(value, index, entry) {
        (void)snprintf(inner, sizeof inner, "%.160s[%zu]", path, index);
        check_value(walk, entry, inner);
    }
    if (json_is_string(value)) {
        check_text(walk, json_string_value(value), path);
    }
}

bool kw_document_texts(const struct kw_document *document,
                       struct kw_problems *problems) {
    struct walk walk = {document, problems, true};
    check_value(&walk, document->root, "");
    return walk.ok;
}
