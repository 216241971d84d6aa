/* Wake, idle, sleep, watchdog and power of the emulated chip. */
#include "chip_fixture.h"

#define MILLISECONDS 1000u

static void new_chip_sleeps(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const struct kw_sim_options options = {.crypto = NULL};
    struct kw_sim_chip *chip = kw_sim_chip_new(&eeprom, &options);
    const uint8_t info[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
    uint8_t frame[KW_RESPONSE_MAX];
    assert_non_null(chip);
    assert_false(kw_sim_chip_is_awake(chip));
    assert_int_equal(kw_sim_chip_output(chip, frame), 0);
    assert_int_equal(kw_sim_chip_execute(chip, info, sizeof(info), frame), 0);
    assert_non_null(strstr(kw_sim_chip_reason(chip), "does not answer"));
    assert_true(kw_sim_chip_wake(chip));
    assert_true(kw_sim_chip_is_awake(chip));
    /* An awake chip ignores a wake: the last answer stays. */
    assert_int_equal(kw_sim_chip_execute(chip, info, sizeof(info), frame), 7);
    assert_false(kw_sim_chip_wake(chip));
    assert_int_equal(kw_sim_chip_output(chip, frame), 7);
    kw_sim_chip_free(chip);
    kw_sim_chip_free(NULL);
}

static void fill_sram(struct bench *bench) {
    load(bench, 0x03, DIGEST, 32);
    load(bench, 0x43, DIGEST, 32);
    load(bench, 0x83, DIGEST, 32);
    (void)ask_ok(bench, OP_SHA, 0x00, 0, NULL, 0);
    (void)ask_ok(bench, OP_SHA, 0x01, 3, "abc", 3);
}

static void assert_sram_lost(struct bench *bench) {
    const struct kw_sim_volatile empty = {.temp_key_valid = false};
    assert_memory_equal(buffers(bench), &empty, sizeof(empty));
    assert_true(kw_sim_chip_wake(bench->chip));
    ask_no(bench, REFUSED, "no SHA computation", OP_SHA, 0xC2, 0, NULL, 0);
}

static void idle_keeps(void **state) {
    (void)state;
    struct bench bench;
    uint8_t expected[32];
    hash_outside("abc", 3, expected);
    bench_trustflex(&bench);
    fill_sram(&bench);
    kw_sim_chip_idle(bench.chip);
    assert_false(kw_sim_chip_is_awake(bench.chip));
    assert_int_equal(ask(&bench, OP_INFO, 0, 0, NULL, 0).frame_size, 0);
    /* Idling stops the watchdog, for however long. */
    bench.time += 3600u * 1000u * (uint64_t)MILLISECONDS;
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_memory_equal(buffers(&bench)->temp_key, DIGEST, 32);
    assert_true(buffers(&bench)->temp_key_valid);
    assert_int_equal(buffers(&bench)->message_digest_size, 32);
    assert_true(buffers(&bench)->alternate_key_valid);
    assert_memory_equal(ask_ok(&bench, OP_SHA, 0xC2, 0, NULL, 0).data, expected,
                        32);
    bench_close(&bench);
}

static void sleep_loses(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    fill_sram(&bench);
    kw_sim_chip_sleep(bench.chip);
    assert_sram_lost(&bench);
    bench_close(&bench);
}

/* A chip that idles hears a wake alone. */
static void idle_chip_ignores_sleep(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    fill_sram(&bench);
    kw_sim_chip_idle(bench.chip);
    kw_sim_chip_sleep(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_true(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void power_cycle_loses(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    fill_sram(&bench);
    kw_sim_chip_power_cycle(bench.chip);
    assert_false(kw_sim_chip_is_awake(bench.chip));
    assert_sram_lost(&bench);
    bench_close(&bench);
}

static void watchdog_bites(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    fill_sram(&bench);
    bench.time += 1299 * MILLISECONDS;
    assert_true(kw_sim_chip_is_awake(bench.chip));
    bench.time += 1 * MILLISECONDS;
    assert_int_equal(ask(&bench, OP_INFO, 0, 0, NULL, 0).frame_size, 0);
    assert_sram_lost(&bench);
    bench_close(&bench);
}

/* EE comes while there is too little time left for the command. */
static void watchdog_warns(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    fill_sram(&bench);
    bench.time += 1200 * MILLISECONDS;
    ask_no(&bench, 0xEE, "watchdog", OP_SIGN, 0x80, 0, NULL, 0);
    (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
    kw_sim_chip_idle(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    (void)ask_ok(&bench, OP_SIGN, 0x80, 0, NULL, 0);
    /* A command that ends just in time is executed. */
    bench.time += 1185 * MILLISECONDS;
    (void)ask_ok(&bench, OP_SIGN, 0xA0, 0, NULL, 0);
    bench_close(&bench);
}

static void watchdog_can_be_long(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    eeprom.config[KW_CONFIG_CHIP_MODE] |= 0x04;
    bench_open(&bench, &eeprom);
    bench.time += 12900 * MILLISECONDS;
    (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
    bench.time += 100 * MILLISECONDS;
    assert_false(kw_sim_chip_is_awake(bench.chip));
    bench_close(&bench);
}

/* Before the second change is stored, or after it; once. */
static void supply_fails_at_a_write(void **state) {
    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        struct bench bench;
        bench_trustflex(&bench);
        kw_sim_chip_cut_supply(bench.chip, 2, after != 0);
        (void)ask_ok(&bench, OP_COUNTER, 1, 1, NULL, 0);
        fill_sram(&bench);
        assert_int_equal(ask(&bench, OP_COUNTER, 1, 1, NULL, 0).frame_size, 0);
        assert_non_null(
            strstr(kw_sim_chip_reason(bench.chip), "the supply failed"));
        assert_sram_lost(&bench);
        assert_int_equal(ask_ok(&bench, OP_COUNTER, 0, 1, NULL, 0).data[0],
                         1 + after);
        assert_int_equal(bench.commits, 1 + after);
        assert_memory_equal(&bench.stored, kw_sim_chip_eeprom(bench.chip),
                            sizeof(bench.stored));
        (void)ask_ok(&bench, OP_COUNTER, 1, 1, NULL, 0);
        bench_close(&bench);
    }
}

/* Chips that share a scratch do not share anything that lasts, whatever is
 * refused and put back in between; a lent one is not closed with a chip. */
static void scratch_is_shared(void **state) {
    (void)state;
    struct bench first;
    struct bench second;
    struct kw_sim_scratch *scratch = kw_sim_scratch_new(&crypto_double);
    assert_non_null(scratch);
    bench_trustflex(&first);
    bench_trustflex(&second);
    kw_sim_chip_lend(first.chip, scratch);
    kw_sim_chip_lend(second.chip, scratch);
    load(&first, 0x03, DIGEST, 32);
    (void)ask_ok(&first, OP_COUNTER, 1, 0, NULL, 0);
    ask_no(&second, REFUSED, "TempKey", OP_SIGN, 0x80, 0, NULL, 0);
    (void)ask_ok(&second, OP_COUNTER, 1, 1, NULL, 0);
    first.store_fails = true;
    ask_no(&first, REFUSED, "undone", OP_COUNTER, 1, 0, NULL, 0);
    assert_int_equal(
        kw_load_le32(ask_ok(&first, OP_COUNTER, 0, 0, NULL, 0).data), 1);
    assert_int_equal(
        kw_load_le32(ask_ok(&second, OP_COUNTER, 0, 0, NULL, 0).data), 0);
    assert_true(buffers(&first)->temp_key_valid);
    bench_close(&first);
    (void)ask_ok(&second, OP_RANDOM, 0, 0, NULL, 0);
    bench_close(&second);
    kw_sim_scratch_free(scratch);
    kw_sim_scratch_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_chip_sleeps),
        cmocka_unit_test(idle_keeps),
        cmocka_unit_test(sleep_loses),
        cmocka_unit_test(idle_chip_ignores_sleep),
        cmocka_unit_test(power_cycle_loses),
        cmocka_unit_test(supply_fails_at_a_write),
        cmocka_unit_test(watchdog_bites),
        cmocka_unit_test(watchdog_warns),
        cmocka_unit_test(watchdog_can_be_long),
        cmocka_unit_test(scratch_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
