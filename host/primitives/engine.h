/* host/primitives/engine.h: from a use case to requirements, gaps and parts.
 *
 * Freestanding C: no heap, no stdio, no JSON, no names. Everything is an
 * index into a data set that is one array of 32-bit words, so the command
 * and the page (the same file compiled to WebAssembly) run the same code over
 * the same words; whoever calls keeps the names, in the order of the
 * indexes. Working memory comes from the caller's arena. May be compiled
 * with nothing but <stdint.h>, <stddef.h> and <stdbool.h>; the compiler may
 * still emit calls of memset and memcpy.
 * May not know: any id of a primitive, requirement, algorithm or part.
 * What the words mean: docs/primitives.md, "The data set as words". */
#ifndef KW_HOST_PRIMITIVES_ENGINE_H
#define KW_HOST_PRIMITIVES_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kw_engine_status {
    KW_ENGINE_OK = 0,
    KW_ENGINE_DATA = 1,    /* the words are no data set, or contradict */
    KW_ENGINE_PROJECT = 2, /* the project names what the data set lacks */
    KW_ENGINE_ARENA = 3,   /* the arena is too small */
    KW_ENGINE_LIMIT = 4,   /* more than a limit below allows */
};

#define KW_ENGINE_NONE           UINT32_MAX
#define KW_ENGINE_PRIMITIVES_MAX 64 /* a set of primitives is one uint64_t */
#define KW_ENGINE_GAPS_MAX       256
#define KW_ENGINE_PARTS_MAX      64 /* candidates of one cover */
#define KW_ENGINE_GROUPS_MAX     16 /* foundational groups of a standard */
#define KW_ENGINE_LEVELS_MAX     31

/* --- memory --- */

struct kw_engine_arena {
    uint8_t *base; /* aligned to 8 bytes */
    size_t size;
    size_t used; /* set it back to free everything after a point */
};

/* --- the data set --- */

#define KW_ENGINE_MAGIC    0x4550574bU /* "KWPE" in little-endian bytes */
#define KW_ENGINE_VERSION  2U
#define KW_ENGINE_SECTIONS 12
/* magic, version, words in all, then (first word, records) a section */
#define KW_ENGINE_HEADER_WORDS (3 + 2 * KW_ENGINE_SECTIONS)

enum kw_engine_section {
    KW_ENGINE_SECTION_PRIMITIVES,
    KW_ENGINE_SECTION_EDGES,
    KW_ENGINE_SECTION_ITEMS,
    KW_ENGINE_SECTION_ALGORITHMS,
    KW_ENGINE_SECTION_PROFILES,
    KW_ENGINE_SECTION_CHOICES,
    KW_ENGINE_SECTION_STANDARDS,
    KW_ENGINE_SECTION_REQUIREMENTS,
    KW_ENGINE_SECTION_MAPPINGS,
    KW_ENGINE_SECTION_PARTS,
    KW_ENGINE_SECTION_FEATURES,
    KW_ENGINE_SECTION_LIST,
};

/* A run of words in the list section. */
struct kw_engine_run {
    uint32_t first;
    uint32_t count;
};

struct kw_engine_primitive {
    uint32_t process; /* 1: a process primitive, 0: a functional one */
};

#define KW_ENGINE_MANDATORY   1U
#define KW_ENGINE_CONDITIONAL 2U /* optional, but "if present ... shall" */
struct kw_engine_edge {
    uint32_t from; /* this primitive ... */
    uint32_t to;   /* ... depends on that one */
    uint32_t flags;
    uint32_t models; /* bit n: the edge belongs to model n */
};

/* Something that a feature can list: "ECDSA-P256", or a family. */
struct kw_engine_item {
    struct kw_engine_run members; /* items that satisfy this family */
};

/* Something that a use case can ask for: "ECDHE-ECDSA". */
struct kw_engine_algorithm {
    struct kw_engine_run needs;  /* items, all of them */
    struct kw_engine_run blocks; /* items that would help to build it */
};

/* The interoperable reading of one protocol: at least one algorithm of each
 * choice has to be there. */
struct kw_engine_profile {
    uint32_t algorithm; /* the protocol */
    uint32_t first_choice;
    uint32_t choice_count;
};
struct kw_engine_choice {
    struct kw_engine_run algorithms;
};

