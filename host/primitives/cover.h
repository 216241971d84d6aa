/* host/primitives/cover.h: the cheapest sets of parts that close all gaps.
 *
 * Exact minimum cover by branch and bound over bitsets. Freestanding like
 * engine.h; knows nothing of primitives: gaps and parts are bits. */
#ifndef KW_HOST_PRIMITIVES_COVER_H
#define KW_HOST_PRIMITIVES_COVER_H

#include "host/primitives/engine.h"

#define KW_COVER_WORDS    (KW_ENGINE_GAPS_MAX / 64)
#define KW_COVER_SETS_MAX 32

struct kw_cover_part {
    uint64_t closes[KW_COVER_WORDS];
    uint32_t cost;
    uint32_t preferred; /* 1: wins among sets of the same cost */
};

struct kw_cover {
    struct kw_cover_part part[KW_ENGINE_PARTS_MAX];
    uint32_t part_count;
    uint32_t gap_count;
    uint32_t set_limit;  /* how many sets to look for, 1 .. SETS_MAX */
    uint64_t step_limit; /* give up after so many nodes; 0: never */
};

struct kw_cover_set {
    uint64_t parts; /* bit n: part n */
    uint64_t cost;
};

struct kw_cover_result {
    struct kw_cover_set set[KW_COVER_SETS_MAX]; /* cheapest first */
    uint32_t set_count;
    uint64_t impossible[KW_COVER_WORDS]; /* gaps that no part closes */
    uint64_t steps;                      /* nodes of the search */
    bool exact; /* false: the step limit ended the search */
};

/* Finds the set_limit cheapest sets in which no part is idle. Among sets of
 * the same cost the one of fewer parts, then of more preferred parts, then
 * of earlier parts comes first. Gaps that no part closes are named and left
 * out. Deterministic. */
void kw_cover_solve(const struct kw_cover *cover,
                    struct kw_cover_result *result);

#endif
