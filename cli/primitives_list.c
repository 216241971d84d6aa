/* cli/primitives_list.c: list, show, graph, matrix, closure. */
#include <stdlib.h>
#include <string.h>

#include "cli/primitives.h"
#include "host/primitives/output.h"
#include "host/text.h"

/* --- list --- */

static void show_listed(struct kw_cli *cli, const char *id, const char *text,
                        const char *kind) {
    char *whole = text[0] == '\0' ? kw_format("%s", kind)
                                  : kw_format("%s (%s)", text, kind);
    kw_print_column(cli, 37, id, whole == NULL ? text : whole);
    free(whole);
}

static void list_table(struct kw_cli *cli, const struct kw_table *table,
                       const char *kind, const char *name, json_t *list) {
    for (uint32_t i = 0; i < table->count; i++) {
        const json_t *entry = table->entry[i];
        const char *text = kw_text(entry, name);
        const char *label = kw_text(entry, kind);
        const char *section = kw_text(entry, "section");
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s}", "id", table->id[i], "kind",
                            label, "name", text, "section", section));
        show_listed(cli, table->id[i], text, label);
    }
}

static void list_glossary(struct kw_cli *cli,
                          const struct kw_catalogue *catalogue, json_t *list) {
    for (size_t i = 0; i < catalogue->document_count; i++) {
        const json_t *root = catalogue->documents[i].root;
        size_t index;
        json_t *entry;
        json_array_foreach(json_object_get(root, "glossary"), index, entry) {
            const char *term = kw_text(entry, "term");
            const char *meaning = kw_text(entry, "meaning");
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "id",
                                                  term, "kind", "term", "name",
                                                  meaning, "section", "B.3"));
            kw_print_column(cli, 14, term, meaning);
        }
        json_array_foreach(json_object_get(root, "states"), index, entry) {
            const char *id = kw_text(entry, "id");
            const char *meaning = kw_text(entry, "definition");
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "id",
                                                  id, "kind", "state", "name",
                                                  meaning, "section",
                                                  kw_text(entry, "section")));
            kw_print_column(cli, 14, id, meaning);
        }
    }
}

static kw_status list_what(struct kw_cli *cli,
                           const struct kw_catalogue *catalogue,
                           const char *what, json_t *list) {
    const struct {
        const char *what;
        const struct kw_table *table;
        const char *kind;
        const char *name;
    } lists[] = {
        {"primitives", &catalogue->primitives, "kind", "name"},
        {"standards", &catalogue->standards, "label", "title"},
        {"platforms", &catalogue->parts, "type", "name"},
        {"algorithms", &catalogue->algorithms, "kind", "name"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (strcmp(lists[i].what, what) == 0) {
            list_table(cli, lists[i].table, lists[i].kind, lists[i].name, list);
            return KW_OK;
        }
    }
    if (strcmp(what, "glossary") == 0) {
        list_glossary(cli, catalogue, list);
        return KW_OK;
    }
    return kw_error(&cli->error, KW_USAGE,
                    "there is no list of \"%.40s\"; there are primitives, "
                    "standards, platforms, algorithms and glossary",
                    what);
}

kw_status kw_primitives_list(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    const char *what =
        arguments->operand_count == 0 ? "primitives" : arguments->operand[0];
    json_t *list = json_array();
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = list_what(cli, &primitives.catalogue, what, list);
    }
    json_object_set_new(cli->result, "list", list);
    kw_primitives_close(&primitives);
    return status;
}

/* --- show --- */

static void show_line(struct kw_cli *cli, const char *left, char *text) {
    kw_print_column(cli, 15, left, text == NULL ? "(no memory)" : text);
    free(text);
}

