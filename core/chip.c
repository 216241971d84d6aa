#include "core/chip.h"

#include <string.h>

#include "core/bytes.h"

enum {
    READ_32_BYTES = 0x80,
    WRITE_ENCRYPTED = 0x40,
    NONCE_RANDOM = 0x00,
    NONCE_TO_TEMP_KEY = 0x03,
    NONCE_TO_DIGEST_BUFFER = 0x43,
    GENDIG_DATA = 0x02,
    GENKEY_PUBLIC = 0x00,
    GENKEY_MAKE = 0x04,
    GENKEY_DIGEST = 0x10,
    SIGN_EXTERNAL_FROM_BUFFER = 0xA0,
    VERIFY_STORED_FROM_BUFFER = 0x20,
    VERIFY_EXTERNAL_FROM_BUFFER = 0x22,
    VERIFY_VALIDATE = 0x03,
    VERIFY_INVALIDATE = 0x07,
    VERIFY_P256 = 0x0004,
    COUNTER_READ = 0x00,
    COUNTER_INCREMENT = 0x01,
    LOCK_CONFIG = 0x00,
    LOCK_DATA = 0x01,
    LOCK_SLOT = 0x02,
    LOCK_WITHOUT_CRC = 0x80,
    PRIVWRITE_CLEAR = 0x00,
    PRIVWRITE_ENCRYPTED = 0x40,
    PRIVWRITE_PAD = 4, /* zeros before the key */
    PRIVWRITE_SIZE = 36,
    MAC_WITH_SERIAL = 0x40,
    MAC_SECOND_TEMP_KEY = 0x01,
    SHA_START = 0x00,
    SHA_UPDATE = 0x01,
    SHA_END = 0x02,
    SHA_HMAC_START = 0x04,
    SHA_TO_OUTPUT = 0xC0, /* leaves TempKey and MsgDigBuf alone */
};

/* A command whose only answer is its status. */
static kw_status order(struct kw_chip *chip, uint8_t opcode, uint8_t param1,
                       uint16_t param2, const uint8_t *data, size_t size) {
    const struct kw_command command = {opcode, param1, param2, data, size};
    return kw_chip_execute(chip, &command, NULL, 0);
}

/* A command that answers bytes. */
static kw_status ask(struct kw_chip *chip, uint8_t opcode, uint8_t param1,
                     uint16_t param2, uint8_t *answer, size_t answer_size) {
    const struct kw_command command = {opcode, param1, param2, NULL, 0};
    return kw_chip_execute(chip, &command, answer, answer_size);
}

kw_status kw_chip_info(struct kw_chip *chip, uint8_t revision[4]) {
    return ask(chip, KW_OP_INFO, 0, 0, revision, 4);
}

kw_status kw_chip_random(struct kw_chip *chip, uint8_t random[32]) {
    return ask(chip, KW_OP_RANDOM, 0, 0, random, 32);
}

/* Data: block in the high byte, slot and word in the low one. Configuration
 * and OTP: block and word. */
static uint16_t address_of(enum kw_zone zone, unsigned slot, unsigned block,
                           unsigned word) {
    if (zone == KW_ZONE_DATA) {
        return (uint16_t)((block << 8) | (slot << 3) | word);
    }
    return (uint16_t)((block << 3) | word);
}

kw_status kw_chip_read(struct kw_chip *chip, enum kw_zone zone, unsigned slot,
                       unsigned block, unsigned word, uint8_t *data,
                       size_t size) {
    const unsigned length = size == KW_BLOCK_SIZE ? READ_32_BYTES : 0;
    return ask(chip, KW_OP_READ, (uint8_t)(zone | length),
               address_of(zone, slot, block, word), data, size);
}

kw_status kw_chip_read_config(struct kw_chip *chip,
                              uint8_t config[KW_CONFIG_SIZE]) {
    for (unsigned block = 0; block < KW_CONFIG_SIZE / KW_BLOCK_SIZE; block++) {
        KW_TRY(kw_chip_read(chip, KW_ZONE_CONFIG, 0, block, 0,
                            config + KW_BLOCK_SIZE * block, KW_BLOCK_SIZE));
    }
    return KW_OK;
}

