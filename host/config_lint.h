/* host/config_lint.h: what is wrong with a configuration, before a lock.
 *
 * A table of rules; each looks at the 128 bytes, or at one slot of them.
 * error: contradicts itself, or leaves something of no use for ever;
 * warning: works, and gives something away; note: worth knowing.
 * Ids and reasons: docs/lint.md. Knows core/config.h. */
#ifndef KW_HOST_CONFIG_LINT_H
#define KW_HOST_CONFIG_LINT_H

#include "core/config.h"

enum kw_severity { KW_LINT_ERROR, KW_LINT_WARNING, KW_LINT_NOTE };

#define KW_FINDING_WORDS 200
#define KW_NO_SLOT       16 /* the finding is about the whole chip */

struct kw_finding {
    const char *id;
    enum kw_severity severity;
    unsigned slot; /* or KW_NO_SLOT */
    char words[KW_FINDING_WORDS];
};

#define KW_FINDINGS_MAX 448 /* every rule at every slot */

struct kw_findings {
    struct kw_finding finding[KW_FINDINGS_MAX];
    size_t count;
    size_t errors;
    size_t warnings;
};

void kw_config_lint(const uint8_t config[KW_CONFIG_SIZE],
                    struct kw_findings *findings);

/* The words of the first error; "" when there is none. */
const char *kw_first_error(const struct kw_findings *findings);

/* "error", "warning", "note". */
const char *kw_severity_name(enum kw_severity severity);

#endif
