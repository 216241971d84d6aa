/* host/primitives/engine_project.c: a project, and its three phases. */
#include "host/primitives/engine_parts.h"

static bool all_below(const struct kw_engine_words *words, uint32_t limit) {
    for (uint32_t i = 0; i < words->count; i++) {
        if (words->at[i] >= limit) {
            return false;
        }
    }
    return true;
}

static bool set_ok(const struct kw_engine_data *data, uint64_t set) {
    const uint32_t count = data->count[KW_ENGINE_SECTION_PRIMITIVES];
    return count >= KW_ENGINE_PRIMITIVES_MAX || set >> count == 0;
}

static bool target_ok(const struct kw_engine_data *data,
                      const struct kw_engine_target *target) {
    if (target->standard >= data->count[KW_ENGINE_SECTION_STANDARDS]) {
        return false;
    }
    const struct kw_engine_standard *standard =
        &data->standards[target->standard];
    bool ok =
        target->type == KW_ENGINE_NONE || target->type < standard->type_count;
    for (size_t i = 0; i < KW_ENGINE_GROUPS_MAX; i++) {
        const uint32_t most =
            standard->level_count == 0 ? 1 : standard->level_count;
        ok = ok && target->levels[i] <= most;
    }
    return ok;
}

static bool targets_ok(const struct kw_engine_data *data,
                       const struct kw_engine_project *project) {
    for (uint32_t i = 0; i < project->target_count; i++) {
        if (!target_ok(data, &project->targets[i])) {
            return false;
        }
        for (uint32_t n = 0; n < i; n++) {
            if (project->targets[n].standard == project->targets[i].standard) {
                return false;
            }
        }
    }
    return true;
}

static bool project_ok(const struct kw_engine_data *data,
                       const struct kw_engine_project *project) {
    const uint32_t algorithms = data->count[KW_ENGINE_SECTION_ALGORITHMS];
    for (uint32_t i = 0; i < project->want_count; i++) {
        if (project->wants[i].primitive >=
                data->count[KW_ENGINE_SECTION_PRIMITIVES] ||
            project->wants[i].algorithm >= algorithms) {
            return false;
        }
    }
    return set_ok(data, project->selected) &&
           set_ok(data, project->guided_primitives) &&
           targets_ok(data, project) &&
           all_below(&project->excluded,
                     data->count[KW_ENGINE_SECTION_REQUIREMENTS]) &&
           all_below(&project->guided_algorithms, algorithms) &&
           all_below(&project->parts, data->count[KW_ENGINE_SECTION_PARTS]);
}

static uint64_t two_words(const uint32_t *words) {
    return words[0] | (uint64_t)words[1] << 32;
}

/* The words that the counts ask for; they are too many when it overflows. */
static uint64_t words_wanted(const uint32_t *words) {
    const uint64_t target_words =
        sizeof(struct kw_engine_target) / sizeof(uint32_t);
    return KW_ENGINE_PROJECT_WORDS +
           2 * (uint64_t)words[KW_ENGINE_PROJECT_WANT_COUNT] +
           target_words * words[KW_ENGINE_PROJECT_TARGET_COUNT] +
           words[KW_ENGINE_PROJECT_EXCLUDED_COUNT] +
           (uint64_t)words[KW_ENGINE_PROJECT_GUIDED_ALGORITHMS] +
           words[KW_ENGINE_PROJECT_PART_COUNT];
}

enum kw_engine_status
kw_engine_project_read(const struct kw_engine_data *data, const uint32_t *words,
                       size_t count, struct kw_engine_project *project) {
    if (count < KW_ENGINE_PROJECT_WORDS ||
        words[KW_ENGINE_PROJECT_VERSION] != KW_ENGINE_VERSION ||
        words_wanted(words) != count) {
        return KW_ENGINE_PROJECT;
    }
    *project = (struct kw_engine_project){
        .model = words[KW_ENGINE_PROJECT_MODEL],
        .layers = words[KW_ENGINE_PROJECT_LAYERS],
        .min_confidence = words[KW_ENGINE_PROJECT_MIN_CONFIDENCE],
        .interoperable = words[KW_ENGINE_PROJECT_INTEROPERABLE],
        .selected = two_words(words + KW_ENGINE_PROJECT_SELECTED),
        .guided_primitives = two_words(words + KW_ENGINE_PROJECT_GUIDED),
        .want_count = words[KW_ENGINE_PROJECT_WANT_COUNT],
        .target_count = words[KW_ENGINE_PROJECT_TARGET_COUNT],
        .excluded.count = words[KW_ENGINE_PROJECT_EXCLUDED_COUNT],
        .guided_algorithms.count = words[KW_ENGINE_PROJECT_GUIDED_ALGORITHMS],
        .parts.count = words[KW_ENGINE_PROJECT_PART_COUNT],
    };
    const uint32_t *at = words + KW_ENGINE_PROJECT_WORDS;
    project->wants = (const void *)at;
    at += (size_t)2 * project->want_count;
    project->targets = (const void *)at;
    project->excluded.at =
        (const void *)(project->targets + project->target_count);
    project->guided_algorithms.at =
        project->excluded.at + project->excluded.count;
    project->parts.at =
        project->guided_algorithms.at + project->guided_algorithms.count;
    return project_ok(data, project) ? KW_ENGINE_OK : KW_ENGINE_PROJECT;
}

enum kw_engine_status kw_engine_evaluate(
    const struct kw_engine_data *data, const struct kw_engine_project *project,
    struct kw_engine_arena *arena, struct kw_engine_result *result) {
    if (!project_ok(data, project)) {
        return KW_ENGINE_PROJECT;
    }
    *result = (struct kw_engine_result){.row_count = 0};
    kw_engine_closure(data, project->selected, project->model,
                      &result->closure);
    enum kw_engine_status status =
        kw_engine_suggest(data, project, arena, result);
    if (status == KW_ENGINE_OK) {
        status = kw_engine_standards(data, project, arena, result);
    }
    return status == KW_ENGINE_OK
               ? kw_engine_system(data, project, arena, result)
               : status;
}
