/* The rules stand in two tables at the end: those of a slot, those of the
 * chip. A rule answers true and says in words what it found. */
#include "host/config_lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"

#define GENKEY_ALLOWED     0x2 /* SlotConfig bit 13 */
#define PRIVWRITE_ALLOWED  0x4 /* SlotConfig bit 14 */
#define FIRST_PUBLIC_SLOT  8
#define IO_KEY_ENABLED     0x02 /* ChipOptions */
#define KDF_AES_ENABLED    0x04
#define PERMISSION_ENABLED 0x80 /* VolatileKeyPermission */

struct subject {
    const uint8_t *config;
    unsigned slot;
    struct kw_slot_config rules;
    struct kw_key_config key;
};

static struct subject subject_of(const uint8_t *config, unsigned slot) {
    return (struct subject){
        .config = config,
        .slot = slot,
        .rules = kw_config_slot(config, slot),
        .key = kw_config_key(config, slot),
    };
}

/* Says what was found; true, for a rule to leave with. */
__attribute__((format(printf, 2, 3))) static bool
found(char *words, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, KW_FINDING_WORDS, format, arguments);
    va_end(arguments);
    return true;
}

static bool is_public_key(const struct subject *about) {
    return !about->key.is_private && about->slot >= FIRST_PUBLIC_SLOT &&
           about->key.key_type == KW_KEY_TYPE_P256;
}

static bool is_readable(const struct subject *about) {
    return !about->key.is_private && !about->rules.is_secret &&
           !about->rules.encrypt_read;
}

static enum kw_write_rule write_rule(const struct subject *about) {
    return kw_slot_write_rule(about->rules);
}

static unsigned secure_boot_mode(const uint8_t *config) {
    return config[KW_CONFIG_SECURE_BOOT] & 3u;
}

static unsigned io_key_slot(const uint8_t *config) {
    return config[KW_CONFIG_CHIP_OPTIONS + 1] >> 4;
}

static bool io_key_enabled(const uint8_t *config) {
    return (config[KW_CONFIG_CHIP_OPTIONS] & IO_KEY_ENABLED) != 0;
}

static bool keeps_image(const struct subject *about) {
    return secure_boot_mode(about->config) > 1 &&
           (about->config[KW_CONFIG_SECURE_BOOT + 1] & 15u) == about->slot;
}

/* --- private keys --- */

static bool private_not_secret(const struct subject *about, char *words) {
    return about->key.is_private && !about->rules.is_secret &&
           found(words, "a private key without IsSecret: GenKey, Sign and "
                        "PrivWrite are refused, the key is of no use");
}

static bool private_wrong_type(const struct subject *about, char *words) {
    return about->key.is_private && about->key.key_type != KW_KEY_TYPE_P256 &&
           found(words,
                 "Private with KeyType %u: only P-256 (4) has private "
                 "keys",
                 about->key.key_type);
}

static bool private_no_use(const struct subject *about, char *words) {
    return about->key.is_private && (about->rules.read_key & 7u) == 0 &&
           found(words,
                 "ReadKey %X lets the private key neither sign nor do "
                 "ECDH",
                 about->rules.read_key);
}

static bool private_no_public(const struct subject *about, char *words) {
    return about->key.is_private && !about->key.pub_info &&
           found(words, "PubInfo 0: nobody ever learns the public key");
}

static bool private_fixed(const struct subject *about, char *words) {
    return about->key.is_private &&
           (about->rules.write_config & (GENKEY_ALLOWED | PRIVWRITE_ALLOWED)) ==
               0 &&
           found(words, "no new private key after the data lock: make it "
                        "before");
}

/* ReadKey bit 3 sends the secret of mode 00 to a slot, and stops no other
 * mode. */
static bool ecdh_clear(const struct subject *about, char *words) {
    return about->key.is_private &&
           (about->rules.read_key & KW_READ_KEY_ECDH) != 0 &&
           (about->config[KW_CONFIG_CHIP_OPTIONS + 1] & 3u) == 0 &&
           found(words, "the ECDH secret may come out in clear: ChipOptions "
                        "ECDHPROT is 0");
}

static bool ecdh_slot_odd(const struct subject *about, char *words) {
    return about->key.is_private && about->slot % 2 == 1 &&
           (about->rules.read_key & 12u) == 12u &&
           found(words, "ECDH into the next slot works for even slots alone");
}

/* --- reading --- */

