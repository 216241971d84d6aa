/* host/primitives/engine_standards.c: phase 2, requirements of standards. */
#include "host/primitives/engine_parts.h"

static bool type_matches(uint32_t types, uint32_t type) {
    return types == 0 || type == KW_ENGINE_NONE || (types >> type & 1U) != 0;
}

static bool in_scope(const struct kw_engine_standard *standard,
                     const struct kw_engine_requirement *requirement,
                     const struct kw_engine_target *target) {
    const uint32_t group = standard->group_count == 0 ? 0 : requirement->group;
    const uint32_t level = target->levels[group];
    if ((requirement->flags & KW_ENGINE_CONSTRAINT) != 0 || level == 0 ||
        !type_matches(requirement->types, target->type)) {
        return false;
    }
    return standard->level_count == 0 ||
           (requirement->levels >> (level - 1) & 1U) != 0;
}

static bool mapping_counts(const struct kw_engine_mapping *mapping,
                           const struct kw_engine_project *project,
                           uint32_t type) {
    return (project->layers >> mapping->layer & 1U) != 0 &&
           mapping->confidence >= project->min_confidence &&
           type_matches(mapping->types, type);
}

static bool is_listed(const struct kw_engine_words *words, uint32_t value) {
    for (uint32_t i = 0; i < words->count; i++) {
        if (words->at[i] == value) {
            return true;
        }
    }
    return false;
}

struct work {
    const struct kw_engine_data *data;
    const struct kw_engine_project *project;
    struct kw_engine_result *result;
    struct kw_engine_row *rows;
    uint32_t *links;
    uint32_t *constraints;
};

/* Mappings of one standard lie anywhere, so a bucket a requirement is made
 * first: start[r] .. start[r + 1] in order[]. */
struct buckets {
    uint32_t *start;
    uint32_t *order;
};

static enum kw_engine_status sort_mappings(const struct kw_engine_data *data,
                                           struct kw_engine_arena *arena,
                                           struct buckets *buckets) {
    const uint32_t size = data->count[KW_ENGINE_SECTION_REQUIREMENTS] + 2;
    const uint32_t count = data->count[KW_ENGINE_SECTION_MAPPINGS];
    buckets->start = kw_engine_take(arena, size * sizeof *buckets->start);
    buckets->order = kw_engine_take(arena, count * sizeof *buckets->order);
    if (buckets->start == NULL || buckets->order == NULL) {
        return KW_ENGINE_ARENA;
    }
    for (uint32_t i = 0; i < size; i++) {
        buckets->start[i] = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        buckets->start[data->mappings[i].requirement + 2]++;
    }
    for (uint32_t i = 1; i < size; i++) {
        buckets->start[i] += buckets->start[i - 1];
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = data->mappings[i].requirement + 1;
        buckets->order[buckets->start[at]++] = i;
    }
    return KW_ENGINE_OK;
}

static void add_row(struct work *work, const struct buckets *buckets,
                    uint32_t requirement, uint32_t type) {
    struct kw_engine_result *result = work->result;
    struct kw_engine_row *row = &work->rows[result->row_count++];
    *row = (struct kw_engine_row){.requirement = requirement,
                                  .first_link = result->link_count};
    for (uint32_t i = buckets->start[requirement];
         i < buckets->start[requirement + 1]; i++) {
        const uint32_t index = buckets->order[i];
        const struct kw_engine_mapping *mapping = &work->data->mappings[index];
        if (!mapping_counts(mapping, work->project, type)) {
            continue;
        }
        work->links[result->link_count++] = index;
        row->link_count++;
        if ((result->closure.applicable >> mapping->primitive & 1U) != 0) {
            row->state = KW_ENGINE_COVERED;
        }
    }
    if (is_listed(&work->project->excluded, requirement)) {
        row->state = KW_ENGINE_EXCLUDED;
    }
    uint32_t *const counter[] = {&result->uncovered_count,
                                 &result->covered_count,
                                 &result->excluded_count};
    (*counter[row->state])++;
}

static void add_target(struct work *work, const struct buckets *buckets,
                       const struct kw_engine_target *target) {
    const struct kw_engine_standard *standard =
        &work->data->standards[target->standard];
    for (uint32_t i = 0; i < standard->requirement_count; i++) {
        const uint32_t index = standard->first_requirement + i;
        const struct kw_engine_requirement *requirement =
            &work->data->requirements[index];
        if ((requirement->flags & KW_ENGINE_CONSTRAINT) != 0) {
            work->constraints[work->result->constraint_count++] = index;
        }
        if (in_scope(standard, requirement, target)) {
            add_row(work, buckets, index, target->type);
        }
    }
}

enum kw_engine_status kw_engine_standards(
    const struct kw_engine_data *data, const struct kw_engine_project *project,
    struct kw_engine_arena *arena, struct kw_engine_result *result) {
    struct work work = {.data = data, .project = project, .result = result};
    struct buckets buckets;
    const size_t rows = data->count[KW_ENGINE_SECTION_REQUIREMENTS];
    const size_t links = data->count[KW_ENGINE_SECTION_MAPPINGS];
    const enum kw_engine_status sorted = sort_mappings(data, arena, &buckets);
    if (sorted != KW_ENGINE_OK) {
        return sorted;
    }
    work.rows = kw_engine_take(arena, rows * sizeof *work.rows);
    work.links = kw_engine_take(arena, links * sizeof *work.links);
    work.constraints = kw_engine_take(arena, rows * sizeof *work.constraints);
    if (work.rows == NULL || work.links == NULL || work.constraints == NULL) {
        return KW_ENGINE_ARENA;
    }
    for (uint32_t i = 0; i < project->target_count; i++) {
        add_target(&work, &buckets, &project->targets[i]);
    }
    result->rows = work.rows;
    result->links = work.links;
    result->constraints = work.constraints;
    return KW_ENGINE_OK;
}
