/* host/link_kit.c: a chip behind the kit protocol on a serial port. */
#include <stdlib.h>
#include <unistd.h>

#include "host/kit.h"
#include "host/serial.h"

#define SPEED   B115200 /* USB does not care */
#define SEND_MS 2000

struct serial_port {
    int fd;
};

static kw_status send_line(void *self, const char *line, size_t size) {
    const struct serial_port *port = self;
    return kw_serial_send(port->fd, line, size, kw_serial_now() + SEND_MS);
}

static kw_status receive(void *self, char *bytes, size_t capacity,
                         int timeout_ms, size_t *size) {
    const struct serial_port *port = self;
    return kw_serial_receive(port->fd, bytes, capacity,
                             kw_serial_now() + timeout_ms, size);
}

static void close_port(void *self) {
    struct serial_port *port = self;
    (void)close(port->fd);
    free(port);
}

kw_status kw_link_open_kit(const char *text, struct kw_opened_link *opened,
                           struct kw_error *error) {
    struct kw_link_place place;
    struct serial_port *port = NULL;
    int fd = -1;
    KW_TRY(kw_link_place_read(text, &place, error));
    if (place.device[0] == '\0') {
        kw_error(error, KW_USAGE, "kit: names no serial port");
        return kw_error_hint(error, "kit:/dev/ttyACM0, for example");
    }
    KW_TRY(kw_serial_open("kit:", place.device, SPEED, &fd, error));
    port = malloc(sizeof *port);
    if (port == NULL) {
        (void)close(fd);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    port->fd = fd;
    const struct kw_kit_port kit = {send_line, receive, close_port, port};
    return kw_kit_open(&kit, "kit:", &place, opened, error);
}
