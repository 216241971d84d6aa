/* host/primitives/report.c: an evaluated project as a JSON document. */
#include <stdlib.h>
#include <string.h>

#include "host/primitives/project.h"

struct report {
    const struct kw_project *project;
    const struct kw_catalogue *catalogue;
    const struct kw_engine_data *data;
    const struct kw_engine_result *result;
};

static void set(json_t *object, const char *member, json_t *value) {
    (void)json_object_set_new(object, member, value);
}

static void push(json_t *array, json_t *value) {
    (void)json_array_append_new(array, value);
}

static json_t *primitive_id(const struct report *report, uint32_t index) {
    return json_string(report->catalogue->primitives.id[index]);
}

static json_t *requirement_id(const struct report *report, uint32_t index) {
    return json_string(report->catalogue->requirements.id[index]);
}

const char *kw_cover_word(uint32_t state) {
    static const char *const WORDS[] = {"gap", "partial", "covered",
                                        "guidance"};
    return WORDS[state];
}

const char *kw_want_word(uint32_t state) {
    static const char *const WORDS[] = {"missing", "partial", "met",
                                        "guidance"};
    return WORDS[state];
}

const char *kw_row_word(uint32_t state) {
    static const char *const WORDS[] = {"uncovered", "covered", "excluded"};
    return WORDS[state];
}

static bool applies(const struct report *report, uint32_t primitive) {
    return (report->result->closure.applicable >> primitive & 1U) != 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ids of items in the order of the alphabet. */
static json_t *sorted_items(const struct report *report, const uint32_t *items,
                            uint32_t count) {
    const char **names = calloc(count + 1U, sizeof *names);
    json_t *list = json_array();
    for (uint32_t i = 0; names != NULL && i < count; i++) {
        names[i] = report->catalogue->items.id[items[i]];
    }
    if (names != NULL) {
        qsort((void *)names, count, sizeof *names, by_text);
    }
    for (uint32_t i = 0; names != NULL && i < count; i++) {
        push(list, json_string(names[i]));
    }
    free((void *)names);
    return list;
}

/* --- phase 1 --- */

static json_t *required_by(const struct report *report, uint32_t primitive) {
    const struct kw_engine_data *data = report->data;
    json_t *list = json_array();
    for (uint32_t i = 0; i < data->count[KW_ENGINE_SECTION_EDGES]; i++) {
        const struct kw_engine_edge *edge = &data->edges[i];
        if (edge->to == primitive && applies(report, edge->from) &&
            (edge->flags & KW_ENGINE_MANDATORY) != 0 &&
            (edge->models >> report->project->engine.model & 1U) != 0) {
            push(list, primitive_id(report, edge->from));
        }
    }
    return list;
}

static json_t *path_to(const struct report *report, uint32_t primitive) {
    const struct kw_engine_closure *closure = &report->result->closure;
    json_t *path = json_array();
    for (uint32_t at = primitive; at != KW_ENGINE_NONE;
         at = closure->parent[at]) {
        (void)json_array_insert_new(path, 0, primitive_id(report, at));
    }
    return path;
}

static json_t *applicable(const struct report *report) {
    static const char *const ORIGINS[] = {"explicit", "standard", "all"};
    const struct kw_engine_closure *closure = &report->result->closure;
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->catalogue->primitives.count; i++) {
        const bool selected = (closure->selected >> i & 1U) != 0;
        if (!applies(report, i)) {
            continue;
        }
        json_t *entry = json_object();
        set(entry, "primitive", primitive_id(report, i));
        set(entry, "origin",
            json_string(selected ? ORIGINS[report->project->origin]
                                 : "implicit"));
        set(entry, "required_by",
            selected ? json_array() : required_by(report, i));
        set(entry, "path", path_to(report, i));
        push(list, entry);
    }
    return list;
}

