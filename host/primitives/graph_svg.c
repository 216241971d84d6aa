/* host/primitives/graph_svg.c: Figure 3 as SVG, laid out here.
 *
 * Rows by the longest way from the top, order in a row by the mean place of
 * the neighbours, whole numbers only: no font of a machine has a say, so the
 * bytes are the same everywhere. */
#include <stdlib.h>
#include <string.h>

#include "host/primitives/output.h"

enum {
    LETTER = 7,
    PADDING = 10,
    BOX_HEIGHT = 30,
    ROW_HEIGHT = 110,
    GAP = 18,
    MARGIN = 20,
    SWEEPS = 6,
    MOST = KW_ENGINE_PRIMITIVES_MAX,
};

struct layout {
    const struct kw_catalogue *catalogue;
    uint32_t model;
    uint64_t set;
    unsigned row[MOST];
    unsigned rows;
    uint32_t order[MOST]; /* primitives, row by row */
    unsigned count;
    int left[MOST];
    int width[MOST];
    int page;
    uint64_t reach[MOST]; /* by mandatory edges */
};

void kw_put_xml(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20 || strchr("<>&\"'", c) != NULL) {
            (void)fprintf(out, "&#%d;", c < 0x20 ? ' ' : c);
        } else {
            (void)fputc(c, out);
        }
    }
}

static const char *name_of(const struct layout *layout, uint32_t primitive) {
    return kw_text(layout->catalogue->primitives.entry[primitive], "name");
}

/* Letters, not bytes: what follows a first byte in UTF-8 has no width. */
static int letters(const char *text) {
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

static uint32_t edge_count(const struct layout *layout) {
    return layout->catalogue->data.count[KW_ENGINE_SECTION_EDGES];
}

static bool drawn(const struct layout *layout, uint32_t index) {
    const struct kw_engine_edge *edge = &layout->catalogue->data.edges[index];
    return (edge->models >> layout->model & 1U) != 0 &&
           (layout->set >> edge->from & 1U) != 0 &&
           (layout->set >> edge->to & 1U) != 0;
}

static bool mandatory(const struct layout *layout, uint32_t index) {
    return drawn(layout, index) && (layout->catalogue->data.edges[index].flags &
                                    KW_ENGINE_MANDATORY) != 0;
}

static void find_reach(struct layout *layout) {
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < edge_count(layout); i++) {
            const struct kw_engine_edge *edge =
                &layout->catalogue->data.edges[i];
            if (!mandatory(layout, i)) {
                continue;
            }
            const uint64_t reach = layout->reach[edge->from] |
                                   layout->reach[edge->to] |
                                   (uint64_t)1 << edge->to;
            more = more || reach != layout->reach[edge->from];
            layout->reach[edge->from] = reach;
        }
    }
}

/* Members of a cycle stand in one row. */
static void find_rows(struct layout *layout) {
    for (unsigned round = 0; round < MOST; round++) {
        for (uint32_t i = 0; i < edge_count(layout); i++) {
            const struct kw_engine_edge *edge =
                &layout->catalogue->data.edges[i];
            if (!mandatory(layout, i)) {
                continue;
            }
            const bool mutual = (layout->reach[edge->to] >> edge->from & 1U);
            const unsigned least = layout->row[edge->from] + !mutual;
            if (layout->row[edge->to] < least && least < MOST) {
                layout->row[edge->to] = least;
            }
        }
    }
    for (uint32_t i = 0; i < layout->catalogue->primitives.count; i++) {
        if ((layout->set >> i & 1U) != 0 && layout->row[i] >= layout->rows) {
            layout->rows = layout->row[i] + 1;
        }
    }
}

static void place(struct layout *layout) {
    int x = MARGIN;
    for (unsigned n = 0; n < layout->count; n++) {
        const uint32_t at = layout->order[n];
        const bool first =
            n == 0 || layout->row[layout->order[n - 1]] != layout->row[at];
        x = first ? MARGIN : x;
        layout->width[at] = letters(name_of(layout, at)) * LETTER + 2 * PADDING;
        layout->left[at] = x;
        x += layout->width[at] + GAP;
        layout->page = x > layout->page ? x : layout->page;
    }
}

static int middle(const struct layout *layout, uint32_t at) {
    return layout->left[at] + layout->width[at] / 2;
}

/* Where the neighbours stand in the mean; itself when it has none. */
static int wish(const struct layout *layout, uint32_t at) {
    int sum = 0;
    int count = 0;
    for (uint32_t i = 0; i < edge_count(layout); i++) {
        const struct kw_engine_edge *edge = &layout->catalogue->data.edges[i];
        if (drawn(layout, i) && (edge->from == at || edge->to == at)) {
            sum += middle(layout, edge->from == at ? edge->to : edge->from);
            count++;
        }
    }
    return count == 0 ? middle(layout, at) : sum / count;
}

