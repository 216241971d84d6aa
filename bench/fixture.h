/* bench/fixture.h: a board with a fleet of TrustFLEX chips, in a process of
 * its own. All end the program when something fails. Knows sim/ for the
 * chips' images, and bench/load.h. */
#ifndef KW_BENCH_FIXTURE_H
#define KW_BENCH_FIXTURE_H

#include <sys/types.h>

#include "bench/load.h"
#include "core/chip.h"

struct fixture {
    char folder[64]; /* for files of the program, too */
    pid_t board;
};

void must(bool fine, const char *what);
const char *fixture_path(const struct fixture *fixture, const char *name,
                         char path[128]);

/* Makes the chips 0 to count - 1, each with keys of its own, and starts
 * `KEYWRIGHT board serve`. */
void fixture_start(struct fixture *fixture, char *keywright, unsigned count);
/* Ends the board and removes the folder. */
void fixture_end(struct fixture *fixture);

/* A connection to the fleet's socket; what chooses a chip on it. */
int fixture_connect(const struct fixture *fixture);
struct exchange fixture_choose(unsigned chip);
struct exchange fixture_wake(void);
/* A command, and how many bytes its answer has. */
struct exchange fixture_command(struct kw_command command, size_t answer_size);

#endif
