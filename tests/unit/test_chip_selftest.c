/* SelfTest of the emulated chip, and what broken silicon does to all other
 * commands. */
#include "chip_fixture.h"

/* The answer, which comes in the place of a status. */
static uint8_t self_test(struct bench *bench, uint8_t mode) {
    const struct reply reply = ask(bench, OP_SELFTEST, mode, 0, NULL, 0);
    assert_string_equal(kw_sim_chip_reason(bench->chip), "");
    assert_int_equal(reply.frame_size, 4);
    return reply.status;
}

static void healthy_chip_passes(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    for (uint8_t mode = 0; mode <= 0x3F; mode++) {
        assert_int_equal(self_test(&bench, mode), 0);
    }
    bench_close(&bench);
}

static void refuses_forms(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    ask_no(&bench, PARSE, "no mode", OP_SELFTEST, 0x40, 0, NULL, 0);
    ask_no(&bench, PARSE, "no mode", OP_SELFTEST, 0x80, 0, NULL, 0);
    ask_no(&bench, PARSE, "param2", OP_SELFTEST, 0x3B, 1, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_SELFTEST, 0x3B, 0, DIGEST, 1);
    bench_close(&bench);
}

static void finds_each_broken_engine(void **state) {
    (void)state;
    static const struct {
        uint8_t engine;
        uint8_t mode;
    } cases[] = {
        {KW_SIM_BROKEN_GENERATOR, 0x01}, {KW_SIM_BROKEN_ECDSA, 0x04},
        {KW_SIM_BROKEN_ECDSA, 0x02}, /* the library's bit for it */
        {KW_SIM_BROKEN_ECDH, 0x08},      {KW_SIM_BROKEN_AES, 0x10},
        {KW_SIM_BROKEN_SHA, 0x20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bench bench;
        bench_trustflex(&bench);
        kw_sim_chip_break(bench.chip, cases[i].engine);
        assert_int_equal(self_test(&bench, 0), 0); /* runs nothing */
        (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
        assert_int_equal(self_test(&bench, cases[i].mode), cases[i].engine);
        assert_int_equal(self_test(&bench, 0), cases[i].engine);
        bench_close(&bench);
    }
}

static void failure_stops_everything_else(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_AES | KW_SIM_BROKEN_SHA);
    assert_int_equal(self_test(&bench, 0x3B), 0x30);
    ask_no(&bench, SELF_TEST_FAILED, "self-tests 30", OP_INFO, 0, 0, NULL, 0);
    ask_no(&bench, SELF_TEST_FAILED, "self-tests 30", OP_READ, 0x82, 8 << 3,
           NULL, 0);
    ask_no(&bench, SELF_TEST_FAILED, "self-tests 30", OP_RANDOM, 0, 0, NULL, 0);
    (void)ask_ok(&bench, OP_READ, 0x80, 0, NULL, 0);
    (void)ask_ok(&bench, OP_READ, 0x00, 3, NULL, 0);
    /* Passing a test clears its bit, and that one alone. */
    kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_SHA);
    assert_int_equal(self_test(&bench, 0x10), 0);
    assert_int_equal(self_test(&bench, 0), KW_SIM_BROKEN_SHA);
    kw_sim_chip_break(bench.chip, 0);
    assert_int_equal(self_test(&bench, 0x20), 0);
    (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
    bench_close(&bench);
}

static void wake_clears_the_failure(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    for (unsigned way = 0; way < 3; way++) {
        kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_ECDH);
        assert_int_equal(self_test(&bench, 0x08), 0x08);
        kw_sim_chip_break(bench.chip, 0);
        if (way == 0) {
            kw_sim_chip_idle(bench.chip);
        } else if (way == 1) {
            kw_sim_chip_sleep(bench.chip);
        } else {
            kw_sim_chip_power_cycle(bench.chip);
        }
        assert_true(kw_sim_chip_wake(bench.chip));
        assert_int_equal(self_test(&bench, 0), 0);
        (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
    }
    bench_close(&bench);
}

/* --- at power-up --- */

static uint8_t wake_status(struct bench *bench) {
    uint8_t frame[KW_RESPONSE_MAX];
    assert_true(kw_sim_chip_wake(bench->chip));
    return reply_of(frame, kw_sim_chip_output(bench->chip, frame)).status;
}

static void tests_at_power_up(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct bench bench;
    eeprom.config[KW_CONFIG_CHIP_OPTIONS] |= 0x01;
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
    kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_ECDSA);
    kw_sim_chip_sleep(bench.chip);
    const uint8_t failed[] = {0x04, 0x07, 0x40, 0xC2};
    uint8_t frame[KW_RESPONSE_MAX];
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_int_equal(kw_sim_chip_output(bench.chip, frame), 4);
    assert_memory_equal(frame, failed, 4);
    ask_no(&bench, SELF_TEST_FAILED, "self-tests 04", OP_INFO, 0, 0, NULL, 0);
    /* Waking from idle tests nothing. */
    kw_sim_chip_idle(bench.chip);
    assert_int_equal(wake_status(&bench), 0x11);
    kw_sim_chip_power_cycle(bench.chip);
    assert_int_equal(wake_status(&bench), 0x07);
    kw_sim_chip_break(bench.chip, 0);
    kw_sim_chip_power_cycle(bench.chip);
    assert_int_equal(wake_status(&bench), 0x11);
    /* When the mathematics fails, nothing has passed. */
    kw_sim_chip_power_cycle(bench.chip);
    crypto_control.calls = 0;
    crypto_control.fail_at = 3;
    assert_int_equal(wake_status(&bench), 0x07);
    assert_int_equal(self_test(&bench, 0), 0x3D);
    bench_close(&bench);
}

