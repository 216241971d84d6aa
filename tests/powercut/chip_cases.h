/* tests/powercut/chip_cases.h: every command that writes the EEPROM, each
 * from a state in which it succeeds.
 *
 * A case gives the state and one mode that writes; the runner tries all 256
 * modes from there and cuts each that does. Knows tests/unit/chip_fixture.h. */
#ifndef KW_TESTS_POWERCUT_CHIP_CASES_H
#define KW_TESTS_POWERCUT_CHIP_CASES_H

#include "tests/unit/chip_fixture.h"

enum chip_locks { BOTH_OPEN, DATA_OPEN, BOTH_LOCKED };

struct chip_call {
    uint8_t opcode;
    uint8_t mode;
    uint16_t param2;
    uint8_t data[KW_PACKET_MAX - KW_PACKET_OVERHEAD];
    size_t size;
};

#define NO_SLOT (-1)

struct chip_case {
    const char *name;
    uint8_t opcode;
    uint8_t mode;
    uint16_t param2;
    enum chip_locks locks;
    int limited; /* the slot that has LimitedUse; NO_SLOT: none */
    void (*settle)(struct kw_sim_eeprom *eeprom);                /* or NULL */
    void (*before)(struct bench *bench, struct chip_call *call); /* or NULL */
};

extern const struct chip_case CHIP_CASES[];
extern const size_t CHIP_CASE_COUNT;

/* Opcodes that never write; all others of the chip have a case. */
extern const uint8_t CHIP_READERS[];
extern const size_t CHIP_READER_COUNT;

/* Makes the keys outside the chip; once, before all else. */
void chip_cases_prepare(void);

struct kw_sim_eeprom chip_case_eeprom(const struct chip_case *one);

/* Brings an awake chip with that EEPROM so far that the call, which it fills
 * in, succeeds if its mode is one that can. */
void chip_case_begin(const struct chip_case *one, uint8_t mode,
                     struct bench *bench, struct chip_call *call);

#endif
