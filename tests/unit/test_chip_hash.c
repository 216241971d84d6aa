/* The chip's SHA command as the hash of core, beside OpenSSL: lengths around
 * every block border, any split into spans, and a rotation's digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/chip_hash.h"
#include "host/openssl_hash.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"

static struct kw_sim_chip *sim;
static struct kw_chip chip;
static bool broken; /* the link gives no answer */

static kw_status wake(void *self) {
    (void)kw_sim_chip_wake(self);
    return KW_OK;
}

static kw_status idle(void *self) {
    kw_sim_chip_idle(self);
    return KW_OK;
}

static kw_status transfer(void *self, const uint8_t *packet, size_t size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    (void)capacity;
    if (broken) {
        return KW_ABSENT_ANSWER;
    }
    *response_size = kw_sim_chip_execute(self, packet, size, response);
    return KW_OK;
}

static const struct kw_link_ops OPS = {wake, idle, idle, transfer, NULL};

static int set_up(void **state) {
    const struct kw_sim_options options = {.crypto = NULL};
    struct kw_sim_eeprom eeprom;
    (void)state;
    assert_int_equal(kw_sim_personality(KW_SIM_BLANK, KW_SIM_608B,
                                        &kw_sim_crypto_openssl, &eeprom),
                     KW_OK);
    sim = kw_sim_chip_new(&eeprom, &options);
    assert_non_null(sim);
    kw_chip_init(&chip, (struct kw_link){&OPS, sim});
    broken = false;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    kw_sim_chip_free(sim);
    return 0;
}

static void compare(const struct kw_span *spans, size_t count) {
    const struct kw_hash hash = kw_chip_hash(&chip);
    uint8_t expected[KW_SHA256_SIZE];
    uint8_t found[KW_SHA256_SIZE];
    assert_int_equal(kw_hash_spans(&kw_openssl_hash, spans, count, expected),
                     KW_OK);
    assert_int_equal(kw_hash_spans(&hash, spans, count, found), KW_OK);
    assert_memory_equal(found, expected, sizeof found);
}

static void hashes_every_length(void **state) {
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(7 * i + 3);
    }
    for (size_t size = 0; size <= sizeof data; size++) {
        const struct kw_span spans[] = {{data, size / 3},
                                        {data + size / 3, size - size / 3}};
        compare(spans, 2);
    }
}

static void leaves_the_buffers_alone(void **state) {
    (void)state;
    const uint8_t nonce[32] = {1};
    const struct kw_command load = {KW_OP_NONCE, 0x03, 0, nonce, 32};
    assert_int_equal(kw_chip_execute(&chip, &load, NULL, 0), KW_OK);
    const struct kw_sim_volatile before = *kw_sim_chip_volatile(sim);
    const struct kw_span span = {nonce, sizeof nonce};
    compare(&span, 1);
    assert_memory_equal(kw_sim_chip_volatile(sim), &before, sizeof before);
}

static void answers_zeros_when_the_chip_is_gone(void **state) {
    (void)state;
    static const uint8_t zeros[KW_SHA256_SIZE];
    const struct kw_hash hash = kw_chip_hash(&chip);
    uint8_t digest[KW_SHA256_SIZE];
    memset(digest, 0xEE, sizeof digest);
    broken = true;
    assert_int_equal(kw_hash_bytes(&hash, "abc", 3, digest), KW_ABSENT_ANSWER);
    assert_memory_equal(digest, zeros, sizeof digest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hashes_every_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_the_buffers_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answers_zeros_when_the_chip_is_gone,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
