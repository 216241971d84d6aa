/* tests/unit/chip_fixture.h: what the tests of the emulated chip share.
 *
 * A bench holds one chip, its store, its clock and a crypto table that can
 * be told what the generator answers and which call fails. */
#ifndef KW_TESTS_CHIP_FIXTURE_H
#define KW_TESTS_CHIP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/bytes.h"
#include "core/message.h"
#include "core/packet.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"

enum {
    OP_READ = 0x02,
    OP_MAC = 0x08,
    OP_WRITE = 0x12,
    OP_GENDIG = 0x15,
    OP_NONCE = 0x16,
    OP_LOCK = 0x17,
    OP_RANDOM = 0x1B,
    OP_DERIVEKEY = 0x1C,
    OP_UPDATEEXTRA = 0x20,
    OP_COUNTER = 0x24,
    OP_CHECKMAC = 0x28,
    OP_INFO = 0x30,
    OP_GENKEY = 0x40,
    OP_SIGN = 0x41,
    OP_ECDH = 0x43,
    OP_VERIFY = 0x45,
    OP_PRIVWRITE = 0x46,
    OP_SHA = 0x47,
    OP_AES = 0x51,
    OP_KDF = 0x56,
    OP_SELFTEST = 0x77,
    OP_SECUREBOOT = 0x80,
};

enum {
    OK = 0x00,
    MISMATCH = 0x01,
    PARSE = 0x03,
    SELF_TEST_FAILED = 0x07,
    HEALTH_FAILED = 0x08,
    REFUSED = 0x0F,
};

struct bench {
    struct kw_sim_chip *chip;
    struct kw_sim_eeprom stored; /* what the last commit kept */
    unsigned commits;
    bool store_fails;
    uint64_t time; /* microseconds */
};

struct reply {
    uint8_t status; /* 00 when data came */
    uint8_t data[KW_RESPONSE_MAX];
    size_t size; /* 0 when a status came, or no answer at all */
    size_t frame_size;
};

/* --- a crypto table under control --- */

/* Which values the generator gives (NULL: OpenSSL's), and which call to the
 * table fails (0: none; 1: the next). One program uses one of it. */
struct crypto_control {
    const uint8_t *random;
    unsigned fail_at;
    unsigned calls;
};

static struct crypto_control crypto_control;
static struct kw_hash crypto_real_hash;

static inline bool crypto_fails(void) {
    crypto_control.calls++;
    return crypto_control.calls == crypto_control.fail_at;
}

static inline kw_status double_open(void **context) {
    const kw_status status = kw_sim_crypto_openssl.open(context);
    crypto_real_hash = kw_sim_crypto_openssl.hash(*context);
    return status;
}

static inline kw_status double_random(void *context, uint8_t *bytes,
                                      size_t size) {
    if (crypto_fails()) {
        memset(bytes, 0, size);
        return KW_SYSTEM_CRYPTO;
    }
    if (crypto_control.random != NULL && size <= 32) {
        memcpy(bytes, crypto_control.random, size);
        return KW_OK;
    }
    return kw_sim_crypto_openssl.random(context, bytes, size);
}

static inline kw_status double_sha256(void *self, const struct kw_span *spans,
                                      size_t count, uint8_t digest[32]) {
    if (crypto_fails()) {
        memset(digest, 0, 32);
        return KW_SYSTEM_CRYPTO;
    }
    return crypto_real_hash.sha256(self, spans, count, digest);
}

static inline struct kw_hash double_hash(void *context) {
    return (struct kw_hash){.sha256 = double_sha256, .self = context};
}

static inline kw_status double_key_make(void *context, uint8_t key[32]) {
    return crypto_fails() ? KW_SYSTEM_CRYPTO
                          : kw_sim_crypto_openssl.key_make(context, key);
}

static inline kw_status double_key_public(void *context, const uint8_t key[32],
                                          uint8_t public_key[64]) {
    return crypto_fails()
               ? KW_SYSTEM_CRYPTO
               : kw_sim_crypto_openssl.key_public(context, key, public_key);
}

