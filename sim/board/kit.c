/* sim/board/kit.c: lines of the kit protocol, version 1, as the factory
 * program of the Trust Platform board speaks it. Facts: the public sources
 * of CryptoAuthLib 3.7.8 (lib/hal/kit_protocol.c). */
#include <stdio.h>
#include <string.h>

#include "sim/board/wire.h"

#define LINE_MAX_SIZE 640 /* the longest packet is 255 bytes */
#define HEX_UPPER     "0123456789ABCDEF"

struct line {
    const char *text;
    size_t size;
};

/* --- answers --- */

/* SS(HEX) and a line feed. */
static void answer(struct kw_sim_reply *reply, uint8_t status,
                   const uint8_t *bytes, size_t size) {
    static const char DIGITS[] = HEX_UPPER;
    uint8_t *at = reply->bytes;
    *at++ = (uint8_t)DIGITS[status >> 4];
    *at++ = (uint8_t)DIGITS[status & 15];
    *at++ = '(';
    for (size_t i = 0; i < size; i++) {
        *at++ = (uint8_t)DIGITS[bytes[i] >> 4];
        *at++ = (uint8_t)DIGITS[bytes[i] & 15];
    }
    *at++ = ')';
    *at++ = '\n';
    reply->size = (size_t)(at - reply->bytes);
}

static void answer_done(struct kw_sim_reply *reply) {
    answer(reply, 0, NULL, 0);
}

/* What real kit firmware says when a command got no answer. That it says the
 * same of a line that it cannot read is inference. */
static void answer_nothing(struct kw_sim_reply *reply) {
    answer(reply, 0xF4, NULL, 0);
}

/* --- reading a line --- */

/* Skips words that the line must begin with. */
static bool skip(struct line *line, const char *words) {
    const size_t size = strlen(words);
    if (line->size < size || memcmp(line->text, words, size) != 0) {
        return false;
    }
    line->text += size;
    line->size -= size;
    return true;
}

static bool read_digit(char text, unsigned *value) {
    static const char DIGITS[] = HEX_UPPER "abcdef";
    const char *at = text == '\0' ? NULL : strchr(DIGITS, text);
    if (at == NULL) {
        return false;
    }
    *value = (unsigned)(at - DIGITS);
    *value -= *value > 15 ? 6 : 0;
    return true;
}

