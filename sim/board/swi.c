/* sim/board/swi.c: the single-wire interface behind a UART: one byte a bit.
 *
 * The wire loops back: a host reads every byte that it sends. Sources:
 * DS40002138A section 8 (Table 8-1: flags), CryptoAuthLib 3.7.8 for the
 * bytes of a UART. */
#include <string.h>

#include "sim/board/wire.h"

enum { BIT_0 = 0x7D, BIT_1 = 0x7F, WAKE_TOKEN = 0x00 };
enum {
    FLAG_COMMAND = 0x77,
    FLAG_TRANSMIT = 0x88,
    FLAG_IDLE = 0xBB,
    FLAG_SLEEP = 0xCC,
};

/* --- bits --- */

static void put_byte(struct kw_sim_reply *reply, uint8_t byte) {
    for (unsigned bit = 0; bit < 8; bit++) {
        const bool one = (byte >> bit & 1) != 0;
        reply->bytes[reply->size++] = one ? BIT_1 : BIT_0;
    }
}

/* What is no bit is noise, and the byte begins anew. */
static bool take_bit(struct kw_sim_wire *wire, uint8_t level) {
    const bool one = (level ^ BIT_1) < 2;
    if (!one && level != BIT_0) {
        wire->swi.bits = 0;
        wire->swi.byte = 0;
        return false;
    }
    wire->swi.byte =
        (uint8_t)(wire->swi.byte | (unsigned)one << wire->swi.bits);
    return ++wire->swi.bits == 8;
}

/* --- flags and packets --- */

/* A wake token resets the chip's I/O whatever it was doing, and status 11
 * follows (8.1, 8.3.2), unlike on I2C. */
static void take_token(struct kw_sim_wire *wire) {
    memset(&wire->swi, 0, sizeof wire->swi);
    kw_sim_place_wake(wire->bus, wire->place);
    wire->swi.token = true;
}

static void transmit(struct kw_sim_wire *wire, struct kw_sim_reply *reply) {
    static const uint8_t AWOKE[] = {0x04, 0x11, 0x33, 0x43};
    uint8_t output[KW_RESPONSE_MAX];
    size_t size = kw_sim_fault_output(wire->place, output);
    if (!kw_sim_chip_is_awake(wire->place->chip) ||
        kw_sim_place_is_busy(wire->bus, wire->place)) {
        return;
    }
    if (wire->swi.token) {
        memcpy(output, AWOKE, sizeof AWOKE);
        size = sizeof AWOKE;
    }
    for (size_t i = 0; i < size; i++) {
        put_byte(reply, output[i]);
    }
    kw_sim_fault_heal(wire->place);
}

/* FF may stand before a flag and means nothing; nor does any other byte. */
static void take_flag(struct kw_sim_wire *wire, uint8_t flag,
                      struct kw_sim_reply *reply) {
    switch (flag) {
    case FLAG_COMMAND:
        wire->swi.taking = true;
        wire->swi.size = 0;
        break;
    case FLAG_TRANSMIT:
        transmit(wire, reply);
        break;
    case FLAG_IDLE:
        kw_sim_place_idle(wire->place);
        break;
    case FLAG_SLEEP:
        kw_sim_place_sleep(wire->place);
        break;
    default:
        break;
    }
}

static void take_packet_byte(struct kw_sim_wire *wire, uint8_t byte) {
    uint8_t response[KW_RESPONSE_MAX];
    wire->swi.packet[wire->swi.size++] = byte;
    const uint8_t count = wire->swi.packet[0];
    if (wire->swi.size < (count == 0 ? 1u : count)) {
        return;
    }
    wire->swi.taking = false;
    wire->swi.token = false;
    (void)kw_sim_place_execute(wire->bus, wire->place, wire->swi.packet,
                               wire->swi.size, response);
}

static void take_byte(struct kw_sim_wire *wire, uint8_t byte,
                      struct kw_sim_reply *reply) {
    if (wire->swi.taking) {
        take_packet_byte(wire, byte);
        return;
    }
    take_flag(wire, byte, reply);
}

static size_t take(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                   struct kw_sim_reply *reply) {
    if (size == 0) {
        return 0;
    }
    reply->bytes[reply->size++] = input[0];
    if (input[0] == WAKE_TOKEN) {
        take_token(wire);
    } else if (take_bit(wire, input[0])) {
        const uint8_t byte = wire->swi.byte;
        wire->swi.byte = 0;
        wire->swi.bits = 0;
        take_byte(wire, byte, reply);
    }
    return 1;
}

const struct kw_sim_wire_kind kw_sim_wire_swi = {take};
