/* Write of the emulated chip, in each state of its locks, and what a store
 * that fails undoes. */
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

static void writes_open_config(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_WRITE, 0x80, 0x08, BYTES, 32);
    (void)ask_ok(&bench, OP_WRITE, 0x00, 4, BYTES, 4);
    (void)ask_ok(&bench, OP_WRITE, 0x00, 22, BYTES, 4);
    assert_int_equal(bench.commits, 3);
    assert_memory_equal(bench.stored.config + 36, BYTES + 4, 28);
    for (uint16_t word = 0; word < 4; word++) {
        ask_no(&bench, REFUSED, "never writable", OP_WRITE, 0x00, word, BYTES,
               4);
    }
    ask_no(&bench, REFUSED, "never writable", OP_WRITE, 0x80, 0x00, BYTES, 32);
    ask_no(&bench, REFUSED, "UpdateExtra", OP_WRITE, 0x00, 21, BYTES, 4);
    ask_no(&bench, REFUSED, "UpdateExtra", OP_WRITE, 0x80, 0x10, BYTES, 32);
    ask_no(&bench, PARSE, "never written encrypted", OP_WRITE, 0xC0, 0x08,
           BYTES, 64);
    ask_no(&bench, PARSE, "32 bytes of data", OP_WRITE, 0x80, 0x08, BYTES, 4);
    bench_close(&bench);
}

static void locked_config_stays(void **state) {
    (void)state;
    struct bench bench;
    open_states(&bench, 0, 0x55);
    ask_no(&bench, REFUSED, "configuration zone is locked", OP_WRITE, 0x80,
           0x18, BYTES, 32);
    bench_close(&bench);
}

static void writes_before_locks(void **state) {
    (void)state;
    struct bench bench;
    open_states(&bench, 0x55, 0x55);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_WRITE, 0x81,
           0, BYTES, 32);
    ask_no(&bench, REFUSED, "configuration zone is not locked", OP_WRITE, 0x82,
           BLOCK(8, 0), BYTES, 32);
    bench_close(&bench);

    open_states(&bench, 0, 0x55);
    (void)ask_ok(&bench, OP_WRITE, 0x81, 0x08, BYTES, 32);
    assert_memory_equal(bench.stored.otp + 32, BYTES, 32);
    ask_no(&bench, REFUSED, "whole blocks", OP_WRITE, 0x01, 0, BYTES, 4);
    /* WriteConfig Never does not count yet. */
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(7, 0), BYTES, 32);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 7), BYTES, 32);
    ask_no(&bench, REFUSED, "whole blocks", OP_WRITE, 0x02, WORD(8, 0), BYTES,
           4);
    ask_no(&bench, REFUSED, "holds a private key", OP_WRITE, 0x82, BLOCK(1, 0),
           BYTES, 32);
    ask_no(&bench, REFUSED, "TempKey is not valid", OP_WRITE, 0xC2, BLOCK(8, 0),
           BYTES, 64);
    random_nonce(&bench);
    ask_no(&bench, REFUSED, "GenDig", OP_WRITE, 0xC2, BLOCK(8, 0), BYTES, 64);
    /* 82 with a MAC is an encrypted write once the zone is locked. */
    ask_no(&bench, PARSE, "32 bytes of data", OP_WRITE, 0x82, BLOCK(5, 0),
           BYTES, 64);
    bench_close(&bench);
}

static void writes_clear(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(8, 12), BYTES, 32);
    (void)ask_ok(&bench, OP_WRITE, 0x02, WORD(8, 7), BYTES, 4);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 8) + 384, BYTES, 32);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 8) + 28, BYTES, 4);
    /* What reaches beyond slot 13's 72 bytes does not spill into 14. */
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(13, 2) | 1, BYTES, 32);
    assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 13) + 64, BYTES, 8);
    assert_true(kw_all_bytes(kw_sim_eeprom_slot(&bench.stored, 14), 72, 0xFF));
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(6, 0), BYTES, 32);
    ask_no(&bench, REFUSED, "slot 6 is secret", OP_WRITE, 0x02, WORD(6, 0),
           BYTES, 4);
    ask_no(&bench, REFUSED, "takes clear writes", OP_WRITE, 0xC2, BLOCK(8, 0),
           BYTES, 64);
    ask_no(&bench, PARSE, "32 bytes of data", OP_WRITE, 0x82, BLOCK(8, 0),
           BYTES, 64);
    ask_no(&bench, PARSE, "has 32 bytes, not 4", OP_WRITE, 0x42, WORD(5, 0),
           BYTES, 36);
    ask_no(&bench, REFUSED, "OTP zone was locked", OP_WRITE, 0x81, 0, BYTES,
           32);
    ask_no(&bench, REFUSED, "slot 7 is Never", OP_WRITE, 0x82, BLOCK(7, 0),
           BYTES, 32);
    ask_no(&bench, REFUSED, "holds a private key", OP_WRITE, 0x82, BLOCK(2, 0),
           BYTES, 32);
    ask_no(&bench, REFUSED, "demands an encrypted write", OP_WRITE, 0x82,
           BLOCK(5, 0), BYTES, 32);
    ask_no(&bench, PARSE, "no zone 3", OP_WRITE, 0x83, 0, BYTES, 32);
    ask_no(&bench, PARSE, "no mode 86", OP_WRITE, 0x86, 0, BYTES, 32);
    bench_close(&bench);
}

