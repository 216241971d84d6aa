/* sim/board/bus.h: the chips of an emulated Trust Platform board on one bus.
 *
 * Addresses are in the 8-bit form of the configuration zone. A chip's own is
 * latched when it leaves sleep or gets power; two chips at one address
 * collide: both hear the host, and every bit that one of them pulls low is
 * low. A wake has no address: it wakes all.
 *
 * Facts: DS40002138A sections 2.3 (bytes 16, 19, 85), 7 and 9. Knows
 * sim/atecc608/chip.h and sim/board/fault.h. */
#ifndef KW_SIM_BOARD_BUS_H
#define KW_SIM_BOARD_BUS_H

#include "sim/atecc608/chip.h"
#include "sim/board/fault.h"

#define KW_SIM_FIFO_SIZE 256 /* bytes; a count says at most 255 */

struct kw_sim_place {
    struct kw_sim_chip *chip;
    const char *name; /* for the log */
    bool off;         /* the DIP switch took it off the bus */
    uint8_t address;  /* 8-bit form; set by kw_sim_bus_power_up */
    uint64_t busy_until;
    uint8_t fifo[KW_SIM_FIFO_SIZE]; /* a packet that is not whole yet */
    size_t fifo_size;
    size_t read_at; /* where the next I2C read begins */
    struct kw_sim_fault fault;
};

struct kw_sim_bus {
    struct kw_sim_place *places;
    size_t count;
    bool limits; /* chips are busy as long as the library's limits say */
    /* Microseconds; NULL: time stands still. */
    uint64_t (*now)(void *clock);
    void *clock;
    /* What happened, one line in words; may be NULL. */
    void (*log)(void *self, const char *words);
    void *log_self;
    uint8_t collided; /* the address that was logged last */
};

void kw_sim_bus_power_up(struct kw_sim_bus *bus);

/* The next chip at the address after the one given (NULL: the first); NULL:
 * there is none. Address 0 is any chip that is on the bus. */
struct kw_sim_place *kw_sim_bus_next(struct kw_sim_bus *bus, uint8_t address,
                                     const struct kw_sim_place *after);

/* The next chip that hears a host at the address; address 0 is the first
 * chip alone, for a host that did not choose. Logs a collision. */
struct kw_sim_place *kw_sim_bus_hear(struct kw_sim_bus *bus, uint8_t address,
                                     const struct kw_sim_place *after);

/* The nth chip on the bus as a scan finds it: one for each address. NULL:
 * there are no more. */
const struct kw_sim_place *kw_sim_bus_scan(struct kw_sim_bus *bus,
                                           size_t number);

/* One chip, by whatever wire. */
void kw_sim_place_wake(struct kw_sim_bus *bus, struct kw_sim_place *place);
void kw_sim_place_idle(struct kw_sim_place *place);
void kw_sim_place_sleep(struct kw_sim_place *place);
/* Answers the size of the response; 0: the chip does not answer. It is busy
 * afterwards where bus->limits says so. */
size_t kw_sim_place_execute(struct kw_sim_bus *bus, struct kw_sim_place *place,
                            const uint8_t *packet, size_t size,
                            uint8_t response[KW_RESPONSE_MAX]);
bool kw_sim_place_is_busy(const struct kw_sim_bus *bus,
                          const struct kw_sim_place *place);

/* All chips at an address, as a bus master that knows what I2C is. The
 * answers are mixed where chips collide; *ready is when the last is free. */
void kw_sim_bus_wake(struct kw_sim_bus *bus);
void kw_sim_bus_idle(struct kw_sim_bus *bus, uint8_t address);
void kw_sim_bus_sleep(struct kw_sim_bus *bus, uint8_t address);
size_t kw_sim_bus_execute(struct kw_sim_bus *bus, uint8_t address,
                          const uint8_t *packet, size_t size,
                          uint8_t response[KW_RESPONSE_MAX], uint64_t *ready);
size_t kw_sim_bus_output(struct kw_sim_bus *bus, uint8_t address,
                         uint8_t response[KW_RESPONSE_MAX], uint64_t *ready);

/* Whether a chip at the address is awake. */
bool kw_sim_bus_is_awake(struct kw_sim_bus *bus, uint8_t address);

#endif
