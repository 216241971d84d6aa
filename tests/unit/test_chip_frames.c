/* Frames in and out of the emulated chip, and the commands that need no
 * key: Info, Random, Nonce. */
#include "chip_fixture.h"

static void answers_known_frames(void **state) {
    (void)state;
    struct bench bench;
    const uint8_t packet[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
    const uint8_t expected[] = {0x07, 0x00, 0x00, 0x60, 0x02};
    const uint8_t woke[] = {0x04, 0x11, 0x33, 0x43};
    uint8_t frame[KW_RESPONSE_MAX];
    bench_trustflex(&bench);
    assert_int_equal(kw_sim_chip_output(bench.chip, frame), 4);
    assert_memory_equal(frame, woke, sizeof(woke));
    assert_int_equal(
        kw_sim_chip_execute(bench.chip, packet, sizeof(packet), frame), 7);
    assert_memory_equal(frame, expected, sizeof(expected));
    /* The answer can be read again. */
    memset(frame, 0, sizeof(frame));
    assert_int_equal(kw_sim_chip_output(bench.chip, frame), 7);
    assert_memory_equal(frame, expected, sizeof(expected));
    bench_close(&bench);
}

static void tells_608b(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom;
    const uint8_t packet[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
    const uint8_t expected[] = {0x07, 0x00, 0x00, 0x60, 0x03, 0x83, 0xBB};
    uint8_t frame[KW_RESPONSE_MAX];
    assert_int_equal(
        kw_sim_personality(KW_SIM_TRUSTFLEX, KW_SIM_608B, NULL, &eeprom),
        KW_OK);
    bench_open(&bench, &eeprom);
    assert_int_equal(
        kw_sim_chip_execute(bench.chip, packet, sizeof(packet), frame), 7);
    assert_memory_equal(frame, expected, sizeof(expected));
    bench_close(&bench);
}

static void refuses_damage(void **state) {
    (void)state;
    struct bench bench;
    const uint8_t garbled[] = {0x04, 0xFF, 0x01, 0x42};
    const uint8_t good[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D, 0xAA};
    uint8_t frame[KW_RESPONSE_MAX];
    bench_trustflex(&bench);
    for (size_t byte = 0; byte < 7; byte++) {
        uint8_t packet[7];
        memcpy(packet, good, sizeof(packet));
        packet[byte] ^= 0x01;
        assert_int_equal(
            kw_sim_chip_execute(bench.chip, packet, sizeof(packet), frame), 4);
        assert_memory_equal(frame, garbled, 4);
        assert_non_null(strstr(kw_sim_chip_reason(bench.chip), "CRC"));
    }
    for (size_t size = 0; size < 7; size++) {
        assert_int_equal(kw_sim_chip_execute(bench.chip, good, size, frame), 4);
        assert_memory_equal(frame, garbled, 4);
    }
    /* Bytes beyond the count are ignored. */
    assert_int_equal(kw_sim_chip_execute(bench.chip, good, sizeof(good), frame),
                     7);
    bench_close(&bench);
}

/* Any bytes are fine: the chip answers one whole frame, whatever comes. */
static void survives_noise(void **state) {
    (void)state;
    struct bench bench;
    uint32_t seed = 1;
    bench_trustflex(&bench);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t data[4 + KW_PACKET_DATA_MAX];
        for (size_t i = 0; i < sizeof(data); i++) {
            seed = seed * 1664525u + 1013904223u;
            data[i] = (uint8_t)(seed >> 24);
        }
        const struct reply reply =
            ask(&bench, data[0] & 0x7F, data[1], (uint16_t)(data[2] & 0x1F),
                data + 4, data[3] % 149);
        assert_true(reply.frame_size >= KW_RESPONSE_MIN);
        assert_true((reply.status == OK) ==
                    (kw_sim_chip_reason(bench.chip)[0] == '\0'));
    }
    bench_close(&bench);
}

static void refuses_other_opcodes(void **state) {
    (void)state;
    const uint8_t known_opcodes[] = {
        0x02, 0x08, 0x12, 0x15, 0x16, 0x17, 0x1B, 0x1C, 0x20, 0x24, 0x28,
        0x30, 0x40, 0x41, 0x43, 0x45, 0x46, 0x47, 0x51, 0x56, 0x77, 0x80};
    struct bench bench;
    bench_trustflex(&bench);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        if (memchr(known_opcodes, (int)opcode, sizeof(known_opcodes)) == NULL) {
            ask_no(&bench, PARSE, "has no command", (uint8_t)opcode, 0, 0, NULL,
                   0);
        }
    }
    bench_close(&bench);
}

