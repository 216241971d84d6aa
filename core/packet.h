/* core/packet.h: frames between host and chip.
 *
 * Command:  count opcode param1 param2(2, little-endian) data.. crc(2)
 * Response: count data.. crc(2)
 * The count includes itself and the CRC. CRC-16, polynomial 0x8005, start
 * 0, data bits least significant first, stored low byte first; it covers
 * everything from the count to the last data byte.
 * Source: DS40002138A section 4.1; checked against ten known frames.
 *
 * Knows core/status.h and core/bytes.h alone. */
#ifndef KW_CORE_PACKET_H
#define KW_CORE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define KW_PACKET_OVERHEAD   7   /* bytes of a command without data */
#define KW_PACKET_DATA_MAX   148 /* bytes of data: the longest packet is 155 */
#define KW_PACKET_MAX        (KW_PACKET_OVERHEAD + KW_PACKET_DATA_MAX)
#define KW_RESPONSE_OVERHEAD 3
#define KW_RESPONSE_MIN      4
#define KW_RESPONSE_MAX      155 /* bytes; the library's own limit */

/* DS40002138A section 5. */
enum kw_opcode {
    KW_OP_READ = 0x02,
    KW_OP_MAC = 0x08,
    KW_OP_WRITE = 0x12,
    KW_OP_GENDIG = 0x15,
    KW_OP_NONCE = 0x16,
    KW_OP_LOCK = 0x17,
    KW_OP_RANDOM = 0x1B,
    KW_OP_DERIVEKEY = 0x1C,
    KW_OP_UPDATEEXTRA = 0x20,
    KW_OP_COUNTER = 0x24,
    KW_OP_CHECKMAC = 0x28,
    KW_OP_INFO = 0x30,
    KW_OP_GENKEY = 0x40,
    KW_OP_SIGN = 0x41,
    KW_OP_ECDH = 0x43,
    KW_OP_VERIFY = 0x45,
    KW_OP_PRIVWRITE = 0x46,
    KW_OP_SHA = 0x47,
    KW_OP_AES = 0x51,
    KW_OP_KDF = 0x56,
    KW_OP_SELFTEST = 0x77,
    KW_OP_SECUREBOOT = 0x80,
};

struct kw_command {
    uint8_t opcode;
    uint8_t param1;
    uint16_t param2;
    const uint8_t *data; /* may be NULL when data_size is 0 */
    size_t data_size;
};

/* Of bytes as they go over the wire; its low byte goes first. */
uint16_t kw_crc16(const uint8_t *bytes, size_t size);

/* Continues a CRC over more bytes; start with 0. */
uint16_t kw_crc16_more(uint16_t crc, const uint8_t *bytes, size_t size);

/* Writes the frame of a command. KW_PARSE_SIZE when the data is too long. */
KW_MUST_USE kw_status kw_packet_encode(const struct kw_command *command,
                                       uint8_t packet[KW_PACKET_MAX],
                                       size_t *packet_size);

/* Reads the frame of a command; the data points into the packet.
 * KW_PARSE_SIZE: the count and the size disagree, or the count is below 7.
 * KW_CHIP_CRC: the CRC is wrong. */
KW_MUST_USE kw_status kw_packet_decode(const uint8_t *packet, size_t size,
                                       struct kw_command *command);

/* Writes the frame of a response (1 to 152 bytes of data). */
KW_MUST_USE kw_status kw_response_encode(const uint8_t *data, size_t data_size,
                                         uint8_t frame[KW_RESPONSE_MAX],
                                         size_t *frame_size);

/* Reads the frame of a response; the data points into the frame.
 * KW_ABSENT_CRC: damaged on the way. */
KW_MUST_USE kw_status kw_response_decode(const uint8_t *frame, size_t size,
                                         const uint8_t **data,
                                         size_t *data_size);

#endif