struct kw_engine_standard {
    uint32_t first_requirement;
    uint32_t requirement_count;
    uint32_t level_count; /* 0: the standard has no levels */
    uint32_t type_count;  /* component types; 0: none */
    uint32_t group_count; /* foundational groups; 0: no level vector */
};

#define KW_ENGINE_CONSTRAINT 1U /* always applies, never counted */
struct kw_engine_requirement {
    uint32_t standard;
    uint32_t levels; /* bit n: asked at level n (0 is the lowest); 0: never */
    uint32_t types;  /* bit n: for component type n; 0: for all */
    uint32_t group;  /* its foundational group */
    uint32_t base;   /* the requirement that it enhances, or NONE */
    uint32_t flags;
};

/* Layers and confidences, lowest first. */
enum kw_engine_layer {
    KW_ENGINE_LAYER_SEED,
    KW_ENGINE_LAYER_DERIVED,
    KW_ENGINE_LAYER_USER,
};
enum kw_engine_confidence {
    KW_ENGINE_CONFIDENCE_LOW,
    KW_ENGINE_CONFIDENCE_MEDIUM,
    KW_ENGINE_CONFIDENCE_HIGH,
};
struct kw_engine_mapping {
    uint32_t primitive;
    uint32_t requirement;
    uint32_t layer;
    uint32_t confidence;
    uint32_t types; /* only for these component types; 0: for all */
};

/* What a part is in a system. Only those beside the main part are offered to
 * close a gap when nobody names candidates. */
enum kw_engine_role {
    KW_ENGINE_ROLE_BESIDE,
    KW_ENGINE_ROLE_MAIN,
    KW_ENGINE_ROLE_COMBINATION,
};
struct kw_engine_part {
    uint32_t cost; /* in the unit of the data set (cents) */
    uint32_t first_feature;
    uint32_t feature_count;
    uint32_t role;
};

enum kw_engine_support {
    KW_ENGINE_SUPPORT_NONE,
    KW_ENGINE_SUPPORT_PARTIAL,
    KW_ENGINE_SUPPORT_FULL,
};
struct kw_engine_feature {
    uint32_t primitive;
    uint32_t general; /* 1: its items serve any caller; 0: one fixed use */
    uint32_t support;
    uint32_t confidence;
    struct kw_engine_run items;
};

/* Views of the words; nothing is copied, so the words have to stay. */
struct kw_engine_data {
    const struct kw_engine_primitive *primitives;
    const struct kw_engine_edge *edges;
    const struct kw_engine_item *items;
    const struct kw_engine_algorithm *algorithms;
    const struct kw_engine_profile *profiles;
    const struct kw_engine_choice *choices;
    const struct kw_engine_standard *standards;
    const struct kw_engine_requirement *requirements;
    const struct kw_engine_mapping *mappings;
    const struct kw_engine_part *parts;
    const struct kw_engine_feature *features;
    const uint32_t *list;
    uint32_t count[KW_ENGINE_SECTIONS]; /* records of each section */
};

/* Checks every index and every limit, then points into the words. */
enum kw_engine_status kw_engine_load(struct kw_engine_data *data,
                                     const uint32_t *words, size_t count);

/* --- the project --- */

/* A primitive of the use case wants this algorithm. */
struct kw_engine_want {
    uint32_t primitive;
    uint32_t algorithm;
};

/* A standard to be met. levels[g]: one more than the level of group g (0: no
 * requirement of the group is asked). A standard without groups uses
 * levels[0]; one without levels asks everything when levels[0] is not 0. */
struct kw_engine_target {
    uint32_t standard;
    uint32_t type; /* component type, or NONE: all types */
    uint32_t levels[KW_ENGINE_GROUPS_MAX];
};

struct kw_engine_words {
    const uint32_t *at;
    uint32_t count;
};

