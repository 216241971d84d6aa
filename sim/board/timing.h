/* sim/board/timing.h: how long a command may take.
 *
 * Limits of the vendor's library, the only public figures for this part; no
 * data-sheet maxima (low confidence). Knows nobody. */
#ifndef KW_SIM_BOARD_TIMING_H
#define KW_SIM_BOARD_TIMING_H

#include <stdint.h>

/* Microseconds, for the clock divider in ChipMode (byte 19, bits 7:3); 1 ms
 * for an opcode that the chip does not have. */
uint64_t kw_sim_execution_limit(uint8_t opcode, uint8_t chip_mode);

#endif
