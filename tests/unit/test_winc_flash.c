/* The module's flash: through registers as a foreign driver uses them, and
 * through our own driver; and an update on a flash that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/winc_update.h"
#include "sim/winc1500/module.h"

struct bench {
    uint8_t *memory;
    uint32_t erases[KW_NOR_8_MBIT / KW_NOR_SECTOR];
    struct kw_nor nor;
    struct kw_sim_module module;
    struct kw_winc_port port;
    struct kw_winc_flash flash;
    uint8_t file[KW_WINC_JOURNAL_SIZE];
    struct kw_winc_journal journal;
    struct kw_winc_update update;
    uint8_t sector[KW_WINC_SECTOR];
    uint8_t page[KW_WINC_PAGE];
    unsigned restored;
    unsigned lost;
    uint32_t wrong_bytes;
};

static int set_up(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->memory = malloc(KW_NOR_8_MBIT);
    assert_non_null(bench->memory);
    memset(bench->memory, 0xFF, KW_NOR_8_MBIT);
    bench->nor = (struct kw_nor){.memory = bench->memory,
                                 .size = KW_NOR_4_MBIT,
                                 .erases = bench->erases,
                                 .busy_polls = 3};
    kw_sim_module_power_up(&bench->module, &bench->nor);
    kw_sim_module_port(&bench->module, &bench->port);
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    free(bench->memory);
    free(bench);
    return 0;
}

static uint32_t get(struct bench *bench, uint32_t address) {
    uint32_t value = 0;
    assert_int_equal(
        bench->port.read_register(bench->port.self, address, &value), KW_OK);
    return value;
}

static void set(struct bench *bench, uint32_t address, uint32_t value) {
    assert_int_equal(
        bench->port.write_register(bench->port.self, address, value), KW_OK);
}

/* --- registers, as the published drivers use them --- */

static void halt(struct bench *bench) {
    set(bench, 0x1400, 0);
    set(bench, 0x1118, get(bench, 0x1118) | 1);
    set(bench, 0x1410, 0x01111000);
}

static uint32_t ask_id(struct bench *bench) {
    set(bench, 0x10208, 4);
    set(bench, 0x1020C, 0x9F);
    set(bench, 0x10214, 1);
    set(bench, 0x1021C, 0x1084);
    set(bench, 0x10204, 0x81);
    return get(bench, 0x10218) == 1 ? get(bench, 0x1084) : 0;
}

static void registers(void **state) {
    struct bench *bench = *state;
    assert_int_equal(get(bench, 0x1000), 0x001003A0);
    assert_int_equal(ask_id(bench), 0); /* the firmware runs */
    halt(bench);
    assert_int_equal(ask_id(bench), 0x001320C2);
    bench->nor.size = KW_NOR_8_MBIT;
    assert_int_equal(ask_id(bench) >> 16 & 0xFF, 0x14);
}

static void one_command(struct bench *bench, uint32_t word, unsigned bytes,
                        uint32_t written) {
    set(bench, 0x10208, 0);
    set(bench, 0x1020C, word);
    set(bench, 0x10214, bytes == 1 ? 1 : 0x0F);
    set(bench, 0x1021C, 0xD0000);
    set(bench, 0x10204, bytes | 0x80 | (written << 8));
    assert_int_equal(get(bench, 0x10218), 1);
}

static uint32_t status_of(struct bench *bench) {
    set(bench, 0x10208, 1);
    set(bench, 0x1020C, 0x05);
    set(bench, 0x10214, 1);
    set(bench, 0x1021C, 0x1084);
    set(bench, 0x10204, 0x81);
    return get(bench, 0x1084) & 0xFF;
}

static void program_and_erase_by_registers(void **state) {
    struct bench *bench = *state;
    const uint8_t data[4] = {0x12, 0x34, 0x56, 0x78};
    halt(bench);
    assert_int_equal(
        bench->port.write_block(bench->port.self, 0xD0000, data, sizeof data),
        KW_OK);
    one_command(bench, 0x10400002, 4, 4); /* 02 00 40 10, not enabled */
    assert_int_equal(bench->memory[0x4010], 0xFF);
    one_command(bench, 0x06, 1, 0);
    one_command(bench, 0x10400002, 4, 4);
    assert_memory_equal(bench->memory + 0x4010, data, 4);
    assert_int_equal(status_of(bench) & 1, 1);
    one_command(bench, 0x06, 1, 0); /* busy: ignored */
    while ((status_of(bench) & 1) != 0) {
    }
    one_command(bench, 0x06, 1, 0);
    one_command(bench, 0x0A400020, 4, 0); /* 20 00 40 0A */
    assert_int_equal(bench->memory[0x4010], 0xFF);
    assert_int_equal(bench->erases[4], 1);
}

/* --- our driver --- */

