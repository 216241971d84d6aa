/* host/primitives/project_shape.c: the members of a project file. The
 * published schema says the same: data/primitives/schemas/project.json. */
#include "host/primitives/project_parts.h"

#define END                                                                    \
    { NULL, KW_KIND_ANY, false, NULL, NULL }

static const struct kw_member NEED[] = {
    {"primitive", KW_KIND_ID, true, NULL, NULL},
    {"text", KW_KIND_TEXT, false, NULL, NULL},
    {"protocols", KW_KIND_TEXTS, false, NULL, NULL},
    {"algorithms", KW_KIND_TEXTS, false, NULL, NULL},
    END,
};

static const struct kw_member USE_CASE[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"title", KW_KIND_TEXT, true, NULL, NULL},
    {"description", KW_KIND_TEXT, false, NULL, NULL},
    {"selected", KW_KIND_OBJECTS, true, NEED, NULL},
    {"implicit_details", KW_KIND_OBJECTS, false, NEED, NULL},
    END,
};

static const struct kw_member EXCLUSION[] = {
    {"primitive", KW_KIND_ID, false, NULL, NULL},
    {"standard", KW_KIND_ID, false, NULL, NULL},
    {"requirement", KW_KIND_TEXT, false, NULL, NULL},
    {"argument", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const struct kw_member GUIDANCE[] = {
    {"primitive", KW_KIND_ID, false, NULL, NULL},
    {"algorithm", KW_KIND_ID, false, NULL, NULL},
    {"text", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const char *const STATUSES[] = {"planned", "passed", "failed", NULL};

static const struct kw_member EVIDENCE[] = {
    {"standard", KW_KIND_ID, true, NULL, NULL},
    {"requirement", KW_KIND_TEXT, true, NULL, NULL},
    {"file", KW_KIND_TEXT, false, NULL, NULL},
    {"url", KW_KIND_TEXT, false, NULL, NULL},
    {"sha256", KW_KIND_TEXT, false, NULL, NULL},
    {"date", KW_KIND_TEXT, true, NULL, NULL},
    {"status", KW_KIND_TEXT, true, NULL, STATUSES},
    END,
};

static const struct kw_member CLOSING[] = {
    {"candidates", KW_KIND_TEXTS, false, NULL, NULL},
    {"forbidden", KW_KIND_TEXTS, false, NULL, NULL},
    {"preferred", KW_KIND_TEXTS, false, NULL, NULL},
    {"costs", KW_KIND_ANY, false, NULL, NULL},
    END,
};

const char *const kw_confidence_words[] = {"low", "medium", "high", NULL};
const char *const kw_reading_words[] = {"strict", "interoperable", NULL};
const char *const kw_edge_model_words[] = {"text", "table5", NULL};
const char *const kw_layer_words[] = {"seed", "derived", "user", NULL};

const struct kw_member kw_project_shape[] = {
    {"schema", KW_KIND_TEXT, false, NULL, NULL},
    {"use_case", KW_KIND_OBJECT, false, USE_CASE, NULL},
    {"standard", KW_KIND_ANY, false, NULL, NULL},
    {"platforms", KW_KIND_TEXTS, false, NULL, NULL},
    {"exclusions", KW_KIND_OBJECTS, false, EXCLUSION, NULL},
    {"guidance", KW_KIND_OBJECTS, false, GUIDANCE, NULL},
    {"evidence", KW_KIND_OBJECTS, false, EVIDENCE, NULL},
    {"closing", KW_KIND_OBJECT, false, CLOSING, NULL},
    {"model", KW_KIND_TEXT, false, NULL, kw_edge_model_words},
    {"reading", KW_KIND_TEXT, false, NULL, kw_reading_words},
    {"min_confidence", KW_KIND_TEXT, false, NULL, kw_confidence_words},
    {"sources", KW_KIND_TEXTS, false, NULL, NULL},
    END,
};

const struct kw_member kw_target_shape[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"level", KW_KIND_ANY, false, NULL, NULL},
    {"component_type", KW_KIND_ID, false, NULL, NULL},
    END,
};
