/* host/primitives/engine.c: the data set, and phase 1. */
#include "host/primitives/engine.h"

#include "host/primitives/engine_parts.h"

/* Words a record, in the order of the sections. */
static const uint8_t WIDTH[KW_ENGINE_SECTIONS] = {1, 4, 2, 4, 3, 2,
                                                  5, 6, 5, 4, 6, 1};

void *kw_engine_take(struct kw_engine_arena *arena, size_t size) {
    const size_t start = (arena->used + 7U) & ~(size_t)7U;
    if (start > arena->size || size > arena->size - start) {
        return NULL;
    }
    arena->used = start + size;
    return arena->base + start;
}

/* --- checking the words --- */

static bool run_ok(const struct kw_engine_data *data,
                   const struct kw_engine_run *run, uint32_t limit) {
    const uint32_t size = data->count[KW_ENGINE_SECTION_LIST];
    if (run->first > size || run->count > size - run->first) {
        return false;
    }
    for (uint32_t i = 0; i < run->count; i++) {
        if (data->list[run->first + i] >= limit) {
            return false;
        }
    }
    return true;
}

static bool span_ok(uint32_t first, uint32_t count, uint32_t limit) {
    return first <= limit && count <= limit - first;
}

static bool edges_ok(const struct kw_engine_data *data) {
    const uint32_t limit = data->count[KW_ENGINE_SECTION_PRIMITIVES];
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_EDGES]; i++) {
        const struct kw_engine_edge *edge = &data->edges[i];
        if (edge->from >= limit || edge->to >= limit) {
            return false;
        }
    }
    return true;
}

static bool algorithms_ok(const struct kw_engine_data *data) {
    const uint32_t items = data->count[KW_ENGINE_SECTION_ITEMS];
    bool ok = true;
    for (uint32_t i = 0; i < items; i++) {
        ok = ok && run_ok(data, &data->items[i].members, items);
    }
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_ALGORITHMS]; i++) {
        ok = ok && run_ok(data, &data->algorithms[i].needs, items) &&
             run_ok(data, &data->algorithms[i].blocks, items);
    }
    return ok;
}

static bool profiles_ok(const struct kw_engine_data *data) {
    const uint32_t algorithms = data->count[KW_ENGINE_SECTION_ALGORITHMS];
    const uint32_t choices = data->count[KW_ENGINE_SECTION_CHOICES];
    bool ok = true;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_PROFILES]; i++) {
        const struct kw_engine_profile *profile = &data->profiles[i];
        ok = ok && profile->algorithm < algorithms &&
             span_ok(profile->first_choice, profile->choice_count, choices);
    }
    for (uint32_t i = 0; i < choices; i++) {
        ok = ok && run_ok(data, &data->choices[i].algorithms, algorithms);
    }
    return ok;
}

static bool requirement_ok(const struct kw_engine_data *data, uint32_t index) {
    const struct kw_engine_requirement *entry = &data->requirements[index];
    if (entry->standard >= data->count[KW_ENGINE_SECTION_STANDARDS] ||
        entry->group >= KW_ENGINE_GROUPS_MAX) {
        return false;
    }
    const struct kw_engine_standard *standard =
        &data->standards[entry->standard];
    return index - standard->first_requirement < standard->requirement_count &&
           (entry->base == KW_ENGINE_NONE ||
            entry->base < data->count[KW_ENGINE_SECTION_REQUIREMENTS]);
}

static bool standards_ok(const struct kw_engine_data *data) {
    const uint32_t count = data->count[KW_ENGINE_SECTION_REQUIREMENTS];
    bool ok = true;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_STANDARDS]; i++) {
        const struct kw_engine_standard *entry = &data->standards[i];
        ok = ok &&
             span_ok(entry->first_requirement, entry->requirement_count,
                     count) &&
             entry->level_count <= KW_ENGINE_LEVELS_MAX &&
             entry->type_count <= KW_ENGINE_LEVELS_MAX &&
             entry->group_count <= KW_ENGINE_GROUPS_MAX;
    }
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = requirement_ok(data, i);
    }
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_MAPPINGS]; i++) {
        const struct kw_engine_mapping *entry = &data->mappings[i];
        ok = ok && entry->requirement < count && entry->layer < 32 &&
             entry->primitive < data->count[KW_ENGINE_SECTION_PRIMITIVES];
    }
    return ok;
}

static bool parts_ok(const struct kw_engine_data *data) {
    const uint32_t features = data->count[KW_ENGINE_SECTION_FEATURES];
    bool ok = true;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_PARTS]; i++) {
        ok = ok && data->parts[i].role <= KW_ENGINE_ROLE_COMBINATION &&
             span_ok(data->parts[i].first_feature, data->parts[i].feature_count,
                     features);
    }
    for (uint32_t i = 0; i < features; i++) {
        const struct kw_engine_feature *entry = &data->features[i];
        ok = ok &&
             entry->primitive < data->count[KW_ENGINE_SECTION_PRIMITIVES] &&
             run_ok(data, &entry->items, data->count[KW_ENGINE_SECTION_ITEMS]);
    }
    return ok;
}

