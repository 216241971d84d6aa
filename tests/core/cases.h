/* tests/core/cases.h: tests of core that run on the PC and on the target.
 *
 * The same sources are built into tests/unit/test_core_cases and into
 * firmware/apps/core_tests. They know core alone, keep their known answers
 * in constant arrays (flash) and need no C library beyond memcpy, memset
 * and memcmp.
 *
 * A subject is one file, NAME_cases.c, and one row of KW_SUBJECTS. */
#ifndef KW_TESTS_CORE_CASES_H
#define KW_TESTS_CORE_CASES_H

#include <stddef.h>
#include <stdint.h>

/* NULL when the case passed, else the line and the check that did not
 * hold. */
typedef const char *kw_case_run(void);

struct kw_case {
    const char *name;
    kw_case_run *run;
};

struct kw_subject {
    const char *name;
    const struct kw_case *cases;
    size_t count;
};

#define KW_SUBJECT(name_, cases_)                                              \
    {                                                                          \
        .name = (name_), .cases = (cases_),                                    \
        .count = sizeof(cases_) / sizeof *(cases_)                             \
    }

#define KW_TEXT_(x) #x
#define KW_TEXT(x)  KW_TEXT_(x)

/* Leaves the case unless the condition holds. */
#define KW_CHECK(condition)                                                    \
    do {                                                                       \
        if (!(condition)) {                                                    \
            return "line " KW_TEXT(__LINE__) ": " #condition;                  \
        }                                                                      \
    } while (0)

/* One row a subject, in the order in which they run; kw_NAME_subject is
 * defined in NAME_cases.c. */
#define KW_SUBJECTS(X)                                                         \
    X(packet)                                                                  \
    X(config)                                                                  \
    X(sha)                                                                     \
    X(chip_hash)                                                               \
    X(message)                                                                 \
    X(compcert)                                                                \
    X(rotate)                                                                  \
    X(winc)                                                                    \
    X(winc_update)

#define KW_DECLARE_SUBJECT(name)                                               \
    extern const struct kw_subject kw_##name##_subject;
KW_SUBJECTS(KW_DECLARE_SUBJECT)
#undef KW_DECLARE_SUBJECT

/* Told of each case; wrong is NULL when it passed. */
typedef void kw_case_report(const struct kw_subject *subject,
                            const struct kw_case *which, const char *wrong);

struct kw_case_totals {
    unsigned passed;
    unsigned failed;
};

/* One sector of the Wi-Fi module's flash, lent to a case while it runs: the
 * target has 16 KiB of RAM. */
extern uint8_t kw_case_sector[4096];

struct kw_case_totals kw_cases_run(kw_case_report *report);

#endif
