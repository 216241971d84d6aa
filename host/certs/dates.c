#include "host/certs/dates.h"

/* --- the begin --- */

static struct kw_moment hour_of(const struct kw_moment *moment) {
    struct kw_moment hour = *moment;
    hour.minute = 0;
    hour.second = 0;
    return hour;
}

static void next_day(struct kw_moment *moment) {
    moment->hour = 0;
    moment->day++;
    if (moment->day > kw_days_in_month(moment->year, moment->month)) {
        moment->day = 1;
        moment->month++;
    }
    if (moment->month > 12) {
        moment->month = 1;
        moment->year++;
    }
}

static struct kw_moment next_hour(const struct kw_moment *moment) {
    struct kw_moment hour = hour_of(moment);
    hour.hour++;
    if (hour.hour > 23) {
        next_day(&hour);
    }
    return hour;
}

static bool is_leap_day(const struct kw_moment *moment) {
    return moment->month == 2 && moment->day == 29;
}

/* The present hour; on a leap day the last hour of the day before. */
static struct kw_moment earliest(const struct kw_moment *now) {
    struct kw_moment begin = hour_of(now);
    if (is_leap_day(&begin)) {
        begin.day = 28;
        begin.hour = 23;
    }
    return begin;
}

/* The first full hour at which the issuer is valid; after a leap day. */
static struct kw_moment first_of(const struct kw_pki_view *issuer) {
    const struct kw_moment hour = hour_of(&issuer->not_before);
    struct kw_moment begin = kw_moment_order(&hour, &issuer->not_before) == 0
                                 ? hour
                                 : next_hour(&issuer->not_before);
    if (is_leap_day(&begin)) {
        next_day(&begin);
    }
    return begin;
}

static kw_status plan_begin(const struct kw_moment *now,
                            const struct kw_pki_view *issuer,
                            struct kw_moment *begin, bool *later,
                            struct kw_error *error) {
    const struct kw_moment soon = next_hour(now);
    *begin = earliest(now);
    *later = false;
    if (issuer == NULL || kw_moment_order(begin, &issuer->not_before) >= 0) {
        return KW_OK;
    }
    if (kw_moment_order(&soon, &issuer->not_before) < 0) {
        kw_error(error, KW_NO, "the issuer's certificate is not valid yet");
        return kw_error_hint(error, "check this computer's clock, or take "
                                    "another issuer");
    }
    *begin = first_of(issuer);
    *later = kw_moment_order(begin, now) > 0;
    return KW_OK;
}

/* --- the end --- */

static bool fits(const struct kw_compcert_dates *dates,
                 const struct kw_moment *last) {
    struct kw_moment begin;
    struct kw_moment end;
    kw_moments_of_dates(dates, &begin, &end);
    return kw_moment_order(&end, last) <= 0;
}

/* Whole years less until it fits, one at least. */
static kw_status plan_end(const struct kw_pki_view *issuer, unsigned years,
                          struct kw_cert_plan *plan, struct kw_error *error) {
    struct kw_compcert_dates *dates = &plan->dates;
    dates->years = (uint8_t)years;
    if (issuer == NULL || fits(dates, &issuer->not_after)) {
        return KW_OK;
    }
    plan->shortened = true;
    for (unsigned left = years == 0 ? KW_CERT_YEARS_MAX : years; left > 0;
         left--) {
        dates->years = (uint8_t)left;
        if (fits(dates, &issuer->not_after)) {
            return KW_OK;
        }
    }
    kw_error(error, KW_NO,
             "the issuer's certificate has expired, or has less than a year "
             "left");
    return kw_error_hint(error, "--renew makes a new one");
}

kw_status kw_cert_plan(const struct kw_moment *now,
                       const struct kw_pki_view *issuer, unsigned years,
                       struct kw_cert_plan *plan, struct kw_error *error) {
    struct kw_cert_plan made = {.later = false};
    struct kw_moment begin;
    uint8_t encoded[KW_COMPCERT_DATES_SIZE];
    uint8_t high = 0;
    KW_TRY(plan_begin(now, issuer, &begin, &made.later, error));
    made.dates = (struct kw_compcert_dates){.year = begin.year,
                                            .month = begin.month,
                                            .day = begin.day,
                                            .hour = begin.hour};
    if (years > KW_CERT_YEARS_MAX ||
        kw_compcert_encode_dates(&made.dates, encoded, &high) != KW_OK) {
        return kw_error(error, KW_NO,
                        "a compressed certificate begins in the years 2000 to "
                        "2127 and lasts up to 127 years");
    }
    KW_TRY(plan_end(issuer, years, &made, error));
    *plan = made;
    return KW_OK;
}
