#include "host/primitives/closing.h"

#include <stdio.h>
#include <string.h>

#define MAIN_PART "mcu"

enum { CHOICES_MAX = 16, PICKS_MAX = 4096 };

struct closing {
    struct kw_project *project;
    const json_t *wish; /* the member "closing" of the project */
    struct kw_cover cover;
    uint32_t candidate[KW_ENGINE_PARTS_MAX];
    const struct kw_engine_gap *gaps;
    uint32_t gap_count;
    struct kw_engine_want all_wants[KW_PROJECT_LIST_MAX]; /* of the file */
    uint32_t all_count;
};

static bool lists(const json_t *array, const char *id) {
    size_t index;
    json_t *entry;
    json_array_foreach(array, index, entry) {
        if (strcmp(json_string_value(entry), id) == 0) {
            return true;
        }
    }
    return false;
}

static const char *part_id(const struct closing *closing, uint32_t part) {
    return closing->project->catalogue->parts.id[part];
}

static const char *part_type(const struct closing *closing, uint32_t part) {
    return kw_text(closing->project->catalogue->parts.entry[part], "type");
}

static bool is_used(const struct closing *closing, uint32_t part) {
    const struct kw_engine_words *parts = &closing->project->engine.parts;
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->at[i] == part) {
            return true;
        }
    }
    return false;
}

/* Without candidates in the file: all but main parts and combinations. */
static bool is_candidate(const struct closing *closing, uint32_t part) {
    const json_t *named = json_object_get(closing->wish, "candidates");
    const char *id = part_id(closing, part);
    const char *type = part_type(closing, part);
    if (is_used(closing, part) ||
        lists(json_object_get(closing->wish, "forbidden"), id)) {
        return false;
    }
    return named != NULL
               ? lists(named, id)
               : strcmp(type, MAIN_PART) != 0 && strcmp(type, "combo") != 0;
}

static uint32_t cost_of(const struct closing *closing, uint32_t part) {
    const json_t *own = json_object_get(json_object_get(closing->wish, "costs"),
                                        part_id(closing, part));
    return own != NULL ? (uint32_t)json_integer_value(own)
                       : closing->project->catalogue->data.parts[part].cost;
}

/* --- the problem --- */

static void add_candidate(struct closing *closing, uint32_t part) {
    const struct kw_project *project = closing->project;
    struct kw_cover *cover = &closing->cover;
    if (cover->part_count == KW_ENGINE_PARTS_MAX) {
        return;
    }
    struct kw_cover_part *entry = &cover->part[cover->part_count];
    *entry = (struct kw_cover_part){
        .cost = cost_of(closing, part),
        .preferred = lists(json_object_get(closing->wish, "preferred"),
                           part_id(closing, part)),
    };
    for (uint32_t i = 0; i < closing->gap_count; i++) {
        if (kw_engine_closes(&project->catalogue->data, &project->engine, part,
                             &closing->gaps[i])) {
            entry->closes[i / 64] |= (uint64_t)1 << i % 64;
        }
    }
    closing->candidate[cover->part_count++] = part;
}

static kw_status pose(struct closing *closing, uint32_t sets,
                      struct kw_error *error) {
    struct kw_project *project = closing->project;
    const enum kw_engine_status status = kw_engine_gaps(
        &project->catalogue->data, &project->engine, &project->result,
        &project->arena, &closing->gaps, &closing->gap_count);
    if (status != KW_ENGINE_OK) {
        return kw_error(error, KW_PARSE, "%s: more than %d gaps",
                        project->document.name, KW_ENGINE_GAPS_MAX);
    }
    closing->cover =
        (struct kw_cover){.gap_count = closing->gap_count, .set_limit = sets};
    for (uint32_t i = 0; i < project->catalogue->parts.count; i++) {
        if (is_candidate(closing, i)) {
            add_candidate(closing, i);
        }
    }
    return KW_OK;
}

/* --- the interoperable reading --- */