static void driver(void **state) {
    struct bench *bench = *state;
    uint8_t data[600];
    uint8_t read[600];
    memset(data, 0x5A, sizeof data);
    assert_int_equal(kw_winc_flash_open(&bench->port, &bench->flash), KW_OK);
    assert_int_equal(bench->flash.chip_id, 0x1503A0);
    assert_int_equal(bench->flash.size, KW_NOR_4_MBIT);
    assert_int_equal(kw_winc_flash_program(&bench->flash, 0x4010, data, 16),
                     KW_OK);
    assert_int_equal(kw_winc_flash_program(&bench->flash, 0x40F8, data, 16),
                     KW_USAGE); /* over the page's end */
    assert_int_equal(kw_winc_flash_read(&bench->flash, 0x4000, read, 600),
                     KW_OK);
    assert_memory_equal(read + 16, data, 16);
    assert_int_equal(read[32], 0xFF);
    memset(data, 0xA5, sizeof data);
    assert_int_equal(kw_winc_flash_program(&bench->flash, 0x4010, data, 16),
                     KW_OK);
    assert_int_equal(bench->memory[0x4010], 0); /* bits only go */
    assert_int_equal(kw_winc_flash_erase(&bench->flash, 0x4FFF), KW_OK);
    assert_int_equal(bench->memory[0x4010], 0xFF);
    assert_int_equal(kw_winc_flash_close(&bench->flash), KW_OK);
    assert_false(kw_sim_module_is_halted(&bench->module));
    bench->nor.unpowered = true;
    assert_int_equal(kw_winc_flash_open(&bench->port, &bench->flash),
                     KW_ABSENT);
}

static void flash_that_stays_busy(void **state) {
    struct bench *bench = *state;
    const uint8_t data = 0;
    bench->nor.busy_polls = 1000000;
    assert_int_equal(kw_winc_flash_open(&bench->port, &bench->flash), KW_OK);
    assert_int_equal(kw_winc_flash_program(&bench->flash, 0x4000, &data, 1),
                     KW_CHIP_FLASH_BUSY);
}

/* --- an update on a flash that fails --- */

static kw_status keep(void *self, uint32_t offset, const uint8_t *bytes,
                      size_t size) {
    struct bench *bench = self;
    memcpy(bench->file + offset, bytes, size);
    return KW_OK;
}

static kw_status give(void *self, uint32_t offset, uint8_t *bytes,
                      size_t size) {
    const struct bench *bench = self;
    memcpy(bytes, bench->file + offset, size);
    return KW_OK;
}

static kw_status forget(void *self) {
    struct bench *bench = self;
    memset(bench->file, 0, sizeof bench->file);
    return KW_OK;
}

static kw_status flush(void *self) {
    (void)self;
    return KW_OK;
}

static kw_status render(void *self, uint32_t address, uint8_t *sector) {
    (void)self;
    memset(sector, (int)(address >> 12), KW_WINC_SECTOR);
    return KW_OK;
}

static void listen(void *observer, enum kw_winc_event event, uint32_t address,
                   uint32_t detail) {
    struct bench *bench = observer;
    (void)address;
    bench->restored += event == KW_WINC_RESTORED ? 1u : 0u;
    bench->lost += event == KW_WINC_LOST ? 1u : 0u;
    bench->wrong_bytes += event == KW_WINC_DIFFERS ? detail : 0u;
}

static kw_status update_in(struct bench *bench, bool in_flash) {
    const struct kw_winc_change change = {
        .address = {0x4000, 0x5000, 0x6000}, .count = 3, .render = render};
    bench->journal = (struct kw_winc_journal){
        .begin = forget,
        .write = keep,
        .flush = flush,
        .read = give,
        .clear = forget,
        .self = bench,
    };
    bench->update = (struct kw_winc_update){
        .flash = &bench->flash,
        .journal = &bench->journal,
        .sector = bench->sector,
        .page = bench->page,
        .told = listen,
        .observer = bench,
    };
    assert_int_equal(kw_winc_flash_open(&bench->port, &bench->flash), KW_OK);
    if (in_flash) {
        kw_winc_journal_in_flash(&bench->flash, &bench->journal);
    }
    return kw_winc_update_run(&bench->update, &change);
}

static kw_status update(struct bench *bench) {
    return update_in(bench, false);
}

static void old_content(struct bench *bench) {
    memset(bench->memory + 0x4000, 0xE0, 0x3000);
}

static void assert_old(const struct bench *bench, uint32_t from,
                       uint32_t until) {
    for (uint32_t i = from; i < until; i++) {
        assert_int_equal(bench->memory[i], 0xE0);
    }
}

