/* host/link_swi.c: a chip's single wire behind a UART.
 *
 * One byte a bit, and the wire loops back. The bytes: docs/formats.md,
 * "Single wire"; sources: DS40002138A section 8, CryptoAuthLib 3.7.8
 * (hal_swi_uart). */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/packet.h"
#include "host/link_address.h"
#include "host/links.h"
#include "host/serial.h"

#define BIT_0     0x7D
#define BIT_1     0x7F
#define WAKES     5 /* tries */
#define WAKE_US   1500
#define POLL_US   2000
#define SILENT_MS 30  /* a chip that has an answer begins at once */
#define BYTES_MS  500 /* for what must come: echoes, the rest of a frame */
#define REREADS   2
#define ANSWER_MS 3000 /* the slowest command needs 2.4 s */

enum flag { COMMAND = 0x77, TRANSMIT = 0x88, IDLE = 0xBB, SLEEP = 0xCC };

struct swi_link {
    int fd;
};

static void rest(unsigned microseconds) {
    const struct timespec time = {.tv_nsec = (long)microseconds * 1000};
    (void)nanosleep(&time, NULL);
}

/* --- bytes as bits --- */

/* Sends bytes and takes their echo, which must be the same. */
static kw_status send_raw(struct swi_link *link, const uint8_t *bytes,
                          size_t size) {
    uint8_t echo[8];
    const int64_t deadline = kw_serial_now() + BYTES_MS;
    KW_ENSURE(size <= sizeof echo, KW_PARSE_SIZE);
    KW_TRY(kw_serial_send(link->fd, bytes, size, deadline));
    KW_TRY(kw_serial_receive_all(link->fd, echo, size, deadline));
    return memcmp(bytes, echo, size) == 0 ? KW_OK : KW_ABSENT_CRC;
}

static kw_status send_byte(struct swi_link *link, uint8_t byte) {
    uint8_t bits[8];
    for (unsigned i = 0; i < 8; i++) {
        bits[i] = (byte >> i & 1) != 0 ? BIT_1 : BIT_0;
    }
    return send_raw(link, bits, sizeof bits);
}

static kw_status receive_byte(struct swi_link *link, uint8_t *byte,
                              int64_t deadline) {
    uint8_t bits[8];
    unsigned value = 0;
    KW_TRY(kw_serial_receive_all(link->fd, bits, sizeof bits, deadline));
    for (unsigned i = 0; i < 8; i++) {
        value |= (unsigned)((bits[i] ^ BIT_1) < 2) << i;
    }
    *byte = (uint8_t)value;
    return KW_OK;
}

/* --- what the chip has to say --- */

/* Silence for a short while is KW_ABSENT_ANSWER: asleep or busy. */
static kw_status receive_frame(struct swi_link *link, uint8_t *frame,
                               size_t capacity, size_t *size) {
    KW_TRY(send_byte(link, TRANSMIT));
    KW_TRY(receive_byte(link, &frame[0], kw_serial_now() + SILENT_MS));
    KW_ENSURE(frame[0] >= KW_RESPONSE_MIN && frame[0] <= capacity,
              KW_ABSENT_CRC);
    const int64_t deadline = kw_serial_now() + BYTES_MS;
    for (size_t i = 1; i < frame[0]; i++) {
        KW_TRY(receive_byte(link, &frame[i], deadline));
    }
    *size = frame[0];
    return KW_OK;
}

static kw_status receive_whole(struct swi_link *link, uint8_t *frame,
                               size_t capacity, size_t *size) {
    const uint8_t *data = NULL;
    size_t data_size = 0;
    KW_TRY(receive_frame(link, frame, capacity, size));
    return kw_response_decode(frame, *size, &data, &data_size);
}

/* The chip keeps its answer: one that came damaged is asked for again, when
 * the rest of it has gone by. */
static kw_status poll_frame(struct swi_link *link, uint8_t *frame,
                            size_t capacity, size_t *size) {
    unsigned damaged = 0;
    const int64_t deadline = kw_serial_now() + ANSWER_MS;
    kw_status status = receive_whole(link, frame, capacity, size);
    while ((status == KW_ABSENT_ANSWER && kw_serial_now() < deadline) ||
           (status == KW_ABSENT_CRC && damaged++ < REREADS)) {
        rest(POLL_US);
        kw_serial_drop(link->fd);
        status = receive_whole(link, frame, capacity, size);
    }
    return status;
}

/* --- the link --- */

static kw_status send_token(struct swi_link *link) {
    const uint8_t token = 0;
    KW_TRY(kw_serial_speed(link->fd, B115200, CS7));
    KW_TRY(send_raw(link, &token, 1));
    return kw_serial_speed(link->fd, B230400, CS7);
}

static kw_status try_wake(struct swi_link *link) {
    static const uint8_t AWOKE[] = {0x04, 0x11, 0x33, 0x43};
    uint8_t frame[KW_RESPONSE_MAX];
    size_t size = 0;
    kw_serial_drop(link->fd);
    KW_TRY(send_token(link));
    rest(WAKE_US);
    KW_TRY(receive_frame(link, frame, sizeof frame, &size));
    return size == sizeof AWOKE && memcmp(frame, AWOKE, size) == 0
               ? KW_OK
               : KW_ABSENT_CRC;
}

static kw_status wake(void *self) {
    kw_status status = KW_ABSENT;
    for (unsigned i = 0; i < WAKES && status != KW_OK; i++) {
        status = try_wake(self);
    }
    return status;
}

static kw_status idle(void *self) {
    return send_byte(self, IDLE);
}

static kw_status put_to_sleep(void *self) {
    return send_byte(self, SLEEP);
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct swi_link *link = self;
    KW_TRY(send_byte(link, COMMAND));
    for (size_t i = 0; i < packet_size; i++) {
        KW_TRY(send_byte(link, packet[i]));
    }
    return poll_frame(link, response, capacity, response_size);
}

static void close_link(void *self) {
    struct swi_link *link = self;
    (void)close(link->fd);
    free(link);
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       NULL};

static kw_status hint_wire(struct kw_error *error) {
    return kw_error_hint(error,
                         "check the cable, that the port's transmit and "
                         "receive lines both reach the chip's wire, that the "
                         "chip is a single-wire part and has power; or that "
                         "`keywright board serve` runs there");
}

static kw_status nobody(struct kw_error *error, kw_status status,
                        const char *device) {
    kw_error(error, status, "Can't connect to swi:%s: %s", device,
             kw_status_text(status));
    return hint_wire(error);
}

kw_status kw_link_open_swi(const char *text, struct kw_opened_link *opened,
                           struct kw_error *error) {
    int fd = -1;
    if (text[0] == '\0') {
        kw_error(error, KW_USAGE, "swi: names no serial port");
        return kw_error_hint(error, "swi:/dev/ttyUSB0, for example");
    }
    const kw_status opening = kw_serial_open("swi:", text, B230400, &fd, error);
    if (opening != KW_OK) {
        return opening == KW_ABSENT ? hint_wire(error) : opening;
    }
    struct swi_link *link = malloc(sizeof *link);
    if (link == NULL) {
        (void)close(fd);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    link->fd = fd;
    const kw_status status = wake(link);
    if (status != KW_OK) {
        close_link(link);
        return nobody(error, status, text);
    }
    *opened = (struct kw_opened_link){{&OPS, link}, close_link};
    return KW_OK;
}
