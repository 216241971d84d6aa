/* What the player of labs makes of steps and attacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/lab.h"

struct seen {
    unsigned steps;
    unsigned attacks;
    char refused[64];
};

static void on_begin(void *self, const struct kw_lab_part *part,
                     bool is_attack) {
    struct seen *seen = self;
    (void)part;
    seen->steps += is_attack ? 0 : 1;
    seen->attacks += is_attack ? 1 : 0;
}

static void on_line(void *self, const char *line) {
    (void)self;
    (void)line;
}

static void on_value(void *self, const char *name, const uint8_t *bytes,
                     size_t size) {
    (void)self;
    (void)name;
    (void)bytes;
    (void)size;
}

static void on_refused(void *self, const char *words) {
    struct seen *seen = self;
    strncpy(seen->refused, words, sizeof seen->refused - 1);
}

static kw_status good(struct kw_lab_bench *bench) {
    assert_non_null(bench->state);
    return KW_OK;
}

static kw_status bad(struct kw_lab_bench *bench) {
    return kw_error(bench->error, KW_NO_SIGNATURE, "not by the key");
}

static kw_status gone(struct kw_lab_bench *bench) {
    return kw_error(bench->error, KW_ABSENT, "no chip there");
}

static const struct kw_lab_part GOOD[] = {{"one", "t", "w", good},
                                          {"two", "t", "w", good}};
static const struct kw_lab_part BAD[] = {{"one", "t", "w", bad},
                                         {"two", "t", "w", good}};
static const struct kw_lab_part REFUSED[] = {{"fake", "t", "w", bad},
                                             {"replay", "t", "w", bad}};
static const struct kw_lab_part ACCEPTED[] = {{"fake", "t", "w", bad},
                                              {"replay", "t", "w", good}};
static const struct kw_lab_part BROKEN[] = {{"fake", "t", "w", gone},
                                            {"replay", "t", "w", bad}};

struct row {
    const struct kw_lab_part *steps;
    const struct kw_lab_part *attacks;
    const char *attack;
    kw_status status;
    unsigned steps_seen;
    unsigned attacks_seen;
    const char *words; /* of the error */
};

static void a_row(const struct row *row) {
    struct seen seen = {0};
    struct kw_error error = {.status = KW_OK};
    const struct kw_lab_watcher watcher = {on_begin, on_line, on_value,
                                           on_refused, &seen};
    struct kw_lab_bench bench = {.watcher = &watcher, .error = &error};
    const struct kw_lab lab = {"t", row->steps, 2, row->attacks, 2, 16};
    assert_int_equal(kw_lab_play(&lab, row->attack, &bench), row->status);
    assert_int_equal(seen.steps, row->steps_seen);
    assert_int_equal(seen.attacks, row->attacks_seen);
    assert_null(bench.state);
    if (row->words != NULL) {
        assert_non_null(strstr(error.message, row->words));
    }
    if (row->status == KW_OK && row->attacks_seen > 0) {
        assert_string_equal(seen.refused, "not by the key");
    }
}

static void steps_and_attacks(void **state) {
    static const struct row ROWS[] = {
        {GOOD, REFUSED, NULL, KW_OK, 2, 2, NULL},
        {GOOD, REFUSED, "replay", KW_OK, 2, 1, NULL},
        {GOOD, ACCEPTED, KW_LAB_NO_ATTACK, KW_OK, 2, 0, NULL},
        {GOOD, ACCEPTED, NULL, KW_NO, 2, 2, "'replay' was not refused"},
        {GOOD, ACCEPTED, "fake", KW_OK, 2, 1, NULL},
        {GOOD, BROKEN, NULL, KW_ABSENT, 2, 1, "no chip there"},
        {BAD, REFUSED, NULL, KW_NO_SIGNATURE, 1, 0, "not by the key"},
        {GOOD, REFUSED, "other", KW_USAGE, 0, 0, "no attack 'other'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        a_row(&ROWS[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_and_attacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