struct kw_engine_project {
    uint32_t model;          /* which edges: 0 text, 1 table5 */
    uint32_t layers;         /* bit n: mappings of layer n count */
    uint32_t min_confidence; /* of mappings and features */
    uint32_t interoperable;  /* 0: strict, 1: interoperable reading */
    uint64_t selected;       /* bit n: primitive n is of the use case */
    const struct kw_engine_want *wants;
    uint32_t want_count;
    const struct kw_engine_target *targets;
    uint32_t target_count;
    struct kw_engine_words excluded; /* requirements, each argued */
    uint64_t guided_primitives;      /* left to user guidance */
    struct kw_engine_words guided_algorithms;
    struct kw_engine_words parts; /* the system */
};

/* A project as words: these words, then want_count pairs, target_count
 * targets, and the three lists. */
enum kw_engine_project_word {
    KW_ENGINE_PROJECT_VERSION, /* KW_ENGINE_VERSION */
    KW_ENGINE_PROJECT_MODEL,
    KW_ENGINE_PROJECT_LAYERS,
    KW_ENGINE_PROJECT_MIN_CONFIDENCE,
    KW_ENGINE_PROJECT_INTEROPERABLE,
    KW_ENGINE_PROJECT_SELECTED,          /* two words, low one first */
    KW_ENGINE_PROJECT_GUIDED = 7,        /* two words, low one first */
    KW_ENGINE_PROJECT_WANT_COUNT = 9,    /* (primitive, algorithm) */
    KW_ENGINE_PROJECT_TARGET_COUNT,      /* struct kw_engine_target */
    KW_ENGINE_PROJECT_EXCLUDED_COUNT,    /* requirements */
    KW_ENGINE_PROJECT_GUIDED_ALGORITHMS, /* algorithms */
    KW_ENGINE_PROJECT_PART_COUNT,        /* parts */
    KW_ENGINE_PROJECT_WORDS,
};

/* Checks every index and points into the words, which have to stay. */
enum kw_engine_status kw_engine_project_read(const struct kw_engine_data *data,
                                             const uint32_t *words,
                                             size_t count,
                                             struct kw_engine_project *project);

/* --- phase 1: primitives --- */

struct kw_engine_closure {
    uint64_t applicable;
    uint64_t selected;
    /* the primitive that first brought this one in, by the fewest steps;
     * NONE for a selected one and one that does not apply */
    uint32_t parent[KW_ENGINE_PRIMITIVES_MAX];
};

/* Follows mandatory edges of one model from a set; cycles do no harm. */
void kw_engine_closure(const struct kw_engine_data *data, uint64_t selected,
                       uint32_t model, struct kw_engine_closure *closure);

/* --- the evaluation --- */

enum kw_engine_row_state {
    KW_ENGINE_UNCOVERED,
    KW_ENGINE_COVERED,  /* an applicable primitive answers it */
    KW_ENGINE_EXCLUDED, /* with an argument */
};

/* Phase 2: one requirement in scope, in the order of targets and data. */
struct kw_engine_row {
    uint32_t requirement;
    uint32_t state;
    uint32_t first_link; /* in links[]: mappings that passed the filters, */
    uint32_t link_count; /* also those to primitives that do not apply */
};

enum kw_engine_cover {
    KW_ENGINE_GAP,
    KW_ENGINE_PARTIAL,
    KW_ENGINE_FULL,
    KW_ENGINE_GUIDED, /* not met by parts, left to user guidance */
};

/* Phase 3: one applicable primitive against the parts. */
struct kw_engine_fit {
    uint32_t primitive;
    uint32_t state;
    uint32_t first_feature; /* in fit_features[]: features of the parts */
    uint32_t feature_count;
    uint32_t first_want; /* in want_fits[] */
    uint32_t want_count;
};

/* One wanted algorithm: GAP is missing, FULL is met. */
struct kw_engine_want_fit {
    uint32_t primitive;
    uint32_t algorithm;
    uint32_t state;
    uint32_t first_missing; /* in items[] */
    uint32_t missing_count;
    uint32_t first_block; /* in items[]: building blocks that are there */
    uint32_t block_count;
    uint32_t spared; /* 1: the interoperable reading can do without it */
};

struct kw_engine_profile_fit {
    uint32_t profile;
    uint32_t possible; /* 1: the protocol and one of each choice are met */
};