static void obeys_slot_locks(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    eeprom.config[KW_CONFIG_SLOT_LOCKED + 1] = 0xFE;
    bench_open(&bench, &eeprom);
    ask_no(&bench, REFUSED, "slot 8 is locked for good", OP_WRITE, 0x82,
           BLOCK(8, 0), BYTES, 32);
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(9, 0), BYTES, 32);
    bench_close(&bench);
}

static void keeps_validity(void **state) {
    (void)state;
    struct bench bench;
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t *first = kw_sim_eeprom_slot(&eeprom, 14);
    *first = 0x50;
    bench_open(&bench, &eeprom);
    assert_int_equal(ask_ok(&bench, OP_INFO, 1, 14, NULL, 0).data[0], 1);
    ask_no(&bench, REFUSED,
           "slot 14 is validated, and PubInvalid forbids writing it until it "
           "is invalidated",
           OP_WRITE, 0x82, BLOCK(14, 1), BYTES, 32);
    bench_close(&bench);

    *first = 0x0F;
    bench_open(&bench, &eeprom);
    /* Any block makes it invalid, and only the nibble changes. */
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(14, 1), BYTES, 32);
    assert_int_equal(*kw_sim_eeprom_slot(&bench.stored, 14), 0xAF);
    (void)ask_ok(&bench, OP_WRITE, 0x02, WORD(14, 0), "\x50\0\0\0", 4);
    assert_int_equal(*kw_sim_eeprom_slot(&bench.stored, 14), 0xA0);
    bench_close(&bench);

    /* WriteConfig Always permits it, and the key is invalid afterwards. */
    set_slot_config(&eeprom, 14, 0x0F0D);
    *first = 0x50;
    bench_open(&bench, &eeprom);
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(14, 2), BYTES, 32);
    assert_int_equal(*kw_sim_eeprom_slot(&bench.stored, 14), 0xA0);
    bench_close(&bench);
}

/* A public key as the known answers store it: its two halves are found again
 * by GenKey, whose digest over it is a known answer as well. */
static void stores_the_known_public_key(void **state) {
    (void)state;
    json_t *root = known_answers();
    const json_t *from = json_object_get(root, "stored_public_key");
    const json_t *rotation =
        json_array_get(json_object_get(root, "rotation"), 0);
    struct bench bench;
    uint8_t written[96] = {0};
    uint8_t key[64];
    uint8_t nonce[32];
    uint8_t digest[32];
    (void)known(from, "public_key", key, 64);
    assert_int_equal(known(from, "slot_bytes_written", written, 96), 72);
    (void)known(rotation, "nonce", nonce, 32);
    (void)known(rotation, "genkey_digest", digest, 32);
    json_decref(root);

    bench_trustflex(&bench);
    for (uint8_t block = 0; block < 3; block++) {
        (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(14, block),
                     written + 32 * block, 32);
    }
    const uint8_t *slot = kw_sim_eeprom_slot(&bench.stored, 14);
    assert_int_equal(slot[0], 0xA0);
    assert_memory_equal(slot + 1, written + 1, 71);
    assert_memory_equal(slot + 4, key, 32);
    assert_memory_equal(slot + 40, key + 32, 32);
    load(&bench, 0x03, nonce, 32);
    (void)ask_ok(&bench, OP_GENKEY, 0x10, 14, "\0\0\0", 3);
    assert_memory_equal(buffers(&bench)->temp_key, digest, 32);
    bench_close(&bench);
}

struct write_kat {
    uint8_t io_key[32];
    uint8_t plain[32];
    uint8_t rand_out[32];
    uint8_t after_nonce[32];
    uint8_t after_gendig[32];
    uint8_t cipher[32];
    uint8_t mac_c2[32];
    uint8_t mac_82[32];
};

