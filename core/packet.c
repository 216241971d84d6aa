#include "core/packet.h"

#include <string.h>

#include "core/bytes.h"

#define CRC_POLYNOMIAL 0x8005u

uint16_t kw_crc16_more(uint16_t crc, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            const unsigned data = (bytes[i] >> bit) & 1u;
            const unsigned top = crc >> 15;
            crc = (uint16_t)(crc << 1);
            if (data != top) {
                crc ^= CRC_POLYNOMIAL;
            }
        }
    }
    return crc;
}

uint16_t kw_crc16(const uint8_t *bytes, size_t size) {
    return kw_crc16_more(0, bytes, size);
}

static void append_crc(uint8_t *frame, size_t size) {
    kw_store_le16(frame + size - 2, kw_crc16(frame, size - 2));
}

static bool crc_matches(const uint8_t *frame, size_t size) {
    return kw_load_le16(frame + size - 2) == kw_crc16(frame, size - 2);
}

kw_status kw_packet_encode(const struct kw_command *command,
                           uint8_t packet[KW_PACKET_MAX], size_t *packet_size) {
    KW_ENSURE(command->data_size <= KW_PACKET_DATA_MAX, KW_PARSE_SIZE);
    const size_t size = KW_PACKET_OVERHEAD + command->data_size;
    packet[0] = (uint8_t)size;
    packet[1] = command->opcode;
    packet[2] = command->param1;
    kw_store_le16(packet + 3, command->param2);
    if (command->data_size > 0) {
        memcpy(packet + 5, command->data, command->data_size);
    }
    append_crc(packet, size);
    *packet_size = size;
    return KW_OK;
}

kw_status kw_packet_decode(const uint8_t *packet, size_t size,
                           struct kw_command *command) {
    KW_ENSURE(size >= KW_PACKET_OVERHEAD && size <= KW_PACKET_MAX &&
                  packet[0] == size,
              KW_PARSE_SIZE);
    KW_ENSURE(crc_matches(packet, size), KW_CHIP_CRC);
    *command = (struct kw_command){
        .opcode = packet[1],
        .param1 = packet[2],
        .param2 = kw_load_le16(packet + 3),
        .data = packet + 5,
        .data_size = size - KW_PACKET_OVERHEAD,
    };
    return KW_OK;
}

kw_status kw_response_encode(const uint8_t *data, size_t data_size,
                             uint8_t frame[KW_RESPONSE_MAX],
                             size_t *frame_size) {
    const size_t size = data_size + KW_RESPONSE_OVERHEAD;
    KW_ENSURE(data_size > 0 && size <= KW_RESPONSE_MAX, KW_PARSE_SIZE);
    frame[0] = (uint8_t)size;
    memcpy(frame + 1, data, data_size);
    append_crc(frame, size);
    *frame_size = size;
    return KW_OK;
}

kw_status kw_response_decode(const uint8_t *frame, size_t size,
                             const uint8_t **data, size_t *data_size) {
    KW_ENSURE(size >= KW_RESPONSE_MIN && size <= KW_RESPONSE_MAX &&
                  frame[0] == size && crc_matches(frame, size),
              KW_ABSENT_CRC);
    *data = frame + 1;
    *data_size = size - KW_RESPONSE_OVERHEAD;
    return KW_OK;
}
