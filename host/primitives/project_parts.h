/* host/primitives/project_parts.h: what the files that read a project
 * share. Knows projects. */
#ifndef KW_HOST_PRIMITIVES_PROJECT_PARTS_H
#define KW_HOST_PRIMITIVES_PROJECT_PARTS_H

#include "host/primitives/project.h"

/* The members of a project, and of one of its standards. */
extern const struct kw_member kw_project_shape[];
extern const struct kw_member kw_target_shape[];

/* The words of filters, in the order of the engine's numbers; NULL ends. */
extern const char *const kw_edge_model_words[];
extern const char *const kw_confidence_words[];
extern const char *const kw_reading_words[];
extern const char *const kw_layer_words[];

struct kw_reading {
    struct kw_project *project;
    const struct kw_project_options *options;
    struct kw_problems *problems;
    const struct kw_document *document;
    const json_t *root;
    bool level_used;        /* a standard took the level of the options */
    struct kw_error *error; /* of an option */
    kw_status status;       /* KW_USAGE: an option is wrong */
};

/* Adds "unknown WHAT"; field is where the name stands. */
void kw_reading_unknown(const struct kw_reading *reading, const char *field,
                        const char *what, const char *wrong,
                        const struct kw_table *table);

/* Each reads its member, and adds a problem for what is wrong in it. */
void kw_read_needs(struct kw_reading *reading);
void kw_read_standards(struct kw_reading *reading);
void kw_read_parts(struct kw_reading *reading);
void kw_read_filters(struct kw_reading *reading);
void kw_read_exclusions(struct kw_reading *reading);
void kw_read_guidance(struct kw_reading *reading);
void kw_read_evidence(struct kw_reading *reading);

/* KW_PARSE: the engine has no room for it. */
KW_MUST_USE kw_status kw_project_evaluate_from(struct kw_project *project,
                                               enum kw_engine_origin origin,
                                               struct kw_error *error);

/* What --add and --remove ask for; after the use case and the parts. */
void kw_read_changes(struct kw_reading *reading);

#endif
