/* host/primitives/graph_svg.c: Figure 3 as SVG.
 *
 * Widths come from one width a letter, so no font of a machine has a say and
 * the bytes are the same everywhere. */
#include <stdlib.h>
#include <string.h>

#include "host/primitives/graph_layout.h"
#include "host/primitives/output.h"

enum {
    LETTER = 7, /* at 12 pixels, in a wide font */
    WRAP = 24,  /* letters a line, when spaces allow */
    LINE_HEIGHT = 15,
    PADDING = 10,
    COLUMN_GAP = 90,
    MARGIN = 20,
    SIDE_ROOM = 50, /* for lines within the last column */
    LINES_MAX = 16,
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

/* --- names on lines --- */

static const char *name_of(const struct kw_catalogue *catalogue,
                           uint32_t primitive) {
    return kw_text(catalogue->primitives.entry[primitive], "name");
}

/* Letters, not bytes: what follows a first byte in UTF-8 has no width. */
static int letters(const char *text, size_t size) {
    int count = 0;
    for (size_t i = 0; i < size; i++) {
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return count;
}

struct lines {
    const char *at[LINES_MAX];
    size_t size[LINES_MAX];
    unsigned count;
};

static struct lines wrap(const char *name) {
    struct lines lines = {.count = 0};
    while (*name != '\0') {
        const size_t word = strcspn(name, " ");
        const unsigned last = lines.count - 1;
        const size_t longer =
            lines.count == 0 ? 0 : (size_t)(name + word - lines.at[last]);
        if (lines.count > 0 && (lines.count == LINES_MAX ||
                                letters(lines.at[last], longer) <= WRAP)) {
            lines.size[last] = longer;
        } else {
            lines.at[lines.count] = name;
            lines.size[lines.count++] = word;
        }
        name += word + (name[word] == ' ');
    }
    return lines;
}

static int height_of(const struct kw_catalogue *catalogue, uint32_t primitive) {
    const struct lines lines = wrap(name_of(catalogue, primitive));
    const int count = lines.count < 2 ? 2 : (int)lines.count;
    return count * LINE_HEIGHT + PADDING;
}

static int widest(const struct kw_graph *graph) {
    int most = WRAP;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const uint32_t primitive = graph->nodes[i].primitive;
        if (primitive == KW_ENGINE_NONE) {
            continue;
        }
        const struct lines lines = wrap(name_of(graph->catalogue, primitive));
        for (unsigned n = 0; n < lines.count; n++) {
            const int count = letters(lines.at[n], lines.size[n]);
            most = count > most ? count : most;
        }
    }
    return most * LETTER + 2 * PADDING;
}

/* --- drawing --- */

struct drawing {
    FILE *out;
    const struct kw_graph *graph;
    int width; /* of a box */
};

static int left_of(const struct drawing *drawing, uint32_t node) {
    return MARGIN + (int)drawing->graph->nodes[node].column *
                        (drawing->width + COLUMN_GAP);
}

static int y_of(const struct drawing *drawing, uint32_t node) {
    return MARGIN + drawing->graph->nodes[node].y;
}

/* Around the right hand side of a column. */
static void draw_within(const struct drawing *drawing, uint32_t from,
                        uint32_t to) {
    const int x = left_of(drawing, from) + drawing->width;
    const int y1 = y_of(drawing, from);
    const int y2 = y_of(drawing, to);
    const int far = abs(y1 - y2) > 240 ? 40 : 16 + abs(y1 - y2) / 10;
    const int shift = y2 > y1 ? 8 : -8;
    (void)fprintf(drawing->out, "M%d %dC%d %d %d %d %d %d", x, y1 + shift,
                  x + far, y1 + shift, x + far, y2 - shift, x, y2 - shift);
}

/* Through the gaps in curves, through the columns straight on. */
static void draw_across(const struct drawing *drawing, const uint32_t *way,
                        uint32_t count) {
    (void)fprintf(drawing->out, "M%d %d",
                  left_of(drawing, way[0]) + drawing->width,
                  y_of(drawing, way[0]));
    for (uint32_t i = 1; i < count; i++) {
        const int x1 = left_of(drawing, way[i - 1]) + drawing->width;
        const int x2 = left_of(drawing, way[i]);
        const int middle = (x1 + x2) / 2;
        const int y = y_of(drawing, way[i]);
        (void)fprintf(drawing->out, "C%d %d %d %d %d %d", middle,
                      y_of(drawing, way[i - 1]), middle, y, x2, y);
        if (i + 1 < count) {
            (void)fprintf(drawing->out, "H%d", x2 + drawing->width);
        }
    }
}

static void draw_line(const struct drawing *drawing,
                      const struct kw_graph_line *line) {
    const uint32_t *way = drawing->graph->way + line->first;
    const uint32_t last = way[line->count - 1];
    (void)fprintf(drawing->out, "<path class=\"%s\" d=\"",
                  line->mandatory ? "mandatory" : "optional");
    if (left_of(drawing, way[0]) == left_of(drawing, last)) {
        draw_within(drawing, way[0], last);
    } else {
        draw_across(drawing, way, line->count);
    }
    (void)fprintf(
        drawing->out, "\"%s%s/>\n",
        line->mutual || line->backwards ? " marker-start=\"url(#to)\"" : "",
        line->mutual || !line->backwards ? " marker-end=\"url(#to)\"" : "");
}

static void draw_box(const struct drawing *drawing, uint32_t index) {
    const struct kw_graph_node *node = &drawing->graph->nodes[index];
    const struct kw_catalogue *catalogue = drawing->graph->catalogue;
    const struct lines lines = wrap(name_of(catalogue, node->primitive));
    const int left = left_of(drawing, index);
    const int y = y_of(drawing, index);
    int line = y + 4 - ((int)lines.count - 1) * LINE_HEIGHT / 2;
    (void)fprintf(drawing->out,
                  "<g id=\"p-%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" "
                  "height=\"%d\" rx=\"5\"/>",
                  catalogue->primitives.id[node->primitive], left,
                  y - node->height / 2, drawing->width, node->height);
    for (unsigned i = 0; i < lines.count; i++, line += LINE_HEIGHT) {
        char *text = strndup(lines.at[i], lines.size[i]);
        (void)fprintf(drawing->out, "<text x=\"%d\" y=\"%d\">",
                      left + drawing->width / 2, line);
        kw_put_xml(drawing->out, text == NULL ? "" : text);
        (void)fputs("</text>", drawing->out);
        free(text);
    }
    (void)fputs("</g>\n", drawing->out);
}

static const char HEAD[] =
    "<style>.paper{fill:#fff}g rect{fill:#fff;stroke:#333}"
    "text{font:12px sans-serif;fill:#111;text-anchor:middle}"
    "path{fill:none;stroke:#222;stroke-width:1.3}"
    ".optional{stroke-dasharray:5 4;stroke:#6b6b6b;stroke-width:1}"
    "</style>\n<defs><marker id=\"to\" viewBox=\"0 0 8 8\" refX=\"8\" "
    "refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
    "orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8\"/></marker>"
    "</defs>\n";

static void draw(const struct drawing *drawing) {
    const struct kw_graph *graph = drawing->graph;
    const int columns = graph->columns == 0 ? 1 : (int)graph->columns;
    const int width = MARGIN + columns * (drawing->width + COLUMN_GAP) -
                      COLUMN_GAP + SIDE_ROOM;
    const int height = graph->height + 2 * MARGIN;
    (void)fprintf(drawing->out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d "
                  "%d\" width=\"%d\" height=\"%d\" role=\"img\">\n"
                  "<title>Dependencies of security primitives: solid lines "
                  "are mandatory, dashed ones optional</title>\n%s"
                  "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n",
                  width, height, width, height, HEAD, width, height);
    for (unsigned solid = 0; solid < 2; solid++) {
        for (uint32_t i = 0; i < graph->line_count; i++) {
            if (graph->lines[i].mandatory == (solid == 1)) {
                draw_line(drawing, &graph->lines[i]);
            }
        }
    }
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].primitive != KW_ENGINE_NONE) {
            draw_box(drawing, i);
        }
    }
    (void)fputs("</svg>\n", drawing->out);
}

char *kw_graph_svg(const struct kw_catalogue *catalogue, uint32_t model,
                   uint64_t set) {
    struct kw_graph graph;
    char *text = NULL;
    size_t size = 0;
    if (!kw_graph_lay_out(&graph, catalogue, model, set, height_of)) {
        kw_graph_free(&graph);
        return NULL;
    }
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        const struct drawing drawing = {out, &graph, widest(&graph)};
        draw(&drawing);
    }
    kw_graph_free(&graph);
    return out != NULL && fclose(out) == 0 ? text : NULL;
}
