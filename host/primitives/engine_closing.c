/* host/primitives/engine_closing.c: from gaps to a minimum cover. */
#include "host/primitives/engine_closing.h"

#include "host/primitives/engine_parts.h"

enum { CHOICES_MAX = 16, PICKS_MAX = 4096 };

struct closing {
    const struct kw_engine_data *data;
    const struct kw_engine_project *from; /* as the user wrote it */
    const struct kw_engine_wish *wish;
    struct kw_engine_arena *arena;
    size_t mark;                      /* of the arena: what stays */
    struct kw_engine_project project; /* what is evaluated now */
    struct kw_engine_want *wants;     /* of project */
    uint32_t *parts;                  /* of project */
    bool *keep;                       /* a want of from */
    struct kw_engine_result result;
    struct kw_cover *cover;
    uint32_t candidate[KW_ENGINE_PARTS_MAX];
    const struct kw_engine_gap *gaps;
    uint32_t gap_count;
};

static bool lists(const struct kw_engine_words *words, uint32_t value) {
    for (uint32_t i = 0; i < words->count; i++) {
        if (words->at[i] == value) {
            return true;
        }
    }
    return false;
}

/* Without candidates in the wish: all but main parts and combinations. */
static bool is_candidate(const struct closing *closing, uint32_t part) {
    const struct kw_engine_wish *wish = closing->wish;
    if (lists(&closing->project.parts, part) || lists(&wish->forbidden, part)) {
        return false;
    }
    return wish->named != 0
               ? lists(&wish->candidates, part)
               : closing->data->parts[part].role == KW_ENGINE_ROLE_BESIDE;
}

static uint32_t cost_of(const struct closing *closing, uint32_t part) {
    const struct kw_engine_wish *wish = closing->wish;
    for (uint32_t i = 0; i < wish->price_count; i++) {
        if (wish->prices[i].part == part) {
            return wish->prices[i].cents;
        }
    }
    return closing->data->parts[part].cost;
}

/* --- the problem --- */

static void add_candidate(struct closing *closing, uint32_t part) {
    struct kw_cover *cover = closing->cover;
    if (cover->part_count == KW_ENGINE_PARTS_MAX) {
        return;
    }
    struct kw_cover_part *entry = &cover->part[cover->part_count];
    *entry = (struct kw_cover_part){
        .cost = cost_of(closing, part),
        .preferred = lists(&closing->wish->preferred, part),
    };
    for (uint32_t i = 0; i < closing->gap_count; i++) {
        if (kw_engine_closes(closing->data, &closing->project, part,
                             &closing->gaps[i])) {
            entry->closes[i / 64] |= (uint64_t)1 << i % 64;
        }
    }
    closing->candidate[cover->part_count++] = part;
}

/* Evaluates what is wanted now, strictly, and solves it. */
static enum kw_engine_status solve(struct closing *closing, uint32_t sets,
                                   struct kw_cover_result *result) {
    closing->arena->used = closing->mark;
    enum kw_engine_status status = kw_engine_evaluate(
        closing->data, &closing->project, closing->arena, &closing->result);
    if (status == KW_ENGINE_OK) {
        status =
            kw_engine_gaps(closing->data, &closing->project, &closing->result,
                           closing->arena, &closing->gaps, &closing->gap_count);
    }
    if (status != KW_ENGINE_OK) {
        return status;
    }
    *closing->cover =
        (struct kw_cover){.gap_count = closing->gap_count, .set_limit = sets};
    for (uint32_t i = 0; i < closing->data->count[KW_ENGINE_SECTION_PARTS];
         i++) {
        if (is_candidate(closing, i)) {
            add_candidate(closing, i);
        }
    }
    kw_cover_solve(closing->cover, result);
    return KW_ENGINE_OK;
}

/* --- the interoperable reading --- */

/* A choice of a wanted protocol: one of its algorithms is enough. */
struct choice {
    struct kw_engine_run run;
    bool met; /* by the parts that are there */
};

static bool in_run(const struct kw_engine_data *data,
                   const struct kw_engine_run *run, uint32_t value) {
    const struct kw_engine_words words = {data->list + run->first, run->count};
    return lists(&words, value);
}