/* A choice of a wanted protocol: one of its algorithms is enough. */
struct choice {
    struct kw_engine_run run;
    bool met; /* by the parts that are there */
};

static bool in_run(const struct kw_engine_data *data,
                   const struct kw_engine_run *run, uint32_t value) {
    for (uint32_t i = 0; i < run->count; i++) {
        if (data->list[run->first + i] == value) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct closing *closing, uint32_t algorithm) {
    for (uint32_t i = 0; i < closing->all_count; i++) {
        if (closing->all_wants[i].algorithm == algorithm) {
            return true;
        }
    }
    return false;
}

/* Whether a want of the choice is met, or spared because another is. */
static bool is_met(const struct closing *closing,
                   const struct kw_engine_run *run) {
    const struct kw_engine_result *result = &closing->project->result;
    for (uint32_t i = 0; i < result->want_fit_count; i++) {
        const struct kw_engine_want_fit *fit = &result->want_fits[i];
        if (in_run(&closing->project->catalogue->data, run, fit->algorithm) &&
            (fit->state >= KW_ENGINE_FULL || fit->spared != 0)) {
            return true;
        }
    }
    return false;
}

static uint32_t find_choices(const struct closing *closing,
                             struct choice *choices) {
    const struct kw_engine_data *data = &closing->project->catalogue->data;
    uint32_t count = 0;
    for (uint32_t p = 0; p < data->count[KW_ENGINE_SECTION_PROFILES]; p++) {
        const struct kw_engine_profile *profile = &data->profiles[p];
        for (uint32_t c = 0; is_wanted(closing, profile->algorithm) &&
                             c < profile->choice_count && count < CHOICES_MAX;
             c++) {
            const struct kw_engine_run run =
                data->choices[profile->first_choice + c].algorithms;
            if (run.count > 0) {
                choices[count++] = (struct choice){run, is_met(closing, &run)};
            }
        }
    }
    return count;
}

/* Keeps of each choice the one want that the number picks; none when the
 * choice is met. False: the number picks what nobody wants. */
static bool pick(struct closing *closing, const struct choice *choices,
                 uint32_t count, uint32_t number) {
    const struct kw_engine_data *data = &closing->project->catalogue->data;
    struct kw_engine_project *engine = &closing->project->engine;
    bool keep[KW_PROJECT_LIST_MAX];
    bool wanted = true;
    memset(keep, 1, sizeof keep);
    for (uint32_t c = 0; c < count; c++) {
        const struct kw_engine_run *run = &choices[c].run;
        const uint32_t members = run->count > 0 ? run->count : 1;
        const uint32_t picked = data->list[run->first + number % members];
        bool found = choices[c].met;
        for (uint32_t i = 0; i < closing->all_count; i++) {
            const uint32_t algorithm = closing->all_wants[i].algorithm;
            const bool other = choices[c].met || algorithm != picked;
            keep[i] = keep[i] && !(in_run(data, run, algorithm) && other);
            found = found || algorithm == picked;
        }
        wanted = wanted && found;
        number /= choices[c].met ? 1 : members;
    }
    engine->want_count = 0;
    for (uint32_t i = 0; i < closing->all_count; i++) {
        if (keep[i]) {
            closing->project->wants[engine->want_count++] =
                closing->all_wants[i];
        }
    }
    return wanted;
}

/* --- the answer --- */

static json_t *gap_of(const struct closing *closing, uint32_t index) {
    const struct kw_catalogue *catalogue = closing->project->catalogue;
    const struct kw_engine_gap *gap = &closing->gaps[index];
    const bool feature = gap->kind == KW_ENGINE_GAP_FEATURE;
    return json_pack("{s:s, s:s}", "kind", feature ? "primitive" : "algorithm",
                     "id",
                     feature ? catalogue->primitives.id[gap->index]
                             : catalogue->items.id[gap->index]);
}

static bool is_impossible(const struct kw_cover_result *result,
                          uint32_t index) {
    return (result->impossible[index / 64] >> index % 64 & 1U) != 0;
}

static json_t *set_of(const struct closing *closing,
                      const struct kw_cover_set *set, uint32_t extra) {
    json_t *parts = json_array();
    json_t *entry = json_object();
    for (uint32_t i = 0; i < closing->cover.part_count; i++) {
        if ((set->parts >> i & 1U) != 0) {
            json_array_append_new(
                parts, json_string(part_id(closing, closing->candidate[i])));
        }
    }
    json_object_set_new(entry, "parts", parts);
    json_object_set_new(
        entry, "cents",
        json_integer((json_int_t)set->cost + (json_int_t)extra));
    return entry;
}

static json_t *gaps_of(const struct closing *closing,
                       const struct kw_cover_result *result, bool impossible) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < closing->gap_count; i++) {
        if (!impossible || is_impossible(result, i)) {
            json_array_append_new(list, gap_of(closing, i));
        }
    }
    return list;
}

