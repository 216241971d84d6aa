#include "host/primitives/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END                                                                    \
    { NULL, KW_KIND_ANY, false, NULL, NULL }

static const struct kw_member NEED[] = {
    {"primitive", KW_KIND_ID, true, NULL, NULL},
    {"text", KW_KIND_TEXT, false, NULL, NULL},
    {"protocols", KW_KIND_TEXTS, false, NULL, NULL},
    {"algorithms", KW_KIND_TEXTS, false, NULL, NULL},
    END,
};

static const struct kw_member USE_CASE[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"title", KW_KIND_TEXT, true, NULL, NULL},
    {"description", KW_KIND_TEXT, false, NULL, NULL},
    {"selected", KW_KIND_OBJECTS, true, NEED, NULL},
    {"implicit_details", KW_KIND_OBJECTS, false, NEED, NULL},
    END,
};

static const struct kw_member EXCLUSION[] = {
    {"primitive", KW_KIND_ID, false, NULL, NULL},
    {"standard", KW_KIND_ID, false, NULL, NULL},
    {"requirement", KW_KIND_TEXT, false, NULL, NULL},
    {"argument", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const struct kw_member GUIDANCE[] = {
    {"primitive", KW_KIND_ID, false, NULL, NULL},
    {"algorithm", KW_KIND_ID, false, NULL, NULL},
    {"text", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const char *const STATUSES[] = {"planned", "passed", "failed", NULL};

static const struct kw_member EVIDENCE[] = {
    {"standard", KW_KIND_ID, true, NULL, NULL},
    {"requirement", KW_KIND_TEXT, true, NULL, NULL},
    {"file", KW_KIND_TEXT, false, NULL, NULL},
    {"url", KW_KIND_TEXT, false, NULL, NULL},
    {"sha256", KW_KIND_TEXT, false, NULL, NULL},
    {"date", KW_KIND_TEXT, true, NULL, NULL},
    {"status", KW_KIND_TEXT, true, NULL, STATUSES},
    END,
};

static const struct kw_member CLOSING[] = {
    {"candidates", KW_KIND_TEXTS, false, NULL, NULL},
    {"forbidden", KW_KIND_TEXTS, false, NULL, NULL},
    {"preferred", KW_KIND_TEXTS, false, NULL, NULL},
    {"costs", KW_KIND_ANY, false, NULL, NULL},
    END,
};

static const char *const CONFIDENCES[] = {"low", "medium", "high", NULL};
static const char *const READINGS[] = {"strict", "interoperable", NULL};
static const char *const MODELS[] = {"text", "table5", NULL};
static const char *const LAYERS[] = {"seed", "derived", "user", NULL};

static const struct kw_member PROJECT[] = {
    {"schema", KW_KIND_TEXT, false, NULL, NULL},
    {"use_case", KW_KIND_OBJECT, false, USE_CASE, NULL},
    {"standard", KW_KIND_ANY, false, NULL, NULL},
    {"platforms", KW_KIND_TEXTS, false, NULL, NULL},
    {"exclusions", KW_KIND_OBJECTS, false, EXCLUSION, NULL},
    {"guidance", KW_KIND_OBJECTS, false, GUIDANCE, NULL},
    {"evidence", KW_KIND_OBJECTS, false, EVIDENCE, NULL},
    {"closing", KW_KIND_OBJECT, false, CLOSING, NULL},
    {"model", KW_KIND_TEXT, false, NULL, MODELS},
    {"reading", KW_KIND_TEXT, false, NULL, READINGS},
    {"min_confidence", KW_KIND_TEXT, false, NULL, CONFIDENCES},
    {"sources", KW_KIND_TEXTS, false, NULL, NULL},
    END,
};

static const struct kw_member TARGET[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"level", KW_KIND_ANY, false, NULL, NULL},
    {"component_type", KW_KIND_ID, false, NULL, NULL},
    END,
};

struct reading {
    struct kw_project *project;
    const struct kw_project_options *options;
    struct kw_problems *problems;
    const struct kw_document *document;
    const json_t *root;
    size_t errors_before;
};

static void unknown(const struct reading *reading, const char *field,
                    const char *what, const char *wrong,
                    const struct kw_table *table) {
    kw_unknown(reading->problems, reading->document, field, what, wrong, table);
}

/* --- the use case --- */

static void add_wants(struct reading *reading, const json_t *names,
                      uint32_t primitive, const char *field) {
    struct kw_project *project = reading->project;
    char path[KW_FIELD_SIZE];
    size_t index;
    json_t *name;
    json_array_foreach(names, index, name) {
        const char *text = json_string_value(name);
        const uint32_t found =
            kw_table_find(&project->catalogue->algorithms, text);
        (void)snprintf(path, sizeof path, "%.120s.algorithms[%zu]", field,
                       index);
        if (found == KW_ENGINE_NONE) {
            unknown(reading, path, "algorithm", text,
                    &project->catalogue->algorithms);
        } else if (project->engine.want_count == KW_PROJECT_LIST_MAX) {
            kw_problem(reading->problems, reading->document, path,
                       "more than %d algorithms", KW_PROJECT_LIST_MAX);
        } else {
            project->wants[project->engine.want_count++] =
                (struct kw_engine_want){primitive, found};
        }
    }
}

static void add_needs(struct reading *reading, const char *member,
                      bool selects) {
    const struct kw_table *primitives =
        &reading->project->catalogue->primitives;
    char field[KW_FIELD_SIZE];
    uint64_t seen = 0;
    size_t index;
    json_t *entry;
    json_array_foreach(
        json_object_get(json_object_get(reading->root, "use_case"), member),
        index, entry) {
        const char *id = kw_text(entry, "primitive");
        const uint32_t found = kw_table_find(primitives, id);
        (void)snprintf(field, sizeof field, "use_case.%s[%zu].primitive",
                       member, index);
        if (found == KW_ENGINE_NONE) {
            unknown(reading, field, "primitive", id, primitives);
            continue;
        }
        if ((seen >> found & 1U) != 0) {
            kw_problem(reading->problems, reading->document, field,
                       "\"%.60s\" is there twice", id);
        }
        seen |= (uint64_t)1 << found;
        if (selects) {
            reading->project->engine.selected |= (uint64_t)1 << found;
        }
        (void)snprintf(field, sizeof field, "use_case.%s[%zu]", member, index);
        add_wants(reading, json_object_get(entry, "algorithms"), found, field);
    }
}

/* --- standards --- */

/* A level is written as a number or as a word. */
static const char *level_text(const json_t *value, char text[32]) {
    if (json_is_integer(value)) {
        (void)snprintf(text, 32, "%lld", (long long)json_integer_value(value));
        return text;
    }
    return json_string_value(value);
}

static uint32_t level_of(struct reading *reading, const json_t *standard,
                         const json_t *value, const char *field) {
    char buffer[32];
    const char *text = level_text(value, buffer);
    const uint32_t found =
        text == NULL ? KW_ENGINE_NONE : kw_standard_level(standard, text);
    if (found != KW_ENGINE_NONE) {
        return found + 1;
    }
    const json_t *levels =
        json_object_get(json_object_get(standard, "levels"), "values");
    const char *first = json_string_value(json_array_get(levels, 0));
    const char *last =
        json_string_value(json_array_get(levels, json_array_size(levels) - 1));
    if (levels == NULL) {
        kw_problem(reading->problems, reading->document, field,
                   "%s has no levels; leave the level out",
                   kw_text(standard, "id"));
        return 0;
    }
    kw_problem(reading->problems, reading->document, field,
               "%s has no level \"%.40s\"; it has %s to %s",
               kw_text(standard, "id"), text == NULL ? "?" : text, first, last);
    return 0;
}

static void read_vector(struct reading *reading, const json_t *standard,
                        json_t *levels, const char *field,
                        struct kw_engine_target *target) {
    char path[KW_FIELD_SIZE];
    const char *group;
    json_t *value;
    json_object_foreach(levels, group, value) {
        const uint32_t at = kw_standard_group(standard, group);
        (void)snprintf(path, sizeof path, "%.100s.%.60s", field, group);
        if (at >= KW_ENGINE_GROUPS_MAX) {
            kw_problem(reading->problems, reading->document, path,
                       "%s has no such group", kw_text(standard, "id"));
            continue;
        }
        if (!json_is_integer(value) || json_integer_value(value) != 0) {
            target->levels[at] = level_of(reading, standard, value, path);
        }
    }
}

static void read_levels(struct reading *reading, const json_t *standard,
                        const json_t *entry, const char *field,
                        struct kw_engine_target *target) {
    json_t *given = reading->options->level == NULL
                        ? NULL
                        : json_string(reading->options->level);
    json_t *level = given == NULL ? json_object_get(entry, "level") : given;
    char path[KW_FIELD_SIZE];
    uint32_t all = 1;
    (void)snprintf(path, sizeof path, "%.100s%slevel", field,
                   field[0] == '\0' ? "" : ".");
    if (json_is_object(level)) {
        read_vector(reading, standard, level, path, target);
        return;
    }
    if (level == NULL && json_object_get(standard, "levels") != NULL) {
        kw_problem(reading->problems, reading->document, field,
                   "%s has levels: the member \"level\" is missing",
                   kw_text(standard, "id"));
    }
    if (level != NULL) {
        all = level_of(reading, standard, level, path);
    }
    for (size_t i = 0; i < KW_ENGINE_GROUPS_MAX; i++) {
        target->levels[i] = all;
    }
    json_decref(given);
}

static void read_target(struct reading *reading, const json_t *entry,
                        const char *field) {
    struct kw_project *project = reading->project;
    const struct kw_table *standards = &project->catalogue->standards;
    char path[KW_FIELD_SIZE];
    struct kw_engine_target target = {.type = KW_ENGINE_NONE};
    if (!kw_shape_check(reading->document, entry, field, TARGET,
                        reading->problems)) {
        return;
    }
    target.standard = kw_table_find(standards, kw_text(entry, "id"));
    (void)snprintf(path, sizeof path, "%.100s.id", field);
    if (target.standard == KW_ENGINE_NONE) {
        unknown(reading, path, "standard", kw_text(entry, "id"), standards);
        return;
    }
    for (uint32_t i = 0; i < project->engine.target_count; i++) {
        if (project->targets[i].standard == target.standard) {
            kw_problem(reading->problems, reading->document, path,
                       "the standard is there twice");
            return;
        }
    }
    const json_t *standard = standards->entry[target.standard];
    const char *type = kw_text(entry, "component_type");
    (void)snprintf(path, sizeof path, "%.100s.component_type", field);
    if (type[0] != '\0') {
        target.type = kw_standard_type(standard, type);
        if (target.type == KW_ENGINE_NONE) {
            kw_problem(reading->problems, reading->document, path,
                       "%s has no component type \"%.40s\"",
                       kw_text(standard, "id"), type);
        }
    }
    read_levels(reading, standard, entry, field, &target);
    if (project->engine.target_count < KW_PROJECT_TARGETS_MAX) {
        project->targets[project->engine.target_count++] = target;
    }
}

static void read_standards(struct reading *reading) {
    const json_t *standard = json_object_get(reading->root, "standard");
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    if (standard == NULL) {
        return;
    }
    if (json_is_object(standard)) {
        read_target(reading, standard, "standard");
        return;
    }
    if (json_array_size(standard) == 0) {
        kw_problem(reading->problems, reading->document, "standard",
                   "should be an object, or an array of objects");
    }
    json_array_foreach(standard, index, entry) {
        (void)snprintf(field, sizeof field, "standard[%zu]", index);
        if (!json_is_object(entry)) {
            kw_problem(reading->problems, reading->document, field,
                       "should be an object");
            continue;
        }
        read_target(reading, entry, field);
    }
}

/* --- parts --- */

static void add_part(struct reading *reading, const char *id,
                     const char *field) {
    struct kw_project *project = reading->project;
    const struct kw_table *parts = &project->catalogue->parts;
    const uint32_t found = kw_table_find(parts, id);
    if (found == KW_ENGINE_NONE) {
        unknown(reading, field, "platform", id, parts);
        return;
    }
    for (uint32_t i = 0; i < project->engine.parts.count; i++) {
        if (project->parts[i] == found) {
            kw_problem(reading->problems, reading->document, field,
                       "\"%.60s\" is there twice", id);
            return;
        }
    }
    if (project->engine.parts.count < KW_ENGINE_PARTS_MAX) {
        project->parts[project->engine.parts.count++] = found;
    }
}

static void read_parts(struct reading *reading) {
    const json_t *platforms = json_object_get(reading->root, "platforms");
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    if (platforms != NULL && json_array_size(platforms) == 0) {
        kw_problem(reading->problems, reading->document, "platforms",
                   "no platform in it; leave the member out to skip phase 3");
    }
    json_array_foreach(platforms, index, entry) {
        (void)snprintf(field, sizeof field, "platforms[%zu]", index);
        add_part(reading, json_string_value(entry), field);
    }
}

/* --- what the command line adds and removes --- */

static void remove_part(struct kw_project *project, uint32_t part) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < project->engine.parts.count; i++) {
        if (project->parts[i] != part) {
            project->parts[kept++] = project->parts[i];
        }
    }
    project->engine.parts.count = kept;
}

static void change(struct reading *reading, const char *id, bool adds) {
    struct kw_project *project = reading->project;
    const struct kw_catalogue *catalogue = project->catalogue;
    const uint32_t primitive = kw_table_find(&catalogue->primitives, id);
    const uint32_t part = kw_table_find(&catalogue->parts, id);
    if (primitive == KW_ENGINE_NONE && part == KW_ENGINE_NONE) {
        unknown(reading, adds ? "--add" : "--remove", "primitive or platform",
                id, &catalogue->primitives);
        return;
    }
    if (primitive != KW_ENGINE_NONE) {
        const uint64_t bit = (uint64_t)1 << primitive;
        project->engine.selected = adds ? project->engine.selected | bit
                                        : project->engine.selected & ~bit;
        return;
    }
    remove_part(project, part);
    if (adds) {
        add_part(reading, id, "--add");
    }
}

/* --- filters --- */

static uint32_t word_of(struct reading *reading, const char *member,
                        const char *given, const char *const *words,
                        uint32_t otherwise) {
    const char *word = given != NULL ? given : kw_text(reading->root, member);
    uint32_t index = 0;
    if (word[0] == '\0') {
        return otherwise;
    }
    while (words[index] != NULL && strcmp(words[index], word) != 0) {
        index++;
    }
    if (words[index] == NULL) {
        kw_problem(reading->problems, reading->document, member,
                   "\"%.40s\" is none of its words", word);
        return otherwise;
    }
    return index;
}

static void add_layer(struct reading *reading, const char *name, size_t size) {
    for (uint32_t i = 0; LAYERS[i] != NULL; i++) {
        if (strlen(LAYERS[i]) == size && memcmp(LAYERS[i], name, size) == 0) {
            reading->project->engine.layers |= 1U << i;
            return;
        }
    }
    kw_problem(reading->problems, reading->document, "sources",
               "\"%.*s\" is none of seed, derived, user",
               (int)(size < 40 ? size : 40), name);
}

static void read_layers(struct reading *reading) {
    const char *given = reading->options->sources;
    const json_t *sources = json_object_get(reading->root, "sources");
    size_t index;
    json_t *entry;
    if (given == NULL && sources == NULL) {
        reading->project->engine.layers = UINT32_MAX;
        return;
    }
    while (given != NULL) {
        const size_t size = strcspn(given, ",");
        add_layer(reading, given, size);
        given = given[size] == ',' ? given + size + 1 : NULL;
    }
    json_array_foreach(reading->options->sources == NULL ? sources : NULL,
                       index, entry) {
        add_layer(reading, json_string_value(entry), json_string_length(entry));
    }
}

static void read_filters(struct reading *reading) {
    const struct kw_project_options *options = reading->options;
    struct kw_engine_project *engine = &reading->project->engine;
    engine->model = word_of(reading, "model", options->model, MODELS, 0);
    engine->min_confidence = word_of(reading, "min_confidence",
                                     options->min_confidence, CONFIDENCES, 0);
    engine->interoperable =
        word_of(reading, "reading", options->reading, READINGS, 0);
    read_layers(reading);
}

/* --- exclusions --- */

static void exclude(struct reading *reading, uint32_t requirement,
                    const char *argument, const char *field) {
    struct kw_project *project = reading->project;
    struct kw_engine_words *excluded = &project->engine.excluded;
    for (uint32_t i = 0; i < excluded->count; i++) {
        if (project->excluded[i] == requirement) {
            if (field != NULL) {
                kw_problem(reading->problems, reading->document, field,
                           "excluded twice: the arguments contradict or "
                           "repeat each other");
            }
            return;
        }
    }
    if (excluded->count < KW_PROJECT_LIST_MAX) {
        project->excluded[excluded->count] = requirement;
        project->argument[excluded->count++] = argument;
    }
}

/* Everything that draws on this primitive and on none that applies. */
static void exclude_primitive(struct reading *reading, uint32_t primitive,
                              const char *argument) {
    const struct kw_project *project = reading->project;
    const struct kw_engine_data *data = &project->catalogue->data;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_MAPPINGS]; i++) {
        if (kw_engine_excludes(data, &project->engine, primitive, i)) {
            exclude(reading, data->mappings[i].requirement, argument, NULL);
        }
    }
}

