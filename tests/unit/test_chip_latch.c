/* PersistentDisable: what the persistent latch opens and closes, and who may
 * move it. */
#include "chip_fixture.h"

enum {
    SECRET_SLOT = 5,
    PERMITTER = 7, /* VolatileKeyPermission */
    STRANGER = 6,
};

static const uint8_t KEY[32] = {0x4B};
static struct outside_key authority;

/* Every slot that is tried has PersistentDisable. */
static struct kw_sim_eeprom prepared(void) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t stored[72];
    stored_key(authority.public_key, stored);
    set_key_config(&eeprom, 0, 0x1053);
    set_key_config(&eeprom, 2, 0x1073);
    set_key_config(&eeprom, 3, 0x1073);
    set_slot_config(&eeprom, 3, 0x4585); /* PrivWrite under slot 5 */
    set_key_config(&eeprom, 8, 0x103C);
    set_key_config(&eeprom, 13, 0x1030);
    set_slot(&eeprom, 13, stored, 72);
    set_slot(&eeprom, 15, stored, 72);
    set_slot_config(&eeprom, 14, 0x1F0F); /* parent: slot 15 */
    set_key_config(&eeprom, 14, 0x1012);
    set_slot(&eeprom, 14, stored, 72);
    set_slot(&eeprom, PERMITTER, KEY, 32);
    set_slot(&eeprom, STRANGER, KEY, 32);
    eeprom.config[KW_CONFIG_VOLATILE_KEY_PERMISSION] = 0x80 | PERMITTER;
    return eeprom;
}

static void authorise(struct bench *bench, uint16_t slot) {
    uint8_t message[88] = {0};
    uint8_t proof[77] = {0};
    random_nonce(bench);
    memcpy(message, KEY, 32);
    memcpy(message + 32, buffers(bench)->temp_key, 32);
    message[79] = SERIAL[8];
    memcpy(message + 84, SERIAL, 2);
    hash_outside(message, sizeof(message), proof + 32);
    (void)ask_ok(bench, OP_CHECKMAC, 0x01, slot, proof, sizeof(proof));
}

static void set_latch(struct bench *bench, uint16_t value) {
    authorise(bench, PERMITTER);
    const struct reply reply = ask_ok(bench, OP_INFO, 4, 2u | value, NULL, 0);
    assert_int_equal(reply.data[0], value);
}

static void only_the_permitter_moves_it(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    const char *words = "CheckMac with the key in slot 7";
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, words, OP_INFO, 4, 3, NULL, 0);
    authorise(&bench, STRANGER);
    ask_no(&bench, REFUSED, words, OP_INFO, 4, 3, NULL, 0);
    set_latch(&bench, 1);
    ask_no(&bench, REFUSED, words, OP_INFO, 4, 2, NULL, 0); /* spent */
    set_latch(&bench, 0);
    bench_close(&bench);
    eeprom.config[KW_CONFIG_VOLATILE_KEY_PERMISSION] = PERMITTER;
    bench_open(&bench, &eeprom);
    authorise(&bench, PERMITTER);
    ask_no(&bench, REFUSED, "VolatileKeyPermission", OP_INFO, 4, 3, NULL, 0);
    bench_close(&bench);
}

/* --- what it closes --- */

struct use {
    uint8_t opcode;
    uint8_t param1;
    uint16_t param2;
    const void *data;
    size_t size;
};

static uint8_t signature[128];

static void prepare_use(struct bench *bench) {
    load(bench, 0x43, DIGEST, 32);
    load(bench, 0x03, DIGEST, 32);
}

static void closed_until_set(void **state) {
    (void)state;
    const struct use uses[] = {
        {OP_SIGN, 0xA0, 0, NULL, 0},
        {OP_ECDH, 0x0C, 0, authority.public_key, 64},
        {OP_READ, 0x82, 8 << 3, NULL, 0},
        {OP_WRITE, 0x82, 8 << 3, DIGEST, 32},
        {OP_VERIFY, 0x20, 13, signature, 64},
        {OP_SHA, 0x04, 8, NULL, 0},
        {OP_MAC, 0x00, 8, DIGEST, 32},
        {OP_GENDIG, 0x02, 8, NULL, 0},
    };
    for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
        const struct kw_sim_eeprom eeprom = prepared();
        const struct use *use = &uses[i];
        struct bench bench;
        bench_open(&bench, &eeprom);
        prepare_use(&bench);
        ask_no(&bench, REFUSED, "persistent latch", use->opcode, use->param1,
               use->param2, use->data, use->size);
        set_latch(&bench, 1);
        prepare_use(&bench);
        (void)ask_ok(&bench, use->opcode, use->param1, use->param2, use->data,
                     use->size);
        /* The failure of the supply closes it again. */
        kw_sim_chip_power_cycle(bench.chip);
        assert_true(kw_sim_chip_wake(bench.chip));
        prepare_use(&bench);
        ask_no(&bench, REFUSED, "persistent latch", use->opcode, use->param1,
               use->param2, use->data, use->size);
        bench_close(&bench);
    }
}

static void genkey_is_exempt(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_GENKEY, 0x04, 2, NULL, 0);
    (void)ask_ok(&bench, OP_GENKEY, 0x00, 2, NULL, 0);
    bench_close(&bench);
}

static void privwrite_is_closed(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    uint8_t data[68] = {0};
    bench_open(&bench, &eeprom);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_GENDIG, 2, SECRET_SLOT, NULL, 0);
    ask_no(&bench, REFUSED, "persistent latch", OP_PRIVWRITE, 0x40, 3, data,
           68);
    bench_close(&bench);
}

static void validation_is_closed(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    uint8_t data[83] = {0};
    uint8_t message[KW_SIGN_MESSAGE_SIZE];
    uint8_t digest[32];
    bench_open(&bench, &eeprom);
    set_latch(&bench, 1);
    for (unsigned round = 0; round < 2; round++) {
        load(&bench, 0x03, DIGEST, 32);
        (void)ask_ok(&bench, OP_GENKEY, 0x10, 14, "\0\0\0", 3);
        kw_message_from_other_data(buffers(&bench)->temp_key, data + 64, SERIAL,
                                   message);
        hash_outside(message, sizeof(message), digest);
        sign_outside(&authority, digest, data);
        if (round == 0) {
            (void)ask_ok(&bench, OP_VERIFY, 0x03, 14, data, 83);
            set_latch(&bench, 0);
        } else {
            ask_no(&bench, REFUSED, "persistent latch", OP_VERIFY, 0x03, 14,
                   data, 83);
        }
    }
    bench_close(&bench);
}

static int prepare(void **state) {
    (void)state;
    authority = make_key();
    sign_outside(&authority, DIGEST, signature);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_permitter_moves_it),
        cmocka_unit_test(closed_until_set),
        cmocka_unit_test(genkey_is_exempt),
        cmocka_unit_test(privwrite_is_closed),
        cmocka_unit_test(validation_is_closed),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