static bool is_wanted(const struct closing *closing, uint32_t algorithm) {
    for (uint32_t i = 0; i < closing->from->want_count; i++) {
        if (closing->from->wants[i].algorithm == algorithm) {
            return true;
        }
    }
    return false;
}

/* Whether a want of the choice is met, or spared because another is. */
static bool is_met(const struct closing *closing,
                   const struct kw_engine_run *run) {
    const struct kw_engine_result *result = &closing->result;
    for (uint32_t i = 0; i < result->want_fit_count; i++) {
        const struct kw_engine_want_fit *fit = &result->want_fits[i];
        if (in_run(closing->data, run, fit->algorithm) &&
            (fit->state >= KW_ENGINE_FULL || fit->spared != 0)) {
            return true;
        }
    }
    return false;
}

static uint32_t find_choices(const struct closing *closing,
                             struct choice *choices) {
    const struct kw_engine_data *data = closing->data;
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

/* Drops the wants of a choice but the picked one; all when it is met. False:
 * nobody wants the picked one. */
static bool narrow(struct closing *closing, const struct choice *choice,
                   uint32_t picked) {
    bool found = choice->met;
    for (uint32_t i = 0; i < closing->from->want_count; i++) {
        const uint32_t algorithm = closing->from->wants[i].algorithm;
        const bool other = choice->met || algorithm != picked;
        if (other && in_run(closing->data, &choice->run, algorithm)) {
            closing->keep[i] = false;
        }
        found = found || algorithm == picked;
    }
    return found;
}

/* Keeps of each choice the one want that the number picks; none when the
 * choice is met. False: the number picks what nobody wants. */
static bool pick(struct closing *closing, const struct choice *choices,
                 uint32_t count, uint32_t number) {
    const struct kw_engine_project *from = closing->from;
    bool wanted = true;
    for (uint32_t i = 0; i < from->want_count; i++) {
        closing->keep[i] = true;
    }
    for (uint32_t c = 0; c < count; c++) {
        const struct kw_engine_run *run = &choices[c].run;
        const uint32_t picked =
            closing->data->list[run->first + number % run->count];
        wanted = narrow(closing, &choices[c], picked) && wanted;
        number /= choices[c].met ? 1 : run->count;
    }
    closing->project.want_count = 0;
    for (uint32_t i = 0; i < from->want_count; i++) {
        if (closing->keep[i]) {
            closing->wants[closing->project.want_count++] = from->wants[i];
        }
    }
    return wanted;
}

static bool is_cheaper(const struct kw_cover_result *one,
                       const struct kw_cover_result *two) {
    int left_one = 0;
    int left_two = 0;
    for (size_t i = 0; i < KW_COVER_WORDS; i++) {
        left_one += __builtin_popcountll(one->impossible[i]);
        left_two += __builtin_popcountll(two->impossible[i]);
    }
    return left_one != left_two ? left_one < left_two
                                : one->set[0].cost < two->set[0].cost;
}

/* One algorithm of each choice is enough: every way to pick them is tried,
 * and the cheapest is left in the closing. */
static enum kw_engine_status solve_choices(struct closing *closing,
                                           uint32_t sets,
                                           struct kw_cover_result *best) {
    struct kw_cover_result result;
    struct choice choices[CHOICES_MAX];
    enum kw_engine_status status = kw_engine_evaluate(
        closing->data, &closing->project, closing->arena, &closing->result);
    const uint32_t count =
        status == KW_ENGINE_OK ? find_choices(closing, choices) : 0;
    uint32_t picks = 1;
    uint32_t best_pick = UINT32_MAX;
    for (uint32_t i = 0; i < count && picks < PICKS_MAX; i++) {
        picks *= choices[i].met ? 1 : choices[i].run.count;
    }
    closing->project.interoperable = 0;
    for (uint32_t i = 0; status == KW_ENGINE_OK && i < picks; i++) {
        if (!pick(closing, choices, count, i)) {
            continue;
        }
        status = solve(closing, sets, &result);
        if (status == KW_ENGINE_OK &&
            (best_pick == UINT32_MAX || is_cheaper(&result, best))) {
            *best = result;
            best_pick = i;
        }
    }
    if (status != KW_ENGINE_OK) {
        return status;
    }
    (void)pick(closing, choices, count, best_pick);
    return solve(closing, sets, best);
}

/* --- another main part --- */

static void hand_over(const struct closing *closing,
                      const struct kw_cover_result *result, uint32_t instead_of,
                      uint32_t main, kw_engine_closing_receiver *receive,
                      void *context) {
    const struct kw_engine_closing answer = {
        .instead_of = instead_of,
        .main = main,
        .extra = main == KW_ENGINE_NONE ? 0 : cost_of(closing, main),
        .gaps = closing->gaps,
        .gap_count = closing->gap_count,
        .candidates = closing->candidate,
        .candidate_count = closing->cover->part_count,
        .cover = result,
    };
    receive(context, &answer);
}

static bool is_other_main(const struct closing *closing, uint32_t part) {
    return closing->data->parts[part].role == KW_ENGINE_ROLE_MAIN &&
           !lists(&closing->from->parts, part) &&
           !lists(&closing->wish->forbidden, part);
}

static enum kw_engine_status try_swaps(struct closing *closing,
                                       kw_engine_closing_receiver *receive,
                                       void *context) {
    const struct kw_engine_data *data = closing->data;
    struct kw_cover_result result;
    for (uint32_t p = 0; p < closing->project.parts.count; p++) {
        const uint32_t before = closing->parts[p];
        if (data->parts[before].role != KW_ENGINE_ROLE_MAIN) {
            continue;
        }
        for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_PARTS]; i++) {
            if (!is_other_main(closing, i)) {
                continue;
            }
            closing->parts[p] = i;
            const enum kw_engine_status status = solve(closing, 1, &result);
            if (status != KW_ENGINE_OK) {
                return status;
            }
            hand_over(closing, &result, before, i, receive, context);
        }
        closing->parts[p] = before;
    }
    return KW_ENGINE_OK;
}

