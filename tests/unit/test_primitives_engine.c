/* The engine over the shipped words: properties, and words that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/primitives/catalogue.h"

static struct kw_catalogue catalogue;
static struct kw_problems problems;
static uint64_t seed = 0x5eed0005;

static uint64_t random_word(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t random_set(void) {
    const uint64_t sparse = random_word();
    return sparse & random_word() &
           (((uint64_t)1 << catalogue.primitives.count) - 1);
}

static int load(void **state) {
    struct kw_error error;
    (void)state;
    kw_problems_init(&problems);
    return kw_catalogue_load(&catalogue, true, NULL, 0, &problems, &error) !=
           KW_OK;
}

static int unload(void **state) {
    (void)state;
    kw_catalogue_free(&catalogue);
    kw_problems_free(&problems);
    return 0;
}

static uint64_t close_over(uint64_t set, uint32_t model) {
    struct kw_engine_closure closure;
    kw_engine_closure(&catalogue.data, set, model, &closure);
    return closure.applicable;
}

static void test_closure_is_idempotent_and_monotone(void **state) {
    (void)state;
    for (int i = 0; i < 2000; i++) {
        const uint32_t model = (uint32_t)i % 2;
        const uint64_t one = random_set();
        const uint64_t two = one | random_set();
        const uint64_t closed = close_over(one, model);
        assert_int_equal(closed & one, one);
        assert_int_equal(close_over(closed, model), closed);
        assert_int_equal(close_over(two, model) & closed, closed);
    }
}

static void test_each_path_is_one_of_edges(void **state) {
    struct kw_engine_closure closure;
    (void)state;
    for (uint32_t from = 0; from < catalogue.primitives.count; from++) {
        kw_engine_closure(&catalogue.data, (uint64_t)1 << from, 0, &closure);
        for (uint32_t i = 0; i < catalogue.primitives.count; i++) {
            bool edge = closure.parent[i] == KW_ENGINE_NONE;
            for (uint32_t e = 0; e < catalogue.edges.count; e++) {
                edge =
                    edge || (catalogue.data.edges[e].to == i &&
                             catalogue.data.edges[e].from == closure.parent[i]);
            }
            assert_true(edge);
        }
    }
}

/* --- adding parts --- */

struct gaps {
    struct kw_engine_gap at[KW_ENGINE_GAPS_MAX];
    uint32_t count;
};

static void gaps_with(struct kw_engine_arena *arena,
                      const struct kw_engine_want *wants, uint32_t want_count,
                      const uint32_t *parts, uint32_t count,
                      struct gaps *found) {
    struct kw_engine_result result;
    const struct kw_engine_gap *gaps = NULL;
    const struct kw_engine_project project = {
        .layers = UINT32_MAX,
        .selected = UINT64_MAX >> (64 - catalogue.primitives.count),
        .wants = wants,
        .want_count = want_count,
        .parts = {parts, count},
    };
    arena->used = 0;
    assert_int_equal(
        kw_engine_evaluate(&catalogue.data, &project, arena, &result),
        KW_ENGINE_OK);
    assert_int_equal(kw_engine_gaps(&catalogue.data, &project, &result, arena,
                                    &gaps, &found->count),
                     KW_ENGINE_OK);
    memcpy(found->at, gaps, found->count * sizeof *gaps);
}

static bool has_gap(const struct gaps *gaps, const struct kw_engine_gap *gap) {
    for (uint32_t i = 0; i < gaps->count; i++) {
        if (gaps->at[i].kind == gap->kind && gaps->at[i].index == gap->index) {
            return true;
        }
    }
    return false;
}

static void test_a_part_never_opens_a_gap(void **state) {
    static uint8_t memory[1 << 20] __attribute__((aligned(8)));
    struct kw_engine_arena arena = {memory, sizeof memory, 0};
    struct kw_engine_want wants[12];
    static struct gaps before;
    static struct gaps gaps;
    uint32_t parts[6];
    uint32_t closed = 0;
    (void)state;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < 12; i++) {
            wants[i].primitive =
                (uint32_t)(random_word() % catalogue.primitives.count);
            wants[i].algorithm =
                (uint32_t)(random_word() % catalogue.algorithms.count);
        }
        for (uint32_t count = 1; count <= 6; count++) {
            parts[count - 1] =
                (uint32_t)(random_word() % catalogue.parts.count);
            gaps_with(&arena, wants, 12, parts, count, &gaps);
            for (uint32_t i = 0; count > 1 && i < gaps.count; i++) {
                assert_true(has_gap(&before, &gaps.at[i]));
            }
            closed += count > 1 ? before.count - gaps.count : 0;
            before = gaps;
        }
    }
    assert_true(closed > 300); /* parts are not without effect */
}