static void read_exclusion(struct reading *reading, const json_t *entry,
                           const char *field) {
    const struct kw_catalogue *catalogue = reading->project->catalogue;
    const char *primitive = kw_text(entry, "primitive");
    const char *requirement = kw_text(entry, "requirement");
    if ((primitive[0] != '\0') == (requirement[0] != '\0')) {
        kw_problem(reading->problems, reading->document, field,
                   "names either a primitive or a requirement");
        return;
    }
    if (primitive[0] != '\0') {
        const uint32_t found = kw_table_find(&catalogue->primitives, primitive);
        if (found == KW_ENGINE_NONE) {
            unknown(reading, field, "primitive", primitive,
                    &catalogue->primitives);
        } else if (kw_engine_applies(&catalogue->data,
                                     &reading->project->engine, found)) {
            kw_problem(reading->problems, reading->document, field,
                       "contradicts the use case: \"%.60s\" is selected, or "
                       "required by what is selected",
                       primitive);
        } else {
            exclude_primitive(reading, found, kw_text(entry, "argument"));
        }
        return;
    }
    const uint32_t found = kw_catalogue_requirement(
        catalogue, kw_text(entry, "standard"), requirement);
    if (found == KW_ENGINE_NONE) {
        unknown(reading, field, "requirement", requirement,
                &catalogue->requirements);
        return;
    }
    exclude(reading, found, kw_text(entry, "argument"), field);
}