kw_status kw_chip_read_slot(struct kw_chip *chip, unsigned slot, uint8_t *data,
                            size_t size) {
    uint8_t bytes[KW_BLOCK_SIZE];
    for (size_t at = 0; at < size; at += KW_BLOCK_SIZE) {
        const size_t left = size - at;
        const unsigned block = (unsigned)(at / KW_BLOCK_SIZE);
        KW_TRY(kw_chip_read(chip, KW_ZONE_DATA, slot, block, 0, bytes,
                            sizeof bytes));
        memcpy(data + at, bytes, left < sizeof bytes ? left : sizeof bytes);
    }
    return KW_OK;
}

kw_status kw_chip_write_block(struct kw_chip *chip, unsigned slot,
                              unsigned block, const uint8_t *data,
                              size_t size) {
    uint8_t bytes[KW_BLOCK_SIZE] = {0};
    KW_ENSURE(size <= sizeof bytes, KW_PARSE_SIZE);
    memcpy(bytes, data, size);
    const kw_status status =
        order(chip, KW_OP_WRITE, KW_ZONE_DATA | READ_32_BYTES,
              address_of(KW_ZONE_DATA, slot, block, 0), bytes, sizeof bytes);
    kw_wipe(bytes, sizeof bytes);
    return status;
}

kw_status kw_chip_write_slot(struct kw_chip *chip, unsigned slot,
                             const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size; at += KW_BLOCK_SIZE) {
        const size_t left = size - at;
        KW_TRY(kw_chip_write_block(
            chip, slot, (unsigned)(at / KW_BLOCK_SIZE), data + at,
            left < KW_BLOCK_SIZE ? left : KW_BLOCK_SIZE));
    }
    return KW_OK;
}

/* Nonce and GenDig: both sides then hold the same TempKey. */
static kw_status share_temp_key(struct kw_chip *chip,
                                const struct kw_hash *hash,
                                const struct kw_encrypted_write *write,
                                uint8_t temp_key[32]) {
    static const uint8_t zeros[25];
    uint8_t random[32];
    const struct kw_message_head nonce =
        kw_message_head(KW_OP_NONCE, NONCE_RANDOM, 0);
    const struct kw_message_head gendig =
        kw_message_head(KW_OP_GENDIG, GENDIG_DATA, (uint16_t)write->key_slot);
    const struct kw_command command = {KW_OP_NONCE, NONCE_RANDOM, 0,
                                       write->num_in, KW_NUM_IN_SIZE};

    KW_TRY(kw_chip_execute(chip, &command, random, sizeof random));
    KW_TRY(kw_message_nonce(hash, random, write->num_in, nonce, temp_key));
    /* OtherData that a key with NoMac takes for the head of the message, and
     * any other key ignores: the vendor's library sends it always. */
    KW_TRY(order(chip, KW_OP_GENDIG, GENDIG_DATA, (uint16_t)write->key_slot,
                 gendig.bytes, sizeof gendig.bytes));
    return kw_message_gendig(hash, write->key, gendig, write->serial, zeros,
                             temp_key, temp_key);
}

kw_status kw_chip_write_encrypted(struct kw_chip *chip,
                                  const struct kw_hash *hash,
                                  const struct kw_encrypted_write *write) {
    const uint8_t zone = KW_ZONE_DATA | READ_32_BYTES | WRITE_ENCRYPTED;
    const uint16_t address =
        address_of(KW_ZONE_DATA, write->slot, write->block, 0);
    uint8_t temp_key[32];
    uint8_t data[64];

    KW_TRY(share_temp_key(chip, hash, write, temp_key));
    for (unsigned i = 0; i < 32; i++) {
        data[i] = write->plain[i] ^ temp_key[i];
    }
    kw_status status = kw_message_write_mac(
        hash, temp_key, kw_message_head(KW_OP_WRITE, zone, address),
        write->serial, write->plain, 32, data + 32);
    if (status == KW_OK) {
        status = order(chip, KW_OP_WRITE, zone, address, data, sizeof data);
    }
    kw_wipe(temp_key, sizeof temp_key);
    return status;
}

