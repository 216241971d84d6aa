#include "host/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/packet.h"
#include "host/serial.h"
#include "host/text.h"

#define ANSWER_MS   3000 /* the slowest command needs 2.4 s */
#define SCANS       8
#define WAKES       3 /* tries */
#define STATUS_TEXT 3 /* "SS(" */

struct kit_link {
    struct kw_kit_port port;
    char bytes[KW_KIT_LINE_MAX]; /* what came behind the last line */
    size_t size;
};

/* --- lines --- */

/* Takes a line from what has come; answers whether one was there. NULs pad
 * the reports of USB. */
static bool take_line(struct kit_link *kit, char line[KW_KIT_LINE_MAX]) {
    const char *end = memchr(kit->bytes, '\n', kit->size);
    size_t length = 0;
    if (end == NULL) {
        return false;
    }
    for (const char *at = kit->bytes; at < end; at++) {
        if (*at != '\0' && *at != '\r') {
            line[length++] = *at;
        }
    }
    line[length] = '\0';
    kit->size -= (size_t)(end + 1 - kit->bytes);
    memmove(kit->bytes, end + 1, kit->size);
    return true;
}

static kw_status receive_line(struct kit_link *kit,
                              char line[KW_KIT_LINE_MAX]) {
    const int64_t deadline = kw_serial_now() + ANSWER_MS;
    while (!take_line(kit, line)) {
        size_t size = 0;
        const int64_t left = deadline - kw_serial_now();
        KW_ENSURE(kit->size < sizeof kit->bytes, KW_ABSENT_CRC);
        KW_ENSURE(left > 0, KW_ABSENT_ANSWER);
        KW_TRY(kit->port.receive(kit->port.self, kit->bytes + kit->size,
                                 sizeof kit->bytes - kit->size, (int)left,
                                 &size));
        kit->size += size;
    }
    return KW_OK;
}

static kw_status ask(struct kit_link *kit, const char *request,
                     char answer[KW_KIT_LINE_MAX]) {
    KW_TRY(kit->port.send(kit->port.self, request, strlen(request)));
    return receive_line(kit, answer);
}

/* SS(HEX): the status is the program's own; a chip's travels in its frame. */
static kw_status read_answer(const char *line, uint8_t *bytes, size_t capacity,
                             size_t *size) {
    uint8_t status = 0;
    const size_t length = strlen(line);
    char digits[STATUS_TEXT] = "";
    KW_ENSURE(length > STATUS_TEXT && line[2] == '(' &&
                  line[length - 1] == ')' && length % 2 == 0,
              KW_ABSENT_CRC);
    memcpy(digits, line, 2);
    KW_ENSURE(kw_hex_read(digits, &status, 1) == KW_OK, KW_ABSENT_CRC);
    *size = (length - STATUS_TEXT - 1) / 2;
    KW_ENSURE(status == 0 || *size > 0, KW_ABSENT_ANSWER);
    KW_ENSURE(*size <= capacity, KW_ABSENT_CRC);
    char hex[2 * KW_RESPONSE_MAX + 1] = "";
    memcpy(hex, line + STATUS_TEXT, 2 * *size);
    return kw_hex_read(hex, bytes, *size) == KW_OK ? KW_OK : KW_ABSENT_CRC;
}

static kw_status order(struct kit_link *kit, const char *request,
                       uint8_t bytes[KW_RESPONSE_MAX], size_t *size) {
    char line[KW_KIT_LINE_MAX];
    KW_TRY(ask(kit, request, line));
    return read_answer(line, bytes, KW_RESPONSE_MAX, size);
}

/* --- the link --- */

/* A program that lost a line, or a chip that missed its wake, gets another
 * chance. */
static kw_status wake(void *self) {
    static const uint8_t AWOKE[] = {0x04, 0x11, 0x33, 0x43};
    uint8_t bytes[KW_RESPONSE_MAX];
    size_t size = 0;
    kw_status status = KW_ABSENT;
    for (unsigned i = 0; i < WAKES && status != KW_OK; i++) {
        status = order(self, "E:w()\n", bytes, &size);
        if (status == KW_OK &&
            (size != sizeof AWOKE || memcmp(bytes, AWOKE, sizeof AWOKE) != 0)) {
            status = KW_ABSENT_CRC;
        }
        if (status == KW_ABSENT_ANSWER && i > 0) {
            return status;
        }
    }
    return status;
}

