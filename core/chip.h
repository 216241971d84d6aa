/* core/chip.h: the commands that a host gives to an ATECC608.
 *
 * One function a command or a fixed run of commands, over any link. The
 * chip is woken before the first command; kw_chip_idle ends a sequence
 * (TempKey and MsgDigBuf survive) and stops the chip's watchdog, which puts
 * an awake chip to sleep after 1.3 s (0.7 s at worst).
 * Sources: DS40002138A section 5; modes and lengths: docs/chip.md.
 *
 * All answer the chip's refusals as KW_STATUS(KW_CLASS_CHIP, byte), lost
 * chips as class KW_CLASS_ABSENT. The output of one command is untouched on
 * failure; of a run of commands (configuration, slot) it may hold a part.
 * Knows core/link.h, core/packet.h, core/message.h. No heap. */
#ifndef KW_CORE_CHIP_H
#define KW_CORE_CHIP_H

#include "core/config.h"
#include "core/hash.h"
#include "core/link.h"
#include "core/message.h"
#include "core/packet.h"

enum kw_zone { KW_ZONE_CONFIG = 0, KW_ZONE_OTP = 1, KW_ZONE_DATA = 2 };

struct kw_chip {
    struct kw_link link;
    bool awake;
    /* What has gone over the wire, for figures. */
    uint32_t commands;
    uint32_t bytes; /* packets and response frames */
    /* The opcode that was last answered by one byte (0: none), and the byte:
     * a second witness, where one skipped branch must not decide. */
    uint8_t answered;
    uint8_t answer;
};

/* Speaks to nobody yet: the chip counts as asleep. */
void kw_chip_init(struct kw_chip *chip, struct kw_link link);

/* Sends one command. An answer of one byte is a status unless answer_size
 * is 1; with answer_size 0 only the status 00 is success. KW_CHIP_ANSWER:
 * another number of bytes than expected. A chip that is about to run into
 * its watchdog (EE) is idled, woken and asked again; a command that was
 * damaged on the way (FF) is sent again twice, and so is one that changes
 * nothing when its answer came damaged. */
KW_MUST_USE kw_status kw_chip_execute(struct kw_chip *chip,
                                      const struct kw_command *command,
                                      uint8_t *answer, size_t answer_size);

/* Ends a sequence. Never fails: a chip that is gone shows at the next
 * command. */
void kw_chip_idle(struct kw_chip *chip);
void kw_chip_sleep(struct kw_chip *chip);

/* Why the link says the last command was refused; "" when it cannot know. */
const char *kw_chip_reason(const struct kw_chip *chip);

/* Info: 00 00 60 02 is a 608A, 00 00 60 03 a 608B. */
KW_MUST_USE kw_status kw_chip_info(struct kw_chip *chip, uint8_t revision[4]);
/* FF FF 00 00 over and over before the configuration lock. */
KW_MUST_USE kw_status kw_chip_random(struct kw_chip *chip, uint8_t random[32]);

/* Reads 4 or 32 bytes; block and word count from 0. */
KW_MUST_USE kw_status kw_chip_read(struct kw_chip *chip, enum kw_zone zone,
                                   unsigned slot, unsigned block, unsigned word,
                                   uint8_t *data, size_t size);
KW_MUST_USE kw_status kw_chip_read_config(struct kw_chip *chip,
                                          uint8_t config[KW_CONFIG_SIZE]);
/* The first size bytes of a slot that may be read in clear. */
KW_MUST_USE kw_status kw_chip_read_slot(struct kw_chip *chip, unsigned slot,
                                        uint8_t *data, size_t size);

/* Writes one block of a slot in clear; shorter data is padded with zeros,
 * which the chip ignores beyond the slot's end. */
KW_MUST_USE kw_status kw_chip_write_block(struct kw_chip *chip, unsigned slot,
                                          unsigned block, const uint8_t *data,
                                          size_t size);
/* From the slot's start, block after block: a cut leaves the first ones. */
KW_MUST_USE kw_status kw_chip_write_slot(struct kw_chip *chip, unsigned slot,
                                         const uint8_t *data, size_t size);

/* Writes one block of a slot encrypted under the key in key_slot: Nonce,
 * GenDig, Write C2. The wire never carries the plain bytes. */
struct kw_encrypted_write {
    unsigned slot;
    unsigned block;
    unsigned key_slot;
    const uint8_t *key;   /* 32 bytes: what key_slot holds */
    const uint8_t *plain; /* 32 bytes */
    const uint8_t *serial;
    const uint8_t *num_in; /* 20 fresh random bytes */
};
KW_MUST_USE kw_status
kw_chip_write_encrypted(struct kw_chip *chip, const struct kw_hash *hash,
                        const struct kw_encrypted_write *write);

/* Public key of the private key in a slot. */
KW_MUST_USE kw_status kw_chip_public_key(struct kw_chip *chip, unsigned slot,
                                         uint8_t key[KW_PUBLIC_KEY_SIZE]);
/* Makes a new private key in a slot. */
KW_MUST_USE kw_status kw_chip_make_key(struct kw_chip *chip, unsigned slot,
                                       uint8_t key[KW_PUBLIC_KEY_SIZE]);

/* Verifies a signature over a digest with the public key in a slot, or with
 * a given one (Nonce into MsgDigBuf, then Verify). KW_CHIP_MISMATCH: it does
 * not match. */
