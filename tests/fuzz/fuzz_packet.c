/* Frames of commands and responses: what decodes encodes to the same bytes.
 * The bytes are tried as they are, and again with their count and CRC put
 * right, which must then decode. */
#include "core/bytes.h"
#include "core/packet.h"
#include "tests/fuzz/fuzz.h"

static kw_status try_command(const uint8_t *packet, size_t size) {
    struct kw_command command;
    uint8_t again[KW_PACKET_MAX];
    size_t again_size;
    const kw_status status = kw_packet_decode(packet, size, &command);
    if (status == KW_OK) {
        FUZZ_DEMAND(kw_packet_encode(&command, again, &again_size) == KW_OK);
        FUZZ_DEMAND(again_size == size && memcmp(again, packet, size) == 0);
    }
    return status;
}

static kw_status try_response(const uint8_t *frame, size_t size) {
    const uint8_t *data;
    size_t data_size;
    uint8_t again[KW_RESPONSE_MAX];
    size_t again_size;
    const kw_status status = kw_response_decode(frame, size, &data, &data_size);
    if (status == KW_OK) {
        FUZZ_DEMAND(kw_response_encode(data, data_size, again, &again_size) ==
                    KW_OK);
        FUZZ_DEMAND(again_size == size && memcmp(again, frame, size) == 0);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t frame[KW_PACKET_MAX];
    (void)try_command(data, size);
    (void)try_response(data, size);
    if (size < KW_RESPONSE_MIN || size > sizeof frame) {
        return 0;
    }
    memcpy(frame, data, size);
    frame[0] = (uint8_t)size;
    kw_store_le16(frame + size - 2, kw_crc16(frame, size - 2));
    FUZZ_DEMAND(try_response(frame, size) == KW_OK);
    FUZZ_DEMAND(try_command(frame, size) ==
                (size < KW_PACKET_OVERHEAD ? KW_PARSE_SIZE : KW_OK));
    return 0;
}
