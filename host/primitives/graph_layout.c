#include "host/primitives/graph_layout.h"

#include <stdlib.h>

enum {
    SLOT_HEIGHT = 12,
    BOX_GAP = 14, /* between a box and its neighbour */
    SLOT_GAP = 2, /* between two slots */
    SWEEPS = 24,
    ROUNDS = 60,
    MOST = KW_ENGINE_PRIMITIVES_MAX,
    FINE = 64, /* a step of y while places are sought */
    WIDE = 1 << 20,
};

enum { LEFT, RIGHT, SIDES };

struct work {
    struct kw_graph *graph;
    uint32_t model;
    uint64_t set;
    uint64_t reach[MOST]; /* by mandatory edges */
    uint32_t column[MOST];
    uint32_t *order; /* nodes, column by column */
    uint32_t *first; /* of each column in order[]; one more at the end */
    int64_t *place;  /* of a node in its column, 0 to WIDE; later its y */
    /* the neighbours of node n: list[start[n]] .. list[start[n + 1]] */
    uint32_t *start[SIDES];
    uint32_t *list[SIDES];
};

/* --- edges --- */

static const struct kw_engine_edge *edge_at(const struct work *work,
                                            uint32_t index) {
    return &work->graph->catalogue->data.edges[index];
}

static uint32_t edge_count(const struct work *work) {
    return work->graph->catalogue->data.count[KW_ENGINE_SECTION_EDGES];
}

static bool has(uint64_t set, uint32_t index) {
    return (set >> index & 1U) != 0;
}

static bool is_drawn(const struct work *work, uint32_t index) {
    const struct kw_engine_edge *edge = edge_at(work, index);
    return (edge->models >> work->model & 1U) != 0 &&
           has(work->set, edge->from) && has(work->set, edge->to);
}

static bool is_mandatory(const struct work *work, uint32_t index) {
    return is_drawn(work, index) &&
           (edge_at(work, index)->flags & KW_ENGINE_MANDATORY) != 0;
}

/* Both ends of a mandatory edge require each other. */
static bool is_mutual(const struct work *work, uint32_t index) {
    const struct kw_engine_edge *edge = edge_at(work, index);
    return is_mandatory(work, index) && has(work->reach[edge->to], edge->from);
}

static void find_reach(struct work *work) {
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < edge_count(work); i++) {
            const struct kw_engine_edge *edge = edge_at(work, i);
            if (!is_mandatory(work, i)) {
                continue;
            }
            const uint64_t reach = work->reach[edge->from] |
                                   work->reach[edge->to] |
                                   (uint64_t)1 << edge->to;
            more = more || reach != work->reach[edge->from];
            work->reach[edge->from] = reach;
        }
    }
}

/* --- columns --- */

/* What is required stands further right; a cycle in one column. */
static void push_right(struct work *work) {
    bool more = true;
    for (unsigned round = 0; more && round < MOST; round++) {
        more = false;
        for (uint32_t i = 0; i < edge_count(work); i++) {
            const struct kw_engine_edge *edge = edge_at(work, i);
            if (!is_mandatory(work, i)) {
                continue;
            }
            const uint32_t least =
                work->column[edge->from] + (is_mutual(work, i) ? 0 : 1);
            if (work->column[edge->to] < least) {
                work->column[edge->to] = least;
                more = true;
            }
        }
    }
}

/* The last column in which this one is left of all that it requires; its own
 * when it requires nothing or stands in a cycle; the last one when nothing
 * binds it. */
static uint32_t last_column(const struct work *work, uint32_t primitive) {
    uint32_t column = UINT32_MAX;
    bool bound = false;
    for (uint32_t i = 0; i < edge_count(work); i++) {
        const struct kw_engine_edge *edge = edge_at(work, i);
        if (!is_mandatory(work, i) ||
            (edge->from != primitive && edge->to != primitive)) {
            continue;
        }
        bound = true;
        if (is_mutual(work, i)) {
            return work->column[primitive];
        }
        if (edge->from == primitive && work->column[edge->to] - 1 < column) {
            column = work->column[edge->to] - 1;
        }
    }
    const uint32_t stay =
        bound ? work->column[primitive] : work->graph->columns - 1;
    return column == UINT32_MAX ? stay : column;
}

/* Everything goes as near as it can to what it requires. */
static void find_columns(struct work *work) {
    const uint32_t count = work->graph->catalogue->primitives.count;
    push_right(work);
    for (uint32_t i = 0; i < count; i++) {
        if (has(work->set, i) && work->column[i] >= work->graph->columns) {
            work->graph->columns = work->column[i] + 1;
        }
    }
    for (unsigned round = 0; round < MOST; round++) {
        for (uint32_t i = 0; i < count; i++) {
            work->column[i] = has(work->set, i) ? last_column(work, i) : 0;
        }
    }
}

