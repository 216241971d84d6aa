/* host/no_core.h: a time in which a process that dies leaves no core file,
 * whose memory may hold secrets. Knows nobody. */
#ifndef KW_HOST_NO_CORE_H
#define KW_HOST_NO_CORE_H

#include <sys/resource.h>

/* What was allowed before. */
struct kw_no_core {
    struct rlimit limit;
    int dumpable;
};

void kw_no_core_begin(struct kw_no_core *before);
void kw_no_core_end(const struct kw_no_core *before);

#endif