/* --- wrong words --- */

static void evaluate_something(const struct kw_engine_data *data) {
    static uint8_t memory[1 << 20] __attribute__((aligned(8)));
    struct kw_engine_arena arena = {memory, sizeof memory, 0};
    struct kw_engine_result result;
    const struct kw_engine_target target = {
        0, KW_ENGINE_NONE, {1, 1, 1, 1, 1, 1, 1}};
    const uint32_t part = 0;
    const struct kw_engine_want want = {0, 0};
    const struct kw_engine_project project = {
        .layers = UINT32_MAX,
        .selected = 1,
        .wants = &want,
        .want_count = 1,
        .targets = &target,
        .target_count = 1,
        .parts = {&part, 1},
    };
    (void)kw_engine_evaluate(data, &project, &arena, &result);
}

/* No word may lead out of the data set; under sanitizers this test sees
 * it. */
static void test_any_word_may_be_wrong(void **state) {
    static const uint32_t WRONG[] = {0, 31, 64, 0x7FFFFFFF, UINT32_MAX};
    struct kw_engine_data data;
    uint32_t *words = malloc(catalogue.words.count * sizeof *words);
    uint32_t refused = 0;
    (void)state;
    assert_non_null(words);
    for (uint32_t i = 0; i < catalogue.words.count; i++) {
        memcpy(words, catalogue.words.word,
               catalogue.words.count * sizeof *words);
        words[i] = WRONG[i % (sizeof WRONG / sizeof *WRONG)];
        if (kw_engine_load(&data, words, catalogue.words.count) ==
            KW_ENGINE_OK) {
            evaluate_something(&data);
        } else {
            refused++;
        }
    }
    assert_true(refused > catalogue.words.count / 20);
    free(words);
}

static void test_words_that_are_cut_off(void **state) {
    struct kw_engine_data data;
    (void)state;
    for (uint32_t i = 0; i < catalogue.words.count; i += 13) {
        assert_int_not_equal(kw_engine_load(&data, catalogue.words.word, i),
                             KW_ENGINE_OK);
    }
}

static void test_project_words(void **state) {
    struct kw_engine_project project;
    uint32_t words[KW_ENGINE_PROJECT_WORDS + 1] = {KW_ENGINE_VERSION};
    (void)state;
    words[KW_ENGINE_PROJECT_LAYERS] = 7;
    words[KW_ENGINE_PROJECT_SELECTED] = 3;
    words[KW_ENGINE_PROJECT_PART_COUNT] = 1;
    words[KW_ENGINE_PROJECT_WORDS] = 2;
    assert_int_equal(kw_engine_project_read(&catalogue.data, words,
                                            KW_ENGINE_PROJECT_WORDS + 1,
                                            &project),
                     KW_ENGINE_OK);
    assert_int_equal(project.selected, 3);
    assert_int_equal(project.parts.count, 1);
    assert_int_equal(project.parts.at[0], 2);
    words[KW_ENGINE_PROJECT_WORDS] = catalogue.parts.count;
    assert_int_equal(kw_engine_project_read(&catalogue.data, words,
                                            KW_ENGINE_PROJECT_WORDS + 1,
                                            &project),
                     KW_ENGINE_PROJECT);
    words[KW_ENGINE_PROJECT_WANT_COUNT] = UINT32_MAX;
    assert_int_equal(kw_engine_project_read(&catalogue.data, words,
                                            KW_ENGINE_PROJECT_WORDS + 1,
                                            &project),
                     KW_ENGINE_PROJECT);
}

static void test_a_small_arena(void **state) {
    static uint8_t memory[1 << 16] __attribute__((aligned(8)));
    struct kw_engine_result result;
    const uint32_t part = 0;
    const struct kw_engine_project project = {
        .layers = UINT32_MAX, .selected = 1, .parts = {&part, 1}};
    (void)state;
    bool enough = false;
    for (size_t size = 0; size < sizeof memory && !enough; size += 64) {
        struct kw_engine_arena arena = {memory, size, 0};
        const enum kw_engine_status status =
            kw_engine_evaluate(&catalogue.data, &project, &arena, &result);
        enough = status == KW_ENGINE_OK;
        assert_true(enough || status == KW_ENGINE_ARENA);
    }
    assert_true(enough);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closure_is_idempotent_and_monotone),
        cmocka_unit_test(test_each_path_is_one_of_edges),
        cmocka_unit_test(test_a_part_never_opens_a_gap),
        cmocka_unit_test(test_any_word_may_be_wrong),
        cmocka_unit_test(test_words_that_are_cut_off),
        cmocka_unit_test(test_project_words),
        cmocka_unit_test(test_a_small_arena),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