/* --- another main part --- */

static kw_status try_swap(struct closing *closing, uint32_t position,
                          uint32_t part, json_t *swaps,
                          struct kw_error *error) {
    struct kw_project *project = closing->project;
    struct kw_cover_result result;
    const uint32_t before = project->parts[position];
    project->parts[position] = part;
    kw_status status = kw_project_evaluate(project, error);
    if (status == KW_OK) {
        status = pose(closing, 1, error);
    }
    if (status == KW_OK) {
        kw_cover_solve(&closing->cover, &result);
        json_t *entry = json_object();
        json_object_set_new(entry, "instead_of",
                            json_string(part_id(closing, before)));
        json_object_set_new(entry, "main", json_string(part_id(closing, part)));
        json_object_set_new(entry, "impossible",
                            gaps_of(closing, &result, true));
        json_object_set_new(
            entry, "set",
            result.set_count == 0
                ? json_null()
                : set_of(closing, &result.set[0], cost_of(closing, part)));
        json_array_append_new(swaps, entry);
    }
    project->parts[position] = before;
    return status;
}

static kw_status try_swaps(struct closing *closing, json_t *swaps,
                           struct kw_error *error) {
    struct kw_project *project = closing->project;
    const json_t *forbidden = json_object_get(closing->wish, "forbidden");
    for (uint32_t p = 0; p < project->engine.parts.count; p++) {
        if (strcmp(part_type(closing, project->parts[p]), MAIN_PART) != 0) {
            continue;
        }
        for (uint32_t i = 0; i < project->catalogue->parts.count; i++) {
            if (strcmp(part_type(closing, i), MAIN_PART) == 0 &&
                !is_used(closing, i) &&
                !lists(forbidden, part_id(closing, i))) {
                KW_TRY(try_swap(closing, p, i, swaps, error));
            }
        }
    }
    return kw_project_evaluate(project, error);
}

/* --- all --- */

static void check_names(const struct closing *closing, const char *member,
                        struct kw_problems *problems) {
    const struct kw_table *parts = &closing->project->catalogue->parts;
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(closing->wish, member), index, entry) {
        (void)snprintf(field, sizeof field, "closing.%s[%zu]", member, index);
        if (kw_table_find(parts, json_string_value(entry)) == KW_ENGINE_NONE) {
            kw_unknown(problems, &closing->project->document, field, "platform",
                       json_string_value(entry), parts);
        }
    }
}

