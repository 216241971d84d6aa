#include "sim/board/bus.h"

#include <stdio.h>
#include <string.h>

#define WAKE_MICROSECONDS 1500 /* tWHI, DS40002138A section 9 */

/* --- addresses --- */

static void latch_address(struct kw_sim_place *place) {
    place->address = kw_sim_chip_address(place->chip) & 0xFE;
}

void kw_sim_bus_power_up(struct kw_sim_bus *bus) {
    for (size_t i = 0; i < bus->count; i++) {
        latch_address(&bus->places[i]);
    }
}

static bool is_at(const struct kw_sim_place *place, uint8_t address) {
    return !place->off && (address == 0 || place->address == (address & 0xFE));
}

struct kw_sim_place *kw_sim_bus_next(struct kw_sim_bus *bus, uint8_t address,
                                     const struct kw_sim_place *after) {
    size_t i = after == NULL ? 0 : (size_t)(after - bus->places) + 1;
    for (; i < bus->count; i++) {
        if (is_at(&bus->places[i], address)) {
            return &bus->places[i];
        }
    }
    return NULL;
}

static bool is_first_at_its_address(struct kw_sim_bus *bus,
                                    const struct kw_sim_place *place) {
    return place->off || kw_sim_bus_next(bus, place->address, NULL) == place;
}

const struct kw_sim_place *kw_sim_bus_scan(struct kw_sim_bus *bus,
                                           size_t number) {
    for (size_t i = 0; i < bus->count; i++) {
        const struct kw_sim_place *place = &bus->places[i];
        if (place->off || !is_first_at_its_address(bus, place)) {
            continue;
        }
        if (number-- == 0) {
            return place;
        }
    }
    return NULL;
}

/* --- one chip --- */

static uint64_t now_of(const struct kw_sim_bus *bus) {
    return bus->now == NULL ? 0 : bus->now(bus->clock);
}

static void make_busy(const struct kw_sim_bus *bus, struct kw_sim_place *place,
                      uint64_t microseconds) {
    if (!bus->limits) {
        return;
    }
    const uint64_t now = now_of(bus);
    place->busy_until =
        (place->busy_until > now ? place->busy_until : now) + microseconds;
}

bool kw_sim_place_is_busy(const struct kw_sim_bus *bus,
                          const struct kw_sim_place *place) {
    return place->busy_until > now_of(bus);
}

static void forget_packet(struct kw_sim_place *place) {
    memset(place->fifo, 0, sizeof place->fifo);
    place->fifo_size = 0;
    place->read_at = 0;
}

/* An idle chip keeps its output; one that slept has none. */
static bool has_slept(struct kw_sim_place *place) {
    uint8_t output[KW_RESPONSE_MAX];
    return !kw_sim_chip_is_awake(place->chip) &&
           kw_sim_chip_output(place->chip, output) == 0;
}

void kw_sim_place_wake(struct kw_sim_bus *bus, struct kw_sim_place *place) {
    kw_sim_fault_forget(place);
    if (has_slept(place)) {
        latch_address(place);
    }
    if (kw_sim_chip_wake(place->chip)) {
        forget_packet(place);
        make_busy(bus, place, WAKE_MICROSECONDS);
    }
}

void kw_sim_place_idle(struct kw_sim_place *place) {
    forget_packet(place);
    kw_sim_chip_idle(place->chip);
}

void kw_sim_place_sleep(struct kw_sim_place *place) {
    forget_packet(place);
    kw_sim_chip_sleep(place->chip);
    if (has_slept(place)) {
        latch_address(place);
    }
}

size_t kw_sim_place_execute(struct kw_sim_bus *bus, struct kw_sim_place *place,
                            const uint8_t *packet, size_t size,
                            uint8_t response[KW_RESPONSE_MAX]) {
    /* Before the command can change it. */
    const uint64_t milliseconds =
        size > 1 ? kw_sim_chip_duration(place->chip, packet[1]) : 0;
    bool stuck = false;
    const size_t answered =
        kw_sim_fault_execute(bus, place, packet, size, response, &stuck);
    forget_packet(place);
    if (answered > 0) {
        make_busy(bus, place, milliseconds * 1000);
    }
    if (stuck) {
        place->busy_until = now_of(bus) + KW_SIM_STICK_MS * 1000u;
    }
    return answered;
}