static void show_edges(struct kw_cli *cli, const json_t *entry,
                       const char *kind) {
    size_t index;
    json_t *edge;
    char *left = kw_format("  %s", kind);
    json_array_foreach(json_object_get(entry, kind), index, edge) {
        show_line(cli, left == NULL ? kind : left,
                  kw_format("%s (section %s): %s%s", kw_text(edge, "id"),
                            kw_text(edge, "section"),
                            kw_text(edge, "rationale"),
                            json_is_true(json_object_get(edge, "conditional"))
                                ? " [if present, shall]"
                                : ""));
    }
    free(left);
}

static void show_members(struct kw_cli *cli, const json_t *entry) {
    static const char *const MEMBERS[] = {
        "name",       "title",    "section", "kind",    "type", "label",
        "definition", "question", "edition", "missing", "note"};
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        const char *text = kw_text(entry, MEMBERS[i]);
        char *left = kw_format("  %s", MEMBERS[i]);
        if (text[0] != '\0') {
            show_line(cli, left == NULL ? MEMBERS[i] : left,
                      kw_format("%s", text));
        }
        free(left);
    }
}

static void show_parts(struct kw_cli *cli, const json_t *entry) {
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(entry, "features"), index, item) {
        const char *remark = kw_text(item, "robustness");
        kw_print(cli, "  %s: %s, %s\n", kw_text(item, "primitive"),
                 kw_text(item, "support"), kw_text(item, "usage"));
        show_line(cli, "",
                  kw_format("%s%s%s", kw_text(item, "feature"),
                            remark[0] == '\0' ? "" : "; robustness: ", remark));
    }
    json_array_foreach(json_object_get(entry, "requirements"), index, item) {
        char *left = kw_format("  %s", kw_text(item, "id"));
        show_line(cli, left == NULL ? "" : left,
                  kw_format("%s", kw_text(item, "title")));
        free(left);
    }
}

static void show_entry(struct kw_cli *cli, const json_t *entry) {
    kw_print(cli, "%s\n", kw_text(entry, "id"));
    show_members(cli, entry);
    show_edges(cli, entry, "mandatory");
    show_edges(cli, entry, "optional");
    show_parts(cli, entry);
}

static kw_status show(struct kw_cli *cli, const struct kw_catalogue *catalogue,
                      const char *id) {
    const struct {
        const char *kind;
        const struct kw_table *table;
    } tables[] = {{"primitive", &catalogue->primitives},
                  {"standard", &catalogue->standards},
                  {"platform", &catalogue->parts}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const uint32_t found = kw_table_find(tables[i].table, id);
        if (found != KW_ENGINE_NONE) {
            const json_t *entry = tables[i].table->entry[found];
            show_entry(cli, entry);
            json_object_set_new(cli->result, "id", json_string(id));
            json_object_set_new(cli->result, "kind",
                                json_string(tables[i].kind));
            json_object_set_new(cli->result, "entry", json_deep_copy(entry));
            return KW_OK;
        }
    }
    const char *near[3];
    size_t near_count = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct kw_table *table = tables[i].table;
        const char *name = kw_nearest(id, table->id, table->count);
        if (name != NULL) {
            near[near_count++] = name;
        }
    }
    const char *nearest = kw_nearest(id, near, near_count);
    return kw_error(
        &cli->error, KW_USAGE,
        "no primitive, standard or platform \"%.80s\"%s%s", id,
        nearest == NULL ? "" : "; nearest: ", nearest == NULL ? "" : nearest);
}

kw_status kw_primitives_show(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = show(cli, &primitives.catalogue, arguments->operand[0]);
    }
    kw_primitives_close(&primitives);
    return status;
}

/* --- closure --- */

static kw_status selected(struct kw_cli *cli,
                          const struct kw_catalogue *catalogue,
                          const struct kw_arguments *arguments, uint64_t *set) {
    const struct kw_table *table = &catalogue->primitives;
    *set = 0;
    for (size_t i = 0; i < arguments->operand_count; i++) {
        const char *id = arguments->operand[i];
        const uint32_t found = kw_table_find(table, id);
        if (found == KW_ENGINE_NONE) {
            const char *nearest = kw_nearest(id, table->id, table->count);
            return kw_error(&cli->error, KW_USAGE, "no primitive \"%.80s\"%s%s",
                            id, nearest == NULL ? "" : "; nearest: ",
                            nearest == NULL ? "" : nearest);
        }
        *set |= (uint64_t)1 << found;
    }
    return KW_OK;
}

