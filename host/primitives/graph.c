/* host/primitives/graph.c: Figure 3 as DOT and as Mermaid. */
#include <stdlib.h>
#include <string.h>

#include "host/primitives/output.h"

static const char *name_of(const struct kw_catalogue *catalogue,
                           uint32_t primitive) {
    return kw_text(catalogue->primitives.entry[primitive], "name");
}

static bool edge_in(const struct kw_catalogue *catalogue, uint32_t index,
                    uint32_t model, uint64_t set) {
    const struct kw_engine_edge *edge = &catalogue->data.edges[index];
    return (edge->models >> model & 1U) != 0 && (set >> edge->from & 1U) != 0 &&
           (set >> edge->to & 1U) != 0;
}

/* The other half of a mutual pair, drawn with the first. */
static bool is_second_half(const struct kw_catalogue *catalogue,
                           uint32_t index) {
    const struct kw_engine_edge *edge = &catalogue->data.edges[index];
    return json_is_true(
               json_object_get(catalogue->edges.entry[index], "mutual")) &&
           edge->from > edge->to;
}

static bool is_mutual(const struct kw_catalogue *catalogue, uint32_t index,
                      uint32_t model) {
    const struct kw_engine_edge *edge = &catalogue->data.edges[index];
    for (uint32_t i = 0; i < catalogue->data.count[KW_ENGINE_SECTION_EDGES];
         i++) {
        const struct kw_engine_edge *other = &catalogue->data.edges[i];
        if (other->from == edge->to && other->to == edge->from &&
            (other->flags & edge->flags & KW_ENGINE_MANDATORY) != 0 &&
            (other->models >> model & 1U) != 0) {
            return true;
        }
    }
    return false;
}

static void put_dot(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            (void)fputc('\\', out);
        }
        (void)fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
}

static const char *dot_style(const struct kw_catalogue *catalogue,
                             uint32_t index, uint32_t model) {
    if ((catalogue->data.edges[index].flags & KW_ENGINE_MANDATORY) == 0) {
        return " [style=dashed]";
    }
    return is_mutual(catalogue, index, model) ? " [dir=both]" : "";
}

static void dot_node(FILE *out, const struct kw_catalogue *catalogue,
                     uint32_t index) {
    (void)fprintf(out, "    \"%s\" [label=\"", catalogue->primitives.id[index]);
    put_dot(out, name_of(catalogue, index));
    (void)fputs("\"];\n", out);
}

static void dot_edge(FILE *out, const struct kw_catalogue *catalogue,
                     uint32_t index, uint32_t model) {
    const struct kw_engine_edge *edge = &catalogue->data.edges[index];
    (void)fprintf(
        out, "    \"%s\" -> \"%s\"%s;\n", catalogue->primitives.id[edge->from],
        catalogue->primitives.id[edge->to], dot_style(catalogue, index, model));
}

/* Mermaid's own escapes: #NUMBER; for anything that it might read. */
static void put_mermaid(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20 || strchr("\"#<>&`;[]{}|", c) != NULL) {
            (void)fprintf(out, "#%u;", c);
        } else {
            (void)fputc(c, out);
        }
    }
}

static const char *mermaid_arrow(const struct kw_catalogue *catalogue,
                                 uint32_t index, uint32_t model) {
    if ((catalogue->data.edges[index].flags & KW_ENGINE_MANDATORY) == 0) {
        return "-.->";
    }
    return is_mutual(catalogue, index, model) ? "<-->" : "-->";
}

static void mermaid_node(FILE *out, const struct kw_catalogue *catalogue,
                         uint32_t index) {
    (void)fprintf(out, "    p%u[\"", index);
    put_mermaid(out, name_of(catalogue, index));
    (void)fputs("\"]\n", out);
}

static void mermaid_edge(FILE *out, const struct kw_catalogue *catalogue,
                         uint32_t index, uint32_t model) {
    const struct kw_engine_edge *edge = &catalogue->data.edges[index];
    (void)fprintf(out, "    p%u %s p%u\n", edge->from,
                  mermaid_arrow(catalogue, index, model), edge->to);
}

/* --- one walk, two languages --- */

struct language {
    const char *begin;
    void (*node)(FILE *out, const struct kw_catalogue *catalogue,
                 uint32_t index);
    void (*edge)(FILE *out, const struct kw_catalogue *catalogue,
                 uint32_t index, uint32_t model);
    const char *end;
};

static void walk(FILE *out, const struct kw_catalogue *catalogue,
                 uint32_t model, uint64_t set,
                 const struct language *language) {
    (void)fputs(language->begin, out);
    for (uint32_t i = 0; i < catalogue->primitives.count; i++) {
        if ((set >> i & 1U) != 0) {
            language->node(out, catalogue, i);
        }
    }
    for (uint32_t i = 0; i < catalogue->edges.count; i++) {
        if (edge_in(catalogue, i, model, set) &&
            !(is_second_half(catalogue, i) && is_mutual(catalogue, i, model))) {
            language->edge(out, catalogue, i, model);
        }
    }
    (void)fputs(language->end, out);
}

static char *written(const struct kw_catalogue *catalogue, uint32_t model,
                     uint64_t set, const struct language *language) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    walk(out, catalogue, model, set, language);
    return fclose(out) == 0 ? text : NULL;
}

char *kw_graph_dot(const struct kw_catalogue *catalogue, uint32_t model,
                   uint64_t set) {
    static const struct language DOT = {
        "digraph primitives {\n    node [shape=box];\n", dot_node, dot_edge,
        "}\n"};
    return written(catalogue, model, set, &DOT);
}

char *kw_graph_mermaid(const struct kw_catalogue *catalogue, uint32_t model,
                       uint64_t set) {
    static const struct language MERMAID = {"flowchart TD\n", mermaid_node,
                                            mermaid_edge, ""};
    return written(catalogue, model, set, &MERMAID);
}
