/* Random and Nonce of the emulated chip: one generator. */
#include "chip_fixture.h"

static void random_changes_once_locked(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    const uint8_t fixed[8] = {0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0};
    bench_open(&bench, &eeprom);
    struct reply reply = ask_ok(&bench, OP_RANDOM, 0, 0, NULL, 0);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, fixed, 8);
    assert_memory_equal(reply.data + 24, fixed, 8);
    reply = ask_ok(&bench, OP_NONCE, 1, 0, NUM_IN, 20);
    assert_memory_equal(reply.data, fixed, 8);
    bench_close(&bench);

    bench_trustflex(&bench);
    reply = ask_ok(&bench, OP_RANDOM, 1, 0, NULL, 0);
    assert_int_equal(reply.size, 32);
    assert_memory_not_equal(reply.data,
                            ask_ok(&bench, OP_RANDOM, 0, 0, NULL, 0).data, 32);
    ask_no(&bench, PARSE, "no mode 02", OP_RANDOM, 2, 0, NULL, 0);
    ask_no(&bench, PARSE, "param2 0000", OP_RANDOM, 0, 1, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_RANDOM, 0, 0, "x", 1);
    bench_close(&bench);
}

static void nonce_random_known(void **state) {
    (void)state;
    struct bench bench;
    json_t *root = known_answers();
    const json_t *kat = json_object_get(root, "encrypted_write_slot5");
    uint8_t rand_out[32];
    uint8_t expected[32];
    uint8_t full[64];
    memset(full, 0x5A, sizeof(full));
    bench_trustflex(&bench);
    (void)known(kat, "rand_out", rand_out, 32);
    (void)known(kat, "tempkey_after_nonce", expected, 32);
    crypto_control.random = rand_out;
    load(&bench, 0x23, full, 64);
    assert_true(buffers(&bench)->temp_key_is_64);
    const struct reply reply = ask_ok(&bench, OP_NONCE, 0, 0, NUM_IN, 20);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, rand_out, 32);
    assert_memory_equal(buffers(&bench)->temp_key, expected, 32);
    /* The upper half is gone. */
    assert_true(kw_all_bytes(buffers(&bench)->temp_key + 32, 32, 0));
    assert_true(buffers(&bench)->temp_key_valid);
    assert_false(buffers(&bench)->temp_key_is_64);
    assert_false(buffers(&bench)->source_fixed);
    bench_close(&bench);
    json_decref(root);
}

static void nonce_of_temp_key(void **state) {
    (void)state;
    struct bench bench;
    uint8_t message[32 + 20 + 3] = {0};
    uint8_t expected[32];
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_NONCE, 0, 0x8000, NUM_IN,
           20);
    load(&bench, 0x03, DIGEST, 32);
    memcpy(message, DIGEST, 32);
    message[52] = OP_NONCE;
    hash_outside(message, sizeof(message), expected);
    const struct reply reply = ask_ok(&bench, OP_NONCE, 0, 0x8000, NUM_IN, 20);
    assert_memory_equal(reply.data, expected, 32);
    assert_memory_equal(buffers(&bench)->temp_key, expected, 32);
    /* A fixed nonce stays fixed, or ReqRandom would mean nothing. */
    assert_true(buffers(&bench)->source_fixed);
    bench_close(&bench);
}

static void nonce_targets(void **state) {
    (void)state;
    struct bench bench;
    uint8_t value[64];
    memset(value, 0x77, sizeof(value));
    bench_trustflex(&bench);
    load(&bench, 0x03, value, 32);
    assert_true(buffers(&bench)->source_fixed);
    load(&bench, 0x43, value, 32);
    assert_int_equal(buffers(&bench)->message_digest_size, 32);
    load(&bench, 0x63, value, 64);
    assert_int_equal(buffers(&bench)->message_digest_size, 64);
    load(&bench, 0x43, value, 32);
    assert_int_equal(buffers(&bench)->message_digest_size, 32);
    assert_true(kw_all_bytes(buffers(&bench)->message_digest + 32, 32, 0));
    assert_false(buffers(&bench)->alternate_key_valid);
    load(&bench, 0x83, value, 32);
    assert_true(buffers(&bench)->alternate_key_valid);
    assert_memory_equal(buffers(&bench)->alternate_key, value, 32);
    assert_true(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void nonce_refusals(void **state) {
    (void)state;
    struct bench bench;
    uint8_t value[64] = {0};
    bench_trustflex(&bench);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, PARSE, "no mode 02", OP_NONCE, 0x02, 0, value, 20);
    ask_no(&bench, PARSE, "no mode 40", OP_NONCE, 0x40, 0, value, 20);
    ask_no(&bench, PARSE, "no mode 07", OP_NONCE, 0x07, 0, value, 32);
    ask_no(&bench, PARSE, "target 3", OP_NONCE, 0xC3, 0, value, 32);
    ask_no(&bench, PARSE, "32 bytes", OP_NONCE, 0xA3, 0, value, 64);
    ask_no(&bench, PARSE, "20 bytes", OP_NONCE, 0x00, 0, value, 19);
    ask_no(&bench, PARSE, "64 bytes", OP_NONCE, 0x23, 0, value, 32);
    ask_no(&bench, PARSE, "param2", OP_NONCE, 0x03, 0x8000, value, 32);
    ask_no(&bench, PARSE, "param2", OP_NONCE, 0x00, 1, value, 20);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_once_locked),
        cmocka_unit_test(nonce_random_known),
        cmocka_unit_test(nonce_of_temp_key),
        cmocka_unit_test(nonce_targets),
        cmocka_unit_test(nonce_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
