/* host/primitives/document_text.c: characters that a terminal, an editor or
 * a page would act on have no place in a name or a text. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "host/primitives/document.h"

struct walk {
    const struct kw_document *document;
    struct kw_problems *problems;
    bool ok;
};

/* Controls of ASCII and of Latin-1, and the marks that turn the direction of
 * what follows, so that a text reads otherwise than it is (U+202A to U+202E,
 * U+2066 to U+2069). Text is UTF-8, as jansson saw to. */
static bool acts(const unsigned char *text) {
    if (text[0] < 0x20 || text[0] == 0x7F) {
        return true;
    }
    if (text[0] == 0xC2) {
        return text[1] < 0xA0;
    }
    return text[0] == 0xE2 &&
           ((text[1] == 0x80 && text[2] >= 0xAA && text[2] <= 0xAE) ||
            (text[1] == 0x81 && text[2] >= 0xA6 && text[2] <= 0xA9));
}

void kw_make_printable(char *text) {
    for (; *text != '\0'; text++) {
        if (!acts((const unsigned char *)text)) {
            continue;
        }
        const unsigned char first = (unsigned char)*text;
        const size_t size = first < 0x80 ? 1 : first == 0xC2 ? 2 : 3;
        for (size_t i = 0; i < size && text[i] != '\0'; i++) {
            text[i] = '?';
        }
    }
}

static void check_text(struct walk *walk, const char *text, const char *path) {
    for (; *text != '\0'; text++) {
        if (acts((const unsigned char *)text)) {
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
