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

/* Digits may be a secret's, and a manifest's are many: no branch depends on
 * one, and the compiler may take many at once. */
static uint8_t is_no_digit(uint8_t character) {
    const uint8_t digit = (uint8_t)(character - '0');
    const uint8_t letter = (uint8_t)((character | 0x20) - 'a');
    return (digit > 9) & (letter > 5);
}

/* Of a digit: letters have a bit above the low six. */
static uint8_t digit_value(uint8_t character) {
    return (uint8_t)((character & 15) + 9 * (character >> 6));
}

kw_status kw_hex_read(const char *text, uint8_t *bytes, size_t size) {
    const uint8_t *digits = (const uint8_t *)text;
    uint8_t wrong = 0;
    KW_ENSURE(strlen(text) == 2 * size, KW_PARSE_SIZE);
    for (size_t i = 0; i < 2 * size; i++) {
        wrong |= is_no_digit(digits[i]);
    }
    KW_ENSURE(wrong == 0, KW_PARSE);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(digit_value(digits[2 * i]) << 4 |
                             digit_value(digits[2 * i + 1]));
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
