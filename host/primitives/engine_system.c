/* host/primitives/engine_system.c: phase 3, parts against primitives. */
#include "host/primitives/engine_parts.h"

struct work {
    const struct kw_engine_data *data;
    const struct kw_engine_project *project;
    struct kw_engine_result *result;
    uint8_t *present;    /* an item that some part lists for general use */
    uint8_t *is_missing; /* an item that some want lacks */
    struct kw_engine_fit *fits;
    uint32_t *features;
    struct kw_engine_want_fit *wants;
    uint32_t *items;
    uint32_t item_count;
    uint32_t feature_count;
    uint32_t item_room;
};

static bool feature_counts(const struct kw_engine_feature *feature,
                           const struct kw_engine_project *project) {
    return feature->confidence >= project->min_confidence &&
           feature->support != KW_ENGINE_SUPPORT_NONE;
}

static bool in_run(const struct kw_engine_data *data,
                   const struct kw_engine_run *run, uint32_t value) {
    for (uint32_t i = 0; i < run->count; i++) {
        if (data->list[run->first + i] == value) {
            return true;
        }
    }
    return false;
}

static bool part_lists(const struct kw_engine_data *data,
                       const struct kw_engine_project *project, uint32_t part,
                       uint32_t item) {
    const struct kw_engine_part *entry = &data->parts[part];
    const struct kw_engine_run *family = &data->items[item].members;
    for (uint32_t i = 0; i < entry->feature_count; i++) {
        const struct kw_engine_feature *feature =
            &data->features[entry->first_feature + i];
        if (feature->general == 0 || !feature_counts(feature, project)) {
            continue;
        }
        if (in_run(data, &feature->items, item)) {
            return true;
        }
        for (uint32_t m = 0; m < family->count; m++) {
            if (in_run(data, &feature->items, data->list[family->first + m])) {
                return true;
            }
        }
    }
    return false;
}

/* --- what the parts list --- */

static void mark_part(struct work *work, uint32_t part) {
    const struct kw_engine_part *entry = &work->data->parts[part];
    for (uint32_t i = 0; i < entry->feature_count; i++) {
        const struct kw_engine_feature *feature =
            &work->data->features[entry->first_feature + i];
        if (feature->general == 0 || !feature_counts(feature, work->project)) {
            continue;
        }
        for (uint32_t n = 0; n < feature->items.count; n++) {
            work->present[work->data->list[feature->items.first + n]] = 1;
        }
    }
}

static bool is_present(const struct work *work, uint32_t item) {
    const struct kw_engine_run *family = &work->data->items[item].members;
    bool present = work->present[item] != 0;
    for (uint32_t i = 0; i < family->count; i++) {
        present =
            present || work->present[work->data->list[family->first + i]] != 0;
    }
    return present;
}

/* --- one wanted algorithm --- */

static bool is_guided(const struct kw_engine_project *project,
                      uint32_t algorithm) {
    for (uint32_t i = 0; i < project->guided_algorithms.count; i++) {
        if (project->guided_algorithms.at[i] == algorithm) {
            return true;
        }
    }
    return false;
}

/* Whether all that the algorithm needs is there. */
static bool is_met(const struct work *work, uint32_t algorithm) {
    const struct kw_engine_run *needs =
        &work->data->algorithms[algorithm].needs;
    for (uint32_t i = 0; i < needs->count; i++) {
        if (!is_present(work, work->data->list[needs->first + i])) {
            return false;
        }
    }
    return true;
}

static bool is_wanted(const struct kw_engine_project *project,
                      uint32_t algorithm) {
    for (uint32_t i = 0; i < project->want_count; i++) {
        if (project->wants[i].algorithm == algorithm) {
            return true;
        }
    }
    return false;
}

/* The interoperable reading spares an algorithm when each choice of a wanted
 * protocol that offers it has another member that is met. */