/* --- all chips at an address --- */

static void log_collision(struct kw_sim_bus *bus,
                          const struct kw_sim_place *first,
                          const struct kw_sim_place *second) {
    char words[160];
    if (bus->log == NULL || bus->collided == first->address) {
        return;
    }
    bus->collided = first->address;
    (void)snprintf(words, sizeof words,
                   "%s and %s are both at address %02X: both hear the host, "
                   "and their answers mix",
                   first->name, second->name, first->address);
    bus->log(bus->log_self, words);
}

struct kw_sim_place *kw_sim_bus_hear(struct kw_sim_bus *bus, uint8_t address,
                                     const struct kw_sim_place *after) {
    if (address == 0 && after != NULL) {
        return NULL;
    }
    struct kw_sim_place *place = kw_sim_bus_next(bus, address, after);
    if (place != NULL && after != NULL) {
        log_collision(bus, after, place);
    }
    return place;
}

void kw_sim_bus_wake(struct kw_sim_bus *bus) {
    struct kw_sim_place *place = kw_sim_bus_next(bus, 0, NULL);
    for (; place != NULL; place = kw_sim_bus_next(bus, 0, place)) {
        kw_sim_place_wake(bus, place);
    }
}

void kw_sim_bus_idle(struct kw_sim_bus *bus, uint8_t address) {
    struct kw_sim_place *place = kw_sim_bus_hear(bus, address, NULL);
    for (; place != NULL; place = kw_sim_bus_hear(bus, address, place)) {
        kw_sim_place_idle(place);
    }
}

void kw_sim_bus_sleep(struct kw_sim_bus *bus, uint8_t address) {
    /* A sleep may latch another address: find the next one first. */
    struct kw_sim_place *place = kw_sim_bus_hear(bus, address, NULL);
    while (place != NULL) {
        struct kw_sim_place *next = kw_sim_bus_hear(bus, address, place);
        kw_sim_place_sleep(place);
        place = next;
    }
}

/* A bit is high when nobody pulls it low; who has no more to say pulls
 * nothing. */
static size_t mix(uint8_t *mixed, size_t mixed_size, const uint8_t *other,
                  size_t other_size) {
    const size_t both = mixed_size < other_size ? mixed_size : other_size;
    for (size_t i = 0; i < both; i++) {
        mixed[i] &= other[i];
    }
    if (other_size > mixed_size) {
        memcpy(mixed + mixed_size, other + mixed_size, other_size - mixed_size);
        return other_size;
    }
    return mixed_size;
}

size_t kw_sim_bus_execute(struct kw_sim_bus *bus, uint8_t address,
                          const uint8_t *packet, size_t size,
                          uint8_t response[KW_RESPONSE_MAX], uint64_t *ready) {
    size_t mixed = 0;
    struct kw_sim_place *place = kw_sim_bus_hear(bus, address, NULL);
    for (; place != NULL; place = kw_sim_bus_hear(bus, address, place)) {
        uint8_t one[KW_RESPONSE_MAX];
        const size_t answered =
            kw_sim_place_execute(bus, place, packet, size, one);
        mixed = mix(response, mixed, one, answered);
        *ready = place->busy_until > *ready ? place->busy_until : *ready;
    }
    return mixed;
}

size_t kw_sim_bus_output(struct kw_sim_bus *bus, uint8_t address,
                         uint8_t response[KW_RESPONSE_MAX], uint64_t *ready) {
    size_t mixed = 0;
    struct kw_sim_place *place = kw_sim_bus_hear(bus, address, NULL);
    for (; place != NULL; place = kw_sim_bus_hear(bus, address, place)) {
        uint8_t one[KW_RESPONSE_MAX];
        if (kw_sim_chip_is_awake(place->chip)) {
            mixed = mix(response, mixed, one, kw_sim_fault_output(place, one));
            *ready = place->busy_until > *ready ? place->busy_until : *ready;
        }
    }
    return mixed;
}

bool kw_sim_bus_is_awake(struct kw_sim_bus *bus, uint8_t address) {
    struct kw_sim_place *place = kw_sim_bus_hear(bus, address, NULL);
    for (; place != NULL; place = kw_sim_bus_hear(bus, address, place)) {
        if (kw_sim_chip_is_awake(place->chip)) {
            return true;
        }
    }
    return false;
}
