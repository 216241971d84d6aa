/* host/primitives/project_options.c: parts, filters, and what the command
 * line decides over the file. */
#include <stdio.h>
#include <string.h>

#include "host/primitives/project_parts.h"

/* --- parts --- */

static void add_part(struct kw_reading *reading, const char *id,
                     const char *field) {
    struct kw_project *project = reading->project;
    const struct kw_table *parts = &project->catalogue->parts;
    const uint32_t found = kw_table_find(parts, id);
    if (found == KW_ENGINE_NONE) {
        kw_reading_unknown(reading, field, "platform", id, parts);
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

void kw_read_parts(struct kw_reading *reading) {
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

static bool remove_part(struct kw_project *project, uint32_t part) {
    const uint32_t before = project->engine.parts.count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < before; i++) {
        if (project->parts[i] != part) {
            project->parts[kept++] = project->parts[i];
        }
    }
    project->engine.parts.count = kept;
    return kept < before;
}

static void change_part(struct kw_reading *reading, uint32_t part, bool adds) {
    struct kw_project *project = reading->project;
    const char *id = project->catalogue->parts.id[part];
    if (adds) {
        (void)remove_part(project, part);
        add_part(reading, id, "platforms");
    } else if (!remove_part(project, part)) {
        reading->status = kw_error(reading->error, KW_USAGE,
                                   "--remove \"%.60s\": %s has no "
                                   "such platform",
                                   id, reading->document->name);
    }
}

static void change_primitive(struct kw_reading *reading, uint32_t primitive,
                             bool adds) {
    struct kw_engine_project *engine = &reading->project->engine;
    const uint64_t bit = (uint64_t)1 << primitive;
    if (adds) {
        engine->selected |= bit;
        return;
    }
    if ((engine->selected & bit) == 0) {
        reading->status =
            kw_error(reading->error, KW_USAGE,
                     "--remove \"%.60s\": %s does not select "
                     "it",
                     reading->project->catalogue->primitives.id[primitive],
                     reading->document->name);
        kw_error_hint(reading->error,
                      "what is implicit goes when nothing "
                      "selected requires it: keywright primitives evaluate");
    }
    engine->selected &= ~bit;
}

static void change(struct kw_reading *reading, const char *id, bool adds) {
    const struct kw_catalogue *catalogue = reading->project->catalogue;
    const uint32_t primitive = kw_table_find(&catalogue->primitives, id);
    const uint32_t part = kw_table_find(&catalogue->parts, id);
    if (primitive != KW_ENGINE_NONE) {
        change_primitive(reading, primitive, adds);
    } else if (part != KW_ENGINE_NONE) {
        change_part(reading, part, adds);
    } else {
        const struct kw_table *table = &catalogue->primitives;
        const char *nearest = kw_nearest(id, table->id, table->count);
        if (nearest == NULL) {
            nearest =
                kw_nearest(id, catalogue->parts.id, catalogue->parts.count);
        }
        reading->status = kw_error(reading->error, KW_USAGE,
                                   "%s: no primitive or platform \"%.60s\"%s%s",
                                   adds ? "--add" : "--remove", id,
                                   nearest == NULL ? "" : "; nearest: ",
                                   nearest == NULL ? "" : nearest);
    }
}

void kw_read_changes(struct kw_reading *reading) {
    const struct kw_project_options *options = reading->options;
    for (size_t i = 0; i < options->add_count; i++) {
        change(reading, options->add[i], true);
    }
    for (size_t i = 0; i < options->remove_count; i++) {
        change(reading, options->remove[i], false);
    }
}

/* --- filters --- */

#define NO_WORD UINT32_MAX

static uint32_t index_of(const char *text, size_t size,
                         const char *const *words) {
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0) {
            return i;
        }
    }
    return NO_WORD;
}

static kw_status wrong_word(struct kw_error *error, const char *option,
                            const char *text, size_t size,
                            const char *const *words) {
    char known[80] = "";
    for (size_t used = 0; *words != NULL && used < sizeof known; words++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                 used == 0 ? "" : ", ", *words);
    }
    return kw_error(error, KW_USAGE, "%s: \"%.*s\" is none of %s", option,
                    (int)(size < 40 ? size : 40), text, known);
}

static kw_status take_word(const char *option, const char *given,
                           const char *const *words, uint32_t *value,
                           struct kw_error *error) {
    if (given == NULL) {
        return KW_OK;
    }
    const uint32_t found = index_of(given, strlen(given), words);
    if (found == NO_WORD) {
        return wrong_word(error, option, given, strlen(given), words);
    }
    *value = found;
    return KW_OK;
}

static kw_status take_layers(const char *given, uint32_t *layers,
                             struct kw_error *error) {
    if (given != NULL) {
        *layers = 0;
    }
    while (given != NULL) {
        const size_t size = strcspn(given, ",");
        const uint32_t layer = index_of(given, size, kw_layer_words);
        if (layer == NO_WORD) {
            return wrong_word(error, "--source", given, size, kw_layer_words);
        }
        *layers |= 1U << layer;
        given = given[size] == ',' ? given + size + 1 : NULL;
    }
    return KW_OK;
}

kw_status kw_project_filters(const struct kw_project_options *options,
                             struct kw_engine_project *engine,
                             struct kw_error *error) {
    KW_TRY(take_word("--model", options->model, kw_edge_model_words,
                     &engine->model, error));
    KW_TRY(take_word("--min-confidence", options->min_confidence,
                     kw_confidence_words, &engine->min_confidence, error));
    KW_TRY(take_word("--reading", options->reading, kw_reading_words,
                     &engine->interoperable, error));
    return take_layers(options->sources, &engine->layers, error);
}

/* The shape has checked the word. */
static uint32_t word_in_file(const struct kw_reading *reading,
                             const char *member, const char *const *words) {
    const char *word = kw_text(reading->root, member);
    return word[0] == '\0' ? 0 : index_of(word, strlen(word), words);
}

static uint32_t layers_in_file(struct kw_reading *reading) {
    const json_t *sources = json_object_get(reading->root, "sources");
    char field[KW_FIELD_SIZE];
    uint32_t layers = 0;
    size_t index;
    json_t *entry;
    if (sources == NULL) {
        return UINT32_MAX;
    }
    if (json_array_size(sources) == 0) {
        kw_problem(reading->problems, reading->document, "sources",
                   "names no layer; leave the member out to take all");
    }
    json_array_foreach(sources, index, entry) {
        const char *name = json_string_value(entry);
        const uint32_t layer =
            index_of(name, json_string_length(entry), kw_layer_words);
        if (layer != NO_WORD) {
            layers |= 1U << layer;
            continue;
        }
        (void)snprintf(field, sizeof field, "sources[%zu]", index);
        kw_problem(reading->problems, reading->document, field,
                   "\"%.40s\" is none of seed, derived, user", name);
    }
    return layers;
}

void kw_read_filters(struct kw_reading *reading) {
    struct kw_engine_project *engine = &reading->project->engine;
    engine->model = word_in_file(reading, "model", kw_edge_model_words);
    engine->min_confidence =
        word_in_file(reading, "min_confidence", kw_confidence_words);
    engine->interoperable = word_in_file(reading, "reading", kw_reading_words);
    engine->layers = layers_in_file(reading);
    if (reading->status == KW_OK) {
        reading->status =
            kw_project_filters(reading->options, engine, reading->error);
    }
}
