#include "tests/core/cases.h"

#define SUBJECT(name) &kw_##name##_subject,
static const struct kw_subject *const SUBJECTS[] = {KW_SUBJECTS(SUBJECT)};
#undef SUBJECT

uint8_t kw_case_sector[4096];

struct kw_case_totals kw_cases_run(kw_case_report *report) {
    struct kw_case_totals totals = {0, 0};
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof *SUBJECTS; i++) {
        const struct kw_subject *const subject = SUBJECTS[i];
        for (size_t j = 0; j < subject->count; j++) {
            const char *const wrong = subject->cases[j].run();
            totals.passed += wrong == NULL;
            totals.failed += wrong != NULL;
            report(subject, &subject->cases[j], wrong);
        }
    }
    return totals;
}