static struct write_kat write_kat(void) {
    struct write_kat kat;
    json_t *root = known_answers();
    const json_t *from = json_object_get(root, "encrypted_write_slot5");
    (void)known(from, "io_key_slot6", kat.io_key, 32);
    (void)known(from, "plain", kat.plain, 32);
    (void)known(from, "rand_out", kat.rand_out, 32);
    (void)known(from, "tempkey_after_nonce", kat.after_nonce, 32);
    (void)known(from, "tempkey_after_gendig", kat.after_gendig, 32);
    (void)known(from, "cipher", kat.cipher, 32);
    (void)known(from, "mac_zone_c2", kat.mac_c2, 32);
    (void)known(from, "mac_zone_82", kat.mac_82, 32);
    json_decref(root);
    return kat;
}

static void open_session(struct bench *bench, const struct write_kat *kat) {
    const uint8_t other[4] = {0x15, 0x02, 0x06, 0x00};
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    set_slot(&eeprom, 6, kat->io_key, 32);
    bench_open(bench, &eeprom);
    crypto_control.random = kat->rand_out;
    random_nonce(bench);
    assert_memory_equal(buffers(bench)->temp_key, kat->after_nonce, 32);
    (void)ask_ok(bench, OP_GENDIG, 0x02, 6, other, sizeof(other));
    assert_memory_equal(buffers(bench)->temp_key, kat->after_gendig, 32);
}

static void write_with(uint8_t zone, const uint8_t mac[32], bool matches) {
    const struct write_kat kat = write_kat();
    struct bench bench;
    uint8_t data[64];
    open_session(&bench, &kat);
    memcpy(data, kat.cipher, 32);
    memcpy(data + 32, mac, 32);
    if (matches) {
        (void)ask_ok(&bench, OP_WRITE, zone, 0x28, data, 64);
        assert_int_equal(bench.commits, 1);
        assert_memory_equal(kw_sim_eeprom_slot(&bench.stored, 5), kat.plain,
                            32);
    } else {
        ask_no(&bench, MISMATCH, "MAC of the encrypted write", OP_WRITE, zone,
               0x28, data, 64);
    }
    assert_false(buffers(&bench)->temp_key_valid);
    bench_close(&bench);
}

static void writes_encrypted(void **state) {
    (void)state;
    const struct write_kat kat = write_kat();
    write_with(0xC2, kat.mac_c2, true);
    write_with(0x82, kat.mac_82, true);
    /* The MAC covers the byte received. */
    write_with(0xC2, kat.mac_82, false);
    write_with(0x82, kat.mac_c2, false);
}

static void encrypted_write_needs_its_key(void **state) {
    (void)state;
    const struct write_kat kat = write_kat();
    struct bench bench;
    open_session(&bench, &kat);
    random_nonce(&bench);
    ask_no(&bench, REFUSED, "GenDig with the key in slot 6", OP_WRITE, 0xC2,
           0x28, BYTES, 64);
    /* A shared nonce never stands for a key. */
    (void)ask_ok(&bench, OP_GENDIG, 0x03, 6, BYTES, 32);
    ask_no(&bench, REFUSED, "GenDig with the key in slot 6", OP_WRITE, 0xC2,
           0x28, BYTES, 64);
    bench_close(&bench);
}

static void failed_store_undoes(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    random_nonce(&bench);
    bench.store_fails = true;
    ask_no(&bench, REFUSED, "could not be stored", OP_WRITE, 0x82, BLOCK(8, 0),
           BYTES, 32);
    ask_no(&bench, REFUSED, "could not be stored", OP_GENKEY, 0x04, 2, NULL, 0);
    ask_no(&bench, REFUSED, "could not be stored", OP_GENKEY, 0x0C, 0x03, NULL,
           0);
    bench_close(&bench);
}

static void reading_commits_nothing(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    (void)ask_ok(&bench, OP_READ, 0x80, 0, NULL, 0);
    random_nonce(&bench);
    assert_int_equal(bench.commits, 0);
    (void)ask_ok(&bench, OP_WRITE, 0x82, BLOCK(8, 0), BYTES, 32);
    assert_int_equal(bench.commits, 1);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_open_config),
        cmocka_unit_test(locked_config_stays),
        cmocka_unit_test(writes_before_locks),
        cmocka_unit_test(writes_clear),
        cmocka_unit_test(obeys_slot_locks),
        cmocka_unit_test(keeps_validity),
        cmocka_unit_test(stores_the_known_public_key),
        cmocka_unit_test(writes_encrypted),
        cmocka_unit_test(encrypted_write_needs_its_key),
        cmocka_unit_test(failed_store_undoes),
        cmocka_unit_test(reading_commits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
