/* What host/chip_explain.h says of a configuration, against the chip: on
 * many random configurations "no" is refused, "yes" is not, and the reasons
 * of refusals are the chip's own where one rule decides. */
#include "host/chip_refusal.h"
#include "tests/unit/chip_fixture.h"

#define CONFIGURATIONS 400
#define FIRST_PUBLIC   8

/* The curve's base point, and the key that it belongs to: 1. */
static const uint8_t BASE[64] = {
    0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6,
    0xE5, 0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB,
    0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F,
    0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A,
    0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E,
    0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5};

static uint32_t noise(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void fill_slot(struct kw_sim_eeprom *eeprom, unsigned slot) {
    uint8_t bytes[72] = {0};
    if (kw_config_key(eeprom->config, slot).is_private || slot < FIRST_PUBLIC) {
        bytes[35] = 1;
    } else {
        memcpy(bytes + 4, BASE, 32);
        memcpy(bytes + 40, BASE + 32, 32);
    }
    set_slot(eeprom, slot, bytes, slot < FIRST_PUBLIC ? 36 : 72);
}

/* Any bits, but for key types that exist more often than not. */
static struct kw_sim_eeprom random_chip(uint32_t *seed) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        static const uint16_t TYPES[] = {4, 4, 4, 6, 7, 1};
        const uint16_t type = TYPES[noise(seed) % 6];
        uint16_t key = (uint16_t)(noise(seed) & 0x0023u);
        key |= (uint16_t)(type << 2);
        if (noise(seed) % 4 == 0) {
            key |= (uint16_t)(noise(seed) & 0x1FC0u);
        }
        set_key_config(&eeprom, slot, key);
        set_slot_config(&eeprom, slot, (uint16_t)(noise(seed) & 0xFFFFu));
        fill_slot(&eeprom, slot);
    }
    if (noise(seed) % 3 == 0) {
        eeprom.config[KW_CONFIG_SLOT_LOCKED] = (uint8_t)noise(seed);
        eeprom.config[KW_CONFIG_SLOT_LOCKED + 1] = (uint8_t)noise(seed);
    }
    eeprom.config[KW_CONFIG_AES_ENABLE] = noise(seed) % 4 != 0;
    const uint32_t locks = noise(seed) % 4;
    set_locks(&eeprom, locks == 0 ? 0x55 : 0, locks <= 1 ? 0x55 : 0);
    return eeprom;
}

/* One use of a slot, as a command that has all it needs but permission. */
struct probe {
    uint8_t opcode;
    uint8_t mode;
    size_t size;
    bool address; /* param2 is slot << 3 */
    bool yes;     /* a "yes" means that the chip obeys */
};

/* Those that change a slot come last. */
static const struct probe PROBES[] = {
    {OP_READ, 0x82, 0, true, true},     {OP_GENKEY, 0x00, 0, false, true},
    {OP_SIGN, 0xA0, 0, false, true},    {OP_SIGN, 0x00, 0, false, false},
    {OP_VERIFY, 0x20, 64, false, true}, {OP_MAC, 0x40, 32, false, true},
    {OP_SHA, 0x04, 0, false, true},     {OP_GENDIG, 0x02, 4, false, true},
    {OP_AES, 0x00, 16, false, true},    {OP_CHECKMAC, 0x00, 77, false, true},
    {OP_ECDH, 0x0C, 64, false, false},  {OP_PRIVWRITE, 0x00, 68, false, true},
    {OP_GENKEY, 0x04, 0, false, true},  {OP_DERIVEKEY, 0x00, 0, false, false},
    {OP_WRITE, 0x82, 32, true, true},
};

static void load_buffers(struct bench *bench) {
    static const uint8_t zeros[32] = {0};
    (void)ask(bench, OP_NONCE, 0x00, 0, zeros, 20);
    (void)ask(bench, OP_NONCE, 0x43, 0, zeros, 32);
}

static void try_probe(struct bench *bench, const struct probe *probe,
                      unsigned slot, unsigned counts[3]) {
    uint8_t data[80] = {0};
    struct kw_permission permission;
    unsigned found = 0;
    const uint16_t param2 = (uint16_t)(probe->address ? slot << 3 : slot);
    const struct kw_command command = {probe->opcode, probe->mode, param2, data,
                                       probe->size};
    const uint8_t *config = kw_sim_chip_eeprom(bench->chip)->config;
    data[35] = 1; /* of PrivWrite: the key */
    if (probe->opcode == OP_ECDH) {
        memcpy(data, BASE, sizeof BASE);
    }
    assert_true(kw_explain_command(config, &command, &found, &permission));
    assert_int_equal(found, slot);
    load_buffers(bench);
    const struct reply reply =
        ask(bench, probe->opcode, probe->mode, param2, data, probe->size);
    const bool refused =
        reply.size == 0 && reply.status != OK && reply.status != MISMATCH;
    counts[permission.permitted]++;
    if (permission.permitted == KW_PERMITTED_NO && !refused) {
        fail_msg("slot %u, %s: obeyed, and should not: %s", slot,
                 permission.command, permission.why);
    }
    if (permission.permitted == KW_PERMITTED_YES && probe->yes && refused) {
        fail_msg("slot %u, %s (%s): refused with %02X: %s", slot,
                 permission.command, permission.why, reply.status,
                 kw_sim_chip_reason(bench->chip));
    }
}

