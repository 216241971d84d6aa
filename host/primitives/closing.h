/* host/primitives/closing.h: which parts close a project's gaps.
 * Knows projects and the cover search. */
#ifndef KW_HOST_PRIMITIVES_CLOSING_H
#define KW_HOST_PRIMITIVES_CLOSING_H

#include "host/primitives/cover.h"
#include "host/primitives/project.h"

struct kw_closing_options {
    uint32_t sets; /* how many alternatives to name */
    bool swap;     /* also try each other main part (type "mcu") */
};

/* Adds a problem for each part of the member "closing" that is unknown, and
 * for what contradicts. */
void kw_closing_check(struct kw_project *project, struct kw_problems *problems);

/* "gaps", "impossible", "sets", "swaps" as members of a document. A project
 * without parts starts from nothing. */
KW_MUST_USE kw_status kw_closing(struct kw_project *project,
                                 const struct kw_closing_options *options,
                                 struct kw_problems *problems, json_t *document,
                                 struct kw_error *error);

#endif
