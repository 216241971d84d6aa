/* host/primitives/engine_choice.c: what applies when nobody selected, what an
 * exclusion takes with it, and what a result says in one word. */
#include "host/primitives/engine_parts.h"

/* --- phases without their inputs --- */

enum kw_engine_origin kw_engine_choose(const struct kw_engine_data *data,
                                       struct kw_engine_project *project) {
    const uint32_t count = data->count[KW_ENGINE_SECTION_PRIMITIVES];
    if (project->selected != 0) {
        return KW_ENGINE_ORIGIN_USE_CASE;
    }
    project->selected = count >= KW_ENGINE_PRIMITIVES_MAX
                            ? UINT64_MAX
                            : kw_engine_bit(count) - 1;
    return project->target_count > 0 ? KW_ENGINE_ORIGIN_STANDARDS
                                     : KW_ENGINE_ORIGIN_ALL;
}

static uint64_t drawn_on(const struct kw_engine_data *data,
                         const struct kw_engine_result *result) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < result->link_count; i++) {
        set |= kw_engine_bit(data->mappings[result->links[i]].primitive);
    }
    return set;
}

enum kw_engine_status kw_engine_evaluate_from(const struct kw_engine_data *data,
                                              enum kw_engine_origin origin,
                                              struct kw_engine_project *project,
                                              struct kw_engine_arena *arena,
                                              struct kw_engine_result *result) {
    const size_t used = arena->used;
    const enum kw_engine_status status =
        kw_engine_evaluate(data, project, arena, result);
    if (status != KW_ENGINE_OK || origin != KW_ENGINE_ORIGIN_STANDARDS) {
        return status;
    }
    project->selected = drawn_on(data, result);
    arena->used = used;
    return kw_engine_evaluate(data, project, arena, result);
}

/* --- exclusions --- */

bool kw_engine_applies(const struct kw_engine_data *data,
                       const struct kw_engine_project *project,
                       uint32_t primitive) {
    struct kw_engine_closure closure;
    kw_engine_closure(data, project->selected, project->model, &closure);
    return (closure.applicable & kw_engine_bit(primitive)) != 0;
}

bool kw_engine_excludes(const struct kw_engine_data *data,
                        const struct kw_engine_project *project,
                        uint32_t primitive, uint32_t mapping) {
    struct kw_engine_closure closure;
    const struct kw_engine_mapping *link = &data->mappings[mapping];
    if (link->primitive != primitive) {
        return false;
    }
    kw_engine_closure(data, project->selected, project->model, &closure);
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_MAPPINGS]; i++) {
        const struct kw_engine_mapping *other = &data->mappings[i];
        if (other->requirement == link->requirement &&
            (closure.applicable & kw_engine_bit(other->primitive)) != 0) {
            return false;
        }
    }
    return true;
}

/* --- reading a result --- */

bool kw_engine_leads(const struct kw_engine_data *data,
                     const struct kw_engine_result *result,
                     const struct kw_engine_row *row, uint32_t at) {
    const uint32_t *links = result->links + row->first_link;
    bool any = false;
    for (uint32_t i = 0; i < row->link_count; i++) {
        any = any ||
              data->mappings[links[i]].confidence == KW_ENGINE_CONFIDENCE_HIGH;
    }
    return any ? data->mappings[links[at]].confidence ==
                     KW_ENGINE_CONFIDENCE_HIGH
               : at == 0;
}

enum kw_engine_verdict
kw_engine_verdict(const struct kw_engine_result *result) {
    uint32_t full = 0;
    uint32_t gaps = 0;
    for (uint32_t i = 0; i < result->fit_count; i++) {
        full += result->fits[i].state >= KW_ENGINE_FULL;
        gaps += result->fits[i].state == KW_ENGINE_GAP;
    }
    if (result->fit_count == 0) {
        return KW_ENGINE_VERDICT_NONE;
    }
    if (full == result->fit_count) {
        return KW_ENGINE_VERDICT_COVERED;
    }
    return gaps == result->fit_count ? KW_ENGINE_VERDICT_GAP
                                     : KW_ENGINE_VERDICT_PARTIAL;
}
