/* The cover search against all subsets, against glpsol, and at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/primitives/cover.h"

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % limit;
}

/* Each gap has a part at least; density in tenths. */
static void fill(struct kw_cover *cover, uint32_t parts, uint32_t gaps,
                 uint32_t density) {
    *cover = (struct kw_cover){
        .part_count = parts, .gap_count = gaps, .set_limit = 1};
    for (uint32_t p = 0; p < parts; p++) {
        cover->part[p].cost = 1 + random_below(200);
        cover->part[p].preferred = random_below(4) == 0;
        for (uint32_t gap = 0; gap < gaps; gap++) {
            if (random_below(10) < density) {
                cover->part[p].closes[gap / 64] |= (uint64_t)1 << gap % 64;
            }
        }
    }
    for (uint32_t gap = 0; gap < gaps; gap++) {
        cover->part[random_below(parts)].closes[gap / 64] |= (uint64_t)1
                                                             << gap % 64;
    }
}

static bool closes_all(const struct kw_cover *cover, uint64_t parts) {
    uint64_t closed[KW_COVER_WORDS] = {0};
    uint32_t count = 0;
    for (uint32_t p = 0; p < cover->part_count; p++) {
        for (size_t i = 0; (parts >> p & 1U) != 0 && i < KW_COVER_WORDS; i++) {
            closed[i] |= cover->part[p].closes[i];
        }
    }
    for (size_t i = 0; i < KW_COVER_WORDS; i++) {
        count += (uint32_t)__builtin_popcountll(closed[i]);
    }
    return count == cover->gap_count;
}

static uint64_t cost_of(const struct kw_cover *cover, uint64_t parts) {
    uint64_t cost = 0;
    for (uint32_t p = 0; p < cover->part_count; p++) {
        cost += (parts >> p & 1U) != 0 ? cover->part[p].cost : 0;
    }
    return cost;
}

/* --- all subsets --- */

