#include "core/config.h"

#include <string.h>

#include "core/bytes.h"

size_t kw_slot_size(unsigned slot) {
    if (slot < 8) {
        return 36;
    }
    if (slot == 8) {
        return KW_SLOT_MAX;
    }
    return slot < KW_SLOT_COUNT ? 72 : 0;
}

static unsigned bits(unsigned value, unsigned shift, unsigned count) {
    return (value >> shift) & ((1u << count) - 1u);
}

struct kw_slot_config kw_config_slot(const uint8_t config[KW_CONFIG_SIZE],
                                     unsigned slot) {
    const unsigned word =
        kw_load_le16(config + KW_CONFIG_SLOT_CONFIG + 2 * slot);
    return (struct kw_slot_config){
        .read_key = (uint8_t)bits(word, 0, 4),
        .no_mac = bits(word, 4, 1) != 0,
        .limited_use = bits(word, 5, 1) != 0,
        .encrypt_read = bits(word, 6, 1) != 0,
        .is_secret = bits(word, 7, 1) != 0,
        .write_key = (uint8_t)bits(word, 8, 4),
        .write_config = (uint8_t)bits(word, 12, 4),
    };
}

struct kw_key_config kw_config_key(const uint8_t config[KW_CONFIG_SIZE],
                                   unsigned slot) {
    const unsigned word =
        kw_load_le16(config + KW_CONFIG_KEY_CONFIG + 2 * slot);
    return (struct kw_key_config){
        .is_private = bits(word, 0, 1) != 0,
        .pub_info = bits(word, 1, 1) != 0,
        .key_type = (uint8_t)bits(word, 2, 3),
        .lockable = bits(word, 5, 1) != 0,
        .req_random = bits(word, 6, 1) != 0,
        .req_auth = bits(word, 7, 1) != 0,
        .auth_key = (uint8_t)bits(word, 8, 4),
        .persistent_disable = bits(word, 12, 1) != 0,
        .x509_id = (uint8_t)bits(word, 14, 2),
    };
}

/* DS20005927A table 2-8 as cited: 0000 Always, 0001 PubInvalid, x1xx
 * Encrypt, all else Never. */
enum kw_write_rule kw_slot_write_rule(struct kw_slot_config slot) {
    if ((slot.write_config & 4u) != 0) {
        return KW_WRITE_ENCRYPTED;
    }
    if (slot.write_config == 0) {
        return KW_WRITE_ALWAYS;
    }
    return slot.write_config == 1 ? KW_WRITE_PUB_INVALID : KW_WRITE_NEVER;
}

bool kw_config_is_locked(const uint8_t config[KW_CONFIG_SIZE]) {
    return config[KW_CONFIG_LOCK_CONFIG] != KW_ZONE_UNLOCKED;
}

bool kw_config_data_is_locked(const uint8_t config[KW_CONFIG_SIZE]) {
    return config[KW_CONFIG_LOCK_VALUE] != KW_ZONE_UNLOCKED;
}

bool kw_config_slot_is_locked(const uint8_t config[KW_CONFIG_SIZE],
                              unsigned slot) {
    const unsigned word = kw_load_le16(config + KW_CONFIG_SLOT_LOCKED);
    return bits(word, slot, 1) == 0;
}

void kw_config_serial(const uint8_t config[KW_CONFIG_SIZE],
                      uint8_t serial[KW_SERIAL_SIZE]) {
    memcpy(serial, config + KW_CONFIG_SERIAL_0_3, 4);
    memcpy(serial + 4, config + KW_CONFIG_SERIAL_4_8, 5);
}

static unsigned leading_zeros(uint16_t value) {
    unsigned count = 0;
    while (count < 16 && (value & 0x8000u) == 0) {
        value = (uint16_t)(value << 1);
        count++;
    }
    return count;
}

/* Two linear fields lose a bit a step in turn, 16 steps each; the binary
 * fields count the rounds of 32. */
uint32_t kw_counter_decode(const uint8_t bytes[8]) {
    const uint16_t linear_a = kw_load_be16(bytes);
    const uint16_t linear_b = kw_load_be16(bytes + 2);
    const uint32_t binary_a = kw_load_be16(bytes + 4);
    const uint32_t binary_b = kw_load_be16(bytes + 6);
    const unsigned second = binary_a == binary_b ? leading_zeros(linear_b) : 0;
    return 32 * binary_a + leading_zeros(linear_a) + second;
}

void kw_counter_encode(uint32_t value, uint8_t bytes[8]) {
    const bool started = value >= 16;
    const uint32_t delayed = started ? value - 16 : 0;
    kw_store_be16(bytes, (uint16_t)(0xFFFFu >> (value % 32)));
    kw_store_be16(bytes + 2, (uint16_t)(0xFFFFu >> (delayed % 32)));
    kw_store_be16(bytes + 4, (uint16_t)(value / 32));
    kw_store_be16(bytes + 6, (uint16_t)(delayed / 32));
}

bool kw_config_keeps_validity(const uint8_t config[KW_CONFIG_SIZE],
                              unsigned slot) {
    const struct kw_key_config key = kw_config_key(config, slot);
    return slot >= 8 && slot < KW_SLOT_COUNT && !key.is_private &&
           key.pub_info && key.key_type == KW_KEY_TYPE_P256;
}

bool kw_config_takes_ecdh(const uint8_t config[KW_CONFIG_SIZE], unsigned slot) {
    const unsigned both = KW_READ_KEY_ECDH | KW_READ_KEY_ECDH_TO_SLOT;
    return slot % 2 == 1 && slot < KW_SLOT_COUNT &&
           !kw_config_key(config, slot).is_private &&
           kw_config_key(config, slot - 1).is_private &&
           (kw_config_slot(config, slot - 1).read_key & both) == both;
}
