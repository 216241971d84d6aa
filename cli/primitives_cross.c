/* cli/primitives_cross.c: what one standard adds over another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/primitives.h"
#include "host/text.h"

struct side {
    struct kw_engine_target target;
    struct kw_engine_result result;
    uint8_t *memory;
};

static kw_status no_level(struct kw_cli *cli, const json_t *standard,
                          const char *id, const char *word) {
    char *values = kw_joined(
        json_object_get(json_object_get(standard, "levels"), "values"), NULL);
    const kw_status status =
        values == NULL || values[0] == '\0'
            ? kw_error(&cli->error, KW_USAGE,
                       "%s has no levels; leave \":%.40s\" out", id, word)
            : kw_error(&cli->error, KW_USAGE,
                       "%s has no level \"%.40s\"; it has %s", id, word,
                       values);
    free(values);
    return status;
}

static kw_status read_side(struct kw_cli *cli,
                           const struct kw_catalogue *catalogue,
                           const char *operand, struct side *side) {
    const size_t size = strcspn(operand, ":");
    char id[80];
    (void)snprintf(id, sizeof id, "%.*s", (int)(size < 79 ? size : 79),
                   operand);
    const struct kw_table *standards = &catalogue->standards;
    const uint32_t found = kw_table_find(standards, id);
    if (found == KW_ENGINE_NONE) {
        const char *nearest = kw_nearest(id, standards->id, standards->count);
        return kw_error(&cli->error, KW_USAGE, "no standard \"%s\"%s%s", id,
                        nearest == NULL ? "" : "; nearest: ",
                        nearest == NULL ? "" : nearest);
    }
    const uint32_t levels = catalogue->data.standards[found].level_count;
    uint32_t level = levels == 0 ? 1 : levels;
    if (operand[size] == ':') {
        level = kw_standard_level(standards->entry[found], operand + size + 1);
        if (level == KW_ENGINE_NONE) {
            return no_level(cli, standards->entry[found], id,
                            operand + size + 1);
        }
        level++;
    }
    side->target = (struct kw_engine_target){found, KW_ENGINE_NONE, {0}};
    for (size_t i = 0; i < KW_ENGINE_GROUPS_MAX; i++) {
        side->target.levels[i] = level;
    }
    return KW_OK;
}

static kw_status find_rows(struct kw_cli *cli,
                           const struct kw_catalogue *catalogue,
                           const struct kw_project_options *filters,
                           const char *operand, struct side *side) {
    struct kw_engine_arena arena = {.size = (size_t)1 << 20};
    struct kw_engine_project project = {
        .layers = UINT32_MAX,
        .targets = &side->target,
        .target_count = 1,
    };
    KW_TRY(kw_project_filters(filters, &project, &cli->error));
    KW_TRY(read_side(cli, catalogue, operand, side));
    side->memory = arena.base = malloc(arena.size);
    if (arena.base == NULL ||
        kw_engine_evaluate(&catalogue->data, &project, &arena, &side->result) !=
            KW_ENGINE_OK) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    return KW_OK;
}

/* The surest link of a standard to a primitive; NONE: no link. */
static uint32_t best_link(const struct kw_catalogue *catalogue,
                          const struct side *side, uint32_t primitive) {
    const struct kw_engine_mapping *mappings = catalogue->data.mappings;
    uint32_t best = KW_ENGINE_NONE;
    for (uint32_t i = 0; i < side->result.link_count; i++) {
        const uint32_t link = side->result.links[i];
        if (mappings[link].primitive == primitive &&
            (best == KW_ENGINE_NONE ||
             mappings[link].confidence > mappings[best].confidence)) {
            best = link;
        }
    }
    return best;
}

static json_t *path_of(const struct kw_catalogue *catalogue, uint32_t link,
                       uint32_t other) {
    static const char *const WORDS[] = {"low", "medium", "high"};
    const struct kw_engine_mapping *one = &catalogue->data.mappings[link];
    const struct kw_engine_mapping *two = &catalogue->data.mappings[other];
    const uint32_t weakest =
        one->confidence < two->confidence ? one->confidence : two->confidence;
    return json_pack("{s:s, s:s, s:s}", "primitive",
                     catalogue->primitives.id[one->primitive], "requirement",
                     catalogue->requirements.id[two->requirement], "confidence",
                     WORDS[weakest > 2 ? 2 : weakest]);
}