/* --- Info --- */

static void info_key_valid(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    memset(kw_sim_eeprom_slot(&eeprom, 3), 0xFF, 36);
    bench_open(&bench, &eeprom);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 0, NULL, 0).data[0], 1);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 3, NULL, 0).data[0], 0);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 8, NULL, 0).data[0], 0);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 14, NULL, 0).data[0], 0);
    ask_no(&bench, PARSE, "no slot 16", OP_INFO, 1, 16, NULL, 0);
    bench_close(&bench);
}

static void info_state(void **state) {
    (void)state;
    struct bench bench;
    const uint8_t nothing[4] = {0};
    const uint8_t fixed[4] = {0x10, 0x80, 0, 0};
    const uint8_t random[4] = {0x00, 0x80, 0, 0};
    const uint8_t with_key[4] = {0x25, 0x80, 0, 0};
    bench_trustflex(&bench);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, nothing,
                        4);
    load(&bench, 0x03, DIGEST, 32);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, fixed, 4);
    random_nonce(&bench);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, random, 4);
    (void)ask_ok(&bench, OP_GENDIG, 2, 5, NULL, 0);
    assert_memory_equal(ask_ok(&bench, OP_INFO, 2, 0, NULL, 0).data, with_key,
                        4);
    ask_no(&bench, PARSE, "param2", OP_INFO, 2, 1, NULL, 0);
    bench_close(&bench);
}

static void info_latch_and_gpio(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    bench_open(&bench, &eeprom);
    assert_int_equal(ask_ok(&bench, OP_INFO, 4, 0, NULL, 0).data[0], 0);
    ask_no(&bench, REFUSED, "VolatileKeyPermission", OP_INFO, 4, 3, NULL, 0);
    ask_no(&bench, PARSE, "param2", OP_INFO, 4, 4, NULL, 0);
    ask_no(&bench, REFUSED, "no GPIO pin", OP_INFO, 3, 0, NULL, 0);
    ask_no(&bench, PARSE, "Info has no mode 05", OP_INFO, 5, 0, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes of data", OP_INFO, 0, 0, "x", 1);
    ask_no(&bench, PARSE, "param2 0000", OP_INFO, 0, 1, NULL, 0);
    bench_close(&bench);

    eeprom.config[KW_CONFIG_VOLATILE_KEY_PERMISSION] = 0x84;
    eeprom.config[KW_CONFIG_I2C_ENABLE] = 0;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "key in slot 4", OP_INFO, 4, 3, NULL, 0);
    assert_int_equal(ask_ok(&bench, OP_INFO, 3, 3, NULL, 0).data[0], 1);
    assert_int_equal(ask_ok(&bench, OP_INFO, 3, 0, NULL, 0).data[0], 1);
    assert_int_equal(ask_ok(&bench, OP_INFO, 3, 2, NULL, 0).data[0], 0);
    bench_close(&bench);
}

/* --- Random and Nonce --- */

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
        cmocka_unit_test(answers_known_frames),
        cmocka_unit_test(tells_608b),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(survives_noise),
        cmocka_unit_test(refuses_other_opcodes),
        cmocka_unit_test(info_key_valid),
        cmocka_unit_test(info_state),
        cmocka_unit_test(info_latch_and_gpio),
        cmocka_unit_test(random_changes_once_locked),
        cmocka_unit_test(nonce_random_known),
        cmocka_unit_test(nonce_of_temp_key),
        cmocka_unit_test(nonce_targets),
        cmocka_unit_test(nonce_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
