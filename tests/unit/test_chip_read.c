/* Read of the emulated chip. */
#include "chip_fixture.h"

#define WORD(slot, word)   ((uint16_t)((slot) << 3 | (word)))
#define BLOCK(slot, block) ((uint16_t)((slot) << 3 | (block) << 8))

static const uint8_t BYTES[64] = {
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A,
    0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25,
    0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F,
};

static void open_states(struct bench *bench, uint8_t config, uint8_t data) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_locks(&eeprom, config, data);
    bench_open(bench, &eeprom);
}

static void reads_config_always(void **state) {
    (void)state;
    const uint8_t locks[][2] = {{0x55, 0x55}, {0, 0x55}, {0, 0}};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench;
        open_states(&bench, locks[i][0], locks[i][1]);
        const uint8_t *config = kw_sim_chip_eeprom(bench.chip)->config;
        struct reply reply = ask_ok(&bench, OP_READ, 0x80, 0x10, NULL, 0);
        assert_int_equal(reply.size, 32);
        assert_memory_equal(reply.data, config + 64, 32);
        /* The word of a block access and unused bits are ignored. */
        reply = ask_ok(&bench, OP_READ, 0x80, 0xFF17, NULL, 0);
        assert_memory_equal(reply.data, config + 64, 32);
        reply = ask_ok(&bench, OP_READ, 0x00, 0x15, NULL, 0);
        assert_int_equal(reply.size, 4);
        assert_memory_equal(reply.data, config + 84, 4);
        bench_close(&bench);
    }
}

static void reads_otp_and_data_once_locked(void **state) {
    (void)state;
    struct bench bench;
    open_states(&bench, 0x55, 0x55);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_READ, 0x82,
           BLOCK(8, 0), NULL, 0);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_READ, 0x81,
           0, NULL, 0);
    bench_close(&bench);
    open_states(&bench, 0, 0x55);
    ask_no(&bench, REFUSED, "data zone is not locked", OP_READ, 0x02,
           WORD(8, 0), NULL, 0);
    ask_no(&bench, REFUSED, "data zone is not locked", OP_READ, 0x01, 0, NULL,
           0);
    bench_close(&bench);
    bench_trustflex(&bench);
    struct reply reply = ask_ok(&bench, OP_READ, 0x01, 0, NULL, 0);
    assert_memory_equal(reply.data, "wdNx", 4);
    reply = ask_ok(&bench, OP_READ, 0x81, 0x08, NULL, 0);
    assert_true(kw_all_bytes(reply.data, 32, 0));
    reply = ask_ok(&bench, OP_READ, 0x82, BLOCK(8, 0), NULL, 0);
    assert_true(kw_all_bytes(reply.data, 32, 0xFF));
    bench_close(&bench);
}

static void reads_end_of_slot(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    const struct reply reply =
        ask_ok(&bench, OP_READ, 0x82, BLOCK(13, 2), NULL, 0);
    assert_int_equal(reply.size, 32);
    assert_true(kw_all_bytes(reply.data, 8, 0xFF));
    assert_true(kw_all_bytes(reply.data + 8, 24, 0));
    (void)ask_ok(&bench, OP_READ, 0x02, BLOCK(13, 2) | 1, NULL, 0);
    ask_no(&bench, PARSE, "slot 13 has 72 bytes", OP_READ, 0x02,
           BLOCK(13, 2) | 2, NULL, 0);
    ask_no(&bench, PARSE, "slot 13 has 72 bytes", OP_READ, 0x82, BLOCK(13, 3),
           NULL, 0);
    ask_no(&bench, PARSE, "slot 8 has 416 bytes", OP_READ, 0x82, BLOCK(8, 13),
           NULL, 0);
    ask_no(&bench, PARSE, "no slot 16", OP_READ, 0x82, 0x80, NULL, 0);
    ask_no(&bench, PARSE, "no zone 3", OP_READ, 0x83, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode C2", OP_READ, 0xC2, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_READ, 0x80, 0, "x", 1);
    bench_close(&bench);
}

static void never_reads_a_private_key(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    /* Whatever IsSecret and EncryptRead say. */
    const uint16_t configs[] = {0x0005, 0x2085, 0x20C5, 0x2045};
    for (size_t i = 0; i < 4; i++) {
        set_slot_config(&eeprom, 2, configs[i]);
        bench_open(&bench, &eeprom);
        ask_no(&bench, REFUSED,
               "slot 2 holds a private key, which can never be read", OP_READ,
               0x82, BLOCK(2, 0), NULL, 0);
        ask_no(&bench, REFUSED, "slot 2 holds a private key", OP_READ, 0x02,
               WORD(2, 1), NULL, 0);
        bench_close(&bench);
    }
}

static void never_reads_a_secret(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot_config(&eeprom, 8, 0x0F4F);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "slot 6 is secret and can never be read", OP_READ,
           0x82, BLOCK(6, 0), NULL, 0);
    ask_no(&bench, REFUSED, "prohibited combination", OP_READ, 0x82,
           BLOCK(8, 0), NULL, 0);
    bench_close(&bench);
}

static void reads_encrypted(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t key[32];
    set_slot_config(&eeprom, 9, 0x0FC5); /* ReadKey 5 */
    set_slot(&eeprom, 9, BYTES, 32);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "whole blocks", OP_READ, 0x02, WORD(9, 0), NULL, 0);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_READ, 0x82, BLOCK(9, 0),
           NULL, 0);
    random_nonce(&bench);
    ask_no(&bench, REFUSED, "GenDig with the key in slot 5", OP_READ, 0x82,
           BLOCK(9, 0), NULL, 0);
    (void)ask_ok(&bench, OP_GENDIG, 2, 6, NULL, 0);
    ask_no(&bench, REFUSED, "GenDig with the key in slot 5", OP_READ, 0x82,
           BLOCK(9, 0), NULL, 0);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    memcpy(key, buffers(&bench)->temp_key, 32);
    struct reply reply = ask_ok(&bench, OP_READ, 0x82, BLOCK(9, 0), NULL, 0);
    for (size_t i = 0; i < 32; i++) {
        reply.data[i] ^= key[i];
    }
    assert_memory_equal(reply.data, BYTES, 32);
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

/* Neither GenKey, whose KeyID names the slot as well, nor a shared nonce, with
 * which any host could name it, opens what the key in that slot closes. */
static void reads_with_the_key_alone(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot_config(&eeprom, 9, 0x0FCD); /* ReadKey 13 */
    bench_open(&bench, &eeprom);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 13, "\0\0\0", 3);
    assert_int_equal(buffers(&bench)->temp_key_id, 13);
    ask_no(&bench, REFUSED, "GenDig with the key in slot 13", OP_READ, 0x82,
           BLOCK(9, 0), NULL, 0);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENDIG, 3, 13, BYTES, 32);
    ask_no(&bench, REFUSED, "GenDig with the key in slot 13", OP_READ, 0x82,
           BLOCK(9, 0), NULL, 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_config_always),
        cmocka_unit_test(reads_otp_and_data_once_locked),
        cmocka_unit_test(reads_end_of_slot),
        cmocka_unit_test(never_reads_a_private_key),
        cmocka_unit_test(never_reads_a_secret),
        cmocka_unit_test(reads_encrypted),
        cmocka_unit_test(reads_with_the_key_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
