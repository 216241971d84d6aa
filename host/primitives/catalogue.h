/* host/primitives/catalogue.h: the data files, as names and as words.
 *
 * Reads the shipped files and the user's own, checks them, and builds the
 * words of the engine; the index of a word is the index of a name here.
 * Knows the engine and documents. */
#ifndef KW_HOST_PRIMITIVES_CATALOGUE_H
#define KW_HOST_PRIMITIVES_CATALOGUE_H

#include "host/primitives/document.h"
#include "host/primitives/engine.h"

/* Ids in the order of the engine's indexes. */
struct kw_table {
    const char **id; /* belong to the documents */
    json_t **entry;  /* the JSON object; NULL: there is none */
    json_t *index;   /* key to number */
    uint32_t count;
    uint32_t room;
};

/* A growing array of words. */
struct kw_word_list {
    uint32_t *word;
    uint32_t count;
    uint32_t room;
};

struct kw_catalogue {
    struct kw_document *documents;
    size_t document_count;
    struct kw_table primitives;
    struct kw_table items;
    struct kw_table algorithms;
    struct kw_table standards;
    struct kw_table requirements; /* keys are "STANDARD ID" */
    struct kw_table mappings;     /* without ids */
    struct kw_table parts;
    struct kw_table features; /* id is the part's */
    struct kw_table edges;    /* without ids; the entries of the edges */
    struct kw_word_list words;
    struct kw_engine_data data;
    bool failed; /* memory ran out */
};

/* Files are of the user, beside the shipped ones; lint alone reads with
 * shipped false. KW_PARSE: a problem of severity error. */
KW_MUST_USE kw_status kw_catalogue_load(struct kw_catalogue *catalogue,
                                        bool shipped, const char *const *files,
                                        size_t count,
                                        struct kw_problems *problems,
                                        struct kw_error *error);
void kw_catalogue_free(struct kw_catalogue *catalogue);

/* The index of an id, or KW_ENGINE_NONE. */
uint32_t kw_table_find(const struct kw_table *table, const char *id);
uint32_t kw_catalogue_requirement(const struct kw_catalogue *catalogue,
                                  const char *standard, const char *id);
/* A member that is a string, or "". */
const char *kw_text(const json_t *entry, const char *member);

/* Levels, component types and groups of a standard: the index of a value, or
 * NONE. */
uint32_t kw_standard_level(const json_t *standard, const char *value);
uint32_t kw_standard_type(const json_t *standard, const char *id);
uint32_t kw_standard_group(const json_t *standard, const char *id);

/* Adds "unknown WHAT "WRONG"; nearest: ..." as a problem. */
void kw_unknown(struct kw_problems *problems,
                const struct kw_document *document, const char *field,
                const char *what, const char *wrong,
                const struct kw_table *table);

#endif
