/* What the emulated chip does with frames: good, damaged, unknown. */
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
        assert_string_equal(kw_sim_chip_reason(bench.chip),
                            byte == 0 ? "a packet has 7 to 155 bytes, not 6"
                                      : "the packet's CRC does not match");
    }
    for (size_t size = 0; size < 7; size++) {
        assert_int_equal(kw_sim_chip_execute(bench.chip, good, size, frame), 4);
        assert_memory_equal(frame, garbled, 4);
        assert_non_null(strstr(kw_sim_chip_reason(bench.chip),
                               size == 0 ? "not 0" : "says 7 and"));
    }
    /* Bytes beyond the count are ignored. */
    assert_int_equal(kw_sim_chip_execute(bench.chip, good, sizeof(good), frame),
                     7);
    bench_close(&bench);
}

/* A frame with a good CRC whose count no command can have. */
static void refuses_counts(void **state) {
    (void)state;
    static const uint8_t COUNTS[] = {2, 3, 4, 6, 156, 255};
    struct bench bench;
    bench_trustflex(&bench);
    for (size_t i = 0; i < sizeof(COUNTS); i++) {
        const size_t count = COUNTS[i];
        uint8_t packet[255] = {COUNTS[i], OP_INFO};
        uint8_t frame[KW_RESPONSE_MAX];
        kw_store_le16(packet + count - 2, kw_crc16(packet, count - 2));
        assert_int_equal(kw_sim_chip_execute(bench.chip, packet, count, frame),
                         4);
        assert_int_equal(frame[1], 0xFF);
        assert_non_null(
            strstr(kw_sim_chip_reason(bench.chip), "7 to 155 bytes"));
    }
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_known_frames),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(refuses_counts),
        cmocka_unit_test(survives_noise),
        cmocka_unit_test(refuses_other_opcodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
