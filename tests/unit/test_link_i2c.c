/* The link i2c: against recorded transfers, in a time that only its own
 * pauses move. The transfers are those of CryptoAuthLib's i2c-dev host,
 * written from docs/formats.md, "I2C transfers". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/i2c.h"
#include "host/link_address.h"
#include "host/text.h"

/* --- the recording that is played --- */

struct step {
    const char *kind; /* "w", "r"; "w-", "r-": not acknowledged; NULL: the
                         rest is not acknowledged either */
    uint8_t address;  /* 7-bit form */
    const char *hex;
};

struct player {
    const struct step *at;
    uint64_t microseconds;
    unsigned transfers;
    bool closed;
};

static size_t bytes_of(const struct step *step, uint8_t bytes[64]) {
    const size_t size = strlen(step->hex) / 2;
    assert_int_equal(kw_hex_read(step->hex, bytes, size), KW_OK);
    return size;
}

/* NULL: the recording is at its end, nobody answers any more. */
static const struct step *next_step(struct player *player, char kind,
                                    uint8_t address) {
    player->transfers++;
    if (player->at->kind == NULL) {
        return NULL;
    }
    const struct step *step = player->at++;
    assert_int_equal(step->kind[0], kind);
    assert_int_equal(step->address, address);
    return step;
}

static bool play_write(void *self, uint8_t address, const uint8_t *bytes,
                       size_t size) {
    const struct step *step = next_step(self, 'w', address);
    uint8_t wanted[64];
    if (step == NULL) {
        return false;
    }
    assert_int_equal(bytes_of(step, wanted), size);
    assert_memory_equal(bytes, wanted, size);
    return step->kind[1] == '\0';
}

static bool play_read(void *self, uint8_t address, uint8_t *bytes,
                      size_t size) {
    const struct step *step = next_step(self, 'r', address);
    uint8_t played[64];
    if (step == NULL || step->kind[1] != '\0') {
        return false;
    }
    assert_int_equal(bytes_of(step, played), size);
    memcpy(bytes, played, size);
    return true;
}

static void pass(void *self, unsigned microseconds) {
    ((struct player *)self)->microseconds += microseconds;
}

static int64_t now(void *self) {
    return (int64_t)(((struct player *)self)->microseconds / 1000);
}

static void close_player(void *self) {
    ((struct player *)self)->closed = true;
}

/* A player, the link on it, and what came of both. */
struct bench {
    struct player player;
    struct kw_opened_link link;
    struct kw_error error;
    uint8_t answer[155];
    size_t size;
};

static kw_status open_link(struct bench *bench, const struct step *steps) {
    const struct kw_i2c_bus bus = {play_write, play_read,    pass,
                                   now,        close_player, &bench->player};
    *bench = (struct bench){.player = {.at = steps}};
    return kw_i2c_open(&bus, 0x6C, "/dev/i2c-1", &bench->link, &bench->error);
}

#define WAKE                                                                   \
    {"w-", 0x00, "00"}, {"w", 0x36, "00"}, {                                   \
        "r", 0x36, "04113343"                                                  \
    }
#define END                                                                    \
    { NULL, 0, NULL }

static const uint8_t INFO[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};

static kw_status ask(struct bench *bench) {
    const struct kw_link *link = &bench->link.link;
    return link->ops->transfer(link->self, INFO, sizeof INFO, bench->answer,
                               sizeof bench->answer, &bench->size);
}

/* --- recordings --- */

