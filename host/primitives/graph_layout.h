/* host/primitives/graph_layout.h: where the boxes and lines of a drawing go.
 *
 * Columns by the longest way over mandatory edges; a line over more than one
 * column passes each in a slot of its own, never under a box. Order by the
 * mean place of the neighbours, then by exchanging neighbours as long as that
 * saves crossings. Whole numbers only: the same bytes on each machine.
 * Knows the catalogue. */
#ifndef KW_HOST_PRIMITIVES_GRAPH_LAYOUT_H
#define KW_HOST_PRIMITIVES_GRAPH_LAYOUT_H

#include "host/primitives/catalogue.h"

/* A box, or the slot of a line in a column that it passes. */
struct kw_graph_node {
    uint32_t primitive; /* NONE: a slot */
    uint32_t column;
    int height;
    int y; /* of its middle; the topmost node begins at 0 */
};

/* An edge. Its nodes lead from left to right. */
struct kw_graph_line {
    uint32_t edge;
    uint32_t first; /* in way[] */
    uint32_t count;
    bool mandatory;
    bool mutual;    /* stands for the other direction too */
    bool backwards; /* the arrow is at its left end */
};

struct kw_graph {
    const struct kw_catalogue *catalogue;
    struct kw_graph_node *nodes;
    uint32_t node_count;
    struct kw_graph_line *lines;
    uint32_t line_count;
    uint32_t *way;
    uint32_t columns;
    int height;
};

/* The height of the box of a primitive, in the unit of y. */
typedef int kw_graph_height(const struct kw_catalogue *catalogue,
                            uint32_t primitive);

/* Of the primitives of a set (bit n: primitive n). False: no memory. Free it
 * in either case. */
bool kw_graph_lay_out(struct kw_graph *graph,
                      const struct kw_catalogue *catalogue, uint32_t model,
                      uint64_t set, kw_graph_height *height);
void kw_graph_free(struct kw_graph *graph);

#endif
