/* core/winc_flash.h: the SPI flash behind the Wi-Fi module's registers.
 *
 * The module's own flash controller does the work: a command is laid into
 * its registers, started and polled. It answers only in download mode, in
 * which the module's firmware does not run. The way to the registers is a
 * port of four functions: an SPI bus on a microcontroller, an emulated
 * module on a PC.
 * Sources: register addresses and sequences as in the BSD-licensed WiFi101
 * driver; opcodes as in the data sheets of common serial NOR flashes.
 * Knows core/status.h alone. */
#ifndef KW_CORE_WINC_FLASH_H
#define KW_CORE_WINC_FLASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define KW_WINC_PAGE   256u
#define KW_WINC_SECTOR 4096u

struct kw_winc_port {
    kw_status (*read_register)(void *self, uint32_t address, uint32_t *value);
    kw_status (*write_register)(void *self, uint32_t address, uint32_t value);
    /* Up to KW_WINC_PAGE bytes of the module's memory. */
    kw_status (*read_block)(void *self, uint32_t address, uint8_t *bytes,
                            size_t size);
    kw_status (*write_block)(void *self, uint32_t address, const uint8_t *bytes,
                             size_t size);
    /* Waits; NULL: the port needs no waiting. */
    void (*sleep_ms)(void *self, unsigned milliseconds);
    void *self;
};

struct kw_winc_flash {
    const struct kw_winc_port *port;
    uint32_t chip_id;  /* as drivers show it: 0x1503A0 */
    uint32_t flash_id; /* the answer to RDID */
    uint32_t size;     /* bytes */
    uint32_t erases;   /* counted since the flash was opened */
    uint32_t programs;
};

/* Halts the module's firmware, wakes the flash and asks both who they are.
 * KW_CHIP_FLASH_ID: neither 4 nor 8 Mbit answer, or no module. */
KW_MUST_USE kw_status kw_winc_flash_open(const struct kw_winc_port *port,
                                         struct kw_winc_flash *flash);
/* Puts the flash to sleep and resets the module: its firmware starts. */
KW_MUST_USE kw_status kw_winc_flash_close(struct kw_winc_flash *flash);

/* Any size. */
KW_MUST_USE kw_status kw_winc_flash_read(struct kw_winc_flash *flash,
                                         uint32_t address, uint8_t *bytes,
                                         size_t size);
/* Within one page; clears bits only. KW_CHIP_FLASH_BUSY. */
KW_MUST_USE kw_status kw_winc_flash_program(struct kw_winc_flash *flash,
                                            uint32_t address,
                                            const uint8_t *bytes, size_t size);
/* The sector that holds the address. KW_CHIP_FLASH_BUSY. */
KW_MUST_USE kw_status kw_winc_flash_erase(struct kw_winc_flash *flash,
                                          uint32_t address);

#endif
