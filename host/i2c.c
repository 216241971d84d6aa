#include "host/i2c.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/packet.h"

/* Source of the sequence: CryptoAuthLib 3.7.8 (hal_linux_i2c, calib_basic);
 * DS40002138A sections 7 and 9. */
#define WAKES      20 /* tries */
#define WAKE_US    1500
#define POLL_US    2000
#define FIRST_US   1000
#define ANSWER_MS  3000 /* the slowest command needs 2.4 s */
#define SEND_TRIES 3
#define REREADS    2

enum word_address { WORD_RESET = 0, WORD_SLEEP, WORD_IDLE, WORD_COMMAND };

struct i2c_link {
    struct kw_i2c_bus bus;
    uint8_t address; /* 7-bit form */
};

/* --- one transfer --- */

static bool put(struct i2c_link *link, const uint8_t *bytes, size_t size) {
    return link->bus.write(link->bus.self, link->address, bytes, size);
}

static bool put_word(struct i2c_link *link, enum word_address word) {
    const uint8_t byte = (uint8_t)word;
    return put(link, &byte, 1);
}

static bool get(struct i2c_link *link, uint8_t *bytes, size_t size) {
    return link->bus.read(link->bus.self, link->address, bytes, size);
}

static void rest(struct i2c_link *link, unsigned microseconds) {
    link->bus.pause(link->bus.self, microseconds);
}

/* --- wake, idle, sleep --- */

/* A wake is address 0, which nobody acknowledges. A chip that was awake
 * ignores it and has another answer in its buffer: any frame will do. */
static kw_status wake(void *self) {
    struct i2c_link *link = self;
    const uint8_t zero = 0;
    for (unsigned i = 0; i < WAKES; i++) {
        uint8_t frame[KW_RESPONSE_MIN];
        (void)link->bus.write(link->bus.self, 0, &zero, 1);
        rest(link, WAKE_US);
        if (put_word(link, WORD_RESET) && get(link, frame, sizeof frame) &&
            frame[0] >= KW_RESPONSE_MIN && frame[0] <= KW_RESPONSE_MAX) {
            return KW_OK;
        }
    }
    return KW_ABSENT_ANSWER;
}

static kw_status idle(void *self) {
    return put_word(self, WORD_IDLE) ? KW_OK : KW_ABSENT_ANSWER;
}

static kw_status put_to_sleep(void *self) {
    return put_word(self, WORD_SLEEP) ? KW_OK : KW_ABSENT_ANSWER;
}

/* --- a command --- */

static kw_status send_packet(struct i2c_link *link, const uint8_t *packet,
                             size_t size) {
    uint8_t bytes[1 + KW_PACKET_MAX] = {WORD_COMMAND};
    bool sent = false;
    memcpy(bytes + 1, packet, size);
    for (unsigned i = 0; i < SEND_TRIES && !sent; i++) {
        sent = put(link, bytes, 1 + size);
        if (!sent) {
            rest(link, POLL_US);
        }
    }
    kw_wipe(bytes, sizeof bytes);
    return sent ? KW_OK : KW_ABSENT_ANSWER;
}

/* A busy chip does not acknowledge. */
static kw_status wait_for_count(struct i2c_link *link, uint8_t *count) {
    const int64_t deadline = link->bus.now(link->bus.self) + ANSWER_MS;
    rest(link, FIRST_US);
    while (!put_word(link, WORD_RESET) || !get(link, count, 1)) {
        KW_ENSURE(link->bus.now(link->bus.self) < deadline, KW_ABSENT_ANSWER);
        rest(link, POLL_US);
    }
    return KW_OK;
}

static kw_status read_frame(struct i2c_link *link, uint8_t *response,
                            size_t capacity, size_t *response_size) {
    const uint8_t *data = NULL;
    size_t size = 0;
    uint8_t count = 0;
    KW_TRY(wait_for_count(link, &count));
    KW_ENSURE(count >= KW_RESPONSE_MIN && count <= capacity, KW_ABSENT_CRC);
    response[0] = count;
    KW_ENSURE(get(link, response + 1, (size_t)count - 1), KW_ABSENT_ANSWER);
    *response_size = count;
    return kw_response_decode(response, count, &data, &size);
}

/* The chip keeps its answer: one that came damaged is read again. */
static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct i2c_link *link = self;
    KW_ENSURE(packet_size <= KW_PACKET_MAX, KW_PARSE_SIZE);
    KW_TRY(send_packet(link, packet, packet_size));
    kw_status status = read_frame(link, response, capacity, response_size);
    for (unsigned i = 0; i < REREADS && status == KW_ABSENT_CRC; i++) {
        status = read_frame(link, response, capacity, response_size);
    }
    return status;
}

static void close_link(void *self) {
    struct i2c_link *link = self;
    link->bus.close(link->bus.self);
    free(link);
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       NULL};

/* --- opening --- */

static kw_status nobody(struct kw_error *error, const char *name,
                        uint8_t address) {
    kw_error(error, KW_ABSENT,
             "Can't connect to i2c:%s@%02X: nothing answers at 0x%02X/7", name,
             address, address >> 1);
    return kw_error_hint(
        error, "check the wiring and the supply, the board's switches, the "
               "number of the bus, and the address (`i2cdetect` shows a chip "
               "only while it is awake)");
}

kw_status kw_i2c_open(const struct kw_i2c_bus *bus, uint8_t address,
                      const char *name, struct kw_opened_link *opened,
                      struct kw_error *error) {
    struct i2c_link *link = malloc(sizeof *link);
    if (link == NULL) {
        bus->close(bus->self);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    *link = (struct i2c_link){*bus, (uint8_t)(address >> 1)};
    if (wake(link) != KW_OK) {
        close_link(link);
        return nobody(error, name, address);
    }
    *opened = (struct kw_opened_link){{&OPS, link}, close_link};
    return KW_OK;
}
