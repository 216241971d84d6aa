/* Reads a word at an odd address, which no Cortex-M0 can. */
#include <stdint.h>

#include "firmware/boards/board.h"

static uint8_t bytes[8];

int main(void) {
    const volatile uint32_t *word = (uint32_t *)((uintptr_t)bytes | 1);
    kw_board_put("before\n");
    return *word == 0 ? 0 : 1;
}
