/* Frames and their CRC: DS40002138A section 4.1. */
#include <string.h>

#include "core/packet.h"
#include "tests/core/cases.h"

/* Every status frame: 04 status crc. */
static const uint8_t STATUS_FRAMES[][4] = {
    {0x04, 0x00, 0x03, 0x40}, {0x04, 0x01, 0x00, 0xC3},
    {0x04, 0x03, 0x83, 0x42}, {0x04, 0x05, 0xC3, 0x43},
    {0x04, 0x07, 0x40, 0xC2}, {0x04, 0x08, 0x60, 0xC0},
    {0x04, 0x0F, 0x23, 0x42}, {0x04, 0x11, 0x33, 0x43},
    {0x04, 0xEE, 0x31, 0x41}, {0x04, 0xFF, 0x01, 0x42},
};
static const uint8_t INFO[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
static const uint8_t REVISION[] = {0x07, 0x00, 0x00, 0x60, 0x03, 0x83, 0xBB};

static const char *status_frames(void) {
    for (size_t i = 0; i < sizeof STATUS_FRAMES / 4; i++) {
        const uint8_t *const known = STATUS_FRAMES[i];
        uint8_t frame[KW_RESPONSE_MAX];
        const uint8_t *data;
        size_t size;
        KW_CHECK(kw_response_encode(known + 1, 1, frame, &size) == KW_OK);
        KW_CHECK(size == 4 && memcmp(frame, known, 4) == 0);
        KW_CHECK(kw_response_decode(known, 4, &data, &size) == KW_OK);
        KW_CHECK(size == 1 && data == known + 1);
    }
    return NULL;
}

static const char *info_command(void) {
    const struct kw_command info = {.opcode = 0x30};
    struct kw_command decoded;
    uint8_t packet[KW_PACKET_MAX];
    size_t size;
    KW_CHECK(kw_packet_encode(&info, packet, &size) == KW_OK);
    KW_CHECK(size == sizeof INFO && memcmp(packet, INFO, size) == 0);
    KW_CHECK(kw_packet_decode(INFO, sizeof INFO, &decoded) == KW_OK);
    KW_CHECK(decoded.opcode == 0x30 && decoded.param1 == 0);
    KW_CHECK(decoded.param2 == 0 && decoded.data_size == 0);
    return NULL;
}

static const char *info_response(void) {
    const uint8_t *data;
    size_t size;
    KW_CHECK(kw_response_decode(REVISION, sizeof REVISION, &data, &size) ==
             KW_OK);
    KW_CHECK(size == 4 && data[2] == 0x60);
    return NULL;
}

static const char *longest_command(void) {
    static const uint8_t zeros[KW_PACKET_DATA_MAX + 1];
    struct kw_command command = {.param2 = 0xA1B2, .data = zeros};
    struct kw_command decoded;
    uint8_t packet[KW_PACKET_MAX];
    size_t size;
    command.data_size = KW_PACKET_DATA_MAX;
    KW_CHECK(kw_packet_encode(&command, packet, &size) == KW_OK);
    KW_CHECK(size == KW_PACKET_MAX && packet[3] == 0xB2 && packet[4] == 0xA1);
    KW_CHECK(kw_packet_decode(packet, size, &decoded) == KW_OK);
    KW_CHECK(decoded.param2 == 0xA1B2);
    command.data_size = KW_PACKET_DATA_MAX + 1;
    KW_CHECK(kw_packet_encode(&command, packet, &size) == KW_PARSE_SIZE);
    return NULL;
}

/* From an odd address: a Cortex-M0 may not load a word from there. */
static const char *unaligned_frame(void) {
    uint8_t room[1 + sizeof INFO];
    struct kw_command decoded;
    memcpy(room + 1, INFO, sizeof INFO);
    KW_CHECK(kw_packet_decode(room + 1, sizeof INFO, &decoded) == KW_OK);
    return NULL;
}

static const char *every_bit_counts(void) {
    struct kw_command decoded;
    for (size_t bit = 0; bit < 8 * sizeof INFO; bit++) {
        uint8_t packet[sizeof INFO];
        memcpy(packet, INFO, sizeof INFO);
        packet[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        KW_CHECK(kw_packet_decode(packet, sizeof packet, &decoded) ==
                 (bit < 8 ? KW_PARSE_SIZE : KW_CHIP_CRC));
    }
    return NULL;
}

static const char *damaged_response(void) {
    uint8_t frame[sizeof REVISION];
    const uint8_t *data;
    size_t size;
    memcpy(frame, REVISION, sizeof frame);
    frame[3] ^= 1;
    KW_CHECK(kw_response_decode(frame, sizeof frame, &data, &size) ==
             KW_ABSENT_CRC);
    KW_CHECK(kw_response_decode(REVISION, 3, &data, &size) == KW_ABSENT_CRC);
    return NULL;
}

static const struct kw_case PACKET_CASES[] = {
    {"status frames", status_frames},
    {"Info command", info_command},
    {"Info response", info_response},
    {"longest command", longest_command},
    {"unaligned frame", unaligned_frame},
    {"every bit counts", every_bit_counts},
    {"damaged response", damaged_response},
};
const struct kw_subject kw_packet_subject = KW_SUBJECT("packet", PACKET_CASES);
