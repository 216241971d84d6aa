/* bench/trustflex.h: a new TrustFLEX chip in memory, as a bench needs one.
 *
 * Knows sim/atecc608. */
#ifndef KW_BENCH_TRUSTFLEX_H
#define KW_BENCH_TRUSTFLEX_H

#include "sim/atecc608/chip.h"

/* A 608B, asleep. NULL: it cannot be made. */
struct kw_sim_chip *trustflex_new(void);

#endif
