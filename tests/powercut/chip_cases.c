#include "tests/powercut/chip_cases.h"

/* --- one configuration for all of them --- */

enum {
    SIGNER = 0, /* private: signs, agrees, is made anew */
    ROLLED_MAC = 1,
    AGREER = 2, /* private: its secrets go to the slot behind it */
    AGREED = 3,
    MASTER = 4,
    PROTECTED = 5, /* written under MASTER */
    IO = 6,        /* IO protection key, and an AES key */
    IMPORTED = 7,  /* private: PrivWrite under MASTER */
    NOTES = 8,     /* written in clear */
    RESULTS = 9,   /* of KDF, ECDH and SecureBoot */
    ROLLED = 10,
    CREATED = 11,
    CREATED_MAC = 12,
    PARENT = 13,
    ROTATED = 14,
    BOOT_KEY = 15,
};

static const struct {
    uint16_t slot_config;
    uint16_t key_config;
} RULES[16] = {
    [SIGNER] = {0x2087, 0x0033},      [ROLLED_MAC] = {0xA48F, 0x003C},
    [AGREER] = {0x208C, 0x0033},      [AGREED] = {0x0F0F, 0x003E},
    [MASTER] = {0x8F8F, 0x003C},      [PROTECTED] = {0x44C4, 0x003C},
    [IO] = {0x8F8F, 0x0038},          [IMPORTED] = {0x4487, 0x0033},
    [NOTES] = {0x0F0F, 0x003C},       [RESULTS] = {0x8F8F, 0x003E},
    [ROLLED] = {0x248F, 0x003C},      [CREATED] = {0x348F, 0x003C},
    [CREATED_MAC] = {0xB48F, 0x003C}, [PARENT] = {0x8F0F, 0x0030},
    [ROTATED] = {0x1F0D, 0x0032},     [BOOT_KEY] = {0x8F0F, 0x0030},
};

#define LIMITED_USE 0x0020
#define BOOT_SLOTS  (BOOT_KEY << 4 | RESULTS)

static struct outside_key authority;

void chip_cases_prepare(void) {
    authority = make_key();
}

static void put_public(struct kw_sim_eeprom *eeprom, unsigned slot) {
    uint8_t stored[72];
    stored_key(authority.public_key, stored);
    set_slot(eeprom, slot, stored, sizeof stored);
}

struct kw_sim_eeprom chip_case_eeprom(const struct chip_case *one) {
    struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    for (unsigned slot = 0; slot < 16; slot++) {
        const bool limited = one->limited == (int)slot;
        set_slot_config(
            &eeprom, slot,
            (uint16_t)(RULES[slot].slot_config | (limited ? LIMITED_USE : 0)));
        set_key_config(&eeprom, slot, RULES[slot].key_config);
    }
    eeprom.config[KW_CONFIG_COUNT_MATCH] = 0;
    eeprom.config[KW_CONFIG_SECURE_BOOT] = 0x03; /* FullDig */
    eeprom.config[KW_CONFIG_SECURE_BOOT + 1] = BOOT_SLOTS;
    eeprom.config[KW_CONFIG_CHIP_OPTIONS] = 0x0E; /* IO key, KDF-AES */
    eeprom.config[KW_CONFIG_CHIP_OPTIONS + 1] = IO << 4;
    memset(eeprom.config + KW_CONFIG_SLOT_LOCKED, 0xFF, 2);
    memcpy(kw_sim_eeprom_slot(&eeprom, SIGNER) + 4, authority.private_key, 32);
    memcpy(kw_sim_eeprom_slot(&eeprom, AGREER) + 4, authority.private_key, 32);
    put_public(&eeprom, PARENT);
    put_public(&eeprom, ROTATED);
    put_public(&eeprom, BOOT_KEY);
    set_locks(&eeprom, one->locks == BOTH_OPEN ? 0x55 : 0,
              one->locks == BOTH_LOCKED ? 0 : 0x55);
    if (one->settle != NULL) {
        one->settle(&eeprom);
    }
    return eeprom;
}

/* ROTATED is valid: the nibble 5 before its X. */
static void validated(struct kw_sim_eeprom *eeprom) {
    kw_sim_eeprom_slot(eeprom, ROTATED)[0] = 0x50;
}

static void full_signature(struct kw_sim_eeprom *eeprom) {
    eeprom->config[KW_CONFIG_SECURE_BOOT] = 0x02;
}

/* --- what goes before --- */

static void fill(struct chip_call *call, size_t size) {
    call->size = size;
    memset(call->data, 0x77, size);
}

static void four_bytes(struct bench *bench, struct chip_call *call) {
    (void)bench;
    fill(call, 4);
}

static void block(struct bench *bench, struct chip_call *call) {
    (void)bench;
    fill(call, 32);
}

