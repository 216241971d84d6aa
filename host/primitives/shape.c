/* host/primitives/shape.c: whether an object has the members that it
 * should. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/primitives/document.h"

#define NAME_MAX_SIZE 64

/* --- the nearest name --- */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein's distance of two short names. */
static size_t distance(const char *a, const char *b) {
    size_t row[NAME_MAX_SIZE + 1];
    const size_t size = strlen(b);
    if (strlen(a) > NAME_MAX_SIZE || size > NAME_MAX_SIZE) {
        return SIZE_MAX;
    }
    for (size_t n = 0; n <= size; n++) {
        row[n] = n;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t corner = row[0]++;
        for (size_t n = 0; n < size; n++) {
            const size_t change = corner + (a[i] != b[n]);
            corner = row[n + 1];
            row[n + 1] = least(change, least(row[n], row[n + 1]) + 1);
        }
    }
    return row[size];
}

const char *kw_nearest(const char *wrong, const char *const *names,
                       size_t count) {
    const char *nearest = NULL;
    size_t best = strlen(wrong) / 2 + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t far = distance(wrong, names[i]);
        if (far < best) {
            best = far;
            nearest = names[i];
        }
    }
    return nearest;
}

/* --- kinds --- */

static const char *const KIND_WORDS[] = {
    [KW_KIND_TEXT] = "a text that is not empty",
    [KW_KIND_TEXTS] = "an array of texts",
    [KW_KIND_ID] = "an id: letters, digits, space and . - _ ( ) /",
    [KW_KIND_COUNT] = "a whole number from 0 to 1000000",
    [KW_KIND_FLAG] = "true or false",
    [KW_KIND_OBJECT] = "an object",
    [KW_KIND_OBJECTS] = "an array of objects",
    [KW_KIND_MAP] = "an object of arrays of texts",
    [KW_KIND_ANY] = "anything",
};

static bool is_text(const json_t *value) {
    return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_id(const json_t *value) {
    static const char FIT[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789 .-_()/";
    const char *text = json_string_value(value);
    return is_text(value) && json_string_length(value) <= NAME_MAX_SIZE &&
           strspn(text, FIT) == strlen(text);
}

static bool all(const json_t *array, bool (*test)(const json_t *value)) {
    size_t index;
    json_t *value;
    if (!json_is_array(array)) {
        return false;
    }
    json_array_foreach(array, index, value) {
        if (!test(value)) {
            return false;
        }
    }
    return true;
}

static bool is_object(const json_t *value) {
    return json_is_object(value);
}

static bool is_map(const json_t *value) {
    void *at = NULL;
    if (!json_is_object(value)) {
        return false;
    }
    for (at = json_object_iter((json_t *)value); at != NULL;
         at = json_object_iter_next((json_t *)value, at)) {
        if (!all(json_object_iter_value(at), is_text)) {
            return false;
        }
    }
    return true;
}

static bool is_count(const json_t *value) {
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) <= 1000000;
}

static bool is_kind(const json_t *value, enum kw_kind kind) {
    switch (kind) {
    case KW_KIND_TEXT:
        return is_text(value);
    case KW_KIND_TEXTS:
        return all(value, is_text);
    case KW_KIND_ID:
        return is_id(value);
    case KW_KIND_COUNT:
        return is_count(value);
    case KW_KIND_FLAG:
        return json_is_boolean(value);
    case KW_KIND_OBJECT:
        return json_is_object(value);
    case KW_KIND_OBJECTS:
        return all(value, is_object);
    case KW_KIND_MAP:
        return is_map(value);
    case KW_KIND_ANY:
        return true;
    }
    return false;
}

static bool is_word(const char *text, const char *const *words) {
    while (*words != NULL && strcmp(*words, text) != 0) {
        words++;
    }
    return *words != NULL;
}

/* --- objects --- */

static void join(char *path, const char *field, const char *name) {
    (void)snprintf(path, KW_FIELD_SIZE, "%s%s%.80s", field,
                   field[0] == '\0' ? "" : ".", name);
}

static bool check_inner(const struct kw_document *document, const json_t *value,
                        const char *path, const struct kw_member *member,
                        struct kw_problems *problems) {
    bool ok = true;
    size_t index;
    json_t *entry;
    if (member->kind == KW_KIND_OBJECT) {
        return kw_shape_check(document, value, path, member->inner, problems);
    }
    json_array_foreach(value, index, entry) {
        char inner[KW_FIELD_SIZE + 24];
        (void)snprintf(inner, sizeof inner, "%s[%zu]", path, index);
        inner[KW_FIELD_SIZE - 1] = '\0';
        ok = kw_shape_check(document, entry, inner, member->inner, problems) &&
             ok;
    }
    return ok;
}

static bool check_member(const struct kw_document *document,
                         const json_t *object, const char *field,
                         const struct kw_member *member,
                         struct kw_problems *problems) {
    char path[KW_FIELD_SIZE];
    const json_t *value = json_object_get(object, member->name);
    join(path, field, member->name);
    if (value == NULL && member->required) {
        kw_problem(problems, document, path, "is missing");
    }
    if (value == NULL) {
        return !member->required;
    }
    if (!is_kind(value, member->kind)) {
        kw_problem(problems, document, path, "should be %s",
                   KIND_WORDS[member->kind]);
        return false;
    }
    if (member->words != NULL && json_is_string(value) &&
        !is_word(json_string_value(value), member->words)) {
        kw_problem(problems, document, path, "\"%.60s\" is none of its words",
                   json_string_value(value));
        return false;
    }
    return member->inner == NULL ||
           check_inner(document, value, path, member, problems);
}

static bool check_unknown(const struct kw_document *document,
                          const json_t *object, const char *field,
                          const struct kw_member *members,
                          struct kw_problems *problems) {
    const char *names[32];
    size_t count = 0;
    bool ok = true;
    for (; count < 32 && members[count].name != NULL; count++) {
        names[count] = members[count].name;
    }
    json_t *known = (json_t *)object;
    for (void *at = json_object_iter(known); at != NULL;
         at = json_object_iter_next(known, at)) {
        char path[KW_FIELD_SIZE];
        const char *name = json_object_iter_key(at);
        bool found = false;
        for (size_t i = 0; i < count; i++) {
            found = found || strcmp(names[i], name) == 0;
        }
        if (found) {
            continue;
        }
        const char *nearest = kw_nearest(name, names, count);
        join(path, field, name);
        kw_problem(problems, document, path, "unknown member%s%s",
                   nearest == NULL ? "" : "; nearest: ",
                   nearest == NULL ? "" : nearest);
        ok = false;
    }
    return ok;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the shapes are */
bool kw_shape_check(const struct kw_document *document, const json_t *object,
                    const char *field, const struct kw_member *members,
                    struct kw_problems *problems) {
    bool ok = check_unknown(document, object, field, members, problems);
    for (const struct kw_member *member = members; member->name != NULL;
         member++) {
        ok = check_member(document, object, field, member, problems) && ok;
    }
    return ok;
}
