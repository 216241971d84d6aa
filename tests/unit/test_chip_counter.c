/* Counter of the emulated chip. */
#include "chip_fixture.h"

static uint32_t counter(struct bench *bench, uint8_t mode, uint16_t id) {
    const struct reply reply = ask_ok(bench, OP_COUNTER, mode, id, NULL, 0);
    assert_int_equal(reply.size, 4);
    return kw_load_le32(reply.data);
}

static void counts(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    assert_int_equal(counter(&bench, 0, 0), 0);
    for (uint32_t value = 1; value <= 200; value++) {
        assert_int_equal(counter(&bench, 1, 0), value);
        assert_int_equal(counter(&bench, 0, 0), value);
    }
    assert_int_equal(counter(&bench, 0, 1), 0);
    assert_int_equal(bench.commits, 200);
    bench_close(&bench);
}

/* Bytes that a real chip held: 1000, as its host wrote it, and 1026. */
static void reads_bytes_of_real_chips(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const uint8_t real_1026[8] = {0x3F, 0xFF, 0, 0, 0, 0x20, 0, 0x1F};
    (void)from_hex("00ff0000001f001e", eeprom.config + KW_CONFIG_COUNTER, 8);
    bench_open(&bench, &eeprom);
    assert_int_equal(counter(&bench, 0, 0), 1000);
    for (uint32_t value = 1001; value <= 1026; value++) {
        assert_int_equal(counter(&bench, 1, 0), value);
    }
    assert_memory_equal(bench.stored.config + KW_CONFIG_COUNTER, real_1026, 8);
    bench_close(&bench);
}

static void counter_refusals(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    kw_counter_encode(KW_COUNTER_MAX, eeprom.config + KW_CONFIG_COUNTER + 8);
    bench_open(&bench, &eeprom);
    assert_int_equal(counter(&bench, 0, 1), KW_COUNTER_MAX);
    ask_no(&bench, REFUSED, "counter 1 has reached its end", OP_COUNTER, 1, 1,
           NULL, 0);
    ask_no(&bench, PARSE, "no counter 2", OP_COUNTER, 0, 2, NULL, 0);
    ask_no(&bench, PARSE, "no counter 3", OP_COUNTER, 1, 3, NULL, 0);
    ask_no(&bench, PARSE, "no mode 02", OP_COUNTER, 2, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_COUNTER, 0, 0, "x", 1);
    bench_close(&bench);
    set_locks(&eeprom, 0x55, 0x55);
    bench_open(&bench, &eeprom);
    assert_int_equal(counter(&bench, 0, 1), KW_COUNTER_MAX);
    (void)ask_ok(&bench, OP_WRITE, 0, 15, "\xFF\xFF\xFF\xFF", 4);
    (void)ask_ok(&bench, OP_WRITE, 0, 16, "\0\0\0\0", 4);
    assert_int_equal(counter(&bench, 0, 1), 0);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_COUNTER, 1,
           0, NULL, 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(reads_bytes_of_real_chips),
        cmocka_unit_test(counter_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
