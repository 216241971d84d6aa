/* host/primitives/catalogue_words.c: the tables as the engine's words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/primitives/catalogue_parts.h"

#define EVERY_MODEL UINT32_MAX

struct make {
    struct kw_catalogue *catalogue;
    struct kw_problems *problems;
    const struct kw_document *document;
    struct kw_word_list section[KW_ENGINE_SECTIONS];
    uint32_t records[KW_ENGINE_SECTIONS];
};

static void push(struct make *make, struct kw_word_list *list, uint32_t word) {
    if (list->count == list->room) {
        const uint32_t room = list->room == 0 ? 256 : list->room * 2;
        uint32_t *bigger = realloc(list->word, room * sizeof *bigger);
        if (bigger == NULL) {
            make->catalogue->failed = true;
            return;
        }
        list->word = bigger;
        list->room = room;
    }
    list->word[list->count++] = word;
}

static void record(struct make *make, enum kw_engine_section section,
                   const uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        push(make, &make->section[section], words[i]);
    }
    make->records[section]++;
}

#define RECORD(make, section, ...)                                             \
    do {                                                                       \
        const uint32_t words_[] = {__VA_ARGS__};                               \
        record(make, section, words_, sizeof words_ / sizeof *words_);         \
    } while (0)

/* The run of the named entries of a table; unknown names are problems. */
static struct kw_engine_run run_of(struct make *make, const json_t *array,
                                   const struct kw_table *table,
                                   const char *field, const char *what) {
    struct kw_word_list *list = &make->section[KW_ENGINE_SECTION_LIST];
    struct kw_engine_run run = {.first = list->count};
    size_t index;
    json_t *entry;
    json_array_foreach(array, index, entry) {
        const char *name = json_string_value(entry);
        const uint32_t found =
            name == NULL ? KW_ENGINE_NONE : kw_table_find(table, name);
        if (found == KW_ENGINE_NONE) {
            kw_unknown(make->problems, make->document, field, what,
                       name == NULL ? "" : name, table);
            continue;
        }
        push(make, list, found);
        run.count++;
    }
    return run;
}

static uint32_t rank(const char *word, const char *const *words) {
    uint32_t index = 0;
    while (words[index] != NULL && strcmp(words[index], word) != 0) {
        index++;
    }
    return index;
}

static uint32_t confidence_of(const json_t *entry) {
    static const char *const WORDS[] = {"low", "medium", "high", NULL};
    return rank(kw_text(entry, "confidence"), WORDS);
}

static uint32_t layer_of(const json_t *entry) {
    static const char *const WORDS[] = {"seed", "derived", "user", NULL};
    return rank(kw_text(entry, "layer"), WORDS);
}

/* --- primitives --- */

static uint32_t models_of(const json_t *edge) {
    const json_t *models = json_object_get(edge, "models");
    uint32_t mask = 0;
    size_t index;
    json_t *entry;
    json_array_foreach(models, index, entry) {
        mask |= strcmp(json_string_value(entry), "table5") == 0 ? 2U : 1U;
    }
    return models == NULL ? EVERY_MODEL : mask;
}

static void make_edges(struct make *make, json_t *primitive, size_t at,
                       const char *kind) {
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *edge;
    const uint32_t from =
        kw_table_find(&make->catalogue->primitives, kw_text(primitive, "id"));
    json_array_foreach(json_object_get(primitive, kind), index, edge) {
        const uint32_t to =
            kw_table_find(&make->catalogue->primitives, kw_text(edge, "id"));
        (void)snprintf(field, sizeof field, "primitives[%zu].%s[%zu].id", at,
                       kind, index);
        if (to == KW_ENGINE_NONE) {
            kw_unknown(make->problems, make->document, field, "primitive",
                       kw_text(edge, "id"), &make->catalogue->primitives);
            continue;
        }
        const bool conditional =
            json_is_true(json_object_get(edge, "conditional"));
        const uint32_t flags =
            (strcmp(kind, "mandatory") == 0 ? KW_ENGINE_MANDATORY : 0) |
            (conditional ? KW_ENGINE_CONDITIONAL : 0);
        RECORD(make, KW_ENGINE_SECTION_EDGES, from, to, flags, models_of(edge));
        (void)kw_table_add(make->catalogue, &make->catalogue->edges, NULL, "",
                           edge);
    }
}

static void make_primitives(struct make *make) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(make->document->root, "primitives"),
                       index, entry) {
        RECORD(make, KW_ENGINE_SECTION_PRIMITIVES,
               strcmp(kw_text(entry, "kind"), "process") == 0);
        make_edges(make, entry, index, "mandatory");
        make_edges(make, entry, index, "optional");
    }
}

/* --- algorithms --- */

