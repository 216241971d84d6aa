#include "host/no_core.h"

#include <sys/prctl.h>

void kw_no_core_begin(struct kw_no_core *before) {
    before->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    (void)getrlimit(RLIMIT_CORE, &before->limit);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, before->limit.rlim_max});
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void kw_no_core_end(const struct kw_no_core *before) {
    (void)setrlimit(RLIMIT_CORE, &before->limit);
    (void)prctl(PR_SET_DUMPABLE, (unsigned long)before->dumpable, 0, 0, 0);
}