static void a_session(void **state) {
    static const struct step STEPS[] = {WAKE,
                                        {"w", 0x36, "030730000000035d"},
                                        {"w", 0x36, "00"},
                                        {"r", 0x36, "07"},
                                        {"r", 0x36, "0000600383bb"},
                                        {"w", 0x36, "02"},
                                        WAKE,
                                        {"w", 0x36, "01"},
                                        END};
    static const uint8_t WANTED[] = {0x07, 0x00, 0x00, 0x60, 0x03, 0x83, 0xBB};
    struct bench bench;
    (void)state;
    assert_int_equal(open_link(&bench, STEPS), KW_OK);
    assert_in_range(bench.player.microseconds, 1500, 5000);
    assert_int_equal(ask(&bench), KW_OK);
    assert_int_equal(bench.size, sizeof WANTED);
    assert_memory_equal(bench.answer, WANTED, bench.size);
    assert_int_equal(bench.link.link.ops->idle(bench.link.link.self), KW_OK);
    assert_int_equal(bench.link.link.ops->wake(bench.link.link.self), KW_OK);
    assert_int_equal(bench.link.link.ops->sleep(bench.link.link.self), KW_OK);
    assert_null(bench.player.at->kind);
    kw_link_close(&bench.link);
    assert_true(bench.player.closed);
}

/* A chip that was awake has its last answer in the buffer. */
static void awake_already(void **state) {
    static const struct step STEPS[] = {
        {"w-", 0x00, "00"}, {"w", 0x36, "00"}, {"r", 0x36, "07000060"}, END};
    struct bench bench;
    (void)state;
    assert_int_equal(open_link(&bench, STEPS), KW_OK);
    kw_link_close(&bench.link);
}

static void wakes_at_the_third_try(void **state) {
    static const struct step STEPS[] = {{"w-", 0x00, "00"},
                                        {"w-", 0x36, "00"},
                                        {"w-", 0x00, "00"},
                                        {"w", 0x36, "00"},
                                        {"r", 0x36, "ffffffff"},
                                        WAKE,
                                        END};
    struct bench bench;
    (void)state;
    assert_int_equal(open_link(&bench, STEPS), KW_OK);
    kw_link_close(&bench.link);
}

static void polls_a_busy_chip(void **state) {
    static const struct step STEPS[] = {WAKE,
                                        {"w", 0x36, "030730000000035d"},
                                        {"w-", 0x36, "00"},
                                        {"w-", 0x36, "00"},
                                        {"w", 0x36, "00"},
                                        {"r-", 0x36, ""},
                                        {"w", 0x36, "00"},
                                        {"r", 0x36, "04"},
                                        {"r", 0x36, "0f2342"},
                                        END};
    struct bench bench;
    (void)state;
    assert_int_equal(open_link(&bench, STEPS), KW_OK);
    const uint64_t before = bench.player.microseconds;
    assert_int_equal(ask(&bench), KW_OK);
    assert_int_equal(bench.size, 4);
    assert_true(bench.player.microseconds - before >= 3 * 2000);
    kw_link_close(&bench.link);
}

/* --- a chip that is not there, or goes --- */

static void nobody(void **state) {
    static const struct step STEPS[] = {END};
    struct bench bench;
    (void)state;
    assert_int_equal(open_link(&bench, STEPS), KW_ABSENT);
    assert_non_null(strstr(bench.error.message, "i2c:/dev/i2c-1@6C"));
    assert_non_null(strstr(bench.error.message, "0x36/7"));
    assert_non_null(strstr(bench.error.hint, "wiring"));
    assert_non_null(strstr(bench.error.hint, "switches"));
    assert_true(bench.player.closed);
    assert_in_range(bench.player.microseconds, 20 * 1500, 1000000);
}

static void gone_at_any_transfer(void **state) {
    static const struct step WHOLE[] = {WAKE,
                                        {"w", 0x36, "030730000000035d"},
                                        {"w", 0x36, "00"},
                                        {"r", 0x36, "07"},
                                        {"r", 0x36, "0000600383bb"}};
    (void)state;
    for (size_t cut = 3; cut < sizeof WHOLE / sizeof *WHOLE; cut++) {
        struct step steps[8] = {END};
        struct bench bench;
        memcpy(steps, WHOLE, cut * sizeof *WHOLE);
        steps[cut] = (struct step)END;
        assert_int_equal(open_link(&bench, steps), KW_OK);
        assert_int_equal(ask(&bench), KW_ABSENT_ANSWER);
        /* A deadline, not a hang. */
        assert_true(bench.player.microseconds < 4000000);
        kw_link_close(&bench.link);
    }
}

