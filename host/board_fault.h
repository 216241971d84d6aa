/* host/board_fault.h: what `board serve --fault` asks for.
 *
 * SEED, or SEED:KIND=VALUE,..: docs/cli.md, "board serve". Knows
 * host/error.h alone. */
#ifndef KW_HOST_BOARD_FAULT_H
#define KW_HOST_BOARD_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/error.h"

/* Rates are in millionths of the packets. */
struct kw_board_faults {
    bool on;
    uint64_t seed;
    uint32_t garble;
    uint32_t lose;
    uint32_t nak;
    uint32_t stick;
    uint32_t cut; /* at which write; 0: never */
};

/* KW_USAGE: the text is no such thing. */
KW_MUST_USE kw_status kw_board_faults_read(const char *text,
                                           struct kw_board_faults *faults,
                                           struct kw_error *error);

#endif