/* TempKey as MAC, CheckMac and DeriveKey want it: bit 2 is SourceFlag. */
static void nonce_by_mode(struct bench *bench, uint8_t mode) {
    if ((mode & 4) != 0) {
        load(bench, 0x03, DIGEST, 32);
        return;
    }
    random_nonce(bench);
}

static void mix_master(struct bench *bench) {
    random_nonce(bench);
    (void)ask_ok(bench, OP_GENDIG, 2, MASTER, NULL, 0);
}

static void seal(struct bench *bench, struct chip_call *call,
                 const uint8_t *plain, size_t size) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    const uint8_t *temp_key = buffers(bench)->temp_key;
    uint8_t more[32];
    hash_outside(temp_key, 32, more);
    for (size_t i = 0; i < size; i++) {
        const uint8_t pad = i < 32 ? temp_key[i] : more[i - 32];
        call->data[i] = plain[i] ^ pad;
    }
    assert_int_equal(
        kw_message_write_mac(
            &hash, temp_key,
            kw_message_head(call->opcode, call->mode, call->param2), SERIAL,
            plain, size, call->data + size),
        KW_OK);
    call->size = size + 32;
}

static void sealed_block(struct bench *bench, struct chip_call *call) {
    mix_master(bench);
    seal(bench, call, DIGEST, 32);
}

static void key_in_clear(struct bench *bench, struct chip_call *call) {
    (void)bench;
    memset(call->data, 0, 68);
    memcpy(call->data + 4, authority.private_key, 32);
    call->size = 68;
}

static void sealed_key(struct bench *bench, struct chip_call *call) {
    uint8_t plain[36] = {0};
    memcpy(plain + 4, authority.private_key, 32);
    mix_master(bench);
    seal(bench, call, plain, sizeof plain);
}

static void random_temp_key(struct bench *bench, struct chip_call *call) {
    random_nonce(bench);
    call->size = 0;
}

static void derivation(struct bench *bench, struct chip_call *call) {
    nonce_by_mode(bench, call->mode);
    call->size = 0;
}

static void derivation_with_mac(struct bench *bench, struct chip_call *call) {
    const struct kw_message_head head =
        kw_message_head(OP_DERIVEKEY, call->mode, call->param2);
    struct kw_sim_eeprom eeprom = *kw_sim_chip_eeprom(bench->chip);
    uint8_t message[39];
    memcpy(message, kw_sim_eeprom_slot(&eeprom, MASTER), 32);
    memcpy(message + 32, head.bytes, 4);
    message[36] = SERIAL[8];
    memcpy(message + 37, SERIAL, 2);
    hash_outside(message, sizeof message, call->data);
    call->size = 32;
    nonce_by_mode(bench, call->mode);
}

static void crc_of_config(struct bench *bench, struct chip_call *call) {
    const bool without = (call->mode & 0x80) != 0;
    const struct kw_sim_eeprom *eeprom = kw_sim_chip_eeprom(bench->chip);
    call->param2 = without ? 0 : kw_crc16(eeprom->config, KW_CONFIG_SIZE);
}

static void crc_of_data(struct bench *bench, struct chip_call *call) {
    const bool without = (call->mode & 0x80) != 0;
    const struct kw_sim_eeprom *eeprom = kw_sim_chip_eeprom(bench->chip);
    const uint16_t data = kw_crc16(eeprom->data, KW_SIM_DATA_SIZE);
    call->param2 = without ? 0 : kw_crc16_more(data, eeprom->otp, KW_OTP_SIZE);
}

/* Signed by PARENT's owner for what TempKey holds then. */
static void validation(struct bench *bench, struct chip_call *call) {
    uint8_t message[KW_SIGN_MESSAGE_SIZE];
    uint8_t digest[32];
    memset(call->data, 0, 83);
    call->data[64 + 17] = (call->mode & 4) != 0;
    load(bench, 0x03, DIGEST, 32);
    (void)ask_ok(bench, OP_GENKEY, 0x10, ROTATED, "\0\0\0", 3);
    kw_message_from_other_data(buffers(bench)->temp_key, call->data + 64,
                               SERIAL, message);
    hash_outside(message, sizeof message, digest);
    sign_outside(&authority, digest, call->data);
    call->size = 83;
}

static void boot(struct bench *bench, struct chip_call *call) {
    uint8_t both[64];
    uint8_t mask[32];
    const bool encrypted = (call->mode & 0x80) != 0;
    struct kw_sim_eeprom eeprom = *kw_sim_chip_eeprom(bench->chip);
    load(bench, 0x03, DIGEST, 32);
    memcpy(both, kw_sim_eeprom_slot(&eeprom, IO), 32);
    memcpy(both + 32, DIGEST, 32);
    hash_outside(both, sizeof both, mask);
    for (size_t i = 0; i < 32; i++) {
        call->data[i] = DIGEST[i] ^ (encrypted ? mask[i] : 0);
    }
    sign_outside(&authority, DIGEST, call->data + 32);
    call->size = 96;
}