static void garbled_counts(void **state) {
    static const char *const COUNTS[] = {"00", "03", "ff", "9c"};
    (void)state;
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        const struct step steps[] = {WAKE,
                                     {"w", 0x36, "030730000000035d"},
                                     {"w", 0x36, "00"},
                                     {"r", 0x36, COUNTS[i]},
                                     {"w", 0x36, "00"},
                                     {"r", 0x36, COUNTS[i]},
                                     {"w", 0x36, "00"},
                                     {"r", 0x36, COUNTS[i]},
                                     END};
        struct bench bench;
        assert_int_equal(open_link(&bench, steps), KW_OK);
        assert_int_equal(ask(&bench), KW_ABSENT_CRC);
        kw_link_close(&bench.link);
    }
}

/* The chip keeps its answer, and only the wire damaged it: the packet is not
 * sent a second time. */
static void damaged_once(void **state) {
    static const char *const DAMAGED[][2] = {{"07", "0000601383bb"},
                                             {"05", "00006003"}};
    (void)state;
    for (size_t i = 0; i < sizeof DAMAGED / sizeof *DAMAGED; i++) {
        const struct step steps[] = {WAKE,
                                     {"w", 0x36, "030730000000035d"},
                                     {"w", 0x36, "00"},
                                     {"r", 0x36, DAMAGED[i][0]},
                                     {"r", 0x36, DAMAGED[i][1]},
                                     {"w", 0x36, "00"},
                                     {"r", 0x36, "07"},
                                     {"r", 0x36, "0000600383bb"},
                                     END};
        struct bench bench;
        assert_int_equal(open_link(&bench, steps), KW_OK);
        assert_int_equal(ask(&bench), KW_OK);
        assert_int_equal(bench.size, 7);
        assert_null(bench.player.at->kind);
        kw_link_close(&bench.link);
    }
}

/* --- addresses --- */

static void both_forms(void **state) {
    struct kw_link_place place;
    struct kw_error error;
    (void)state;
    assert_int_equal(kw_link_place_read("/dev/i2c-1@6C", &place, &error),
                     KW_OK);
    assert_string_equal(place.device, "/dev/i2c-1");
    assert_int_equal(place.address, 0x6C);
    assert_int_equal(kw_link_place_read("x@y@0x36/7", &place, &error), KW_OK);
    assert_string_equal(place.device, "x@y");
    assert_int_equal(place.address, 0x6C);
    assert_int_equal(kw_link_place_read("x", &place, &error), KW_OK);
    assert_int_equal(place.address, 0);
}

static void no_addresses(void **state) {
    static const char *const TEXTS[] = {
        "x@",       "x@6",      "x@6D",     "x@0C",   "x@F0", "x@6C0",
        "x@0x36",   "x@0x6C",   "x@0x36/8", "x@36/7", "x@zz", "x@0x7/7",
        "x@0xF6/7", "x@0x07/7", "x@ 6C",    "x@6C ",
    };
    struct kw_link_place place;
    struct kw_error error;
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        assert_int_equal(kw_link_place_read(TEXTS[i], &place, &error),
                         KW_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session),
        cmocka_unit_test(awake_already),
        cmocka_unit_test(wakes_at_the_third_try),
        cmocka_unit_test(polls_a_busy_chip),
        cmocka_unit_test(nobody),
        cmocka_unit_test(gone_at_any_transfer),
        cmocka_unit_test(garbled_counts),
        cmocka_unit_test(damaged_once),
        cmocka_unit_test(both_forms),
        cmocka_unit_test(no_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
