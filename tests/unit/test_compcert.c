/* The compressed certificate: known answers, both formats, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/compcert.h"
#include "host/openssl_hash.h"
#include "host/text.h"

static json_t *known_answers(const char *name) {
    json_t *root =
        json_load_file(KW_TEST_VECTORS "/known_answers.json", 0, NULL);
    json_t *rows = json_incref(json_object_get(root, name));
    json_decref(root);
    assert_true(json_array_size(rows) > 0);
    return rows;
}

static void read_hex(const json_t *row, const char *name, uint8_t *bytes,
                     size_t size) {
    const char *text = json_string_value(json_object_get(row, name));
    assert_non_null(text);
    assert_int_equal(kw_hex_read(text, bytes, size), KW_OK);
}

static struct kw_compcert_dates dates_of(const json_t *row) {
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    unsigned hour = 0;
    const char *text = json_string_value(json_object_get(row, "date"));
    assert_int_equal(sscanf(text, "%u-%u-%uT%uZ", &year, &month, &day, &hour),
                     4);
    return (struct kw_compcert_dates){
        .year = (uint16_t)year,
        .month = (uint8_t)month,
        .day = (uint8_t)day,
        .hour = (uint8_t)hour,
        .years =
            (uint8_t)json_integer_value(json_object_get(row, "expire_years")),
    };
}

static void assert_same_dates(struct kw_compcert_dates left,
                              struct kw_compcert_dates right) {
    assert_int_equal(left.year, right.year);
    assert_int_equal(left.month, right.month);
    assert_int_equal(left.day, right.day);
    assert_int_equal(left.hour, right.hour);
    assert_int_equal(left.years, right.years);
}

static void dates_as_known(void **state) {
    (void)state;
    json_t *rows = known_answers("encoded_dates");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) {
        const struct kw_compcert_dates dates = dates_of(row);
        struct kw_compcert_dates back;
        uint8_t expected[KW_COMPCERT_DATES_SIZE];
        uint8_t encoded[KW_COMPCERT_DATES_SIZE];
        uint8_t high = 0xFF;
        read_hex(row, "encoded", expected, sizeof expected);
        assert_int_equal(kw_compcert_encode_dates(&dates, encoded, &high),
                         KW_OK);
        assert_memory_equal(encoded, expected, sizeof expected);
        assert_int_equal(high, 0);
        assert_int_equal(kw_compcert_decode_dates(encoded, high, &back), KW_OK);
        assert_same_dates(back, dates);
    }
    json_decref(rows);
}

/* Every day of every year that the formats hold, in both directions. */
static void every_day(void **state) {
    (void)state;
    struct kw_compcert_dates dates = {.year = 2000, .month = 1, .day = 1};
    unsigned days = 0;
    for (; dates.year < 2128; days++) {
        uint8_t encoded[KW_COMPCERT_DATES_SIZE];
        uint8_t high = 0;
        struct kw_compcert_dates back;
        dates.hour = (uint8_t)(days % 24);
        dates.years = (uint8_t)(days % 128);
        assert_int_equal(kw_compcert_encode_dates(&dates, encoded, &high),
                         KW_OK);
        assert_int_equal(high == 0, dates.year <= 2031 && dates.years <= 31);
        assert_int_equal(kw_compcert_decode_dates(encoded, high, &back), KW_OK);
        assert_same_dates(back, dates);
        if (++dates.day > kw_days_in_month(dates.year, dates.month)) {
            dates.day = 1;
            dates.year = (uint16_t)(dates.year + dates.month / 12);
            dates.month = (uint8_t)(dates.month % 12 + 1);
        }
    }
    assert_int_equal(days, 46751); /* 128 years, 31 of them leap */
}

static void no_such_dates(void **state) {
    static const struct kw_compcert_dates WRONG[] = {
        {1999, 1, 1, 0, 0},  {2128, 1, 1, 0, 0},   {2026, 0, 1, 0, 0},
        {2026, 13, 1, 0, 0}, {2026, 1, 0, 0, 0},   {2026, 1, 32, 0, 0},
        {2026, 4, 31, 0, 0}, {2026, 2, 29, 0, 0},  {2100, 2, 29, 0, 0},
        {2026, 1, 1, 24, 0}, {2026, 1, 1, 0, 128},
    };
    static const uint8_t NONE[][KW_COMPCERT_DATES_SIZE] = {
        {0x00, 0x00, 0x00}, /* month 0 */
        {0x06, 0x84, 0x00}, /* month 13 */
        {0x01, 0x76, 0x00}, /* 2000-02-29 at 16h, then the 30th below */
    };
    uint8_t encoded[KW_COMPCERT_DATES_SIZE];
    uint8_t high = 0;
    struct kw_compcert_dates dates;
    (void)state;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        assert_int_equal(kw_compcert_encode_dates(&WRONG[i], encoded, &high),
                         KW_PARSE);
    }
    assert_int_equal(kw_compcert_decode_dates(NONE[0], 0, &dates), KW_PARSE);
    assert_int_equal(kw_compcert_decode_dates(NONE[1], 0, &dates), KW_PARSE);
    assert_int_equal(kw_compcert_decode_dates(NONE[2], 0, &dates), KW_OK);
    assert_int_equal(
        kw_compcert_decode_dates((const uint8_t[]){0x01, 0x78, 0}, 0, &dates),
        KW_PARSE);
}

