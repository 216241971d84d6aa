#include "core/compcert.h"

#include <string.h>

#define FIRST_YEAR 2000

/* Offsets in the 72 bytes. */
enum {
    AT_SIGNATURE = 0,
    AT_DATES = 64,
    AT_SIGNER_ID = 67,
    AT_TEMPLATE = 69, /* and the chain in the low nibble */
    AT_SOURCE = 70,   /* and the format in the low nibble */
    AT_HIGH = 71,
};

static bool is_leap(unsigned year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned kw_days_in_month(unsigned year, unsigned month) {
    static const uint8_t DAYS[] = {0,  31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    if (month >= sizeof DAYS) {
        return 0;
    }
    return month == 2 && is_leap(year) ? 29 : DAYS[month];
}

static bool is_date(const struct kw_compcert_dates *dates) {
    return dates->year >= FIRST_YEAR && dates->year < FIRST_YEAR + 128 &&
           dates->day >= 1 &&
           dates->day <= kw_days_in_month(dates->year, dates->month) &&
           dates->hour < 24 && dates->years < 128;
}

kw_status kw_compcert_encode_dates(const struct kw_compcert_dates *dates,
                                   uint8_t encoded[KW_COMPCERT_DATES_SIZE],
                                   uint8_t *high) {
    KW_ENSURE(is_date(dates), KW_PARSE);
    const uint32_t year = dates->year - (uint32_t)FIRST_YEAR;
    const uint32_t bits = (year & 31) << 19 | (uint32_t)dates->month << 15 |
                          (uint32_t)dates->day << 10 |
                          (uint32_t)dates->hour << 5 | (dates->years & 31u);
    encoded[0] = (uint8_t)(bits >> 16);
    encoded[1] = (uint8_t)(bits >> 8);
    encoded[2] = (uint8_t)bits;
    *high = (uint8_t)((year >> 5) << 6 | (uint32_t)(dates->years >> 5u) << 4);
    return KW_OK;
}

kw_status
kw_compcert_decode_dates(const uint8_t encoded[KW_COMPCERT_DATES_SIZE],
                         uint8_t high, struct kw_compcert_dates *dates) {
    const uint32_t bits =
        (uint32_t)encoded[0] << 16 | (uint32_t)encoded[1] << 8 | encoded[2];
    const struct kw_compcert_dates decoded = {
        .year = (uint16_t)((uint32_t)FIRST_YEAR +
                           (bits >> 19 | (uint32_t)(high >> 6u) << 5)),
        .month = (bits >> 15) & 15,
        .day = (bits >> 10) & 31,
        .hour = (bits >> 5) & 31,
        .years = (uint8_t)((bits & 31) | ((uint32_t)(high >> 4u) & 3u) << 5),
    };
    KW_ENSURE(is_date(&decoded), KW_PARSE);
    *dates = decoded;
    return KW_OK;
}

kw_status kw_compcert_encode(const struct kw_compcert *compcert,
                             uint8_t bytes[KW_COMPCERT_SIZE]) {
    uint8_t dates[KW_COMPCERT_DATES_SIZE];
    uint8_t high = 0;
    KW_ENSURE(compcert->template_id < 16 && compcert->chain_id < 16 &&
                  compcert->serial_source < 16,
              KW_PARSE);
    KW_TRY(kw_compcert_encode_dates(&compcert->dates, dates, &high));
    const uint8_t format = high == 0 ? 0 : 1;
    memcpy(bytes + AT_SIGNATURE, compcert->signature, KW_SIGNATURE_SIZE);
    memcpy(bytes + AT_DATES, dates, sizeof dates);
    memcpy(bytes + AT_SIGNER_ID, compcert->signer_id, 2);
    bytes[AT_TEMPLATE] =
        (uint8_t)(compcert->template_id << 4 | compcert->chain_id);
    bytes[AT_SOURCE] = (uint8_t)(compcert->serial_source << 4 | format);
    bytes[AT_HIGH] = high;
    return KW_OK;
}

kw_status kw_compcert_decode(const uint8_t bytes[KW_COMPCERT_SIZE],
                             struct kw_compcert *compcert) {
    const unsigned format = bytes[AT_SOURCE] & 15;
    struct kw_compcert_dates dates;
    KW_ENSURE(format <= 1, KW_PARSE_MAGIC);
    KW_ENSURE((bytes[AT_HIGH] & (format == 0 ? 0xFF : 0x0F)) == 0,
              KW_PARSE_RESERVED);
    KW_TRY(kw_compcert_decode_dates(bytes + AT_DATES, bytes[AT_HIGH], &dates));
    *compcert = (struct kw_compcert){
        .dates = dates,
        .signer_id = {bytes[AT_SIGNER_ID], bytes[AT_SIGNER_ID + 1]},
        .template_id = bytes[AT_TEMPLATE] >> 4,
        .chain_id = bytes[AT_TEMPLATE] & 15,
        .serial_source = bytes[AT_SOURCE] >> 4,
    };
    memcpy(compcert->signature, bytes + AT_SIGNATURE, KW_SIGNATURE_SIZE);
    return KW_OK;
}

struct kw_compcert_dates
kw_compcert_expiry(const struct kw_compcert_dates *dates) {
    struct kw_compcert_dates expiry = *dates;
    expiry.year = (uint16_t)(dates->year + dates->years);
    expiry.years = 0;
    const unsigned last = kw_days_in_month(expiry.year, expiry.month);
    if (expiry.day > last) {
        expiry.day = (uint8_t)last;
    }
    return expiry;
}

kw_status kw_compcert_serial(const struct kw_hash *hash,
                             const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                             const uint8_t encoded[KW_COMPCERT_DATES_SIZE],
                             uint8_t serial[KW_COMPCERT_SERIAL_SIZE]) {
    uint8_t digest[KW_SHA256_SIZE];
    const struct kw_span spans[] = {
        {public_key, KW_PUBLIC_KEY_SIZE},
        {encoded, KW_COMPCERT_DATES_SIZE},
    };
    KW_TRY(kw_hash_spans(hash, spans, 2, digest));
    memcpy(serial, digest, KW_COMPCERT_SERIAL_SIZE);
    serial[0] = (serial[0] & 0x7F) | 0x40;
    return KW_OK;
}
