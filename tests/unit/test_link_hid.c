/* The link hid: against recorded reports: this program is its own hidapi.
 * The reports are those of CryptoAuthLib's host and the board's factory
 * program, written from docs/formats.md, "Kit protocol". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>
#include <hidapi/hidapi.h>

#include "host/links.h"

#define REPORT 64

/* --- the recording that is played --- */

struct step {
    char direction;   /* '>' the host writes, '<' it reads */
    const char *text; /* of one report, zeros behind it; NULL: gone */
};

static const struct step *playing;
static unsigned opened;
static unsigned closed;
static char wanted_serial[32];
static bool there;

static void play(const struct step *steps) {
    playing = steps;
    opened = closed = 0;
    wanted_serial[0] = '\0';
    there = true;
}

int hid_init(void) {
    return 0;
}

int hid_exit(void) {
    return 0;
}

hid_device *hid_open(unsigned short vendor, unsigned short product,
                     const wchar_t *serial) {
    static char device;
    assert_int_equal(vendor, 0x03EB);
    assert_int_equal(product, 0x2312);
    if (serial != NULL) {
        (void)wcstombs(wanted_serial, serial, sizeof wanted_serial);
    }
    opened += there ? 1 : 0;
    return there ? (hid_device *)&device : NULL;
}

void hid_close(hid_device *device) {
    assert_non_null(device);
    closed++;
}

int hid_write(hid_device *device, const unsigned char *data, size_t size) {
    unsigned char report[1 + REPORT] = {0};
    assert_non_null(device);
    if (playing->text == NULL) {
        return -1;
    }
    assert_int_equal(playing->direction, '>');
    assert_int_equal(size, sizeof report);
    memcpy(report + 1, playing->text, strlen(playing->text));
    assert_memory_equal(data, report, sizeof report);
    playing++;
    return (int)size;
}

int hid_read_timeout(hid_device *device, unsigned char *data, size_t size,
                     int milliseconds) {
    assert_non_null(device);
    assert_true(milliseconds > 0);
    if (playing->text == NULL) {
        return playing->direction == '<' ? 0 : -1;
    }
    assert_int_equal(playing->direction, '<');
    assert_true(size >= REPORT);
    memset(data, 0, REPORT);
    memcpy(data, playing->text, strlen(playing->text));
    playing++;
    return REPORT;
}

/* --- recordings --- */

#define SCAN                                                                   \
    {'>', "board:device(00)\n"}, {'<', "ECC608B TWI 00(6C)\n"},                \
        {'>', "E:physical:select(6C)\n"}, {                                    \
        '<', "00()\n"                                                          \
    }
#define GONE                                                                   \
    { '!', NULL }
#define SILENT                                                                 \
    { '<', NULL }

static const uint8_t INFO[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};

static struct kw_opened_link open_link(const char *text) {
    struct kw_opened_link link;
    struct kw_error error;
    assert_int_equal(kw_link_open_hid(text, &link, &error), KW_OK);
    return link;
}

static kw_status ask(const struct kw_opened_link *link, const uint8_t *packet,
                     size_t size, uint8_t answer[155], size_t *answer_size) {
    return link->link.ops->transfer(link->link.self, packet, size, answer, 155,
                                    answer_size);
}

static void a_session(void **state) {
    static const struct step STEPS[] = {SCAN,
                                        {'>', "E:w()\n"},
                                        {'<', "00(04113343)\n"},
                                        {'>', "E:t(0730000000035D)\n"},
                                        {'<', "00(070000600383BB)\n"},
                                        {'>', "E:i()\n"},
                                        {'<', "00()\n"},
                                        {'>', "E:s()\n"},
                                        {'<', "00()\n"},
                                        GONE};
    static const uint8_t WANTED[] = {0x07, 0x00, 0x00, 0x60, 0x03, 0x83, 0xBB};
    uint8_t answer[155];
    size_t size = 0;
    (void)state;
    play(STEPS);
    struct kw_opened_link link = open_link("");
    assert_int_equal(link.link.ops->wake(link.link.self), KW_OK);
    assert_int_equal(ask(&link, INFO, sizeof INFO, answer, &size), KW_OK);
    assert_int_equal(size, sizeof WANTED);
    assert_memory_equal(answer, WANTED, sizeof WANTED);
    assert_int_equal(link.link.ops->idle(link.link.self), KW_OK);
    assert_int_equal(link.link.ops->sleep(link.link.self), KW_OK);
    kw_link_close(&link);
    assert_null(playing->text);
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
}

/* 55 bytes are 110 digits and 6 characters around them: two reports. */
static void lines_of_several_reports(void **state) {
    static const struct step STEPS[] = {
        SCAN,
        {'>', "E:t("
              "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D"},
        {'>', "1E1F202122232425262728292A2B2C2D2E2F30313233343536)\n"},
        {'<', "00(23000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C"
              "1"},
        {'<', "D1E1F2021)\n"},
        GONE};
    uint8_t packet[55];
    uint8_t answer[155];
    size_t size = 0;
    (void)state;
    for (size_t i = 0; i < sizeof packet; i++) {
        packet[i] = (uint8_t)i;
    }
    play(STEPS);
    struct kw_opened_link link = open_link("");
    assert_int_equal(ask(&link, packet, sizeof packet, answer, &size), KW_OK);
    assert_int_equal(size, 35);
    assert_int_equal(answer[0], 35);
    for (size_t i = 1; i < size; i++) {
        assert_int_equal(answer[i], i - 1);
    }
    assert_null(playing->text);
    kw_link_close(&link);
}

