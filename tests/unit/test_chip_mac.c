/* MAC of the emulated chip, against messages laid out here byte by byte. */
#include "chip_fixture.h"

static const uint8_t KEY[32] = {0x4B, 0x45, 0x59};

static const uint8_t SHARED[32] = {0x53, 0x48, 0x41, 0x52, 0x45, 0x44};

static void mac_message(const uint8_t first[32], const uint8_t second[32],
                        uint8_t mode, uint16_t slot, const uint8_t *otp,
                        size_t otp_size, uint8_t digest[32]) {
    uint8_t message[88] = {0};
    memcpy(message, first, 32);
    memcpy(message + 32, second, 32);
    message[64] = OP_MAC;
    message[65] = mode;
    kw_store_le16(message + 66, slot);
    memcpy(message + 68, otp, otp_size);
    message[79] = SERIAL[8];
    memcpy(message + 84, SERIAL, 2);
    if ((mode & 0x40) != 0) {
        memcpy(message + 80, SERIAL + 4, 4);
        memcpy(message + 86, SERIAL + 2, 2);
    }
    hash_outside(message, sizeof(message), digest);
}

static void mac_known(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    json_t *root = known_answers();
    const json_t *nonce = json_object_get(root, "encrypted_write_slot5");
    const json_t *kat = json_object_get(root, "mac_mode_41_slot5");
    uint8_t key[32];
    uint8_t rand_out[32];
    uint8_t expected[32];
    (void)known(kat, "key", key, 32);
    (void)known(kat, "mac", expected, 32);
    (void)known(nonce, "rand_out", rand_out, 32);
    set_slot(&eeprom, 5, key, 32);
    bench_open(&bench, &eeprom);
    crypto_control.random = rand_out;
    random_nonce(&bench);
    const struct reply reply = ask_ok(&bench, OP_MAC, 0x41, 5, NULL, 0);
    assert_int_equal(reply.size, 32);
    assert_memory_equal(reply.data, expected, 32);
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
    json_decref(root);
}

static void mac_all_modes(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot(&eeprom, 5, KEY, 32);
    memset(eeprom.otp, 0x0F, sizeof(eeprom.otp));
    bench_open(&bench, &eeprom);
    for (unsigned mode = 0; mode < 0x80; mode++) {
        const bool first = (mode & 2) != 0;
        const bool second = (mode & 1) != 0;
        const size_t otp_size = (mode & 0x10) != 0   ? 11
                                : (mode & 0x20) != 0 ? 8
                                                     : 0;
        uint8_t expected[32];
        if ((mode & 0x08) != 0) {
            continue;
        }
        load(&bench, 0x03, DIGEST, 32);
        mac_message(first ? DIGEST : KEY, second ? DIGEST : SHARED,
                    (uint8_t)mode, 5, eeprom.otp, otp_size, expected);
        if ((first || second) && (mode & 4) == 0) {
            ask_no(&bench, REFUSED, "comes from a fixed nonce", OP_MAC,
                   (uint8_t)mode, 5, SHARED, second ? 0 : 32);
            continue;
        }
        const struct reply reply =
            ask_ok(&bench, OP_MAC, (uint8_t)mode, 5, SHARED, second ? 0 : 32);
        assert_memory_equal(reply.data, expected, 32);
        assert_int_equal(buffers(&bench)->temp_key_valid, !first && !second);
    }
    bench_close(&bench);
}

static void mac_refusals(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_MAC, 0x01, 5, NULL, 0);
    ask_no(&bench, REFUSED, "slot 0 holds a private key", OP_MAC, 0x00, 0,
           SHARED, 32);
    ask_no(&bench, REFUSED, "NoMac of slot 7", OP_MAC, 0x00, 7, SHARED, 32);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_MAC, 0x00, 6, SHARED, 32);
    ask_no(&bench, PARSE, "no slot 16", OP_MAC, 0x00, 16, SHARED, 32);
    ask_no(&bench, PARSE, "32 bytes", OP_MAC, 0x00, 5, NULL, 0);
    ask_no(&bench, PARSE, "0 bytes", OP_MAC, 0x01, 5, SHARED, 32);
    ask_no(&bench, PARSE, "no mode 08", OP_MAC, 0x08, 5, SHARED, 32);
    random_nonce(&bench);
    ask_no(&bench, REFUSED, "comes from a random nonce", OP_MAC, 0x05, 5, NULL,
           0);
    (void)ask_ok(&bench, OP_MAC, 0x01, 6, NULL, 0);
    load(&bench, 0x03, DIGEST, 32);
    ask_no(&bench, REFUSED, "ReqRandom of slot 6", OP_MAC, 0x05, 6, NULL, 0);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mac_known),
        cmocka_unit_test(mac_all_modes),
        cmocka_unit_test(mac_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
