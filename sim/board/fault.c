#include "sim/board/fault.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "sim/board/bus.h"

/* --- the generator: SplitMix64 --- */

static uint64_t draw(struct kw_sim_fault *fault) {
    uint64_t value = fault->state += 0x9E3779B97F4A7C15u;
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

/* Each chip has a sequence of its own: FNV-1a of its name. */
static uint64_t hash_of(const char *name) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 0x100000001B3u;
    }
    return hash;
}

void kw_sim_fault_begin(struct kw_sim_place *place,
                        const struct kw_sim_fault_plan *plan) {
    struct kw_sim_fault *fault = &place->fault;
    *fault = (struct kw_sim_fault){
        .plan = *plan,
        .on = true,
        .state = plan->seed ^ hash_of(place->name),
    };
    kw_sim_chip_cut_supply(place->chip, plan->cut, (draw(fault) & 1) != 0);
}

/* --- what happens to a packet --- */

static enum kw_sim_fault_kind choose(const struct kw_sim_fault_plan *plan,
                                     uint32_t number, uint64_t detail) {
    const struct {
        uint32_t rate;
        enum kw_sim_fault_kind kind;
    } kinds[] = {
        {plan->garble, (detail & 1) != 0 ? KW_SIM_FAULT_GARBLED_RESPONSE
                                         : KW_SIM_FAULT_GARBLED_PACKET},
        {plan->lose, KW_SIM_FAULT_LOST},
        {plan->nak, KW_SIM_FAULT_NAK},
        {plan->stick, KW_SIM_FAULT_STUCK},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (number < kinds[i].rate) {
            return kinds[i].kind;
        }
        number -= kinds[i].rate;
    }
    return KW_SIM_FAULT_NONE;
}

/* Two draws a packet, always: a rate changes no later decision. */
static void draw_for_packet(struct kw_sim_fault *fault) {
    if (fault->drawn) {
        return;
    }
    const uint32_t number = (uint32_t)(draw(fault) % KW_SIM_FAULT_SCALE);
    fault->detail = draw(fault);
    fault->kind = choose(&fault->plan, number, fault->detail);
    fault->drawn = true;
}

static void report(struct kw_sim_bus *bus, struct kw_sim_place *place,
                   uint8_t opcode, const char *what) {
    char words[160];
    place->fault.number++;
    if (bus->log == NULL) {
        return;
    }
    (void)snprintf(words, sizeof words, "fault %u of %s, command %02X: %s",
                   (unsigned)place->fault.number, place->name, opcode, what);
    bus->log(bus->log_self, words);
}

static void flip_bit(uint8_t *bytes, size_t size, uint64_t detail) {
    const size_t bit = (size_t)((detail >> 1) % (8 * size));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

bool kw_sim_fault_naks(struct kw_sim_bus *bus, struct kw_sim_place *place) {
    struct kw_sim_fault *fault = &place->fault;
    if (!fault->on) {
        return false;
    }
    draw_for_packet(fault);
    if (fault->kind != KW_SIM_FAULT_NAK) {
        return false;
    }
    report(bus, place, 0, "the chip does not acknowledge it");
    fault->drawn = false;
    fault->kind = KW_SIM_FAULT_NONE;
    return true;
}

/* --- execution --- */

static size_t execute_garbled(struct kw_sim_place *place, const uint8_t *packet,
                              size_t size, uint8_t response[KW_RESPONSE_MAX]) {
    uint8_t bytes[KW_SIM_FIFO_SIZE];
    const size_t taken = size < sizeof bytes ? size : sizeof bytes;
    memcpy(bytes, packet, taken);
    flip_bit(bytes, taken, place->fault.detail);
    const size_t answered =
        kw_sim_chip_execute(place->chip, bytes, taken, response);
    kw_wipe(bytes, sizeof bytes);
    return answered;
}

/* The number of the write at which the supply fails counts the chip's own
 * writes, whatever happens on the wires. */
static size_t execute_and_watch(struct kw_sim_bus *bus,
                                struct kw_sim_place *place,
                                const uint8_t *packet, size_t size,
                                uint8_t response[KW_RESPONSE_MAX]) {
    const bool awake = kw_sim_chip_is_awake(place->chip);
    const size_t answered =
        kw_sim_chip_execute(place->chip, packet, size, response);
    if (awake && answered == 0) {
        report(bus, place, packet[1], kw_sim_chip_reason(place->chip));
    }
    return answered;
}

size_t kw_sim_fault_execute(struct kw_sim_bus *bus, struct kw_sim_place *place,
                            const uint8_t *packet, size_t size,
                            uint8_t response[KW_RESPONSE_MAX], bool *stuck) {
    struct kw_sim_fault *fault = &place->fault;
    const uint8_t opcode = size > 1 ? packet[1] : 0;
    *stuck = false;
    if (!fault->on || size < 2 || !kw_sim_chip_is_awake(place->chip)) {
        return kw_sim_chip_execute(place->chip, packet, size, response);
    }
    draw_for_packet(fault);
    fault->drawn = false;
    if (fault->kind == KW_SIM_FAULT_NAK) {
        report(bus, place, opcode, "the chip does not take it");
        return 0;
    }
    if (fault->kind == KW_SIM_FAULT_GARBLED_PACKET) {
        report(bus, place, opcode, "a bit of the packet flips");
        return execute_garbled(place, packet, size, response);
    }
    const size_t answered =
        execute_and_watch(bus, place, packet, size, response);
    if (answered == 0) {
        return 0;
    }
    if (fault->kind == KW_SIM_FAULT_STUCK) {
        report(bus, place, opcode, "the chip stays busy");
        *stuck = true;
    }
    if (fault->kind == KW_SIM_FAULT_LOST) {
        report(bus, place, opcode, "the response is lost");
        return 0;
    }
    if (fault->kind == KW_SIM_FAULT_GARBLED_RESPONSE) {
        report(bus, place, opcode, "a bit of the response flips");
        flip_bit(response, answered, fault->detail);
    }
    return answered;
}

size_t kw_sim_fault_output(struct kw_sim_place *place,
                           uint8_t response[KW_RESPONSE_MAX]) {
    const struct kw_sim_fault *fault = &place->fault;
    const size_t size = kw_sim_chip_output(place->chip, response);
    if (!fault->on || size == 0 || fault->kind == KW_SIM_FAULT_NONE) {
        return size;
    }
    if (fault->kind == KW_SIM_FAULT_GARBLED_RESPONSE) {
        flip_bit(response, size, fault->detail);
    }
    return fault->kind == KW_SIM_FAULT_LOST || fault->kind == KW_SIM_FAULT_NAK
               ? 0
               : size;
}

void kw_sim_fault_heal(struct kw_sim_place *place) {
    if (place->fault.kind == KW_SIM_FAULT_GARBLED_RESPONSE) {
        place->fault.kind = KW_SIM_FAULT_NONE;
    }
}

void kw_sim_fault_forget(struct kw_sim_place *place) {
    place->fault.kind = KW_SIM_FAULT_NONE;
    place->fault.drawn = false;
}