static void chosen_board_and_chip(void **state) {
    static const struct step STEPS[] = {{'>', "board:device(00)\n"},
                                        {'<', "ECC608B TWI 00(C0)\n"},
                                        {'>', "board:device(01)\n"},
                                        {'<', "ECC608B SWI 00(6C)\n"},
                                        {'>', "board:device(02)\n"},
                                        {'<', "SHA204A TWI 00(6C)\n"},
                                        {'>', "board:device(03)\n"},
                                        {'<', "no_device TWI 00(00)\n"},
                                        {'>', "board:device(04)\n"},
                                        {'<', "ECC608A TWI 00(6C)\n"},
                                        {'>', "E:physical:select(6C)\n"},
                                        {'<', "00()\n"},
                                        GONE};
    (void)state;
    play(STEPS);
    struct kw_opened_link link = open_link("MCHP3311@6C");
    assert_string_equal(wanted_serial, "MCHP3311");
    assert_null(playing->text);
    kw_link_close(&link);
}

static void no_such_chip(void **state) {
    struct step steps[17];
    char lines[8][24];
    struct kw_opened_link link;
    struct kw_error error;
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(lines[i], sizeof lines[i], "board:device(%02X)\n", i);
        steps[2 * i] = (struct step){'>', lines[i]};
        steps[2 * i + 1] = (struct step){'<', "no_device TWI 00(00)\n"};
    }
    steps[16] = (struct step)GONE;
    play(steps);
    assert_int_equal(kw_link_open_hid("", &link, &error), KW_ABSENT);
    assert_non_null(strstr(error.message, "no such chip"));
    assert_int_equal(closed, 1);
}

/* --- a board that goes, or falls silent --- */

static void no_board(void **state) {
    struct kw_opened_link link;
    struct kw_error error;
    (void)state;
    play(NULL);
    there = false;
    assert_int_equal(kw_link_open_hid("", &link, &error), KW_ABSENT);
    assert_non_null(strstr(error.hint, "cable"));
    assert_non_null(strstr(error.hint, "switches"));
    assert_non_null(strstr(error.hint, "factory program"));
    assert_int_equal(closed, 0);
}

static void gone_while_opening(void **state) {
    static const struct step WHOLE[] = {SCAN};
    (void)state;
    for (size_t cut = 0; cut < sizeof WHOLE / sizeof *WHOLE; cut++) {
        for (unsigned silent = 0; silent < 2; silent++) {
            struct step steps[5] = {GONE};
            struct kw_opened_link link;
            struct kw_error error;
            memcpy(steps, WHOLE, cut * sizeof *WHOLE);
            steps[cut] = silent ? (struct step)SILENT : (struct step)GONE;
            play(steps);
            assert_int_equal(
                kw_status_class(kw_link_open_hid("", &link, &error)),
                KW_CLASS_ABSENT);
            assert_non_null(strstr(error.hint, "cable"));
            assert_int_equal(closed, 1);
        }
    }
}

static void gone_while_working(void **state) {
    static const struct step STEPS[] = {
        SCAN, {'>', "E:t(0730000000035D)\n"}, GONE};
    uint8_t answer[155];
    size_t size = 0;
    (void)state;
    play(STEPS);
    struct kw_opened_link link = open_link("");
    assert_int_equal(ask(&link, INFO, sizeof INFO, answer, &size),
                     KW_ABSENT_ANSWER);
    assert_int_equal(kw_status_class(link.link.ops->wake(link.link.self)),
                     KW_CLASS_ABSENT);
    kw_link_close(&link);
}

static void no_answers_of_a_chip(void **state) {
    static const char *const ANSWERS[] = {
        "F4()\n",  "00()\n",         "00(04)\n", "00(0400034)\n",
        "0(00)\n", "00(0400034Z)\n", "\n",       "00[04000340]\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        const struct step steps[] = {
            SCAN, {'>', "E:t(0730000000035D)\n"}, {'<', ANSWERS[i]}, GONE};
        uint8_t answer[155];
        size_t size = 0;
        play(steps);
        struct kw_opened_link link = open_link("");
        assert_int_equal(
            kw_status_class(ask(&link, INFO, sizeof INFO, answer, &size)),
            KW_CLASS_ABSENT);
        kw_link_close(&link);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session),
        cmocka_unit_test(lines_of_several_reports),
        cmocka_unit_test(chosen_board_and_chip),
        cmocka_unit_test(no_such_chip),
        cmocka_unit_test(no_board),
        cmocka_unit_test(gone_while_opening),
        cmocka_unit_test(gone_while_working),
        cmocka_unit_test(no_answers_of_a_chip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