static inline kw_status double_sign(void *context, const uint8_t key[32],
                                    const uint8_t digest[32],
                                    uint8_t signature[64]) {
    return crypto_fails()
               ? KW_SYSTEM_CRYPTO
               : kw_sim_crypto_openssl.sign(context, key, digest, signature);
}

static inline kw_status double_verify(void *context, const uint8_t key[64],
                                      const uint8_t digest[32],
                                      const uint8_t signature[64]) {
    return crypto_fails()
               ? KW_SYSTEM_CRYPTO
               : kw_sim_crypto_openssl.verify(context, key, digest, signature);
}

static inline kw_status double_ecdh(void *context, const uint8_t key[32],
                                    const uint8_t public_key[64],
                                    uint8_t secret[32]) {
    return crypto_fails()
               ? KW_SYSTEM_CRYPTO
               : kw_sim_crypto_openssl.ecdh(context, key, public_key, secret);
}

static inline kw_status double_aes(void *context, const uint8_t key[16],
                                   bool decrypt, const uint8_t input[16],
                                   uint8_t output[16]) {
    return crypto_fails() ? KW_SYSTEM_CRYPTO
                          : kw_sim_crypto_openssl.aes128(context, key, decrypt,
                                                         input, output);
}

static inline kw_status double_block(void *context, uint32_t state[8],
                                     const uint8_t block[64]) {
    return crypto_fails()
               ? KW_SYSTEM_CRYPTO
               : kw_sim_crypto_openssl.sha256_block(context, state, block);
}

static inline void double_close(void *context) {
    kw_sim_crypto_openssl.close(context);
}

static const struct kw_sim_crypto crypto_double = {
    .open = double_open,
    .close = double_close,
    .random = double_random,
    .hash = double_hash,
    .key_make = double_key_make,
    .key_public = double_key_public,
    .sign = double_sign,
    .verify = double_verify,
    .ecdh = double_ecdh,
    .aes128 = double_aes,
    .sha256_block = double_block,
};

/* --- the bench --- */

static const uint8_t SERIAL[9] = {0x01, 0x23, 0x3E, 0x8A, 0x14,
                                  0x91, 0xF2, 0xA6, 0x01};

static inline kw_status bench_commit(void *self,
                                     const struct kw_sim_eeprom *eeprom) {
    struct bench *bench = self;
    if (bench->store_fails) {
        return KW_SYSTEM_FILE;
    }
    bench->commits++;
    bench->stored = *eeprom;
    return KW_OK;
}

static inline uint64_t bench_now(void *clock) {
    return ((struct bench *)clock)->time;
}

/* An EEPROM of this kind with the serial number of the known answers. */
static inline struct kw_sim_eeprom eeprom_of(enum kw_sim_part part) {
    struct kw_sim_eeprom eeprom;
    assert_int_equal(kw_sim_personality(part, KW_SIM_608A, NULL, &eeprom),
                     KW_OK);
    memcpy(eeprom.config + KW_CONFIG_SERIAL_0_3, SERIAL, 4);
    memcpy(eeprom.config + KW_CONFIG_SERIAL_4_8, SERIAL + 4, 5);
    return eeprom;
}

static inline void bench_open(struct bench *bench,
                              const struct kw_sim_eeprom *eeprom) {
    const struct kw_sim_options options = {
        .crypto = &crypto_double,
        .store = {.commit = bench_commit, .self = bench},
        .now = bench_now,
        .clock = bench,
    };
    memset(bench, 0, sizeof(*bench));
    memset(&crypto_control, 0, sizeof(crypto_control));
    bench->chip = kw_sim_chip_new(eeprom, &options);
    assert_non_null(bench->chip);
    assert_true(kw_sim_chip_wake(bench->chip));
}

static inline void bench_close(struct bench *bench) {
    kw_sim_chip_free(bench->chip);
    bench->chip = NULL;
}

static inline void bench_trustflex(struct bench *bench) {
    const struct kw_sim_eeprom eeprom = eeprom_of(KW_SIM_TRUSTFLEX);
    bench_open(bench, &eeprom);
}

