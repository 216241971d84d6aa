#include "host/primitives/closing.h"

#include <stdio.h>
#include <string.h>

#include "host/primitives/engine_closing.h"

/* The member "closing" of a project, by names and by indexes. */
struct wish {
    struct kw_project *project;
    const json_t *source;
    struct kw_problems *problems;
    uint32_t candidates[KW_PROJECT_LIST_MAX];
    uint32_t forbidden[KW_PROJECT_LIST_MAX];
    uint32_t preferred[KW_PROJECT_LIST_MAX];
    struct kw_engine_price prices[KW_PROJECT_LIST_MAX];
    struct kw_engine_wish engine;
};

/* --- what the file asks for --- */

static void read_names(struct wish *wish, const char *member, uint32_t *list,
                       struct kw_engine_words *words) {
    const struct kw_project *project = wish->project;
    const struct kw_table *parts = &project->catalogue->parts;
    char field[KW_FIELD_SIZE];
    size_t index;
    json_t *entry;
    words->at = list;
    json_array_foreach(json_object_get(wish->source, member), index, entry) {
        const char *id = json_string_value(entry);
        const uint32_t found = kw_table_find(parts, id);
        (void)snprintf(field, sizeof field, "closing.%s[%zu]", member, index);
        if (found == KW_ENGINE_NONE) {
            kw_unknown(wish->problems, &project->document, field, "platform",
                       id, parts);
        } else if (words->count < KW_PROJECT_LIST_MAX) {
            list[words->count++] = found;
        }
    }
}

static void check_preferred(struct wish *wish) {
    const struct kw_project *project = wish->project;
    for (uint32_t i = 0; i < wish->engine.preferred.count; i++) {
        for (uint32_t n = 0; n < wish->engine.forbidden.count; n++) {
            if (wish->preferred[i] == wish->forbidden[n]) {
                kw_problem(wish->problems, &project->document,
                           "closing.preferred",
                           "\"%.60s\" is preferred and forbidden",
                           project->catalogue->parts.id[wish->preferred[i]]);
                break;
            }
        }
    }
}

static void read_costs(struct wish *wish) {
    const struct kw_project *project = wish->project;
    const char *id;
    json_t *value;
    wish->engine.prices = wish->prices;
    json_object_foreach(json_object_get(wish->source, "costs"), id, value) {
        const uint32_t part = kw_table_find(&project->catalogue->parts, id);
        const json_int_t cents = json_integer_value(value);
        if (!json_is_integer(value) || cents < 0 || cents > 1000000 ||
            part == KW_ENGINE_NONE) {
            kw_problem(wish->problems, &project->document, "closing.costs",
                       "\"%.60s\" should be a platform with cents up to "
                       "1000000",
                       id);
        } else if (wish->engine.price_count < KW_PROJECT_LIST_MAX) {
            wish->prices[wish->engine.price_count++] =
                (struct kw_engine_price){part, (uint32_t)cents};
        }
    }
}

static void read_wish(struct wish *wish) {
    struct kw_engine_wish *engine = &wish->engine;
    engine->named = json_object_get(wish->source, "candidates") != NULL;
    read_names(wish, "candidates", wish->candidates, &engine->candidates);
    read_names(wish, "forbidden", wish->forbidden, &engine->forbidden);
    read_names(wish, "preferred", wish->preferred, &engine->preferred);
    check_preferred(wish);
    read_costs(wish);
}

/* --- the answer --- */

struct answer {
    const struct kw_catalogue *catalogue;
    json_t *document;
    json_t *swaps;
};

static json_t *gap_of(const struct kw_catalogue *catalogue,
                      const struct kw_engine_gap *gap) {
    const bool feature = gap->kind == KW_ENGINE_GAP_FEATURE;
    return json_pack("{s:s, s:s}", "kind", feature ? "primitive" : "algorithm",
                     "id",
                     feature ? catalogue->primitives.id[gap->index]
                             : catalogue->items.id[gap->index]);
}

static json_t *gaps_of(const struct kw_catalogue *catalogue,
                       const struct kw_engine_closing *closing,
                       bool impossible) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < closing->gap_count; i++) {
        if (!impossible || kw_engine_is_impossible(closing, i)) {
            json_array_append_new(list, gap_of(catalogue, &closing->gaps[i]));
        }
    }
    return list;
}

static json_t *set_of(const struct kw_catalogue *catalogue,
                      const struct kw_engine_closing *closing, uint32_t index) {
    const struct kw_cover_set *set = &closing->cover->set[index];
    json_t *parts = json_array();
    for (uint32_t i = 0; i < closing->candidate_count; i++) {
        if ((set->parts >> i & 1U) != 0) {
            json_array_append_new(
                parts,
                json_string(catalogue->parts.id[closing->candidates[i]]));
        }
    }
    return json_pack("{s:o, s:I}", "parts", parts, "cents",
                     (json_int_t)set->cost + (json_int_t)closing->extra);
}

static void put_closing(const struct answer *answer,
                        const struct kw_engine_closing *closing) {
    json_t *sets = json_array();
    for (uint32_t i = 0; i < closing->cover->set_count; i++) {
        json_array_append_new(sets, set_of(answer->catalogue, closing, i));
    }
    json_object_set_new(answer->document, "gaps",
                        gaps_of(answer->catalogue, closing, false));
    json_object_set_new(answer->document, "impossible",
                        gaps_of(answer->catalogue, closing, true));
    json_object_set_new(answer->document, "sets", sets);
    json_object_set_new(answer->document, "swaps", answer->swaps);
}

static void receive(void *context, const struct kw_engine_closing *closing) {
    const struct answer *answer = context;
    const struct kw_table *parts = &answer->catalogue->parts;
    if (closing->main == KW_ENGINE_NONE) {
        put_closing(answer, closing);
        return;
    }
    json_array_append_new(
        answer->swaps,
        json_pack("{s:s, s:s, s:o, s:o}", "instead_of",
                  parts->id[closing->instead_of], "main",
                  parts->id[closing->main], "impossible",
                  gaps_of(answer->catalogue, closing, true), "set",
                  closing->cover->set_count == 0
                      ? json_null()
                      : set_of(answer->catalogue, closing, 0)));
}

/* --- all --- */

void kw_closing_check(struct kw_project *project,
                      struct kw_problems *problems) {
    struct wish wish = {
        .project = project,
        .source = json_object_get(project->document.root, "closing"),
        .problems = problems,
    };
    read_wish(&wish);
}

kw_status kw_closing(struct kw_project *project,
                     const struct kw_closing_options *options,
                     struct kw_problems *problems, json_t *document,
                     struct kw_error *error) {
    struct wish wish = {
        .project = project,
        .source = json_object_get(project->document.root, "closing"),
        .problems = problems,
        .engine = {.sets = options->sets, .swap = options->swap},
    };
    read_wish(&wish);
    KW_TRY(kw_problems_status(problems, error));
    struct answer answer = {project->catalogue, document, json_array()};
    const size_t used = project->arena.used;
    const enum kw_engine_status status =
        kw_engine_close(&project->catalogue->data, &project->engine,
                        &wish.engine, &project->arena, receive, &answer);
    project->arena.used = used;
    if (status == KW_ENGINE_OK) {
        return KW_OK;
    }
    if (json_object_get(document, "swaps") != answer.swaps) {
        json_decref(answer.swaps);
    }
    return kw_error(error, KW_PARSE, "%s: more than %d gaps",
                    project->document.name, KW_ENGINE_GAPS_MAX);
}