kw_status kw_chip_public_key(struct kw_chip *chip, unsigned slot,
                             uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    return ask(chip, KW_OP_GENKEY, GENKEY_PUBLIC, (uint16_t)slot, key,
               KW_PUBLIC_KEY_SIZE);
}

kw_status kw_chip_make_key(struct kw_chip *chip, unsigned slot,
                           uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    return ask(chip, KW_OP_GENKEY, GENKEY_MAKE, (uint16_t)slot, key,
               KW_PUBLIC_KEY_SIZE);
}

static kw_status load_nonce(struct kw_chip *chip, uint8_t mode,
                            const uint8_t value[32]) {
    return order(chip, KW_OP_NONCE, mode, 0, value, 32);
}

kw_status kw_chip_verify_stored(struct kw_chip *chip, unsigned slot,
                                const uint8_t digest[KW_SHA256_SIZE],
                                const uint8_t signature[KW_SIGNATURE_SIZE]) {
    KW_TRY(load_nonce(chip, NONCE_TO_DIGEST_BUFFER, digest));
    return order(chip, KW_OP_VERIFY, VERIFY_STORED_FROM_BUFFER, (uint16_t)slot,
                 signature, KW_SIGNATURE_SIZE);
}

kw_status kw_chip_verify_external(struct kw_chip *chip,
                                  const uint8_t key[KW_PUBLIC_KEY_SIZE],
                                  const uint8_t digest[KW_SHA256_SIZE],
                                  const uint8_t signature[KW_SIGNATURE_SIZE]) {
    uint8_t data[KW_SIGNATURE_SIZE + KW_PUBLIC_KEY_SIZE];
    memcpy(data, signature, KW_SIGNATURE_SIZE);
    memcpy(data + KW_SIGNATURE_SIZE, key, KW_PUBLIC_KEY_SIZE);
    KW_TRY(load_nonce(chip, NONCE_TO_DIGEST_BUFFER, digest));
    return order(chip, KW_OP_VERIFY, VERIFY_EXTERNAL_FROM_BUFFER, VERIFY_P256,
                 data, sizeof data);
}

kw_status kw_chip_sign(struct kw_chip *chip, unsigned slot,
                       const uint8_t digest[KW_SHA256_SIZE],
                       uint8_t signature[KW_SIGNATURE_SIZE]) {
    uint8_t random[32];
    KW_TRY(kw_chip_random(chip, random));
    KW_TRY(load_nonce(chip, NONCE_TO_DIGEST_BUFFER, digest));
    return ask(chip, KW_OP_SIGN, SIGN_EXTERNAL_FROM_BUFFER, (uint16_t)slot,
               signature, KW_SIGNATURE_SIZE);
}

kw_status kw_chip_validate(struct kw_chip *chip,
                           const struct kw_validation *validation) {
    static const uint8_t no_other_data[3];
    const uint16_t slot = (uint16_t)validation->slot;
    const uint8_t mode =
        validation->invalidate ? VERIFY_INVALIDATE : VERIFY_VALIDATE;
    uint8_t data[KW_SIGNATURE_SIZE + KW_OTHER_DATA_SIZE];

    memcpy(data, validation->signature, KW_SIGNATURE_SIZE);
    memcpy(data + KW_SIGNATURE_SIZE, validation->other, KW_OTHER_DATA_SIZE);
    KW_TRY(load_nonce(chip, NONCE_TO_TEMP_KEY, validation->nonce));
    KW_TRY(order(chip, KW_OP_GENKEY, GENKEY_DIGEST, slot, no_other_data,
                 sizeof no_other_data));
    return order(chip, KW_OP_VERIFY, mode, slot, data, sizeof data);
}

static kw_status counter(struct kw_chip *chip, uint8_t mode, unsigned number,
                         uint32_t *value) {
    uint8_t bytes[4];
    KW_TRY(
        ask(chip, KW_OP_COUNTER, mode, (uint16_t)number, bytes, sizeof bytes));
    *value = kw_load_le32(bytes);
    return KW_OK;
}

kw_status kw_chip_counter(struct kw_chip *chip, unsigned number,
                          uint32_t *value) {
    return counter(chip, COUNTER_READ, number, value);
}

