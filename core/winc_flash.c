#include "core/winc_flash.h"

/* Flash controller. */
enum {
    FLASH_COMMAND = 0x10204,
    FLASH_DATA_COUNT = 0x10208,
    FLASH_BUFFER_1 = 0x1020C,
    FLASH_BUFFER_2 = 0x10210,
    FLASH_BUFFER_DIR = 0x10214,
    FLASH_DONE = 0x10218,
    FLASH_DMA = 0x1021C,
    FLASH_STAGING = 0xD0000, /* pages on their way */
    FLASH_ANSWER = 0x1084,   /* up to 4 bytes */
};

/* The module. */
enum {
    CHIP_ID = 0x1000,
    BOOT_MUX = 0x1118,
    GLOBAL_RESET = 0x1400,
    FLASH_PINS = 0x1410,
    ROM_INTERRUPTS = 0x20300,
    CPU_RUNS = 1u << 10,
};

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

#define START       0x80u
#define DONE_POLLS  1000u
#define BUSY_POLLS  100000u
#define PINS_MASK   0x07777000u
#define PINS_FLASH  0x01111000u
#define PINS_PARKED 0x00010000u
#define RESET_MS    50u
#define MBIT_4      0x13u
#define MBIT_8      0x14u

static kw_status get(const struct kw_winc_flash *flash, uint32_t address,
                     uint32_t *value) {
    return flash->port->read_register(flash->port->self, address, value);
}

static kw_status set(const struct kw_winc_flash *flash, uint32_t address,
                     uint32_t value) {
    return flash->port->write_register(flash->port->self, address, value);
}

static void wait_ms(const struct kw_winc_flash *flash, unsigned ms) {
    if (flash->port->sleep_ms != NULL) {
        flash->port->sleep_ms(flash->port->self, ms);
    }
}

/* --- one command of the controller --- */

struct command {
    uint8_t opcode;
    uint8_t bytes; /* of the command: 1, 4 or 5 */
    uint32_t address;
    uint32_t dma;
    uint32_t read;    /* bytes to read */
    uint32_t written; /* bytes to write */
};

static uint32_t direction(uint8_t bytes) {
    return bytes == 1 ? 0x01 : (bytes == 4 ? 0x0F : 0x1F);
}

/* The first command byte lies lowest; the address goes out high byte
 * first. */
static uint32_t command_word(const struct command *command) {
    return command->opcode | ((command->address >> 8) & 0xFF00) |
           ((command->address << 8) & 0xFF0000) | (command->address << 24);
}

static kw_status run(struct kw_winc_flash *flash,
                     const struct command *command) {
    uint32_t done = 0;
    const uint32_t word =
        command->bytes == 1 ? command->opcode : command_word(command);
    KW_TRY(set(flash, FLASH_DATA_COUNT, command->read));
    KW_TRY(set(flash, FLASH_BUFFER_1, word));
    if (command->bytes == 5) {
        KW_TRY(set(flash, FLASH_BUFFER_2, 0xA5));
    }
    KW_TRY(set(flash, FLASH_BUFFER_DIR, direction(command->bytes)));
    KW_TRY(set(flash, FLASH_DMA, command->dma));
    KW_TRY(set(flash, FLASH_COMMAND,
               command->bytes | START | (command->written << 8)));
    for (unsigned i = 0; i < DONE_POLLS && done != 1; i++) {
        KW_TRY(get(flash, FLASH_DONE, &done));
    }
    return done == 1 ? KW_OK : KW_CHIP_FLASH_BUSY;
}

static kw_status simple(struct kw_winc_flash *flash, uint8_t opcode) {
    const struct command command = {.opcode = opcode, .bytes = 1};
    return run(flash, &command);
}

static kw_status ask(struct kw_winc_flash *flash, uint8_t opcode,
                     uint32_t *answer) {
    const struct command command = {
        .opcode = opcode, .bytes = 1, .dma = FLASH_ANSWER, .read = 4};
    KW_TRY(run(flash, &command));
    return get(flash, FLASH_ANSWER, answer);
}

/* A write or an erase goes on inside the flash. */
static kw_status wait_ready(struct kw_winc_flash *flash) {
    uint32_t status = 1;
    for (unsigned i = 0; i < BUSY_POLLS && (status & 1) != 0; i++) {
        KW_TRY(ask(flash, OP_STATUS, &status));
    }
    KW_ENSURE((status & 1) == 0, KW_CHIP_FLASH_BUSY);
    return simple(flash, OP_WRITE_DISABLE);
}

/* --- download mode --- */

