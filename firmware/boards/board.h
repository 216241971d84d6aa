/* firmware/boards/board.h: what an application asks of a board.
 *
 * Each board implements it once. Knows nobody. */
#ifndef KW_FIRMWARE_BOARDS_BOARD_H
#define KW_FIRMWARE_BOARDS_BOARD_H

#include <stdbool.h>
#include <stddef.h>

/* The application; called by the board's start-up code. */
int main(void);

/* Before anything is put: the UART. */
void kw_board_start(void);

/* Text to the UART; waits until it is out. */
void kw_board_put(const char *text);

/* Ends the run: in an emulator the emulator exits with 0 or 1, on hardware
 * the processor stops. */
_Noreturn void kw_board_exit(bool success);

/* Bytes of stack used at most since reset. */
size_t kw_board_stack_used(void);

#endif