kw_status kw_chip_count(struct kw_chip *chip, unsigned number,
                        uint32_t *value) {
    return counter(chip, COUNTER_INCREMENT, number, value);
}

kw_status kw_chip_lock_slot(struct kw_chip *chip, unsigned slot) {
    return order(chip, KW_OP_LOCK, (uint8_t)(LOCK_SLOT | (slot << 2)), 0, NULL,
                 0);
}

kw_status kw_chip_lock_zone(struct kw_chip *chip, enum kw_zone zone,
                            const uint16_t *crc) {
    const uint8_t mode = zone == KW_ZONE_CONFIG ? LOCK_CONFIG : LOCK_DATA;
    return crc == NULL
               ? order(chip, KW_OP_LOCK, mode | LOCK_WITHOUT_CRC, 0, NULL, 0)
               : order(chip, KW_OP_LOCK, mode, *crc, NULL, 0);
}

/* --- writing --- */

kw_status kw_chip_write(struct kw_chip *chip, enum kw_zone zone, unsigned slot,
                        unsigned block, unsigned word, const uint8_t *data,
                        size_t size) {
    const unsigned length = size == KW_BLOCK_SIZE ? READ_32_BYTES : 0;
    KW_ENSURE(size == KW_BLOCK_SIZE || size == KW_WORD_SIZE, KW_PARSE_SIZE);
    return order(chip, KW_OP_WRITE, (uint8_t)(zone | length),
                 address_of(zone, slot, block, word), data, size);
}

static bool may_be_written(unsigned offset) {
    return offset >= KW_CONFIG_I2C_ADDRESS &&
           (offset < KW_CONFIG_USER_EXTRA || offset >= KW_CONFIG_SLOT_LOCKED);
}

kw_status kw_chip_write_config(struct kw_chip *chip,
                               const uint8_t now[KW_CONFIG_SIZE],
                               const uint8_t wanted[KW_CONFIG_SIZE]) {
    for (unsigned at = 0; at < KW_CONFIG_SIZE; at += KW_WORD_SIZE) {
        if (may_be_written(at) &&
            memcmp(now + at, wanted + at, KW_WORD_SIZE) != 0) {
            KW_TRY(kw_chip_write(chip, KW_ZONE_CONFIG, 0, at / KW_BLOCK_SIZE,
                                 at % KW_BLOCK_SIZE / KW_WORD_SIZE, wanted + at,
                                 KW_WORD_SIZE));
        }
    }
    return KW_OK;
}

/* --- encrypted access --- */

kw_status kw_chip_read_encrypted(struct kw_chip *chip,
                                 const struct kw_hash *hash,
                                 const struct kw_encrypted_read *read,
                                 uint8_t plain[KW_BLOCK_SIZE]) {
    const struct kw_encrypted_write session = {
        .key_slot = read->key_slot,
        .key = read->key,
        .serial = read->serial,
        .num_in = read->num_in,
    };
    uint8_t temp_key[32];
    uint8_t data[KW_BLOCK_SIZE];
    KW_TRY(share_temp_key(chip, hash, &session, temp_key));
    const kw_status status = kw_chip_read(chip, KW_ZONE_DATA, read->slot,
                                          read->block, 0, data, sizeof data);
    for (unsigned i = 0; status == KW_OK && i < sizeof data; i++) {
        plain[i] = data[i] ^ temp_key[i];
    }
    kw_wipe(temp_key, sizeof temp_key);
    return status;
}

kw_status kw_chip_private_write(struct kw_chip *chip, unsigned slot,
                                const uint8_t key[32]) {
    uint8_t data[PRIVWRITE_SIZE + 32] = {0}; /* the MAC is not looked at */
    memcpy(data + PRIVWRITE_PAD, key, 32);
    const kw_status status = order(chip, KW_OP_PRIVWRITE, PRIVWRITE_CLEAR,
                                   (uint16_t)slot, data, sizeof data);
    kw_wipe(data, sizeof data);
    return status;
}

/* 32 bytes under TempKey, the last four under its digest (DS20005927A as
 * the vendor's library implements it). */