/* One insertion sort by row, then by wish; ties keep their order. */
static void sweep(struct layout *layout) {
    int wishes[MOST];
    for (unsigned n = 0; n < layout->count; n++) {
        wishes[layout->order[n]] = wish(layout, layout->order[n]);
    }
    for (unsigned n = 1; n < layout->count; n++) {
        const uint32_t at = layout->order[n];
        unsigned to = n;
        while (to > 0 &&
               layout->row[layout->order[to - 1]] == layout->row[at] &&
               wishes[layout->order[to - 1]] > wishes[at]) {
            layout->order[to] = layout->order[to - 1];
            to--;
        }
        layout->order[to] = at;
    }
    place(layout);
}

static void lay_out(struct layout *layout) {
    find_reach(layout);
    find_rows(layout);
    for (unsigned row = 0; row < layout->rows; row++) {
        for (uint32_t i = 0; i < layout->catalogue->primitives.count; i++) {
            if ((layout->set >> i & 1U) != 0 && layout->row[i] == row) {
                layout->order[layout->count++] = i;
            }
        }
    }
    place(layout);
    for (unsigned i = 0; i < SWEEPS; i++) {
        sweep(layout);
    }
}

/* --- drawing --- */

static int top(const struct layout *layout, uint32_t at) {
    return MARGIN + (int)layout->row[at] * ROW_HEIGHT;
}

static void draw_edge(FILE *out, const struct layout *layout, uint32_t index) {
    const struct kw_engine_edge *edge = &layout->catalogue->data.edges[index];
    const bool solid = mandatory(layout, index);
    const bool mutual =
        solid && (layout->reach[edge->to] >> edge->from & 1U) != 0;
    if (mutual && edge->from > edge->to) {
        return;
    }
    const bool down = layout->row[edge->from] < layout->row[edge->to];
    const bool up = layout->row[edge->from] > layout->row[edge->to];
    const int y1 = top(layout, edge->from) + (up ? 0 : BOX_HEIGHT);
    const int y2 = top(layout, edge->to) + (down ? 0 : BOX_HEIGHT);
    const int bend = down ? 40 : up ? -40 : 30;
    (void)fprintf(out,
                  "<path class=\"%s\" d=\"M%d %dC%d %d %d %d %d %d\"%s "
                  "marker-end=\"url(#to)\"/>\n",
                  solid ? "mandatory" : "optional", middle(layout, edge->from),
                  y1, middle(layout, edge->from), y1 + bend,
                  middle(layout, edge->to), y2 - (down || up ? bend : -bend),
                  middle(layout, edge->to), y2,
                  mutual ? " marker-start=\"url(#to)\"" : "");
}

static void draw_box(FILE *out, const struct layout *layout, uint32_t at) {
    const int width = layout->width[at];
    (void)fprintf(out,
                  "<g id=\"p-%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" "
                  "height=\"%d\" rx=\"4\"/><text x=\"%d\" y=\"%d\" "
                  "textLength=\"%d\">",
                  layout->catalogue->primitives.id[at], layout->left[at],
                  top(layout, at), width, BOX_HEIGHT,
                  layout->left[at] + PADDING, top(layout, at) + 20,
                  width - 2 * PADDING);
    kw_put_xml(out, name_of(layout, at));
    (void)fputs("</text></g>\n", out);
}

static const char HEAD[] =
    "<style>rect{fill:#fff;stroke:#333}text{font:13px sans-serif;fill:#111}"
    "path{fill:none;stroke:#333}.optional{stroke-dasharray:5 4;stroke:#666}"
    "</style>\n<defs><marker id=\"to\" viewBox=\"0 0 8 8\" refX=\"8\" "
    "refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
    "orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8\"/></marker>"
    "</defs>\n";

char *kw_graph_svg(const struct kw_catalogue *catalogue, uint32_t model,
                   uint64_t set) {
    struct layout layout = {.catalogue = catalogue, .model = model, .set = set};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    lay_out(&layout);
    const int height = 2 * MARGIN + (int)layout.rows * ROW_HEIGHT;
    (void)fprintf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d "
                  "%d\" width=\"%d\" height=\"%d\" role=\"img\">\n"
                  "<title>Dependencies of security primitives: solid lines "
                  "are mandatory, dashed ones optional</title>\n%s",
                  layout.page, height, layout.page, height, HEAD);
    for (uint32_t i = 0; i < edge_count(&layout); i++) {
        if (drawn(&layout, i)) {
            draw_edge(out, &layout, i);
        }
    }
    for (unsigned n = 0; n < layout.count; n++) {
        draw_box(out, &layout, layout.order[n]);
    }
    (void)fputs("</svg>\n", out);
    return fclose(out) == 0 ? text : NULL;
}
