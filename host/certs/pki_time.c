#include <string.h>

#include "host/certs/pki.h"

const struct kw_moment KW_MOMENT_NEVER = {9999, 12, 31, 23, 59, 59};

struct kw_moment kw_moment_of(time_t time) {
    struct tm utc = {.tm_year = 70, .tm_mday = 1};
    (void)gmtime_r(&time, &utc);
    return (struct kw_moment){
        .year = (uint16_t)(utc.tm_year + 1900),
        .month = (uint8_t)(utc.tm_mon + 1),
        .day = (uint8_t)utc.tm_mday,
        .hour = (uint8_t)utc.tm_hour,
        .minute = (uint8_t)utc.tm_min,
        .second = (uint8_t)utc.tm_sec,
    };
}

static uint64_t order_of(const struct kw_moment *moment) {
    return (uint64_t)moment->year << 40 | (uint64_t)moment->month << 32 |
           (uint64_t)moment->day << 24 | (uint64_t)moment->hour << 16 |
           (uint64_t)moment->minute << 8 | moment->second;
}

int kw_moment_order(const struct kw_moment *left,
                    const struct kw_moment *right) {
    const uint64_t a = order_of(left);
    const uint64_t b = order_of(right);
    return (a > b) - (a < b);
}

static void write_two(char *text, unsigned value) {
    text[0] = (char)('0' + value / 10 % 10);
    text[1] = (char)('0' + value % 10);
}

void kw_moment_text(const struct kw_moment *moment, char text[KW_MOMENT_TEXT]) {
    static const char FORM[KW_MOMENT_TEXT] = "YYYY-MM-DDTHH:MM:SSZ";
    memcpy(text, FORM, sizeof FORM);
    write_two(text, moment->year / 100u);
    write_two(text + 2, moment->year % 100u);
    write_two(text + 5, moment->month);
    write_two(text + 8, moment->day);
    write_two(text + 11, moment->hour);
    write_two(text + 14, moment->minute);
    write_two(text + 17, moment->second);
}

void kw_moment_write(const struct kw_moment *moment, bool generalized,
                     char text[KW_GENERALIZED_TIME_SIZE]) {
    const unsigned parts[] = {moment->year % 100u, moment->month,
                              moment->day,         moment->hour,
                              moment->minute,      moment->second};
    if (generalized) {
        write_two(text, moment->year / 100u);
        text += 2;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        write_two(text + 2 * i, parts[i]);
    }
    text[KW_UTC_TIME_SIZE - 1] = 'Z';
}

static struct kw_moment hour_of(const struct kw_compcert_dates *dates) {
    return (struct kw_moment){.year = dates->year,
                              .month = dates->month,
                              .day = dates->day,
                              .hour = dates->hour};
}

void kw_moments_of_dates(const struct kw_compcert_dates *dates,
                         struct kw_moment *not_before,
                         struct kw_moment *not_after) {
    const struct kw_compcert_dates expiry = kw_compcert_expiry(dates);
    *not_before = hour_of(dates);
    *not_after = dates->years == 0 ? KW_MOMENT_NEVER : hour_of(&expiry);
}
