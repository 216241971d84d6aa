#include "sim/winc1500/module.h"

#include <string.h>

#include "core/bytes.h"

enum {
    CHIP_ID = 0x1000,
    RF_REVISION = 0x13F4,
    EFUSE = 0x1014,
    ANSWER = 0x1084,
    BOOT_MUX = 0x1118,
    GLOBAL_RESET = 0x1400,
    FLASH_PINS = 0x1410,
    FLASH_COMMAND = 0x10204,
    FLASH_DATA_COUNT = 0x10208,
    FLASH_BUFFER_1 = 0x1020C,
    FLASH_BUFFER_2 = 0x10210,
    FLASH_BUFFER_DIR = 0x10214,
    FLASH_DONE = 0x10218,
    FLASH_DMA = 0x1021C,
    STAGING = 0xD0000,
};

#define CHIP_ID_VALUE 0x001003A0u
#define RF_VALUE      0x00000001u
#define EFUSE_LOADED  0x80000000u
#define CPU_RUNS      (1u << 10)
#define PINS_MASK     0x07777000u
#define PINS_FLASH    0x01111000u
#define START         0x80u

void kw_sim_module_power_up(struct kw_sim_module *module, struct kw_nor *nor) {
    kw_nor_power_up(nor);
    *module = (struct kw_sim_module){.nor = nor, .reset = CPU_RUNS};
}

bool kw_sim_module_is_halted(const struct kw_sim_module *module) {
    return (module->reset & CPU_RUNS) == 0 && (module->boot_mux & 1) != 0;
}

/* --- the flash controller --- */

static uint8_t *staging_at(struct kw_sim_module *module, uint32_t address,
                           size_t size) {
    const bool inside = address >= STAGING &&
                        address - STAGING <= KW_SIM_STAGING &&
                        size <= KW_SIM_STAGING - (address - STAGING);
    return inside ? module->staging + (address - STAGING) : NULL;
}

/* What was read goes to the answer register or to staging memory. */
static void deliver(struct kw_sim_module *module, const uint8_t *read,
                    size_t size) {
    uint8_t word[4] = {0};
    uint8_t *at = staging_at(module, module->dma, size);
    if (module->dma == ANSWER) {
        memcpy(word, read, size < sizeof word ? size : sizeof word);
        module->answer = kw_load_le32(word);
        return;
    }
    if (at != NULL) {
        memcpy(at, read, size);
    }
}

static uint32_t direction_of(size_t bytes) {
    return (1u << bytes) - 1;
}

static void start(struct kw_sim_module *module, uint32_t command) {
    uint8_t sent[8 + KW_NOR_PAGE];
    uint8_t read[KW_SIM_STAGING];
    const size_t bytes = command & 0x7F;
    const size_t written = (command >> 8) & 0xFFFFF;
    const size_t count = module->data_count;
    const bool usable = kw_sim_module_is_halted(module) &&
                        (module->pins & PINS_MASK) == PINS_FLASH &&
                        (command & START) != 0 && bytes >= 1 && bytes <= 8 &&
                        written <= KW_NOR_PAGE && count <= sizeof read &&
                        module->direction == direction_of(bytes);
    const uint8_t *data = staging_at(module, module->dma, written);
    if (!usable || (written > 0 && data == NULL)) {
        return;
    }
    kw_store_le32(sent, module->buffer[0]);
    kw_store_le32(sent + 4, module->buffer[1]);
    if (written > 0) {
        memcpy(sent + bytes, data, written);
    }
    kw_nor_command(module->nor, sent, bytes + written, read, count);
    if (count > 0) {
        deliver(module, read, count);
    }
    module->done = 1;
}

/* --- registers --- */

static uint32_t *plain_register(struct kw_sim_module *module,
                                uint32_t address) {
    switch (address) {
    case BOOT_MUX:
        return &module->boot_mux;
    case GLOBAL_RESET:
        return &module->reset;
    case FLASH_PINS:
        return &module->pins;
    case FLASH_DATA_COUNT:
        return &module->data_count;
    case FLASH_BUFFER_1:
        return &module->buffer[0];
    case FLASH_BUFFER_2:
        return &module->buffer[1];
    case FLASH_BUFFER_DIR:
        return &module->direction;
    case FLASH_DMA:
        return &module->dma;
    case FLASH_DONE:
        return &module->done;
    case ANSWER:
        return &module->answer;
    default:
        return NULL;
    }
}

static uint32_t fixed_register(uint32_t address) {
    switch (address) {
    case CHIP_ID:
        return CHIP_ID_VALUE;
    case RF_REVISION:
        return RF_VALUE;
    case EFUSE:
        return EFUSE_LOADED;
    default:
        return 0;
    }
}

static kw_status read_register(void *self, uint32_t address, uint32_t *value) {
    struct kw_sim_module *module = self;
    KW_ENSURE(!module->nor->unpowered, KW_ABSENT);
    const uint32_t *kept = plain_register(module, address);
    *value = kept != NULL ? *kept : fixed_register(address);
    return KW_OK;
}

static kw_status write_register(void *self, uint32_t address, uint32_t value) {
    struct kw_sim_module *module = self;
    KW_ENSURE(!module->nor->unpowered, KW_ABSENT);
    uint32_t *kept = plain_register(module, address);
    if (kept != NULL) {
        *kept = value;
    }
    if (address == FLASH_COMMAND) {
        module->done = 0;
        start(module, value);
        KW_ENSURE(!module->nor->unpowered, KW_ABSENT);
    }
    return KW_OK;
}

/* --- blocks --- */

static kw_status read_block(void *self, uint32_t address, uint8_t *bytes,
                            size_t size) {
    struct kw_sim_module *module = self;
    KW_ENSURE(!module->nor->unpowered, KW_ABSENT);
    const uint8_t *at = staging_at(module, address, size);
    memset(bytes, 0, size);
    if (at != NULL) {
        memcpy(bytes, at, size);
    }
    return KW_OK;
}

static kw_status write_block(void *self, uint32_t address, const uint8_t *bytes,
                             size_t size) {
    struct kw_sim_module *module = self;
    KW_ENSURE(!module->nor->unpowered, KW_ABSENT);
    uint8_t *at = staging_at(module, address, size);
    if (at != NULL) {
        memcpy(at, bytes, size);
    }
    return KW_OK;
}

void kw_sim_module_port(struct kw_sim_module *module,
                        struct kw_winc_port *port) {
    *port = (struct kw_winc_port){
        .read_register = read_register,
        .write_register = write_register,
        .read_block = read_block,
        .write_block = write_block,
        .self = module,
    };
}