static int by_suggestion(const void *a, const void *b) {
    const json_t *one = *(json_t *const *)a;
    const json_t *two = *(json_t *const *)b;
    const int first =
        strcmp(kw_text(one, "primitive"), kw_text(two, "primitive"));
    return first != 0 ? first
                      : strcmp(kw_text(one, "suggested_by"),
                               kw_text(two, "suggested_by"));
}

static json_t *suggestions(const struct report *report) {
    const struct kw_engine_result *result = report->result;
    json_t **sorted = calloc(result->suggestion_count + 1U, sizeof(void *));
    json_t *list = json_array();
    for (uint32_t i = 0; sorted != NULL && i < result->suggestion_count; i++) {
        const uint32_t index = result->suggestions[i];
        const struct kw_engine_edge *edge = &report->data->edges[index];
        sorted[i] = json_object();
        set(sorted[i], "primitive", primitive_id(report, edge->to));
        set(sorted[i], "suggested_by", primitive_id(report, edge->from));
        set(sorted[i], "rationale",
            json_string(
                kw_text(report->catalogue->edges.entry[index], "rationale")));
    }
    if (sorted != NULL) {
        qsort((void *)sorted, result->suggestion_count, sizeof(void *),
              by_suggestion);
    }
    for (uint32_t i = 0; sorted != NULL && i < result->suggestion_count; i++) {
        push(list, sorted[i]);
    }
    free((void *)sorted);
    return list;
}

/* --- phase 2 --- */

static json_t *link_of(const struct report *report, uint32_t index) {
    const json_t *mapping = report->catalogue->mappings.entry[index];
    json_t *link = json_object();
    const uint32_t primitive = report->data->mappings[index].primitive;
    set(link, "primitive", primitive_id(report, primitive));
    set(link, "applicable", json_boolean(applies(report, primitive)));
    set(link, "layer", json_string(kw_text(mapping, "layer")));
    set(link, "confidence", json_string(kw_text(mapping, "confidence")));
    set(link, "rationale", json_string(kw_text(mapping, "rationale")));
    return link;
}

static json_t *row_of(const struct report *report,
                      const struct kw_engine_row *row) {
    json_t *entry = json_object();
    json_t *links = json_array();
    for (uint32_t i = 0; i < row->link_count; i++) {
        push(links,
             link_of(report, report->result->links[row->first_link + i]));
    }
    set(entry, "requirement", requirement_id(report, row->requirement));
    set(entry, "title",
        json_string(kw_text(
            report->catalogue->requirements.entry[row->requirement], "title")));
    set(entry, "status", json_string(kw_row_word(row->state)));
    set(entry, "argument",
        json_string(kw_project_argument(report->project, row->requirement)));
    set(entry, "links", links);
    return entry;
}

/* Requirements of one standard that link to one primitive. */
static json_t *rows_of_primitive(const struct report *report, uint32_t standard,
                                 uint32_t primitive, bool uncovered) {
    const struct kw_engine_result *result = report->result;
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->row_count; i++) {
        const struct kw_engine_row *row = &result->rows[i];
        if (report->data->requirements[row->requirement].standard != standard ||
            (uncovered && row->state != KW_ENGINE_UNCOVERED)) {
            continue;
        }
        for (uint32_t n = 0; n < row->link_count; n++) {
            const uint32_t link = result->links[row->first_link + n];
            if (report->data->mappings[link].primitive == primitive &&
                (!uncovered || kw_engine_leads(report->data, result, row, n))) {
                push(list, requirement_id(report, row->requirement));
                break;
            }
        }
    }
    return list;
}

static json_t *by_primitive(const struct report *report, uint32_t standard,
                            bool applicable_ones) {
    json_t *map = json_object();
    for (uint32_t i = 0; i < report->catalogue->primitives.count; i++) {
        if (applies(report, i) != applicable_ones) {
            continue;
        }
        json_t *list = rows_of_primitive(report, standard, i, !applicable_ones);
        if (json_array_size(list) > 0 || applicable_ones) {
            set(map, report->catalogue->primitives.id[i], list);
        } else {
            json_decref(list);
        }
    }
    return map;
}

