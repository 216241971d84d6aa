/* AES of the emulated chip: SP 800-38A's known answers, every key block, and
 * the multiplication of GCM. */
#include "chip_fixture.h"

/* SP 800-38A F.1.1, ECB-AES128. */
static const char KEY[] = "2b7e151628aed2a6abf7158809cf4f3c";
static const char *const PLAIN[4] = {
    "6bc1bee22e409f96e93d7e117393172a",
    "ae2d8a571e03ac9c9eb76fac45af8e51",
    "30c81c46a35ce411e5fbc1191a0a52ef",
    "f69f2445df4f9b17ad2b417be66c3710",
};
static const char *const CIPHER[4] = {
    "3ad77bb40d7a3660a89ecaf32466ef97",
    "f5d3d58503b9699de785895a96fdbaaf",
    "43b1cd7f598ece23881b00e3ed030688",
    "7b0c785e27e8ad3f8223207104725dd4",
};

/* The other blocks of a key buffer hold something else. */
static void key_in_block(unsigned block, uint8_t keys[64]) {
    memset(keys, 0xB5, 64);
    (void)from_hex(KEY, keys + 16 * block, 16);
}

static void check_block(struct bench *bench, unsigned block, uint16_t slot) {
    for (size_t i = 0; i < 4; i++) {
        uint8_t plain[16];
        uint8_t cipher[16];
        (void)from_hex(PLAIN[i], plain, 16);
        (void)from_hex(CIPHER[i], cipher, 16);
        const uint8_t mode = (uint8_t)(block << 6);
        struct reply reply = ask_ok(bench, OP_AES, mode, slot, plain, 16);
        assert_int_equal(reply.size, 16);
        assert_memory_equal(reply.data, cipher, 16);
        reply = ask_ok(bench, OP_AES, mode | 1, slot, cipher, 16);
        assert_memory_equal(reply.data, plain, 16);
    }
}

static void keys_in_slots(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    for (unsigned block = 0; block < 4; block++) {
        struct bench bench;
        uint8_t keys[64];
        key_in_block(block, keys);
        set_slot(&eeprom, 9, keys, 64);
        set_slot(&eeprom, 5, keys, 32);
        bench_open(&bench, &eeprom);
        check_block(&bench, block, 9);
        if (block < 2) {
            check_block(&bench, block, 5);
        } else {
            ask_no(&bench, PARSE, "no AES key block", OP_AES,
                   (uint8_t)(block << 6), 5, DIGEST, 16);
        }
        bench_close(&bench);
    }
}

/* One load serves any number of calls. */
static void keys_in_temp_key(void **state) {
    (void)state;
    for (unsigned block = 0; block < 4; block++) {
        struct bench bench;
        uint8_t keys[64];
        const uint8_t mode = (uint8_t)(block << 6);
        key_in_block(block, keys);
        bench_trustflex(&bench);
        ask_no(&bench, REFUSED, "TempKey is not valid", OP_AES, mode, 0xFFFF,
               DIGEST, 16);
        load(&bench, 0x23, keys, 64);
        check_block(&bench, block, 0xFFFF);
        assert_true(buffers(&bench)->temp_key_valid);
        load(&bench, 0x03, keys, 32);
        if (block < 2) {
            check_block(&bench, block, 0xFFFF);
        } else {
            ask_no(&bench, REFUSED, "64 are needed", OP_AES, mode, 0xFFFF,
                   DIGEST, 16);
        }
        (void)ask_ok(&bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
        ask_no(&bench, REFUSED, "private key", OP_AES, mode, 0xFFFF, DIGEST,
               16);
        bench_close(&bench);
    }
}

/* The first two: of a run of a part's own library; then laws of the field,
 * with 1 = 80 00 .. and x = 40 00 .. (SP 800-38D 6.3). */
static void multiplies(void **state) {
    (void)state;
    static const struct {
        const char *h;
        const char *input;
        const char *product;
    } known[] = {
        {"66e94bd4ef8a2c3b884cfa59ca342b2e", "0388dace60b6a392f328c2b971b2fe78",
         "5e2ec746917062882c85b0685353deb7"},
        {"0388dace60b6a392f328c2b971b2fe78", "66e94bd4ef8a2c3b884cfa59ca342b2e",
         "5e2ec746917062882c85b0685353deb7"},
        {"66e94bd4ef8a2c3b884cfa59ca342b2e", "80000000000000000000000000000000",
         "66e94bd4ef8a2c3b884cfa59ca342b2e"},
        {"66e94bd4ef8a2c3b884cfa59ca342b2e", "00000000000000000000000000000000",
         "00000000000000000000000000000000"},
        {"00000000000000000000000000000001", "40000000000000000000000000000000",
         "e1000000000000000000000000000000"},
        {"80000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
         "ffffffffffffffffffffffffffffffff"},
    };
    struct bench bench;
    bench_trustflex(&bench);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        uint8_t input[32];
        uint8_t product[16];
        (void)from_hex(known[i].h, input, 16);
        (void)from_hex(known[i].input, input + 16, 16);
        (void)from_hex(known[i].product, product, 16);
        const struct reply reply =
            ask_ok(&bench, OP_AES, 0x03, 0xFFFF, input, 32);
        assert_int_equal(reply.size, 16);
        assert_memory_equal(reply.data, product, 16);
    }
    bench_close(&bench);
}

