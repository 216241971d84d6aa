/* The life of a blank chip: from the factory through its configuration, its
 * lock, its data and their lock to every command there is. */
#include "chip_fixture.h"

/* What a customer writes into a blank part: who uses which slot, and how. */
enum {
    SIGNER = 0,    /* private, made by GenKey */
    AGREER = 1,    /* private, for ECDH */
    IMPORTED = 2,  /* private, by PrivWrite under MASTER */
    MASTER = 3,    /* secret, written before the lock */
    DIVERSE = 4,   /* DeriveKey from MASTER */
    PROTECTED = 5, /* encrypted write and read under MASTER */
    IO = 6,        /* IO protection */
    AES = 7,       /* with PersistentDisable */
    NOTES = 8,     /* clear data */
    RESULTS = 9,   /* of KDF and ECDH */
    GUARDED = 10,  /* ReqAuth by MASTER */
    BOOT_DIGEST = 11,
    LIMITS = 12,  /* CountMatch */
    PARENT = 13,  /* public, validates ROTATED */
    ROTATED = 14, /* public */
    BOOT_KEY = 15,
};

static const struct {
    uint16_t slot_config;
    uint16_t key_config;
} RULES[16] = {
    [SIGNER] = {0x2083, 0x0033},   [AGREER] = {0x2085, 0x0033},
    [IMPORTED] = {0x4383, 0x0033}, [MASTER] = {0x8F8F, 0x001C},
    [DIVERSE] = {0x338F, 0x001C},  [PROTECTED] = {0x43C3, 0x001C},
    [IO] = {0x8F8F, 0x001C},       [AES] = {0x8F8F, 0x1018},
    [NOTES] = {0x0F0F, 0x003C},    [RESULTS] = {0x8F8F, 0x001E},
    [GUARDED] = {0x8FAF, 0x039C},  [BOOT_DIGEST] = {0x8F8F, 0x001C},
    [LIMITS] = {0x0F0F, 0x001C},   [PARENT] = {0x8F0F, 0x0010},
    [ROTATED] = {0x1F0D, 0x0012},  [BOOT_KEY] = {0x8F0F, 0x0010},
};

static const uint8_t MASTER_KEY[32] = {0x4D, 0x4B};
static const uint8_t IO_KEY[32] = {0x49, 0x4F};
static const uint8_t AES_KEY[32] = {0x41, 0x45};

static struct outside_key authority;
static uint8_t sn[9]; /* of this chip */

/* --- a host that knows nothing of us --- */

static void write_word(struct bench *bench, uint16_t word,
                       const uint8_t bytes[4]) {
    (void)ask_ok(bench, OP_WRITE, 0x00, word, bytes, 4);
}

/* Words 4 to 20 and 22 to 31, each on its own. */
static void write_config(struct bench *bench, const uint8_t config[128]) {
    for (uint16_t word = 4; word < 32; word++) {
        if (word != 21) {
            write_word(bench, word, config + 4 * word);
        }
    }
}

static void read_config(struct bench *bench, uint8_t config[128]) {
    for (uint16_t block = 0; block < 4; block++) {
        memcpy(
            config + 32 * block,
            ask_ok(bench, OP_READ, 0x80, (uint16_t)(block << 3), NULL, 0).data,
            32);
    }
}

static void wanted_config(uint8_t config[128]) {
    for (size_t slot = 0; slot < 16; slot++) {
        kw_store_le16(config + 20 + 2 * slot, RULES[slot].slot_config);
        kw_store_le16(config + 96 + 2 * slot, RULES[slot].key_config);
    }
    config[18] = LIMITS << 4 | 1; /* CountMatch */
    config[19] = 0x01;            /* ChipMode: alternate address */
    config[69] = 0x80 | MASTER;   /* VolatileKeyPermission */
    config[70] = 0x03;            /* SecureBoot: FullDig */
    config[71] = BOOT_KEY << 4 | BOOT_DIGEST;
    config[90] = 0x0E; /* IO key, KDF-AES, clear health */
    config[91] = IO << 4;
}

