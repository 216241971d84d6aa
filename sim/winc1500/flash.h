/* sim/winc1500/flash.h: a serial NOR flash in software.
 *
 * Commands come as bytes, as on its SPI bus. Programming clears bits within
 * one page of 256 bytes; an erase sets a sector of 4096; both need a write
 * enable and keep the flash busy for some polls. A power cut can be set
 * between any two bytes of an operation: what was begun stays torn, and
 * nothing answers until the power is back.
 * Facts: common opcodes of serial NOR flashes; the answer to RDID tells 4 or
 * 8 Mbit as the module's drivers read it.
 * Knows core/status.h alone. */
#ifndef KW_SIM_WINC1500_FLASH_H
#define KW_SIM_WINC1500_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define KW_NOR_PAGE   256u
#define KW_NOR_SECTOR 4096u
#define KW_NOR_4_MBIT 0x80000u
#define KW_NOR_8_MBIT 0x100000u

/* Told after each erase and program with the bytes that it touched; when it
 * fails the power is gone. */
struct kw_nor_store {
    kw_status (*changed)(void *self, const uint8_t *memory, uint32_t address,
                         uint32_t size, bool erase);
    void *self;
};

struct kw_nor {
    uint8_t *memory;  /* size bytes, the caller's */
    uint32_t size;    /* KW_NOR_4_MBIT or KW_NOR_8_MBIT */
    uint32_t *erases; /* one count a sector, the caller's; may be NULL */
    struct kw_nor_store store;
    unsigned busy_polls; /* status reads until an operation is done */
    /* Faults. */
    bool cut_armed;
    uint64_t cut_after; /* operations that are still done whole */
    uint32_t cut_bytes; /* bytes of the torn one that are done */
    uint32_t stuck_at;  /* address of a byte whose bit 0 stays 0; 0: none */
    uint32_t no_erase;  /* a sector that does not erase; 0: none */
    /* State. */
    bool unpowered;
    bool asleep;
    bool write_enabled;
    unsigned busy;
    uint64_t operations; /* erases and programs so far */
    uint64_t erase_count;
    uint64_t program_count;
};

/* Power off and on; faults that were set stay, a cut that happened does
 * not. */
void kw_nor_power_up(struct kw_nor *nor);

/* One command: what the host sends, and what it reads. Unknown commands
 * read FF. */
void kw_nor_command(struct kw_nor *nor, const uint8_t *sent, size_t sent_size,
                    uint8_t *read, size_t read_size);

#endif
