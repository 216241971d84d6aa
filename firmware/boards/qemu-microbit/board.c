/* The nRF51's UART and the way out of the emulator.
 *
 * Registers: nRF51 Series Reference Manual v3.0.1, section 29. QEMU needs
 * neither pins nor a baud rate; a real board would. */
#include "firmware/boards/board.h"

#include <stdint.h>

#define UART_BASE    0x40002000u
#define UART_STARTTX 0x008u
#define UART_TXDRDY  0x11Cu
#define UART_ENABLE  0x500u
#define UART_TXD     0x51Cu
#define UART_ENABLED 4u

/* Semihosting for 32-bit ARM: operation in r0, reason in r1. */
#define SYS_EXIT                 0x18u
#define STOPPED_APPLICATION_EXIT 0x20026u
#define STOPPED_INTERNAL_ERROR   0x20024u

static volatile uint32_t *uart(uint32_t offset) {
    return (volatile uint32_t *)(uintptr_t)(UART_BASE + offset);
}

void kw_board_start(void) {
    *uart(UART_ENABLE) = UART_ENABLED;
    *uart(UART_STARTTX) = 1;
}

static void put_byte(uint8_t byte) {
    *uart(UART_TXDRDY) = 0;
    *uart(UART_TXD) = byte;
    while (*uart(UART_TXDRDY) == 0) {
    }
}

void kw_board_put(const char *text) {
    while (*text != '\0') {
        put_byte((uint8_t)*text++);
    }
}

_Noreturn void kw_board_exit(bool success) {
    register uint32_t operation __asm__("r0") = SYS_EXIT;
    register uint32_t reason __asm__("r1") =
        success ? STOPPED_APPLICATION_EXIT : STOPPED_INTERNAL_ERROR;
    for (;;) {
        __asm__ volatile("bkpt 0xAB"
                         : "+r"(operation)
                         : "r"(reason)
                         : "memory");
    }
}