static void no_tests_without_the_option(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_ECDSA);
    kw_sim_chip_power_cycle(bench.chip);
    assert_int_equal(wake_status(&bench), 0x11);
    (void)ask_ok(&bench, OP_INFO, 0, 0, NULL, 0);
    bench_close(&bench);
}

/* A generator that repeats itself is found out. */
static void constant_generator_fails(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    crypto_control.random = DIGEST;
    assert_int_equal(self_test(&bench, 0x01), 0x01);
    crypto_control.random = NULL;
    assert_int_equal(self_test(&bench, 0x01), 0x00);
    bench_close(&bench);
}

/* Engines that answer wrongly, each in its own way. */
static kw_status wrong_ecdh(void *context, const uint8_t key[32],
                            const uint8_t public_key[64], uint8_t secret[32]) {
    const kw_status status =
        kw_sim_crypto_openssl.ecdh(context, key, public_key, secret);
    secret[0] ^= 1;
    return status;
}

static kw_status wrong_aes(void *context, const uint8_t key[16], bool decrypt,
                           const uint8_t input[16], uint8_t output[16]) {
    const kw_status status =
        kw_sim_crypto_openssl.aes128(context, key, decrypt, input, output);
    output[0] ^= 1;
    return status;
}

static kw_status wrong_sign(void *context, const uint8_t key[32],
                            const uint8_t digest[32], uint8_t signature[64]) {
    const kw_status status =
        kw_sim_crypto_openssl.sign(context, key, digest, signature);
    signature[0] ^= 1;
    return status;
}

static kw_status wrong_sha256(void *self, const struct kw_span *spans,
                              size_t count, uint8_t digest[32]) {
    (void)self;
    (void)spans;
    (void)count;
    memset(digest, 0, 32);
    return KW_OK;
}

static struct kw_hash wrong_hash(void *context) {
    return (struct kw_hash){.sha256 = wrong_sha256, .self = context};
}

static void wrong_answers_fail(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct kw_sim_crypto wrong = kw_sim_crypto_openssl;
    const struct kw_sim_options options = {.crypto = &wrong};
    struct bench bench = {.commits = 0};
    wrong.ecdh = wrong_ecdh;
    wrong.aes128 = wrong_aes;
    wrong.sign = wrong_sign;
    wrong.hash = wrong_hash;
    bench.chip = kw_sim_chip_new(&eeprom, &options);
    assert_true(kw_sim_chip_wake(bench.chip));
    assert_int_equal(self_test(&bench, 0x3B), 0x3C);
    kw_sim_chip_free(bench.chip);
}

/* --- health of the generator --- */

static void uses_of_the_generator_fail(struct bench *bench) {
    uint8_t block[20] = {0};
    const struct outside_key other = make_key();
    ask_no(bench, HEALTH_FAILED, "health test", OP_RANDOM, 0, 0, NULL, 0);
    ask_no(bench, HEALTH_FAILED, "health test", OP_NONCE, 0, 0, block, 20);
    ask_no(bench, HEALTH_FAILED, "health test", OP_GENKEY, 4, 2, NULL, 0);
    ask_no(bench, HEALTH_FAILED, "health test", OP_GENKEY, 4, 0xFFFF, NULL, 0);
    load(bench, 0x43, DIGEST, 32);
    ask_no(bench, HEALTH_FAILED, "health test", OP_SIGN, 0xA0, 0, NULL, 0);
    ask_no(bench, HEALTH_FAILED, "health test", OP_ECDH, 0x0E, 0,
           other.public_key, 64);
    /* What needs no random number goes on. */
    (void)ask_ok(bench, OP_GENKEY, 0, 2, NULL, 0);
    (void)ask_ok(bench, OP_ECDH, 0x0C, 0, other.public_key, 64);
    (void)ask_ok(bench, OP_INFO, 0, 0, NULL, 0);
}

static void health_failure_clears_itself(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench); /* ChipOptions bit 3 is set */
    kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_HEALTH);
    uses_of_the_generator_fail(&bench);
    kw_sim_chip_break(bench.chip, 0);
    (void)ask_ok(&bench, OP_RANDOM, 0, 0, NULL, 0);
    bench_close(&bench);
}

static void health_failure_stays(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct bench bench;
    eeprom.config[KW_CONFIG_CHIP_OPTIONS] = 0x06;
    bench_open(&bench, &eeprom);
    kw_sim_chip_break(bench.chip, KW_SIM_BROKEN_HEALTH);
    uses_of_the_generator_fail(&bench);
    kw_sim_chip_break(bench.chip, 0);
    uses_of_the_generator_fail(&bench);
    kw_sim_chip_idle(bench.chip);
    assert_int_equal(wake_status(&bench), 0x11);
    ask_no(&bench, HEALTH_FAILED, "health test", OP_RANDOM, 0, 0, NULL, 0);
    kw_sim_chip_sleep(bench.chip);
    assert_int_equal(wake_status(&bench), 0x11);
    (void)ask_ok(&bench, OP_RANDOM, 0, 0, NULL, 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_chip_passes),
        cmocka_unit_test(refuses_forms),
        cmocka_unit_test(finds_each_broken_engine),
        cmocka_unit_test(failure_stops_everything_else),
        cmocka_unit_test(wake_clears_the_failure),
        cmocka_unit_test(tests_at_power_up),
        cmocka_unit_test(no_tests_without_the_option),
        cmocka_unit_test(constant_generator_fails),
        cmocka_unit_test(wrong_answers_fail),
        cmocka_unit_test(health_failure_clears_itself),
        cmocka_unit_test(health_failure_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
