#include "core/packet.h"

#include <string.h>

#include "core/bytes.h"

/* Polynomial 8005. Data bits come least significant first, and the register
 * shifts towards its top. Mirrored, it shifts the way that the data come: four
 * bits a step. */
static uint16_t mirror(uint16_t value) {
    uint32_t bits = value;
    bits = (bits & 0x5555u) << 1 | (bits & 0xAAAAu) >> 1;
    bits = (bits & 0x3333u) << 2 | (bits & 0xCCCCu) >> 2;
    bits = (bits & 0x0F0Fu) << 4 | (bits & 0xF0F0u) >> 4;
    return (uint16_t)(bits << 8 | bits >> 8);
}

/* What four bits leave in a mirrored register. */
static const uint16_t REMAINDERS[16] = {
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
};

uint16_t kw_crc16_more(uint16_t crc, const uint8_t *bytes, size_t size) {
    uint32_t mirrored = mirror(crc);
    for (size_t i = 0; i < size; i++) {
        mirrored ^= bytes[i];
        mirrored = mirrored >> 4 ^ REMAINDERS[mirrored & 15u];
        mirrored = mirrored >> 4 ^ REMAINDERS[mirrored & 15u];
    }
    return mirror((uint16_t)mirrored);
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