static bool encrypt_read_not_secret(const struct subject *about, char *words) {
    return !about->key.is_private && about->rules.encrypt_read &&
           !about->rules.is_secret &&
           found(words, "EncryptRead without IsSecret is a prohibited "
                        "combination: nothing can be read");
}

static bool read_key_unusable(const struct subject *about, char *words) {
    const unsigned key = about->rules.read_key;
    return !about->key.is_private && about->rules.encrypt_read &&
           about->rules.is_secret &&
           kw_config_key(about->config, key).is_private &&
           found(words,
                 "it is read under the key in slot %u, which holds a "
                 "private key: GenDig refuses it",
                 key);
}

static bool aes_key_readable(const struct subject *about, char *words) {
    return about->key.key_type == KW_KEY_TYPE_AES && is_readable(about) &&
           found(words, "an AES key that anyone can read: IsSecret is 0");
}

/* What makes a slot's content a key that has to stay secret. */
static const char *secret_role(const struct subject *about) {
    const uint8_t *config = about->config;
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        const struct subject other = subject_of(config, slot);
        if (other.key.req_auth && other.key.auth_key == about->slot) {
            return "authorises the use of another slot";
        }
        if (!other.key.is_private && other.rules.is_secret &&
            other.rules.encrypt_read && other.rules.read_key == about->slot) {
            return "encrypts reads of another slot";
        }
        if (!other.key.is_private && write_rule(&other) == KW_WRITE_ENCRYPTED &&
            other.rules.write_key == about->slot) {
            return "encrypts writes of another slot";
        }
    }
    if (io_key_enabled(config) && io_key_slot(config) == about->slot) {
        return "is the IO protection key";
    }
    return NULL;
}

static bool readable_key(const struct subject *about, char *words) {
    const char *role = secret_role(about);
    return role != NULL && is_readable(about) &&
           found(words, "it %s, and anyone can read it", role);
}

/* --- writing --- */

static bool write_key_unusable(const struct subject *about, char *words) {
    const unsigned key = about->rules.write_key;
    const bool encrypted =
        about->key.is_private
            ? (about->rules.write_config & PRIVWRITE_ALLOWED) != 0
            : write_rule(about) == KW_WRITE_ENCRYPTED;
    return encrypted && kw_config_key(about->config, key).is_private &&
           found(words,
                 "it is written under the key in slot %u, which holds "
                 "a private key: GenDig refuses it",
                 key);
}

static bool secret_overwritten(const struct subject *about, char *words) {
    return !about->key.is_private && about->rules.is_secret &&
           write_rule(about) == KW_WRITE_ALWAYS &&
           found(words, "a secret that anyone can overwrite: WriteConfig is "
                        "Always");
}

static bool never_written(const struct subject *about, char *words) {
    return !about->key.is_private && write_rule(about) == KW_WRITE_NEVER &&
           (about->rules.write_config & GENKEY_ALLOWED) == 0 &&
           !about->key.pub_info && !keeps_image(about) &&
           !kw_config_takes_ecdh(about->config, about->slot) &&
           found(words, "can never be written after the data lock: write it "
                        "before");
}

static bool locked_before(const struct subject *about, char *words) {
    return !kw_config_is_locked(about->config) &&
           kw_config_slot_is_locked(about->config, about->slot) &&
           found(words, "SlotLocked is 0 before the configuration is locked: "
                        "the slot can never be written, not once");
}

static bool pub_invalid_idle(const struct subject *about, char *words) {
    return !about->key.is_private &&
           write_rule(about) == KW_WRITE_PUB_INVALID &&
           !kw_config_keeps_validity(about->config, about->slot) &&
           found(words, "PubInvalid has no effect without a P-256 public key "
                        "and PubInfo 1: anyone may write");
}

/* --- public keys --- */

static bool parent_unusable(const struct subject *about, char *words) {
    const struct subject parent =
        subject_of(about->config, about->rules.read_key);
    if (!kw_config_keeps_validity(about->config, about->slot)) {
        return false;
    }
    if (parent.slot == about->slot) {
        return found(words, "ReadKey names the slot itself as its authority: "
                            "a key that is not validated validates nothing");
    }
    return !is_public_key(&parent) &&
           found(words,
                 "its authority should be in slot %u, which holds no "
                 "P-256 public key: it can never be validated",
                 parent.slot);
}

