/* core/compcert.h: the 72 bytes that stand for a certificate in a slot.
 *
 * A compressed certificate is what of an X.509 certificate differs from its
 * template: the signature and the dates. Everything else comes from the
 * template, the public key and the chip's serial number.
 *
 * | byte  | content                                                      |
 * |-------|--------------------------------------------------------------|
 * | 0-63  | signature, R then S, big-endian                              |
 * | 64-66 | year-2000 (5 bits), month (4), day (5), hour (5), years (5)  |
 * | 67-68 | signer id                                                    |
 * | 69    | template id (4 bits), chain id (4)                           |
 * | 70    | source of the serial number (4), format version (4)          |
 * | 71    | format 1: bits 6 and 5 of the year (2), of the years (2)     |
 *
 * Source: "ATECC Compressed Certificate Definition" and cryptoauthlib's
 * atcacert_def.c. Format 0 holds the years 2000 to 2031 and up to 31 years;
 * format 1 up to 2127 and 127 years. Format 0 is written where it suffices.
 * Knows core/hash.h and core/message.h. No heap. */
#ifndef KW_CORE_COMPCERT_H
#define KW_CORE_COMPCERT_H

#include "core/hash.h"
#include "core/message.h"

#define KW_COMPCERT_SIZE        72
#define KW_COMPCERT_DATES_SIZE  3
#define KW_COMPCERT_SERIAL_SIZE 16

/* Where a certificate's serial number comes from. */
#define KW_COMPCERT_SERIAL_BY_KEY 0xA /* kw_compcert_serial */

/* When a certificate begins, UTC, to the hour, and how long it lasts. */
struct kw_compcert_dates {
    uint16_t year; /* 2000 to 2127 */
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to the month's last */
    uint8_t hour;  /* 0 to 23 */
    uint8_t years; /* 0 to 127; 0: it never expires */
};

struct kw_compcert {
    uint8_t signature[KW_SIGNATURE_SIZE];
    struct kw_compcert_dates dates;
    uint8_t signer_id[2];
    uint8_t template_id;   /* 0 to 15 */
    uint8_t chain_id;      /* 0 to 15 */
    uint8_t serial_source; /* 0 to 15 */
};

/* The last day of a month; 0 for a month that there is not. */
unsigned kw_days_in_month(unsigned year, unsigned month);

/* The three bytes of the dates, which the serial number is made of too, and
 * byte 71, which is zero in format 0. KW_PARSE: no such date, or one that
 * no format holds. */
KW_MUST_USE kw_status kw_compcert_encode_dates(
    const struct kw_compcert_dates *dates,
    uint8_t encoded[KW_COMPCERT_DATES_SIZE], uint8_t *high);
/* The way back. KW_PARSE: no such date. */
KW_MUST_USE kw_status
kw_compcert_decode_dates(const uint8_t encoded[KW_COMPCERT_DATES_SIZE],
                         uint8_t high, struct kw_compcert_dates *dates);

/* KW_PARSE: a field does not fit. */
KW_MUST_USE kw_status kw_compcert_encode(const struct kw_compcert *compcert,
                                         uint8_t bytes[KW_COMPCERT_SIZE]);
/* KW_PARSE_MAGIC: of a later format. KW_PARSE: no such date.
 * KW_PARSE_RESERVED: format 0 with bits in byte 71. */
KW_MUST_USE kw_status kw_compcert_decode(const uint8_t bytes[KW_COMPCERT_SIZE],
                                         struct kw_compcert *compcert);

/* When such a certificate ends: the same hour, day and month `years` later;
 * 29 February becomes the 28th where there is none. The answer's `years` is
 * 0. Not for dates whose own `years` is 0. */
struct kw_compcert_dates
kw_compcert_expiry(const struct kw_compcert_dates *dates);

/* The certificate's serial number: SHA-256 over X, Y and the encoded dates,
 * cut to 16 bytes, of which the highest two bits are 01 (a positive number
 * that never begins with a zero byte). */
KW_MUST_USE kw_status kw_compcert_serial(
    const struct kw_hash *hash, const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
    const uint8_t encoded[KW_COMPCERT_DATES_SIZE],
    uint8_t serial[KW_COMPCERT_SERIAL_SIZE]);

#endif