/* --- nodes and lines --- */

static uint32_t span(const struct work *work, uint32_t index) {
    const uint32_t from = work->column[edge_at(work, index)->from];
    const uint32_t to = work->column[edge_at(work, index)->to];
    return from < to ? to - from : from - to;
}

static bool take_graph(struct work *work) {
    struct kw_graph *graph = work->graph;
    size_t nodes = MOST;
    size_t ways = 1;
    for (uint32_t i = 0; i < edge_count(work); i++) {
        nodes += is_drawn(work, i) ? span(work, i) : 0;
        ways += is_drawn(work, i) ? span(work, i) + 2 : 0;
    }
    graph->nodes = calloc(nodes, sizeof *graph->nodes);
    graph->lines = calloc(edge_count(work) + 1U, sizeof *graph->lines);
    graph->way = calloc(ways, sizeof *graph->way);
    return graph->nodes != NULL && graph->lines != NULL && graph->way != NULL;
}

static uint32_t add_node(struct kw_graph *graph, uint32_t primitive,
                         uint32_t column, int height) {
    graph->nodes[graph->node_count] =
        (struct kw_graph_node){primitive, column, height, 0};
    return graph->node_count++;
}

static void add_line(struct work *work, const uint32_t *node, uint32_t index,
                     uint32_t *ways) {
    struct kw_graph *graph = work->graph;
    const struct kw_engine_edge *edge = edge_at(work, index);
    const bool backwards = work->column[edge->from] > work->column[edge->to];
    const uint32_t left = backwards ? edge->to : edge->from;
    const uint32_t right = backwards ? edge->from : edge->to;
    struct kw_graph_line *line = &graph->lines[graph->line_count++];
    *line = (struct kw_graph_line){.edge = index,
                                   .first = *ways,
                                   .mandatory = is_mandatory(work, index),
                                   .mutual = is_mutual(work, index),
                                   .backwards = backwards};
    graph->way[(*ways)++] = node[left];
    for (uint32_t c = work->column[left] + 1; c < work->column[right]; c++) {
        graph->way[(*ways)++] = add_node(graph, KW_ENGINE_NONE, c, SLOT_HEIGHT);
    }
    graph->way[(*ways)++] = node[right];
    line->count = *ways - line->first;
}

static void add_all(struct work *work, kw_graph_height *height) {
    struct kw_graph *graph = work->graph;
    uint32_t node[MOST] = {0};
    uint32_t ways = 0;
    for (uint32_t i = 0; i < graph->catalogue->primitives.count; i++) {
        if (has(work->set, i)) {
            node[i] = add_node(graph, i, work->column[i],
                               height(graph->catalogue, i));
        }
    }
    for (uint32_t i = 0; i < edge_count(work); i++) {
        const struct kw_engine_edge *edge = edge_at(work, i);
        const bool second = is_mutual(work, i) && edge->from > edge->to;
        if (is_drawn(work, i) && !second) {
            add_line(work, node, i, &ways);
        }
    }
}

/* --- neighbours --- */

/* Calls for each step of a line from one column into the next. */
static void each_step(const struct work *work,
                      void (*visit)(const struct work *work, uint32_t left,
                                    uint32_t right)) {
    const struct kw_graph *graph = work->graph;
    for (uint32_t i = 0; i < graph->line_count; i++) {
        const struct kw_graph_line *line = &graph->lines[i];
        for (uint32_t n = 1; n < line->count; n++) {
            const uint32_t left = graph->way[line->first + n - 1];
            const uint32_t right = graph->way[line->first + n];
            if (graph->nodes[left].column != graph->nodes[right].column) {
                visit(work, left, right);
            }
        }
    }
}

static void count_step(const struct work *work, uint32_t left, uint32_t right) {
    work->start[RIGHT][left + 2]++;
    work->start[LEFT][right + 2]++;
}

static void put_step(const struct work *work, uint32_t left, uint32_t right) {
    work->list[RIGHT][work->start[RIGHT][left + 1]++] = right;
    work->list[LEFT][work->start[LEFT][right + 1]++] = left;
}

static void find_neighbours(struct work *work) {
    each_step(work, count_step);
    for (unsigned side = 0; side < SIDES; side++) {
        for (uint32_t i = 2; i < work->graph->node_count + 2; i++) {
            work->start[side][i] += work->start[side][i - 1];
        }
    }
    each_step(work, put_step);
}