static void agrees_with_the_chip(void **state) {
    unsigned counts[3] = {0};
    uint32_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < CONFIGURATIONS; i++) {
        const struct kw_sim_eeprom eeprom = random_chip(&seed);
        for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
            struct bench bench;
            bench_open(&bench, &eeprom);
            for (size_t j = 0; j < sizeof PROBES / sizeof *PROBES; j++) {
                try_probe(&bench, &PROBES[j], slot, counts);
            }
            bench_close(&bench);
        }
    }
    /* Each answer was given often enough to mean something. */
    assert_true(counts[KW_PERMITTED_NO] > 1000);
    assert_true(counts[KW_PERMITTED_IF] > 1000);
    assert_true(counts[KW_PERMITTED_YES] > 1000);
}

/* --- the words of refusals --- */

struct refusal {
    uint8_t opcode;
    uint8_t mode;
    uint16_t param2;
    size_t size;
    const char *words; /* among those derived; NULL: the chip's own */
};

static const struct refusal REFUSALS[] = {
    {OP_READ, 0x82, 6 << 3, 0, "slot 6 is secret"},
    {OP_READ, 0x82, 0, 0, NULL},
    {OP_READ, 0x82, 0x0500, 0, "slot 0 has 36 bytes"},
    {OP_WRITE, 0x82, 7 << 3, 32, NULL},
    {OP_WRITE, 0x82, 0, 32, NULL},
    {OP_WRITE, 0x82, 5 << 3, 32, "key in slot 6"},
    {OP_WRITE, 0x80, 1 << 3, 32, NULL},
    {OP_WRITE, 0x81, 0, 32, NULL},
    {OP_GENKEY, 0x04, 0, 0, NULL},
    {OP_GENKEY, 0x04, 16, 0, "there is no slot 16"},
    {OP_SIGN, 0x80, 1, 0, NULL},
    {OP_SIGN, 0x80, 0, 0, "Nonce"},
    {OP_VERIFY, 0x20, 14, 64, "validated"},
    {OP_MAC, 0x40, 7, 32, NULL},
    {OP_SHA, 0x04, 6, 0, NULL},
    {OP_LOCK, 0x80, 0, 0, NULL},
    {OP_LOCK, 0x81, 0, 0, NULL},
    {OP_LOCK, 0x3A, 0, 0, NULL},
    {OP_LOCK, 0x02, 0, 0, NULL},
    {OP_PRIVWRITE, 0x40, 2, 68, NULL},
    {OP_INFO, 0x0F, 0, 0, "no mode 0F"},
};

static void words_of_refusals(void **state) {
    struct bench bench;
    uint8_t data[80] = {0};
    char why[KW_WHY_MAX];
    (void)state;
    bench_trustflex(&bench);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        const struct refusal *row = &REFUSALS[i];
        const struct kw_command command = {row->opcode, row->mode, row->param2,
                                           NULL, row->size};
        const struct reply reply =
            ask(&bench, row->opcode, row->mode, row->param2, data, row->size);
        const char *own = kw_sim_chip_reason(bench.chip);
        assert_true(reply.status == REFUSED || reply.status == PARSE);
        kw_explain_refusal(kw_sim_chip_eeprom(bench.chip)->config, &command,
                           kw_status_of_chip(reply.status), why);
        const char *wanted = row->words == NULL ? own : row->words;
        if (strstr(why, wanted) == NULL) {
            fail_msg("row %zu: '%s' does not say '%s'", i, why, wanted);
        }
    }
    bench_close(&bench);
}

static void a_success_needs_no_words(void **state) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    const struct kw_command command = {OP_READ, 0x82, 8 << 3, NULL, 0};
    char why[KW_WHY_MAX] = "left";
    (void)state;
    kw_explain_refusal(eeprom.config, &command, KW_OK, why);
    assert_string_equal(why, "");
    kw_explain_refusal(eeprom.config, &command, KW_CHIP_MISMATCH, why);
    assert_string_equal(why, "");
}

static void an_open_configuration_is_named(void **state) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    static const struct kw_command COMMANDS[] = {
        {OP_READ, 0x82, 8 << 3, NULL, 0},   {OP_READ, 0x81, 0, NULL, 0},
        {OP_WRITE, 0x82, 8 << 3, NULL, 32}, {OP_GENKEY, 0x04, 0, NULL, 0},
        {OP_SIGN, 0x80, 0, NULL, 0},        {OP_LOCK, 0x02, 0, NULL, 0},
    };
    char why[KW_WHY_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        kw_explain_refusal(eeprom.config, &COMMANDS[i], KW_CHIP_EXECUTION, why);
        assert_non_null(strstr(why, "configuration zone is not locked"));
    }
}

static void every_row_has_words(void **state) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct kw_permission permissions[KW_PERMISSIONS_MAX];
    (void)state;
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        const size_t count = kw_explain_slot(eeprom.config, slot, permissions);
        assert_int_equal(count, 18);
        for (size_t i = 0; i < count; i++) {
            assert_true(permissions[i].command[0] != '\0');
            assert_true(permissions[i].why[0] != '\0');
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_chip),
        cmocka_unit_test(words_of_refusals),
        cmocka_unit_test(a_success_needs_no_words),
        cmocka_unit_test(an_open_configuration_is_named),
        cmocka_unit_test(every_row_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
