#include "core/message.h"

#include <string.h>

#define SPAN(data, size) ((struct kw_span){(data), (size)})
#define COUNT_OF(array)  (sizeof(array) / sizeof(*(array)))

#define SERIAL_8    8 /* index of SN[8], the MAN-ID */
#define OPCODE_SIGN 0x41

static const uint8_t ZEROS[25];

kw_status kw_message_nonce(const struct kw_hash *hash, const uint8_t source[32],
                           const uint8_t num_in[KW_NUM_IN_SIZE],
                           struct kw_message_head head,
                           uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {
        SPAN(source, 32),
        SPAN(num_in, KW_NUM_IN_SIZE),
        SPAN(head.bytes, 3),
    };
    return kw_hash_spans(hash, spans, COUNT_OF(spans), digest);
}

kw_status kw_message_gendig(const struct kw_hash *hash, const uint8_t input[32],
                            struct kw_message_head head,
                            const uint8_t serial[KW_SERIAL_SIZE],
                            const uint8_t middle[25], const uint8_t tail[32],
                            uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {
        SPAN(input, 32), SPAN(head.bytes, 4), SPAN(serial + SERIAL_8, 1),
        SPAN(serial, 2), SPAN(middle, 25),    SPAN(tail, 32),
    };
    return kw_hash_spans(hash, spans, COUNT_OF(spans), digest);
}

kw_status kw_message_genkey(const struct kw_hash *hash,
                            const uint8_t temp_key[32],
                            struct kw_message_head head,
                            const uint8_t serial[KW_SERIAL_SIZE],
                            const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                            uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {
        SPAN(temp_key, 32),
        SPAN(head.bytes, 4),
        SPAN(serial + SERIAL_8, 1),
        SPAN(serial, 2),
        SPAN(ZEROS, 25),
        SPAN(public_key, KW_PUBLIC_KEY_SIZE),
    };
    return kw_hash_spans(hash, spans, COUNT_OF(spans), digest);
}

kw_status kw_message_write_mac(const struct kw_hash *hash,
                               const uint8_t temp_key[32],
                               struct kw_message_head head,
                               const uint8_t serial[KW_SERIAL_SIZE],
                               const uint8_t *plain, size_t plain_size,
                               uint8_t mac[KW_SHA256_SIZE]) {
    const struct kw_span spans[] = {
        SPAN(temp_key, 32),           SPAN(head.bytes, 4),
        SPAN(serial + SERIAL_8, 1),   SPAN(serial, 2),
        SPAN(ZEROS, 57 - plain_size), SPAN(plain, plain_size),
    };
    return kw_hash_spans(hash, spans, COUNT_OF(spans), mac);
}

kw_status kw_message_mac(const struct kw_hash *hash, const uint8_t first[32],
                         const uint8_t second[32], struct kw_message_head head,
                         const uint8_t otp[11],
                         const uint8_t serial[KW_SERIAL_SIZE],
                         uint8_t mac[KW_SHA256_SIZE]) {
    const bool with_serial = (head.bytes[1] & 0x40) != 0;
    const struct kw_span spans[] = {
        SPAN(first, 32),
        SPAN(second, 32),
        SPAN(head.bytes, 4),
        SPAN(otp, 11),
        SPAN(serial + SERIAL_8, 1),
        SPAN(with_serial ? serial + 4 : ZEROS, 4),
        SPAN(serial, 2),
        SPAN(with_serial ? serial + 2 : ZEROS, 2),
    };
    return kw_hash_spans(hash, spans, COUNT_OF(spans), mac);
}

void kw_message_sign_internal(const struct kw_sign_internal *about,
                              uint8_t message[KW_SIGN_MESSAGE_SIZE]) {
    const unsigned key = about->key_id;
    uint8_t serial[KW_SERIAL_SIZE];
    kw_config_serial(about->config, serial);

    memset(message, 0, KW_SIGN_MESSAGE_SIZE);
    memcpy(message, about->temp_key, 32);
    memcpy(message + 32, about->head.bytes, 4);
    memcpy(message + 36, about->config + KW_CONFIG_SLOT_CONFIG + 2 * key, 2);
    memcpy(message + 38, about->config + KW_CONFIG_KEY_CONFIG + 2 * key, 2);
    message[40] = about->temp_key_flags;
    message[43] = serial[SERIAL_8];
    memcpy(message + 48, serial, 2);
    if (about->full_serial) {
        memcpy(message + 44, serial + 4, 4);
        memcpy(message + 50, serial + 2, 2);
    }
    message[52] = kw_config_slot_is_locked(about->config, key) ? 0 : 1;
    message[53] = about->for_invalidate ? 1 : 0;
}

void kw_message_other_data(const uint8_t message[KW_SIGN_MESSAGE_SIZE],
                           uint8_t other[KW_OTHER_DATA_SIZE]) {
    memcpy(other, message + 33, 10);
    memcpy(other + 10, message + 44, 4);
    memcpy(other + 14, message + 50, 5);
}

void kw_message_from_other_data(const uint8_t temp_key[32],
                                const uint8_t other[KW_OTHER_DATA_SIZE],
                                const uint8_t serial[KW_SERIAL_SIZE],
                                uint8_t message[KW_SIGN_MESSAGE_SIZE]) {
    memcpy(message, temp_key, 32);
    message[32] = OPCODE_SIGN;
    memcpy(message + 33, other, 10);
    message[43] = serial[SERIAL_8];
    memcpy(message + 44, other + 10, 4);
    memcpy(message + 48, serial, 2);
    memcpy(message + 50, other + 14, 5);
}
