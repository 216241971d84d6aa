/* The cases of tests/core on the PC; firmware/apps/core_tests runs the same
 * on the target. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/core/cases.h"

static void report(const struct kw_subject *subject,
                   const struct kw_case *which, const char *wrong) {
    printf("%s %s/%s%s%s\n", wrong == NULL ? "ok  " : "FAIL", subject->name,
           which->name, wrong == NULL ? "" : ": ", wrong == NULL ? "" : wrong);
}

int main(void) {
    const struct kw_case_totals totals = kw_cases_run(report);
    printf("%u passed, %u failed\n", totals.passed, totals.failed);
    return totals.passed > 0 && totals.failed == 0 ? EXIT_SUCCESS
                                                   : EXIT_FAILURE;
}