/* "required by B, that by A" from the path A, B, this. */
static void show_reasons(struct kw_cli *cli, const char *id,
                         const json_t *path) {
    size_t step = json_array_size(path) - 1;
    char *text = kw_format("%s", step == 0 ? "selected" : "");
    while (step-- > 0) {
        char *longer = kw_format("%s%srequired by %s", text == NULL ? "" : text,
                                 text == NULL || text[0] == '\0' ? "" : ", ",
                                 json_string_value(json_array_get(path, step)));
        free(text);
        text = longer;
    }
    kw_print_column(cli, 37, id, text == NULL ? "" : text);
    free(text);
}

static void show_path(struct kw_cli *cli, const struct kw_catalogue *catalogue,
                      const struct kw_engine_closure *closure, uint32_t at,
                      json_t *list) {
    json_t *path = json_array();
    for (uint32_t step = at; step != KW_ENGINE_NONE;
         step = closure->parent[step]) {
        json_array_insert_new(path, 0,
                              json_string(catalogue->primitives.id[step]));
    }
    show_reasons(cli, catalogue->primitives.id[at], path);
    json_array_append_new(list, json_pack("{s:s, s:o}", "primitive",
                                          catalogue->primitives.id[at], "path",
                                          path));
}

static kw_status close_over(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            const struct kw_catalogue *catalogue) {
    struct kw_engine_closure closure;
    uint32_t model = 0;
    uint64_t set = 0;
    KW_TRY(kw_edge_model(cli, arguments, &model));
    KW_TRY(selected(cli, catalogue, arguments, &set));
    json_t *list = json_array();
    kw_engine_closure(&catalogue->data, set, model, &closure);
    for (uint32_t i = 0; i < catalogue->primitives.count; i++) {
        if ((closure.applicable >> i & 1U) != 0) {
            show_path(cli, catalogue, &closure, i, list);
        }
    }
    json_object_set_new(cli->result, "applicable", list);
    return KW_OK;
}

kw_status kw_primitives_closure(struct kw_cli *cli,
                                const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = close_over(cli, arguments, &primitives.catalogue);
    }
    kw_primitives_close(&primitives);
    return status;
}

/* --- graph --- */

static kw_status draw(struct kw_cli *cli, const struct kw_arguments *arguments,
                      const struct kw_catalogue *catalogue) {
    struct kw_engine_closure closure = {.applicable = UINT64_MAX};
    const bool dot = kw_argument(arguments, "--dot") != NULL;
    const bool mermaid = kw_argument(arguments, "--mermaid") != NULL;
    uint32_t model = 0;
    uint64_t set = 0;
    if (dot + mermaid + (kw_argument(arguments, "--svg") != NULL) > 1) {
        return kw_error(&cli->error, KW_USAGE,
                        "--svg, --dot and --mermaid exclude each other");
    }
    KW_TRY(kw_edge_model(cli, arguments, &model));
    KW_TRY(selected(cli, catalogue, arguments, &set));
    if (set != 0) {
        kw_engine_closure(&catalogue->data, set, model, &closure);
    }
    const uint32_t count = catalogue->primitives.count;
    set = closure.applicable &
          (count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1);
    char *text = dot       ? kw_graph_dot(catalogue, model, set)
                 : mermaid ? kw_graph_mermaid(catalogue, model, set)
                           : kw_graph_svg(catalogue, model, set);
    json_object_set_new(cli->result, "graph",
                        json_string(text == NULL ? "" : text));
    return kw_emit(cli, arguments, text);
}

