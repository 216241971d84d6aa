#include "host/slot_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/compcert.h"
#include "core/rotate.h"

#define GENKEY_ALLOWED    0x2  /* SlotConfig bit 13 */
#define PRIVWRITE_ALLOWED 0x4  /* SlotConfig bit 14 */
#define IO_KEY_ENABLED    0x02 /* ChipOptions, first byte */
#define SECURE_BOOT_MODE  0x03 /* SecureBoot, first byte */
#define SECURE_BOOT_FULL  0x01 /* without a stored digest */
#define FIRST_PUBLIC_SLOT 8

static const char NOT_YET[] = "not before the lock";

/* --- purposes --- */

static const char *const PURPOSES[][KW_SLOT_COUNT] = {
    [KW_PART_TRUSTFLEX] =
        {
            "primary private key",
            "attestation key",
            "secondary private key",
            "secondary private key",
            "secondary private key",
            "application secret",
            "IO protection key",
            "secure boot digest",
            "general data",
            "AES key",
            "device certificate",
            "signer's public key",
            "signer certificate",
            "authority's public key",
            "rotating public key",
            "secure boot public key",
        },
    [KW_PART_TRUSTGO] =
        {
            "primary private key",
            "attestation key",
            "secondary private key",
            "secondary private key",
            "secondary private key",
            "network address (EUI-48)",
            "IO protection key",
            "reserved",
            "general data",
            "AES key",
            "device certificate",
            "signer's public key",
            "signer certificate",
            "reserved",
            "reserved",
            "reserved",
        },
};

static const char *purpose_of(enum kw_part part, unsigned slot) {
    if (part < sizeof PURPOSES / sizeof *PURPOSES) {
        return PURPOSES[part][slot];
    }
    return part == KW_PART_BLANK ? "yours to define" : "not known";
}

/* Compressed, on the parts that come with certificates. */
static bool holds_certificate(enum kw_part part, unsigned slot) {
    return (part == KW_PART_TRUSTFLEX || part == KW_PART_TRUSTGO) &&
           (slot == 10 || slot == 12);
}

/* --- phrases --- */

/* Adds a phrase, after a comma when it is not the first. */
__attribute__((format(printf, 2, 3))) static void add(char text[KW_WORDS_MAX],
                                                      const char *format, ...) {
    const size_t used = strlen(text);
    const size_t comma = used == 0 ? 0 : 2;
    va_list arguments;
    if (used + comma + 1 >= KW_WORDS_MAX) {
        return;
    }
    memcpy(text + used, ", ", comma);
    va_start(arguments, format);
    (void)vsnprintf(text + used + comma, KW_WORDS_MAX - used - comma, format,
                    arguments);
    va_end(arguments);
}

/* What a phrase is made of. */
struct subject {
    enum kw_part part;
    const uint8_t *config;
    unsigned slot;
    struct kw_slot_config rules;
    struct kw_key_config key;
};

static struct subject subject_of(const struct kw_chip_about *about,
                                 unsigned slot) {
    return (struct subject){
        .part = about->part,
        .config = about->config,
        .slot = slot,
        .rules = kw_config_slot(about->config, slot),
        .key = kw_config_key(about->config, slot),
    };
}

/* Another key type, or a key without IsSecret, is refused by every command. */
static bool contradicts_itself(const struct subject *about) {
    return about->key.is_private &&
           (about->key.key_type != KW_KEY_TYPE_P256 || !about->rules.is_secret);
}

static bool is_public_key(const struct subject *about) {
    return !about->key.is_private && about->slot >= FIRST_PUBLIC_SLOT &&
           about->key.key_type == KW_KEY_TYPE_P256;
}

static const char *kind_of(const struct subject *about) {
    if (about->key.is_private) {
        return "private key";
    }
    if (is_public_key(about)) {
        return "public key";
    }
    if (about->key.key_type == KW_KEY_TYPE_AES) {
        return "AES key";
    }
    return about->rules.is_secret ? "secret" : "data";
}

/* --- who may read --- */

/* In clear. */
static bool may_be_read(const struct subject *about) {
    return kw_config_data_is_locked(about->config) && !about->key.is_private &&
           !about->rules.is_secret && !about->rules.encrypt_read;
}

