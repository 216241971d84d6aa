/* One function a use of a slot; a table names them and their commands. */
#include "host/chip_explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/phrase.h"

#define GENKEY_ALLOWED    0x2 /* SlotConfig bit 13 */
#define PRIVWRITE_ALLOWED 0x4 /* SlotConfig bit 14 */
#define FIRST_PUBLIC_SLOT 8
#define AES_ENABLED       0x01 /* AES_Enable */

struct subject {
    const uint8_t *config;
    unsigned slot;
    struct kw_slot_config rules;
    struct kw_key_config key;
    bool config_locked;
    bool data_locked;
    bool slot_locked;
};

static struct subject subject_of(const uint8_t *config, unsigned slot) {
    return (struct subject){
        .config = config,
        .slot = slot,
        .rules = kw_config_slot(config, slot),
        .key = kw_config_key(config, slot),
        .config_locked = kw_config_is_locked(config),
        .data_locked = kw_config_data_is_locked(config),
        .slot_locked = kw_config_slot_is_locked(config, slot),
    };
}

/* --- answers --- */

__attribute__((format(printf, 2, 3))) static enum kw_permitted
no(char *why, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, KW_WHY_MAX, format, arguments);
    va_end(arguments);
    return KW_PERMITTED_NO;
}

#define ADD(why, ...) kw_phrase_add((why), KW_WHY_MAX, __VA_ARGS__)

/* Yes, unless conditions were named. */
static enum kw_permitted settled(char *why, const char *yes) {
    if (why[0] != '\0') {
        return KW_PERMITTED_IF;
    }
    (void)snprintf(why, KW_WHY_MAX, "%s", yes);
    return KW_PERMITTED_YES;
}

/* What every use of a key has to pass. */
static void name_conditions(const struct subject *about, char *why) {
    if (about->key.persistent_disable) {
        ADD(why, "PersistentDisable: while the persistent latch is 1");
    }
    if (about->key.req_auth) {
        ADD(why, "ReqAuth: after a CheckMac with the key in slot %u",
            about->key.auth_key);
    }
    if (about->rules.limited_use) {
        ADD(why, "LimitedUse: until counter 0 reaches its limit");
    }
}

static const char CONFIG_OPEN[] =
    "the configuration zone is not locked yet: no slot can be used before";
static const char DATA_OPEN[] =
    "the data zone is not locked yet, and this needs it locked";

/* --- reading and writing --- */

static enum kw_permitted read_slot(const struct subject *about, char *why) {
    if (!about->data_locked) {
        return no(why, "%s", about->config_locked ? DATA_OPEN : CONFIG_OPEN);
    }
    if (about->key.is_private) {
        return no(why, "slot %u holds a private key, which can never be read",
                  about->slot);
    }
    if (about->rules.encrypt_read && !about->rules.is_secret) {
        return no(why,
                  "slot %u has EncryptRead without IsSecret, a "
                  "prohibited combination",
                  about->slot);
    }
    if (about->rules.is_secret && !about->rules.encrypt_read) {
        return no(why, "slot %u is secret (IsSecret) and can never be read",
                  about->slot);
    }
    if (about->rules.is_secret) {
        ADD(why,
            "encrypted: blocks of 32 bytes, after Nonce and GenDig with "
            "the key in slot %u",
            about->rules.read_key);
    }
    if (about->key.persistent_disable) {
        ADD(why, "PersistentDisable: while the persistent latch is 1");
    }
    return settled(why, "IsSecret and EncryptRead are 0: in clear, 4 or 32 "
                        "bytes");
}

static enum kw_permitted write_by_rule(const struct subject *about, char *why) {
    switch (kw_slot_write_rule(about->rules)) {
    case KW_WRITE_NEVER:
        return no(why, "WriteConfig of slot %u is Never", about->slot);
    case KW_WRITE_ENCRYPTED:
        ADD(why,
            "WriteConfig of slot %u demands an encrypted write: 32 bytes "
            "and a MAC, after Nonce and GenDig with the key in slot %u",
            about->slot, about->rules.write_key);
        break;
    case KW_WRITE_PUB_INVALID:
        if (kw_config_keeps_validity(about->config, about->slot)) {
            ADD(why,
                "PubInvalid: while the public key in slot %u is not "
                "validated",
                about->slot);
        }
        break;
    case KW_WRITE_ALWAYS:
        break;
    }
    if (about->rules.is_secret &&
        kw_slot_write_rule(about->rules) != KW_WRITE_ENCRYPTED) {
        ADD(why, "slot %u is secret: whole blocks of 32 bytes", about->slot);
    }
    if (about->key.persistent_disable) {
        ADD(why, "PersistentDisable: while the persistent latch is 1");
    }
    return settled(why, "WriteConfig is Always: in clear, 4 or 32 bytes");
}

