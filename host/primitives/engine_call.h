/* host/primitives/engine_call.h: the engine for callers in another language.
 *
 * Words in, words out; no state between two calls. The page calls these from
 * JavaScript, compiled to WebAssembly (cmake/page.cmake). Freestanding;
 * knows host/primitives/engine*.h alone. What the words mean:
 * docs/primitives.md. */
#ifndef KW_HOST_PRIMITIVES_ENGINE_CALL_H
#define KW_HOST_PRIMITIVES_ENGINE_CALL_H

#include "host/primitives/engine.h"

/* Everything is the caller's, aligned to 8 bytes. */
struct kw_engine_call {
    const uint32_t *data; /* the data set */
    uint32_t data_count;
    const uint32_t *project;
    uint32_t project_count;
    const uint32_t *wish; /* of kw_engine_call_close alone */
    uint32_t wish_count;
    uint8_t *memory; /* to work in */
    uint32_t memory_size;
    uint32_t *answer; /* its first word: how many words it has */
    uint32_t answer_room;
};

/* Sections of the answer to an evaluation, as those of the data set: words 1
 * and 2 of the answer are the first word and the records of section 0. */
enum kw_engine_answer_section {
    KW_ENGINE_ANSWER_SUMMARY,     /* one record */
    KW_ENGINE_ANSWER_PRIMITIVES,  /* that apply: index, parent, selected */
    KW_ENGINE_ANSWER_EDGES,       /* mandatory ones between them */
    KW_ENGINE_ANSWER_SUGGESTIONS, /* edges */
    KW_ENGINE_ANSWER_ROWS,
    KW_ENGINE_ANSWER_LINKS, /* mapping, primitive applies, leads */
    KW_ENGINE_ANSWER_CONSTRAINTS,
    KW_ENGINE_ANSWER_FITS,
    KW_ENGINE_ANSWER_FEATURES,
    KW_ENGINE_ANSWER_WANTS,
    KW_ENGINE_ANSWER_ITEMS,
    KW_ENGINE_ANSWER_MISSING,
    KW_ENGINE_ANSWER_PROFILES,
    KW_ENGINE_ANSWER_SECTIONS,
};

/* Words of a wish: these, then the three lists, then (part, cents) pairs. */
enum kw_engine_wish_word {
    KW_ENGINE_WISH_NAMED,
    KW_ENGINE_WISH_SETS,
    KW_ENGINE_WISH_SWAP,
    KW_ENGINE_WISH_CANDIDATE_COUNT,
    KW_ENGINE_WISH_FORBIDDEN_COUNT,
    KW_ENGINE_WISH_PREFERRED_COUNT,
    KW_ENGINE_WISH_PRICE_COUNT,
    KW_ENGINE_WISH_WORDS,
};

/* Each answers an enum kw_engine_status; the answer holds when it is 0. A
 * project that selects nothing is one whose standards or parts choose. */
uint32_t kw_engine_call_evaluate(const struct kw_engine_call *call);
uint32_t kw_engine_call_close(const struct kw_engine_call *call);
/* What excluding a primitive takes along: whether the primitive applies (it
 * cannot be excluded then), and the requirements. */
uint32_t kw_engine_call_exclude(const struct kw_engine_call *call,
                                uint32_t primitive);

#endif