static void read_words(const struct subject *about, char *text) {
    if (may_be_read(about)) {
        add(text, "anyone");
    } else if (!kw_config_data_is_locked(about->config)) {
        add(text, "%s", NOT_YET);
    } else if (!about->key.is_private && about->rules.is_secret &&
               about->rules.encrypt_read) {
        add(text, "encrypted, key of slot %u", about->rules.read_key);
    } else {
        add(text, "nobody");
    }
}

/* --- who may write --- */

/* SecureBoot: two bits of mode, then the slots of digest and key. */
static bool secure_boot_writes(const struct subject *about) {
    const uint8_t *secure_boot = about->config + KW_CONFIG_SECURE_BOOT;
    return (secure_boot[0] & SECURE_BOOT_MODE) > SECURE_BOOT_FULL &&
           (secure_boot[1] & 15u) == about->slot;
}

static void private_write_words(const struct subject *about, char *text) {
    if ((about->rules.write_config & GENKEY_ALLOWED) != 0) {
        add(text, "the chip (GenKey)");
    }
    if ((about->rules.write_config & PRIVWRITE_ALLOWED) != 0) {
        add(text, "PrivWrite, key of slot %u", about->rules.write_key);
    }
    if (text[0] == '\0') {
        add(text, "nobody");
    }
}

/* What puts other content into a slot than a Write; WriteConfig has no say in
 * the last two. */
static void command_words(const struct subject *about, char *text) {
    const bool kdf =
        about->key.pub_info && (about->key.key_type == KW_KEY_TYPE_AES ||
                                about->key.key_type == KW_KEY_TYPE_DATA);
    if ((about->rules.write_config & GENKEY_ALLOWED) != 0) {
        add(text, "the chip (DeriveKey)");
    }
    if (kdf) {
        add(text, "anyone (KDF, ECDH)");
    }
    if (kw_config_takes_ecdh(about->config, about->slot)) {
        add(text, "ECDH of slot %u", about->slot - 1);
    }
}

static void other_write_words(const struct subject *about, char *text) {
    static const char *const RULES[] = {
        [KW_WRITE_ALWAYS] = "anyone",
        [KW_WRITE_PUB_INVALID] = "anyone while not validated",
        [KW_WRITE_NEVER] = "",
        [KW_WRITE_ENCRYPTED] = "encrypted, key of slot",
    };
    const enum kw_write_rule rule = kw_slot_write_rule(about->rules);
    if (rule == KW_WRITE_ENCRYPTED) {
        add(text, "%s %u", RULES[rule], about->rules.write_key);
    } else if (rule != KW_WRITE_NEVER) {
        add(text, "%s", RULES[rule]);
    } else if (secure_boot_writes(about)) {
        add(text, "SecureBoot");
    }
    if (rule != KW_WRITE_ALWAYS) {
        command_words(about, text);
    }
    if (text[0] == '\0') {
        add(text, "nobody");
    }
}

static void write_words(const struct subject *about, char *text) {
    if (!kw_config_is_locked(about->config)) {
        add(text, "%s", NOT_YET);
    } else if (kw_config_slot_is_locked(about->config, about->slot)) {
        add(text, "nobody: locked for ever");
    } else if (contradicts_itself(about)) {
        add(text, "nobody");
    } else if (!kw_config_data_is_locked(about->config)) {
        add(text, "%s until the lock",
            about->key.is_private ? "GenKey or PrivWrite" : "anyone");
    } else if (about->key.is_private) {
        private_write_words(about, text);
    } else {
        other_write_words(about, text);
    }
}

/* --- who may use it --- */

static void private_use_words(const struct subject *about, char *text) {
    const unsigned allowed = about->rules.read_key;
    if (contradicts_itself(about)) {
        add(text, "no use: the configuration contradicts itself");
        return;
    }
    if ((allowed & KW_READ_KEY_EXTERNAL_SIGN) != 0) {
        add(text, "signs any digest");
    }
    if ((allowed & KW_READ_KEY_INTERNAL_SIGN) != 0) {
        add(text, "signs what the chip itself states");
    }
    if ((allowed & KW_READ_KEY_ECDH) != 0) {
        add(text, "makes ECDH secrets");
    }
    if (kw_config_takes_ecdh(about->config, about->slot + 1)) {
        add(text, "also into slot %u", about->slot + 1);
    }
}

