/* sim/board/i2c.c: transfers of an I2C bus, one message each.
 *
 * Sources: DS40002138A section 7 (word addresses, what is acknowledged, the
 * FIFO, the read pointer), CryptoAuthLib 3.7.8 for what hosts send. */
#include <string.h>

#include "core/bytes.h"
#include "sim/board/wire.h"

enum { HEADER = 4, READ = 0x01, NO_STOP = 0x02, READ_MAX = 1024 };
enum { ACKNOWLEDGED = 0, NOT_ACKNOWLEDGED = 1, BAD_MESSAGE = 2 };
enum word_address { WORD_RESET = 0, WORD_SLEEP, WORD_IDLE, WORD_COMMAND };

/* A busy, idle or sleeping chip does not acknowledge its address. */
static bool hears(struct kw_sim_wire *wire, struct kw_sim_place *place) {
    return !kw_sim_place_is_busy(wire->bus, place) &&
           kw_sim_chip_is_awake(place->chip);
}

/* --- what a stop starts --- */

/* A stop is required to start a command; bytes beyond the count are
 * ignored. */
static void heed_stop(struct kw_sim_wire *wire, struct kw_sim_place *place) {
    uint8_t response[KW_RESPONSE_MAX];
    const size_t count = place->fifo[0] == 0 ? 1 : place->fifo[0];
    if (place->fifo_size > 0 && place->fifo_size >= count) {
        (void)kw_sim_place_execute(wire->bus, place, place->fifo, count,
                                   response);
    }
}

/* --- writes --- */

static void fill_fifo(struct kw_sim_place *place, const uint8_t *bytes,
                      size_t size) {
    const size_t room = sizeof place->fifo - place->fifo_size;
    const size_t taken = size < room ? size : room;
    memcpy(place->fifo + place->fifo_size, bytes, taken);
    place->fifo_size += taken;
}

/* False: the word address is not acknowledged. */
static bool write_to(struct kw_sim_bus *bus, struct kw_sim_place *place,
                     const uint8_t *bytes, size_t size) {
    if (size == 0) {
        return true;
    }
    switch (bytes[0]) {
    case WORD_RESET:
        if (place->read_at > 0) {
            kw_sim_fault_heal(place);
        }
        place->fifo_size = 0;
        place->read_at = 0;
        return true;
    case WORD_SLEEP:
        kw_sim_place_sleep(place);
        return true;
    case WORD_IDLE:
        kw_sim_place_idle(place);
        return true;
    case WORD_COMMAND:
        if (place->fifo_size == 0 && kw_sim_fault_naks(bus, place)) {
            return false;
        }
        fill_fifo(place, bytes + 1, size - 1);
        return true;
    default:
        return false;
    }
}

/* --- reads --- */

/* Beyond its end a response reads FF, the bus at rest. */
static void read_from(struct kw_sim_place *place, uint8_t *bytes, size_t size) {
    uint8_t output[KW_RESPONSE_MAX];
    const size_t there = kw_sim_fault_output(place, output);
    for (size_t i = 0; i < size && place->read_at < there; i++) {
        bytes[i] &= output[place->read_at++];
    }
}

/* --- a message --- */

struct message {
    uint8_t address; /* 8-bit form */
    bool read;
    bool stop;
    const uint8_t *bytes; /* of a write */
    size_t size;
};

static bool read_message(const uint8_t *input, size_t size,
                         struct message *message) {
    if (size < HEADER || (input[0] & ~(READ | NO_STOP)) != 0 ||
        input[1] > 0x7F) {
        return false;
    }
    *message = (struct message){
        .address = (uint8_t)(input[1] << 1),
        .read = (input[0] & READ) != 0,
        .stop = (input[0] & NO_STOP) == 0,
        .bytes = input + HEADER,
        .size = kw_load_le16(input + 2),
    };
    return message->read ? size == HEADER && message->size <= READ_MAX
                         : size == HEADER + message->size;
}

/* A read while a packet is not whole is not acknowledged. */
static bool serve(struct kw_sim_wire *wire, struct kw_sim_place *place,
                  const struct message *message, uint8_t *answer) {
    if (!hears(wire, place) || (message->read && place->fifo_size > 0)) {
        return false;
    }
    if (message->read) {
        read_from(place, answer, message->size);
        return true;
    }
    return write_to(wire->bus, place, message->bytes, message->size);
}

/* Address 0 at 100 kHz holds SDA low for longer than the 60 us of a wake:
 * all chips wake, and none acknowledges. */
static uint8_t obey(struct kw_sim_wire *wire, const struct message *message,
                    uint8_t *answer) {
    uint8_t status = NOT_ACKNOWLEDGED;
    if (message->address == 0) {
        kw_sim_bus_wake(wire->bus);
        return status;
    }
    struct kw_sim_place *place =
        kw_sim_bus_hear(wire->bus, message->address, NULL);
    while (place != NULL) {
        struct kw_sim_place *next =
            kw_sim_bus_hear(wire->bus, message->address, place);
        if (serve(wire, place, message, answer)) {
            status = ACKNOWLEDGED;
        }
        if (message->stop && hears(wire, place)) {
            heed_stop(wire, place);
        }
        place = next;
    }
    return status;
}

static size_t take(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                   struct kw_sim_reply *reply) {
    struct message message;
    reply->size = 1;
    reply->bytes[0] = BAD_MESSAGE;
    if (!read_message(input, size, &message)) {
        return size;
    }
    memset(reply->bytes + 1, 0xFF, READ_MAX);
    reply->bytes[0] = obey(wire, &message, reply->bytes + 1);
    if (message.read && reply->bytes[0] == ACKNOWLEDGED) {
        reply->size += message.size;
    }
    return size;
}

const struct kw_sim_wire_kind kw_sim_wire_i2c = {take};
