/* host/primitives/engine_call.c: words in, words out. */
#include "host/primitives/engine_call.h"

#include "host/primitives/engine_closing.h"
#include "host/primitives/engine_parts.h"

struct out {
    uint32_t *word;
    uint32_t count;
    uint32_t room;
    bool full;
};

static void put(struct out *out, uint32_t word) {
    if (out->count == out->room) {
        out->full = true;
        return;
    }
    out->word[out->count++] = word;
}

static void put_all(struct out *out, const void *records, size_t words) {
    const uint32_t *at = records;
    for (size_t i = 0; i < words; i++) {
        put(out, at[i]);
    }
}

static void put_set(struct out *out, uint64_t set) {
    put(out, (uint32_t)set);
    put(out, (uint32_t)(set >> 32));
}

/* The number of words goes in front. */
static uint32_t finish(struct out *out) {
    if (out->full) {
        return KW_ENGINE_ARENA;
    }
    out->word[0] = out->count;
    return KW_ENGINE_OK;
}

/* --- reading --- */

struct open {
    struct kw_engine_data data;
    struct kw_engine_project project;
    enum kw_engine_origin origin;
    struct kw_engine_arena arena;
    struct kw_engine_result result;
    struct out out;
};

static enum kw_engine_status open_call(const struct kw_engine_call *call,
                                       struct open *open) {
    open->arena = (struct kw_engine_arena){call->memory, call->memory_size, 0};
    open->out = (struct out){call->answer, 0, call->answer_room, false};
    put(&open->out, 0);
    enum kw_engine_status status =
        kw_engine_load(&open->data, call->data, call->data_count);
    if (status == KW_ENGINE_OK) {
        status = kw_engine_project_read(&open->data, call->project,
                                        call->project_count, &open->project);
    }
    if (status == KW_ENGINE_OK) {
        open->origin = kw_engine_choose(&open->data, &open->project);
    }
    return status;
}

static enum kw_engine_status evaluate(const struct kw_engine_call *call,
                                      struct open *open) {
    const enum kw_engine_status status = open_call(call, open);
    return status == KW_ENGINE_OK
               ? kw_engine_evaluate_from(&open->data, open->origin,
                                         &open->project, &open->arena,
                                         &open->result)
               : status;
}

/* --- the answer to an evaluation --- */

static void put_summary(struct open *open) {
    const struct kw_engine_result *result = &open->result;
    put(&open->out, open->origin);
    put_set(&open->out, open->project.selected);
    put_set(&open->out, result->closure.applicable);
    put(&open->out, kw_engine_verdict(result));
    put(&open->out, result->covered_count);
    put(&open->out, result->uncovered_count);
    put(&open->out, result->excluded_count);
}

static bool applies(const struct open *open, uint32_t primitive) {
    return (open->result.closure.applicable & kw_engine_bit(primitive)) != 0;
}

static uint32_t put_primitives(struct open *open) {
    const struct kw_engine_closure *closure = &open->result.closure;
    uint32_t count = 0;
    for (uint32_t i = 0; i < open->data.count[KW_ENGINE_SECTION_PRIMITIVES];
         i++) {
        if (applies(open, i)) {
            put(&open->out, i);
            put(&open->out, closure->parent[i]);
            put(&open->out, (closure->selected & kw_engine_bit(i)) != 0);
            count++;
        }
    }
    return count;
}

static uint32_t put_edges(struct open *open) {
    const uint32_t model = open->project.model;
    uint32_t count = 0;
    for (uint32_t i = 0; i < open->data.count[KW_ENGINE_SECTION_EDGES]; i++) {
        const struct kw_engine_edge *edge = &open->data.edges[i];
        if ((edge->flags & KW_ENGINE_MANDATORY) != 0 && model < 32 &&
            (edge->models >> model & 1U) != 0 && applies(open, edge->from) &&
            applies(open, edge->to)) {
            put(&open->out, i);
            count++;
        }
    }
    return count;
}

