/* host/primitives/data_shape.c: the members of the data files. The published
 * schemas say the same: data/primitives/schemas/. */
#include <string.h>

#include "host/primitives/catalogue_parts.h"

#define END                                                                    \
    { NULL, KW_KIND_ANY, false, NULL, NULL }

static const char *const CONFIDENCES[] = {"low", "medium", "high", NULL};
static const char *const LAYERS[] = {"seed", "derived", "user", NULL};
static const char *const KINDS[] = {"functional", "process", NULL};
static const char *const SUPPORTS[] = {"none", "partial", "full", NULL};
static const char *const USAGES[] = {"general", "memory-encryption",
                                     "boot-only", "tls-internal", NULL};

static const struct kw_member EDGE[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"section", KW_KIND_TEXT, true, NULL, NULL},
    {"rationale", KW_KIND_TEXT, true, NULL, NULL},
    {"conditional", KW_KIND_FLAG, false, NULL, NULL},
    {"mutual", KW_KIND_FLAG, false, NULL, NULL},
    {"models", KW_KIND_TEXTS, false, NULL, NULL},
    END,
};

static const struct kw_member PRIMITIVE[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"abbr", KW_KIND_ID, true, NULL, NULL},
    {"name", KW_KIND_TEXT, true, NULL, NULL},
    {"aliases", KW_KIND_TEXTS, false, NULL, NULL},
    {"kind", KW_KIND_TEXT, true, NULL, KINDS},
    {"section", KW_KIND_TEXT, true, NULL, NULL},
    {"scopes", KW_KIND_TEXTS, true, NULL, NULL},
    {"definition", KW_KIND_TEXT, true, NULL, NULL},
    {"question", KW_KIND_TEXT, false, NULL, NULL},
    {"mandatory", KW_KIND_OBJECTS, true, EDGE, NULL},
    {"optional", KW_KIND_OBJECTS, true, EDGE, NULL},
    END,
};

static const struct kw_member PRIMITIVES[] = {
    {"schema", KW_KIND_TEXT, true, NULL, NULL},
    {"source", KW_KIND_TEXT, true, NULL, NULL},
    {"models", KW_KIND_TEXTS, true, NULL, NULL},
    {"primitives", KW_KIND_OBJECTS, true, PRIMITIVE, NULL},
    {"states", KW_KIND_OBJECTS, false, NULL, NULL},
    {"glossary", KW_KIND_OBJECTS, false, NULL, NULL},
    {"inconsistencies", KW_KIND_OBJECTS, false, NULL, NULL},
    END,
};

static const struct kw_member PROFILE[] = {
    {"protocol", KW_KIND_ID, true, NULL, NULL},
    {"choices", KW_KIND_ANY, true, NULL, NULL},
    END,
};

static const struct kw_member ALGORITHMS[] = {
    {"schema", KW_KIND_TEXT, true, NULL, NULL},
    {"source", KW_KIND_TEXT, true, NULL, NULL},
    {"families", KW_KIND_MAP, true, NULL, NULL},
    {"requirements", KW_KIND_OBJECT, true, NULL, NULL},
    {"profiles", KW_KIND_OBJECTS, true, PROFILE, NULL},
    END,
};