/* Which slots hold keys that this one has to validate. */
static void validates_words(const struct subject *about, char *text) {
    for (unsigned slot = FIRST_PUBLIC_SLOT; slot < KW_SLOT_COUNT; slot++) {
        if (slot != about->slot &&
            kw_config_keeps_validity(about->config, slot) &&
            kw_config_slot(about->config, slot).read_key == about->slot) {
            add(text, "validates slot %u", slot);
        }
    }
}

static void public_use_words(const struct subject *about, char *text) {
    const uint8_t *secure_boot = about->config + KW_CONFIG_SECURE_BOOT;
    if (kw_config_keeps_validity(about->config, about->slot)) {
        add(text, "verifies once slot %u has validated it",
            about->rules.read_key);
    } else {
        add(text, "verifies signatures");
    }
    validates_words(about, text);
    if ((secure_boot[0] & SECURE_BOOT_MODE) != 0 &&
        secure_boot[1] >> 4 == about->slot) {
        add(text, "checks firmware (SecureBoot)");
    }
}

/* WriteConfig x1xx: Write, and PrivWrite of a private key. */
static bool is_written_encrypted(const uint8_t *config, unsigned slot) {
    const struct kw_slot_config rules = kw_config_slot(config, slot);
    return kw_config_key(config, slot).is_private
               ? (rules.write_config & PRIVWRITE_ALLOWED) != 0
               : kw_slot_write_rule(rules) == KW_WRITE_ENCRYPTED;
}

static bool is_read_encrypted(const uint8_t *config, unsigned slot) {
    const struct kw_slot_config rules = kw_config_slot(config, slot);
    return !kw_config_key(config, slot).is_private && rules.is_secret &&
           rules.encrypt_read;
}

/* Which slots are written and read encrypted under this one. */
static void opens_words(const struct subject *about, char *text) {
    const uint8_t *config = about->config;
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        const struct kw_slot_config rules = kw_config_slot(config, slot);
        if (is_written_encrypted(config, slot) &&
            rules.write_key == about->slot) {
            add(text, "encrypts writes of slot %u", slot);
        }
        if (is_read_encrypted(config, slot) && rules.read_key == about->slot) {
            add(text, "encrypts reads of slot %u", slot);
        }
    }
}

static void secret_use_words(const struct subject *about, char *text) {
    const uint8_t *options = about->config + KW_CONFIG_CHIP_OPTIONS;
    if (secure_boot_writes(about)) {
        add(text, "remembers the firmware's digest (SecureBoot)");
        return;
    }
    if (about->key.key_type == KW_KEY_TYPE_AES) {
        add(text, "encrypts (AES)");
    }
    if (!about->rules.no_mac) {
        add(text, "makes MACs");
    }
    add(text, "derives keys");
    opens_words(about, text);
    if ((options[0] & IO_KEY_ENABLED) != 0 && options[1] >> 4 == about->slot) {
        add(text, "protects the bus (IO protection)");
    }
}

/* Signing and ECDH are not gated by ReqRandom. */
static void condition_words(const struct subject *about, char *text) {
    if (about->key.req_random) {
        add(text, about->key.is_private ? "random nonce for GenKey digests"
                                        : "random nonce needed");
    }
    if (about->key.req_auth) {
        add(text, "after CheckMac with slot %u", about->key.auth_key);
    }
    if (about->key.persistent_disable) {
        add(text, "while the latch is set");
    }
    if (about->rules.limited_use) {
        add(text, "each use is counted");
    }
}

static void use_words(const struct subject *about, char *text) {
    if (about->key.is_private) {
        private_use_words(about, text);
    } else if (is_public_key(about)) {
        public_use_words(about, text);
    } else if (about->rules.is_secret ||
               about->key.key_type == KW_KEY_TYPE_AES) {
        secret_use_words(about, text);
    }
    if (text[0] == '\0') {
        add(text, about->key.is_private ? "no use" : "keeps bytes");
    }
    condition_words(about, text);
}

