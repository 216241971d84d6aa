#include "host/key_files.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

#define ROW 16 /* bytes a row of a C array */

#define SYMMETRIC_MAX 64
#define DER_HEAD_SIZE 17
#define PEM_COLUMNS   64

/* --- C headers --- */

static void print_array(FILE *out, const struct kw_c_array *array) {
    (void)fprintf(out, "uint8_t %s[", array->name);
    if (array->sized) {
        (void)fprintf(out, "%zu", array->size);
    }
    (void)fputs("] = {\n", out);
    for (size_t i = 0; i < array->size; i++) {
        const bool row_ends = i % ROW == ROW - 1 || i == array->size - 1;
        (void)fprintf(out, "0x%02X, %s", array->data[i], row_ends ? "\n" : "");
    }
    (void)fputs("};", out);
}

static kw_status print_arrays(const struct kw_c_array *arrays, size_t count,
                              char **text, size_t *size) {
    FILE *out = open_memstream(text, size);
    KW_ENSURE(out != NULL, KW_SYSTEM_MEMORY);
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "" : "\n\n", out);
        print_array(out, &arrays[i]);
    }
    const bool failed = ferror(out) != 0;
    return fclose(out) == 0 && !failed ? KW_OK : KW_SYSTEM_MEMORY;
}

kw_status kw_c_header_create(const char *path, const struct kw_c_array *arrays,
                             size_t count, struct kw_error *error) {
    char *text = NULL;
    size_t size = 0;
    kw_status status = print_arrays(arrays, count, &text, &size);
    status = status == KW_OK
                 ? kw_file_create(path, KW_SECRET_MODE, text, size, error)
                 : kw_error_core(error, status, path);
    if (text != NULL) {
        kw_wipe(text, size);
    }
    free(text);
    return status;
}

/* --- symmetric keys ----------------------------------------------------------
 */

/* Looks like a public key with an OID that belongs to no symmetric key: so
 * the vendor's tools write it, and so they read it (key at offset 17). */
static size_t encode_der(const uint8_t *key, size_t size,
                         uint8_t der[DER_HEAD_SIZE + SYMMETRIC_MAX]) {
    static const uint8_t object[] = {0x30, 0x09, 0x06, 0x07, 0x2A, 0x86,
                                     0x48, 0xCE, 0x4C, 0x03, 0x01};
    der[0] = 0x30;
    der[1] = (uint8_t)(DER_HEAD_SIZE - 2 + size);
    memcpy(der + 2, object, sizeof object);
    der[13] = 0x03;
    der[14] = (uint8_t)(size + 2);
    der[15] = 0x00;
    der[16] = 0x04;
    memcpy(der + DER_HEAD_SIZE, key, size);
    return DER_HEAD_SIZE + size;
}

/* Base64 in rows of 64 columns, without a newline after the END line. */
static size_t write_pem(const uint8_t *der, size_t size, char *text,
                        size_t capacity) {
    unsigned char base64[4 * (DER_HEAD_SIZE + SYMMETRIC_MAX + 2) / 3 + 1];
    const int length = EVP_EncodeBlock(base64, der, (int)size);
    int at = snprintf(text, capacity, "-----BEGIN SYMMETRIC KEY-----\n");
    for (int from = 0; from < length; from += PEM_COLUMNS) {
        at += snprintf(text + at, capacity - (size_t)at, "%.*s\n", PEM_COLUMNS,
                       base64 + from);
    }
    at += snprintf(text + at, capacity - (size_t)at,
                   "-----END SYMMETRIC KEY-----");
    kw_wipe(base64, sizeof base64);
    return (size_t)at;
}

kw_status kw_symmetric_key_create(const char *path, const uint8_t *key,
                                  size_t size, struct kw_error *error) {
    uint8_t der[DER_HEAD_SIZE + SYMMETRIC_MAX];
    char text[256];
    if (size == 0 || size > SYMMETRIC_MAX) {
        return kw_error(error, KW_PARSE_SIZE, "%s: a key of %zu bytes", path,
                        size);
    }
    const size_t der_size = encode_der(key, size, der);
    const size_t text_size = write_pem(der, der_size, text, sizeof text);
    const kw_status status =
        kw_file_create(path, KW_SECRET_MODE, text, text_size, error);
    kw_wipe(der, sizeof der);
    kw_wipe(text, sizeof text);
    return status;
}