/* A config word of a slot, as the data sheet prints it (high byte first). */
static inline void set_slot_config(struct kw_sim_eeprom *eeprom, unsigned slot,
                                   uint16_t word) {
    kw_store_le16(eeprom->config + KW_CONFIG_SLOT_CONFIG + 2 * slot, word);
}

static inline void set_key_config(struct kw_sim_eeprom *eeprom, unsigned slot,
                                  uint16_t word) {
    kw_store_le16(eeprom->config + KW_CONFIG_KEY_CONFIG + 2 * slot, word);
}

static inline void set_slot(struct kw_sim_eeprom *eeprom, unsigned slot,
                            const void *bytes, size_t size) {
    memcpy(kw_sim_eeprom_slot(eeprom, slot), bytes, size);
}

/* Lock bytes: 55 leaves a zone open. */
static inline void set_locks(struct kw_sim_eeprom *eeprom, uint8_t config,
                             uint8_t data) {
    eeprom->config[KW_CONFIG_LOCK_CONFIG] = config;
    eeprom->config[KW_CONFIG_LOCK_VALUE] = data;
}

/* --- talking --- */

static inline struct reply reply_of(const uint8_t *frame, size_t frame_size) {
    struct reply reply = {.frame_size = frame_size};
    const uint8_t *data;
    size_t size;
    if (frame_size == 0) {
        return reply;
    }
    assert_int_equal(kw_response_decode(frame, frame_size, &data, &size),
                     KW_OK);
    if (size == 1) {
        reply.status = data[0];
        return reply;
    }
    memcpy(reply.data, data, size);
    reply.size = size;
    return reply;
}

static inline struct reply ask(struct bench *bench, uint8_t opcode,
                               uint8_t param1, uint16_t param2,
                               const void *data, size_t size) {
    const struct kw_command command = {opcode, param1, param2, data, size};
    uint8_t packet[KW_PACKET_MAX];
    uint8_t frame[KW_RESPONSE_MAX];
    size_t packet_size;
    assert_int_equal(kw_packet_encode(&command, packet, &packet_size), KW_OK);
    const size_t frame_size =
        kw_sim_chip_execute(bench->chip, packet, packet_size, frame);
    return reply_of(frame, frame_size);
}

/* Demands success. */
static inline struct reply ask_ok(struct bench *bench, uint8_t opcode,
                                  uint8_t param1, uint16_t param2,
                                  const void *data, size_t size) {
    const struct reply reply = ask(bench, opcode, param1, param2, data, size);
    if (reply.status != OK) {
        print_error("%02X %02X %04X: %02X, %s\n", opcode, param1, param2,
                    reply.status, kw_sim_chip_reason(bench->chip));
    }
    assert_int_equal(reply.status, OK);
    assert_string_equal(kw_sim_chip_reason(bench->chip), "");
    return reply;
}

/* A refusal leaves the buffers as they were; GenDig alone takes TempKey, all
 * that lies before the message digest, with it when it answers 0F. */
static inline void assert_left_by_refusal(const struct kw_sim_volatile *before,
                                          const struct kw_sim_volatile *after,
                                          uint8_t opcode, uint8_t status) {
    const size_t temp_key = offsetof(struct kw_sim_volatile, message_digest);
    if (opcode != OP_GENDIG || status != REFUSED) {
        assert_memory_equal(before, after, sizeof(*before));
        return;
    }
    assert_true(kw_all_bytes(after, temp_key, 0));
    assert_memory_equal((const uint8_t *)before + temp_key,
                        (const uint8_t *)after + temp_key,
                        sizeof(*before) - temp_key);
}

/* Demands this status, a reason with these words, and for all but a
 * mismatch that neither EEPROM nor buffers changed. */
