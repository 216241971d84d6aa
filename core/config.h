/* core/config.h: the ATECC608's configuration zone, decoded.
 *
 * 128 bytes, bit numbers as in the data sheet, 16-bit fields little-endian.
 * Sources: DS40002138A section 2.3 (table 2-3) and 3; the meaning of the
 * SlotConfig and KeyConfig bits: docs/chip.md. Knows core/status.h
 * and core/bytes.h alone. */
#ifndef KW_CORE_CONFIG_H
#define KW_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define KW_CONFIG_SIZE 128 /* bytes */
#define KW_OTP_SIZE    64  /* bytes */
#define KW_SLOT_COUNT  16
#define KW_SLOT_MAX    416 /* bytes, slot 8 */
#define KW_BLOCK_SIZE  32  /* bytes of a long access */
#define KW_WORD_SIZE   4   /* bytes of a short access */
#define KW_SERIAL_SIZE 9   /* bytes */
#define KW_COUNTER_MAX 2097151u

/* Offsets in the configuration zone. */
enum {
    KW_CONFIG_SERIAL_0_3 = 0,
    KW_CONFIG_REVISION = 4, /* 4 bytes */
    KW_CONFIG_SERIAL_4_8 = 8,
    KW_CONFIG_AES_ENABLE = 13,
    KW_CONFIG_I2C_ENABLE = 14,
    KW_CONFIG_I2C_ADDRESS = 16, /* 8-bit form */
    KW_CONFIG_COUNT_MATCH = 18,
    KW_CONFIG_CHIP_MODE = 19,
    KW_CONFIG_SLOT_CONFIG = 20, /* 16 x 2 bytes */
    KW_CONFIG_COUNTER = 52,     /* 2 x 8 bytes */
    KW_CONFIG_USE_LOCK = 68,
    KW_CONFIG_VOLATILE_KEY_PERMISSION = 69,
    KW_CONFIG_SECURE_BOOT = 70, /* 2 bytes */
    KW_CONFIG_KDF_IV_LOC = 72,
    KW_CONFIG_KDF_IV_STR = 73, /* 2 bytes */
    KW_CONFIG_USER_EXTRA = 84,
    KW_CONFIG_USER_EXTRA_ADD = 85,
    KW_CONFIG_LOCK_VALUE = 86,  /* 55 unlocked, 00 locked: data and OTP */
    KW_CONFIG_LOCK_CONFIG = 87, /* 55 unlocked, 00 locked: configuration */
    KW_CONFIG_SLOT_LOCKED = 88, /* 2 bytes; bit N 1: slot N not locked */
    KW_CONFIG_CHIP_OPTIONS = 90,
    KW_CONFIG_X509_FORMAT = 92, /* 4 bytes */
    KW_CONFIG_KEY_CONFIG = 96,  /* 16 x 2 bytes */
};

/* Value of the two lock bytes; 00 is locked, and so is taken to be all else
 * (no sheet says). */
#define KW_ZONE_UNLOCKED 0x55

enum kw_key_type {
    KW_KEY_TYPE_P256 = 4,
    KW_KEY_TYPE_AES = 6,
    KW_KEY_TYPE_DATA = 7, /* also SHA keys */
};

/* WriteConfig of the Write command (SlotConfig bits 15:12). */
enum kw_write_rule {
    KW_WRITE_ALWAYS,
    KW_WRITE_PUB_INVALID, /* clear, and only while the key is not valid */
    KW_WRITE_NEVER,
    KW_WRITE_ENCRYPTED, /* 32 bytes and a MAC under the WriteKey */
};

struct kw_slot_config {
    uint8_t read_key;
    bool no_mac;
    bool limited_use;
    bool encrypt_read;
    bool is_secret;
    uint8_t write_key;
    uint8_t write_config;
};

struct kw_key_config {
    bool is_private;
    bool pub_info;
    uint8_t key_type; /* enum kw_key_type, or reserved */
    bool lockable;
    bool req_random;
    bool req_auth;
    uint8_t auth_key;
    bool persistent_disable;
    uint8_t x509_id;
};

/* Bits of ReadKey of a slot with a private key. */
enum {
    KW_READ_KEY_EXTERNAL_SIGN = 1,
    KW_READ_KEY_INTERNAL_SIGN = 2,
    KW_READ_KEY_ECDH = 4,
    KW_READ_KEY_ECDH_TO_SLOT = 8,
};

/* Size of a slot in bytes: 36 (0-7), 416 (8), 72 (9-15); 0 beyond 15. */
size_t kw_slot_size(unsigned slot);

struct kw_slot_config kw_config_slot(const uint8_t config[KW_CONFIG_SIZE],
                                     unsigned slot);
struct kw_key_config kw_config_key(const uint8_t config[KW_CONFIG_SIZE],
                                   unsigned slot);
enum kw_write_rule kw_slot_write_rule(struct kw_slot_config slot);

bool kw_config_is_locked(const uint8_t config[KW_CONFIG_SIZE]);
bool kw_config_data_is_locked(const uint8_t config[KW_CONFIG_SIZE]);
bool kw_config_slot_is_locked(const uint8_t config[KW_CONFIG_SIZE],
                              unsigned slot);

/* SN[0:3] and SN[4:8] in one run of 9 bytes. */
void kw_config_serial(const uint8_t config[KW_CONFIG_SIZE],
                      uint8_t serial[KW_SERIAL_SIZE]);

/* A counter is 8 bytes: two linear and two binary fields, each a big-endian
 * 16-bit number (DS40002138A 5.1.1; formula in docs/chip.md). */
uint32_t kw_counter_decode(const uint8_t bytes[8]);
void kw_counter_encode(uint32_t value, uint8_t bytes[8]);

/* True for a public key whose validity the chip keeps: P-256, not private,
 * PubInfo 1, slots 8 to 15. */
bool kw_config_keeps_validity(const uint8_t config[KW_CONFIG_SIZE],
                              unsigned slot);

/* True when ECDH (mode 00) with the private key in the slot before stores its
 * secret here: ReadKey bits 2 and 3 of an even slot. */
bool kw_config_takes_ecdh(const uint8_t config[KW_CONFIG_SIZE], unsigned slot);

#endif
