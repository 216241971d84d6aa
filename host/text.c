#include "host/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void write_hex(const uint8_t *bytes, size_t size, const char *digits,
                      char *text) {
    for (size_t i = 0; i < size; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}

void kw_hex(const uint8_t *bytes, size_t size, char *text) {
    write_hex(bytes, size, "0123456789abcdef", text);
}

void kw_hex_upper(const uint8_t *bytes, size_t size, char *text) {
    write_hex(bytes, size, "0123456789ABCDEF", text);
}

static int hex_digit(char character) {
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    if (character >= 'a' && character <= 'f') {
        return character - 'a' + 10;
    }
    if (character >= 'A' && character <= 'F') {
        return character - 'A' + 10;
    }
    return -1;
}

kw_status kw_hex_read(const char *text, uint8_t *bytes, size_t size) {
    KW_ENSURE(strlen(text) == 2 * size, KW_PARSE_SIZE);
    for (size_t i = 0; i < size; i++) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        KW_ENSURE(high >= 0 && low >= 0, KW_PARSE);
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return KW_OK;
}

static const char BASE64URL[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t base64_size(size_t size) {
    return (size * 4 + 2) / 3;
}

char *kw_base64url(const uint8_t *bytes, size_t size) {
    char *text = malloc(base64_size(size) + 1);
    char *at = text;
    uint32_t bits = 0;
    unsigned held = 0;
    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        bits = (bits << 8) | bytes[i];
        for (held += 8; held >= 6;) {
            held -= 6;
            *at++ = BASE64URL[(bits >> held) & 63];
        }
    }
    if (held > 0) {
        *at++ = BASE64URL[(bits << (6 - held)) & 63];
    }
    *at = '\0';
    return text;
}

kw_status kw_base64url_read(const char *text, uint8_t *bytes, size_t size) {
    uint32_t bits = 0;
    unsigned held = 0;
    KW_ENSURE(strlen(text) == base64_size(size), KW_PARSE_SIZE);
    for (; *text != '\0'; text++) {
        const char *digit = strchr(BASE64URL, *text);
        KW_ENSURE(digit != NULL, KW_PARSE);
        bits = (bits << 6) | (uint32_t)(digit - BASE64URL);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *bytes++ = (uint8_t)(bits >> held);
        }
    }
    const uint32_t spare = bits & ((1u << held) - 1u);
    return spare == 0 ? KW_OK : KW_PARSE;
}

void kw_time_now(char text[KW_TIME_TEXT]) {
    const time_t now = time(NULL);
    struct tm utc;
    (void)gmtime_r(&now, &utc);
    (void)strftime(text, KW_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