static void point(struct kw_engine_data *data,
                  const uint32_t *at[KW_ENGINE_SECTIONS]) {
    data->primitives = (const void *)at[KW_ENGINE_SECTION_PRIMITIVES];
    data->edges = (const void *)at[KW_ENGINE_SECTION_EDGES];
    data->items = (const void *)at[KW_ENGINE_SECTION_ITEMS];
    data->algorithms = (const void *)at[KW_ENGINE_SECTION_ALGORITHMS];
    data->profiles = (const void *)at[KW_ENGINE_SECTION_PROFILES];
    data->choices = (const void *)at[KW_ENGINE_SECTION_CHOICES];
    data->standards = (const void *)at[KW_ENGINE_SECTION_STANDARDS];
    data->requirements = (const void *)at[KW_ENGINE_SECTION_REQUIREMENTS];
    data->mappings = (const void *)at[KW_ENGINE_SECTION_MAPPINGS];
    data->parts = (const void *)at[KW_ENGINE_SECTION_PARTS];
    data->features = (const void *)at[KW_ENGINE_SECTION_FEATURES];
    data->list = at[KW_ENGINE_SECTION_LIST];
}

enum kw_engine_status kw_engine_load(struct kw_engine_data *data,
                                     const uint32_t *words, size_t count) {
    const uint32_t *at[KW_ENGINE_SECTIONS];
    if (count < KW_ENGINE_HEADER_WORDS || words[0] != KW_ENGINE_MAGIC ||
        words[1] != KW_ENGINE_VERSION || words[2] != count) {
        return KW_ENGINE_DATA;
    }
    for (size_t i = 0; i < KW_ENGINE_SECTIONS; i++) {
        const uint32_t first = words[3 + 2 * i];
        const uint32_t records = words[4 + 2 * i];
        if (first > count || records > (count - first) / WIDTH[i]) {
            return KW_ENGINE_DATA;
        }
        at[i] = words + first;
        data->count[i] = records;
    }
    if (data->count[KW_ENGINE_SECTION_PRIMITIVES] > KW_ENGINE_PRIMITIVES_MAX) {
        return KW_ENGINE_LIMIT;
    }
    point(data, at);
    return edges_ok(data) && algorithms_ok(data) && profiles_ok(data) &&
                   standards_ok(data) && parts_ok(data)
               ? KW_ENGINE_OK
               : KW_ENGINE_DATA;
}

/* --- phase 1 --- */

static bool edge_counts(const struct kw_engine_edge *edge, uint32_t model) {
    return model < 32 && (edge->models >> model & 1U) != 0;
}

/* One step of all edges at once, so that the path found first is a shortest
 * one. */
static uint64_t step(const struct kw_engine_data *data, uint32_t model,
                     struct kw_engine_closure *closure) {
    uint64_t found = 0;
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_EDGES]; i++) {
        const struct kw_engine_edge *edge = &data->edges[i];
        const uint64_t to = kw_engine_bit(edge->to);
        if ((edge->flags & KW_ENGINE_MANDATORY) != 0 &&
            edge_counts(edge, model) &&
            (closure->applicable & kw_engine_bit(edge->from)) != 0 &&
            ((closure->applicable | found) & to) == 0) {
            closure->parent[edge->to] = edge->from;
            found |= to;
        }
    }
    return found;
}

void kw_engine_closure(const struct kw_engine_data *data, uint64_t selected,
                       uint32_t model, struct kw_engine_closure *closure) {
    closure->applicable = closure->selected = selected;
    for (size_t i = 0; i < KW_ENGINE_PRIMITIVES_MAX; i++) {
        closure->parent[i] = KW_ENGINE_NONE;
    }
    for (uint64_t found = selected; found != 0;) {
        found = step(data, model, closure);
        closure->applicable |= found;
    }
}

enum kw_engine_status kw_engine_suggest(const struct kw_engine_data *data,
                                        const struct kw_engine_project *project,
                                        struct kw_engine_arena *arena,
                                        struct kw_engine_result *result) {
    const uint32_t edges = data->count[KW_ENGINE_SECTION_EDGES];
    uint32_t *found = kw_engine_take(arena, edges * sizeof *found);
    if (found == NULL) {
        return KW_ENGINE_ARENA;
    }
    const uint64_t applicable = result->closure.applicable;
    for (uint32_t i = 0; i < edges; i++) {
        const struct kw_engine_edge *edge = &data->edges[i];
        if ((edge->flags & KW_ENGINE_MANDATORY) == 0 &&
            edge_counts(edge, project->model) &&
            (applicable & kw_engine_bit(edge->from)) != 0 &&
            (applicable & kw_engine_bit(edge->to)) == 0) {
            found[result->suggestion_count++] = i;
        }
    }
    result->suggestions = found;
    return KW_ENGINE_OK;
}
