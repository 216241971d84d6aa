/* When the mathematics inside the emulated chip fails: no command answers
 * 00, nothing is half done, and once it works again the command passes. */
#include "chip_fixture.h"

static struct outside_key authority;

static uint8_t block[64];
static uint8_t mac_data[64]; /* of an encrypted write */
static uint8_t priv_data[68];
static uint8_t external_data[128];
static uint8_t validate_data[83];
static uint8_t proof_data[77];   /* of CheckMac */
static uint8_t kdf_data[4 + 16]; /* AES, key block 0 */
static uint8_t prf_data[4 + 16];
static uint8_t hkdf_data[4 + 16];
static uint8_t boot_data[96];

static struct kw_sim_eeprom prepared(void) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    uint8_t stored[72];
    stored_key(authority.public_key, stored);
    set_slot(&eeprom, 13, stored, sizeof(stored));
    set_slot(&eeprom, 14, stored, sizeof(stored));
    set_slot(&eeprom, 15, stored, sizeof(stored));
    set_slot(&eeprom, 7, DIGEST, 32);
    set_slot_config(&eeprom, 10, 0x2F8F); /* DeriveKey */
    set_slot_config(&eeprom, 12, 0xA58F); /* and with a MAC */
    set_slot_config(&eeprom, 3, 0x4585);  /* PrivWrite with key 5 */
    set_slot_config(&eeprom, 4, 0x20A5);  /* LimitedUse */
    return eeprom;
}

/* --- what goes before a command --- */

static void nothing(struct bench *bench) {
    (void)bench;
}

static void fixed(struct bench *bench) {
    load(bench, 0x03, DIGEST, 32);
}

static void message(struct bench *bench) {
    load(bench, 0x43, DIGEST, 32);
}

static void message_and_nonce(struct bench *bench) {
    uint8_t both[64] = {0};
    memcpy(both, DIGEST, 32);
    load(bench, 0x63, both, 64);
}

static void key_digest(struct bench *bench) {
    random_nonce(bench);
    (void)ask_ok(bench, OP_GENKEY, 0x08, 2, NULL, 0);
}

static void mix_key(struct bench *bench, uint16_t slot) {
    random_nonce(bench);
    (void)ask_ok(bench, OP_GENDIG, 2, slot, NULL, 0);
}

static void write_session(struct bench *bench) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    uint8_t plain[32] = {0x77};
    mix_key(bench, 6);
    for (size_t i = 0; i < 32; i++) {
        mac_data[i] = plain[i] ^ buffers(bench)->temp_key[i];
    }
    assert_int_equal(kw_message_write_mac(&hash, buffers(bench)->temp_key,
                                          kw_message_head(OP_WRITE, 0xC2, 0x28),
                                          SERIAL, plain, 32, mac_data + 32),
                     KW_OK);
}

static void priv_session(struct bench *bench) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    uint8_t plain[36] = {0};
    uint8_t more[32];
    mix_key(bench, 5);
    const uint8_t *temp_key = buffers(bench)->temp_key;
    memcpy(plain + 4, authority.private_key, 32);
    hash_outside(temp_key, 32, more);
    for (size_t i = 0; i < 36; i++) {
        priv_data[i] = plain[i] ^ (i < 32 ? temp_key[i] : more[i - 32]);
    }
    assert_int_equal(
        kw_message_write_mac(&hash, temp_key,
                             kw_message_head(OP_PRIVWRITE, 0x40, 3), SERIAL,
                             plain, 36, priv_data + 36),
        KW_OK);
}

static void to_validate(struct bench *bench) {
    uint8_t message_55[KW_SIGN_MESSAGE_SIZE];
    uint8_t digest[32];
    fixed(bench);
    (void)ask_ok(bench, OP_GENKEY, 0x10, 14, "\0\0\0", 3);
    memset(validate_data, 0, sizeof(validate_data));
    kw_message_from_other_data(buffers(bench)->temp_key, validate_data + 64,
                               SERIAL, message_55);
    hash_outside(message_55, sizeof(message_55), digest);
    sign_outside(&authority, digest, validate_data);
}

static void hash_started(struct bench *bench) {
    (void)ask_ok(bench, OP_SHA, 0, 0, NULL, 0);
    (void)ask_ok(bench, OP_SHA, 1, 3, "abc", 3);
}

static void hmac_started(struct bench *bench) {
    (void)ask_ok(bench, OP_SHA, 4, 5, NULL, 0);
}

