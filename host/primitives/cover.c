/* host/primitives/cover.c: branch and bound over bitsets. */
#include "host/primitives/cover.h"

/* A weight orders sets by cost, then by number of parts, then by preferred
 * parts: at most 64 parts add at most 128 to a cost of 4096 a unit. */
#define UNIT 4096U

struct bits {
    uint64_t word[KW_COVER_WORDS];
};

struct search {
    const struct kw_cover *cover;
    struct kw_cover_result *result;
    uint64_t weight[KW_ENGINE_PARTS_MAX];
    uint64_t best[KW_COVER_SETS_MAX];     /* weights of result->set */
    uint64_t closers[KW_ENGINE_GAPS_MAX]; /* parts that close a gap */
};

static unsigned lowest(uint64_t word) {
    return (unsigned)__builtin_ctzll(word);
}

static bool is_empty(const struct bits *bits) {
    uint64_t any = 0;
    for (size_t i = 0; i < KW_COVER_WORDS; i++) {
        any |= bits->word[i];
    }
    return any == 0;
}

static void remove_closed(struct bits *open, const struct kw_cover_part *part) {
    for (size_t i = 0; i < KW_COVER_WORDS; i++) {
        open->word[i] &= ~part->closes[i];
    }
}

/* --- the sets found --- */

/* Whether every part closes a gap that the others of the set leave open. */
static bool is_lean(const struct search *search, uint64_t parts) {
    const struct kw_cover *cover = search->cover;
    struct bits once = {{0}};
    struct bits twice = {{0}};
    for (uint64_t left = parts; left != 0; left &= left - 1) {
        const uint64_t *closes = cover->part[lowest(left)].closes;
        for (size_t i = 0; i < KW_COVER_WORDS; i++) {
            twice.word[i] |= once.word[i] & closes[i];
            once.word[i] |= closes[i];
        }
    }
    for (uint64_t left = parts; left != 0; left &= left - 1) {
        const uint64_t *closes = cover->part[lowest(left)].closes;
        uint64_t alone = 0;
        for (size_t i = 0; i < KW_COVER_WORDS; i++) {
            alone |= closes[i] & ~twice.word[i];
        }
        if (alone == 0) {
            return false;
        }
    }
    return true;
}

/* Of two sets of one weight that with the earlier part comes first. */
static bool comes_before(uint64_t weight, uint64_t parts, uint64_t than,
                         uint64_t than_parts) {
    if (weight != than || parts == than_parts) {
        return weight < than;
    }
    const uint64_t differ = parts ^ than_parts;
    return (parts & differ & (0 - differ)) != 0;
}

static void keep(struct search *search, uint64_t parts, uint64_t weight) {
    struct kw_cover_result *result = search->result;
    if (!is_lean(search, parts)) {
        return;
    }
    uint32_t at = result->set_count;
    for (uint32_t i = 0; i < result->set_count; i++) {
        if (result->set[i].parts == parts) {
            return;
        }
    }
    while (at > 0 && comes_before(weight, parts, search->best[at - 1],
                                  result->set[at - 1].parts)) {
        at--;
    }
    if (at >= search->cover->set_limit) {
        return;
    }
    if (result->set_count < search->cover->set_limit) {
        result->set_count++;
    }
    for (uint32_t i = result->set_count - 1; i > at; i--) {
        result->set[i] = result->set[i - 1];
        search->best[i] = search->best[i - 1];
    }
    search->best[at] = weight;
    result->set[at] = (struct kw_cover_set){parts, 0};
    for (uint64_t left = parts; left != 0; left &= left - 1) {
        result->set[at].cost += search->cover->part[lowest(left)].cost;
    }
}

/* A set has to weigh no more than this to be of interest. */
static uint64_t worst(const struct search *search) {
    const struct kw_cover_result *result = search->result;
    return result->set_count < search->cover->set_limit
               ? UINT64_MAX
               : search->best[result->set_count - 1];
}

/* --- the bound --- */

/* What is left to decide at a node. */
struct node {
    struct bits open;
    uint64_t allowed; /* parts that may still be taken */
    uint64_t taken;
    uint64_t weight;
};

/* Raises a price a gap until a part that closes it is paid for: the prices
 * together never exceed the cheapest set (linear programming duality). Also
 * names the gap with the fewest closers. Answers UINT64_MAX when a gap
 * cannot be closed any more. */
