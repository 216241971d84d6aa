/* tests/fuzz/chip_rules.h: what no command may ever do to an EEPROM. */
#ifndef KW_TESTS_FUZZ_CHIP_RULES_H
#define KW_TESTS_FUZZ_CHIP_RULES_H

#include "sim/atecc608/chip.h"

/* Aborts unless a command of this opcode may have made the one of the
 * other. */
void fuzz_check_change(const struct kw_sim_eeprom *before,
                       const struct kw_sim_eeprom *after, uint8_t opcode);

#endif