static bool is_spared(const struct work *work, uint32_t algorithm) {
    const struct kw_engine_data *data = work->data;
    bool offered = false;
    for (uint32_t p = 0; p < data->count[KW_ENGINE_SECTION_PROFILES]; p++) {
        const struct kw_engine_profile *profile = &data->profiles[p];
        if (!is_wanted(work->project, profile->algorithm)) {
            continue;
        }
        for (uint32_t c = 0; c < profile->choice_count; c++) {
            const struct kw_engine_run *run =
                &data->choices[profile->first_choice + c].algorithms;
            bool met = false;
            if (!in_run(data, run, algorithm)) {
                continue;
            }
            for (uint32_t i = 0; i < run->count; i++) {
                met = met || is_met(work, data->list[run->first + i]);
            }
            if (!met) {
                return false;
            }
            offered = true;
        }
    }
    return offered;
}

static uint32_t list_items(struct work *work, const struct kw_engine_run *run,
                           bool present) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->count; i++) {
        const uint32_t item = work->data->list[run->first + i];
        if (is_present(work, item) == present &&
            work->item_count < work->item_room) {
            work->items[work->item_count++] = item;
            count++;
        }
    }
    return count;
}

static void fit_want(struct work *work, const struct kw_engine_want *want) {
    const struct kw_engine_algorithm *algorithm =
        &work->data->algorithms[want->algorithm];
    struct kw_engine_want_fit *fit =
        &work->wants[work->result->want_fit_count++];
    *fit = (struct kw_engine_want_fit){
        .primitive = want->primitive,
        .algorithm = want->algorithm,
        .first_missing = work->item_count,
    };
    fit->missing_count = list_items(work, &algorithm->needs, false);
    fit->first_block = work->item_count;
    if (fit->missing_count == 0) {
        fit->state = KW_ENGINE_FULL;
        return;
    }
    fit->block_count = list_items(work, &algorithm->blocks, true);
    const bool some =
        fit->missing_count < algorithm->needs.count || fit->block_count > 0;
    fit->state = some ? KW_ENGINE_PARTIAL : KW_ENGINE_GAP;
    fit->spared =
        work->project->interoperable != 0 && is_spared(work, want->algorithm);
    if (is_guided(work->project, want->algorithm)) {
        fit->state = KW_ENGINE_GUIDED;
        return;
    }
    for (uint32_t i = 0; fit->spared == 0 && i < fit->missing_count; i++) {
        work->is_missing[work->items[fit->first_missing + i]] = 1;
    }
}

/* --- one primitive --- */

static bool list_features(struct work *work, struct kw_engine_fit *fit) {
    const struct kw_engine_project *project = work->project;
    bool full = false;
    fit->first_feature = work->feature_count;
    for (uint32_t p = 0; p < project->parts.count; p++) {
        const struct kw_engine_part *part =
            &work->data->parts[project->parts.at[p]];
        for (uint32_t i = 0; i < part->feature_count; i++) {
            const uint32_t index = part->first_feature + i;
            const struct kw_engine_feature *feature =
                &work->data->features[index];
            if (feature->primitive != fit->primitive ||
                !feature_counts(feature, project)) {
                continue;
            }
            work->features[work->feature_count++] = index;
            fit->feature_count++;
            full = full || feature->support == KW_ENGINE_SUPPORT_FULL;
        }
    }
    return full;
}