static void temp_key_pair(struct bench *bench) {
    (void)ask_ok(bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
}

/* A MAC of all zeros is a mismatch; the comparison is made all the same. */
static void to_check(struct bench *bench) {
    uint8_t message_88[88] = {0};
    (void)bench;
    memset(message_88, 0xFF, 32); /* slot 5 is blank */
    message_88[79] = SERIAL[8];
    memcpy(message_88 + 84, SERIAL, 2);
    hash_outside(message_88, sizeof(message_88), proof_data + 32);
}

static void to_derive(struct bench *bench) {
    uint8_t message_39[39];
    memset(message_39, 0xFF, 32);
    const struct kw_message_head head = kw_message_head(OP_DERIVEKEY, 4, 12);
    memcpy(message_39 + 32, head.bytes, 4);
    message_39[36] = SERIAL[8];
    memcpy(message_39 + 37, SERIAL, 2);
    hash_outside(message_39, sizeof(message_39), block);
    fixed(bench);
}

/* The digest of the signature, masked. */
static void to_boot(struct bench *bench) {
    uint8_t both[64];
    uint8_t mask[32];
    fixed(bench);
    memset(both, 0xFF, 32); /* slot 6 is blank */
    memcpy(both + 32, DIGEST, 32);
    hash_outside(both, 64, mask);
    for (size_t i = 0; i < 32; i++) {
        boot_data[i] = DIGEST[i] ^ mask[i];
    }
    memcpy(boot_data + 32, external_data, 64);
}

/* --- the commands -----------------------------------------------------------
 */

struct scenario {
    void (*before)(struct bench *bench);
    uint8_t opcode;
    uint8_t param1;
    uint16_t param2;
    const void *data;
    size_t size;
    unsigned calls; /* of the crypto table that the command makes */
};

static const struct scenario SCENARIOS[] = {
    {nothing, OP_RANDOM, 0x00, 0, NULL, 0, 1},
    {nothing, OP_INFO, 0x01, 2, NULL, 0, 1},
    {nothing, OP_NONCE, 0x00, 0, block, 20, 2},
    {fixed, OP_NONCE, 0x00, 0x8000, block, 20, 1},
    {fixed, OP_GENDIG, 0x00, 0, NULL, 0, 1},
    {fixed, OP_GENDIG, 0x01, 0, NULL, 0, 1},
    {fixed, OP_GENDIG, 0x02, 5, NULL, 0, 1},
    {fixed, OP_GENDIG, 0x03, 5, block, 32, 1},
    {fixed, OP_GENDIG, 0x04, 0, NULL, 0, 1},
    {fixed, OP_GENDIG, 0x05, 5, NULL, 0, 1},
    {nothing, OP_GENKEY, 0x00, 2, NULL, 0, 1},
    {nothing, OP_GENKEY, 0x04, 2, NULL, 0, 2},
    {random_nonce, OP_GENKEY, 0x08, 2, NULL, 0, 2},
    {random_nonce, OP_GENKEY, 0x0C, 2, NULL, 0, 3},
    {fixed, OP_GENKEY, 0x10, 14, "\0\0\0", 3, 1},
    {nothing, OP_GENKEY, 0x04, 0xFFFF, NULL, 0, 2},
    {fixed, OP_SIGN, 0x80, 0, NULL, 0, 1},
    {message, OP_SIGN, 0xA0, 0, NULL, 0, 1},
    {message, OP_SIGN, 0xA0, 4, NULL, 0, 1},
    {key_digest, OP_SIGN, 0x40, 1, NULL, 0, 2},
    {message, OP_VERIFY, 0x22, 4, external_data, 128, 1},
    {message_and_nonce, OP_VERIFY, 0xA2, 4, external_data, 128, 2},
    {fixed, OP_VERIFY, 0x00, 13, external_data, 64, 1},
    {to_validate, OP_VERIFY, 0x03, 14, validate_data, 83, 2},
    {write_session, OP_WRITE, 0xC2, 0x28, mac_data, 64, 1},
    {priv_session, OP_PRIVWRITE, 0x40, 3, priv_data, 68, 3},
    {nothing, OP_MAC, 0x00, 5, block, 32, 1},
    {fixed, OP_MAC, 0x07, 5, NULL, 0, 1},
    {hash_started, OP_SHA, 0x01, 64, block, 64, 1},
    {hash_started, OP_SHA, 0xC2, 64, block, 64, 2},
    {hash_started, OP_SHA, 0x02, 58, block, 58, 2},
    {hash_started, OP_SHA, 0x03, 13, NULL, 0, 1},
    {nothing, OP_SHA, 0x04, 5, NULL, 0, 2},
    {fixed, OP_SHA, 0x04, 0xFFFF, NULL, 0, 2},
    {hmac_started, OP_SHA, 0x42, 3, "abc", 3, 2},
    {to_check, OP_CHECKMAC, 0x00, 5, proof_data, 77, 1},
    {fixed, OP_DERIVEKEY, 0x04, 10, NULL, 0, 1},
    {to_derive, OP_DERIVEKEY, 0x04, 12, block, 32, 2},
    {nothing, OP_ECDH, 0x0C, 0, external_data + 64, 64, 1},
    {nothing, OP_ECDH, 0x0E, 0, external_data + 64, 64, 3},
    {temp_key_pair, OP_ECDH, 0x0D, 0, external_data + 64, 64, 1},
    {nothing, OP_AES, 0x00, 9, block, 16, 1},
    {nothing, OP_AES, 0x01, 9, block, 16, 1},
    {fixed, OP_KDF, 0x30, 0, kdf_data, 20, 1},
    {fixed, OP_KDF, 0x10, 0, prf_data, 20, 10},
    {fixed, OP_KDF, 0x54, 0, hkdf_data, 20, 4},
    {to_boot, OP_SECUREBOOT, 0x87, 0, boot_data, 96, 3},
    {nothing, OP_SELFTEST, 0x3B, 0, NULL, 0, 7},
};

static void fail_each_call(const struct scenario *scenario) {
    const struct kw_sim_eeprom eeprom = prepared();
    struct bench bench;
    bench_open(&bench, &eeprom);
    scenario->before(&bench);
    for (unsigned at = 1; at <= scenario->calls; at++) {
        if (scenario->opcode == OP_GENDIG) { /* the last one took TempKey */
            scenario->before(&bench);
        }
        crypto_control.calls = 0;
        crypto_control.fail_at = at;
        ask_no(&bench, REFUSED, "the cryptographic library failed",
               scenario->opcode, scenario->param1, scenario->param2,
               scenario->data, scenario->size);
    }
    /* It was the failure, and nothing else, that stopped the command. */
    crypto_control.fail_at = 0;
    if (scenario->opcode == OP_GENDIG) {
        scenario->before(&bench);
    }
    crypto_control.calls = 0;
    (void)ask_ok(&bench, scenario->opcode, scenario->param1, scenario->param2,
                 scenario->data, scenario->size);
    assert_int_equal(crypto_control.calls, scenario->calls);
    bench_close(&bench);
}

static void no_failure_answers_00(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(SCENARIOS) / sizeof(*SCENARIOS); i++) {
        fail_each_call(&SCENARIOS[i]);
    }
}