static json_t *ids_in_state(const struct report *report, uint32_t standard,
                            uint32_t state) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->result->row_count; i++) {
        const struct kw_engine_row *row = &report->result->rows[i];
        if (row->state == state &&
            report->data->requirements[row->requirement].standard == standard) {
            push(list, requirement_id(report, row->requirement));
        }
    }
    return list;
}

static json_t *levels_of(const struct report *report,
                         const struct kw_engine_target *target) {
    const json_t *standard =
        report->catalogue->standards.entry[target->standard];
    const json_t *names =
        json_object_get(json_object_get(standard, "levels"), "values");
    const json_t *groups = json_object_get(standard, "groups");
    const size_t count =
        json_array_size(groups) > 0 ? json_array_size(groups) : 1;
    json_t *list = json_array();
    for (size_t i = 0; names != NULL && i < count; i++) {
        const uint32_t level = target->levels[i];
        const char *name =
            level == 0 ? "-"
                       : json_string_value(json_array_get(names, level - 1));
        const char *group = kw_text(json_array_get(groups, i), "id");
        push(list, json_pack("{s:s, s:s}", "group", group, "level", name));
    }
    return list;
}

static json_t *constraints_of(const struct report *report, uint32_t standard) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->result->constraint_count; i++) {
        const uint32_t index = report->result->constraints[i];
        if (report->data->requirements[index].standard == standard) {
            push(list, requirement_id(report, index));
        }
    }
    return list;
}

static json_t *phase_2_of(const struct report *report,
                          const struct kw_engine_target *target) {
    const uint32_t standard = target->standard;
    const json_t *source = report->catalogue->standards.entry[standard];
    json_t *entry = json_object();
    json_t *rows = json_array();
    const char *type = kw_text(
        json_array_get(json_object_get(source, "types"), target->type), "id");
    for (uint32_t i = 0; i < report->result->row_count; i++) {
        const struct kw_engine_row *row = &report->result->rows[i];
        if (report->data->requirements[row->requirement].standard == standard) {
            push(rows, row_of(report, row));
        }
    }
    json_t *covered = ids_in_state(report, standard, KW_ENGINE_COVERED);
    json_t *uncovered = ids_in_state(report, standard, KW_ENGINE_UNCOVERED);
    set(entry, "standard", json_string(kw_text(source, "id")));
    set(entry, "label", json_string(kw_text(source, "label")));
    set(entry, "component_type", json_string(type));
    set(entry, "levels", levels_of(report, target));
    set(entry, "per_primitive", by_primitive(report, standard, true));
    set(entry, "count_unique",
        json_integer((json_int_t)json_array_size(covered)));
    set(entry, "unique_requirements", covered);
    set(entry, "count_uncovered",
        json_integer((json_int_t)json_array_size(uncovered)));
    set(entry, "uncovered", uncovered);
    set(entry, "excluded", ids_in_state(report, standard, KW_ENGINE_EXCLUDED));
    set(entry, "primitives_required_by_standard_only",
        by_primitive(report, standard, false));
    set(entry, "constraints", constraints_of(report, standard));
    set(entry, "rows", rows);
    return entry;
}

/* --- phase 3 --- */

static json_t *items_of(const struct report *report, uint32_t first,
                        uint32_t count) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        push(
            list,
            json_string(
                report->catalogue->items.id[report->result->items[first + i]]));
    }
    return list;
}

static json_t *want_of(const struct report *report,
                       const struct kw_engine_want_fit *want) {
    json_t *entry = json_object();
    set(entry, "algorithm",
        json_string(report->catalogue->algorithms.id[want->algorithm]));
    set(entry, "status", json_string(kw_want_word(want->state)));
    set(entry, "missing",
        items_of(report, want->first_missing, want->missing_count));
    set(entry, "present_blocks",
        items_of(report, want->first_block, want->block_count));
    set(entry, "spared", json_boolean(want->spared));
    return entry;
}

