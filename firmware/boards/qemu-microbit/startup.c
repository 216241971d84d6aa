/* From reset to main: vectors, memory, and what happens on a fault. */
#include <stdint.h>
#include <string.h>

#include "firmware/boards/board.h"

#define STACK_PATTERN 0xA5

/* Borders of the memory, from microbit.ld: their addresses are meant. */
extern uint8_t kw_data_start[];
extern uint8_t kw_data_end[];
extern const uint8_t kw_data_load[];
extern uint8_t kw_bss_start[];
extern uint8_t kw_bss_end[];
extern uint8_t kw_stack_top[];

_Noreturn void kw_reset(void);

/* The stack is painted below the caller's frame, so that its deepest point
 * can be read afterwards. */
static void paint_stack(void) {
    uint8_t *const here = __builtin_frame_address(0);
    memset(kw_bss_end, STACK_PATTERN, (size_t)(here - kw_bss_end) - 128);
}

size_t kw_board_stack_used(void) {
    const uint8_t *lowest = kw_bss_end;
    while (lowest < kw_stack_top && *lowest == STACK_PATTERN) {
        lowest++;
    }
    return (size_t)(kw_stack_top - lowest);
}

_Noreturn void kw_reset(void) {
    memcpy(kw_data_start, kw_data_load, (size_t)(kw_data_end - kw_data_start));
    memset(kw_bss_start, 0, (size_t)(kw_bss_end - kw_bss_start));
    paint_stack();
    kw_board_start();
    kw_board_exit(main() == 0);
}

static _Noreturn void fault(void) {
    kw_board_put("\nthe processor faulted\n");
    kw_board_exit(false);
}

/* The sixteen vectors of the architecture; no interrupt is enabled. */
struct vectors {
    const void *stack;
    void (*handlers[15])(void);
};

__attribute__((section(".vectors"),
               used)) static const struct vectors VECTORS = {
    .stack = kw_stack_top,
    .handlers = {kw_reset, fault, fault, fault, fault, fault, fault, fault,
                 fault, fault, fault, fault, fault, fault, fault},
};