static bool parent_writable(const struct subject *about, char *words) {
    const struct subject parent =
        subject_of(about->config, about->rules.read_key);
    return kw_config_keeps_validity(about->config, about->slot) &&
           parent.slot != about->slot && is_public_key(&parent) &&
           write_rule(&parent) == KW_WRITE_ALWAYS &&
           !kw_config_slot_is_locked(about->config, parent.slot) &&
           found(words,
                 "anyone can replace its authority in slot %u until "
                 "that slot is locked",
                 parent.slot);
}

static bool x509_not_public(const struct subject *about, char *words) {
    return about->key.x509_id != 0 && !is_public_key(about) &&
           found(words, "X509id must be 0 where there is no public key");
}

/* --- conditions of use --- */

static bool type_reserved(const struct subject *about, char *words) {
    const unsigned type = about->key.key_type;
    return type != KW_KEY_TYPE_P256 && type != KW_KEY_TYPE_AES &&
           type != KW_KEY_TYPE_DATA &&
           found(words, "KeyType %u is reserved", type);
}

static bool public_key_too_long(const struct subject *about, char *words) {
    return !about->key.is_private && about->slot < FIRST_PUBLIC_SLOT &&
           about->key.key_type == KW_KEY_TYPE_P256 &&
           found(words, "a public key has 72 bytes, the slot 36");
}

static bool auth_self(const struct subject *about, char *words) {
    return about->key.req_auth && about->key.auth_key == about->slot &&
           found(words, "ReqAuth names the slot itself: using it needs a use "
                        "of it first");
}

static bool auth_unusable(const struct subject *about, char *words) {
    const unsigned key = about->key.auth_key;
    return about->key.req_auth && key != about->slot &&
           kw_config_key(about->config, key).is_private &&
           found(words,
                 "ReqAuth demands a CheckMac with slot %u, which "
                 "holds a private key: it always fails",
                 key);
}

static bool latch_never_set(const struct subject *about, char *words) {
    const uint8_t *config = about->config;
    const bool by_command =
        (config[KW_CONFIG_VOLATILE_KEY_PERMISSION] & PERMISSION_ENABLED) != 0;
    const bool by_boot = secure_boot_mode(config) != 0 &&
                         (config[KW_CONFIG_SECURE_BOOT] & 8u) != 0;
    return about->key.persistent_disable && !by_command && !by_boot &&
           found(words, "PersistentDisable, and neither SecureBoot nor "
                        "VolatileKeyPermission ever sets the latch");
}

static bool limit_is_none(const struct subject *about, char *words) {
    return about->rules.limited_use &&
           (about->config[KW_CONFIG_COUNT_MATCH] & 1u) == 0 &&
           found(words,
                 "LimitedUse without CountMatch: the limit is the "
                 "counter's end, %u uses",
                 KW_COUNTER_MAX);
}

static bool aes_off(const struct subject *about, char *words) {
    return about->key.key_type == KW_KEY_TYPE_AES &&
           (about->config[KW_CONFIG_AES_ENABLE] & 1u) == 0 &&
           found(words, "an AES key on a chip without AES");
}

static bool copy_target(const struct subject *about, char *words) {
    return !about->key.is_private && about->rules.is_secret &&
           about->rules.read_key == 0 &&
           found(words, "ReadKey 0: CheckMac may copy its key into TempKey");
}

static const struct slot_rule {
    const char *id;
    enum kw_severity severity;
    bool (*check)(const struct subject *about, char *words);
} SLOT_RULES[] = {
    {"private-not-secret", KW_LINT_ERROR, private_not_secret},
    {"private-wrong-type", KW_LINT_ERROR, private_wrong_type},
    {"private-no-use", KW_LINT_WARNING, private_no_use},
    {"private-no-public-key", KW_LINT_WARNING, private_no_public},
    {"private-fixed", KW_LINT_NOTE, private_fixed},
    {"ecdh-clear", KW_LINT_WARNING, ecdh_clear},
    {"ecdh-slot-odd", KW_LINT_WARNING, ecdh_slot_odd},
    {"encrypt-read-not-secret", KW_LINT_ERROR, encrypt_read_not_secret},
    {"read-key-unusable", KW_LINT_ERROR, read_key_unusable},
    {"aes-key-readable", KW_LINT_WARNING, aes_key_readable},
    {"readable-key", KW_LINT_ERROR, readable_key},
    {"write-key-unusable", KW_LINT_ERROR, write_key_unusable},
    {"secret-overwritten", KW_LINT_WARNING, secret_overwritten},
    {"never-written", KW_LINT_NOTE, never_written},
    {"locked-before", KW_LINT_ERROR, locked_before},
    {"pub-invalid-idle", KW_LINT_WARNING, pub_invalid_idle},
    {"parent-unusable", KW_LINT_ERROR, parent_unusable},
    {"parent-writable", KW_LINT_WARNING, parent_writable},
    {"x509-not-public", KW_LINT_ERROR, x509_not_public},
    {"type-reserved", KW_LINT_ERROR, type_reserved},
    {"public-key-too-long", KW_LINT_ERROR, public_key_too_long},
    {"auth-self", KW_LINT_ERROR, auth_self},
    {"auth-unusable", KW_LINT_ERROR, auth_unusable},
    {"latch-never-set", KW_LINT_ERROR, latch_never_set},
    {"limit-is-none", KW_LINT_WARNING, limit_is_none},
    {"aes-off", KW_LINT_WARNING, aes_off},
    {"copy-target", KW_LINT_NOTE, copy_target},
};

