/* The cases of tests/core on the PC; firmware/apps/core_tests runs the same
 * on the target. Included, for each program here is built of one file. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/core/cases.c"
#include "tests/core/config_cases.c"
#include "tests/core/message_cases.c"
#include "tests/core/packet_cases.c"
#include "tests/core/sha_cases.c"

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
