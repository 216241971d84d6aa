/* sim/board/fault.h: chips and wires that fail on purpose.
 *
 * A place draws once for each packet that reaches its chip, from a generator
 * of its own: the same seed and the same packets give the same faults,
 * whatever other chips do. A place whose fault is all zeros never fails.
 * What each kind is like on a wire: docs/cli.md, "board serve".
 *
 * Knows sim/atecc608/chip.h. */
#ifndef KW_SIM_BOARD_FAULT_H
#define KW_SIM_BOARD_FAULT_H

#include "sim/atecc608/chip.h"

#define KW_SIM_FAULT_SCALE 1000000u /* a rate of this is always */
#define KW_SIM_STICK_MS    4000u    /* longer than our own hosts wait */

/* Rates of a packet, in millionths. */
struct kw_sim_fault_plan {
    uint64_t seed;
    uint32_t garble;
    uint32_t lose;
    uint32_t nak;
    uint32_t stick;
    uint32_t cut; /* at which write of the EEPROM; 0: never */
};

enum kw_sim_fault_kind {
    KW_SIM_FAULT_NONE,
    KW_SIM_FAULT_GARBLED_PACKET,
    KW_SIM_FAULT_GARBLED_RESPONSE,
    KW_SIM_FAULT_LOST,
    KW_SIM_FAULT_NAK,
    KW_SIM_FAULT_STUCK,
};

struct kw_sim_fault {
    struct kw_sim_fault_plan plan;
    bool on;
    uint64_t state;              /* of the generator */
    uint32_t number;             /* of the fault that came last */
    bool drawn;                  /* for the packet that is coming in */
    enum kw_sim_fault_kind kind; /* of that packet or, later, its response */
    uint64_t detail;             /* which bit */
};

struct kw_sim_bus;
struct kw_sim_place;

/* From now on the chip of this place fails; its name must be set. */
void kw_sim_fault_begin(struct kw_sim_place *place,
                        const struct kw_sim_fault_plan *plan);

/* A packet begins. True: the chip does not acknowledge it. Wires that know
 * no such thing do not ask. */
bool kw_sim_fault_naks(struct kw_sim_bus *bus, struct kw_sim_place *place);

/* kw_sim_chip_execute, and kw_sim_chip_output, with what may come between;
 * *stuck: the chip is busy for KW_SIM_STICK_MS from now. */
size_t kw_sim_fault_execute(struct kw_sim_bus *bus, struct kw_sim_place *place,
                            const uint8_t *packet, size_t size,
                            uint8_t response[KW_RESPONSE_MAX], bool *stuck);
size_t kw_sim_fault_output(struct kw_sim_place *place,
                           uint8_t response[KW_RESPONSE_MAX]);

/* The response was read: who can read it again gets it whole. */
void kw_sim_fault_heal(struct kw_sim_place *place);

/* A wake: the response that failed is history. */
void kw_sim_fault_forget(struct kw_sim_place *place);

#endif