static const json_t *family_of(const struct kw_catalogue *catalogue,
                               const char *item) {
    for (size_t i = 0; i < catalogue->document_count; i++) {
        const json_t *family = json_object_get(
            json_object_get(catalogue->documents[i].root, "families"), item);
        if (family != NULL) {
            return family;
        }
    }
    return NULL;
}

static void make_items(struct make *make) {
    const struct kw_table *items = &make->catalogue->items;
    for (uint32_t i = 0; i < items->count; i++) {
        const struct kw_engine_run run =
            run_of(make, family_of(make->catalogue, items->id[i]), items,
                   "families", "algorithm");
        RECORD(make, KW_ENGINE_SECTION_ITEMS, run.first, run.count);
    }
}

static void make_algorithms(struct make *make) {
    const struct kw_catalogue *catalogue = make->catalogue;
    for (uint32_t i = 0; i < catalogue->algorithms.count; i++) {
        json_t *entry = catalogue->algorithms.entry[i];
        json_t *self = json_pack("[s]", catalogue->algorithms.id[i]);
        const json_t *needs =
            entry == NULL ? self : json_object_get(entry, "requires_all");
        const struct kw_engine_run run =
            run_of(make, needs, &catalogue->items, "requirements", "algorithm");
        const struct kw_engine_run blocks =
            run_of(make, json_object_get(entry, "building_blocks"),
                   &catalogue->items, "requirements", "algorithm");
        RECORD(make, KW_ENGINE_SECTION_ALGORITHMS, run.first, run.count,
               blocks.first, blocks.count);
        json_decref(self);
    }
}

static void make_profiles(struct make *make) {
    const struct kw_table *algorithms = &make->catalogue->algorithms;
    char field[KW_FIELD_SIZE];
    size_t index;
    size_t choice;
    json_t *entry;
    json_t *names;
    json_array_foreach(json_object_get(make->document->root, "profiles"), index,
                       entry) {
        (void)snprintf(field, sizeof field, "profiles[%zu].protocol", index);
        const char *protocol = kw_text(entry, "protocol");
        const uint32_t found = kw_table_find(algorithms, protocol);
        if (found == KW_ENGINE_NONE) {
            kw_unknown(make->problems, make->document, field, "algorithm",
                       protocol, algorithms);
            continue;
        }
        const uint32_t first = make->records[KW_ENGINE_SECTION_CHOICES];
        (void)snprintf(field, sizeof field, "profiles[%zu].choices", index);
        json_array_foreach(json_object_get(entry, "choices"), choice, names) {
            const struct kw_engine_run run =
                run_of(make, names, algorithms, field, "algorithm");
            RECORD(make, KW_ENGINE_SECTION_CHOICES, run.first, run.count);
        }
        RECORD(make, KW_ENGINE_SECTION_PROFILES, found, first,
               make->records[KW_ENGINE_SECTION_CHOICES] - first);
    }
}

/* --- standards --- */

/* The bits of the named levels or types; an unknown one is a problem. */
static uint32_t
mask_of(struct make *make, const json_t *names, const char *field,
        uint32_t (*find)(const json_t *standard, const char *name)) {
    uint32_t mask = 0;
    size_t index;
    json_t *entry;
    json_array_foreach(names, index, entry) {
        const uint32_t bit =
            find(make->document->root, json_string_value(entry));
        if (bit >= KW_ENGINE_LEVELS_MAX) {
            kw_problem(make->problems, make->document, field,
                       "the standard has no \"%.40s\"",
                       json_string_value(entry));
            continue;
        }
        mask |= 1U << bit;
    }
    return mask;
}

/* The requirements of this document's standard, of which so many have their
 * words. */
static struct kw_table own_requirements(const struct make *make, size_t done) {
    const uint32_t first =
        make->records[KW_ENGINE_SECTION_REQUIREMENTS] - (uint32_t)done;
    return (struct kw_table){.id = make->catalogue->requirements.id + first,
                             .count = (uint32_t)json_array_size(json_object_get(
                                 make->document->root, "requirements"))};
}

static uint32_t base_of(struct make *make, size_t index, const json_t *entry) {
    const char *base = kw_text(entry, "base");
    const struct kw_table own = own_requirements(make, index);
    char field[KW_FIELD_SIZE];
    if (base[0] == '\0') {
        return KW_ENGINE_NONE;
    }
    (void)snprintf(field, sizeof field, "requirements[%zu].base", index);
    const uint32_t found = kw_catalogue_requirement(
        make->catalogue, kw_text(make->document->root, "id"), base);
    if (found == KW_ENGINE_NONE) {
        kw_unknown(make->problems, make->document, field, "base", base, &own);
    }
    return found;
}