static json_t *paths_of(const struct kw_catalogue *catalogue,
                        const struct side *one, const struct side *two,
                        const struct kw_engine_row *row) {
    json_t *paths = json_array();
    for (uint32_t i = 0; i < row->link_count; i++) {
        const uint32_t link = two->result.links[row->first_link + i];
        const uint32_t other =
            best_link(catalogue, one, catalogue->data.mappings[link].primitive);
        if (other != KW_ENGINE_NONE) {
            json_array_append_new(paths, path_of(catalogue, link, other));
        }
    }
    return paths;
}

static json_t *new_primitives(const struct kw_catalogue *catalogue,
                              const struct side *two,
                              const struct kw_engine_row *row) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < row->link_count; i++) {
        const uint32_t link = two->result.links[row->first_link + i];
        json_array_append_new(
            list,
            json_string(catalogue->primitives
                            .id[catalogue->data.mappings[link].primitive]));
    }
    return list;
}

static void show_row(struct kw_cli *cli, const char *word, const char *id,
                     const char *text) {
    char *left = kw_format("%-7s %s", word, id);
    kw_print_column(cli, 26, left == NULL ? word : left, text);
    free(left);
}

static int rank_of(const json_t *path) {
    const char *word = kw_text(path, "confidence");
    return strcmp(word, "high") == 0 ? 2 : strcmp(word, "medium") == 0;
}

static const json_t *surest_of(const json_t *paths) {
    const json_t *best = json_array_get(paths, 0);
    size_t index;
    json_t *path;
    json_array_foreach(paths, index, path) {
        best = rank_of(path) > rank_of(best) ? path : best;
    }
    return best;
}

static void show_shared(struct kw_cli *cli, const char *id,
                        const json_t *paths) {
    const json_t *path = surest_of(paths);
    const size_t others = json_array_size(paths) - 1;
    char more[40] = "";
    if (others > 0) {
        (void)snprintf(more, sizeof more, ", and %zu more", others);
    }
    char *text = kw_format(
        "with %s through %s (%s)%s", kw_text(path, "requirement"),
        kw_text(path, "primitive"), kw_text(path, "confidence"), more);
    show_row(cli, "shares", id, text == NULL ? "" : text);
    free(text);
}

static void show_cross(struct kw_cli *cli, const struct kw_catalogue *catalogue,
                       const struct side *one, const struct side *two) {
    json_t *adds = json_array();
    json_t *shared = json_array();
    for (uint32_t i = 0; i < two->result.row_count; i++) {
        const struct kw_engine_row *row = &two->result.rows[i];
        const char *id = catalogue->requirements.id[row->requirement];
        const char *title =
            kw_text(catalogue->requirements.entry[row->requirement], "title");
        json_t *paths = paths_of(catalogue, one, two, row);
        if (json_array_size(paths) == 0) {
            show_row(cli, "adds", id, title);
            json_decref(paths);
            json_array_append_new(
                adds,
                json_pack("{s:s, s:s, s:o}", "requirement", id, "title", title,
                          "primitives", new_primitives(catalogue, two, row)));
            continue;
        }
        show_shared(cli, id, paths);
        json_array_append_new(shared,
                              json_pack("{s:s, s:s, s:o}", "requirement", id,
                                        "title", title, "paths", paths));
    }
    kw_print(cli, "%zu added, %zu shared\n", json_array_size(adds),
             json_array_size(shared));
    json_object_set_new(cli->result, "adds", adds);
    json_object_set_new(cli->result, "shares", shared);
}

kw_status kw_primitives_cross(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    const struct kw_project_options filters = kw_options_of(arguments);
    struct side one = {.memory = NULL};
    struct side two = {.memory = NULL};
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    const struct kw_catalogue *catalogue = &primitives.catalogue;
    if (status == KW_OK) {
        status =
            find_rows(cli, catalogue, &filters, arguments->operand[0], &one);
    }
    if (status == KW_OK) {
        status =
            find_rows(cli, catalogue, &filters, arguments->operand[1], &two);
    }
    if (status == KW_OK) {
        show_cross(cli, catalogue, &one, &two);
    }
    free(one.memory);
    free(two.memory);
    kw_primitives_close(&primitives);
    return status;
}