static void write_block(struct bench *bench, unsigned slot, unsigned block,
                        const uint8_t bytes[32]) {
    (void)ask_ok(bench, OP_WRITE, 0x82, (uint16_t)(block << 8 | slot << 3),
                 bytes, 32);
}

static void write_public(struct bench *bench, unsigned slot) {
    uint8_t stored[96] = {0};
    stored_key(authority.public_key, stored);
    for (unsigned block = 0; block < 3; block++) {
        write_block(bench, slot, block, stored + 32 * block);
    }
}

/* --- the stages --- */

static void in_the_factory(struct bench *bench) {
    uint8_t config[128];
    static const uint8_t fixed_random[4] = {0xFF, 0xFF, 0x00, 0x00};
    read_config(bench, config);
    memcpy(sn, config, 4);
    memcpy(sn + 4, config + 8, 5);
    assert_int_equal(config[86], 0x55);
    assert_int_equal(config[87], 0x55);
    assert_memory_equal(ask_ok(bench, OP_RANDOM, 0, 0, NULL, 0).data,
                        fixed_random, 4);
    ask_no(bench, REFUSED, "configuration zone", OP_READ, 0x82, 8 << 3, NULL,
           0);
    ask_no(bench, REFUSED, "configuration zone", OP_GENKEY, 4, SIGNER, NULL, 0);
    wanted_config(config);
    write_config(bench, config);
    (void)ask_ok(bench, OP_LOCK, 0x00, kw_crc16(config, 128), NULL, 0);
    ask_no(bench, REFUSED, "locked", OP_WRITE, 0x00, 5, config + 20, 4);
}

static void before_the_data_lock(struct bench *bench) {
    uint8_t limit[32] = {3};
    uint8_t plain[68] = {0};
    static const uint8_t blank[32] = {0};
    (void)ask_ok(bench, OP_GENKEY, 0x04, SIGNER, NULL, 0);
    (void)ask_ok(bench, OP_GENKEY, 0x04, AGREER, NULL, 0);
    memcpy(plain + 4, authority.private_key, 32);
    (void)ask_ok(bench, OP_PRIVWRITE, 0x00, IMPORTED, plain, 68);
    write_block(bench, MASTER, 0, MASTER_KEY);
    write_block(bench, GUARDED, 0, MASTER_KEY);
    write_block(bench, DIVERSE, 0, blank);
    write_block(bench, PROTECTED, 0, blank);
    write_block(bench, IO, 0, IO_KEY);
    write_block(bench, AES, 0, AES_KEY);
    write_block(bench, RESULTS, 0, blank);
    write_block(bench, LIMITS, 0, limit);
    write_public(bench, PARENT);
    write_public(bench, ROTATED);
    write_public(bench, BOOT_KEY);
    (void)ask_ok(bench, OP_WRITE, 0x81, 0, blank, 32);
    ask_no(bench, REFUSED, "data zone", OP_READ, 0x82, MASTER << 3, NULL, 0);
    ask_no(bench, PARSE, "both zones", OP_AES, 0, AES, blank, 16);
    (void)ask_ok(bench, OP_LOCK, 0x81, 0, NULL, 0);
}

/* --- every command, once it is locked --- */

/* Mixes MASTER into a random TempKey, as the host does on its side. */
static void session(struct bench *bench) {
    random_nonce(bench);
    (void)ask_ok(bench, OP_GENDIG, 2, MASTER, "\x15\x02\x03\x00", 4);
}

static void authorise(struct bench *bench) {
    uint8_t message[88] = {0};
    uint8_t proof[77] = {0};
    random_nonce(bench);
    memcpy(message, MASTER_KEY, 32);
    memcpy(message + 32, buffers(bench)->temp_key, 32);
    message[79] = sn[8];
    memcpy(message + 84, sn, 2);
    hash_outside(message, sizeof(message), proof + 32);
    (void)ask_ok(bench, OP_CHECKMAC, 0x01, MASTER, proof, sizeof(proof));
}

