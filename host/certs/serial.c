#include <string.h>

#include "host/certs/definition.h"
#include "host/openssl_hash.h"

#define TOP_BYTE 0x40 /* a positive number that begins with no zero */

/* What is hashed or copied. */
enum from { FROM_STORE, FROM_DEVICE, FROM_SIGNER, HASH_OF_KEY, HASH_OF_DEVICE };

/* first = (first & keep) | set */
static const struct source {
    uint8_t id;
    enum from from;
    uint8_t keep;
    uint8_t set;
} SOURCES[] = {
    {0x0, FROM_STORE, 0xFF, 0},     {0x7, FROM_STORE, 0xFF, 0},
    {0x8, FROM_DEVICE, 0xFF, 0},    {0x9, FROM_SIGNER, 0xFF, 0},
    {0xA, HASH_OF_KEY, 0x7F, 0x40}, {0xB, HASH_OF_DEVICE, 0x7F, 0x40},
    {0xC, HASH_OF_KEY, 0x7F, 0},    {0xD, HASH_OF_DEVICE, 0x7F, 0},
    {0xE, HASH_OF_KEY, 0xFF, 0},    {0xF, HASH_OF_DEVICE, 0xFF, 0},
};

static const struct source *find(uint8_t id) {
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        if (SOURCES[i].id == id) {
            return &SOURCES[i];
        }
    }
    return NULL;
}

static kw_status copy(const uint8_t *bytes, size_t bytes_size, size_t size,
                      uint8_t serial[KW_CERT_SERIAL_MAX]) {
    KW_ENSURE(bytes != NULL, KW_USAGE);
    KW_ENSURE(bytes_size == size, KW_PARSE);
    memcpy(serial, bytes, size);
    return KW_OK;
}

static kw_status copy_behind_top(const uint8_t *bytes, size_t bytes_size,
                                 size_t size,
                                 uint8_t serial[KW_CERT_SERIAL_MAX]) {
    KW_ENSURE(bytes != NULL, KW_USAGE);
    KW_ENSURE(bytes_size + 1 == size, KW_PARSE);
    serial[0] = TOP_BYTE;
    memcpy(serial + 1, bytes, bytes_size);
    return KW_OK;
}

static kw_status hash(const uint8_t *bytes, size_t bytes_size,
                      const struct kw_compcert *compcert,
                      uint8_t digest[KW_SHA256_SIZE]) {
    uint8_t dates[KW_COMPCERT_DATES_SIZE];
    uint8_t high = 0;
    const struct kw_span spans[] = {{bytes, bytes_size}, {dates, sizeof dates}};
    KW_ENSURE(bytes != NULL, KW_USAGE);
    KW_TRY(kw_compcert_encode_dates(&compcert->dates, dates, &high));
    return kw_hash_spans(&kw_openssl_hash, spans, 2, digest);
}

_Static_assert(KW_CERT_SERIAL_MAX == KW_SHA256_SIZE, "a whole digest");

static kw_status take(enum from from, const struct kw_cert_inputs *inputs,
                      const struct kw_compcert *compcert, size_t size,
                      uint8_t serial[KW_CERT_SERIAL_MAX]) {
    switch (from) {
    case FROM_DEVICE:
        return copy_behind_top(inputs->device, KW_SERIAL_SIZE, size, serial);
    case FROM_SIGNER:
        return copy_behind_top(compcert->signer_id, sizeof compcert->signer_id,
                               size, serial);
    case HASH_OF_KEY:
        return hash(inputs->public_key, KW_PUBLIC_KEY_SIZE, compcert, serial);
    case HASH_OF_DEVICE:
        return hash(inputs->device, KW_SERIAL_SIZE, compcert, serial);
    default:
        return copy(inputs->serial, inputs->serial_size, size, serial);
    }
}

kw_status kw_cert_serial(const struct kw_cert_inputs *inputs,
                         const struct kw_compcert *compcert, size_t size,
                         uint8_t serial[KW_CERT_SERIAL_MAX]) {
    const struct source *source = find(compcert->serial_source);
    KW_ENSURE(source != NULL && size >= 1 && size <= KW_CERT_SERIAL_MAX,
              KW_PARSE);
    KW_TRY(take(source->from, inputs, compcert, size, serial));
    serial[0] = (serial[0] & source->keep) | source->set;
    return KW_OK;
}
