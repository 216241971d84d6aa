/* host/primitives/catalogue_names.c: the tables of ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/primitives/catalogue_parts.h"

struct names {
    struct kw_catalogue *catalogue;
    struct kw_problems *problems;
    const struct kw_document *document;
};

typedef void each_document(struct names *names);

static void each(struct names *names, const char *schema,
                 each_document *visit) {
    for (size_t i = 0; i < names->catalogue->document_count; i++) {
        names->document = &names->catalogue->documents[i];
        if (kw_document_is(names->document, schema)) {
            visit(names);
        }
    }
}

static void add(struct names *names, struct kw_table *table, const char *field,
                const char *what, json_t *entry) {
    const char *id = kw_text(entry, "id");
    if (!kw_table_add(names->catalogue, table, id, id, entry)) {
        kw_problem(names->problems, names->document, field,
                   "%s \"%.80s\" is there twice", what, id);
    }
}

static void add_primitives(struct names *names) {
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(names->document->root, "primitives"),
                       index, entry) {
        (void)snprintf(field, sizeof field, "primitives[%zu].id", index);
        add(names, &names->catalogue->primitives, field, "primitive", entry);
    }
    if (names->catalogue->primitives.count > KW_ENGINE_PRIMITIVES_MAX) {
        kw_problem(names->problems, names->document, "primitives",
                   "more than %d primitives", KW_ENGINE_PRIMITIVES_MAX);
    }
}

static void add_standard(struct names *names) {
    json_t *root = names->document->root;
    struct kw_table *table = &names->catalogue->requirements;
    char field[KW_FIELD_SIZE];
    char key[300];
    size_t index;
    json_t *entry;
    add(names, &names->catalogue->standards, "id", "standard", root);
    json_array_foreach(json_object_get(root, "requirements"), index, entry) {
        const char *id = kw_text(entry, "id");
        (void)snprintf(key, sizeof key, "%.100s %.180s", kw_text(root, "id"),
                       id);
        (void)snprintf(field, sizeof field, "requirements[%zu].id", index);
        if (!kw_table_add(names->catalogue, table, key, id, entry)) {
            kw_problem(names->problems, names->document, field,
                       "requirement \"%.80s\" is there twice", id);
        }
    }
}

static void add_part(struct names *names) {
    const json_t *root = names->document->root;
    add(names, &names->catalogue->parts, "id", "platform",
        names->document->root);
    if (json_array_size(json_object_get(root, "features")) == 0 &&
        json_array_size(json_object_get(root, "members")) == 0) {
        kw_problem(names->problems, names->document, "features",
                   "an empty platform: neither features nor members");
    }
}

/* --- items and algorithms --- */

/* Names that are items, in any order; they are sorted afterwards. */
static void note(struct names *names, json_t *set, const json_t *array) {
    size_t index;
    json_t *entry;
    (void)names;
    json_array_foreach(array, index, entry) {
        if (json_is_string(entry)) {
            json_object_set_new(set, json_string_value(entry), json_true());
        }
    }
}

static void note_algorithms(struct names *names, json_t *set,
                            const json_t *root) {
    const char *name;
    json_t *entry;
    json_object_foreach(json_object_get(root, "families"), name, entry) {
        json_object_set_new(set, name, json_true());
        note(names, set, entry);
    }
    json_object_foreach(json_object_get(root, "requirements"), name, entry) {
        note(names, set, json_object_get(entry, "requires_all"));
        note(names, set, json_object_get(entry, "building_blocks"));
    }
}

static void note_features(struct names *names, json_t *set,
                          const json_t *root) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(root, "features"), index, entry) {
        note(names, set, json_object_get(entry, "algorithms"));
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of the set stay alive as keys of the table's index. */
static void add_items(struct names *names, json_t *set) {
    struct kw_catalogue *catalogue = names->catalogue;
    const size_t size = json_object_size(set);
    const char **sorted = calloc(size + 1, sizeof *sorted);
    size_t count = 0;
    const char *name;
    json_t *entry;
    if (sorted == NULL) {
        catalogue->failed = true;
        return;
    }
    json_object_foreach(set, name, entry) {
        sorted[count++] = name;
    }
    qsort((void *)sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        (void)kw_table_add(catalogue, &catalogue->items, sorted[i], "", NULL);
        catalogue->items.id[i] = json_object_iter_key(
            json_object_iter_at(catalogue->items.index, sorted[i]));
    }
    free((void *)sorted);
}

static void add_algorithms(struct names *names) {
    struct kw_catalogue *catalogue = names->catalogue;
    const char *name;
    json_t *entry;
    json_object_foreach(json_object_get(names->document->root, "requirements"),
                        name, entry) {
        if (!kw_table_add(catalogue, &catalogue->algorithms, name, name,
                          entry)) {
            kw_problem(names->problems, names->document, "requirements",
                       "algorithm \"%.80s\" is there twice", name);
        }
    }
}

/* An item that nobody describes can be asked for by its own name. */
static void add_plain_algorithms(struct kw_catalogue *catalogue) {
    for (uint32_t i = 0; i < catalogue->items.count; i++) {
        (void)kw_table_add(catalogue, &catalogue->algorithms,
                           catalogue->items.id[i], catalogue->items.id[i],
                           NULL);
    }
}

void kw_catalogue_names(struct kw_catalogue *catalogue,
                        struct kw_problems *problems) {
    struct names names = {.catalogue = catalogue, .problems = problems};
    json_t *set = json_object();
    each(&names, KW_SCHEMA_PRIMITIVES, add_primitives);
    each(&names, KW_SCHEMA_STANDARD, add_standard);
    each(&names, KW_SCHEMA_PLATFORM, add_part);
    for (size_t i = 0; i < catalogue->document_count; i++) {
        const struct kw_document *document = &catalogue->documents[i];
        if (kw_document_is(document, KW_SCHEMA_ALGORITHMS)) {
            note_algorithms(&names, set, document->root);
        }
        if (kw_document_is(document, KW_SCHEMA_PLATFORM)) {
            note_features(&names, set, document->root);
        }
    }
    add_items(&names, set);
    each(&names, KW_SCHEMA_ALGORITHMS, add_algorithms);
    add_plain_algorithms(catalogue);
    json_decref(set);
}
