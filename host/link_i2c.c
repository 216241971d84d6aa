/* host/link_i2c.c: a chip on an I2C bus of this machine, through i2c-dev. */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/i2c.h"
#include "host/link_address.h"
#include "host/serial.h"

#define DEFAULT_ADDRESS 0xC0 /* a blank part */

struct device {
    int fd;
};

static bool choose(const struct device *device, uint8_t address) {
    return ioctl(device->fd, I2C_SLAVE, (unsigned long)address) == 0;
}

static bool write_bytes(void *self, uint8_t address, const uint8_t *bytes,
                        size_t size) {
    const struct device *device = self;
    return choose(device, address) &&
           write(device->fd, bytes, size) == (ssize_t)size;
}

static bool read_bytes(void *self, uint8_t address, uint8_t *bytes,
                       size_t size) {
    const struct device *device = self;
    return choose(device, address) &&
           read(device->fd, bytes, size) == (ssize_t)size;
}

static void pause_for(void *self, unsigned microseconds) {
    const struct timespec time = {.tv_nsec = (long)microseconds * 1000};
    (void)self;
    (void)nanosleep(&time, NULL);
}

static int64_t now(void *self) {
    (void)self;
    return kw_serial_now();
}

static void close_device(void *self) {
    struct device *device = self;
    (void)close(device->fd);
    free(device);
}

kw_status kw_link_open_i2c(const char *text, struct kw_opened_link *opened,
                           struct kw_error *error) {
    struct kw_link_place place;
    KW_TRY(kw_link_place_read(text, &place, error));
    if (place.device[0] == '\0') {
        kw_error(error, KW_USAGE, "i2c: names no bus");
        return kw_error_hint(error, "i2c:/dev/i2c-1@6C, for example");
    }
    const int fd = open(place.device, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        kw_error(error, KW_ABSENT, "Can't connect to i2c:%s: %s", place.device,
                 strerror(errno));
        return kw_error_hint(error, "check that the kernel module i2c-dev is "
                                    "loaded and that you may open the bus");
    }
    const kw_status locked = kw_serial_lock(fd, "i2c:", place.device, error);
    struct device *device = locked == KW_OK ? malloc(sizeof *device) : NULL;
    if (device == NULL) {
        (void)close(fd);
        KW_TRY(locked);
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    device->fd = fd;
    const struct kw_i2c_bus bus = {write_bytes, read_bytes,   pause_for,
                                   now,         close_device, device};
    return kw_i2c_open(&bus,
                       place.address == 0 ? DEFAULT_ADDRESS : place.address,
                       place.device, opened, error);
}
