/* host/i2c.h: the calls that reach an I2C bus, so that a test can put
 * recorded transfers in their place. Knows host/links.h and
 * core/packet.h; not i2c-dev: that is host/link_i2c.c. */
#ifndef KW_HOST_I2C_H
#define KW_HOST_I2C_H

#include <stddef.h>
#include <stdint.h>

#include "host/links.h"

struct kw_i2c_bus {
    /* One transfer each; false: not acknowledged, or the bus failed. */
    bool (*write)(void *self, uint8_t address_7bit, const uint8_t *bytes,
                  size_t size);
    bool (*read)(void *self, uint8_t address_7bit, uint8_t *bytes, size_t size);
    void (*pause)(void *self, unsigned microseconds);
    int64_t (*now)(void *self); /* milliseconds */
    void (*close)(void *self);
    void *self;
};

/* A link to the chip at the address (8-bit form), once it answered a wake.
 * Takes the bus in any case. KW_ABSENT: nothing answers there. */
KW_MUST_USE kw_status kw_i2c_open(const struct kw_i2c_bus *bus, uint8_t address,
                                  const char *name,
                                  struct kw_opened_link *opened,
                                  struct kw_error *error);

#endif