static json_t *fit_of(const struct report *report,
                      const struct kw_engine_fit *fit) {
    json_t *entry = json_object();
    json_t *features = json_array();
    json_t *details = json_array();
    json_t *wants = json_array();
    for (uint32_t i = 0; i < fit->feature_count; i++) {
        const uint32_t index =
            report->result->fit_features[fit->first_feature + i];
        const json_t *feature = report->catalogue->features.entry[index];
        push(features, json_string(kw_text(feature, "feature")));
        push(details, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "feature",
                                kw_text(feature, "feature"), "platform",
                                report->catalogue->features.id[index],
                                "support", kw_text(feature, "support"), "usage",
                                kw_text(feature, "usage"), "confidence",
                                kw_text(feature, "confidence"), "robustness",
                                kw_text(feature, "robustness")));
    }
    for (uint32_t i = 0; i < fit->want_count; i++) {
        push(wants,
             want_of(report, &report->result->want_fits[fit->first_want + i]));
    }
    set(entry, "primitive", primitive_id(report, fit->primitive));
    set(entry, "status", json_string(kw_cover_word(fit->state)));
    set(entry, "features", features);
    set(entry, "feature_details", details);
    set(entry, "algorithms", wants);
    return entry;
}

static const char *verdict(const struct kw_engine_result *result) {
    static const char *const WORDS[] = {"gap", "partial", "covered",
                                        "not evaluated"};
    return WORDS[kw_engine_verdict(result)];
}

static json_t *phase_3(const struct report *report) {
    const struct kw_engine_result *result = report->result;
    json_t *phase = json_object();
    json_t *rows = json_array();
    json_t *protocols = json_array();
    json_t *platforms = json_array();
    for (uint32_t i = 0; i < report->project->engine.parts.count; i++) {
        push(platforms,
             json_string(
                 report->catalogue->parts.id[report->project->parts[i]]));
    }
    for (uint32_t i = 0; i < result->fit_count; i++) {
        push(rows, fit_of(report, &result->fits[i]));
    }
    for (uint32_t i = 0; i < result->profile_fit_count; i++) {
        const struct kw_engine_profile *profile =
            &report->data->profiles[result->profile_fits[i].profile];
        push(protocols,
             json_pack("{s:s, s:b}", "protocol",
                       report->catalogue->algorithms.id[profile->algorithm],
                       "possible", (int)result->profile_fits[i].possible));
    }
    set(phase, "platforms", platforms);
    set(phase, "rows", rows);
    set(phase, "missing_items",
        sorted_items(report, result->missing, result->missing_count));
    set(phase, "interoperable", protocols);
    set(phase, "verdict", json_string(verdict(result)));
    return phase;
}

/* --- all --- */

static json_t *title_of(const struct kw_project *project) {
    const json_t *use_case =
        json_object_get(project->document.root, "use_case");
    const char *title = kw_text(use_case, "title");
    return json_string(title[0] == '\0' ? project->document.name : title);
}

json_t *kw_project_document(const struct kw_project *project) {
    const struct report report = {.project = project,
                                  .catalogue = project->catalogue,
                                  .data = &project->catalogue->data,
                                  .result = &project->result};
    json_t *document = json_object();
    json_t *standards = json_array();
    for (uint32_t i = 0; i < project->engine.target_count; i++) {
        push(standards, phase_2_of(&report, &project->targets[i]));
    }
    set(document, "title", title_of(project));
    set(document, "model",
        json_string(project->engine.model == 0 ? "text" : "table5"));
    set(document, "reading",
        json_string(project->engine.interoperable == 0 ? "strict"
                                                       : "interoperable"));
    set(document, "phase1",
        json_pack("{s:o, s:o}", "applicable", applicable(&report),
                  "optional_suggestions", suggestions(&report)));
    set(document, "phase2", json_pack("{s:o}", "standards", standards));
    set(document, "phase3", phase_3(&report));
    return document;
}
