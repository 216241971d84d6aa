#include "sim/winc1500/flash.h"

#include <string.h>

enum {
    OP_PROGRAM = 0x02,
    OP_WRITE_DISABLE = 0x04,
    OP_STATUS = 0x05,
    OP_WRITE_ENABLE = 0x06,
    OP_READ = 0x0B,
    OP_ERASE = 0x20,
    OP_ID = 0x9F,
    OP_RELEASE = 0xAB,
    OP_POWER_DOWN = 0xB9,
};

void kw_nor_power_up(struct kw_nor *nor) {
    nor->unpowered = false;
    nor->asleep = false;
    nor->write_enabled = false;
    nor->busy = 0;
    nor->cut_armed = false;
}

static uint32_t address_of(const struct kw_nor *nor, const uint8_t *sent) {
    const uint32_t address = ((uint32_t)sent[1] << 16) |
                             ((uint32_t)sent[2] << 8) | (uint32_t)sent[3];
    return address % nor->size;
}

/* How many bytes of this operation are done: all, or a part of them when the
 * power goes. */
static uint32_t done_of(struct kw_nor *nor, uint32_t size) {
    const bool cut = nor->cut_armed && nor->operations == nor->cut_after;
    nor->operations++;
    if (!cut) {
        return size;
    }
    nor->unpowered = true;
    return nor->cut_bytes < size ? nor->cut_bytes : size;
}

static void changed(struct kw_nor *nor, uint32_t address, uint32_t size,
                    bool erase) {
    nor->write_enabled = false;
    nor->busy = nor->busy_polls;
    if (nor->stuck_at >= address && nor->stuck_at < address + size &&
        nor->stuck_at != 0) {
        nor->memory[nor->stuck_at] &= 0xFE;
    }
    if (nor->store.changed != NULL &&
        nor->store.changed(nor->store.self, nor->memory, address, size,
                           erase) != KW_OK) {
        nor->unpowered = true;
    }
}

/* --- operations --- */

/* The byte at which the power goes is left with some of its bits set. */
static void erase(struct kw_nor *nor, uint32_t address) {
    const uint32_t start = address - address % KW_NOR_SECTOR;
    const uint32_t done = done_of(nor, KW_NOR_SECTOR);
    nor->erase_count++;
    if (nor->erases != NULL) {
        nor->erases[start / KW_NOR_SECTOR]++;
    }
    if (nor->no_erase != 0 && nor->no_erase == start) {
        changed(nor, start, 0, true);
        return;
    }
    memset(nor->memory + start, 0xFF, done);
    if (done < KW_NOR_SECTOR) {
        nor->memory[start + done] |= 0x5A;
    }
    changed(nor, start, KW_NOR_SECTOR, true);
}

/* Bytes behind the page's end wrap to its start, as in real parts. */
static void program(struct kw_nor *nor, uint32_t address, const uint8_t *bytes,
                    size_t size) {
    const uint32_t page = address - address % KW_NOR_PAGE;
    const uint32_t count = size < KW_NOR_PAGE ? (uint32_t)size : KW_NOR_PAGE;
    const uint32_t done = done_of(nor, count);
    nor->program_count++;
    for (uint32_t i = 0; i < done; i++) {
        nor->memory[page + (address + i) % KW_NOR_PAGE] &= bytes[i];
    }
    if (done < count) {
        nor->memory[page + (address + done) % KW_NOR_PAGE] &=
            (uint8_t)(bytes[done] | 0x5A);
    }
    changed(nor, page, KW_NOR_PAGE, false);
}

static void read_memory(const struct kw_nor *nor, uint32_t address,
                        uint8_t *read, size_t size) {
    for (size_t i = 0; i < size; i++) {
        read[i] = nor->memory[(address + i) % nor->size];
    }
}

static void read_status(struct kw_nor *nor, uint8_t *read, size_t size) {
    const uint8_t status =
        (uint8_t)((nor->busy > 0 ? 1 : 0) | (nor->write_enabled ? 2 : 0));
    if (size > 0) {
        memset(read, status, size);
    }
    nor->busy -= nor->busy > 0 ? 1u : 0u;
}

/* Maker and type are those of one common part; only the size is asked. */
static void read_id(const struct kw_nor *nor, uint8_t *read, size_t size) {
    const uint8_t id[] = {0xC2, 0x20, nor->size == KW_NOR_4_MBIT ? 0x13 : 0x14,
                          0x00};
    memcpy(read, id, size < sizeof id ? size : sizeof id);
}

/* --- commands --- */

static void run_write(struct kw_nor *nor, const uint8_t *sent, size_t size) {
    if (!nor->write_enabled || size < 4) {
        return;
    }
    if (sent[0] == OP_ERASE) {
        erase(nor, address_of(nor, sent));
        return;
    }
    if (size > 4) {
        program(nor, address_of(nor, sent), sent + 4, size - 4);
    }
}

static void run(struct kw_nor *nor, const uint8_t *sent, size_t sent_size,
                uint8_t *read, size_t read_size) {
    switch (sent[0]) {
    case OP_WRITE_ENABLE:
    case OP_WRITE_DISABLE:
        nor->write_enabled = sent[0] == OP_WRITE_ENABLE;
        break;
    case OP_READ:
        if (sent_size >= 5) {
            read_memory(nor, address_of(nor, sent), read, read_size);
        }
        break;
    case OP_ID:
        read_id(nor, read, read_size);
        break;
    case OP_ERASE:
    case OP_PROGRAM:
        run_write(nor, sent, sent_size);
        break;
    case OP_POWER_DOWN:
        nor->asleep = true;
        break;
    default:
        break;
    }
}

void kw_nor_command(struct kw_nor *nor, const uint8_t *sent, size_t sent_size,
                    uint8_t *read, size_t read_size) {
    if (read_size > 0) {
        memset(read, 0xFF, read_size);
    }
    if (nor->unpowered || sent_size == 0) {
        return;
    }
    if (sent[0] == OP_RELEASE) {
        nor->asleep = false;
        return;
    }
    if (nor->asleep) {
        return;
    }
    if (sent[0] == OP_STATUS) {
        read_status(nor, read, read_size);
        return;
    }
    if (nor->busy == 0) {
        run(nor, sent, sent_size, read, read_size);
    }
}
