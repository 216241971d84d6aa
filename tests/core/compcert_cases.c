/* Compressed certificates and DER on the target. Known answers: the chain
 * that the vendor's guide to public key rotation prints. */
#include <string.h>

#include "core/compcert.h"
#include "core/der.h"
#include "core/sha256.h"
#include "tests/core/cases.h"

static const uint8_t DEVICE[KW_COMPCERT_SIZE] = {
    0x03, 0x67, 0xFD, 0x0A, 0xEA, 0xC7, 0x09, 0xB0, 0xAD, 0x1B, 0x2B, 0x71,
    0x8C, 0x90, 0xA5, 0x62, 0x74, 0xA3, 0x80, 0x31, 0x2F, 0x31, 0xA8, 0x78,
    0x26, 0x63, 0x7C, 0x9E, 0x68, 0xD0, 0x50, 0x1B, 0x45, 0x9D, 0xEE, 0xBB,
    0x88, 0x4C, 0xEE, 0x87, 0xA7, 0x6A, 0xC2, 0xB7, 0x50, 0x62, 0xF8, 0x01,
    0xEB, 0xEA, 0x93, 0xC5, 0xF2, 0xF2, 0x7A, 0x2D, 0x64, 0xC2, 0x81, 0x5C,
    0x7D, 0x59, 0xC7, 0xBC, 0xA3, 0x84, 0xDC, 0xFF, 0xFF, 0x20, 0xA0, 0x00,
};

static const uint8_t PUBLIC_KEY[KW_PUBLIC_KEY_SIZE] = {
    0xCF, 0x19, 0x88, 0xBC, 0x3A, 0x6C, 0x25, 0x20, 0x26, 0xFE, 0x70,
    0xFB, 0x34, 0x39, 0x7A, 0xD8, 0x5A, 0x39, 0xAE, 0x81, 0x1C, 0x72,
    0x2B, 0xFA, 0x6E, 0x5E, 0xC1, 0xE9, 0xCD, 0xA9, 0x13, 0x3B, 0x3F,
    0x0E, 0x91, 0xFD, 0x38, 0x77, 0xF2, 0x5B, 0x8C, 0x89, 0x3B, 0x31,
    0x1B, 0xAF, 0x02, 0x03, 0xCB, 0x51, 0x00, 0xC4, 0xCD, 0xAB, 0xEB,
    0xAF, 0xDA, 0xF3, 0xEB, 0xD5, 0x50, 0xB0, 0x01, 0x25,
};

static const uint8_t SERIAL[KW_COMPCERT_SERIAL_SIZE] = {
    0x77, 0x19, 0x29, 0x06, 0xCC, 0x14, 0x4F, 0xE7,
    0xB8, 0x75, 0x28, 0x4B, 0xEA, 0xDA, 0x74, 0xD2,
};

static const char *known_bytes(void) {
    struct kw_compcert compcert;
    uint8_t again[KW_COMPCERT_SIZE];
    KW_CHECK(kw_compcert_decode(DEVICE, &compcert) == KW_OK);
    KW_CHECK(compcert.dates.year == 2020 && compcert.dates.month == 7 &&
             compcert.dates.day == 1 && compcert.dates.hour == 6 &&
             compcert.dates.years == 28);
    KW_CHECK(compcert.template_id == 2 && compcert.chain_id == 0 &&
             compcert.serial_source == KW_COMPCERT_SERIAL_BY_KEY);
    KW_CHECK(kw_compcert_encode(&compcert, again) == KW_OK);
    KW_CHECK(memcmp(again, DEVICE, sizeof again) == 0);
    return NULL;
}

static const char *known_serial(void) {
    uint8_t serial[KW_COMPCERT_SERIAL_SIZE];
    KW_CHECK(kw_compcert_serial(&kw_sha256_hash, PUBLIC_KEY, DEVICE + 64,
                                serial) == KW_OK);
    KW_CHECK(memcmp(serial, SERIAL, sizeof serial) == 0);
    return NULL;
}

static const char *later_formats_are_refused(void) {
    struct kw_compcert compcert;
    uint8_t bytes[KW_COMPCERT_SIZE];
    memcpy(bytes, DEVICE, sizeof bytes);
    bytes[70] = 0xA2;
    KW_CHECK(kw_compcert_decode(bytes, &compcert) == KW_PARSE_MAGIC);
    bytes[70] = 0xA0;
    bytes[71] = 0x40;
    KW_CHECK(kw_compcert_decode(bytes, &compcert) == KW_PARSE_RESERVED);
    return NULL;
}

/* Years after 2031 and more than 31 of them: the high bits in byte 71. */
static const char *format_1(void) {
    struct kw_compcert compcert;
    struct kw_compcert back;
    uint8_t bytes[KW_COMPCERT_SIZE];
    KW_CHECK(kw_compcert_decode(DEVICE, &compcert) == KW_OK);
    compcert.dates.year = 2127;
    compcert.dates.years = 127;
    KW_CHECK(kw_compcert_encode(&compcert, bytes) == KW_OK);
    KW_CHECK(bytes[70] == 0xA1 && bytes[71] == 0xF0);
    KW_CHECK(kw_compcert_decode(bytes, &back) == KW_OK);
    KW_CHECK(back.dates.year == 2127 && back.dates.years == 127);
    compcert.dates.year = 2128;
    KW_CHECK(kw_compcert_encode(&compcert, bytes) == KW_PARSE);
    return NULL;
}

/* Numbers of a signature are as short as they can be, and never negative. */
static const char *leading_zeros(void) {
    static const uint8_t FIRST[4] = {0x00, 0x7F, 0x80, 0xFF};
    for (size_t i = 0; i < sizeof FIRST; i++) {
        uint8_t der[72];
        uint8_t signature[KW_SIGNATURE_SIZE] = {0};
        uint8_t back[KW_SIGNATURE_SIZE];
        struct kw_der_writer writer;
        struct kw_der written;
        signature[0] = FIRST[i];
        signature[1] = 0x01;
        signature[32 + 31] = 0x80;
        kw_der_begin(&writer, der, sizeof der);
        kw_der_put_signature(&writer, signature);
        KW_CHECK(kw_der_finish(&writer, &written) == KW_OK);
        KW_CHECK(written.left == 2u + 2u + 2u + 2u +
                                     (i == 0   ? 31u
                                      : i == 1 ? 32u
                                               : 33u));
        KW_CHECK(kw_der_signature(written, back) == KW_OK);
        KW_CHECK(memcmp(back, signature, sizeof back) == 0);
    }
    return NULL;
}

static const char *signature_there_and_back(void) {
    uint8_t der[72];
    uint8_t signature[KW_SIGNATURE_SIZE];
    struct kw_der_writer writer;
    struct kw_der written;
    kw_der_begin(&writer, der, sizeof der);
    kw_der_put_signature(&writer, DEVICE);
    KW_CHECK(kw_der_finish(&writer, &written) == KW_OK);
    KW_CHECK(kw_der_signature(written, signature) == KW_OK);
    KW_CHECK(memcmp(signature, DEVICE, sizeof signature) == 0);
    written.left--;
    KW_CHECK(kw_der_signature(written, signature) == KW_PARSE);
    return NULL;
}

static const struct kw_case CASES[] = {
    {"known bytes", known_bytes},
    {"known serial number", known_serial},
    {"later formats are refused", later_formats_are_refused},
    {"a signature in DER and back", signature_there_and_back},
    {"leading zeros of a signature", leading_zeros},
    {"format 1", format_1},
};

const struct kw_subject kw_compcert_subject = KW_SUBJECT("compcert", CASES);
