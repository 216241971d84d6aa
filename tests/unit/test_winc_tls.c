/* One buffer suffices: written in the order that kw_winc_tls_first names,
 * the two sectors of a TLS store come out as if there had been a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/winc_tls.h"

#define FILES_MAX 7u

static uint8_t flash[KW_WINC_TLS_SIZE];
static uint8_t wanted[KW_WINC_TLS_SIZE];
static uint8_t grown[2600];

static void make_files(const uint32_t *sizes, uint32_t count) {
    static const uint8_t MAGIC[] = {0xAB, 0xFE, 0x18, 0x5B,
                                    0x70, 0xC3, 0x46, 0x92};
    uint32_t at = KW_WINC_TLS_ADDRESS + KW_WINC_TLS_HEADER_196;
    memset(flash, 0xFF, sizeof flash);
    memcpy(flash, MAGIC, sizeof MAGIC);
    kw_store_le32(flash + 8, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *row = flash + 16 + i * 56;
        memset(row, 0, 48);
        memcpy(row, "CERT_0", 6);
        row[6] = (uint8_t)('1' + i);
        kw_store_le32(row + 48, sizes[i]);
        kw_store_le32(row + 52, at);
        for (uint32_t j = 0; j < sizes[i]; j++) {
            flash[at - KW_WINC_TLS_ADDRESS + j] = (uint8_t)(j * 7 + i);
        }
        at += (sizes[i] + 3) & ~3u;
    }
    kw_store_le32(flash + 12, at);
}

/* Three files: the border of the sectors runs through the second. */
static void make_store(void) {
    static const uint32_t SIZES[] = {1500, 3000, 700};
    make_files(SIZES, 3);
}

static void render_both(const struct kw_winc_tls *tls, uint8_t *to) {
    uint8_t sector[KW_WINC_TLS_SECTOR];
    const unsigned first = kw_winc_tls_first(tls);
    for (unsigned i = 0; i < 2; i++) {
        const unsigned which = i == 0 ? first : 1 - first;
        assert_int_equal(kw_winc_tls_render(tls, which, sector), KW_OK);
        memcpy(to + which * KW_WINC_TLS_SECTOR, sector, sizeof sector);
    }
}

/* The plan reads from the bytes that it overwrites. */
static void in_place(struct kw_winc_tls *tls, unsigned first) {
    assert_int_equal(kw_winc_tls_lay_out(tls), KW_OK);
    assert_int_equal(kw_winc_tls_first(tls), first);
    render_both(tls, wanted);
    render_both(tls, flash);
    assert_memory_equal(flash, wanted, sizeof flash);
}

static const struct kw_source OLD = {.memory = flash, .size = sizeof flash};

static void content_moves_up(void **state) {
    const struct kw_source source = {.memory = grown, .size = sizeof grown};
    struct kw_winc_tls tls;
    (void)state;
    make_store();
    assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                     KW_OK);
    tls.file[0].part = KW_WINC_PART_BYTES;
    tls.file[0].source = &source;
    tls.file[0].size = source.size;
    in_place(&tls, 1);
}

static void content_moves_down(void **state) {
    struct kw_winc_tls tls;
    (void)state;
    make_store();
    assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                     KW_OK);
    assert_int_equal(kw_winc_tls_remove(&tls, "CERT_01"), KW_OK);
    in_place(&tls, 0);
    assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                     KW_OK);
    assert_int_equal(tls.count, 2);
    assert_string_equal(tls.file[0].name, "CERT_02");
}

/* The second file moves up within the first sector while the fourth moves
 * down over the border: what crosses it decides. */
static void content_moves_both_ways(void **state) {
    static const uint32_t SIZES[] = {300, 300, 1000, 3000, 700};
    const struct kw_source source = {.memory = grown, .size = 600};
    struct kw_winc_tls tls;
    (void)state;
    make_files(SIZES, 5);
    assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                     KW_OK);
    tls.file[0].part = KW_WINC_PART_BYTES;
    tls.file[0].source = &source;
    tls.file[0].size = source.size;
    assert_int_equal(kw_winc_tls_remove(&tls, "CERT_03"), KW_OK);
    in_place(&tls, 0);
}

static uint32_t draw(uint32_t *seed, uint32_t below) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* Any files get another size, or go. */
static bool change_at_random(uint32_t *seed, struct kw_winc_tls *tls,
                             struct kw_source *sources) {
    for (uint32_t i = tls->count; i-- > 0;) {
        const uint32_t what = draw(seed, 4);
        if (what == 0) {
            assert_int_equal(kw_winc_tls_remove(tls, tls->file[i].name), KW_OK);
        } else if (what == 1) {
            sources[i] = (struct kw_source){.memory = grown};
            sources[i].size = 1 + draw(seed, sizeof grown);
            tls->file[i].part = KW_WINC_PART_BYTES;
            tls->file[i].source = &sources[i];
            tls->file[i].size = sources[i].size;
        }
    }
    return kw_winc_tls_lay_out(tls) == KW_OK;
}

static void any_plan_works_in_place(void **state) {
    uint32_t seed = 5;
    unsigned plans = 0;
    unsigned up = 0;
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        struct kw_source sources[FILES_MAX];
        uint32_t sizes[FILES_MAX];
        struct kw_winc_tls tls;
        const uint32_t count = 1 + draw(&seed, FILES_MAX);
        for (uint32_t j = 0; j < count; j++) {
            sizes[j] = 1 + draw(&seed, 7000 / count);
        }
        make_files(sizes, count);
        assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                         KW_OK);
        if (change_at_random(&seed, &tls, sources)) {
            const unsigned first = kw_winc_tls_first(&tls);
            plans++;
            up += first;
            in_place(&tls, first);
        }
    }
    assert_true(plans > 2000 && up > 200 && up < plans - 200);
}

static void too_much(void **state) {
    const struct kw_source source = {.memory = grown, .size = 4200};
    struct kw_winc_tls tls;
    (void)state;
    make_store();
    assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                     KW_OK);
    tls.file[0].part = KW_WINC_PART_BYTES;
    tls.file[0].source = &source;
    tls.file[0].size = source.size;
    assert_int_equal(kw_winc_tls_lay_out(&tls), KW_NO_WINC_TLS_FULL);
}

static void foreign_tables(void **state) {
    static const struct {
        size_t at;
        uint8_t value;
    } ROWS[] = {
        {0, 0},              /* the magic */
        {8, 9},              /* nine files */
        {16, 0},             /* no name */
        {16 + 48 + 1, 0xFF}, /* a size beyond the store */
        {16 + 52 + 1, 0x4F}, /* before the store */
        {72 + 52, 0},        /* overlaps the first */
    };
    struct kw_winc_tls tls;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        make_store();
        flash[ROWS[i].at] = ROWS[i].value;
        assert_int_equal(kw_winc_tls_read(&OLD, KW_WINC_TLS_HEADER_196, &tls),
                         KW_NO_WINC_STORE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_moves_up),
        cmocka_unit_test(content_moves_down),
        cmocka_unit_test(content_moves_both_ways),
        cmocka_unit_test(any_plan_works_in_place),
        cmocka_unit_test(too_much),
        cmocka_unit_test(foreign_tables),
    };
    memset(grown, 0x5A, sizeof grown);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
