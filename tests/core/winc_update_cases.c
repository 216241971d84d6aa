/* An update of one sector, on a module of a few lines: its flash is one
 * sector, all other addresses are erased and stay so. The driver's registers
 * are held against published drivers in tests/unit/test_winc_flash.c; updates
 * of several sectors, the journal and power cuts need more RAM than this
 * target has and run on the PC alone. */
#include <string.h>

#include "core/bytes.h"
#include "core/winc_update.h"
#include "tests/core/cases.h"

#define SECTOR_ADDRESS 0x4000u

enum { CHIP_ID = 0x1000, ANSWER = 0x1084, COMMAND = 0x10204 };
enum { DATA_COUNT = 0x10208, BUFFER_1 = 0x1020C, DONE = 0x10218 };
enum { PROGRAM = 0x02, STATUS = 0x05, READ = 0x0B, ERASE = 0x20, ID = 0x9F };

static uint8_t memory[KW_WINC_SECTOR];

struct tiny_module {
    uint32_t word;  /* opcode, then the address, high byte first */
    uint32_t count; /* bytes to read */
    uint8_t capacity;
    bool busy;
    uint32_t stuck_at; /* in the sector: bit 0 stays 0; 0: none */
    uint8_t staging[KW_WINC_PAGE];
};

/* --- the tiny module --- */

/* The byte at an address; NULL where nothing is but FF. */
static uint8_t *at(uint32_t address) {
    const uint32_t offset = address - SECTOR_ADDRESS;
    return offset < sizeof memory ? memory + offset : NULL;
}

static uint32_t address_of(const struct tiny_module *module) {
    return (module->word >> 24) | ((module->word >> 8) & 0xFF00) |
           ((module->word << 8) & 0xFF0000);
}

static void erase(struct tiny_module *module) {
    if (at(address_of(module)) != NULL) {
        memset(memory, 0xFF, sizeof memory);
        memory[module->stuck_at] &= module->stuck_at == 0 ? 0xFF : 0xFE;
    }
}

static void program(const struct tiny_module *module, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        uint8_t *byte = at(address_of(module) + i);
        if (byte != NULL) {
            *byte &= module->staging[i];
        }
    }
}

static void read(struct tiny_module *module) {
    for (uint32_t i = 0; i < module->count && i < KW_WINC_PAGE; i++) {
        const uint8_t *byte = at(address_of(module) + i);
        module->staging[i] = byte == NULL ? 0xFF : *byte;
    }
}

static void execute(struct tiny_module *module, uint32_t command) {
    switch (module->word & 0xFF) {
    case PROGRAM:
        program(module, (command >> 8) & 0xFFFFF);
        break;
    case ERASE:
        erase(module);
        break;
    case READ:
        read(module);
        break;
    default:
        break;
    }
}

static uint32_t answer_of(const struct tiny_module *module) {
    return (module->word & 0xFF) == ID ? (uint32_t)module->capacity << 16
                                       : module->busy;
}

static kw_status read_register(void *self, uint32_t address, uint32_t *value) {
    const struct tiny_module *module = self;
    *value = address == CHIP_ID  ? 0x001003A0
             : address == DONE   ? 1
             : address == ANSWER ? answer_of(module)
                                 : 0;
    return KW_OK;
}

static kw_status write_register(void *self, uint32_t address, uint32_t value) {
    struct tiny_module *module = self;
    if (address == BUFFER_1) {
        module->word = value;
    } else if (address == DATA_COUNT) {
        module->count = value;
    } else if (address == COMMAND) {
        execute(module, value);
    }
    return KW_OK;
}

static kw_status read_block(void *self, uint32_t address, uint8_t *bytes,
                            size_t size) {
    const struct tiny_module *module = self;
    (void)address;
    memcpy(bytes, module->staging, size);
    return KW_OK;
}