static void fit_primitive(struct work *work, uint32_t primitive) {
    const struct kw_engine_project *project = work->project;
    struct kw_engine_fit *fit = &work->fits[work->result->fit_count++];
    *fit = (struct kw_engine_fit){.primitive = primitive,
                                  .first_want = work->result->want_fit_count};
    bool full = list_features(work, fit);
    bool guided = (project->guided_primitives >> primitive & 1U) != 0 && !full;
    for (uint32_t i = 0; i < project->want_count; i++) {
        if (project->wants[i].primitive != primitive) {
            continue;
        }
        fit_want(work, &project->wants[i]);
        const struct kw_engine_want_fit *want =
            &work->wants[fit->first_want + fit->want_count++];
        full = full && (want->state >= KW_ENGINE_FULL || want->spared != 0);
        guided = guided || want->state == KW_ENGINE_GUIDED;
    }
    fit->state = full ? KW_ENGINE_FULL : KW_ENGINE_PARTIAL;
    if (fit->feature_count == 0) {
        fit->state = KW_ENGINE_GAP;
    }
    if (guided && (full || (project->guided_primitives >> primitive & 1U))) {
        fit->state = KW_ENGINE_GUIDED;
    }
}

/* --- protocols --- */

static bool profile_possible(const struct work *work,
                             const struct kw_engine_profile *profile) {
    bool possible = is_met(work, profile->algorithm);
    for (uint32_t c = 0; c < profile->choice_count; c++) {
        const struct kw_engine_run *run =
            &work->data->choices[profile->first_choice + c].algorithms;
        bool any = false;
        for (uint32_t i = 0; i < run->count; i++) {
            any = any || is_met(work, work->data->list[run->first + i]);
        }
        possible = possible && any;
    }
    return possible;
}

static enum kw_engine_status fit_profiles(struct work *work,
                                          struct kw_engine_arena *arena) {
    const uint32_t count = work->data->count[KW_ENGINE_SECTION_PROFILES];
    struct kw_engine_profile_fit *fits =
        kw_engine_take(arena, count * sizeof *fits);
    if (fits == NULL) {
        return KW_ENGINE_ARENA;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct kw_engine_profile *profile = &work->data->profiles[i];
        if (is_wanted(work->project, profile->algorithm)) {
            fits[work->result->profile_fit_count++] =
                (struct kw_engine_profile_fit){
                    i, profile_possible(work, profile) ? 1U : 0U};
        }
    }
    work->result->profile_fits = fits;
    return KW_ENGINE_OK;
}

/* --- the phase --- */

/* Room for the features of the parts and for the items of the wants. */
static void count_room(const struct work *work, size_t *features,
                       uint32_t *items) {
    const struct kw_engine_project *project = work->project;
    *features = 0;
    *items = 0;
    for (uint32_t i = 0; i < project->parts.count; i++) {
        *features += work->data->parts[project->parts.at[i]].feature_count;
    }
    for (uint32_t i = 0; i < project->want_count; i++) {
        const struct kw_engine_algorithm *algorithm =
            &work->data->algorithms[project->wants[i].algorithm];
        *items += algorithm->needs.count + algorithm->blocks.count;
    }
}

static enum kw_engine_status take_room(struct work *work,
                                       struct kw_engine_arena *arena) {
    const size_t items = work->data->count[KW_ENGINE_SECTION_ITEMS];
    size_t features = 0;
    count_room(work, &features, &work->item_room);
    work->present = kw_engine_take(arena, items);
    work->is_missing = kw_engine_take(arena, items);
    work->fits =
        kw_engine_take(arena, KW_ENGINE_PRIMITIVES_MAX * sizeof *work->fits);
    work->features = kw_engine_take(arena, features * sizeof(uint32_t));
    work->wants =
        kw_engine_take(arena, work->project->want_count * sizeof *work->wants);
    work->items = kw_engine_take(arena, work->item_room * sizeof(uint32_t));
    if (work->present == NULL || work->is_missing == NULL ||
        work->fits == NULL || work->features == NULL || work->wants == NULL ||
        work->items == NULL) {
        return KW_ENGINE_ARENA;
    }
    for (size_t i = 0; i < items; i++) {
        work->present[i] = 0;
        work->is_missing[i] = 0;
    }
    return KW_ENGINE_OK;
}