void kw_slot_policy_words(const struct kw_chip_about *about, unsigned slot,
                          struct kw_slot_words *words) {
    const struct subject subject = subject_of(about, slot);
    *words = (struct kw_slot_words){
        .slot = slot,
        .size = kw_slot_size(slot),
        .kind = kind_of(&subject),
        .purpose = purpose_of(about->part, slot),
        .locked = kw_config_slot_is_locked(about->config, slot),
    };
    read_words(&subject, words->read);
    write_words(&subject, words->write);
    use_words(&subject, words->use);
}

/* --- what it holds --- */

static void take_fingerprint(struct kw_slot_words *words,
                             const uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    char *pem = kw_public_key_pem(key);
    if (pem != NULL) { /* it is a point of the curve */
        words->has_fingerprint = true;
        kw_fingerprint(key, words->fingerprint);
    }
    free(pem);
}

static kw_status private_state(struct kw_chip *chip,
                               const struct subject *about,
                               struct kw_slot_words *words) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    if (!about->key.pub_info || about->key.req_auth) {
        add(words->state, "the chip does not tell");
        return KW_OK;
    }
    const kw_status status = kw_chip_public_key(chip, about->slot, public_key);
    if (kw_status_is_refusal(status)) {
        add(words->state, "no private key");
        return KW_OK;
    }
    KW_TRY(status);
    add(words->state, "private key");
    take_fingerprint(words, public_key);
    return KW_OK;
}

/* NULL when the bytes are neither all ones nor all zeros. */
static const char *emptiness(const uint8_t *data, size_t size) {
    if (kw_all_bytes(data, size, 0xFF)) {
        return "blank";
    }
    return kw_all_bytes(data, size, 0x00) ? "zeros" : NULL;
}

static const char *public_state(const struct subject *about,
                                const uint8_t stored[KW_STORED_KEY_SIZE],
                                struct kw_slot_words *words) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    (void)kw_stored_key_read(stored, key);
    take_fingerprint(words, key);
    if (!words->has_fingerprint) {
        return "written, but no P-256 key";
    }
    if (!kw_config_keeps_validity(about->config, about->slot)) {
        return "public key";
    }
    return kw_stored_key_is_valid(stored[0]) ? "validated" : "not validated";
}

static void data_state(const struct subject *about, const uint8_t *data,
                       struct kw_slot_words *words) {
    struct kw_compcert compcert;
    if (holds_certificate(about->part, about->slot) &&
        kw_compcert_decode(data, &compcert) == KW_OK) {
        add(words->state, "certificate issued %04u-%02u-%02u",
            compcert.dates.year, compcert.dates.month, compcert.dates.day);
    } else {
        add(words->state, "written");
    }
}

static kw_status readable_state(struct kw_chip *chip,
                                const struct subject *about,
                                struct kw_slot_words *words) {
    uint8_t data[KW_SLOT_MAX];
    const size_t own = is_public_key(about) ? 1 : 0; /* the chip's nibble */
    const kw_status status =
        kw_chip_read_slot(chip, about->slot, data, words->size);
    if (kw_status_is_refusal(status)) {
        add(words->state, "the chip does not tell");
        return KW_OK;
    }
    KW_TRY(status);
    const char *empty = emptiness(data + own, words->size - own);
    if (empty != NULL) {
        add(words->state, "%s", empty);
    } else if (is_public_key(about)) {
        add(words->state, "%s", public_state(about, data, words));
    } else {
        data_state(about, data, words);
    }
    return KW_OK;
}

static kw_status state_words(struct kw_chip *chip, const struct subject *about,
                             struct kw_slot_words *words) {
    if (!kw_config_is_locked(about->config)) {
        add(words->state, "not known before the lock");
        return KW_OK;
    }
    if (about->key.is_private) {
        return private_state(chip, about, words);
    }
    if (may_be_read(about)) {
        return readable_state(chip, about, words);
    }
    add(words->state, "cannot be read");
    return KW_OK;
}

kw_status kw_slot_words_read(struct kw_chip *chip,
                             const struct kw_chip_about *about, unsigned slot,
                             struct kw_slot_words *words,
                             struct kw_error *error) {
    const struct subject subject = subject_of(about, slot);
    char doing[32];
    kw_slot_policy_words(about, slot, words);
    const kw_status status = state_words(chip, &subject, words);
    if (status == KW_OK) {
        return KW_OK;
    }
    (void)snprintf(doing, sizeof doing, "cannot read slot %u", slot);
    return kw_error_chip(error, status, chip, doing);
}
