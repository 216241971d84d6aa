/* The bits that gate every use of a key in the emulated chip. */
#include "chip_fixture.h"

static void put_public(struct kw_sim_eeprom *eeprom, unsigned slot,
                       const struct outside_key *key) {
    uint8_t stored[72];
    stored_key(key->public_key, stored);
    set_slot(eeprom, slot, stored, sizeof(stored));
}

static void gates(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_key_config(&eeprom, 0, 0x1053); /* PersistentDisable */
    set_key_config(&eeprom, 2, 0x05F3); /* ReqAuth by key 5 */
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "PersistentDisable of slot 0", OP_SIGN, 0xA0, 0,
           NULL, 0);
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 0, NULL, 0);
    ask_no(&bench, REFUSED, "key in slot 5 first", OP_SIGN, 0xA0, 2, NULL, 0);
    ask_no(&bench, REFUSED, "key in slot 5 first", OP_GENKEY, 0x00, 2, NULL, 0);
    ask_no(&bench, REFUSED, "key in slot 5 first", OP_GENKEY, 0x04, 2, NULL, 0);
    bench_close(&bench);
}

static void limited_use_counts(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const uint8_t limit[4] = {2, 0, 0, 0};
    set_slot_config(&eeprom, 0, 0x00A5);
    eeprom.config[KW_CONFIG_COUNT_MATCH] = 0xA1; /* slot 10 */
    set_slot(&eeprom, 10, limit, sizeof(limit));
    bench_open(&bench, &eeprom);
    for (unsigned use = 1; use <= 2; use++) {
        load(&bench, 0x43, DIGEST, 32);
        (void)ask_ok(&bench, OP_SIGN, 0xA0, 0, NULL, 0);
        assert_int_equal(bench.commits, use);
        const struct reply counter = ask_ok(&bench, OP_COUNTER, 0, 0, NULL, 0);
        assert_int_equal(counter.data[0], use);
    }
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "reached the limit 2 in slot 10", OP_SIGN, 0xA0, 0,
           NULL, 0);
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 0, NULL, 0);
    assert_int_equal(bench.commits, 2);
    bench_close(&bench);

    /* Without CountMatch only the counter's end is the limit; a refused use
     * does not count. */
    eeprom.config[KW_CONFIG_COUNT_MATCH] = 0;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "buffer holds 0 bytes", OP_SIGN, 0xA0, 0, NULL, 0);
    bench_close(&bench);
    kw_counter_encode(KW_COUNTER_MAX, eeprom.config + KW_CONFIG_COUNTER);
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    ask_no(&bench, REFUSED, "counter 0 has reached its end", OP_SIGN, 0xA0, 0,
           NULL, 0);
    bench_close(&bench);
}

/* A signature that does not match was a use all the same. */
static void mismatch_counts_as_use(void **state) {
    (void)state;
    const struct outside_key key = make_key();
    const uint8_t signature[64] = {1};
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    put_public(&eeprom, 13, &key);
    set_slot_config(&eeprom, 13, 0x0F2F);
    bench_open(&bench, &eeprom);
    load(&bench, 0x43, DIGEST, 32);
    assert_int_equal(ask(&bench, OP_VERIFY, 0x20, 13, signature, 64).status,
                     MISMATCH);
    assert_int_equal(bench.commits, 1);
    assert_int_equal(ask_ok(&bench, OP_COUNTER, 0, 0, NULL, 0).data[0], 1);
    /* One that cannot be stored is none. */
    load(&bench, 0x43, DIGEST, 32);
    bench.store_fails = true;
    ask_no(&bench, REFUSED, "could not be stored", OP_VERIFY, 0x20, 13,
           signature, 64);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates),
        cmocka_unit_test(limited_use_counts),
        cmocka_unit_test(mismatch_counts_as_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
