#include "host/hex_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

#define FILE_MAX 65536
#define KEY_SIZE 32
#define PEM_LINE "-----BEGIN SYMMETRIC KEY-----"
/* Before the 32 bytes of the key: SEQUENCE, algorithm, BIT STRING. */
#define DER_HEAD 17

static int digit_of(char c) {
    const char *const DIGITS = "0123456789abcdef";
    const char *at =
        c == '\0' ? NULL : strchr(DIGITS, tolower((unsigned char)c));
    return at == NULL ? -1 : (int)(at - DIGITS);
}

/* Skips what may stand between bytes. */
static size_t skip(const char *text, size_t size, size_t at) {
    while (at < size) {
        if (text[at] == '#') {
            while (at < size && text[at] != '\n') {
                at++;
            }
        } else if (text[at] == '0' && at + 1 < size &&
                   (text[at + 1] == 'x' || text[at + 1] == 'X')) {
            at += 2;
        } else if (isspace((unsigned char)text[at]) || text[at] == ',') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

kw_status kw_hex_text_read(const char *text, size_t size, uint8_t *bytes,
                           size_t capacity, size_t *count) {
    *count = 0;
    for (size_t at = skip(text, size, 0); at < size;
         at = skip(text, size, at)) {
        const int high = digit_of(text[at]);
        const int low = at + 1 < size ? digit_of(text[at + 1]) : -1;
        KW_ENSURE(high >= 0 && low >= 0, KW_PARSE);
        KW_ENSURE(*count < capacity, KW_PARSE_SIZE);
        bytes[(*count)++] = (uint8_t)(high * 16 + low);
        at += 2;
    }
    return KW_OK;
}

static kw_status sort_bytes(const uint8_t *data, size_t data_size,
                            uint8_t *bytes, size_t size) {
    size_t count = 0;
    if (data_size == size) {
        memcpy(bytes, data, size);
        return KW_OK;
    }
    KW_TRY(
        kw_hex_text_read((const char *)data, data_size, bytes, size, &count));
    return count == size ? KW_OK : KW_PARSE_SIZE;
}

kw_status kw_bytes_file_read(const char *path, uint8_t *bytes, size_t size,
                             struct kw_error *error) {
    uint8_t *data = NULL;
    size_t data_size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &data_size, error));
    const kw_status status = sort_bytes(data, data_size, bytes, size);
    kw_wipe(data, data_size);
    free(data);
    if (status == KW_OK) {
        return KW_OK;
    }
    kw_wipe(bytes, size);
    return kw_error(error, status,
                    "%s holds neither %zu bytes nor as many in "
                    "hex",
                    path, size);
}

/* --- keys --- */

static int base64_of(char c) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(DIGITS, c);
    return at == NULL ? -1 : (int)(at - DIGITS);
}

/* The bytes between BEGIN and END; answers how many. */
static size_t decode_pem(const char *text, uint8_t *bytes, size_t capacity) {
    uint32_t bits = 0;
    unsigned held = 0;
    size_t count = 0;
    for (; *text != '\0' && *text != '-' && *text != '='; text++) {
        const int value = base64_of(*text);
        if (value < 0) {
            continue;
        }
        bits = (bits << 6) | (uint32_t)value;
        held += 6;
        if (held >= 8 && count < capacity) {
            held -= 8;
            bytes[count++] = (uint8_t)(bits >> held);
        }
    }
    return count;
}

static kw_status read_pem_key(const char *text, uint8_t key[KEY_SIZE]) {
    static const uint8_t HEAD[DER_HEAD] = {0x30, 0x2F, 0x30, 0x09, 0x06, 0x07,
                                           0x2A, 0x86, 0x48, 0xCE, 0x4C, 0x03,
                                           0x01, 0x03, 0x22, 0x00, 0x04};
    uint8_t der[DER_HEAD + KEY_SIZE + 1];
    const size_t size = decode_pem(text + strlen(PEM_LINE), der, sizeof der);
    const bool fine =
        size == DER_HEAD + KEY_SIZE && memcmp(der, HEAD, sizeof HEAD) == 0;
    if (fine) {
        memcpy(key, der + DER_HEAD, KEY_SIZE);
    }
    kw_wipe(der, sizeof der);
    return fine ? KW_OK : KW_PARSE_KEY;
}

kw_status kw_key_file_read(const char *path, uint8_t key[KEY_SIZE],
                           struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, error));
    const bool is_pem =
        strncmp((const char *)data, PEM_LINE, strlen(PEM_LINE)) == 0;
    const kw_status status = is_pem ? read_pem_key((const char *)data, key)
                                    : sort_bytes(data, size, key, KEY_SIZE);
    kw_wipe(data, size);
    free(data);
    if (status == KW_OK) {
        return KW_OK;
    }
    kw_wipe(key, KEY_SIZE);
    return kw_error(error, status,
                    "%s holds no key of 32 bytes: neither the bytes, nor 64 "
                    "hex digits, nor a SYMMETRIC KEY file",
                    path);
}