struct kw_engine_result {
    struct kw_engine_closure closure;
    const uint32_t *suggestions; /* optional edges out of the closure */
    uint32_t suggestion_count;
    const struct kw_engine_row *rows;
    uint32_t row_count;
    const uint32_t *links; /* indexes of mappings */
    uint32_t link_count;
    uint32_t covered_count;
    uint32_t uncovered_count;
    uint32_t excluded_count;
    const uint32_t *constraints; /* requirements that always apply */
    uint32_t constraint_count;
    const struct kw_engine_fit *fits;
    uint32_t fit_count; /* 0 when the project has no parts */
    const uint32_t *fit_features;
    const struct kw_engine_want_fit *want_fits;
    uint32_t want_fit_count;
    const uint32_t *items;   /* what the runs above point into */
    const uint32_t *missing; /* items missing in all, ascending, once each */
    uint32_t missing_count;
    const struct kw_engine_profile_fit *profile_fits;
    uint32_t profile_fit_count;
};

/* All three phases, in the order of the data set, never of the project. A
 * standard that is there twice is KW_ENGINE_PROJECT. A phase whose inputs are
 * empty gives an empty part. */
enum kw_engine_status kw_engine_evaluate(
    const struct kw_engine_data *data, const struct kw_engine_project *project,
    struct kw_engine_arena *arena, struct kw_engine_result *result);

/* --- phases without their inputs --- */

enum kw_engine_origin {
    KW_ENGINE_ORIGIN_USE_CASE,
    KW_ENGINE_ORIGIN_STANDARDS, /* all that the standards draw on */
    KW_ENGINE_ORIGIN_ALL,       /* every primitive, against the parts */
};

/* Selects every primitive when none is: KW_ENGINE_ORIGIN_STANDARDS when there
 * is a target, KW_ENGINE_ORIGIN_ALL without. */
enum kw_engine_origin kw_engine_choose(const struct kw_engine_data *data,
                                       struct kw_engine_project *project);

/* Evaluates. Where the standards choose, what they draw on is selected first
 * (in the project, too). */
enum kw_engine_status kw_engine_evaluate_from(const struct kw_engine_data *data,
                                              enum kw_engine_origin origin,
                                              struct kw_engine_project *project,
                                              struct kw_engine_arena *arena,
                                              struct kw_engine_result *result);

/* Whether a primitive is selected or required by what is. */
bool kw_engine_applies(const struct kw_engine_data *data,
                       const struct kw_engine_project *project,
                       uint32_t primitive);

/* The product does without this primitive: whether the mapping leads to a
 * requirement that draws on it and on none that applies. */
bool kw_engine_excludes(const struct kw_engine_data *data,
                        const struct kw_engine_project *project,
                        uint32_t primitive, uint32_t mapping);

/* --- reading a result --- */

/* Of several primitives that could answer a requirement those of high
 * confidence lead, or else the one that the data lists first. at: the number
 * of the link in its row. */
bool kw_engine_leads(const struct kw_engine_data *data,
                     const struct kw_engine_result *result,
                     const struct kw_engine_row *row, uint32_t at);

enum kw_engine_verdict {
    KW_ENGINE_VERDICT_GAP,
    KW_ENGINE_VERDICT_PARTIAL,
    KW_ENGINE_VERDICT_COVERED,
    KW_ENGINE_VERDICT_NONE, /* no parts: not evaluated */
};
enum kw_engine_verdict kw_engine_verdict(const struct kw_engine_result *result);

/* --- closing gaps --- */

enum kw_engine_gap_kind {
    KW_ENGINE_GAP_FEATURE, /* no part supports this primitive in full */
    KW_ENGINE_GAP_ITEM,    /* no part lists this item for general use */
};
struct kw_engine_gap {
    uint32_t kind;
    uint32_t index; /* a primitive or an item */
};

/* The gaps of a project as atoms that parts can close one by one. */
enum kw_engine_status kw_engine_gaps(const struct kw_engine_data *data,
                                     const struct kw_engine_project *project,
                                     const struct kw_engine_result *result,
                                     struct kw_engine_arena *arena,
                                     const struct kw_engine_gap **gaps,
                                     uint32_t *count);

/* Whether this part alone closes this gap. */
bool kw_engine_closes(const struct kw_engine_data *data,
                      const struct kw_engine_project *project, uint32_t part,
                      const struct kw_engine_gap *gap);

#endif