static uint32_t put_links(struct open *open) {
    const struct kw_engine_result *result = &open->result;
    for (uint32_t i = 0; i < result->row_count; i++) {
        const struct kw_engine_row *row = &result->rows[i];
        for (uint32_t n = 0; n < row->link_count; n++) {
            const uint32_t link = result->links[row->first_link + n];
            put(&open->out, link);
            put(&open->out, applies(open, open->data.mappings[link].primitive));
            put(&open->out, kw_engine_leads(&open->data, result, row, n));
        }
    }
    return result->link_count;
}

/* Where the runs of the fits and the wants end. */
static uint32_t feature_end(const struct kw_engine_result *result) {
    if (result->fit_count == 0) {
        return 0;
    }
    const struct kw_engine_fit *last = &result->fits[result->fit_count - 1];
    return last->first_feature + last->feature_count;
}

static uint32_t item_end(const struct kw_engine_result *result) {
    if (result->want_fit_count == 0) {
        return 0;
    }
    const struct kw_engine_want_fit *last =
        &result->want_fits[result->want_fit_count - 1];
    return last->first_block + last->block_count;
}

/* Sections that are arrays of the result as they are. */
static uint32_t put_records(struct open *open, uint32_t section) {
    const struct kw_engine_result *result = &open->result;
    const struct {
        const void *records;
        uint32_t count;
        size_t size;
    } arrays[KW_ENGINE_ANSWER_SECTIONS] = {
        [KW_ENGINE_ANSWER_SUGGESTIONS] = {result->suggestions,
                                          result->suggestion_count, 1},
        [KW_ENGINE_ANSWER_ROWS] = {result->rows, result->row_count, 4},
        [KW_ENGINE_ANSWER_CONSTRAINTS] = {result->constraints,
                                          result->constraint_count, 1},
        [KW_ENGINE_ANSWER_FITS] = {result->fits, result->fit_count, 6},
        [KW_ENGINE_ANSWER_FEATURES] = {result->fit_features,
                                       feature_end(result), 1},
        [KW_ENGINE_ANSWER_WANTS] = {result->want_fits, result->want_fit_count,
                                    8},
        [KW_ENGINE_ANSWER_ITEMS] = {result->items, item_end(result), 1},
        [KW_ENGINE_ANSWER_MISSING] = {result->missing, result->missing_count,
                                      1},
        [KW_ENGINE_ANSWER_PROFILES] = {result->profile_fits,
                                       result->profile_fit_count, 2},
    };
    put_all(&open->out, arrays[section].records,
            arrays[section].count * arrays[section].size);
    return arrays[section].count;
}

static uint32_t put_section(struct open *open, uint32_t section) {
    switch (section) {
    case KW_ENGINE_ANSWER_SUMMARY:
        put_summary(open);
        return 1;
    case KW_ENGINE_ANSWER_PRIMITIVES:
        return put_primitives(open);
    case KW_ENGINE_ANSWER_EDGES:
        return put_edges(open);
    case KW_ENGINE_ANSWER_LINKS:
        return put_links(open);
    default:
        return put_records(open, section);
    }
}

uint32_t kw_engine_call_evaluate(const struct kw_engine_call *call) {
    struct open open;
    const enum kw_engine_status status = evaluate(call, &open);
    if (status != KW_ENGINE_OK) {
        return status;
    }
    for (uint32_t i = 0; i < 2 * KW_ENGINE_ANSWER_SECTIONS; i++) {
        put(&open.out, 0);
    }
    for (uint32_t i = 0; !open.out.full && i < KW_ENGINE_ANSWER_SECTIONS; i++) {
        open.out.word[1 + 2 * i] = open.out.count;
        open.out.word[2 + 2 * i] = put_section(&open, i);
    }
    return finish(&open.out);
}

/* --- closing --- */

static bool below(const struct kw_engine_words *words, uint32_t limit) {
    for (uint32_t i = 0; i < words->count; i++) {
        if (words->at[i] >= limit) {
            return false;
        }
    }
    return true;
}

