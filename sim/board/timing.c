#include "sim/board/timing.h"

#include <stddef.h>

#define CLOCK_DIVIDER 0xF8
/* The two slower dividers that the library knows; any other counts as the
 * fastest clock. */
#define CLOCK_M1 0x28
#define CLOCK_M2 0x68

struct limit {
    uint8_t opcode;
    uint16_t milliseconds[3]; /* M0, M1, M2 */
};

static const struct limit LIMITS[] = {
    {0x02, {5, 5, 5}},        {0x08, {55, 55, 55}},    {0x12, {45, 45, 45}},
    {0x15, {25, 35, 35}},     {0x16, {20, 20, 20}},    {0x17, {35, 35, 35}},
    {0x1B, {23, 23, 23}},     {0x1C, {50, 50, 50}},    {0x20, {10, 10, 10}},
    {0x24, {25, 25, 25}},     {0x28, {40, 40, 40}},    {0x30, {5, 5, 5}},
    {0x40, {115, 215, 653}},  {0x41, {115, 220, 665}}, {0x43, {75, 172, 531}},
    {0x45, {105, 295, 1085}}, {0x46, {50, 50, 50}},    {0x47, {36, 42, 75}},
    {0x51, {27, 27, 27}},     {0x56, {165, 165, 165}}, {0x77, {250, 625, 2324}},
    {0x80, {80, 160, 480}},
};

uint64_t kw_sim_execution_limit(uint8_t opcode, uint8_t chip_mode) {
    const uint8_t divider = chip_mode & CLOCK_DIVIDER;
    const size_t clock = divider == CLOCK_M1 ? 1 : divider == CLOCK_M2 ? 2 : 0;
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        if (LIMITS[i].opcode == opcode) {
            return LIMITS[i].milliseconds[clock] * (uint64_t)1000;
        }
    }
    return 1000;
}
