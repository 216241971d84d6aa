#include "host/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/base64.h"

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

char *kw_base64url(const uint8_t *bytes, size_t size) {
    char *text = malloc(kw_base64_length(KW_BASE64URL, size) + 1);
    if (text != NULL) {
        text[kw_base64_encode(KW_BASE64URL, bytes, size, text)] = '\0';
    }
    return text;
}

kw_status kw_base64url_read(const char *text, uint8_t *bytes, size_t size) {
    const size_t length = strlen(text);
    size_t read = 0;
    KW_ENSURE(length == kw_base64_length(KW_BASE64URL, size), KW_PARSE_SIZE);
    return kw_base64_decode(KW_BASE64URL, text, length, bytes, size, &read);
}

void kw_time_now(char text[KW_TIME_TEXT]) {
    const time_t now = time(NULL);
    struct tm utc;
    (void)gmtime_r(&now, &utc);
    (void)strftime(text, KW_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