static inline void ask_no(struct bench *bench, uint8_t status,
                          const char *words, uint8_t opcode, uint8_t param1,
                          uint16_t param2, const void *data, size_t size) {
    const struct kw_sim_eeprom eeprom = *kw_sim_chip_eeprom(bench->chip);
    const struct kw_sim_volatile buffers = *kw_sim_chip_volatile(bench->chip);
    const unsigned commits = bench->commits;
    const struct reply reply = ask(bench, opcode, param1, param2, data, size);
    const char *reason = kw_sim_chip_reason(bench->chip);
    if (reply.status != status || strstr(reason, words) == NULL) {
        print_error("%02X %02X %04X: %02X instead of %02X, %s\n", opcode,
                    param1, param2, reply.status, status, reason);
    }
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.size, 0);
    assert_non_null(strstr(reason, words));
    assert_memory_equal(&eeprom, kw_sim_chip_eeprom(bench->chip),
                        sizeof(eeprom));
    assert_int_equal(bench->commits, commits);
    if (status != MISMATCH) {
        assert_left_by_refusal(&buffers, kw_sim_chip_volatile(bench->chip),
                               opcode, status);
    }
}

static inline const struct kw_sim_volatile *buffers(const struct bench *bench) {
    return kw_sim_chip_volatile(bench->chip);
}

/* Nonce: a fixed value into TempKey (03), the message buffer (43), .. */
static inline void load(struct bench *bench, uint8_t mode, const void *value,
                        size_t size) {
    (void)ask_ok(bench, OP_NONCE, mode, 0, value, size);
}

static const uint8_t NUM_IN[20];
static const uint8_t DIGEST[32] = {0xD1, 0x6E, 0x57};

static inline void random_nonce(struct bench *bench) {
    (void)ask_ok(bench, OP_NONCE, 0x00, 0, NUM_IN, sizeof(NUM_IN));
}

/* --- known answers --- */

static inline json_t *known_answers(void) {
    json_error_t error;
    json_t *root =
        json_load_file(KW_TEST_VECTORS "/known_answers.json", 0, &error);
    assert_non_null(root);
    return root;
}

/* Reads a hex string into bytes; answers the size. */
static inline size_t from_hex(const char *hex, uint8_t *bytes, size_t room) {
    const size_t size = strlen(hex) / 2;
    assert_true(size <= room);
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return size;
}

static inline size_t known(const json_t *object, const char *name,
                           uint8_t *bytes, size_t room) {
    const char *hex = json_string_value(json_object_get(object, name));
    assert_non_null(hex);
    return from_hex(hex, bytes, room);
}

/* --- keys outside the chip --- */

struct outside_key {
    uint8_t private_key[32];
    uint8_t public_key[64];
};

static inline struct outside_key make_key(void) {
    struct outside_key key;
    void *context;
    assert_int_equal(kw_sim_crypto_openssl.open(&context), KW_OK);
    assert_int_equal(kw_sim_crypto_openssl.key_make(context, key.private_key),
                     KW_OK);
    assert_int_equal(kw_sim_crypto_openssl.key_public(context, key.private_key,
                                                      key.public_key),
                     KW_OK);
    kw_sim_crypto_openssl.close(context);
    return key;
}

static inline void sign_outside(const struct outside_key *key,
                                const uint8_t digest[32],
                                uint8_t signature[64]) {
    void *context;
    assert_int_equal(kw_sim_crypto_openssl.open(&context), KW_OK);
    assert_int_equal(kw_sim_crypto_openssl.sign(context, key->private_key,
                                                digest, signature),
                     KW_OK);
    kw_sim_crypto_openssl.close(context);
}

static inline kw_status verify_outside(const uint8_t public_key[64],
                                       const uint8_t digest[32],
                                       const uint8_t signature[64]) {
    void *context;
    assert_int_equal(kw_sim_crypto_openssl.open(&context), KW_OK);
    const kw_status status =
        kw_sim_crypto_openssl.verify(context, public_key, digest, signature);
    kw_sim_crypto_openssl.close(context);
    return status;
}

static inline void hash_outside(const void *data, size_t size,
                                uint8_t digest[32]) {
    const struct kw_hash hash = kw_sim_crypto_openssl.hash(NULL);
    assert_int_equal(kw_hash_bytes(&hash, data, size, digest), KW_OK);
}

/* The 72 bytes of a stored public key. */
static inline void stored_key(const uint8_t public_key[64],
                              uint8_t stored[72]) {
    memset(stored, 0, 72);
    memcpy(stored + 4, public_key, 32);
    memcpy(stored + 40, public_key + 32, 32);
}

#endif