/* --- all --- */

static bool take_room(struct closing *closing) {
    const struct kw_engine_project *from = closing->from;
    struct kw_engine_arena *arena = closing->arena;
    closing->wants =
        kw_engine_take(arena, from->want_count * sizeof *closing->wants);
    closing->keep =
        kw_engine_take(arena, from->want_count * sizeof *closing->keep);
    closing->parts =
        kw_engine_take(arena, from->parts.count * sizeof *closing->parts);
    closing->cover = kw_engine_take(arena, sizeof *closing->cover);
    if (closing->wants == NULL || closing->keep == NULL ||
        closing->parts == NULL || closing->cover == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < from->want_count; i++) {
        closing->wants[i] = from->wants[i];
    }
    for (uint32_t i = 0; i < from->parts.count; i++) {
        closing->parts[i] = from->parts.at[i];
    }
    closing->project.wants = closing->wants;
    closing->project.parts.at = closing->parts;
    closing->mark = arena->used;
    return true;
}

enum kw_engine_status kw_engine_close(const struct kw_engine_data *data,
                                      const struct kw_engine_project *project,
                                      const struct kw_engine_wish *wish,
                                      struct kw_engine_arena *arena,
                                      kw_engine_closing_receiver *receive,
                                      void *context) {
    struct kw_cover_result result;
    struct closing closing = {.data = data,
                              .from = project,
                              .wish = wish,
                              .arena = arena,
                              .project = *project};
    if (!take_room(&closing)) {
        return KW_ENGINE_ARENA;
    }
    const enum kw_engine_status status =
        project->interoperable != 0
            ? solve_choices(&closing, wish->sets, &result)
            : solve(&closing, wish->sets, &result);
    if (status != KW_ENGINE_OK) {
        return status;
    }
    hand_over(&closing, &result, KW_ENGINE_NONE, KW_ENGINE_NONE, receive,
              context);
    return wish->swap != 0 ? try_swaps(&closing, receive, context)
                           : KW_ENGINE_OK;
}