kw_status kw_primitives_graph(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = draw(cli, arguments, &primitives.catalogue);
    }
    json_object_del(cli->result, "file");
    kw_primitives_close(&primitives);
    return status;
}

/* --- matrix --- */

/* What one primitive is to another: ' ', 'o' optional, '*' mandatory, '.'
 * mandatory over others. */
static char mark(const struct kw_catalogue *catalogue, uint32_t model,
                 uint32_t from, uint32_t to) {
    struct kw_engine_closure closure;
    char best = ' ';
    for (uint32_t i = 0; i < catalogue->data.count[KW_ENGINE_SECTION_EDGES];
         i++) {
        const struct kw_engine_edge *edge = &catalogue->data.edges[i];
        if (edge->from != from || edge->to != to ||
            (edge->models >> model & 1U) == 0) {
            continue;
        }
        if ((edge->flags & KW_ENGINE_MANDATORY) != 0) {
            return '*';
        }
        best = 'o';
    }
    kw_engine_closure(&catalogue->data, (uint64_t)1 << from, model, &closure);
    if (from != to && (closure.applicable >> to & 1U) != 0) {
        best = '.';
    }
    return best;
}

static const char *mark_word(char letter) {
    switch (letter) {
    case '*':
        return "mandatory";
    case '.':
        return "indirect";
    default:
        return "optional";
    }
}

/* Abbreviations stand upright over their columns. */
static void matrix_head(struct kw_cli *cli,
                        const struct kw_catalogue *catalogue) {
    const uint32_t count = catalogue->primitives.count;
    size_t height = 0;
    for (uint32_t i = 0; i < count; i++) {
        const size_t size =
            strlen(kw_text(catalogue->primitives.entry[i], "abbr"));
        height = size > height ? size : height;
    }
    for (size_t line = 0; line < height; line++) {
        kw_print(cli, "%7s", "");
        for (uint32_t i = 0; i < count; i++) {
            const char *abbr = kw_text(catalogue->primitives.entry[i], "abbr");
            const size_t above = height - strlen(abbr);
            kw_print(cli, " %c", line < above ? ' ' : abbr[line - above]);
        }
        kw_print(cli, "\n");
    }
}

static json_t *matrix_row(struct kw_cli *cli,
                          const struct kw_catalogue *catalogue, uint32_t model,
                          uint32_t from) {
    json_t *cells = json_array();
    kw_print(cli, "%-7s", kw_text(catalogue->primitives.entry[from], "abbr"));
    for (uint32_t to = 0; to < catalogue->primitives.count; to++) {
        const char letter = mark(catalogue, model, from, to);
        kw_print(cli, " %c", letter);
        if (letter != ' ') {
            json_array_append_new(cells, json_pack("{s:s, s:s}", "primitive",
                                                   catalogue->primitives.id[to],
                                                   "mark", mark_word(letter)));
        }
    }
    kw_print(cli, "\n");
    return json_pack("{s:s, s:o}", "primitive", catalogue->primitives.id[from],
                     "cells", cells);
}

static void put_matrix(struct kw_cli *cli, const struct kw_catalogue *catalogue,
                       uint32_t model, json_t *rows) {
    matrix_head(cli, catalogue);
    for (uint32_t i = 0; i < catalogue->primitives.count; i++) {
        json_array_append_new(rows, matrix_row(cli, catalogue, model, i));
    }
    kw_print(cli, "* mandatory, . required through others, o optional; "
                  "a row depends on its columns\n");
}

kw_status kw_primitives_matrix(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    struct kw_primitives primitives;
    uint32_t model = 0;
    json_t *rows = json_array();
    kw_status status = kw_primitives_open(cli, arguments, &primitives);
    if (status == KW_OK) {
        status = kw_edge_model(cli, arguments, &model);
    }
    if (status == KW_OK) {
        put_matrix(cli, &primitives.catalogue, model, rows);
    }
    json_object_set_new(cli->result, "rows", rows);
    kw_primitives_close(&primitives);
    return status;
}