static bool read_wish(const struct kw_engine_call *call,
                      const struct kw_engine_data *data,
                      struct kw_engine_wish *wish) {
    const uint32_t *word = call->wish;
    const uint32_t parts = data->count[KW_ENGINE_SECTION_PARTS];
    if (call->wish_count < KW_ENGINE_WISH_WORDS) {
        return false;
    }
    *wish = (struct kw_engine_wish){
        .named = word[KW_ENGINE_WISH_NAMED],
        .sets = word[KW_ENGINE_WISH_SETS],
        .swap = word[KW_ENGINE_WISH_SWAP],
        .candidates.count = word[KW_ENGINE_WISH_CANDIDATE_COUNT],
        .forbidden.count = word[KW_ENGINE_WISH_FORBIDDEN_COUNT],
        .preferred.count = word[KW_ENGINE_WISH_PREFERRED_COUNT],
        .price_count = word[KW_ENGINE_WISH_PRICE_COUNT],
    };
    const uint64_t wanted = KW_ENGINE_WISH_WORDS +
                            (uint64_t)wish->candidates.count +
                            wish->forbidden.count + wish->preferred.count +
                            2 * (uint64_t)wish->price_count;
    if (wanted != call->wish_count || wish->sets < 1 ||
        wish->sets > KW_COVER_SETS_MAX) {
        return false;
    }
    wish->candidates.at = word + KW_ENGINE_WISH_WORDS;
    wish->forbidden.at = wish->candidates.at + wish->candidates.count;
    wish->preferred.at = wish->forbidden.at + wish->forbidden.count;
    wish->prices = (const void *)(wish->preferred.at + wish->preferred.count);
    return below(&wish->candidates, parts) && below(&wish->forbidden, parts) &&
           below(&wish->preferred, parts);
}

static void put_cover_set(struct out *out,
                          const struct kw_engine_closing *closing,
                          const struct kw_cover_set *set) {
    put(out, (uint32_t)set->cost + closing->extra);
    put(out, (uint32_t)__builtin_popcountll(set->parts));
    for (uint32_t i = 0; i < closing->candidate_count; i++) {
        if ((set->parts & kw_engine_bit(i)) != 0) {
            put(out, closing->candidates[i]);
        }
    }
}

static void put_closing(void *context,
                        const struct kw_engine_closing *closing) {
    struct out *out = context;
    out->word[1]++;
    put(out, closing->instead_of);
    put(out, closing->main);
    put(out, closing->gap_count);
    put(out, closing->cover->set_count);
    for (uint32_t i = 0; i < closing->gap_count; i++) {
        put(out, closing->gaps[i].kind);
        put(out, closing->gaps[i].index);
        put(out, kw_engine_is_impossible(closing, i));
    }
    for (uint32_t i = 0; i < closing->cover->set_count; i++) {
        put_cover_set(out, closing, &closing->cover->set[i]);
    }
}

uint32_t kw_engine_call_close(const struct kw_engine_call *call) {
    struct open open;
    struct kw_engine_wish wish;
    enum kw_engine_status status = evaluate(call, &open);
    if (status != KW_ENGINE_OK) {
        return status;
    }
    put(&open.out, 0);
    if (open.out.full || !read_wish(call, &open.data, &wish)) {
        return open.out.full ? KW_ENGINE_ARENA : KW_ENGINE_PROJECT;
    }
    open.arena.used = 0;
    status = kw_engine_close(&open.data, &open.project, &wish, &open.arena,
                             put_closing, &open.out);
    return status == KW_ENGINE_OK ? finish(&open.out) : status;
}

/* --- excluding --- */

uint32_t kw_engine_call_exclude(const struct kw_engine_call *call,
                                uint32_t primitive) {
    struct open open;
    const enum kw_engine_status status = open_call(call, &open);
    if (status != KW_ENGINE_OK) {
        return status;
    }
    const struct kw_engine_data *data = &open.data;
    if (primitive >= data->count[KW_ENGINE_SECTION_PRIMITIVES]) {
        return KW_ENGINE_PROJECT;
    }
    put(&open.out, kw_engine_applies(data, &open.project, primitive));
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_MAPPINGS]; i++) {
        if (kw_engine_excludes(data, &open.project, primitive, i)) {
            put(&open.out, data->mappings[i].requirement);
        }
    }
    return finish(&open.out);
}