static void point(struct bench *bench, struct chip_call *call) {
    (void)bench;
    memcpy(call->data, authority.public_key, 64);
    call->size = 64;
}

static void ephemeral(struct bench *bench, struct chip_call *call) {
    (void)ask_ok(bench, OP_GENKEY, 0x04, 0xFFFF, NULL, 0);
    point(bench, call);
}

/* Details of PRF and HKDF hold the size of the message, of AES nothing. */
static void kdf(struct bench *bench, struct chip_call *call) {
    uint8_t value[64] = {0x4B};
    const unsigned algorithm = call->mode >> 5;
    load(bench, 0x23, value, 64);
    load(bench, 0x83, value, 32);
    fill(call, 20);
    kw_store_le32(call->data, algorithm == 1 ? 0 : 16u << 24);
    call->data[0] = algorithm == 2 ? 2 : 0; /* the message is in the input */
}

static void challenge(struct bench *bench, struct chip_call *call) {
    nonce_by_mode(bench, call->mode);
    fill(call, (call->mode & 1) != 0 ? 0 : 32);
}

/* A comparison that fails is a use too. */
static void wrong_proof(struct bench *bench, struct chip_call *call) {
    nonce_by_mode(bench, call->mode);
    fill(call, 77);
}

static void something_to_sign(struct bench *bench, struct chip_call *call) {
    random_nonce(bench);
    (void)ask_ok(bench, OP_GENKEY, 0x08, AGREER, NULL, 0);
    load(bench, 0x43, DIGEST, 32);
    call->size = 0;
}

static void good_signature(struct bench *bench, struct chip_call *call) {
    uint8_t both[64] = {0};
    memcpy(both, DIGEST, 32);
    load(bench, 0x63, both, 64);
    load(bench, 0x03, DIGEST, 32);
    sign_outside(&authority, DIGEST, call->data);
    call->size = 64;
}

static void wrong_signature(struct bench *bench, struct chip_call *call) {
    good_signature(bench, call);
    call->data[63] ^= 1;
}

static void one_block(struct bench *bench, struct chip_call *call) {
    (void)bench;
    fill(call, 16);
}

/* --- the cases --- */

