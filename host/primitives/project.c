#include "host/primitives/project.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/primitives/project_parts.h"

void kw_reading_unknown(const struct kw_reading *reading, const char *field,
                        const char *what, const char *wrong,
                        const struct kw_table *table) {
    kw_unknown(reading->problems, reading->document, field, what, wrong, table);
}

/* --- the use case --- */

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

/* --- phases without their inputs --- */

/* Without a use case the standards choose, and without them everything. */
static void choose_origin(struct kw_reading *reading) {
    struct kw_project *project = reading->project;
    if (json_object_get(reading->root, "use_case") == NULL) {
        project->origin =
            kw_engine_choose(&project->catalogue->data, &project->engine);
    }
}

/* --- all --- */

static void read_all(struct kw_reading *reading) {
    add_needs(reading, "selected", true);
    add_needs(reading, "implicit_details", false);
    kw_read_standards(reading);
    kw_read_parts(reading);
    kw_read_changes(reading);
    kw_read_filters(reading);
    choose_origin(reading);
    kw_read_exclusions(reading);
    kw_read_guidance(reading);
    kw_read_evidence(reading);
}

static void check_not_empty(struct kw_reading *reading) {
    const struct kw_engine_project *engine = &reading->project->engine;
    if (engine->selected == 0 ||
        (reading->project->origin == KW_ENGINE_ORIGIN_ALL &&
         engine->parts.count == 0)) {
        kw_problem(reading->problems, reading->document, NULL,
                   "nothing to evaluate: no primitive is selected, no "
                   "standard and no platform is named");
    }
}

/* Fills the project from its document; KW_PARSE: problems were added. */
static kw_status read_project(struct kw_project *project,
                              const struct kw_project_options *options,
                              struct kw_problems *problems,
                              struct kw_error *error) {
    const size_t before = problems->errors;
    struct kw_reading reading = {.project = project,
                                 .options = options,
                                 .problems = problems,
                                 .document = &project->document,
                                 .root = project->document.root,
                                 .error = error,
                                 .status = KW_OK};
    if (kw_shape_check(&project->document, project->document.root, "",
                       kw_project_shape, problems)) {
        read_all(&reading);
    }
    KW_TRY(reading.status);
    if (problems->errors == before) {
        check_not_empty(&reading);
    }
    return problems->errors == before ? KW_OK
                                      : kw_problems_status(problems, error);
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
    *project = (struct kw_project){.catalogue = catalogue};
    project->arena.size = (size_t)1 << 20;
    project->arena.base = malloc(project->arena.size);
    if (project->arena.base == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "no memory for a project");
    }
    if (!kw_document_read(&project->document, path, problems)) {
        return kw_problems_status(problems, error);
    }
    KW_TRY(read_project(project, options, problems, error));
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
