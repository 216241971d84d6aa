/* host/primitives/project_load.c: from a file to a project: its shape, each
 * of its members, and whether there is anything to evaluate. */
#include <stdlib.h>

#include "host/primitives/project_parts.h"

/* Without a use case the standards choose, and without them everything. */
static void choose_origin(struct kw_reading *reading) {
    struct kw_project *project = reading->project;
    if (json_object_get(reading->root, "use_case") == NULL) {
        project->origin =
            kw_engine_choose(&project->catalogue->data, &project->engine);
    }
}

static void read_all(struct kw_reading *reading) {
    kw_read_needs(reading);
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
    return kw_project_evaluate_from(project, project->origin, error);
}
