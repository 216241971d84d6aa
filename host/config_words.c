#include "host/config_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "host/phrase.h"

#define ADD(text, ...) kw_phrase_add((text), KW_FIELD_WORDS, __VA_ARGS__)

/* --- fields --- */

static void plain(const uint8_t *at, char *text) {
    (void)at;
    ADD(text, "made at the factory");
}

static void reserved(const uint8_t *at, char *text) {
    ADD(text, at[0] == 0 ? "reserved" : "reserved, and not zero");
}

static void aes_enable(const uint8_t *at, char *text) {
    ADD(text, (at[0] & 1u) != 0 ? "AES and KDF are there"
                                : "no AES and no KDF on this chip");
}

static void i2c_enable(const uint8_t *at, char *text) {
    ADD(text, (at[0] & 1u) != 0 ? "I2C" : "single wire");
}

static void i2c_address(const uint8_t *at, char *text) {
    ADD(text, "8-bit form %02X, 7-bit form %02X", at[0], at[0] >> 1);
}

static void count_match(const uint8_t *at, char *text) {
    if ((at[0] & 1u) == 0) {
        ADD(text, "off");
        return;
    }
    ADD(text, "counter 0 is limited by slot %u", at[0] >> 4);
}

static void chip_mode(const uint8_t *at, char *text) {
    ADD(text, "watchdog %s", (at[0] & 4u) != 0 ? "10 s" : "1.3 s");
    ADD(text, "input levels %s",
        (at[0] & 2u) != 0 ? "follow the supply" : "fixed");
    ADD(text, "clock divider %02X", at[0] >> 3);
    if ((at[0] & 1u) != 0) {
        ADD(text, "UserExtraAdd may set another address");
    }
}

static void counter_words(const uint8_t *at, char *text) {
    ADD(text, "%u of %u", (unsigned)kw_counter_decode(at), KW_COUNTER_MAX);
}

static void use_lock(const uint8_t *at, char *text) {
    if ((at[0] & 0x0Fu) == 0x0A) {
        ADD(text, "transport lock, opened with the key in slot %u", at[0] >> 4);
        return;
    }
    ADD(text, "off");
}

static void permission(const uint8_t *at, char *text) {
    if ((at[0] & 0x80u) == 0) {
        ADD(text, "off: no command sets the persistent latch");
        return;
    }
    ADD(text, "a CheckMac with the key in slot %u sets the persistent latch",
        at[0] & 15u);
}

static void secure_boot(const uint8_t *at, char *text) {
    static const char *const MODES[] = {
        "off",
        "checks the signature of each image",
        "keeps the signature of the image",
        "keeps the digest of the image",
    };
    const unsigned mode = at[0] & 3u;
    ADD(text, "%s", MODES[mode]);
    if (mode == 0) {
        return;
    }
    ADD(text, "public key in slot %u", at[1] >> 4);
    if (mode > 1) {
        ADD(text, "kept in slot %u", at[1] & 15u);
    }
    if ((at[0] & 8u) != 0) {
        ADD(text, "sets the persistent latch");
    }
    if ((at[0] & 16u) != 0) {
        ADD(text, "demands a random nonce");
    }
}

static void kdf_iv(const uint8_t *at, char *text) {
    ADD(text, "for KDF with a special message: %02X", at[0]);
}

static void user_extra(const uint8_t *at, char *text) {
    ADD(text, at[0] == 0 ? "free: UpdateExtra sets it once" : "set");
}

static void lock_byte(const uint8_t *at, char *text) {
    ADD(text, at[0] == KW_ZONE_UNLOCKED ? "not locked" : "locked for ever");
}

static void slot_locked(const uint8_t *at, char *text) {
    const uint16_t open = kw_load_le16(at);
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        if ((open & (1u << slot)) == 0) {
            ADD(text, "slot %u locked", slot);
        }
    }
    if (text[0] == '\0') {
        ADD(text, "no slot is locked");
    }
}

static void protection(char *text, const char *what, unsigned bits) {
    static const char *const WORDS[] = {"may come out in clear",
                                        "only encrypted", "never", "never"};
    ADD(text, "%s output %s", what, WORDS[bits & 3u]);
}

static void chip_options(const uint8_t *at, char *text) {
    ADD(text, "self-test at power-up %s", (at[0] & 1u) != 0 ? "on" : "off");
    if ((at[0] & 2u) != 0) {
        ADD(text, "IO protection key in slot %u", at[1] >> 4);
    } else {
        ADD(text, "no IO protection key");
    }
    ADD(text, "KDF with AES %s", (at[0] & 4u) != 0 ? "on" : "off");
    protection(text, "ECDH", at[1]);
    protection(text, "KDF", (unsigned)at[1] >> 2);
}

