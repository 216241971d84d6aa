/* host/primitives/project_needs.c: the use case of a project: what it
 * selects, and the algorithms that it wants. */
#include <stdio.h>

#include "host/primitives/project_parts.h"

static void add_wants(struct kw_reading *reading, const json_t *names,
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
            kw_reading_unknown(reading, path, "algorithm", text,
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

static void add_needs(struct kw_reading *reading, const char *member,
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
            kw_reading_unknown(reading, field, "primitive", id, primitives);
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

void kw_read_needs(struct kw_reading *reading) {
    add_needs(reading, "selected", true);
    add_needs(reading, "implicit_details", false);
}