static uint32_t group_of(struct make *make, const json_t *entry,
                         const char *field) {
    const char *group = kw_text(entry, "group");
    if (group[0] == '\0') {
        return 0;
    }
    const uint32_t found = kw_standard_group(make->document->root, group);
    if (found >= KW_ENGINE_GROUPS_MAX) {
        kw_problem(make->problems, make->document, field,
                   "the standard has no group \"%.40s\"", group);
        return 0;
    }
    return found;
}

static void make_requirement(struct make *make, uint32_t standard, size_t index,
                             const json_t *entry) {
    char field[KW_FIELD_SIZE];
    const json_t *root = make->document->root;
    const json_t *levels = json_object_get(entry, "levels");
    (void)snprintf(field, sizeof field, "requirements[%zu].levels", index);
    uint32_t mask = mask_of(make, levels, field, kw_standard_level);
    if (levels == NULL && json_object_get(root, "levels") != NULL) {
        mask = UINT32_MAX;
    }
    (void)snprintf(field, sizeof field, "requirements[%zu].types", index);
    const uint32_t types =
        mask_of(make, json_object_get(entry, "types"), field, kw_standard_type);
    (void)snprintf(field, sizeof field, "requirements[%zu].group", index);
    const uint32_t group = group_of(make, entry, field);
    const uint32_t base = base_of(make, index, entry);
    RECORD(make, KW_ENGINE_SECTION_REQUIREMENTS, standard, mask, types, group,
           base, json_is_true(json_object_get(entry, "constraint")));
}

/* The same link twice, for the same component types, is a slip. */
static void add_mapping(struct make *make, size_t index, json_t *entry,
                        const struct kw_engine_mapping *mapping) {
    char field[KW_FIELD_SIZE];
    char key[40];
    (void)snprintf(key, sizeof key, "%u %u %u", mapping->primitive,
                   mapping->requirement, mapping->types);
    if (!kw_table_add(make->catalogue, &make->catalogue->mappings, key, "",
                      entry)) {
        (void)snprintf(field, sizeof field, "mappings[%zu]", index);
        kw_problem(make->problems, make->document, field,
                   "\"%.60s\" is mapped to \"%.60s\" twice",
                   kw_text(entry, "requirement"), kw_text(entry, "primitive"));
        return;
    }
    RECORD(make, KW_ENGINE_SECTION_MAPPINGS, mapping->primitive,
           mapping->requirement, mapping->layer, mapping->confidence,
           mapping->types);
}

static void make_mapping(struct make *make, size_t index, json_t *entry) {
    char field[KW_FIELD_SIZE];
    const struct kw_catalogue *catalogue = make->catalogue;
    const char *primitive = kw_text(entry, "primitive");
    const uint32_t from = kw_table_find(&catalogue->primitives, primitive);
    const uint32_t to =
        kw_catalogue_requirement(catalogue, kw_text(make->document->root, "id"),
                                 kw_text(entry, "requirement"));
    (void)snprintf(field, sizeof field, "mappings[%zu].primitive", index);
    if (from == KW_ENGINE_NONE) {
        kw_unknown(make->problems, make->document, field, "primitive",
                   primitive, &catalogue->primitives);
        return;
    }
    (void)snprintf(field, sizeof field, "mappings[%zu].requirement", index);
    if (to == KW_ENGINE_NONE) {
        const struct kw_table own =
            own_requirements(make, json_array_size(json_object_get(
                                       make->document->root, "requirements")));
        kw_unknown(make->problems, make->document, field, "requirement",
                   kw_text(entry, "requirement"), &own);
        return;
    }
    (void)snprintf(field, sizeof field, "mappings[%zu].types", index);
    const uint32_t types =
        mask_of(make, json_object_get(entry, "types"), field, kw_standard_type);
    add_mapping(make, index, entry,
                &(struct kw_engine_mapping){from, to, layer_of(entry),
                                            confidence_of(entry), types});
}

static void make_standard(struct make *make) {
    const json_t *root = make->document->root;
    const uint32_t standard = make->records[KW_ENGINE_SECTION_STANDARDS];
    size_t index;
    json_t *entry;
    const json_t *list = json_object_get(root, "requirements");
    RECORD(make, KW_ENGINE_SECTION_STANDARDS,
           make->records[KW_ENGINE_SECTION_REQUIREMENTS],
           (uint32_t)json_array_size(list),
           (uint32_t)json_array_size(
               json_object_get(json_object_get(root, "levels"), "values")),
           (uint32_t)json_array_size(json_object_get(root, "types")),
           (uint32_t)json_array_size(json_object_get(root, "groups")));
    json_array_foreach(list, index, entry) {
        make_requirement(make, standard, index, entry);
    }
    json_array_foreach(json_object_get(root, "mappings"), index, entry) {
        make_mapping(make, index, entry);
    }
}

/* --- parts --- */