static void x509_format(const uint8_t *at, char *text) {
    for (unsigned i = 0; i < 4; i++) {
        if (at[i] != 0) {
            ADD(text, "X509id %u: a message of %u blocks, key at %u", i,
                at[i] & 15u, at[i] >> 4);
        }
    }
    if (text[0] == '\0') {
        ADD(text, "any format");
    }
}

static const struct row {
    unsigned offset;
    unsigned size;
    const char *name;
    void (*words)(const uint8_t *at, char *text);
} ROWS[] = {
    {KW_CONFIG_SERIAL_0_3, 4, "SN[0:3]", plain},
    {KW_CONFIG_REVISION, 4, "RevNum", plain},
    {KW_CONFIG_SERIAL_4_8, 5, "SN[4:8]", plain},
    {KW_CONFIG_AES_ENABLE, 1, "AES_Enable", aes_enable},
    {KW_CONFIG_I2C_ENABLE, 1, "I2C_Enable", i2c_enable},
    {15, 1, "reserved", reserved},
    {KW_CONFIG_I2C_ADDRESS, 1, "I2C_Address", i2c_address},
    {17, 1, "reserved", reserved},
    {KW_CONFIG_COUNT_MATCH, 1, "CountMatch", count_match},
    {KW_CONFIG_CHIP_MODE, 1, "ChipMode", chip_mode},
    {KW_CONFIG_COUNTER, 8, "Counter[0]", counter_words},
    {KW_CONFIG_COUNTER + 8, 8, "Counter[1]", counter_words},
    {KW_CONFIG_USE_LOCK, 1, "UseLock", use_lock},
    {KW_CONFIG_VOLATILE_KEY_PERMISSION, 1, "VolatileKeyPermission", permission},
    {KW_CONFIG_SECURE_BOOT, 2, "SecureBoot", secure_boot},
    {KW_CONFIG_KDF_IV_LOC, 1, "KdfIvLoc", kdf_iv},
    {KW_CONFIG_KDF_IV_STR, 2, "KdfIvStr", kdf_iv},
    {75, 9, "reserved", reserved},
    {KW_CONFIG_USER_EXTRA, 1, "UserExtra", user_extra},
    {KW_CONFIG_USER_EXTRA_ADD, 1, "UserExtraAdd", user_extra},
    {KW_CONFIG_LOCK_VALUE, 1, "LockValue", lock_byte},
    {KW_CONFIG_LOCK_CONFIG, 1, "LockConfig", lock_byte},
    {KW_CONFIG_SLOT_LOCKED, 2, "SlotLocked", slot_locked},
    {KW_CONFIG_CHIP_OPTIONS, 2, "ChipOptions", chip_options},
    {KW_CONFIG_X509_FORMAT, 4, "X509format", x509_format},
};

_Static_assert(sizeof ROWS / sizeof *ROWS <= KW_CONFIG_FIELDS, "fields");

size_t kw_config_fields(const uint8_t config[KW_CONFIG_SIZE],
                        struct kw_config_field fields[KW_CONFIG_FIELDS]) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        fields[i] = (struct kw_config_field){
            .offset = ROWS[i].offset,
            .size = ROWS[i].size,
            .name = ROWS[i].name,
        };
        ROWS[i].words(config + ROWS[i].offset, fields[i].words);
    }
    return sizeof ROWS / sizeof *ROWS;
}

/* --- slots --- */

__attribute__((format(printf, 2, 3))) static void
say(struct kw_slot_lines *lines, const char *format, ...) {
    va_list arguments;
    if (lines->count == KW_SLOT_LINES) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(lines->line[lines->count++], KW_SLOT_LINE_LENGTH, format,
                    arguments);
    va_end(arguments);
}