static uint64_t bound(const struct search *search, const struct node *node,
                      unsigned *tightest) {
    uint64_t rest[KW_ENGINE_PARTS_MAX];
    uint64_t sum = 0;
    int fewest = 65;
    for (uint32_t i = 0; i < search->cover->part_count; i++) {
        rest[i] = search->weight[i];
    }
    for (unsigned pass = 1; pass <= 8; pass++) {
        for (size_t w = 0; w < KW_COVER_WORDS; w++) {
            for (uint64_t left = node->open.word[w]; left != 0;
                 left &= left - 1) {
                const unsigned gap = (unsigned)w * 64 + lowest(left);
                const uint64_t closers = search->closers[gap] & node->allowed;
                const int count = __builtin_popcountll(closers);
                if (count == 0) {
                    return UINT64_MAX;
                }
                if (count < fewest) {
                    fewest = count;
                    *tightest = gap;
                }
                /* Gaps with few closers name their price first. */
                const int turn = count > 7 ? 8 : count;
                if ((unsigned)turn != pass) {
                    continue;
                }
                uint64_t price = UINT64_MAX;
                for (uint64_t c = closers; c != 0; c &= c - 1) {
                    const uint64_t r = rest[lowest(c)];
                    price = r < price ? r : price;
                }
                for (uint64_t c = closers; price > 0 && c != 0; c &= c - 1) {
                    rest[lowest(c)] -= price;
                }
                sum += price;
            }
        }
    }
    return sum;
}

/* --- the search --- */

static bool gives_up(struct search *search) {
    struct kw_cover_result *result = search->result;
    result->steps++;
    if (search->cover->step_limit != 0 &&
        result->steps > search->cover->step_limit) {
        result->exact = false;
    }
    return !result->exact;
}

static uint32_t open_closed(const struct search *search,
                            const struct node *node, unsigned part) {
    uint32_t count = 0;
    for (size_t i = 0; i < KW_COVER_WORDS; i++) {
        count += (uint32_t)__builtin_popcountll(
            node->open.word[i] & search->cover->part[part].closes[i]);
    }
    return count;
}

/* The most gaps for the money first, so that a good set is found early. */
static unsigned most_useful(const struct search *search,
                            const struct node *node, uint64_t closers) {
    unsigned best = lowest(closers);
    uint64_t best_gain = 0;
    for (uint64_t left = closers; left != 0; left &= left - 1) {
        const unsigned part = lowest(left);
        const uint64_t gain =
            ((uint64_t)open_closed(search, node, part) << 40) /
            (search->weight[part] + 1);
        if (gain > best_gain) {
            best_gain = gain;
            best = part;
        }
    }
    return best;
}

/* Branches on the gap that the fewest parts close: each of them in turn,
 * never again below the next. Depth: at most one level a part. */
static void visit(struct search *search, const struct node *node) {
    unsigned gap = 0;
    if (gives_up(search)) {
        return;
    }
    if (is_empty(&node->open)) {
        keep(search, node->taken, node->weight);
        return;
    }
    const uint64_t least = bound(search, node, &gap);
    if (least == UINT64_MAX || node->weight + least > worst(search)) {
        return;
    }
    struct node next = *node;
    uint64_t closers = search->closers[gap] & node->allowed;
    while (closers != 0) {
        const unsigned part = most_useful(search, node, closers);
        const uint64_t bit = (uint64_t)1 << part;
        closers &= ~bit;
        next.allowed &= ~bit;
        struct node child = next;
        child.taken |= bit;
        child.weight += search->weight[part];
        remove_closed(&child.open, &search->cover->part[part]);
        visit(search, &child); /* NOLINT(misc-no-recursion) */
    }
}

static void prepare(struct search *search, struct node *root) {
    const struct kw_cover *cover = search->cover;
    for (uint32_t i = 0; i < cover->part_count; i++) {
        const struct kw_cover_part *part = &cover->part[i];
        search->weight[i] =
            (uint64_t)part->cost * UNIT + 2 - (part->preferred != 0 ? 1 : 0);
        for (uint32_t gap = 0; gap < cover->gap_count; gap++) {
            search->closers[gap] |= (part->closes[gap / 64] >> gap % 64 & 1U)
                                    << i;
        }
        root->allowed |= (uint64_t)1 << i;
    }
    for (uint32_t gap = 0; gap < cover->gap_count; gap++) {
        const uint64_t bit = (uint64_t)1 << gap % 64;
        uint64_t *const where = search->closers[gap] != 0
                                    ? &root->open.word[gap / 64]
                                    : &search->result->impossible[gap / 64];
        *where |= bit;
    }
}

void kw_cover_solve(const struct kw_cover *cover,
                    struct kw_cover_result *result) {
    struct search search = {.cover = cover, .result = result};
    struct node root = {.allowed = 0};
    *result = (struct kw_cover_result){.exact = true};
    prepare(&search, &root);
    visit(&search, &root);
}