/* --- the order in a column --- */

struct wish {
    int64_t place;
    uint32_t at; /* where it stood: ties keep their order */
    uint32_t node;
};

static int by_wish(const void *a, const void *b) {
    const struct wish *one = a;
    const struct wish *two = b;
    if (one->place != two->place) {
        return one->place < two->place ? -1 : 1;
    }
    return one->at < two->at ? -1 : 1;
}

/* The mean of the neighbours' places on the sides from .. to. */
static int64_t mean(const struct work *work, uint32_t node, unsigned from,
                    unsigned to) {
    int64_t sum = 0;
    int64_t count = 0;
    for (unsigned side = from; side <= to; side++) {
        for (uint32_t i = work->start[side][node];
             i < work->start[side][node + 1]; i++) {
            sum += work->place[work->list[side][i]];
            count++;
        }
    }
    return count == 0 ? work->place[node] : sum / count;
}

static void spread(struct work *work, uint32_t column) {
    const uint32_t first = work->first[column];
    const uint32_t count = work->first[column + 1] - first;
    for (uint32_t i = 0; i < count; i++) {
        work->place[work->order[first + i]] =
            count < 2 ? 0 : (int64_t)i * WIDE / (count - 1);
    }
}

static void sort_column(struct work *work, uint32_t column, unsigned side,
                        struct wish *wishes) {
    const uint32_t first = work->first[column];
    const uint32_t count = work->first[column + 1] - first;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t node = work->order[first + i];
        wishes[i] = (struct wish){mean(work, node, side, side), i, node};
    }
    qsort(wishes, count, sizeof *wishes, by_wish);
    for (uint32_t i = 0; i < count; i++) {
        work->order[first + i] = wishes[i].node;
    }
    spread(work, column);
}

/* Crossings of the lines of two nodes when the first stands above. */
static uint64_t crossings(const struct work *work, uint32_t above,
                          uint32_t below) {
    uint64_t count = 0;
    for (unsigned side = 0; side < SIDES; side++) {
        const uint32_t *list = work->list[side];
        const uint32_t *start = work->start[side];
        for (uint32_t i = start[above]; i < start[above + 1]; i++) {
            for (uint32_t n = start[below]; n < start[below + 1]; n++) {
                count += work->place[list[i]] > work->place[list[n]];
            }
        }
    }
    return count;
}

static bool exchange(struct work *work, uint32_t column) {
    bool better = false;
    for (uint32_t i = work->first[column]; i + 1 < work->first[column + 1];
         i++) {
        const uint32_t above = work->order[i];
        const uint32_t below = work->order[i + 1];
        if (crossings(work, below, above) < crossings(work, above, below)) {
            work->order[i] = below;
            work->order[i + 1] = above;
            better = true;
        }
    }
    spread(work, column);
    return better;
}

static void find_order(struct work *work, struct wish *wishes) {
    const uint32_t columns = work->graph->columns;
    for (uint32_t c = 0; c < columns; c++) {
        spread(work, c);
    }
    for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
        const bool forth = sweep % 2 == 0;
        for (uint32_t i = 0; i < columns; i++) {
            sort_column(work, forth ? i : columns - 1 - i, forth ? LEFT : RIGHT,
                        wishes);
        }
    }
    bool more = true;
    for (unsigned round = 0; more && round < ROUNDS; round++) {
        more = false;
        for (uint32_t c = 0; c < columns; c++) {
            more = exchange(work, c) || more;
        }
    }
}

/* --- the height of each --- */

static int64_t apart(const struct kw_graph *graph, uint32_t one, uint32_t two) {
    const struct kw_graph_node *a = &graph->nodes[one];
    const struct kw_graph_node *b = &graph->nodes[two];
    const bool slots =
        a->primitive == KW_ENGINE_NONE && b->primitive == KW_ENGINE_NONE;
    return ((int64_t)(a->height + b->height) / 2 +
            (slots ? SLOT_GAP : BOX_GAP)) *
           FINE;
}

/* Neighbours that would overlap become a block at the mean of their wishes
 * (pool adjacent violators): the places nearest to all wishes. */
struct block {
    int64_t sum;
    int64_t count;
};