static enum kw_engine_status list_missing(struct work *work,
                                          struct kw_engine_arena *arena) {
    const uint32_t count = work->data->count[KW_ENGINE_SECTION_ITEMS];
    uint32_t *missing = kw_engine_take(arena, count * sizeof *missing);
    if (missing == NULL) {
        return KW_ENGINE_ARENA;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (work->is_missing[i] != 0) {
            missing[work->result->missing_count++] = i;
        }
    }
    work->result->missing = missing;
    return KW_ENGINE_OK;
}

enum kw_engine_status kw_engine_system(const struct kw_engine_data *data,
                                       const struct kw_engine_project *project,
                                       struct kw_engine_arena *arena,
                                       struct kw_engine_result *result) {
    struct work work = {.data = data, .project = project, .result = result};
    if (project->parts.count == 0) {
        return KW_ENGINE_OK;
    }
    enum kw_engine_status status = take_room(&work, arena);
    if (status != KW_ENGINE_OK) {
        return status;
    }
    for (uint32_t i = 0; i < project->parts.count; i++) {
        mark_part(&work, project->parts.at[i]);
    }
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_PRIMITIVES]; i++) {
        if ((result->closure.applicable >> i & 1U) != 0) {
            fit_primitive(&work, i);
        }
    }
    result->fits = work.fits;
    result->fit_features = work.features;
    result->want_fits = work.wants;
    result->items = work.items;
    status = fit_profiles(&work, arena);
    return status == KW_ENGINE_OK ? list_missing(&work, arena) : status;
}

/* --- gaps as atoms --- */

static bool part_supports(const struct kw_engine_data *data,
                          const struct kw_engine_project *project,
                          uint32_t part, uint32_t primitive) {
    const struct kw_engine_part *entry = &data->parts[part];
    for (uint32_t i = 0; i < entry->feature_count; i++) {
        const struct kw_engine_feature *feature =
            &data->features[entry->first_feature + i];
        if (feature->primitive == primitive &&
            feature->support == KW_ENGINE_SUPPORT_FULL &&
            feature_counts(feature, project)) {
            return true;
        }
    }
    return false;
}

bool kw_engine_closes(const struct kw_engine_data *data,
                      const struct kw_engine_project *project, uint32_t part,
                      const struct kw_engine_gap *gap) {
    return gap->kind == KW_ENGINE_GAP_FEATURE
               ? part_supports(data, project, part, gap->index)
               : part_lists(data, project, part, gap->index);
}

static bool is_supported(const struct kw_engine_data *data,
                         const struct kw_engine_project *project,
                         uint32_t primitive) {
    for (uint32_t i = 0; i < project->parts.count; i++) {
        if (part_supports(data, project, project->parts.at[i], primitive)) {
            return true;
        }
    }
    return false;
}

enum kw_engine_status kw_engine_gaps(const struct kw_engine_data *data,
                                     const struct kw_engine_project *project,
                                     const struct kw_engine_result *result,
                                     struct kw_engine_arena *arena,
                                     const struct kw_engine_gap **gaps,
                                     uint32_t *count) {
    const size_t room = KW_ENGINE_PRIMITIVES_MAX + result->missing_count;
    struct kw_engine_gap *list = kw_engine_take(arena, room * sizeof *list);
    uint32_t found = 0;
    if (list == NULL) {
        return KW_ENGINE_ARENA;
    }
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_PRIMITIVES]; i++) {
        if ((result->closure.applicable >> i & 1U) != 0 &&
            (project->guided_primitives >> i & 1U) == 0 &&
            !is_supported(data, project, i)) {
            list[found++] = (struct kw_engine_gap){KW_ENGINE_GAP_FEATURE, i};
        }
    }
    for (uint32_t i = 0; i < result->missing_count; i++) {
        list[found++] =
            (struct kw_engine_gap){KW_ENGINE_GAP_ITEM, result->missing[i]};
    }
    if (found > KW_ENGINE_GAPS_MAX) {
        return KW_ENGINE_LIMIT;
    }
    *gaps = list;
    *count = found;
    return KW_ENGINE_OK;
}
