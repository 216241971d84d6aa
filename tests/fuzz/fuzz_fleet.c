/* What a client of a fleet's socket sends to choose a chip: any bytes find the
 * chip of exactly that name, or none. */
#include "host/board_fleet.h"
#include "tests/fuzz/fuzz.h"

/* Sorted, as a folder's are. */
static char *names[] = {"0", "a", "a.chip", "aa", "b", "chip-7"};

static void check(const struct kw_fleet *fleet, const uint8_t *data,
                  size_t taken, size_t number) {
    bool there = false;
    for (size_t i = 0; i < fleet->count; i++) {
        const bool same = strlen(names[i]) == taken - 2 &&
                          memcmp(names[i], data + 2, taken - 2) == 0;
        FUZZ_DEMAND(!same || number == i);
        there = there || same;
    }
    FUZZ_DEMAND(there || number == fleet->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct kw_fleet fleet = {
        .names = names, .count = sizeof names / sizeof *names, .lock = -1};
    size_t number = 0;
    const size_t taken = kw_fleet_take_choice(&fleet, data, size, &number);
    FUZZ_DEMAND(taken <= size);
    FUZZ_DEMAND(taken == 0 || taken == 2 + (size_t)data[1]);
    if (taken > 0) {
        check(&fleet, data, taken, number);
    }
    return 0;
}