static void read_exclusions(struct reading *reading) {
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(reading->root, "exclusions"), index,
                       entry) {
        (void)snprintf(field, sizeof field, "exclusions[%zu]", index);
        read_exclusion(reading, entry, field);
    }
}

/* --- guidance and evidence --- */

static void read_guidance(struct reading *reading) {
    struct kw_project *project = reading->project;
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(reading->root, "guidance"), index,
                       entry) {
        const char *primitive = kw_text(entry, "primitive");
        const char *algorithm = kw_text(entry, "algorithm");
        const bool whole = primitive[0] != '\0';
        const struct kw_table *table = whole ? &project->catalogue->primitives
                                             : &project->catalogue->algorithms;
        const uint32_t found =
            kw_table_find(table, whole ? primitive : algorithm);
        (void)snprintf(field, sizeof field, "guidance[%zu]", index);
        if (whole == (algorithm[0] != '\0')) {
            kw_problem(reading->problems, reading->document, field,
                       "names either a primitive or an algorithm");
        } else if (found == KW_ENGINE_NONE) {
            unknown(reading, field, whole ? "primitive" : "algorithm",
                    whole ? primitive : algorithm, table);
        } else if (whole) {
            project->engine.guided_primitives |= (uint64_t)1 << found;
        } else if (project->engine.guided_algorithms.count <
                   KW_PROJECT_LIST_MAX) {
            project->guided[project->engine.guided_algorithms.count++] = found;
        }
    }
}