static void make_features(struct make *make, json_t *root) {
    static const char *const SUPPORTS[] = {"none", "partial", "full", NULL};
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(root, "features"), index, entry) {
        const char *primitive = kw_text(entry, "primitive");
        const uint32_t found =
            kw_table_find(&make->catalogue->primitives, primitive);
        (void)snprintf(field, sizeof field, "features[%zu].primitive", index);
        if (found == KW_ENGINE_NONE) {
            kw_unknown(make->problems, make->document, field, "primitive",
                       primitive, &make->catalogue->primitives);
            continue;
        }
        const struct kw_engine_run run =
            run_of(make, json_object_get(entry, "algorithms"),
                   &make->catalogue->items, field, "algorithm");
        RECORD(make, KW_ENGINE_SECTION_FEATURES, found,
               strcmp(kw_text(entry, "usage"), "general") == 0,
               rank(kw_text(entry, "support"), SUPPORTS), confidence_of(entry),
               run.first, run.count);
        (void)kw_table_add(make->catalogue, &make->catalogue->features, NULL,
                           kw_text(root, "id"), entry);
    }
}

static uint32_t cost_of(const json_t *root) {
    return (uint32_t)json_integer_value(
        json_object_get(json_object_get(root, "cost"), "cents"));
}

static uint32_t role_of(const json_t *root) {
    const char *type = kw_text(root, "type");
    if (strcmp(type, "mcu") == 0) {
        return KW_ENGINE_ROLE_MAIN;
    }
    return strcmp(type, "combo") == 0 ? KW_ENGINE_ROLE_COMBINATION
                                      : KW_ENGINE_ROLE_BESIDE;
}

static void make_part(struct make *make) {
    json_t *root = make->document->root;
    const uint32_t first = make->records[KW_ENGINE_SECTION_FEATURES];
    uint32_t cost = cost_of(root);
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    make_features(make, root);
    json_array_foreach(json_object_get(root, "members"), index, entry) {
        const char *id = json_string_value(entry);
        const uint32_t member = kw_table_find(&make->catalogue->parts, id);
        (void)snprintf(field, sizeof field, "members[%zu]", index);
        if (member == KW_ENGINE_NONE) {
            kw_unknown(make->problems, make->document, field, "platform", id,
                       &make->catalogue->parts);
            continue;
        }
        json_t *part = make->catalogue->parts.entry[member];
        if (json_object_get(part, "members") != NULL) {
            kw_problem(make->problems, make->document, field,
                       "\"%.60s\" has members itself", id);
            continue;
        }
        make_features(make, part);
        cost += cost_of(part);
    }
    RECORD(make, KW_ENGINE_SECTION_PARTS, cost, first,
           make->records[KW_ENGINE_SECTION_FEATURES] - first, role_of(root));
}

/* --- all --- */

static void each(struct make *make, const char *schema,
                 void (*visit)(struct make *make)) {
    for (size_t i = 0; i < make->catalogue->document_count; i++) {
        make->document = &make->catalogue->documents[i];
        if (kw_document_is(make->document, schema)) {
            visit(make);
        }
    }
}

static void join(struct make *make) {
    struct kw_word_list *words = &make->catalogue->words;
    uint32_t first = KW_ENGINE_HEADER_WORDS;
    push(make, words, KW_ENGINE_MAGIC);
    push(make, words, KW_ENGINE_VERSION);
    push(make, words, 0);
    for (size_t i = 0; i < KW_ENGINE_SECTIONS; i++) {
        push(make, words, first);
        push(make, words, make->records[i]);
        first += make->section[i].count;
    }
    for (size_t i = 0; i < KW_ENGINE_SECTIONS; i++) {
        for (uint32_t n = 0; n < make->section[i].count; n++) {
            push(make, words, make->section[i].word[n]);
        }
    }
    if (!make->catalogue->failed) {
        words->word[2] = words->count;
    }
}

void kw_catalogue_words(struct kw_catalogue *catalogue,
                        struct kw_problems *problems) {
    struct make make = {.catalogue = catalogue, .problems = problems};
    each(&make, KW_SCHEMA_PRIMITIVES, make_primitives);
    make.document = &catalogue->documents[0];
    make_items(&make);
    make_algorithms(&make);
    each(&make, KW_SCHEMA_ALGORITHMS, make_profiles);
    each(&make, KW_SCHEMA_STANDARD, make_standard);
    each(&make, KW_SCHEMA_PLATFORM, make_part);
    for (size_t i = 0; i < KW_ENGINE_SECTIONS; i++) {
        make.records[KW_ENGINE_SECTION_LIST] =
            make.section[KW_ENGINE_SECTION_LIST].count;
    }
    join(&make);
    for (size_t i = 0; i < KW_ENGINE_SECTIONS; i++) {
        free(make.section[i].word);
    }
}