static enum kw_permitted write_slot(const struct subject *about, char *why) {
    if (!about->config_locked) {
        return no(why, "%s", CONFIG_OPEN);
    }
    if (about->key.is_private) {
        return no(why,
                  "slot %u holds a private key: GenKey or PrivWrite "
                  "change it, Write never",
                  about->slot);
    }
    if (about->slot_locked) {
        return no(why, "slot %u is locked for good: its content never changes",
                  about->slot);
    }
    if (about->data_locked) {
        return write_by_rule(about, why);
    }
    ADD(why, "before the data lock: whole blocks of 32 bytes");
    return KW_PERMITTED_IF;
}

/* --- private keys --- */

static bool is_usable_private(const struct subject *about, char *why) {
    if (!about->config_locked) {
        (void)no(why, "%s", CONFIG_OPEN);
    } else if (!about->key.is_private ||
               about->key.key_type != KW_KEY_TYPE_P256) {
        (void)no(why, "slot %u is not configured for a P-256 private key",
                 about->slot);
    } else if (!about->rules.is_secret) {
        (void)no(why,
                 "slot %u is configured for a private key without "
                 "IsSecret: the key cannot be used",
                 about->slot);
    }
    return why[0] == '\0';
}

static enum kw_permitted make_key(const struct subject *about, char *why) {
    if (!is_usable_private(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (!about->key.pub_info) {
        return no(why,
                  "PubInfo of slot %u is 0: its public key never leaves "
                  "the chip",
                  about->slot);
    }
    if (about->slot_locked) {
        return no(why, "slot %u is locked for good: its content never changes",
                  about->slot);
    }
    if (about->data_locked &&
        (about->rules.write_config & GENKEY_ALLOWED) == 0) {
        return no(why,
                  "WriteConfig of slot %u forbids GenKey to replace its "
                  "key (SlotConfig bit 13)",
                  about->slot);
    }
    if (about->key.req_auth) {
        ADD(why, "ReqAuth: after a CheckMac with the key in slot %u",
            about->key.auth_key);
    }
    return settled(why, about->data_locked ? "SlotConfig bit 13 is 1"
                                           : "the data zone is not locked yet");
}

static enum kw_permitted public_part(const struct subject *about, char *why) {
    if (!is_usable_private(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (!about->key.pub_info) {
        return no(why,
                  "PubInfo of slot %u is 0: its public key never leaves "
                  "the chip",
                  about->slot);
    }
    if (about->key.req_auth) {
        ADD(why, "ReqAuth: after a CheckMac with the key in slot %u",
            about->key.auth_key);
    }
    return settled(why, "PubInfo is 1");
}

static enum kw_permitted put_key(const struct subject *about, char *why) {
    if (!is_usable_private(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (about->slot_locked) {
        return no(why, "slot %u is locked for good: its content never changes",
                  about->slot);
    }
    if (!about->data_locked) {
        return settled(why, "the data zone is not locked yet: clear or "
                            "encrypted");
    }
    if ((about->rules.write_config & PRIVWRITE_ALLOWED) == 0) {
        return no(why,
                  "WriteConfig of slot %u forbids PrivWrite (SlotConfig "
                  "bit 14)",
                  about->slot);
    }
    ADD(why, "encrypted, after Nonce and GenDig with the key in slot %u",
        about->rules.write_key);
    return KW_PERMITTED_IF;
}

static enum kw_permitted use_private(const struct subject *about, unsigned bit,
                                     const char *use, char *why) {
    if (!is_usable_private(about, why)) {
        return KW_PERMITTED_NO;
    }
    if ((about->rules.read_key & (1u << bit)) == 0) {
        return no(why, "slot %u may not %s (ReadKey bit %u)", about->slot, use,
                  bit);
    }
    name_conditions(about, why);
    return KW_PERMITTED_YES;
}

static enum kw_permitted sign_external(const struct subject *about, char *why) {
    const enum kw_permitted first =
        use_private(about, 0, "sign external messages", why);
    return first == KW_PERMITTED_NO ? first : settled(why, "ReadKey bit 0");
}

static enum kw_permitted sign_internal(const struct subject *about, char *why) {
    const enum kw_permitted first =
        use_private(about, 1, "sign internal messages", why);
    if (first == KW_PERMITTED_NO) {
        return first;
    }
    ADD(why, "TempKey made by GenKey, or by GenDig with a key");
    return KW_PERMITTED_IF;
}

static enum kw_permitted ecdh(const struct subject *about, char *why) {
    const enum kw_permitted first = use_private(about, 2, "do ECDH", why);
    if (first == KW_PERMITTED_NO) {
        return first;
    }
    if (!about->data_locked) {
        return no(why, "%s", DATA_OPEN);
    }
    return settled(why, "ReadKey bit 2");
}

/* --- public keys --- */

static bool is_public_key(const struct subject *about) {
    return !about->key.is_private && about->slot >= FIRST_PUBLIC_SLOT &&
           about->key.key_type == KW_KEY_TYPE_P256;
}

static bool is_usable_public(const struct subject *about, char *why) {
    if (!about->config_locked) {
        (void)no(why, "%s", CONFIG_OPEN);
    } else if (!is_public_key(about)) {
        (void)no(why,
                 "slot %u is not configured for a P-256 public key "
                 "(slots 8 to 15, KeyType 4, Private 0)",
                 about->slot);
    }
    return why[0] == '\0';
}

static enum kw_permitted verify(const struct subject *about, char *why) {
    if (!is_usable_public(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (about->key.pub_info) {
        ADD(why, "PubInfo: while the public key in slot %u is validated",
            about->slot);
    }
    if (about->key.req_random) {
        ADD(why, "ReqRandom: with the message in TempKey, from a random "
                 "nonce");
    }
    name_conditions(about, why);
    return settled(why, "a P-256 public key without conditions");
}

static enum kw_permitted validate(const struct subject *about, char *why) {
    if (!is_usable_public(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (!about->key.pub_info) {
        return no(why,
                  "PubInfo of slot %u is 0: its public key needs no "
                  "validation",
                  about->slot);
    }
    const struct subject parent =
        subject_of(about->config, about->rules.read_key);
    if (!is_public_key(&parent)) {
        return no(why,
                  "ReadKey of slot %u names slot %u as its authority, "
                  "which holds no P-256 public key",
                  about->slot, parent.slot);
    }
    ADD(why,
        "TempKey holds GenKey's digest of the key, and the key in slot "
        "%u signed it",
        parent.slot);
    return KW_PERMITTED_IF;
}

/* --- symmetric keys --- */

static bool is_usable_symmetric(const struct subject *about, char *why) {
    if (!about->data_locked) {
        (void)no(why, "%s", about->config_locked ? DATA_OPEN : CONFIG_OPEN);
    } else if (about->key.is_private) {
        (void)no(why,
                 "slot %u holds a private key, which is no key for "
                 "hashing",
                 about->slot);
    }
    return why[0] == '\0';
}

static enum kw_permitted use_symmetric(const struct subject *about, char *why) {
    if (!is_usable_symmetric(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (about->key.req_random) {
        ADD(why, "ReqRandom: with a TempKey from a random nonce");
    }
    name_conditions(about, why);
    return settled(why, "no condition");
}

static enum kw_permitted mac(const struct subject *about, char *why) {
    if (about->rules.no_mac) {
        return no(why, "NoMac of slot %u forbids its key in MAC and HMAC",
                  about->slot);
    }
    return use_symmetric(about, why);
}

static enum kw_permitted hmac(const struct subject *about, char *why) {
    if (is_usable_symmetric(about, why) && about->key.req_random) {
        return no(why,
                  "ReqRandom of slot %u demands a random nonce, which "
                  "HMAC has not",
                  about->slot);
    }
    why[0] = '\0';
    return mac(about, why);
}

static enum kw_permitted derive(const struct subject *about, char *why) {
    if (!is_usable_symmetric(about, why)) {
        return KW_PERMITTED_NO;
    }
    if ((about->rules.write_config & GENKEY_ALLOWED) == 0) {
        return no(why,
                  "WriteConfig of slot %u forbids DeriveKey (SlotConfig "
                  "bit 13)",
                  about->slot);
    }
    if (about->slot_locked) {
        return no(why, "slot %u is locked for good: its content never changes",
                  about->slot);
    }
    ADD(why, "a valid TempKey");
    name_conditions(about, why);
    return KW_PERMITTED_IF;
}

static enum kw_permitted aes(const struct subject *about, char *why) {
    if ((about->config[KW_CONFIG_AES_ENABLE] & AES_ENABLED) == 0) {
        return no(why, "AES_Enable is 0: this chip has neither AES nor KDF");
    }
    if (!is_usable_symmetric(about, why)) {
        return KW_PERMITTED_NO;
    }
    if (about->key.key_type != KW_KEY_TYPE_AES) {
        return no(why, "KeyType of slot %u is %u, and AES needs 6", about->slot,
                  about->key.key_type);
    }
    name_conditions(about, why);
    return settled(why, "KeyType 6");
}

static enum kw_permitted kdf(const struct subject *about, char *why) {
    if ((about->config[KW_CONFIG_AES_ENABLE] & AES_ENABLED) == 0) {
        return no(why, "AES_Enable is 0: this chip has neither AES nor KDF");
    }
    if (!is_usable_symmetric(about, why)) {
        return KW_PERMITTED_NO;
    }
    name_conditions(about, why);
    return settled(why, "no condition");
}

/* --- locks --- */

static enum kw_permitted lock(const struct subject *about, char *why) {
    if (!about->config_locked) {
        return no(why, "%s", CONFIG_OPEN);
    }
    if (about->slot_locked) {
        return no(why, "slot %u is locked already", about->slot);
    }
    if (!about->key.lockable) {
        return no(why, "slot %u is not lockable (KeyConfig bit 5)",
                  about->slot);
    }
    return settled(why, "KeyConfig bit 5 is 1; it holds for ever");
}

/* --- the table --- */

enum place { IN_PARAM2, IN_ADDRESS, IN_MODE }; /* where the slot's number is */

static const struct row {
    const char *name;
    uint8_t opcode;
    uint8_t mask; /* of param1 */
    uint8_t mode;
    enum place place;
    enum kw_permitted (*judge)(const struct subject *about, char *why);
} ROWS[] = {
    {"Read", KW_OP_READ, 0x03, 0x02, IN_ADDRESS, read_slot},
    {"Write", KW_OP_WRITE, 0x03, 0x02, IN_ADDRESS, write_slot},
    {"GenKey (new key)", KW_OP_GENKEY, 0x04, 0x04, IN_PARAM2, make_key},
    {"GenKey (public key)", KW_OP_GENKEY, 0x14, 0x00, IN_PARAM2, public_part},
    {"PrivWrite", KW_OP_PRIVWRITE, 0, 0, IN_PARAM2, put_key},
    {"Sign (external)", KW_OP_SIGN, 0x80, 0x80, IN_PARAM2, sign_external},
    {"Sign (internal)", KW_OP_SIGN, 0x80, 0x00, IN_PARAM2, sign_internal},
    {"ECDH", KW_OP_ECDH, 0, 0, IN_PARAM2, ecdh},
    {"Verify", KW_OP_VERIFY, 0x07, 0x00, IN_PARAM2, verify},
    {"Verify (validate)", KW_OP_VERIFY, 0x03, 0x03, IN_PARAM2, validate},
    {"MAC", KW_OP_MAC, 0x02, 0x00, IN_PARAM2, mac},
    {"SHA (HMAC)", KW_OP_SHA, 0x07, 0x04, IN_PARAM2, hmac},
    {"CheckMac", KW_OP_CHECKMAC, 0x02, 0x00, IN_PARAM2, use_symmetric},
    {"GenDig", KW_OP_GENDIG, 0xFF, 0x02, IN_PARAM2, use_symmetric},
    {"DeriveKey", KW_OP_DERIVEKEY, 0, 0, IN_PARAM2, derive},
    {"AES", KW_OP_AES, 0x06, 0x00, IN_PARAM2, aes},
    {"KDF", KW_OP_KDF, 0x03, 0x02, IN_PARAM2, kdf},
    {"Lock", KW_OP_LOCK, 0x03, 0x02, IN_MODE, lock},
};

#define ROW_COUNT (sizeof ROWS / sizeof *ROWS)
_Static_assert(ROW_COUNT <= KW_PERMISSIONS_MAX, "permissions");

size_t kw_explain_slot(const uint8_t config[KW_CONFIG_SIZE], unsigned slot,
                       struct kw_permission permissions[KW_PERMISSIONS_MAX]) {
    const struct subject about = subject_of(config, slot);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        permissions[i] = (struct kw_permission){.command = ROWS[i].name};
        permissions[i].permitted = ROWS[i].judge(&about, permissions[i].why);
    }
    return ROW_COUNT;
}

const char *kw_permitted_name(enum kw_permitted permitted) {
    static const char *const NAMES[] = {"no", "if", "yes"};
    return NAMES[permitted];
}

/* --- one command --- */

static const struct row *find_row(const struct kw_command *command) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].opcode == command->opcode &&
            (command->param1 & ROWS[i].mask) == ROWS[i].mode) {
            return &ROWS[i];
        }
    }
    return NULL;
}

static unsigned slot_of(const struct row *row,
                        const struct kw_command *command) {
    switch (row->place) {
    case IN_ADDRESS:
        return (command->param2 & 0xFFu) >> 3;
    case IN_MODE:
        return (command->param1 >> 2) & 15u;
    case IN_PARAM2:
        break;
    }
    return row->opcode == KW_OP_KDF ? command->param2 & 0xFFu : command->param2;
}

bool kw_explain_command(const uint8_t config[KW_CONFIG_SIZE],
                        const struct kw_command *command, unsigned *slot,
                        struct kw_permission *permission) {
    const struct row *row = find_row(command);
    if (row == NULL) {
        return false;
    }
    *permission = (struct kw_permission){.command = row->name};
    *slot = slot_of(row, command);
    if (*slot < KW_SLOT_COUNT) {
        const struct subject about = subject_of(config, *slot);
        permission->permitted = row->judge(&about, permission->why);
    }
    return true;
}