static void check_wish(const struct closing *closing,
                       struct kw_problems *problems) {
    const json_t *preferred = json_object_get(closing->wish, "preferred");
    const json_t *forbidden = json_object_get(closing->wish, "forbidden");
    const struct kw_document *document = &closing->project->document;
    json_t *costs = json_object_get(closing->wish, "costs");
    const char *id;
    json_t *value;
    size_t index;
    check_names(closing, "candidates", problems);
    check_names(closing, "forbidden", problems);
    check_names(closing, "preferred", problems);
    json_array_foreach(preferred, index, value) {
        if (lists(forbidden, json_string_value(value))) {
            kw_problem(problems, document, "closing.preferred",
                       "\"%.60s\" is preferred and forbidden",
                       json_string_value(value));
        }
    }
    json_object_foreach(costs, id, value) {
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) > 1000000 ||
            kw_table_find(&closing->project->catalogue->parts, id) ==
                KW_ENGINE_NONE) {
            kw_problem(problems, document, "closing.costs",
                       "\"%.60s\" should be a platform with cents up to "
                       "1000000",
                       id);
        }
    }
}

static bool is_cheaper(const struct kw_cover_result *one,
                       const struct kw_cover_result *two) {
    uint32_t left_one = 0;
    uint32_t left_two = 0;
    for (size_t i = 0; i < KW_COVER_WORDS; i++) {
        left_one += (uint32_t)__builtin_popcountll(one->impossible[i]);
        left_two += (uint32_t)__builtin_popcountll(two->impossible[i]);
    }
    return left_one != left_two ? left_one < left_two
                                : one->set[0].cost < two->set[0].cost;
}

/* Evaluates what is wanted now, strictly, and solves it. */
static kw_status solve(struct closing *closing, uint32_t sets,
                       struct kw_cover_result *result, struct kw_error *error) {
    KW_TRY(kw_project_evaluate(closing->project, error));
    KW_TRY(pose(closing, sets, error));
    kw_cover_solve(&closing->cover, result);
    return KW_OK;
}

/* One algorithm of each choice is enough: every way to pick them is tried,
 * and the cheapest is left in the closing. */
static kw_status solve_choices(struct closing *closing, uint32_t sets,
                               struct kw_cover_result *best,
                               struct kw_error *error) {
    struct kw_cover_result result;
    struct choice choices[CHOICES_MAX];
    struct kw_engine_project *engine = &closing->project->engine;
    const uint32_t count = find_choices(closing, choices);
    uint32_t picks = 1;
    uint32_t best_pick = UINT32_MAX;
    for (uint32_t i = 0; i < count && picks < PICKS_MAX; i++) {
        picks *= choices[i].met ? 1 : choices[i].run.count;
    }
    engine->interoperable = 0;
    for (uint32_t number = 0; number < picks; number++) {
        if (!pick(closing, choices, count, number)) {
            continue;
        }
        KW_TRY(solve(closing, sets, &result, error));
        if (best_pick == UINT32_MAX || is_cheaper(&result, best)) {
            *best = result;
            best_pick = number;
        }
    }
    (void)pick(closing, choices, count, best_pick);
    return solve(closing, sets, best, error);
}

kw_status kw_closing(struct kw_project *project,
                     const struct kw_closing_options *options,
                     struct kw_problems *problems, json_t *document,
                     struct kw_error *error) {
    struct kw_cover_result result;
    struct closing closing = {
        .project = project,
        .wish = json_object_get(project->document.root, "closing"),
    };
    check_wish(&closing, problems);
    KW_TRY(kw_problems_status(problems, error));
    closing.all_count = project->engine.want_count;
    memcpy(closing.all_wants, project->wants, sizeof closing.all_wants);
    KW_TRY(project->engine.interoperable != 0
               ? solve_choices(&closing, options->sets, &result, error)
               : solve(&closing, options->sets, &result, error));
    json_t *sets = json_array();
    json_t *swaps = json_array();
    json_object_set_new(document, "gaps", gaps_of(&closing, &result, false));
    json_object_set_new(document, "impossible",
                        gaps_of(&closing, &result, true));
    for (uint32_t i = 0; i < result.set_count; i++) {
        json_array_append_new(sets, set_of(&closing, &result.set[i], 0));
    }
    json_object_set_new(document, "sets", sets);
    json_object_set_new(document, "swaps", swaps);
    return options->swap ? try_swaps(&closing, swaps, error) : KW_OK;
}