/* --- the chip --- */

static bool io_key_private(const uint8_t *config, char *words) {
    return io_key_enabled(config) &&
           kw_config_key(config, io_key_slot(config)).is_private &&
           found(words,
                 "the IO protection key should be in slot %u, which "
                 "holds a private key",
                 io_key_slot(config));
}

static bool io_key_missing(const uint8_t *config, char *words) {
    const uint8_t prot = config[KW_CONFIG_CHIP_OPTIONS + 1];
    return !io_key_enabled(config) && (prot & 15u) != 0 &&
           found(words, "ChipOptions demand encrypted ECDH or KDF output and "
                        "disable the IO protection key");
}

static bool kdf_clear(const uint8_t *config, char *words) {
    return (config[KW_CONFIG_AES_ENABLE] & 1u) != 0 &&
           (config[KW_CONFIG_CHIP_OPTIONS] & KDF_AES_ENABLED) != 0 &&
           ((config[KW_CONFIG_CHIP_OPTIONS + 1] >> 2) & 3u) == 0 &&
           found(words, "keys that KDF derives may come out in clear: "
                        "ChipOptions KDFPROT is 0");
}

static bool boot_key_unusable(const uint8_t *config, char *words) {
    const struct subject key =
        subject_of(config, config[KW_CONFIG_SECURE_BOOT + 1] >> 4);
    return secure_boot_mode(config) != 0 && !is_public_key(&key) &&
           found(words,
                 "SecureBoot verifies with slot %u, which holds no "
                 "P-256 public key",
                 key.slot);
}

static bool boot_key_writable(const uint8_t *config, char *words) {
    const struct subject key =
        subject_of(config, config[KW_CONFIG_SECURE_BOOT + 1] >> 4);
    return secure_boot_mode(config) != 0 && is_public_key(&key) &&
           write_rule(&key) == KW_WRITE_ALWAYS &&
           !kw_config_slot_is_locked(config, key.slot) &&
           found(words,
                 "anyone can replace the secure boot key in slot %u "
                 "until that slot is locked",
                 key.slot);
}

static bool boot_digest_writable(const uint8_t *config, char *words) {
    const struct subject kept =
        subject_of(config, config[KW_CONFIG_SECURE_BOOT + 1] & 15u);
    return secure_boot_mode(config) > 1 &&
           (kept.key.is_private || write_rule(&kept) != KW_WRITE_NEVER) &&
           found(words,
                 "SecureBoot keeps its digest in slot %u, which Write "
                 "can change or a private key fills",
                 kept.slot);
}

static bool permission_private(const uint8_t *config, char *words) {
    const uint8_t permission = config[KW_CONFIG_VOLATILE_KEY_PERMISSION];
    return (permission & PERMISSION_ENABLED) != 0 &&
           kw_config_key(config, permission & 15u).is_private &&
           found(words,
                 "the latch is set by a CheckMac with slot %u, which "
                 "holds a private key",
                 permission & 15u);
}

static bool match_unusable(const uint8_t *config, char *words) {
    const uint8_t match = config[KW_CONFIG_COUNT_MATCH];
    const struct subject slot = subject_of(config, match >> 4);
    return (match & 1u) != 0 &&
           (slot.key.is_private || write_rule(&slot) == KW_WRITE_ALWAYS) &&
           found(words, "the limit of counter 0 is in slot %u, which %s",
                 slot.slot,
                 slot.key.is_private ? "holds a private key"
                                     : "anyone can write");
}