static kw_status set_pins(struct kw_winc_flash *flash, uint32_t pins) {
    uint32_t value = 0;
    KW_TRY(get(flash, FLASH_PINS, &value));
    return set(flash, FLASH_PINS, (value & ~PINS_MASK) | pins);
}

/* The chip is reset and its processor kept from starting the firmware. */
static kw_status halt(struct kw_winc_flash *flash) {
    uint32_t value = 0;
    KW_TRY(set(flash, GLOBAL_RESET, 0));
    wait_ms(flash, RESET_MS);
    KW_TRY(get(flash, BOOT_MUX, &value));
    KW_TRY(set(flash, BOOT_MUX, value | 1));
    KW_TRY(get(flash, GLOBAL_RESET, &value));
    if ((value & CPU_RUNS) != 0) {
        KW_TRY(set(flash, GLOBAL_RESET, value & ~(uint32_t)CPU_RUNS));
    }
    return set(flash, ROM_INTERRUPTS, 0);
}

static kw_status identify(struct kw_winc_flash *flash) {
    KW_TRY(get(flash, CHIP_ID, &flash->chip_id));
    /* Drivers show these four bits as 5. */
    flash->chip_id = (flash->chip_id & ~0xF0000u) | 0x50000u;
    KW_ENSURE(flash->chip_id >> 16 == 0x15, KW_CHIP_FLASH_ID);
    KW_TRY(ask(flash, OP_ID, &flash->flash_id));
    const uint32_t capacity = (flash->flash_id >> 16) & 0xFF;
    KW_ENSURE(capacity == MBIT_4 || capacity == MBIT_8, KW_CHIP_FLASH_ID);
    flash->size = 1u << capacity;
    return KW_OK;
}

kw_status kw_winc_flash_open(const struct kw_winc_port *port,
                             struct kw_winc_flash *flash) {
    *flash = (struct kw_winc_flash){.port = port};
    KW_TRY(halt(flash));
    KW_TRY(set_pins(flash, PINS_FLASH));
    KW_TRY(simple(flash, OP_RELEASE));
    return identify(flash);
}

kw_status kw_winc_flash_close(struct kw_winc_flash *flash) {
    uint32_t value = 0;
    KW_TRY(simple(flash, OP_POWER_DOWN));
    KW_TRY(set_pins(flash, PINS_PARKED));
    KW_TRY(get(flash, BOOT_MUX, &value));
    KW_TRY(set(flash, BOOT_MUX, value & ~1u));
    KW_TRY(set(flash, GLOBAL_RESET, 0));
    wait_ms(flash, RESET_MS);
    return set(flash, GLOBAL_RESET, CPU_RUNS);
}

/* --- reading and writing --- */

static kw_status read_page(struct kw_winc_flash *flash, uint32_t address,
                           uint8_t *bytes, size_t size) {
    const struct command command = {.opcode = OP_READ,
                                    .bytes = 5,
                                    .address = address,
                                    .dma = FLASH_STAGING,
                                    .read = (uint32_t)size};
    KW_TRY(run(flash, &command));
    return flash->port->read_block(flash->port->self, FLASH_STAGING, bytes,
                                   size);
}

kw_status kw_winc_flash_read(struct kw_winc_flash *flash, uint32_t address,
                             uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size; done += KW_WINC_PAGE) {
        const size_t left = size - done;
        KW_TRY(read_page(flash, address + (uint32_t)done, bytes + done,
                         left < KW_WINC_PAGE ? left : KW_WINC_PAGE));
    }
    return KW_OK;
}

kw_status kw_winc_flash_program(struct kw_winc_flash *flash, uint32_t address,
                                const uint8_t *bytes, size_t size) {
    const struct command command = {.opcode = OP_PROGRAM,
                                    .bytes = 4,
                                    .address = address,
                                    .dma = FLASH_STAGING,
                                    .written = (uint32_t)size};
    KW_ENSURE(size <= KW_WINC_PAGE - address % KW_WINC_PAGE, KW_USAGE);
    KW_TRY(flash->port->write_block(flash->port->self, FLASH_STAGING, bytes,
                                    size));
    KW_TRY(simple(flash, OP_WRITE_ENABLE));
    flash->programs++;
    KW_TRY(run(flash, &command));
    return wait_ready(flash);
}

kw_status kw_winc_flash_erase(struct kw_winc_flash *flash, uint32_t address) {
    /* Any address of the sector erases it; drivers take sector + 10. */
    const struct command command = {.opcode = OP_ERASE,
                                    .bytes = 4,
                                    .address = address -
                                               address % KW_WINC_SECTOR + 10};
    KW_TRY(simple(flash, OP_WRITE_ENABLE));
    flash->erases++;
    KW_TRY(run(flash, &command));
    return wait_ready(flash);
}
