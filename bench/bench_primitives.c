/* What an evaluation costs: all standards, a cover of 40 parts and 96 gaps.
 * The reference is to read each word of the data set once, measured
 * beside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/primitives/catalogue.h"
#include "host/primitives/cover.h"

enum { ROUNDS = 200, COVERS = 90 };

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void fill_targets(const struct kw_catalogue *catalogue,
                         struct kw_engine_target *targets) {
    for (uint32_t i = 0; i < catalogue->standards.count; i++) {
        const uint32_t levels = catalogue->data.standards[i].level_count;
        targets[i] = (struct kw_engine_target){i, KW_ENGINE_NONE, {0}};
        for (size_t n = 0; n < KW_ENGINE_GROUPS_MAX; n++) {
            targets[i].levels[n] = levels == 0 ? 1 : levels;
        }
    }
}

/* Milliseconds of one evaluation with all standards and three parts. */
static double evaluate(const struct kw_catalogue *catalogue, uint32_t *rows) {
    static uint8_t memory[1 << 20] __attribute__((aligned(8)));
    struct kw_engine_target targets[32];
    struct kw_engine_result result = {.row_count = 0};
    const uint32_t parts[] = {0, 1, 2};
    fill_targets(catalogue, targets);
    const struct kw_engine_project project = {
        .layers = UINT32_MAX,
        .selected = 0x1F,
        .targets = targets,
        .target_count = catalogue->standards.count,
        .parts = {parts, 3},
    };
    const double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        struct kw_engine_arena arena = {memory, sizeof memory, 0};
        (void)kw_engine_evaluate(&catalogue->data, &project, &arena, &result);
    }
    *rows = result.row_count;
    return (now() - start) / ROUNDS;
}

static double read_words(const struct kw_catalogue *catalogue) {
    static volatile uint32_t sink;
    const double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t sum = 0;
        for (uint32_t n = 0; n < catalogue->words.count; n++) {
            sum += catalogue->words.word[n];
        }
        sink = sink + sum;
    }
    return (now() - start) / ROUNDS;
}

static double worst_cover(void) {
    static struct kw_cover cover;
    static struct kw_cover_result result;
    double worst = 0;
    srandom(1);
    for (int round = 0; round < COVERS; round++) {
        cover = (struct kw_cover){
            .part_count = 40, .gap_count = 96, .set_limit = 1};
        for (size_t p = 0; p < 40; p++) {
            cover.part[p].cost = 1 + (uint32_t)(random() % 200);
            for (size_t gap = 0; gap < 96; gap++) {
                if (random() % 10 <= round % 3) {
                    cover.part[p].closes[gap / 64] |= (uint64_t)1 << gap % 64;
                }
            }
        }
        for (size_t gap = 0; gap < 96; gap++) {
            cover.part[random() % 40].closes[gap / 64] |= (uint64_t)1
                                                          << gap % 64;
        }
        const double start = now();
        kw_cover_solve(&cover, &result);
        const double took = now() - start;
        worst = took > worst ? took : worst;
    }
    return worst;
}

int main(void) {
    struct kw_catalogue catalogue;
    struct kw_problems problems;
    struct kw_error error;
    uint32_t rows = 0;
    kw_problems_init(&problems);
    const double start = now();
    if (kw_catalogue_load(&catalogue, true, NULL, 0, &problems, &error) !=
        KW_OK) {
        (void)fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    (void)printf("loading the data           %8.4f ms\n", now() - start);
    const double each = evaluate(&catalogue, &rows);
    (void)printf("evaluation, all standards  %8.4f ms (%u requirements)\n",
                 each, rows);
    (void)printf("  each word read once      %8.4f ms (reference)\n",
                 read_words(&catalogue));
    (void)printf("closure, 40 parts, 96 gaps %8.4f ms (worst of %d)\n",
                 worst_cover(), COVERS);
    kw_catalogue_free(&catalogue);
    kw_problems_free(&problems);
    return 0;
}
