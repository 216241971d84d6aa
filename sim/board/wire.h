/* sim/board/wire.h: what a host's bytes do to the board, wire by wire.
 *
 * A wire is a state machine: bytes in, bytes out, no file descriptor. Any
 * bytes leave the chips in a defined state. The bytes of each wire:
 * docs/formats.md, "The board's wires". Knows sim/board/bus.h. */
#ifndef KW_SIM_BOARD_WIRE_H
#define KW_SIM_BOARD_WIRE_H

#include "sim/board/bus.h"

/* Bytes that a wire may want to see at once: a kit line, an I2C message. */
#define KW_SIM_REQUEST_MAX 1280
/* The longest answer: a response as bits of the single-wire interface. */
#define KW_SIM_REPLY_MAX 1280

struct kw_sim_reply {
    uint8_t bytes[KW_SIM_REPLY_MAX];
    size_t size;
    uint64_t not_before; /* microseconds; 0: at once */
    bool broken;         /* the host speaks something else: hang up */
};

struct kw_sim_wire;

struct kw_sim_wire_kind {
    /* Takes a request from the start of the input and answers its size; 0:
     * it is not whole yet, which a wire of messages never says, nor one that
     * got KW_SIM_REQUEST_MAX bytes. The reply is empty before. */
    size_t (*take)(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                   struct kw_sim_reply *reply);
};

struct kw_sim_wire {
    const struct kw_sim_wire_kind *kind;
    struct kw_sim_bus *bus;
    struct kw_sim_place *place; /* words and SWI: the chip at the other end */
    uint8_t selected;           /* kit: an address; 0: the first chip */
    bool overlong;              /* kit: the rest of the line is dropped */
    struct {
        uint8_t byte; /* the bits that came, least significant first */
        uint8_t bits;
        bool taking; /* a command, bytes of a packet follow its flag */
        bool token;  /* the answer to a wake token is what is there */
        uint8_t packet[KW_SIM_FIFO_SIZE];
        size_t size;
    } swi;
};

/* Streams. */
extern const struct kw_sim_wire_kind kw_sim_wire_words; /* one chip */
extern const struct kw_sim_wire_kind kw_sim_wire_swi;   /* one chip */
extern const struct kw_sim_wire_kind kw_sim_wire_kit;
/* Messages: the input is one of them. */
extern const struct kw_sim_wire_kind kw_sim_wire_bridge;
extern const struct kw_sim_wire_kind kw_sim_wire_i2c;

#endif