static void read_evidence(struct reading *reading) {
    const struct kw_catalogue *catalogue = reading->project->catalogue;
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(reading->root, "evidence"), index,
                       entry) {
        (void)snprintf(field, sizeof field, "evidence[%zu].requirement", index);
        if (kw_catalogue_requirement(catalogue, kw_text(entry, "standard"),
                                     kw_text(entry, "requirement")) ==
            KW_ENGINE_NONE) {
            unknown(reading, field, "requirement",
                    kw_text(entry, "requirement"), &catalogue->requirements);
        }
        (void)snprintf(field, sizeof field, "evidence[%zu]", index);
        if ((json_object_get(entry, "file") == NULL) ==
            (json_object_get(entry, "url") == NULL)) {
            kw_problem(reading->problems, reading->document, field,
                       "names either a file or a URL");
        }
    }
}

/* --- phases without their inputs --- */

/* Without a use case the standards choose, and without them everything. */
static void choose_origin(struct reading *reading) {
    struct kw_project *project = reading->project;
    if (json_object_get(reading->root, "use_case") == NULL) {
        project->origin =
            kw_engine_choose(&project->catalogue->data, &project->engine);
    }
}

/* --- all --- */

static void read_all(struct reading *reading) {
    add_needs(reading, "selected", true);
    add_needs(reading, "implicit_details", false);
    read_standards(reading);
    read_parts(reading);
    for (size_t i = 0; i < reading->options->add_count; i++) {
        change(reading, reading->options->add[i], true);
    }
    for (size_t i = 0; i < reading->options->remove_count; i++) {
        change(reading, reading->options->remove[i], false);
    }
    read_filters(reading);
    choose_origin(reading);
    read_exclusions(reading);
    read_guidance(reading);
    read_evidence(reading);
    const struct kw_engine_project *engine = &reading->project->engine;
    if (reading->problems->errors != reading->errors_before) {
        return;
    }
    if (engine->selected == 0 ||
        (reading->project->origin == KW_ENGINE_ORIGIN_ALL &&
         engine->parts.count == 0)) {
        kw_problem(reading->problems, reading->document, NULL,
                   "nothing to evaluate: no primitive is selected, no "
                   "standard and no platform is named");
    }
}