static bool address_odd(const uint8_t *config, char *words) {
    const uint8_t address = config[KW_CONFIG_I2C_ADDRESS];
    const unsigned short_form = address >> 1;
    return (config[KW_CONFIG_I2C_ENABLE] & 1u) != 0 &&
           ((address & 1u) != 0 || short_form < 0x08 || short_form > 0x77) &&
           found(words,
                 "I2C address %02X (7-bit form %02X) is odd or one of "
                 "the bus's reserved addresses",
                 address, short_form);
}

static bool reserved_bytes(const uint8_t *config, char *words) {
    return (config[17] != 0 || !kw_all_bytes(config + 75, 9, 0)) &&
           found(words, "reserved bytes (17, 75 to 83) should be zero");
}

static bool lock_value_odd(const uint8_t *config, char *words) {
    for (unsigned at = KW_CONFIG_LOCK_VALUE; at <= KW_CONFIG_LOCK_CONFIG;
         at++) {
        if (config[at] != KW_ZONE_UNLOCKED && config[at] != 0) {
            return found(words, "lock byte %u is %02X, neither 55 nor 00", at,
                         config[at]);
        }
    }
    return false;
}

static bool lock_order(const uint8_t *config, char *words) {
    return kw_config_data_is_locked(config) && !kw_config_is_locked(config) &&
           found(words, "data locked and configuration not: no chip gets "
                        "there");
}

static const struct chip_rule {
    const char *id;
    enum kw_severity severity;
    bool (*check)(const uint8_t *config, char *words);
} CHIP_RULES[] = {
    {"io-key-private", KW_LINT_ERROR, io_key_private},
    {"io-key-missing", KW_LINT_ERROR, io_key_missing},
    {"kdf-clear", KW_LINT_WARNING, kdf_clear},
    {"boot-key-unusable", KW_LINT_ERROR, boot_key_unusable},
    {"boot-key-writable", KW_LINT_WARNING, boot_key_writable},
    {"boot-digest-writable", KW_LINT_ERROR, boot_digest_writable},
    {"permission-private", KW_LINT_ERROR, permission_private},
    {"match-unusable", KW_LINT_WARNING, match_unusable},
    {"address-odd", KW_LINT_WARNING, address_odd},
    {"reserved-bytes", KW_LINT_WARNING, reserved_bytes},
    {"lock-value-odd", KW_LINT_WARNING, lock_value_odd},
    {"lock-order", KW_LINT_ERROR, lock_order},
};

#define SLOT_RULE_COUNT (sizeof SLOT_RULES / sizeof *SLOT_RULES)
#define CHIP_RULE_COUNT (sizeof CHIP_RULES / sizeof *CHIP_RULES)

static void add(struct kw_findings *findings, const char *id,
                enum kw_severity severity, unsigned slot, const char *words) {
    if (findings->count == KW_FINDINGS_MAX) {
        return;
    }
    struct kw_finding *finding = &findings->finding[findings->count++];
    *finding = (struct kw_finding){id, severity, slot, ""};
    (void)snprintf(finding->words, sizeof finding->words, "%s", words);
    findings->errors += severity == KW_LINT_ERROR ? 1 : 0;
    findings->warnings += severity == KW_LINT_WARNING ? 1 : 0;
}

static void lint_slot(const uint8_t *config, unsigned slot,
                      struct kw_findings *findings) {
    const struct subject about = subject_of(config, slot);
    char words[KW_FINDING_WORDS];
    for (size_t i = 0; i < SLOT_RULE_COUNT; i++) {
        if (SLOT_RULES[i].check(&about, words)) {
            add(findings, SLOT_RULES[i].id, SLOT_RULES[i].severity, slot,
                words);
        }
    }
}

void kw_config_lint(const uint8_t config[KW_CONFIG_SIZE],
                    struct kw_findings *findings) {
    char words[KW_FINDING_WORDS];
    memset(findings, 0, sizeof *findings);
    for (size_t i = 0; i < CHIP_RULE_COUNT; i++) {
        if (CHIP_RULES[i].check(config, words)) {
            add(findings, CHIP_RULES[i].id, CHIP_RULES[i].severity, KW_NO_SLOT,
                words);
        }
    }
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        lint_slot(config, slot, findings);
    }
}

const char *kw_first_error(const struct kw_findings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->finding[i].severity == KW_LINT_ERROR) {
            return findings->finding[i].words;
        }
    }
    return "";
}

const char *kw_severity_name(enum kw_severity severity) {
    static const char *const NAMES[] = {"error", "warning", "note"};
    return NAMES[severity];
}
