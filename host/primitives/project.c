#include "host/primitives/project.h"

#include <stdlib.h>

#include "host/primitives/project_parts.h"

void kw_reading_unknown(const struct kw_reading *reading, const char *field,
                        const char *what, const char *wrong,
                        const struct kw_table *table) {
    kw_unknown(reading->problems, reading->document, field, what, wrong, table);
}

kw_status kw_project_evaluate_from(struct kw_project *project,
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
    return kw_project_evaluate_from(project, KW_ENGINE_ORIGIN_USE_CASE, error);
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