/* A bit that stays 0, which the new content needs and the old does not. */
static void stuck_bit(void **state) {
    struct bench *bench = *state;
    bool resumed = false;
    old_content(bench);
    bench->nor.stuck_at = 0x5123;
    assert_int_equal(update(bench), KW_CHIP_FLASH_VERIFY);
    assert_old(bench, 0x4000, 0x7000);
    assert_int_equal(bench->restored, 2);
    assert_int_equal(bench->lost, 0);
    assert_int_equal(bench->wrong_bytes, 1);
    bench->nor.stuck_at = 0; /* a better day: the journal is still there */
    assert_int_equal(kw_winc_update_resume(&bench->update, false, &resumed),
                     KW_OK);
    assert_true(resumed);
    for (uint32_t i = 0x4000; i < 0x7000; i++) {
        assert_int_equal(bench->memory[i], i >> 12);
    }
    assert_int_equal(kw_winc_update_resume(&bench->update, false, &resumed),
                     KW_OK);
    assert_false(resumed);
}

static void sector_that_does_not_erase(void **state) {
    struct bench *bench = *state;
    bool resumed = false;
    old_content(bench);
    bench->nor.no_erase = 0x6000;
    assert_int_equal(update(bench), KW_CHIP_FLASH_VERIFY);
    assert_old(bench, 0x4000, 0x6000);
    assert_int_equal(bench->restored, 2);
    assert_int_equal(bench->lost, 1);
    assert_true(bench->wrong_bytes > 0);
    bench->nor.no_erase = 0;
    assert_int_equal(kw_winc_update_resume(&bench->update, true, &resumed),
                     KW_OK);
    assert_true(resumed);
    assert_old(bench, 0x4000, 0x7000);
}

static void one_erase_a_sector(void **state) {
    struct bench *bench = *state;
    old_content(bench);
    memset(bench->memory + 0x5000, 5, 0x1000); /* as it shall be */
    assert_int_equal(update(bench), KW_OK);
    assert_int_equal(bench->erases[4], 1);
    assert_int_equal(bench->erases[5], 0);
    assert_int_equal(bench->erases[6], 1);
    assert_int_equal(update(bench), KW_OK);
    assert_int_equal(bench->flash.erases, 0);
}

/* The journal itself lies where the flash fails: said before a store is
 * touched. */
static void journal_that_does_not_hold(void **state) {
    /* In the header (a byte of 'W'), and in both contents. */
    static const uint32_t STUCK[] = {0x80002, 0x81000, 0x84FFE};
    struct bench *bench = *state;
    bool resumed = true;
    bench->nor.size = KW_NOR_8_MBIT;
    memset(bench->memory + 0x4000, 0xE1, 0x3000);
    for (size_t i = 0; i < sizeof STUCK / sizeof *STUCK; i++) {
        bench->nor.stuck_at = STUCK[i];
        assert_int_equal(update_in(bench, true), KW_CHIP_FLASH_JOURNAL);
        assert_int_equal(bench->memory[0x4000], 0xE1);
        assert_int_equal(bench->memory[0x6FFF], 0xE1);
        assert_int_equal(kw_winc_update_resume(&bench->update, false, &resumed),
                         KW_OK);
        assert_false(resumed);
    }
}

/* A journal whose header does not erase would undo what comes later. */
static void header_that_does_not_erase(void **state) {
    struct bench *bench = *state;
    bool resumed = true;
    bench->nor.size = KW_NOR_8_MBIT;
    bench->nor.no_erase = 0x80000;
    old_content(bench);
    assert_int_equal(update_in(bench, true), KW_OK);
    old_content(bench);
    assert_int_equal(kw_winc_update_resume(&bench->update, false, &resumed),
                     KW_OK);
    assert_false(resumed);
    assert_old(bench, 0x4000, 0x7000);
    /* Nor can it be written again. */
    assert_int_equal(update_in(bench, true), KW_CHIP_FLASH_JOURNAL);
    assert_old(bench, 0x4000, 0x7000);
}

/* A damaged journal is no journal. */
static void any_flipped_bit_of_the_journal(void **state) {
    struct bench *bench = *state;
    bool waits = false;
    old_content(bench);
    bench->nor.stuck_at = 0x5123;
    assert_int_equal(update(bench), KW_CHIP_FLASH_VERIFY);
    for (uint32_t at = 0; at < KW_WINC_JOURNAL_SIZE; at += 97) {
        const bool counts = at < 96 || at >= KW_WINC_SECTOR;
        bench->file[at] ^= 0x10;
        assert_int_equal(kw_winc_update_waits(&bench->update, &waits), KW_OK);
        assert_int_equal(waits, !counts);
        bench->file[at] ^= 0x10;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(program_and_erase_by_registers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(driver, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flash_that_stays_busy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(stuck_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sector_that_does_not_erase, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_erase_a_sector, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_that_does_not_hold, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(header_that_does_not_erase, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(any_flipped_bit_of_the_journal, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