static kw_status write_block(void *self, uint32_t address, const uint8_t *bytes,
                             size_t size) {
    struct tiny_module *module = self;
    (void)address;
    memcpy(module->staging, bytes, size);
    return KW_OK;
}

static struct kw_winc_port port_of(struct tiny_module *module) {
    return (struct kw_winc_port){
        .read_register = read_register,
        .write_register = write_register,
        .read_block = read_block,
        .write_block = write_block,
        .self = module,
    };
}

/* --- the cases --- */

/* Every byte another, in 16 pages of which one is erased. */
static uint8_t content(uint32_t i) {
    return i / KW_WINC_PAGE == 7 ? 0xFF : (uint8_t)(i * 7 + i / KW_WINC_PAGE);
}

static kw_status render(void *self, uint32_t address, uint8_t *sector) {
    (void)self;
    (void)address;
    for (uint32_t i = 0; i < KW_WINC_SECTOR; i++) {
        sector[i] = content(i);
    }
    return KW_OK;
}

static const struct kw_winc_change CHANGE = {
    .address = {SECTOR_ADDRESS}, .count = 1, .render = render};

static kw_status update(struct tiny_module *module,
                        struct kw_winc_flash *flash) {
    uint8_t page[KW_WINC_PAGE];
    const struct kw_winc_port port = port_of(module);
    KW_TRY(kw_winc_flash_open(&port, flash));
    struct kw_winc_update job = {
        .flash = flash, .sector = kw_case_sector, .page = page};
    return kw_winc_update_run(&job, &CHANGE);
}

static const char *knows_its_flash(void) {
    struct tiny_module module = {.capacity = 0x13};
    const struct kw_winc_port port = port_of(&module);
    struct kw_winc_flash flash;
    KW_CHECK(kw_winc_flash_open(&port, &flash) == KW_OK);
    KW_CHECK(flash.size == 512u * 1024 && flash.chip_id == 0x1503A0);
    module.capacity = 0x14;
    KW_CHECK(kw_winc_flash_open(&port, &flash) == KW_OK);
    KW_CHECK(flash.size == 1024u * 1024);
    module.capacity = 0x15;
    KW_CHECK(kw_winc_flash_open(&port, &flash) == KW_CHIP_FLASH_ID);
    return NULL;
}

static const char *writes_a_sector_once(void) {
    struct tiny_module module = {.capacity = 0x13};
    struct kw_winc_flash flash;
    memset(memory, 0, sizeof memory);
    KW_CHECK(update(&module, &flash) == KW_OK);
    KW_CHECK(flash.erases == 1 && flash.programs == 15);
    for (uint32_t i = 0; i < sizeof memory; i++) {
        KW_CHECK(memory[i] == content(i));
    }
    KW_CHECK(update(&module, &flash) == KW_OK);
    KW_CHECK(flash.erases == 0 && flash.programs == 0);
    return NULL;
}

static const char *sees_a_bit_that_stays(void) {
    struct tiny_module module = {.capacity = 0x13, .stuck_at = 1};
    struct kw_winc_flash flash;
    memset(memory, 0, sizeof memory);
    KW_CHECK((content(1) & 1) == 1);
    KW_CHECK(update(&module, &flash) == KW_CHIP_FLASH_VERIFY);
    return NULL;
}

static const char *waits_not_for_ever(void) {
    struct tiny_module module = {.capacity = 0x13, .busy = true};
    struct kw_winc_flash flash;
    memset(memory, 0, sizeof memory);
    KW_CHECK(update(&module, &flash) == KW_CHIP_FLASH_BUSY);
    return NULL;
}

static const struct kw_case CASES[] = {
    {"knows its flash", knows_its_flash},
    {"writes a sector once", writes_a_sector_once},
    {"sees a bit that stays", sees_a_bit_that_stays},
    {"waits not for ever", waits_not_for_ever},
};

const struct kw_subject kw_winc_update_subject =
    KW_SUBJECT("winc_update", CASES);