/* Commands without mathematics do not notice. */
static void others_go_on(void **state) {
    (void)state;
    struct bench bench;
    bench_trustflex(&bench);
    crypto_control.fail_at = 1;
    (void)ask_ok(&bench, OP_READ, 0x80, 0, NULL, 0);
    (void)ask_ok(&bench, OP_WRITE, 0x82, 8 << 3, block, 32);
    (void)ask_ok(&bench, OP_COUNTER, 1, 0, NULL, 0);
    (void)ask_ok(&bench, OP_LOCK, 0x02 | 8 << 2, 0, NULL, 0);
    (void)ask_ok(&bench, OP_NONCE, 0x03, 0, block, 32);
    assert_int_equal(crypto_control.calls, 0);
    bench_close(&bench);
}

static kw_status no_open(void **context) {
    *context = NULL;
    return KW_SYSTEM_CRYPTO;
}

static void no_chip_without_crypto(void **state) {
    (void)state;
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_BLANK);
    struct kw_sim_crypto broken = crypto_double;
    const struct kw_sim_options options = {.crypto = &broken};
    broken.open = no_open;
    assert_null(kw_sim_chip_new(&eeprom, &options));
}

static int prepare(void **state) {
    (void)state;
    authority = make_key();
    sign_outside(&authority, DIGEST, external_data);
    memcpy(external_data + 64, authority.public_key, 64);
    prf_data[3] = 16;
    hkdf_data[0] = 2;
    hkdf_data[3] = 16;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_answers_00),
        cmocka_unit_test(others_go_on),
        cmocka_unit_test(no_chip_without_crypto),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
