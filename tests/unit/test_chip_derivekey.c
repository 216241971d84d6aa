/* DeriveKey of the emulated chip, against a message laid out here. */
#include "chip_fixture.h"

static const uint8_t PARENT[32] = {0x50, 0x41};
static const uint8_t TARGET[32] = {0x54, 0x47};

enum {
    PARENT_SLOT = 4,
    ROLL = 5,
    CREATE = 6,
    ROLL_MAC = 7,
    CREATE_MAC = 9,
};

/* Slots 5, 6, 7, 9: WriteConfig 2, 3, A, B; parent is slot 4. */
static struct kw_sim_eeprom prepared(void) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    static const uint16_t words[][2] = {
        {ROLL, 0x248F},
        {CREATE, 0x348F},
        {ROLL_MAC, 0xA48F},
        {CREATE_MAC, 0xB48F},
    };
    set_slot_config(&eeprom, PARENT_SLOT, 0x8F8F);
    set_key_config(&eeprom, PARENT_SLOT, 0x001C);
    set_slot(&eeprom, PARENT_SLOT, PARENT, 32);
    for (size_t i = 0; i < 4; i++) {
        set_slot_config(&eeprom, words[i][0], words[i][1]);
        set_key_config(&eeprom, words[i][0], 0x003C);
        set_slot(&eeprom, words[i][0], TARGET, 32);
    }
    return eeprom;
}

static void head_of(uint8_t mode, uint16_t slot, uint8_t message[7]) {
    message[0] = OP_DERIVEKEY;
    message[1] = mode;
    kw_store_le16(message + 2, slot);
    message[4] = SERIAL[8];
    memcpy(message + 5, SERIAL, 2);
}

static void derived(const uint8_t source[32], uint8_t mode, uint16_t slot,
                    const uint8_t temp_key[32], uint8_t key[32]) {
    uint8_t message[96] = {0};
    memcpy(message, source, 32);
    head_of(mode, slot, message + 32);
    memcpy(message + 64, temp_key, 32);
    hash_outside(message, sizeof(message), key);
}

static void mac_of(uint8_t mode, uint16_t slot, uint8_t mac[32]) {
    uint8_t message[39];
    memcpy(message, PARENT, 32);
    head_of(mode, slot, message + 32);
    hash_outside(message, sizeof(message), mac);
}

static const uint8_t *slot_of(const struct bench *bench, unsigned slot) {
    static struct kw_sim_eeprom copy;
    copy = *kw_sim_chip_eeprom(bench->chip);
    return kw_sim_eeprom_slot(&copy, slot);
}

static void derives(void **state) {
    (void)state;
    static const struct {
        uint16_t slot;
        bool from_parent;
        bool with_mac;
    } cases[] = {
        {ROLL, false, false},
        {CREATE, true, false},
        {ROLL_MAC, false, true},
        {CREATE_MAC, true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct kw_sim_eeprom eeprom = prepared();
        struct bench bench;
        uint8_t expected[32];
        uint8_t mac[32];
        bench_open(&bench, &eeprom);
        load(&bench, 0x03, DIGEST, 32);
        derived(cases[i].from_parent ? PARENT : TARGET, 0x04, cases[i].slot,
                DIGEST, expected);
        mac_of(0x04, cases[i].slot, mac);
        (void)ask_ok(&bench, OP_DERIVEKEY, 0x04, cases[i].slot, mac,
                     cases[i].with_mac ? 32 : 0);
        assert_memory_equal(slot_of(&bench, cases[i].slot), expected, 32);
        assert_memory_equal(bench.stored.data,
                            kw_sim_chip_eeprom(bench.chip)->data,
                            KW_SIM_DATA_SIZE);
        assert_false(buffers(&bench)->temp_key_valid);
        bench_close(&bench);
    }
}

static void mac_must_match(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    uint8_t mac[32];
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    mac_of(0x04, CREATE_MAC, mac);
    mac[31] ^= 1;
    ask_no(&bench, MISMATCH, "not the parent key's", OP_DERIVEKEY, 4,
           CREATE_MAC, mac, 32);
    assert_false(buffers(&bench)->temp_key_valid);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "demands a MAC", OP_DERIVEKEY, 4, CREATE_MAC, NULL,
           0);
    ask_no(&bench, REFUSED, "demands no MAC", OP_DERIVEKEY, 4, CREATE, mac, 32);
    bench_close(&bench);
}