static const struct kw_member SOURCE[] = {
    {"what", KW_KIND_TEXT, true, NULL, NULL},
    {"reference", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const struct kw_member LEVELS[] = {
    {"name", KW_KIND_TEXT, true, NULL, NULL},
    {"values", KW_KIND_TEXTS, true, NULL, NULL},
    {"cumulative", KW_KIND_FLAG, true, NULL, NULL},
    END,
};

static const struct kw_member NAMED[] = {
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"name", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const struct kw_member REQUIREMENT[] = {
    {"id", KW_KIND_TEXT, true, NULL, NULL},
    {"title", KW_KIND_TEXT, true, NULL, NULL},
    {"group", KW_KIND_ID, false, NULL, NULL},
    {"base", KW_KIND_TEXT, false, NULL, NULL},
    {"levels", KW_KIND_TEXTS, false, NULL, NULL},
    {"types", KW_KIND_TEXTS, false, NULL, NULL},
    {"also", KW_KIND_TEXTS, false, NULL, NULL},
    {"level_confidence", KW_KIND_TEXT, false, NULL, CONFIDENCES},
    {"constraint", KW_KIND_FLAG, false, NULL, NULL},
    {"remark", KW_KIND_TEXT, false, NULL, NULL},
    END,
};

static const struct kw_member MAPPING[] = {
    {"primitive", KW_KIND_ID, true, NULL, NULL},
    {"requirement", KW_KIND_TEXT, true, NULL, NULL},
    {"layer", KW_KIND_TEXT, true, NULL, LAYERS},
    {"confidence", KW_KIND_TEXT, true, NULL, CONFIDENCES},
    {"rationale", KW_KIND_TEXT, true, NULL, NULL},
    {"types", KW_KIND_TEXTS, false, NULL, NULL},
    {"reference", KW_KIND_TEXT, false, NULL, NULL},
    {"correction", KW_KIND_TEXT, false, NULL, NULL},
    {"template", KW_KIND_FLAG, false, NULL, NULL},
    END,
};

static const struct kw_member STANDARD[] = {
    {"schema", KW_KIND_TEXT, true, NULL, NULL},
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"title", KW_KIND_TEXT, true, NULL, NULL},
    {"edition", KW_KIND_TEXT, true, NULL, NULL},
    {"label", KW_KIND_TEXT, true, NULL, NULL},
    {"depth", KW_KIND_TEXT, true, NULL, NULL},
    {"confidence", KW_KIND_TEXT, true, NULL, CONFIDENCES},
    {"note", KW_KIND_TEXT, false, NULL, NULL},
    {"missing", KW_KIND_TEXT, false, NULL, NULL},
    {"sources", KW_KIND_OBJECTS, true, SOURCE, NULL},
    {"levels", KW_KIND_OBJECT, false, LEVELS, NULL},
    {"types", KW_KIND_OBJECTS, false, NAMED, NULL},
    {"groups", KW_KIND_OBJECTS, false, NAMED, NULL},
    {"requirements", KW_KIND_OBJECTS, true, REQUIREMENT, NULL},
    {"mappings", KW_KIND_OBJECTS, true, MAPPING, NULL},
    END,
};

static const struct kw_member COST[] = {
    {"cents", KW_KIND_COUNT, true, NULL, NULL},
    {"basis", KW_KIND_TEXT, true, NULL, NULL},
    END,
};

static const struct kw_member FEATURE[] = {
    {"primitive", KW_KIND_ID, true, NULL, NULL},
    {"feature", KW_KIND_TEXT, true, NULL, NULL},
    {"algorithms", KW_KIND_TEXTS, true, NULL, NULL},
    {"usage", KW_KIND_TEXT, true, NULL, USAGES},
    {"support", KW_KIND_TEXT, true, NULL, SUPPORTS},
    {"layer", KW_KIND_TEXT, true, NULL, LAYERS},
    {"confidence", KW_KIND_TEXT, true, NULL, CONFIDENCES},
    {"robustness", KW_KIND_TEXT, false, NULL, NULL},
    {"remark", KW_KIND_TEXT, false, NULL, NULL},
    END,
};

static const struct kw_member PLATFORM[] = {
    {"schema", KW_KIND_TEXT, true, NULL, NULL},
    {"id", KW_KIND_ID, true, NULL, NULL},
    {"name", KW_KIND_TEXT, true, NULL, NULL},
    {"vendor", KW_KIND_TEXT, true, NULL, NULL},
    {"type", KW_KIND_ID, true, NULL, NULL},
    {"sources", KW_KIND_TEXTS, true, NULL, NULL},
    {"cost", KW_KIND_OBJECT, false, COST, NULL},
    {"members", KW_KIND_TEXTS, false, NULL, NULL},
    {"features", KW_KIND_OBJECTS, true, FEATURE, NULL},
    END,
};

const struct kw_member *kw_data_shape(const char *schema) {
    static const struct {
        const char *schema;
        const struct kw_member *members;
    } SHAPES[] = {
        {KW_SCHEMA_PRIMITIVES, PRIMITIVES},
        {KW_SCHEMA_ALGORITHMS, ALGORITHMS},
        {KW_SCHEMA_STANDARD, STANDARD},
        {KW_SCHEMA_PLATFORM, PLATFORM},
    };
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        if (strcmp(SHAPES[i].schema, schema) == 0) {
            return SHAPES[i].members;
        }
    }
    return NULL;
}