static kw_status idle(void *self) {
    uint8_t bytes[KW_RESPONSE_MAX];
    size_t size = 0;
    return order(self, "E:i()\n", bytes, &size);
}

static kw_status put_to_sleep(void *self) {
    uint8_t bytes[KW_RESPONSE_MAX];
    size_t size = 0;
    return order(self, "E:s()\n", bytes, &size);
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    char request[2 * KW_PACKET_MAX + 8] = "E:t(";
    uint8_t bytes[KW_RESPONSE_MAX];
    size_t size = 0;
    KW_ENSURE(packet_size <= KW_PACKET_MAX, KW_PARSE_SIZE);
    kw_hex_upper(packet, packet_size, request + 4);
    memcpy(request + 4 + 2 * packet_size, ")\n", 3);
    const kw_status status = order(self, request, bytes, &size);
    kw_wipe(request, sizeof request);
    KW_TRY(status);
    KW_ENSURE(size >= KW_RESPONSE_MIN && size <= capacity, KW_ABSENT_ANSWER);
    memcpy(response, bytes, size);
    kw_wipe(bytes, sizeof bytes);
    *response_size = size;
    return KW_OK;
}

static void close_kit(void *self) {
    struct kit_link *kit = self;
    kit->port.close(kit->port.self);
    kw_wipe(kit, sizeof *kit);
    free(kit);
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       NULL};

/* --- finding the chip --- */

/* "ECC608B TWI 00(6C)": the address of a chip that fits; 0: it does not. */
static uint8_t fitting_address(const char *line, uint8_t wanted) {
    uint8_t address = 0;
    char digits[3] = "";
    const char *open = strrchr(line, '(');
    if (strncmp(line, "ECC6", 4) != 0 || strstr(line, " TWI ") == NULL ||
        open == NULL || strlen(open) != 4 || open[3] != ')') {
        return 0;
    }
    memcpy(digits, open + 1, 2);
    if (kw_hex_read(digits, &address, 1) != KW_OK) {
        return 0;
    }
    return wanted == 0 || address == wanted ? address : 0;
}

/* An answer to a line of somebody who was here before may come first: what
 * is no answer to a scan is passed over, as often as there are scans. */
static kw_status scan(struct kit_link *kit, uint8_t wanted, uint8_t *address) {
    char request[24];
    char line[KW_KIT_LINE_MAX];
    for (unsigned i = 0; i < SCANS; i++) {
        (void)snprintf(request, sizeof request, "board:device(%02X)\n", i);
        KW_TRY(ask(kit, request, line));
        for (unsigned stale = 0; strchr(line, ' ') == NULL; stale++) {
            KW_ENSURE(stale < SCANS, KW_ABSENT_CRC);
            KW_TRY(receive_line(kit, line));
        }
        *address = fitting_address(line, wanted);
        if (*address != 0) {
            return KW_OK;
        }
    }
    return KW_ABSENT;
}

static kw_status choose(struct kit_link *kit, uint8_t wanted) {
    char request[40];
    uint8_t bytes[KW_RESPONSE_MAX];
    size_t size = 0;
    uint8_t address = 0;
    KW_TRY(scan(kit, wanted, &address));
    (void)snprintf(request, sizeof request, "E:physical:select(%02X)\n",
                   address);
    return order(kit, request, bytes, &size);
}

static kw_status no_chip(struct kw_error *error, kw_status status,
                         const char *kind, const struct kw_link_place *place) {
    char which[32] = "";
    if (place->address != 0) {
        (void)snprintf(which, sizeof which, "@%02X", place->address);
    }
    kw_error(error, status, "Can't connect to %s%s%s: %s", kind, place->device,
             which,
             status == KW_ABSENT ? "no such chip on the board"
                                 : kw_status_text(status));
    return kw_error_hint(error, KW_CHECK_BOARD);
}

kw_status kw_kit_open(const struct kw_kit_port *port, const char *kind,
                      const struct kw_link_place *place,
                      struct kw_opened_link *opened, struct kw_error *error) {
    struct kit_link *kit = calloc(1, sizeof *kit);
    if (kit == NULL) {
        port->close(port->self);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    kit->port = *port;
    const kw_status status = choose(kit, place->address);
    if (status != KW_OK) {
        close_kit(kit);
        return no_chip(error, status, kind, place);
    }
    *opened = (struct kw_opened_link){{&OPS, kit}, close_kit};
    return KW_OK;
}
