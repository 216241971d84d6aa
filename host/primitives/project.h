/* host/primitives/project.h: a project file, evaluated.
 *
 * docs/primitives.md has the members of the file. Knows the catalogue and the
 * engine. */
#ifndef KW_HOST_PRIMITIVES_PROJECT_H
#define KW_HOST_PRIMITIVES_PROJECT_H

#include "host/primitives/catalogue.h"

#define KW_PROJECT_TARGETS_MAX 32
#define KW_PROJECT_LIST_MAX    1024

/* What the command line decides over the file; zero: the file's own word. */
struct kw_project_options {
    const char *model;
    const char *min_confidence;
    const char *sources;    /* "seed,user" */
    const char *reading;    /* "strict" or "interoperable" */
    const char *level;      /* "LEVEL" or "STANDARD:LEVEL" */
    const char *const *add; /* primitives or platforms */
    size_t add_count;
    const char *const *remove;
    size_t remove_count;
};

/* Pointers of engine lead into this structure: it may not be moved. */
struct kw_project {
    struct kw_document document;
    const struct kw_catalogue *catalogue;
    struct kw_engine_project engine;
    enum kw_engine_origin origin; /* who selected the primitives */
    struct kw_engine_target targets[KW_PROJECT_TARGETS_MAX];
    struct kw_engine_want wants[KW_PROJECT_LIST_MAX];
    uint32_t excluded[KW_PROJECT_LIST_MAX];
    const char *argument[KW_PROJECT_LIST_MAX]; /* of excluded[n] */
    uint32_t guided[KW_PROJECT_LIST_MAX];
    uint32_t parts[KW_ENGINE_PARTS_MAX];
    struct kw_engine_result result;
    struct kw_engine_arena arena;
};

/* Puts the filters that the options give into engine; the others stay as
 * they are. KW_USAGE: a word that no filter has. */
KW_MUST_USE kw_status
kw_project_filters(const struct kw_project_options *options,
                   struct kw_engine_project *engine, struct kw_error *error);

/* Reads, checks and evaluates; KW_PARSE with file, line and field of the
 * first problem, all of them in problems; KW_USAGE: an option does not fit.
 * Free it in either case. */
KW_MUST_USE kw_status kw_project_load(struct kw_project *project,
                                      const struct kw_catalogue *catalogue,
                                      const char *path,
                                      const struct kw_project_options *options,
                                      struct kw_problems *problems,
                                      struct kw_error *error);

/* Evaluates again after engine was changed. */
KW_MUST_USE kw_status kw_project_evaluate(struct kw_project *project,
                                          struct kw_error *error);
void kw_project_free(struct kw_project *project);

/* The three phases as members of a document (docs/primitives.md). */
json_t *kw_project_document(const struct kw_project *project);

/* The argument for which a requirement is excluded, or "". */
const char *kw_project_argument(const struct kw_project *project,
                                uint32_t requirement);

/* "gap", "partial", "covered", "guidance". */
const char *kw_cover_word(uint32_t state);
/* "missing", "partial", "met", "guidance". */
const char *kw_want_word(uint32_t state);
/* "uncovered", "covered", "excluded". */
const char *kw_row_word(uint32_t state);

#endif
