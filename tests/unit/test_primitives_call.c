/* The engine's door for other languages: what it answers is what the engine
 * says, and wrong words or too little room are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/primitives/catalogue.h"
#include "host/primitives/cover.h"
#include "host/primitives/engine_call.h"

enum { MEMORY = 1 << 20, ROOM = 1 << 16, SELECTED = 4 };

static struct kw_catalogue catalogue;
static struct kw_problems problems;
static uint8_t memory[MEMORY] __attribute__((aligned(8)));
static uint32_t answer[ROOM];
/* One primitive, one part. */
static uint32_t project[KW_ENGINE_PROJECT_WORDS + 1] = {
    [KW_ENGINE_PROJECT_VERSION] = KW_ENGINE_VERSION,
    [KW_ENGINE_PROJECT_LAYERS] = UINT32_MAX,
    [KW_ENGINE_PROJECT_SELECTED] = 1U << SELECTED,
    [KW_ENGINE_PROJECT_PART_COUNT] = 1,
    [KW_ENGINE_PROJECT_WORDS] = 2,
};
static uint32_t wish[KW_ENGINE_WISH_WORDS + 1] = {
    [KW_ENGINE_WISH_SETS] = 3,
    [KW_ENGINE_WISH_FORBIDDEN_COUNT] = 1,
    [KW_ENGINE_WISH_WORDS] = 0,
};

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

static struct kw_engine_call call_of(void) {
    return (struct kw_engine_call){
        .data = catalogue.words.word,
        .data_count = catalogue.words.count,
        .project = project,
        .project_count = KW_ENGINE_PROJECT_WORDS + 1,
        .wish = wish,
        .wish_count = KW_ENGINE_WISH_WORDS + 1,
        .memory = memory,
        .memory_size = MEMORY,
        .answer = answer,
        .answer_room = ROOM,
    };
}

static const uint32_t *section(enum kw_engine_answer_section section) {
    return answer + answer[1 + 2 * section];
}

static uint32_t records(enum kw_engine_answer_section section) {
    return answer[2 + 2 * section];
}

static void test_the_closure_is_the_engines(void **state) {
    struct kw_engine_closure closure;
    const struct kw_engine_call call = call_of();
    (void)state;
    assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_OK);
    kw_engine_closure(&catalogue.data, 1U << SELECTED, 0, &closure);
    const uint32_t *at = section(KW_ENGINE_ANSWER_PRIMITIVES);
    const uint32_t count = records(KW_ENGINE_ANSWER_PRIMITIVES);
    assert_int_equal(count, __builtin_popcountll(closure.applicable));
    for (uint32_t i = 0; i < count; i++, at += 3) {
        assert_true((closure.applicable >> at[0] & 1U) != 0);
        assert_int_equal(at[1], closure.parent[at[0]]);
        assert_int_equal(at[2], at[0] == SELECTED);
    }
    assert_int_equal(records(KW_ENGINE_ANSWER_FITS), count);
    assert_int_equal(section(KW_ENGINE_ANSWER_SUMMARY)[0],
                     KW_ENGINE_ORIGIN_USE_CASE);
}

static void test_who_chooses_is_said(void **state) {
    const struct kw_engine_call call = call_of();
    (void)state;
    project[KW_ENGINE_PROJECT_SELECTED] = 0;
    assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_OK);
    assert_int_equal(section(KW_ENGINE_ANSWER_SUMMARY)[0],
                     KW_ENGINE_ORIGIN_ALL);
    assert_int_equal(records(KW_ENGINE_ANSWER_PRIMITIVES),
                     catalogue.primitives.count);
    project[KW_ENGINE_PROJECT_SELECTED] = 1U << SELECTED;
}

static void test_a_primitive_that_applies_is_not_excluded(void **state) {
    const struct kw_engine_call call = call_of();
    (void)state;
    assert_int_equal(kw_engine_call_exclude(&call, SELECTED), KW_ENGINE_OK);
    assert_int_equal(answer[1], 1);
    assert_int_equal(kw_engine_call_exclude(&call, 0), KW_ENGINE_OK);
    assert_int_equal(answer[1], 0);
    assert_true(answer[0] > 2);
    assert_int_equal(kw_engine_call_exclude(&call, catalogue.primitives.count),
                     KW_ENGINE_PROJECT);
}

static void test_wrong_words_are_refused(void **state) {
    struct kw_engine_call call = call_of();
    (void)state;
    assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_OK);
    assert_int_equal(answer[1], 1);
    wish[KW_ENGINE_WISH_WORDS] = catalogue.parts.count;
    assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_PROJECT);
    wish[KW_ENGINE_WISH_WORDS] = 0;
    wish[KW_ENGINE_WISH_SETS] = KW_COVER_SETS_MAX + 1;
    assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_PROJECT);
    wish[KW_ENGINE_WISH_SETS] = 3;
    wish[KW_ENGINE_WISH_PRICE_COUNT] = UINT32_MAX;
    assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_PROJECT);
    wish[KW_ENGINE_WISH_PRICE_COUNT] = 0;
    call.project_count--;
    assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_PROJECT);
    call = call_of();
    call.data_count--;
    assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_DATA);
}

/* Every size of memory and room: refused, or the same answer. */
static void test_little_room(void **state) {
    struct kw_engine_call call = call_of();
    (void)state;
    assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_OK);
    const uint32_t needed = answer[0];
    for (call.answer_room = 0; call.answer_room < needed; call.answer_room++) {
        assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_ARENA);
    }
    assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_OK);
    assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_OK);
    call.answer_room = 2;
    assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_ARENA);
    call = call_of();
    for (call.memory_size = 0; call.memory_size < 4096; call.memory_size += 8) {
        assert_int_equal(kw_engine_call_evaluate(&call), KW_ENGINE_ARENA);
        assert_int_equal(kw_engine_call_close(&call), KW_ENGINE_ARENA);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_closure_is_the_engines),
        cmocka_unit_test(test_who_chooses_is_said),
        cmocka_unit_test(test_a_primitive_that_applies_is_not_excluded),
        cmocka_unit_test(test_wrong_words_are_refused),
        cmocka_unit_test(test_little_room),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