static kw_status seal_private(const struct kw_hash *hash,
                              const struct kw_encrypted_write *write,
                              const uint8_t temp_key[32],
                              uint8_t data[PRIVWRITE_SIZE + 32]) {
    uint8_t plain[PRIVWRITE_SIZE] = {0};
    uint8_t pad[PRIVWRITE_SIZE + 28];
    memcpy(plain + PRIVWRITE_PAD, write->plain, 32);
    memcpy(pad, temp_key, 32);
    kw_status status = kw_hash_bytes(hash, temp_key, 32, pad + 32);
    for (unsigned i = 0; i < sizeof plain; i++) {
        data[i] = plain[i] ^ pad[i];
    }
    if (status == KW_OK) {
        status = kw_message_write_mac(
            hash, temp_key,
            kw_message_head(KW_OP_PRIVWRITE, PRIVWRITE_ENCRYPTED,
                            (uint16_t)write->slot),
            write->serial, plain, sizeof plain, data + PRIVWRITE_SIZE);
    }
    kw_wipe(plain, sizeof plain);
    kw_wipe(pad, sizeof pad);
    return status;
}

kw_status
kw_chip_private_write_encrypted(struct kw_chip *chip,
                                const struct kw_hash *hash,
                                const struct kw_encrypted_write *write) {
    uint8_t temp_key[32];
    uint8_t data[PRIVWRITE_SIZE + 32];
    KW_TRY(share_temp_key(chip, hash, write, temp_key));
    kw_status status = seal_private(hash, write, temp_key, data);
    if (status == KW_OK) {
        status = order(chip, KW_OP_PRIVWRITE, PRIVWRITE_ENCRYPTED,
                       (uint16_t)write->slot, data, sizeof data);
    }
    kw_wipe(temp_key, sizeof temp_key);
    kw_wipe(data, sizeof data);
    return status;
}

/* --- MAC and SHA --- */

uint8_t kw_mac_mode(const struct kw_mac *mac) {
    return mac->random_nonce ? MAC_WITH_SERIAL | MAC_SECOND_TEMP_KEY
                             : MAC_WITH_SERIAL;
}

static kw_status random_challenge(struct kw_chip *chip,
                                  const struct kw_hash *hash,
                                  struct kw_mac *mac) {
    uint8_t random[32];
    const struct kw_command command = {KW_OP_NONCE, NONCE_RANDOM, 0,
                                       mac->num_in, KW_NUM_IN_SIZE};
    KW_TRY(kw_chip_execute(chip, &command, random, sizeof random));
    return kw_message_nonce(hash, random, mac->num_in,
                            kw_message_head(KW_OP_NONCE, NONCE_RANDOM, 0),
                            mac->challenge);
}

kw_status kw_chip_mac(struct kw_chip *chip, const struct kw_hash *hash,
                      struct kw_mac *mac) {
    const bool sent = !mac->random_nonce;
    if (!sent) {
        KW_TRY(random_challenge(chip, hash, mac));
    }
    const struct kw_command command = {
        KW_OP_MAC, kw_mac_mode(mac), (uint16_t)mac->slot,
        sent ? mac->challenge : NULL, sent ? sizeof mac->challenge : 0};
    return kw_chip_execute(chip, &command, mac->mac, sizeof mac->mac);
}

kw_status kw_chip_sha_start(struct kw_chip *chip, int key_slot) {
    return key_slot < 0 ? order(chip, KW_OP_SHA, SHA_START, 0, NULL, 0)
                        : order(chip, KW_OP_SHA, SHA_HMAC_START,
                                (uint16_t)key_slot, NULL, 0);
}

kw_status kw_chip_sha_update(struct kw_chip *chip,
                             const uint8_t block[KW_CHIP_SHA_BLOCK]) {
    return order(chip, KW_OP_SHA, SHA_UPDATE, KW_CHIP_SHA_BLOCK, block,
                 KW_CHIP_SHA_BLOCK);
}

kw_status kw_chip_sha_end(struct kw_chip *chip, const uint8_t *rest,
                          size_t size, uint8_t digest[KW_SHA256_SIZE]) {
    const struct kw_command command = {KW_OP_SHA, SHA_END | SHA_TO_OUTPUT,
                                       (uint16_t)size, rest, size};
    return kw_chip_execute(chip, &command, digest, KW_SHA256_SIZE);
}
