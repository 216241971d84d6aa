/* sim/board/words.c: a word address, alone or before a packet, to one chip:
 * what the board's sockets and its TCP port speak. */
#include "sim/board/wire.h"

enum word_address {
    WORD_WAKE = 0,
    WORD_SLEEP,
    WORD_IDLE,
    WORD_COMMAND,
    WORD_SYNC = 5, /* 4 chooses a chip of a fleet */
};

#define IN_STEP 0 /* a byte that begins no frame */

/* Bytes of the request at the start of the input; 0: not whole yet. */
static size_t request_size(const uint8_t *input, size_t size) {
    if (size == 0 || input[0] != WORD_COMMAND) {
        return size == 0 ? 0 : 1;
    }
    if (size == 1) {
        return 0;
    }
    /* The count counts itself; 0 is answered like 1. */
    const size_t whole = 1 + (input[1] == 0 ? 1u : input[1]);
    return size >= whole ? whole : 0;
}

static void wake(struct kw_sim_wire *wire, struct kw_sim_reply *reply) {
    kw_sim_place_wake(wire->bus, wire->place);
    reply->size = kw_sim_chip_output(wire->place->chip, reply->bytes);
}

static size_t take(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                   struct kw_sim_reply *reply) {
    const size_t whole = request_size(input, size);
    if (whole == 0) {
        return 0;
    }
    switch (input[0]) {
    case WORD_WAKE:
        wake(wire, reply);
        break;
    case WORD_SLEEP:
        kw_sim_place_sleep(wire->place);
        break;
    case WORD_IDLE:
        kw_sim_place_idle(wire->place);
        break;
    case WORD_COMMAND:
        reply->size = kw_sim_place_execute(wire->bus, wire->place, input + 1,
                                           whole - 1, reply->bytes);
        break;
    case WORD_SYNC:
        reply->bytes[reply->size++] = IN_STEP;
        break;
    default:
        reply->broken = true;
        break;
    }
    reply->not_before = wire->place->busy_until;
    return whole;
}

const struct kw_sim_wire_kind kw_sim_wire_words = {take};