static void say_read_key(struct kw_slot_config rules, bool is_private,
                         struct kw_slot_lines *lines) {
    static const struct {
        unsigned bit;
        const char *words;
    } USES[] = {
        {KW_READ_KEY_EXTERNAL_SIGN, "signs external messages"},
        {KW_READ_KEY_INTERNAL_SIGN, "signs internal messages"},
        {KW_READ_KEY_ECDH, "ECDH"},
        {KW_READ_KEY_ECDH_TO_SLOT, "ECDH secret into the next slot"},
    };
    char text[KW_SLOT_LINE_LENGTH] = "";
    if (!is_private) {
        say(lines, "ReadKey %X", rules.read_key);
        return;
    }
    for (size_t i = 0; i < sizeof USES / sizeof *USES; i++) {
        if ((rules.read_key & USES[i].bit) != 0) {
            kw_phrase_add(text, sizeof text, "%s", USES[i].words);
        }
    }
    say(lines, "ReadKey %X: %s", rules.read_key,
        text[0] == '\0' ? "no use at all" : text);
}

static void say_write_config(struct kw_slot_config rules, bool is_private,
                             struct kw_slot_lines *lines) {
    static const char *const RULES[] = {
        [KW_WRITE_ALWAYS] = "Always: anyone, in clear",
        [KW_WRITE_PUB_INVALID] = "PubInvalid: anyone while not validated",
        [KW_WRITE_NEVER] = "Never",
        [KW_WRITE_ENCRYPTED] = "Encrypt: under the WriteKey",
    };
    if (!is_private) {
        say(lines, "WriteConfig %X, WriteKey %X: %s", rules.write_config,
            rules.write_key, RULES[kw_slot_write_rule(rules)]);
        return;
    }
    say(lines, "WriteConfig %X, WriteKey %X: GenKey %s, PrivWrite %s",
        rules.write_config, rules.write_key,
        (rules.write_config & 2u) != 0 ? "allowed" : "forbidden",
        (rules.write_config & 4u) != 0 ? "encrypted" : "forbidden");
}

static void say_slot_bits(struct kw_slot_config rules, bool is_private,
                          struct kw_slot_lines *lines) {
    const struct {
        bool set;
        const char *words;
    } bits[] = {
        {rules.no_mac, "NoMac: no MAC and no HMAC with this key"},
        {rules.limited_use, "LimitedUse: each use counts on counter 0"},
        {rules.encrypt_read, "EncryptRead: read under the ReadKey"},
        {rules.is_secret, "IsSecret: never read or written in clear words of "
                          "4 bytes"},
    };
    say_read_key(rules, is_private, lines);
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (bits[i].set) {
            say(lines, "%s", bits[i].words);
        }
    }
    say_write_config(rules, is_private, lines);
}

static const char *type_words(unsigned type) {
    switch (type) {
    case KW_KEY_TYPE_P256:
        return "P-256";
    case KW_KEY_TYPE_AES:
        return "AES";
    case KW_KEY_TYPE_DATA:
        return "data or SHA key";
    default:
        return "reserved";
    }
}

static const char *pub_info_words(const struct kw_key_config *key) {
    if (key->is_private) {
        return key->pub_info ? "the public key may be asked for"
                             : "the public key never leaves the chip";
    }
    if (key->key_type == KW_KEY_TYPE_P256) {
        return key->pub_info ? "serves once it is validated"
                             : "needs no validation";
    }
    return key->pub_info ? "KDF may write here" : "KDF may not write here";
}

static void say_key_bits(const struct kw_key_config *key,
                         struct kw_slot_lines *lines) {
    say(lines, "%s, KeyType %u: %s", key->is_private ? "Private" : "no Private",
        key->key_type, type_words(key->key_type));
    say(lines, "PubInfo %d: %s", key->pub_info ? 1 : 0, pub_info_words(key));
    say(lines, "%s",
        key->lockable ? "Lockable" : "not Lockable: Lock(slot) is refused");
    if (key->req_random) {
        say(lines, "ReqRandom: a random nonce where TempKey is used with it");
    }
    if (key->req_auth) {
        say(lines, "ReqAuth: a CheckMac with the key in slot %u first",
            key->auth_key);
    }
    if (key->persistent_disable) {
        say(lines, "PersistentDisable: no use while the latch is 0");
    }
    if (key->x509_id != 0) {
        say(lines, "X509id %u", key->x509_id);
    }
}

void kw_config_slot_lines(const uint8_t config[KW_CONFIG_SIZE], unsigned slot,
                          struct kw_slot_lines *lines) {
    const struct kw_key_config key = kw_config_key(config, slot);
    memset(lines, 0, sizeof *lines);
    say_key_bits(&key, lines);
    say_slot_bits(kw_config_slot(config, slot), key.is_private, lines);
    if (kw_config_slot_is_locked(config, slot)) {
        say(lines, "SlotLocked: its content never changes");
    }
}
