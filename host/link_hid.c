/* host/link_hid.c: a chip behind the kit protocol on USB HID: the Trust
 * Platform board. Facts: CryptoAuthLib 3.7.8 (hal_all_platforms_kit_hidapi):
 * 03EB:2312, report number 0, reports of 64 bytes padded with zeros. */
#include <hidapi/hidapi.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "core/bytes.h"
#include "host/kit.h"
#include "host/serial.h"

#define VENDOR      0x03EB
#define PRODUCT     0x2312
#define REPORT_SIZE 64

struct hid_port {
    hid_device *device;
};

/* --- reports --- */

/* A line in as many reports as it needs. */
static kw_status send_line(void *self, const char *line, size_t size) {
    const struct hid_port *port = self;
    unsigned char report[1 + REPORT_SIZE];
    kw_status status = KW_OK;
    for (size_t at = 0; at < size && status == KW_OK; at += REPORT_SIZE) {
        const size_t left = size - at;
        memset(report, 0, sizeof report);
        memcpy(report + 1, line + at, left < REPORT_SIZE ? left : REPORT_SIZE);
        status = hid_write(port->device, report, sizeof report) < 0
                     ? KW_ABSENT_ANSWER
                     : KW_OK;
    }
    kw_wipe(report, sizeof report);
    return status;
}

static kw_status receive(void *self, char *bytes, size_t capacity,
                         int timeout_ms, size_t *size) {
    const struct hid_port *port = self;
    unsigned char report[REPORT_SIZE];
    const int count =
        hid_read_timeout(port->device, report, sizeof report, timeout_ms);
    KW_ENSURE(count > 0, KW_ABSENT_ANSWER);
    KW_ENSURE((size_t)count <= capacity, KW_ABSENT_CRC);
    memcpy(bytes, report, (size_t)count);
    kw_wipe(report, sizeof report);
    *size = (size_t)count;
    return KW_OK;
}

static void close_port(void *self) {
    struct hid_port *port = self;
    hid_close(port->device);
    (void)hid_exit();
    free(port);
}

/* --- opening --- */

static kw_status no_device(struct kw_error *error, const char *serial) {
    (void)hid_exit();
    kw_error(error, KW_ABSENT,
             "Can't connect to hid:%s: no Trust Platform board (03EB:2312) "
             "can be opened",
             serial);
    return kw_error_hint(error, KW_CHECK_BOARD
                         "; and that you may open it (udev rules)");
}

/* NULL: the first board. */
static hid_device *open_device(const char *serial) {
    wchar_t wide[sizeof(((struct kw_link_place *)0)->device)];
    if (serial[0] == '\0') {
        return hid_open(VENDOR, PRODUCT, NULL);
    }
    const size_t length = mbstowcs(wide, serial, sizeof wide / sizeof *wide);
    return length >= sizeof wide / sizeof *wide
               ? NULL
               : hid_open(VENDOR, PRODUCT, wide);
}

kw_status kw_link_open_hid(const char *text, struct kw_opened_link *opened,
                           struct kw_error *error) {
    struct kw_link_place place;
    struct hid_port *port = NULL;
    KW_TRY(kw_link_place_read(text, &place, error));
    hid_device *device = hid_init() == 0 ? open_device(place.device) : NULL;
    if (device == NULL) {
        return no_device(error, place.device);
    }
    port = malloc(sizeof *port);
    if (port == NULL) {
        hid_close(device);
        (void)hid_exit();
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    port->device = device;
    const struct kw_kit_port kit = {send_line, receive, close_port, port};
    return kw_kit_open(&kit, "hid:", &place, opened, error);
}