static void settle(struct work *work, uint32_t column, struct block *blocks) {
    const uint32_t *order = work->order + work->first[column];
    const uint32_t count = work->first[column + 1] - work->first[column];
    uint32_t used = 0;
    int64_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        offset += i == 0 ? 0 : apart(work->graph, order[i - 1], order[i]);
        blocks[used++] =
            (struct block){mean(work, order[i], LEFT, RIGHT) - offset, 1};
        while (used > 1 && blocks[used - 2].sum * blocks[used - 1].count >
                               blocks[used - 1].sum * blocks[used - 2].count) {
            blocks[used - 2].sum += blocks[used - 1].sum;
            blocks[used - 2].count += blocks[used - 1].count;
            used--;
        }
    }
    uint32_t block = 0;
    int64_t left = used == 0 ? 0 : blocks[0].count;
    offset = 0;
    for (uint32_t i = 0; i < count; i++, left--) {
        offset += i == 0 ? 0 : apart(work->graph, order[i - 1], order[i]);
        if (left == 0) {
            left = blocks[++block].count;
        }
        work->place[order[i]] =
            blocks[block].sum / blocks[block].count + offset;
    }
}

static void stack(struct work *work) {
    for (uint32_t c = 0; c < work->graph->columns; c++) {
        int64_t y = 0;
        for (uint32_t i = work->first[c]; i < work->first[c + 1]; i++) {
            y += i == work->first[c]
                     ? 0
                     : apart(work->graph, work->order[i - 1], work->order[i]);
            work->place[work->order[i]] = y;
        }
    }
}

static void find_heights(struct work *work, struct block *blocks) {
    struct kw_graph *graph = work->graph;
    int64_t top = INT64_MAX;
    int64_t bottom = INT64_MIN;
    stack(work);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < graph->columns; i++) {
            settle(work, round % 2 == 0 ? i : graph->columns - 1 - i, blocks);
        }
    }
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const int64_t half = (int64_t)graph->nodes[i].height * FINE / 2;
        top = work->place[i] - half < top ? work->place[i] - half : top;
        bottom =
            work->place[i] + half > bottom ? work->place[i] + half : bottom;
    }
    for (uint32_t i = 0; i < graph->node_count; i++) {
        graph->nodes[i].y = (int)((work->place[i] - top) / FINE);
    }
    graph->height = graph->node_count == 0 ? 0 : (int)((bottom - top) / FINE);
}

/* --- all --- */

static bool take_work(struct work *work) {
    const struct kw_graph *graph = work->graph;
    const size_t nodes = graph->node_count + 3U;
    size_t steps = 1;
    for (uint32_t i = 0; i < graph->line_count; i++) {
        steps += graph->lines[i].count;
    }
    work->order = calloc(nodes, sizeof *work->order);
    work->place = calloc(nodes, sizeof *work->place);
    work->first = calloc(graph->columns + 2U, sizeof *work->first);
    bool ok = work->order != NULL && work->place != NULL && work->first != NULL;
    for (unsigned side = 0; side < SIDES; side++) {
        work->start[side] = calloc(nodes, sizeof(uint32_t));
        work->list[side] = calloc(steps, sizeof(uint32_t));
        ok = ok && work->start[side] != NULL && work->list[side] != NULL;
    }
    return ok;
}

static void free_work(struct work *work) {
    free(work->order);
    free(work->place);
    free(work->first);
    for (unsigned side = 0; side < SIDES; side++) {
        free(work->start[side]);
        free(work->list[side]);
    }
}

static void fill_columns(struct work *work) {
    const struct kw_graph *graph = work->graph;
    uint32_t used = 0;
    for (uint32_t c = 0; c < graph->columns; c++) {
        work->first[c] = used;
        for (uint32_t i = 0; i < graph->node_count; i++) {
            if (graph->nodes[i].column == c) {
                work->order[used++] = i;
            }
        }
    }
    work->first[graph->columns] = used;
}

bool kw_graph_lay_out(struct kw_graph *graph,
                      const struct kw_catalogue *catalogue, uint32_t model,
                      uint64_t set, kw_graph_height *height) {
    struct work work = {.graph = graph, .model = model, .set = set};
    *graph = (struct kw_graph){.catalogue = catalogue};
    find_reach(&work);
    find_columns(&work);
    if (!take_graph(&work)) {
        return false;
    }
    add_all(&work, height);
    struct wish *wishes = calloc(graph->node_count + 1U, sizeof *wishes);
    struct block *blocks = calloc(graph->node_count + 1U, sizeof *blocks);
    const bool ok = take_work(&work) && wishes != NULL && blocks != NULL;
    if (ok) {
        fill_columns(&work);
        find_neighbours(&work);
        find_order(&work, wishes);
        find_heights(&work, blocks);
    }
    free(wishes);
    free(blocks);
    free_work(&work);
    return ok;
}

void kw_graph_free(struct kw_graph *graph) {
    free(graph->nodes);
    free(graph->lines);
    free(graph->way);
    *graph = (struct kw_graph){.catalogue = NULL};
}
