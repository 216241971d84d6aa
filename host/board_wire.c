#include "host/board_wire.h"

#include <time.h>

uint64_t kw_board_microseconds(void *unused) {
    struct timespec now;
    (void)unused;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
