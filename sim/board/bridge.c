/* sim/board/bridge.c: the kit protocol, version 2: binary, one message a
 * request, one an answer. Facts: the public sources of CryptoAuthLib 3.7.8
 * (its kit bridge). */
#include <string.h>

#include "core/bytes.h"
#include "sim/board/wire.h"

enum {
    VERSION = 0x02,
    HEADER = 4,
    RECEIVE_SIZE = 6,
    BAD_REQUEST = 0xFF, /* inference: any byte but 0 is a failure */
    NO_ANSWER = 0xF4,   /* the same byte as in version 1 */
};

enum command { SEND = 1, RECEIVE, WAKE, IDLE, SLEEP };

/* The interface in the high nibble is the host's affair: there is one bus. */
static uint8_t send_packet(struct kw_sim_wire *wire, const uint8_t *input,
                           size_t size, uint64_t *ready) {
    uint8_t response[KW_RESPONSE_MAX];
    if (size <= HEADER || input[3] != 0xFF) {
        return BAD_REQUEST;
    }
    return kw_sim_bus_execute(wire->bus, input[2], input + HEADER,
                              size - HEADER, response, ready) == 0
               ? NO_ANSWER
               : 0;
}

static uint8_t receive_frame(struct kw_sim_wire *wire, const uint8_t *input,
                             size_t size, struct kw_sim_reply *reply) {
    uint8_t response[KW_RESPONSE_MAX];
    if (size != RECEIVE_SIZE) {
        return BAD_REQUEST;
    }
    const size_t limit = kw_load_le16(input + HEADER);
    const size_t there =
        kw_sim_bus_output(wire->bus, input[2], response, &reply->not_before);
    const size_t taken = there < limit ? there : limit;
    memcpy(reply->bytes + HEADER, response, taken);
    reply->size = HEADER + taken;
    return there == 0 ? NO_ANSWER : 0;
}

static uint8_t wake(struct kw_sim_wire *wire, uint8_t address) {
    kw_sim_bus_wake(wire->bus);
    return kw_sim_bus_is_awake(wire->bus, address) ? 0 : NO_ANSWER;
}

static uint8_t obey(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                    struct kw_sim_reply *reply) {
    if (size < 3 || input[0] != VERSION) {
        return BAD_REQUEST;
    }
    switch (input[1] & 0x0F) {
    case SEND:
        return send_packet(wire, input, size, &reply->not_before);
    case RECEIVE:
        return receive_frame(wire, input, size, reply);
    case WAKE:
        return wake(wire, input[2]);
    case IDLE:
        kw_sim_bus_idle(wire->bus, input[2]);
        return 0;
    case SLEEP:
        kw_sim_bus_sleep(wire->bus, input[2]);
        return 0;
    default:
        return BAD_REQUEST;
    }
}

static size_t take(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                   struct kw_sim_reply *reply) {
    reply->size = HEADER;
    const uint8_t status = obey(wire, input, size, reply);
    memset(reply->bytes, 0, HEADER);
    memcpy(reply->bytes, input, size < 3 ? size : 3);
    reply->bytes[3] = status;
    return size;
}

const struct kw_sim_wire_kind kw_sim_wire_bridge = {take};