static void refuses(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    set_slot_config(&eeprom, 10, 0x0F0F); /* WriteConfig 0 */
    set_slot_config(&eeprom, 12, 0x308F); /* from slot 0, a private key */
    set_key_config(&eeprom, 13, 0x101C);
    set_slot_config(&eeprom, 13, 0x248F);
    set_slot_config(&eeprom, 11, 0x348F);
    set_key_config(&eeprom, 11, 0x003C);
    eeprom.config[KW_CONFIG_SLOT_LOCKED + 1] = 0xFF & ~(1 << (11 - 8));
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_DERIVEKEY, 4, ROLL, NULL,
           0);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "contrary", OP_DERIVEKEY, 0, ROLL, NULL, 0);
    ask_no(&bench, REFUSED, "private key", OP_DERIVEKEY, 4, 2, NULL, 0);
    ask_no(&bench, REFUSED, "bit 13", OP_DERIVEKEY, 4, 10, NULL, 0);
    ask_no(&bench, REFUSED, "slot 0 holds a private key", OP_DERIVEKEY, 4, 12,
           NULL, 0);
    ask_no(&bench, REFUSED, "persistent latch", OP_DERIVEKEY, 4, 13, NULL, 0);
    ask_no(&bench, REFUSED, "locked for good", OP_DERIVEKEY, 4, 11, NULL, 0);
    ask_no(&bench, PARSE, "no mode", OP_DERIVEKEY, 5, ROLL, NULL, 0);
    ask_no(&bench, PARSE, "no slot", OP_DERIVEKEY, 4, 16, NULL, 0);
    ask_no(&bench, PARSE, "32 bytes", OP_DERIVEKEY, 4, ROLL, DIGEST, 31);
    bench_close(&bench);
    set_locks(&eeprom, 0, KW_ZONE_UNLOCKED);
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "data zone", OP_DERIVEKEY, 4, ROLL, NULL, 0);
    bench_close(&bench);
}

/* ReqRandom counts for the key that the new one is made from. */
static void source_may_ask_for_a_random_nonce(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    set_key_config(&eeprom, PARENT_SLOT, 0x005C);
    set_key_config(&eeprom, CREATE_MAC, 0x007C);
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqRandom of slot 4", OP_DERIVEKEY, 4, CREATE,
           NULL, 0);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, ROLL, NULL, 0);
    random_nonce(&bench);
    (void)ask_ok(&bench, OP_DERIVEKEY, 0, CREATE, NULL, 0);
    bench_close(&bench);
}

/* LimitedUse counts for the parent, not for the target. */
static void parent_use_is_counted(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    const uint8_t *config;
    set_slot_config(&eeprom, PARENT_SLOT, 0x8FAF);
    set_slot_config(&eeprom, ROLL, 0x24AF);
    bench_open(&bench, &eeprom);
    config = kw_sim_chip_eeprom(bench.chip)->config;
    load(&bench, 0x03, DIGEST, 32);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, ROLL, NULL, 0);
    assert_int_equal(kw_counter_decode(config + KW_CONFIG_COUNTER), 0);
    load(&bench, 0x03, DIGEST, 32);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, CREATE, NULL, 0);
    assert_int_equal(kw_counter_decode(config + KW_CONFIG_COUNTER), 1);
    bench_close(&bench);
}

static void authorise(struct bench *bench) {
    uint8_t bytes[88] = {0};
    uint8_t proof[77] = {0};
    random_nonce(bench);
    memcpy(bytes, PARENT, 32);
    memcpy(bytes + 32, buffers(bench)->temp_key, 32);
    bytes[79] = SERIAL[8];
    memcpy(bytes + 84, SERIAL, 2);
    hash_outside(bytes, sizeof(bytes), proof + 32);
    (void)ask_ok(bench, OP_CHECKMAC, 0x01, PARENT_SLOT, proof, 77);
    load(bench, 0x03, DIGEST, 32);
}

/* Rolling asks the target's authorisation, creating the parent's, and both
 * keys of a roll with a MAC take the same one. */
static void authorisation_is_asked(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    uint8_t mac[32];
    set_key_config(&eeprom, ROLL, 0x04BC);
    set_key_config(&eeprom, ROLL_MAC, 0x04BC);
    mac_of(0x04, ROLL_MAC, mac);
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqAuth of slot 5", OP_DERIVEKEY, 4, ROLL, NULL,
           0);
    ask_no(&bench, REFUSED, "ReqAuth of slot 7", OP_DERIVEKEY, 4, ROLL_MAC, mac,
           32);
    authorise(&bench);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, ROLL, NULL, 0);
    authorise(&bench);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, ROLL_MAC, mac, 32);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqAuth of slot 7", OP_DERIVEKEY, 4, ROLL_MAC, mac,
           32);
    bench_close(&bench);
    /* A parent that asks for its own key's proof, given just before. */
    set_key_config(&eeprom, 12, 0x04BC);
    set_slot_config(&eeprom, 12, 0x8F8F);
    set_slot(&eeprom, 12, PARENT, 32);
    set_slot_config(&eeprom, ROLL_MAC, 0xAC8F);
    bench_open(&bench, &eeprom);
    authorise(&bench);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, ROLL_MAC, mac, 32);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqAuth of slot 7", OP_DERIVEKEY, 4, ROLL_MAC, mac,
           32);
    bench_close(&bench);
}

/* A slot for a public key that keeps a validity loses it. */
static void derived_key_is_not_valid(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    set_slot_config(&eeprom, 14, 0x240D);
    kw_sim_eeprom_slot(&eeprom, 14)[0] = 0x50;
    bench_open(&bench, &eeprom);
    load(&bench, 0x03, DIGEST, 32);
    (void)ask_ok(&bench, OP_DERIVEKEY, 4, 14, NULL, 0);
    assert_int_equal(slot_of(&bench, 14)[0] & 0xF0, 0xA0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derives),
        cmocka_unit_test(mac_must_match),
        cmocka_unit_test(refuses),
        cmocka_unit_test(source_may_ask_for_a_random_nonce),
        cmocka_unit_test(parent_use_is_counted),
        cmocka_unit_test(authorisation_is_asked),
        cmocka_unit_test(derived_key_is_not_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
