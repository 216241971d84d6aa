/* host/manifest/verify.h: a whole manifest, checked by several threads.
 *
 * One thread reads the file and hands batches of entries out; findings come
 * in the file's order. What is there twice comes last: a unique id, or a key
 * of slots 0 to 4, which are a chip's own (13 to 15 may be the fleet's).
 * Knows host/manifest/check.h, host/manifest/spill.h. */
#ifndef KW_HOST_MANIFEST_VERIFY_H
#define KW_HOST_MANIFEST_VERIFY_H

#include <signal.h>

#include "host/manifest/check.h"

#define KW_MANIFEST_JOBS_MAX 256

struct kw_manifest_finding {
    uint32_t entry;
    const char *unique_id; /* text; NULL: it cannot be read */
    kw_status status;      /* KW_NO, or of class KW_CLASS_PARSE */
    const char *words;
    uint32_t first; /* of what is there twice; else 0 */
};

struct kw_manifest_verification {
    const char *path;
    const struct kw_manifest_trust *trust;
    unsigned jobs;
    volatile sig_atomic_t *stop; /* may be NULL */
    void (*found)(void *observer, const struct kw_manifest_finding *finding);
    void *observer;
};

struct kw_manifest_tally {
    uint32_t entries;
    uint32_t wrong;
    uint32_t unreadable;
    uint32_t twice;
};

/* KW_OK whatever was found, an array that is cut off too; KW_PARSE when the
 * file does not begin as one; KW_INTERRUPTED. The tally counts what was
 * seen. */
KW_MUST_USE kw_status
kw_manifest_verify(const struct kw_manifest_verification *verification,
                   struct kw_manifest_tally *tally, struct kw_error *error);

#endif
