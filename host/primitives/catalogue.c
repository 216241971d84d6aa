#include "host/primitives/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/primitives/catalogue_parts.h"

/* --- tables --- */

static bool grow(struct kw_table *table) {
    const uint32_t room = table->room == 0 ? 64 : table->room * 2;
    const char **id = realloc((void *)table->id, room * sizeof *id);
    if (id == NULL) {
        return false;
    }
    table->id = id;
    json_t **entry = realloc((void *)table->entry, room * sizeof(void *));
    if (entry == NULL) {
        return false;
    }
    table->entry = entry;
    table->room = room;
    return true;
}

bool kw_table_add(struct kw_catalogue *catalogue, struct kw_table *table,
                  const char *key, const char *id, json_t *entry) {
    if (table->index == NULL) {
        table->index = json_object();
    }
    if (key != NULL && json_object_get(table->index, key) != NULL) {
        return false;
    }
    if (table->count == table->room && !grow(table)) {
        catalogue->failed = true;
        return true;
    }
    if (key != NULL) {
        json_object_set_new(table->index, key, json_integer(table->count));
    }
    table->id[table->count] = id;
    table->entry[table->count++] = entry;
    return true;
}

static void table_free(struct kw_table *table) {
    free((void *)table->id);
    free((void *)table->entry);
    json_decref(table->index);
}

uint32_t kw_table_find(const struct kw_table *table, const char *id) {
    const json_t *found = json_object_get(table->index, id);
    return found == NULL ? KW_ENGINE_NONE : (uint32_t)json_integer_value(found);
}

uint32_t kw_catalogue_requirement(const struct kw_catalogue *catalogue,
                                  const char *standard, const char *id) {
    char key[300];
    (void)snprintf(key, sizeof key, "%.100s %.180s", standard, id);
    return kw_table_find(&catalogue->requirements, key);
}

const char *kw_text(const json_t *entry, const char *member) {
    const char *text = json_string_value(json_object_get(entry, member));
    return text == NULL ? "" : text;
}

void kw_unknown(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *what, const char *wrong,
                const struct kw_table *table) {
    const char *nearest = kw_nearest(wrong, table->id, table->count);
    kw_problem(
        problems, document, field, "unknown %s \"%.80s\"%s%s", what, wrong,
        nearest == NULL ? "" : "; nearest: ", nearest == NULL ? "" : nearest);
}

/* --- what a standard names --- */

static uint32_t find_id(const json_t *array, const char *id) {
    size_t index;
    json_t *entry;
    json_array_foreach(array, index, entry) {
        const char *text = json_is_string(entry) ? json_string_value(entry)
                                                 : kw_text(entry, "id");
        if (strcmp(text, id) == 0) {
            return (uint32_t)index;
        }
    }
    return KW_ENGINE_NONE;
}

uint32_t kw_standard_level(const json_t *standard, const char *value) {
    return find_id(
        json_object_get(json_object_get(standard, "levels"), "values"), value);
}

uint32_t kw_standard_type(const json_t *standard, const char *id) {
    return find_id(json_object_get(standard, "types"), id);
}

uint32_t kw_standard_group(const json_t *standard, const char *id) {
    return find_id(json_object_get(standard, "groups"), id);
}

/* --- the whole --- */

bool kw_document_is(const struct kw_document *document, const char *schema) {
    return strcmp(kw_text(document->root, "schema"), schema) == 0;
}

void kw_catalogue_free(struct kw_catalogue *catalogue) {
    struct kw_table *const tables[] = {
        &catalogue->primitives,   &catalogue->items,
        &catalogue->algorithms,   &catalogue->standards,
        &catalogue->requirements, &catalogue->mappings,
        &catalogue->parts,        &catalogue->features,
        &catalogue->edges,
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        table_free(tables[i]);
    }
    for (size_t i = 0; i < catalogue->document_count; i++) {
        kw_document_free(&catalogue->documents[i]);
    }
    free(catalogue->documents);
    free(catalogue->words.word);
    *catalogue = (struct kw_catalogue){.document_count = 0};
}