static void the_leap_day_expires(void **state) {
    static const struct {
        struct kw_compcert_dates from;
        uint8_t last_day;
    } ROWS[] = {
        {{2024, 2, 29, 7, 28}, 29}, /* 2052 is a leap year */
        {{2024, 2, 29, 7, 31}, 28},  {{2024, 2, 28, 7, 31}, 28},
        {{2072, 2, 29, 7, 28}, 28}, /* 2100 is none */
        {{2024, 12, 31, 7, 31}, 31},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct kw_compcert_dates to = kw_compcert_expiry(&ROWS[i].from);
        assert_int_equal(to.day, ROWS[i].last_day);
        assert_int_equal(to.year, ROWS[i].from.year + ROWS[i].from.years);
        assert_int_equal(to.month, ROWS[i].from.month);
        assert_int_equal(to.hour, 7);
    }
}

static void serials_as_known(void **state) {
    (void)state;
    json_t *rows = known_answers("certificate_serial_from_public_key");
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) {
        uint8_t key[KW_PUBLIC_KEY_SIZE];
        uint8_t dates[KW_COMPCERT_DATES_SIZE];
        uint8_t expected[KW_COMPCERT_SERIAL_SIZE];
        uint8_t serial[KW_COMPCERT_SERIAL_SIZE];
        read_hex(row, "public_key", key, sizeof key);
        read_hex(row, "encoded_dates", dates, sizeof dates);
        read_hex(row, "serial", expected, sizeof expected);
        assert_int_equal(
            kw_compcert_serial(&kw_openssl_hash, key, dates, serial), KW_OK);
        assert_memory_equal(serial, expected, sizeof expected);
    }
    json_decref(rows);
}

/* The end of a device's 72 bytes as the vendor's manual prints them. */
static void whole_as_in_the_manual(void **state) {
    uint8_t bytes[KW_COMPCERT_SIZE] = {1, 2, 3};
    uint8_t back[KW_COMPCERT_SIZE];
    struct kw_compcert compcert;
    (void)state;
    assert_int_equal(kw_hex_read("a384dcffff20a000", bytes + 64, 8), KW_OK);
    assert_int_equal(kw_compcert_decode(bytes, &compcert), KW_OK);
    assert_int_equal(compcert.dates.year, 2020);
    assert_int_equal(compcert.dates.years, 28);
    assert_int_equal(compcert.signer_id[0], 0xFF);
    assert_int_equal(compcert.template_id, 2);
    assert_int_equal(compcert.chain_id, 0);
    assert_int_equal(compcert.serial_source, KW_COMPCERT_SERIAL_BY_KEY);
    assert_int_equal(kw_compcert_encode(&compcert, back), KW_OK);
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void later_years_are_format_1(void **state) {
    const struct kw_compcert compcert = {
        .dates = {2040, 2, 29, 5, 40}, .template_id = 3, .serial_source = 0xA};
    struct kw_compcert back;
    uint8_t bytes[KW_COMPCERT_SIZE];
    (void)state;
    assert_int_equal(kw_compcert_encode(&compcert, bytes), KW_OK);
    assert_int_equal(bytes[70], 0xA1);
    assert_int_equal(bytes[71], 0x50);
    assert_int_equal(kw_compcert_decode(bytes, &back), KW_OK);
    assert_same_dates(back.dates, compcert.dates);
}

static void what_is_refused(void **state) {
    struct kw_compcert compcert = {.dates = {2026, 11, 20, 10, 28}};
    uint8_t bytes[KW_COMPCERT_SIZE];
    (void)state;
    assert_int_equal(kw_compcert_encode(&compcert, bytes), KW_OK);
    bytes[70] = 0xA2;
    assert_int_equal(kw_compcert_decode(bytes, &compcert), KW_PARSE_MAGIC);
    bytes[70] = 0xA0;
    bytes[71] = 0x40;
    assert_int_equal(kw_compcert_decode(bytes, &compcert), KW_PARSE_RESERVED);
    bytes[70] = 0xA1;
    bytes[71] = 0x41;
    assert_int_equal(kw_compcert_decode(bytes, &compcert), KW_PARSE_RESERVED);
    memset(bytes, 0xFF, sizeof bytes); /* a blank slot */
    assert_int_equal(kw_compcert_decode(bytes, &compcert), KW_PARSE_MAGIC);
    compcert.template_id = 16;
    assert_int_equal(kw_compcert_encode(&compcert, bytes), KW_PARSE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_as_known),
        cmocka_unit_test(every_day),
        cmocka_unit_test(no_such_dates),
        cmocka_unit_test(the_leap_day_expires),
        cmocka_unit_test(serials_as_known),
        cmocka_unit_test(whole_as_in_the_manual),
        cmocka_unit_test(later_years_are_format_1),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