static void point(struct kw_project *project) {
    project->engine.wants = project->wants;
    project->engine.targets = project->targets;
    project->engine.excluded.at = project->excluded;
    project->engine.guided_algorithms.at = project->guided;
    project->engine.parts.at = project->parts;
}

static kw_status evaluate_from(struct kw_project *project,
                               enum kw_engine_origin origin,
                               struct kw_error *error) {
    project->arena.used = 0;
    const enum kw_engine_status status = kw_engine_evaluate_from(
        &project->catalogue->data, origin, &project->engine, &project->arena,
        &project->result);
    return status == KW_ENGINE_OK
               ? KW_OK
               : kw_error(error, KW_PARSE,
                          "%s: the project is larger than the engine takes",
                          project->document.name);
}

kw_status kw_project_evaluate(struct kw_project *project,
                              struct kw_error *error) {
    return evaluate_from(project, KW_ENGINE_ORIGIN_USE_CASE, error);
}

kw_status kw_project_load(struct kw_project *project,
                          const struct kw_catalogue *catalogue,
                          const char *path,
                          const struct kw_project_options *options,
                          struct kw_problems *problems,
                          struct kw_error *error) {
    const size_t before = problems->errors;
    *project = (struct kw_project){.catalogue = catalogue};
    project->arena.size = (size_t)1 << 20;
    project->arena.base = malloc(project->arena.size);
    if (project->arena.base == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "no memory for a project");
    }
    if (kw_document_read(&project->document, path, problems) &&
        kw_shape_check(&project->document, project->document.root, "", PROJECT,
                       problems)) {
        struct reading reading = {.project = project,
                                  .options = options,
                                  .problems = problems,
                                  .document = &project->document,
                                  .root = project->document.root,
                                  .errors_before = before};
        read_all(&reading);
    }
    if (problems->errors != before) {
        return kw_problems_status(problems, error);
    }
    point(project);
    return evaluate_from(project, project->origin, error);
}

void kw_project_free(struct kw_project *project) {
    kw_document_free(&project->document);
    free(project->arena.base);
    project->arena = (struct kw_engine_arena){.base = NULL};
}

const char *kw_project_argument(const struct kw_project *project,
                                uint32_t requirement) {
    for (uint32_t i = 0; i < project->engine.excluded.count; i++) {
        if (project->excluded[i] == requirement) {
            return project->argument[i];
        }
    }
    return "";
}