static void asymmetric_commands(struct bench *bench) {
    uint8_t signature[128];
    const struct reply key = ask_ok(bench, OP_GENKEY, 0, SIGNER, NULL, 0);
    load(bench, 0x43, DIGEST, 32);
    memcpy(signature, ask_ok(bench, OP_SIGN, 0xA0, SIGNER, NULL, 0).data, 64);
    assert_int_equal(verify_outside(key.data, DIGEST, signature), KW_OK);
    memcpy(signature + 64, key.data, 64);
    load(bench, 0x43, DIGEST, 32);
    (void)ask_ok(bench, OP_VERIFY, 0x22, 4, signature, 128);
    load(bench, 0x43, DIGEST, 32);
    const struct reply other = ask_ok(bench, OP_SIGN, 0xA0, IMPORTED, NULL, 0);
    load(bench, 0x43, DIGEST, 32);
    (void)ask_ok(bench, OP_VERIFY, 0x20, PARENT, other.data, 64);
    assert_int_equal(
        ask_ok(bench, OP_ECDH, 0x0E, AGREER, authority.public_key, 64).size,
        64);
    /* An internal signature over what GenKey made of TempKey. */
    random_nonce(bench);
    (void)ask_ok(bench, OP_GENKEY, 0x08, SIGNER, NULL, 0);
    assert_int_equal(ask_ok(bench, OP_SIGN, 0x40, SIGNER, NULL, 0).size, 64);
}

static void validation(struct bench *bench) {
    uint8_t data[83] = {0};
    uint8_t message[KW_SIGN_MESSAGE_SIZE];
    uint8_t digest[32];
    load(bench, 0x43, DIGEST, 32);
    ask_no(bench, REFUSED, "not validated", OP_VERIFY, 0x20, ROTATED, data, 64);
    load(bench, 0x03, DIGEST, 32);
    (void)ask_ok(bench, OP_GENKEY, 0x10, ROTATED, "\0\0\0", 3);
    kw_message_from_other_data(buffers(bench)->temp_key, data + 64, sn,
                               message);
    hash_outside(message, sizeof(message), digest);
    sign_outside(&authority, digest, data);
    (void)ask_ok(bench, OP_VERIFY, 0x03, ROTATED, data, 83);
    sign_outside(&authority, DIGEST, data);
    load(bench, 0x43, DIGEST, 32);
    (void)ask_ok(bench, OP_VERIFY, 0x20, ROTATED, data, 64);
}

static void symmetric_commands(struct bench *bench) {
    uint8_t kdf[4 + 4] = {2, 0, 0, 4, 'i', 'n', 'f', 'o'};
    random_nonce(bench);
    (void)ask_ok(bench, OP_MAC, 0x41, MASTER, NULL, 0);
    random_nonce(bench);
    (void)ask_ok(bench, OP_DERIVEKEY, 0x00, DIVERSE, NULL, 0);
    (void)ask_ok(bench, OP_SHA, 0x00, 0, NULL, 0);
    (void)ask_ok(bench, OP_SHA, 0x02, 3, "abc", 3);
    (void)ask_ok(bench, OP_SHA, 0x04, MASTER, NULL, 0);
    (void)ask_ok(bench, OP_SHA, 0xC2, 3, "abc", 3);
    (void)ask_ok(bench, OP_KDF, 0x4A, RESULTS << 8 | MASTER, kdf, sizeof(kdf));
    random_nonce(bench);
    assert_int_equal(ask_ok(bench, OP_AES, 0x00, 0xFFFF, DIGEST, 16).size, 16);
}

