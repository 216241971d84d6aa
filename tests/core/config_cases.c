/* The configuration zone and the counters: DS40002138A 2.3 and 5.1.1. */
#include <string.h>

#include "core/bytes.h"
#include "core/config.h"
#include "tests/core/cases.h"

/* A TrustFLEX prototype as DS40002138A table 2-3 prints it, with the serial
 * number 0123 3E8A1491F2A6 01. */
static const uint8_t TRUSTFLEX[KW_CONFIG_SIZE] = {
    0x01, 0x23, 0x3E, 0x8A, 0x00, 0x00, 0x60, 0x03, 0x14, 0x91, 0xF2, 0xA6,
    0x01, 0x01, 0x01, 0x00, 0x6C, 0x00, 0x00, 0x01, 0x85, 0x00, 0x82, 0x00,
    0x85, 0x20, 0x85, 0x20, 0x85, 0x20, 0x8F, 0x46, 0x8F, 0x0F, 0x9F, 0x8F,
    0x0F, 0x0F, 0x8F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F, 0x0F,
    0x0D, 0x1F, 0x0F, 0x0F, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00,
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xF7,
    0x00, 0x69, 0x76, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x0E, 0x60, 0x00, 0x00, 0x00, 0x00,
    0x53, 0x00, 0x53, 0x00, 0x73, 0x00, 0x73, 0x00, 0x73, 0x00, 0x38, 0x00,
    0x7C, 0x00, 0x1C, 0x00, 0x3C, 0x00, 0x1A, 0x00, 0x3C, 0x00, 0x30, 0x00,
    0x3C, 0x00, 0x30, 0x00, 0x12, 0x00, 0x30, 0x00,
};

/* Factory state, then a chip's dump at 1000 and at 1026. */
static const struct {
    uint32_t value;
    uint8_t bytes[8];
} COUNTERS[] = {
    {0, {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00}},
    {1000, {0x00, 0xFF, 0x00, 0x00, 0x00, 0x1F, 0x00, 0x1E}},
    {1026, {0x3F, 0xFF, 0x00, 0x00, 0x00, 0x20, 0x00, 0x1F}},
};

static const char *known_counters(void) {
    for (size_t i = 0; i < sizeof COUNTERS / sizeof *COUNTERS; i++) {
        uint8_t bytes[8];
        kw_counter_encode(COUNTERS[i].value, bytes);
        KW_CHECK(memcmp(bytes, COUNTERS[i].bytes, sizeof bytes) == 0);
        KW_CHECK(kw_counter_decode(COUNTERS[i].bytes) == COUNTERS[i].value);
    }
    return NULL;
}

static const char *counters_there_and_back(void) {
    uint8_t bytes[8];
    for (uint32_t value = 0; value < 200; value++) {
        kw_counter_encode(value, bytes);
        KW_CHECK(kw_counter_decode(bytes) == value);
    }
    for (uint32_t value = KW_COUNTER_MAX - 70; value <= KW_COUNTER_MAX;
         value++) {
        kw_counter_encode(value, bytes);
        KW_CHECK(kw_counter_decode(bytes) == value);
    }
    return NULL;
}

static const char *serial_number(void) {
    static const uint8_t EXPECTED[KW_SERIAL_SIZE] = {
        0x01, 0x23, 0x3E, 0x8A, 0x14, 0x91, 0xF2, 0xA6, 0x01};
    uint8_t serial[KW_SERIAL_SIZE];
    kw_config_serial(TRUSTFLEX, serial);
    KW_CHECK(memcmp(serial, EXPECTED, sizeof serial) == 0);
    return NULL;
}

/* Slot 14, 0D 1F: parent 13, written while its key is not valid. */
static const char *slot_14(void) {
    const struct kw_slot_config slot = kw_config_slot(TRUSTFLEX, 14);
    const struct kw_key_config key = kw_config_key(TRUSTFLEX, 14);
    KW_CHECK(slot.read_key == 13 && slot.write_key == 15);
    KW_CHECK(!slot.is_secret && !slot.encrypt_read);
    KW_CHECK(kw_slot_write_rule(slot) == KW_WRITE_PUB_INVALID);
    KW_CHECK(!key.is_private && key.pub_info);
    KW_CHECK(key.key_type == KW_KEY_TYPE_P256);
    KW_CHECK(kw_config_keeps_validity(TRUSTFLEX, 14));
    return NULL;
}

/* Slot 5, 8F 46: secret, written encrypted under slot 6. */
static const char *slot_5(void) {
    const struct kw_slot_config slot = kw_config_slot(TRUSTFLEX, 5);
    KW_CHECK(slot.is_secret && slot.write_key == 6);
    KW_CHECK(kw_slot_write_rule(slot) == KW_WRITE_ENCRYPTED);
    KW_CHECK(!kw_config_keeps_validity(TRUSTFLEX, 5));
    return NULL;
}

/* 55 alone stands for an open zone. */
static const char *zone_locks(void) {
    uint8_t config[KW_CONFIG_SIZE];
    memcpy(config, TRUSTFLEX, sizeof config);
    for (unsigned value = 0; value < 256; value++) {
        config[KW_CONFIG_LOCK_CONFIG] = (uint8_t)value;
        config[KW_CONFIG_LOCK_VALUE] = 0x55;
        KW_CHECK(kw_config_is_locked(config) == (value != 0x55));
        KW_CHECK(!kw_config_data_is_locked(config));
        config[KW_CONFIG_LOCK_CONFIG] = 0x55;
        config[KW_CONFIG_LOCK_VALUE] = (uint8_t)value;
        KW_CHECK(!kw_config_is_locked(config));
        KW_CHECK(kw_config_data_is_locked(config) == (value != 0x55));
    }
    return NULL;
}

static const char *slot_locks(void) {
    uint8_t config[KW_CONFIG_SIZE];
    memcpy(config, TRUSTFLEX, sizeof config);
    for (unsigned locked = 0; locked < KW_SLOT_COUNT; locked++) {
        kw_store_le16(config + KW_CONFIG_SLOT_LOCKED,
                      (uint16_t)(0xFFFFu & ~(1u << locked)));
        for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
            KW_CHECK(!kw_config_slot_is_locked(TRUSTFLEX, slot));
            KW_CHECK(kw_config_slot_is_locked(config, slot) ==
                     (slot == locked));
        }
    }
    return NULL;
}

static const char *slot_sizes(void) {
    size_t total = 0;
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        total += kw_slot_size(slot);
    }
    KW_CHECK(total == 8 * 36 + 416 + 7 * 72);
    KW_CHECK(kw_slot_size(8) == 416 && kw_slot_size(16) == 0);
    return NULL;
}

static const struct kw_case CONFIG_CASES[] = {
    {"known counters", known_counters},
    {"counters there and back", counters_there_and_back},
    {"serial number", serial_number},
    {"slot 14", slot_14},
    {"slot 5", slot_5},
    {"zone locks", zone_locks},
    {"slot locks", slot_locks},
    {"slot sizes", slot_sizes},
};
const struct kw_subject kw_config_subject = KW_SUBJECT("config", CONFIG_CASES);