const struct chip_case CHIP_CASES[] = {
    {"a word of the configuration", OP_WRITE, 0x00, 5, BOTH_OPEN, NO_SLOT, NULL,
     four_bytes},
    {"a block of the configuration", OP_WRITE, 0x80, 1 << 3, BOTH_OPEN, NO_SLOT,
     NULL, block},
    {"OTP", OP_WRITE, 0x81, 1 << 3, DATA_OPEN, NO_SLOT, NULL, block},
    {"a block before the lock", OP_WRITE, 0x82, MASTER << 3, DATA_OPEN, NO_SLOT,
     NULL, block},
    {"a word", OP_WRITE, 0x02, NOTES << 3 | 3, BOTH_LOCKED, NO_SLOT, NULL,
     four_bytes},
    {"a block", OP_WRITE, 0x82, 12 << 8 | NOTES << 3, BOTH_LOCKED, NO_SLOT,
     NULL, block},
    {"a key that loses its validity", OP_WRITE, 0x82, 1 << 8 | ROTATED << 3,
     BOTH_LOCKED, NO_SLOT, NULL, block},
    {"an encrypted block", OP_WRITE, 0xC2, PROTECTED << 3, BOTH_LOCKED, NO_SLOT,
     NULL, sealed_block},
    {"PrivWrite in clear", OP_PRIVWRITE, 0x00, IMPORTED, DATA_OPEN, NO_SLOT,
     NULL, key_in_clear},
    {"PrivWrite", OP_PRIVWRITE, 0x40, IMPORTED, BOTH_LOCKED, NO_SLOT, NULL,
     sealed_key},
    {"GenKey before the lock", OP_GENKEY, 0x04, IMPORTED, DATA_OPEN, NO_SLOT,
     NULL, random_temp_key},
    {"GenKey", OP_GENKEY, 0x04, SIGNER, BOTH_LOCKED, NO_SLOT, NULL,
     random_temp_key},
    {"DeriveKey, roll", OP_DERIVEKEY, 0x04, ROLLED, BOTH_LOCKED, NO_SLOT, NULL,
     derivation},
    {"DeriveKey, create", OP_DERIVEKEY, 0x00, CREATED, BOTH_LOCKED, NO_SLOT,
     NULL, derivation},
    {"DeriveKey, roll with a MAC", OP_DERIVEKEY, 0x00, ROLLED_MAC, BOTH_LOCKED,
     NO_SLOT, NULL, derivation_with_mac},
    {"DeriveKey, create with a MAC", OP_DERIVEKEY, 0x04, CREATED_MAC,
     BOTH_LOCKED, NO_SLOT, NULL, derivation_with_mac},
    {"DeriveKey that counts", OP_DERIVEKEY, 0x04, CREATED, BOTH_LOCKED, MASTER,
     NULL, derivation},
    {"Counter 0", OP_COUNTER, 0x01, 0, BOTH_LOCKED, NO_SLOT, NULL, NULL},
    {"Counter 1", OP_COUNTER, 0x01, 1, DATA_OPEN, NO_SLOT, NULL, NULL},
    {"UpdateExtra of an open part", OP_UPDATEEXTRA, 0x00, 0x42, BOTH_OPEN,
     NO_SLOT, NULL, NULL},
    {"UpdateExtra", OP_UPDATEEXTRA, 0x01, 0x42, BOTH_LOCKED, NO_SLOT, NULL,
     NULL},
    {"Lock, configuration", OP_LOCK, 0x00, 0, BOTH_OPEN, NO_SLOT, NULL,
     crc_of_config},
    {"Lock, data", OP_LOCK, 0x01, 0, DATA_OPEN, NO_SLOT, NULL, crc_of_data},
    {"Lock, each slot", OP_LOCK, 0x02, 0, BOTH_LOCKED, NO_SLOT, NULL, NULL},
    {"Verify, validate", OP_VERIFY, 0x03, ROTATED, BOTH_LOCKED, NO_SLOT, NULL,
     validation},
    {"Verify, invalidate", OP_VERIFY, 0x07, ROTATED, BOTH_LOCKED, NO_SLOT,
     validated, validation},
    {"Verify, validate, and count", OP_VERIFY, 0x03, ROTATED, BOTH_LOCKED,
     PARENT, NULL, validation},
    {"Verify that counts", OP_VERIFY, 0x20, PARENT, BOTH_LOCKED, PARENT, NULL,
     good_signature},
    {"Verify of a wrong signature that counts", OP_VERIFY, 0x00, PARENT,
     BOTH_LOCKED, PARENT, NULL, wrong_signature},
    {"SecureBoot, digest", OP_SECUREBOOT, 0x07, 0, BOTH_LOCKED, NO_SLOT, NULL,
     boot},
    {"SecureBoot, signature", OP_SECUREBOOT, 0x87, 0, BOTH_LOCKED, NO_SLOT,
     full_signature, boot},
    {"SecureBoot that counts", OP_SECUREBOOT, 0x05, 0, BOTH_LOCKED, BOOT_KEY,
     NULL, boot},
    {"ECDH into the slot behind", OP_ECDH, 0x00, AGREER, BOTH_LOCKED, NO_SLOT,
     NULL, point},
    {"ECDH from TempKey into a slot", OP_ECDH, 0x05, RESULTS, BOTH_LOCKED,
     NO_SLOT, NULL, ephemeral},
    {"ECDH that counts", OP_ECDH, 0x0C, SIGNER, BOTH_LOCKED, SIGNER, NULL,
     point},
    {"KDF into a slot", OP_KDF, 0x0A, RESULTS << 8 | IO, BOTH_LOCKED, NO_SLOT,
     NULL, kdf},
    {"KDF that counts", OP_KDF, 0x52, IO, BOTH_LOCKED, IO, NULL, kdf},
    {"MAC that counts", OP_MAC, 0x00, MASTER, BOTH_LOCKED, MASTER, NULL,
     challenge},
    {"CheckMac that counts", OP_CHECKMAC, 0x00, MASTER, BOTH_LOCKED, MASTER,
     NULL, wrong_proof},
    {"GenDig that counts", OP_GENDIG, 0x02, MASTER, BOTH_LOCKED, MASTER, NULL,
     random_temp_key},
    {"Sign that counts", OP_SIGN, 0xA0, SIGNER, BOTH_LOCKED, SIGNER, NULL,
     something_to_sign},
    {"HMAC that counts", OP_SHA, 0x04, MASTER, BOTH_LOCKED, MASTER, NULL, NULL},
    {"AES that counts", OP_AES, 0x00, IO, BOTH_LOCKED, IO, NULL, one_block},
};

const size_t CHIP_CASE_COUNT = sizeof CHIP_CASES / sizeof *CHIP_CASES;

const uint8_t CHIP_READERS[] = {OP_READ, OP_NONCE, OP_RANDOM, OP_INFO,
                                OP_SELFTEST};
const size_t CHIP_READER_COUNT = sizeof CHIP_READERS;

void chip_case_begin(const struct chip_case *one, uint8_t mode,
                     struct bench *bench, struct chip_call *call) {
    *call = (struct chip_call){
        .opcode = one->opcode, .mode = mode, .param2 = one->param2};
    if (one->before != NULL) {
        one->before(bench, call);
    }
}