static int by_cost(const void *a, const void *b) {
    const uint64_t one = *(const uint64_t *)a;
    const uint64_t two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

/* Costs of all covers without an idle part, cheapest first. */
static size_t lean_costs(const struct kw_cover *cover, uint64_t *costs,
                         size_t room) {
    size_t count = 0;
    for (uint64_t set = 0; set < (uint64_t)1 << cover->part_count; set++) {
        bool lean = closes_all(cover, set);
        for (uint32_t p = 0; lean && p < cover->part_count; p++) {
            const uint64_t bit = (uint64_t)1 << p;
            lean = (set & bit) == 0 || !closes_all(cover, set & ~bit);
        }
        if (lean && count < room) {
            costs[count++] = cost_of(cover, set);
        }
    }
    qsort(costs, count, sizeof *costs, by_cost);
    return count;
}

static void test_against_all_subsets(void **state) {
    static struct kw_cover cover;
    static struct kw_cover_result result;
    static uint64_t costs[1 << 16];
    (void)state;
    seed = 0x5eed0001;
    for (uint32_t parts = 1; parts <= 16; parts++) {
        for (uint32_t round = 0; round < (parts < 13 ? 20 : 3); round++) {
            fill(&cover, parts, 1 + random_below(30), 1 + random_below(4));
            cover.set_limit = 8;
            kw_cover_solve(&cover, &result);
            const size_t count =
                lean_costs(&cover, costs, sizeof costs / sizeof *costs);
            assert_true(result.exact);
            assert_int_equal(result.set_count, count < 8 ? count : 8);
            for (uint32_t i = 0; i < result.set_count; i++) {
                assert_true(closes_all(&cover, result.set[i].parts));
                assert_int_equal(result.set[i].cost, costs[i]);
                assert_int_equal(cost_of(&cover, result.set[i].parts),
                                 costs[i]);
            }
        }
    }
}

/* --- glpsol --- */

static void write_problem(FILE *out, const struct kw_cover *cover) {
    (void)fputs("Minimize\n cost:", out);
    for (uint32_t p = 0; p < cover->part_count; p++) {
        (void)fprintf(out, " + %u x%u", cover->part[p].cost, p);
    }
    (void)fputs("\nSubject To\n", out);
    for (uint32_t gap = 0; gap < cover->gap_count; gap++) {
        (void)fprintf(out, " g%u:", gap);
        for (uint32_t p = 0; p < cover->part_count; p++) {
            if ((cover->part[p].closes[gap / 64] >> gap % 64 & 1U) != 0) {
                (void)fprintf(out, " + x%u", p);
            }
        }
        (void)fputs(" >= 1\n", out);
    }
    (void)fputs("Binary\n", out);
    for (uint32_t p = 0; p < cover->part_count; p++) {
        (void)fprintf(out, " x%u\n", p);
    }
    (void)fputs("End\n", out);
}

/* The optimum as glpsol finds it; -1 when it does not say. */
static long ask_glpsol(const struct kw_cover *cover) {
    char name[] = "/tmp/keywright-cover-XXXXXX";
    char command[128];
    char line[256];
    long cost = -1;
    const int file = mkstemp(name);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    assert_non_null(out);
    write_problem(out, cover);
    assert_int_equal(fclose(out), 0);
    (void)snprintf(command, sizeof command,
                   "glpsol --lp %s --cuts -o /dev/stdout 2>/dev/null", name);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    while (fgets(line, sizeof line, answer) != NULL) {
        (void)sscanf(line, "Objective: cost = %ld", &cost);
    }
    (void)pclose(answer);
    (void)unlink(name);
    return cost;
}

static void test_against_glpsol(void **state) {
    static struct kw_cover cover;
    static struct kw_cover_result result;
    (void)state;
    if (access("/usr/bin/glpsol", X_OK) != 0) {
        print_message("glpsol (glpk-utils) is not there: not compared\n");
        skip();
    }
    seed = 0x5eed0002;
    for (uint32_t round = 0; round < 9; round++) {
        fill(&cover, 40, 96, 1 + round % 3);
        kw_cover_solve(&cover, &result);
        assert_int_equal(result.set[0].cost, ask_glpsol(&cover));
    }
}

/* --- limits --- */

/* How long it takes is printed, not asserted: bench/ has the figures. */
static void test_40_parts_and_96_gaps(void **state) {
    static struct kw_cover cover;
    static struct kw_cover_result result;
    double worst = 0;
    uint64_t steps = 0;
    (void)state;
    seed = 0x5eed0003;
    for (uint32_t round = 0; round < 90; round++) {
        fill(&cover, 40, 96, 1 + round % 3);
        const clock_t start = clock();
        kw_cover_solve(&cover, &result);
        const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        assert_true(result.exact);
        assert_true(closes_all(&cover, result.set[0].parts));
        worst = seconds > worst ? seconds : worst;
        steps = result.steps > steps ? result.steps : steps;
    }
    print_message("worst of 90: %.4f s, %llu steps\n", worst,
                  (unsigned long long)steps);
}

static void test_names_what_nobody_closes(void **state) {
    struct kw_cover cover = {
        .part_count = 2,
        .gap_count = 70,
        .set_limit = 1,
        .part = {{.closes = {1, 2}, .cost = 5}, {.closes = {1}, .cost = 4}},
    };
    struct kw_cover_result result;
    (void)state;
    kw_cover_solve(&cover, &result);
    assert_int_equal(result.set[0].parts, 1);
    assert_int_equal(result.impossible[0], UINT64_MAX - 1);
    assert_int_equal(result.impossible[1], 0x3D);
}

static void test_ties(void **state) {
    struct kw_cover cover = {
        .part_count = 4,
        .gap_count = 2,
        .set_limit = 4,
        .part = {{.closes = {1}, .cost = 2},
                 {.closes = {2}, .cost = 2},
                 {.closes = {3}, .cost = 4},
                 {.closes = {3}, .cost = 4, .preferred = 1}},
    };
    struct kw_cover_result result;
    (void)state;
    kw_cover_solve(&cover, &result);
    assert_int_equal(result.set_count, 3);
    assert_int_equal(result.set[0].parts, 8); /* preferred */
    assert_int_equal(result.set[1].parts, 4); /* one part */
    assert_int_equal(result.set[2].parts, 3); /* two parts */
}

static void test_nothing_to_close(void **state) {
    static const struct kw_cover cover = {.part_count = 3, .set_limit = 2};
    struct kw_cover_result result;
    (void)state;
    kw_cover_solve(&cover, &result);
    assert_int_equal(result.set_count, 1);
    assert_int_equal(result.set[0].parts, 0);
}

static void test_gives_up_and_says_so(void **state) {
    static struct kw_cover cover;
    static struct kw_cover_result result;
    (void)state;
    seed = 0x5eed0004;
    fill(&cover, 40, 96, 1);
    cover.step_limit = 3;
    kw_cover_solve(&cover, &result);
    assert_false(result.exact);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_all_subsets),
        cmocka_unit_test(test_against_glpsol),
        cmocka_unit_test(test_40_parts_and_96_gaps),
        cmocka_unit_test(test_names_what_nobody_closes),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_nothing_to_close),
        cmocka_unit_test(test_gives_up_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