static void refuses_forms(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    static const uint8_t none[] = {0x02, 0x04, 0x05, 0x06, 0x07,
                                   0x08, 0x10, 0x20, 0x43, 0x0B};
    for (size_t i = 0; i < sizeof(none); i++) {
        ask_no(&bench, PARSE, "no mode", OP_AES, none[i], 9, DIGEST, 16);
    }
    ask_no(&bench, PARSE, "16 bytes", OP_AES, 0, 9, DIGEST, 32);
    ask_no(&bench, PARSE, "32 bytes", OP_AES, 3, 9, DIGEST, 16);
    ask_no(&bench, PARSE, "no slot 16", OP_AES, 0, 16, DIGEST, 16);
    bench_close(&bench);
}

static void refuses_states(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    struct bench bench;
    set_key_config(&eeprom, 5, 0x1038);  /* PersistentDisable */
    set_key_config(&eeprom, 10, 0x06B8); /* ReqAuth */
    set_key_config(&eeprom, 13, 0x0039); /* AES and private */
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "KeyType 6", OP_AES, 0, 8, DIGEST, 16);
    ask_no(&bench, REFUSED, "KeyType 6", OP_AES, 0, 0, DIGEST, 16);
    ask_no(&bench, REFUSED, "KeyType 6", OP_AES, 0, 13, DIGEST, 16);
    ask_no(&bench, REFUSED, "persistent latch", OP_AES, 0, 5, DIGEST, 16);
    ask_no(&bench, REFUSED, "ReqAuth of slot 10", OP_AES, 0, 10, DIGEST, 16);
    bench_close(&bench);
    set_locks(&eeprom, 0, KW_ZONE_UNLOCKED);
    bench_open(&bench, &eeprom);
    ask_no(&bench, PARSE, "both zones", OP_AES, 0, 9, DIGEST, 16);
    ask_no(&bench, PARSE, "both zones", OP_AES, 3, 0, DIGEST, 32);
    bench_close(&bench);
    set_locks(&eeprom, KW_ZONE_UNLOCKED, KW_ZONE_UNLOCKED);
    bench_open(&bench, &eeprom);
    ask_no(&bench, PARSE, "both zones", OP_AES, 0, 9, DIGEST, 16);
    bench_close(&bench);
    set_locks(&eeprom, 0, 0);
    eeprom.config[KW_CONFIG_AES_ENABLE] = 0;
    bench_open(&bench, &eeprom);
    ask_no(&bench, PARSE, "byte 13", OP_AES, 0, 9, DIGEST, 16);
    ask_no(&bench, PARSE, "byte 13", OP_AES, 3, 0, DIGEST, 32);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_slots),  cmocka_unit_test(keys_in_temp_key),
        cmocka_unit_test(multiplies),     cmocka_unit_test(refuses_forms),
        cmocka_unit_test(refuses_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
