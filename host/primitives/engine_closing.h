/* host/primitives/engine_closing.h: which parts close a project's gaps.
 *
 * Which parts may be offered, what the interoperable reading leaves to choose
 * from, and the cheapest sets. Freestanding like engine.h; knows engine.h and
 * cover.h. */
#ifndef KW_HOST_PRIMITIVES_ENGINE_CLOSING_H
#define KW_HOST_PRIMITIVES_ENGINE_CLOSING_H

#include "host/primitives/cover.h"

struct kw_engine_price {
    uint32_t part;
    uint32_t cents;
};

/* What the user asks of a closing; lists are parts. */
struct kw_engine_wish {
    uint32_t named; /* 1: the candidates alone; 0: all beside a main part */
    struct kw_engine_words candidates;
    struct kw_engine_words forbidden;
    struct kw_engine_words preferred;
    const struct kw_engine_price *prices; /* over those of the data */
    uint32_t price_count;
    uint32_t sets; /* how many alternatives, 1 .. KW_COVER_SETS_MAX */
    uint32_t swap; /* 1: also with each other main part */
};

/* One answer; what it points to is gone when the receiver returns. */
struct kw_engine_closing {
    uint32_t instead_of; /* the main part that went; NONE: none */
    uint32_t main;       /* the one that came; NONE: none */
    uint32_t extra;      /* its price, to be added to each set's */
    const struct kw_engine_gap *gaps;
    uint32_t gap_count;
    const uint32_t *candidates; /* the part of bit n of a set */
    uint32_t candidate_count;
    const struct kw_cover_result *cover;
};
typedef void kw_engine_closing_receiver(void *context,
                                        const struct kw_engine_closing *answer);

/* Calls the receiver with the closing of the project, then with one for each
 * swap. The project is one that kw_engine_evaluate takes. */
enum kw_engine_status kw_engine_close(const struct kw_engine_data *data,
                                      const struct kw_engine_project *project,
                                      const struct kw_engine_wish *wish,
                                      struct kw_engine_arena *arena,
                                      kw_engine_closing_receiver *receive,
                                      void *context);

/* Whether gap n of an answer is one that no candidate closes. */
static inline bool
kw_engine_is_impossible(const struct kw_engine_closing *answer, uint32_t gap) {
    return (answer->cover->impossible[gap / 64] >> gap % 64 & 1U) != 0;
}

#endif