static void memory_commands(struct bench *bench) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    uint8_t data[64];
    uint8_t mask[32];
    (void)ask_ok(bench, OP_WRITE, 0x02, NOTES << 3, "note", 4);
    assert_memory_equal(ask_ok(bench, OP_READ, 0x02, NOTES << 3, NULL, 0).data,
                        "note", 4);
    assert_int_equal(ask_ok(bench, OP_READ, 0x81, 0, NULL, 0).size, 32);
    session(bench);
    for (size_t i = 0; i < 32; i++) {
        data[i] = DIGEST[i] ^ buffers(bench)->temp_key[i];
    }
    assert_int_equal(
        kw_message_write_mac(&hash, buffers(bench)->temp_key,
                             kw_message_head(OP_WRITE, 0xC2, PROTECTED << 3),
                             sn, DIGEST, 32, data + 32),
        KW_OK);
    (void)ask_ok(bench, OP_WRITE, 0xC2, PROTECTED << 3, data, 64);
    session(bench);
    memcpy(mask, buffers(bench)->temp_key, 32);
    const struct reply reply =
        ask_ok(bench, OP_READ, 0x82, PROTECTED << 3, NULL, 0);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(reply.data[i] ^ mask[i], DIGEST[i]);
    }
    (void)ask_ok(bench, OP_COUNTER, 1, 1, NULL, 0);
    (void)ask_ok(bench, OP_UPDATEEXTRA, 0, 7, NULL, 0);
    (void)ask_ok(bench, OP_LOCK, 0x02 | NOTES << 2, 0, NULL, 0);
    ask_no(bench, REFUSED, "locked for good", OP_WRITE, 0x02, NOTES << 3,
           "more", 4);
}

/* CheckMac opens a guarded key once; the latch opens the AES key; the limit
 * of three uses ends the guarded one. */
static void authorised_commands(struct bench *bench) {
    uint8_t block[16] = {0};
    ask_no(bench, REFUSED, "persistent latch", OP_AES, 0, AES, block, 16);
    ask_no(bench, REFUSED, "CheckMac with the key in slot 3", OP_INFO, 4, 3,
           NULL, 0);
    authorise(bench);
    assert_int_equal(ask_ok(bench, OP_INFO, 4, 3, NULL, 0).data[0], 1);
    (void)ask_ok(bench, OP_AES, 0, AES, block, 16);
    authorise(bench);
    assert_int_equal(ask_ok(bench, OP_INFO, 4, 2, NULL, 0).data[0], 0);
    ask_no(bench, REFUSED, "persistent latch", OP_AES, 0, AES, block, 16);
    for (unsigned use = 0; use < 3; use++) {
        ask_no(bench, REFUSED, "ReqAuth of slot 10", OP_MAC, 0, GUARDED, DIGEST,
               32);
        authorise(bench);
        (void)ask_ok(bench, OP_MAC, 0, GUARDED, DIGEST, 32);
    }
    authorise(bench);
    ask_no(bench, REFUSED, "reached the limit 3", OP_MAC, 0, GUARDED, DIGEST,
           32);
    assert_int_equal(ask_ok(bench, OP_COUNTER, 0, 0, NULL, 0).data[0], 3);
}

static void boot_and_tests(struct bench *bench) {
    uint8_t data[96];
    memcpy(data, DIGEST, 32);
    sign_outside(&authority, DIGEST, data + 32);
    (void)ask_ok(bench, OP_SECUREBOOT, 7, 0, data, 96);
    (void)ask_ok(bench, OP_SECUREBOOT, 6, 0, data, 32);
    assert_int_equal(ask(bench, OP_SELFTEST, 0x3B, 0, NULL, 0).status, OK);
}

static void blank_life_is_complete(void **state) {
    (void)state;
    struct kw_sim_eeprom eeprom;
    struct bench bench;
    assert_int_equal(
        kw_sim_personality(KW_SIM_BLANK, KW_SIM_608B, NULL, &eeprom), KW_OK);
    authority = make_key();
    bench_open(&bench, &eeprom);
    in_the_factory(&bench);
    kw_sim_chip_power_cycle(bench.chip);
    assert_true(kw_sim_chip_wake(bench.chip));
    before_the_data_lock(&bench);
    asymmetric_commands(&bench);
    validation(&bench);
    symmetric_commands(&bench);
    memory_commands(&bench);
    authorised_commands(&bench);
    boot_and_tests(&bench);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_life_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
