/* sim/atecc608/policy.h: every rule by which the chip refuses.
 *
 * SlotConfig, KeyConfig, lock states, and what a command needs in TempKey.
 * Each function answers KW_OK, or refuses: status 03 for what is wrong in
 * any state, 0F for what is wrong now, with the reason in words. A reason
 * names slots, modes and sizes and never holds a byte of a secret.
 * Sources and confidence of each rule: docs/chip.md.
 *
 * Knows sim/atecc608/state.h. */
#ifndef KW_SIM_ATECC608_POLICY_H
#define KW_SIM_ATECC608_POLICY_H

#include "sim/atecc608/state.h"

/* Notes the reason, as printf would print it, and answers the status. */
kw_status kw_sim_refuse(struct kw_sim_chip *chip, kw_status status,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Leave the function with a refusal unless the condition holds. */
#define KW_SIM_DEMAND(condition, chip, status, ...)                            \
    do {                                                                       \
        if (!(condition)) {                                                    \
            return kw_sim_refuse((chip), (status), __VA_ARGS__);               \
        }                                                                      \
    } while (0)

/* --- form: 03 --- */

KW_MUST_USE kw_status kw_sim_policy_size(struct kw_sim_chip *chip,
                                         const struct kw_command *command,
                                         size_t size);
KW_MUST_USE kw_status kw_sim_policy_slot_number(struct kw_sim_chip *chip,
                                                unsigned slot);
/* Refuses a mode with bits outside the mask. */
KW_MUST_USE kw_status kw_sim_policy_mode(struct kw_sim_chip *chip,
                                         const struct kw_command *command,
                                         unsigned allowed_bits);
/* Refuses a param2 that the mode has no use for. */
KW_MUST_USE kw_status kw_sim_policy_param2(struct kw_sim_chip *chip,
                                           const struct kw_command *command,
                                           unsigned expected);

/* --- state: 0F --- */

KW_MUST_USE kw_status kw_sim_policy_config_locked(struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_data_locked(struct kw_sim_chip *chip);
/* TempKey is valid and holds no private key. */
KW_MUST_USE kw_status kw_sim_policy_temp_key(struct kw_sim_chip *chip);
/* ... and its SourceFlag is this one. */
KW_MUST_USE kw_status kw_sim_policy_source(struct kw_sim_chip *chip,
                                           bool fixed);
/* The message digest buffer holds at least so many bytes. */
KW_MUST_USE kw_status kw_sim_policy_message(struct kw_sim_chip *chip,
                                            size_t size);
/* TempKey came from GenDig with this key: what an encrypted read or write
 * stands on. */
KW_MUST_USE kw_status kw_sim_policy_session_key(struct kw_sim_chip *chip,
                                                unsigned key);

/* --- failures of the silicon --- */

/* 07 for all but SelfTest and reads of the configuration. */
KW_MUST_USE kw_status kw_sim_policy_self_test(struct kw_sim_chip *chip,
                                              const struct kw_command *command);
/* 08 for what needs the generator. */
KW_MUST_USE kw_status kw_sim_policy_health(struct kw_sim_chip *chip);

/* --- what any use of a key has to pass --- */

/* TempKey, used together with a key that has ReqRandom, comes from the
 * generator. */
KW_MUST_USE kw_status kw_sim_policy_random(struct kw_sim_chip *chip,
                                           unsigned slot);
/* ReqAuth: spends the authorisation. */
KW_MUST_USE kw_status kw_sim_policy_authorised(struct kw_sim_chip *chip,
                                               unsigned slot);
/* PersistentDisable. */
KW_MUST_USE kw_status kw_sim_policy_latch_allows(struct kw_sim_chip *chip,
                                                 unsigned slot);
/* PersistentDisable, ReqAuth and LimitedUse. */
KW_MUST_USE kw_status kw_sim_policy_use_key(struct kw_sim_chip *chip,
                                            unsigned slot);
/* SlotLocked. */
KW_MUST_USE kw_status kw_sim_policy_slot_open(struct kw_sim_chip *chip,
                                              unsigned slot);

/* --- keys --- */

/* Adds one to a counter; refuses at its end. */
KW_MUST_USE kw_status kw_sim_policy_count(struct kw_sim_chip *chip,
                                          unsigned counter);

KW_MUST_USE kw_status kw_sim_policy_sign(struct kw_sim_chip *chip,
                                         unsigned slot, bool external);
KW_MUST_USE kw_status kw_sim_policy_sign_internal(struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_genkey_create(struct kw_sim_chip *chip,
                                                  unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_genkey_public(struct kw_sim_chip *chip,
                                                  unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_genkey_digest(struct kw_sim_chip *chip,
                                                  unsigned slot);
/* A public key in slots 8 to 15. */
KW_MUST_USE kw_status kw_sim_policy_public_key(struct kw_sim_chip *chip,
                                               unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_verify_stored(struct kw_sim_chip *chip,
                                                  unsigned slot,
                                                  bool from_buffer);
/* The IO protection key may be used. */
KW_MUST_USE kw_status kw_sim_policy_io_key(struct kw_sim_chip *chip);

/* Which bits of ChipOptions' second byte decide over a result. */
enum kw_sim_protection {
    KW_SIM_ECDH_PROTECTION = 0,
    KW_SIM_KDF_PROTECTION = 2,
};
/* Whether a result may go out, and whether it must be encrypted. */
KW_MUST_USE kw_status kw_sim_policy_output(struct kw_sim_chip *chip,
                                           enum kw_sim_protection kind,
                                           bool *encrypted);

KW_MUST_USE kw_status kw_sim_policy_ecdh(struct kw_sim_chip *chip,
                                         unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_ecdh_temp_key(struct kw_sim_chip *chip);
/* The slot behind this one takes the secret. */
KW_MUST_USE kw_status kw_sim_policy_ecdh_next(struct kw_sim_chip *chip,
                                              unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_validate(struct kw_sim_chip *chip,
                                             unsigned slot, bool invalidate,
                                             uint8_t other_data_17);
KW_MUST_USE kw_status kw_sim_policy_gendig(struct kw_sim_chip *chip,
                                           unsigned slot);
/* A slot as the key of MAC (with a challenge from TempKey or not). */
KW_MUST_USE kw_status kw_sim_policy_mac(struct kw_sim_chip *chip, unsigned slot,
                                        bool with_temp_key);
KW_MUST_USE kw_status kw_sim_policy_hmac(struct kw_sim_chip *chip,
                                         unsigned slot);
/* TempKey was not made from a key with NoMac. */
KW_MUST_USE kw_status kw_sim_policy_may_mac(struct kw_sim_chip *chip);

KW_MUST_USE kw_status kw_sim_policy_checkmac(struct kw_sim_chip *chip,
                                             unsigned slot, bool with_temp_key);
/* Whether a match of CheckMac copies this slot to TempKey. */
bool kw_sim_policy_may_copy(const struct kw_sim_chip *chip, unsigned target);

/* What DeriveKey takes its keys from, by the target's WriteConfig. */
struct kw_sim_derivation {
    unsigned source; /* of the derived key */
    unsigned parent; /* of the MAC */
    bool needs_mac;
};
KW_MUST_USE kw_status
kw_sim_policy_derive(struct kw_sim_chip *chip, unsigned target, bool with_mac,
                     struct kw_sim_derivation *derivation);

/* AES is switched on and both zones are locked: else 03. */
KW_MUST_USE kw_status kw_sim_policy_aes(struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_aes_key(struct kw_sim_chip *chip,
                                            unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_kdf(struct kw_sim_chip *chip, bool aes);
/* A slot as a key or a message of KDF. */
KW_MUST_USE kw_status kw_sim_policy_kdf_source(struct kw_sim_chip *chip,
                                               unsigned slot, bool aes);
/* A slot that KDF, or ECDH from TempKey, fills. */
KW_MUST_USE kw_status kw_sim_policy_kdf_target(struct kw_sim_chip *chip,
                                               unsigned slot);
/* TempKey holds 64 bytes. */
KW_MUST_USE kw_status kw_sim_policy_temp_key_64(struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_alternate_key(struct kw_sim_chip *chip);

/* --- secure boot --- */

/* What configuration bytes 70 and 71 say. */
struct kw_sim_boot {
    unsigned mode; /* enum kw_sim_boot_mode */
    bool sets_latch;
    bool needs_random;
    unsigned digest_slot; /* or the signature's */
    unsigned key_slot;
};
enum kw_sim_boot_mode {
    KW_SIM_BOOT_DISABLED,
    KW_SIM_BOOT_FULL_BOTH,
    KW_SIM_BOOT_FULL_SIGNATURE,
    KW_SIM_BOOT_FULL_DIGEST,
};
struct kw_sim_boot kw_sim_boot_config(const struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_boot(struct kw_sim_chip *chip,
                                         bool encrypted);
/* The stored digest or signature may be used, or written. */
KW_MUST_USE kw_status kw_sim_policy_boot_store(struct kw_sim_chip *chip,
                                               bool write);

/* --- memory --- */

enum kw_sim_zone {
    KW_SIM_ZONE_CONFIG,
    KW_SIM_ZONE_OTP,
    KW_SIM_ZONE_DATA,
};

/* Where a Read or Write goes. */
struct kw_sim_access {
    enum kw_sim_zone zone;
    unsigned slot;
    size_t offset; /* bytes from the start of the zone or slot */
    size_t size;   /* KW_WORD_SIZE or KW_BLOCK_SIZE */
};

/* Reads param1 and param2; 03 for an address that does not exist. */
KW_MUST_USE kw_status kw_sim_policy_access(struct kw_sim_chip *chip,
                                           const struct kw_command *command,
                                           struct kw_sim_access *access);
KW_MUST_USE kw_status kw_sim_policy_read(struct kw_sim_chip *chip,
                                         const struct kw_sim_access *access);
KW_MUST_USE kw_status kw_sim_policy_write(struct kw_sim_chip *chip,
                                          const struct kw_sim_access *access,
                                          bool encrypted);
KW_MUST_USE kw_status kw_sim_policy_privwrite(struct kw_sim_chip *chip,
                                              unsigned slot, bool encrypted);

/* --- locks --- */

KW_MUST_USE kw_status kw_sim_policy_lock_config(struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_lock_data(struct kw_sim_chip *chip);
KW_MUST_USE kw_status kw_sim_policy_lock_slot(struct kw_sim_chip *chip,
                                              unsigned slot);
KW_MUST_USE kw_status kw_sim_policy_lock_crc(struct kw_sim_chip *chip,
                                             uint16_t expected,
                                             uint16_t actual);
/* UserExtra and UserExtraAdd are written once. */
KW_MUST_USE kw_status kw_sim_policy_update_extra(struct kw_sim_chip *chip,
                                                 size_t offset);
/* Setting the persistent latch. */
KW_MUST_USE kw_status kw_sim_policy_latch(struct kw_sim_chip *chip);

#endif