KW_MUST_USE kw_status kw_chip_verify_stored(
    struct kw_chip *chip, unsigned slot, const uint8_t digest[KW_SHA256_SIZE],
    const uint8_t signature[KW_SIGNATURE_SIZE]);
KW_MUST_USE kw_status kw_chip_verify_external(
    struct kw_chip *chip, const uint8_t key[KW_PUBLIC_KEY_SIZE],
    const uint8_t digest[KW_SHA256_SIZE],
    const uint8_t signature[KW_SIGNATURE_SIZE]);

/* Signs a digest with the private key in a slot (Random first, which
 * refreshes the RNG seed, then Nonce into MsgDigBuf, then Sign). */
KW_MUST_USE kw_status kw_chip_sign(struct kw_chip *chip, unsigned slot,
                                   const uint8_t digest[KW_SHA256_SIZE],
                                   uint8_t signature[KW_SIGNATURE_SIZE]);

/* Validates or invalidates the public key in a slot: Nonce(pass-through)
 * into TempKey, GenKey digest, Verify. Other is OtherData, 19 bytes. */
struct kw_validation {
    unsigned slot;
    bool invalidate;
    const uint8_t *nonce;     /* 32 bytes */
    const uint8_t *signature; /* 64 bytes */
    const uint8_t *other;     /* KW_OTHER_DATA_SIZE bytes */
};
KW_MUST_USE kw_status kw_chip_validate(struct kw_chip *chip,
                                       const struct kw_validation *validation);

/* Counter 0 or 1: reads it; steps it by one, for ever, and answers the new
 * value (at most KW_COUNTER_MAX). */
KW_MUST_USE kw_status kw_chip_counter(struct kw_chip *chip, unsigned number,
                                      uint32_t *value);
KW_MUST_USE kw_status kw_chip_count(struct kw_chip *chip, unsigned number,
                                    uint32_t *value);

/* Locks one slot for ever. */
KW_MUST_USE kw_status kw_chip_lock_slot(struct kw_chip *chip, unsigned slot);

/* Locks the configuration, or data and OTP, for ever. The chip refuses when
 * the zone's CRC is not this one; NULL: it locks whatever is there. */
KW_MUST_USE kw_status kw_chip_lock_zone(struct kw_chip *chip, enum kw_zone zone,
                                        const uint16_t *crc);

/* Writes 4 or 32 bytes in clear; block and word count from 0. */
KW_MUST_USE kw_status kw_chip_write(struct kw_chip *chip, enum kw_zone zone,
                                    unsigned slot, unsigned block,
                                    unsigned word, const uint8_t *data,
                                    size_t size);
/* Writes all of the configuration that Write may change: bytes 16 to 83 and
 * 88 to 127. Words that hold what they should are left alone. */
KW_MUST_USE kw_status
kw_chip_write_config(struct kw_chip *chip, const uint8_t now[KW_CONFIG_SIZE],
                     const uint8_t wanted[KW_CONFIG_SIZE]);

/* Reads one block of a slot encrypted under the key in key_slot: Nonce,
 * GenDig, Read. The wire never carries the plain bytes. */
struct kw_encrypted_read {
    unsigned slot;
    unsigned block;
    unsigned key_slot;
    const uint8_t *key;    /* 32 bytes: what key_slot holds */
    const uint8_t *serial; /* KW_SERIAL_SIZE bytes */
    const uint8_t *num_in; /* 20 fresh random bytes */
};
KW_MUST_USE kw_status kw_chip_read_encrypted(
    struct kw_chip *chip, const struct kw_hash *hash,
    const struct kw_encrypted_read *read, uint8_t plain[KW_BLOCK_SIZE]);

/* Puts a private key into a slot: in clear (before the data lock alone), or
 * encrypted under the key in write->key_slot; plain is the 32 bytes of the
 * key. */
KW_MUST_USE kw_status kw_chip_private_write(struct kw_chip *chip, unsigned slot,
                                            const uint8_t key[32]);
KW_MUST_USE kw_status kw_chip_private_write_encrypted(
    struct kw_chip *chip, const struct kw_hash *hash,
    const struct kw_encrypted_write *write);

/* MAC under the key in a slot. With a challenge: mode 40. Without one the
 * second half of the message is a random nonce (mode 41), made from num_in
 * (20 bytes) and handed back in challenge. */
struct kw_mac {
    unsigned slot;
    bool random_nonce;
    const uint8_t *num_in; /* 20 fresh random bytes, for random_nonce */
    uint8_t challenge[32]; /* in; out for random_nonce */
    uint8_t mac[KW_SHA256_SIZE];
};
KW_MUST_USE kw_status kw_chip_mac(struct kw_chip *chip,
                                  const struct kw_hash *hash,
                                  struct kw_mac *mac);
/* Mode byte of the command, which the MAC's message names. */
uint8_t kw_mac_mode(const struct kw_mac *mac);

/* The chip's SHA-256: start, any number of whole blocks, end with 0 to 63
 * bytes more. With a key slot (-1: none) an HMAC. The chip must not sleep
 * in between. */
#define KW_CHIP_SHA_BLOCK 64
KW_MUST_USE kw_status kw_chip_sha_start(struct kw_chip *chip, int key_slot);
KW_MUST_USE kw_status kw_chip_sha_update(
    struct kw_chip *chip, const uint8_t block[KW_CHIP_SHA_BLOCK]);
KW_MUST_USE kw_status kw_chip_sha_end(struct kw_chip *chip, const uint8_t *rest,
                                      size_t size,
                                      uint8_t digest[KW_SHA256_SIZE]);

#endif