/* "(HEX)" to the end of the line. */
static bool read_bytes(struct line line, uint8_t *bytes, size_t capacity,
                       size_t *size) {
    if (!skip(&line, "(") || line.size % 2 != 1 || line.size / 2 > capacity ||
        line.text[line.size - 1] != ')') {
        return false;
    }
    *size = line.size / 2;
    for (size_t i = 0; i < *size; i++) {
        unsigned high = 0;
        unsigned low = 0;
        if (!read_digit(line.text[2 * i], &high) ||
            !read_digit(line.text[2 * i + 1], &low)) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* --- what a line asks --- */

static void obey_scan(struct kw_sim_wire *wire, struct line line,
                      struct kw_sim_reply *reply) {
    uint8_t number = 0;
    size_t size = 0;
    if (!read_bytes(line, &number, 1, &size) || size != 1) {
        answer_nothing(reply);
        return;
    }
    const struct kw_sim_place *place = kw_sim_bus_scan(wire->bus, number);
    const char *type = "no_device";
    if (place != NULL) {
        const uint8_t *revision = kw_sim_chip_eeprom(place->chip)->revision;
        type = revision[3] >= 3 ? "ECC608B" : "ECC608A";
    }
    const int written =
        snprintf((char *)reply->bytes, sizeof reply->bytes, "%s TWI 00(%02X)\n",
                 type, place == NULL ? 0 : place->address);
    reply->size = (size_t)written;
}

static void obey_interface(struct kw_sim_wire *wire, struct line line,
                           struct kw_sim_reply *reply) {
    (void)wire;
    (void)line;
    answer_done(reply);
}

static void obey_select(struct kw_sim_wire *wire, struct line line,
                        struct kw_sim_reply *reply) {
    uint8_t address = 0;
    size_t size = 0;
    if (!read_bytes(line, &address, 1, &size) || size != 1 || address == 0) {
        answer_nothing(reply);
        return;
    }
    /* Chosen even when nobody is there, so that what follows does not reach
     * the chip before. */
    wire->selected = address;
    if (kw_sim_bus_next(wire->bus, address, NULL) == NULL) {
        answer_nothing(reply);
        return;
    }
    answer_done(reply);
}

/* The host's check wants the bytes of a chip that just woke; what the
 * program says of one that was awake already is inference. */
static void obey_wake(struct kw_sim_wire *wire, struct line line,
                      struct kw_sim_reply *reply) {
    static const uint8_t AWOKE[] = {0x04, 0x11, 0x33, 0x43};
    uint8_t output[KW_RESPONSE_MAX];
    (void)line;
    kw_sim_bus_wake(wire->bus);
    if (!kw_sim_bus_is_awake(wire->bus, wire->selected)) {
        answer_nothing(reply);
        return;
    }
    (void)kw_sim_bus_output(wire->bus, wire->selected, output,
                            &reply->not_before);
    answer(reply, 0, AWOKE, sizeof AWOKE);
}

static void obey_idle(struct kw_sim_wire *wire, struct line line,
                      struct kw_sim_reply *reply) {
    (void)line;
    kw_sim_bus_idle(wire->bus, wire->selected);
    answer_done(reply);
}

static void obey_sleep(struct kw_sim_wire *wire, struct line line,
                       struct kw_sim_reply *reply) {
    (void)line;
    kw_sim_bus_sleep(wire->bus, wire->selected);
    answer_done(reply);
}

static void obey_talk(struct kw_sim_wire *wire, struct line line,
                      struct kw_sim_reply *reply) {
    uint8_t packet[KW_SIM_FIFO_SIZE];
    uint8_t response[KW_RESPONSE_MAX];
    size_t size = 0;
    if (!read_bytes(line, packet, sizeof packet, &size)) {
        answer_nothing(reply);
        return;
    }
    const size_t answered = kw_sim_bus_execute(
        wire->bus, wire->selected, packet, size, response, &reply->not_before);
    answer(reply, answered == 0 ? 0xF4 : 0, response, answered);
}

struct request {
    const char *words;
    void (*obey)(struct kw_sim_wire *wire, struct line line,
                 struct kw_sim_reply *reply);
};

static const struct request REQUESTS[] = {
    {"board:device", obey_scan},
    {"E:physical:interface:", obey_interface},
    {"E:physical:select", obey_select},
    {"E:w()", obey_wake},
    {"E:i()", obey_idle},
    {"E:s()", obey_sleep},
    {"E:t", obey_talk},
};

/* --- lines --- */

/* A report of USB pads with zeros, before the next line as seen from here; a
 * terminal adds a carriage return. */
static struct line trim(const uint8_t *input, size_t size) {
    struct line line = {(const char *)input, size};
    while (line.size > 0 && line.text[0] == '\0') {
        line.text++;
        line.size--;
    }
    while (line.size > 0 && (line.text[line.size - 1] == '\0' ||
                             line.text[line.size - 1] == '\r')) {
        line.size--;
    }
    return line;
}

static void obey(struct kw_sim_wire *wire, struct line line,
                 struct kw_sim_reply *reply) {
    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        if (skip(&line, REQUESTS[i].words)) {
            REQUESTS[i].obey(wire, line, reply);
            return;
        }
    }
    answer_nothing(reply);
}

static size_t take(struct kw_sim_wire *wire, const uint8_t *input, size_t size,
                   struct kw_sim_reply *reply) {
    const uint8_t *end = memchr(input, '\n', size);
    if (end == NULL) {
        if (size <= LINE_MAX_SIZE) {
            return 0;
        }
        wire->overlong = true;
        return size;
    }
    if (wire->overlong) {
        wire->overlong = false;
        answer_nothing(reply);
    } else {
        obey(wire, trim(input, (size_t)(end - input)), reply);
    }
    return (size_t)(end - input) + 1;
}

const struct kw_sim_wire_kind kw_sim_wire_kit = {take};
