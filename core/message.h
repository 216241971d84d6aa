/* core/message.h: the messages that chip and host hash or sign alike.
 *
 * Each function lays out one message of the ATECC608 and answers its
 * SHA-256 digest. Host and emulated chip share them; the tests hold them
 * against known answers and an independent program.
 * Sources: DS40002138A sections 5.1.4 (Nonce), 5.1.10 (Write), 5.2.2
 * (GenKey), 5.2.4 (Sign), 5.2.5 (Verify), 5.3.3 (GenDig), 5.3.5 (MAC).
 *
 * A serial is SN[0:8], 9 bytes. Public keys are X then Y, 32 bytes each,
 * big-endian. Knows core/hash.h and core/config.h. */
#ifndef KW_CORE_MESSAGE_H
#define KW_CORE_MESSAGE_H

#include "core/config.h"
#include "core/hash.h"

#define KW_PUBLIC_KEY_SIZE   64
#define KW_SIGNATURE_SIZE    64 /* R then S, 32 bytes each, big-endian */
#define KW_NONCE_SIZE        32
#define KW_NUM_IN_SIZE       20
#define KW_SIGN_MESSAGE_SIZE 55
#define KW_OTHER_DATA_SIZE   19 /* of Verify(Validate) */

/* opcode param1 param2(2): the head of the command that a message names. */
struct kw_message_head {
    uint8_t bytes[4];
};

static inline struct kw_message_head
kw_message_head(uint8_t opcode, uint8_t param1, uint16_t param2) {
    return (struct kw_message_head){
        {opcode, param1, (uint8_t)param2, (uint8_t)(param2 >> 8)}};
}

/* Nonce: source(32: RandOut, or TempKey when param2 is 8000) NumIn(20) 16
 * param1 param2-low. */
KW_MUST_USE kw_status kw_message_nonce(const struct kw_hash *hash,
                                       const uint8_t source[32],
                                       const uint8_t num_in[KW_NUM_IN_SIZE],
                                       struct kw_message_head head,
                                       uint8_t digest[KW_SHA256_SIZE]);

/* GenDig: input(32) head(4) SN[8] SN[0:1] middle(25) tail(32). */
KW_MUST_USE kw_status kw_message_gendig(const struct kw_hash *hash,
                                        const uint8_t input[32],
                                        struct kw_message_head head,
                                        const uint8_t serial[KW_SERIAL_SIZE],
                                        const uint8_t middle[25],
                                        const uint8_t tail[32],
                                        uint8_t digest[KW_SHA256_SIZE]);

/* GenKey digest: TempKey(32) 40 other(3) SN[8] SN[0:1] 25 zeros X Y. The
 * other bytes are the command's OtherData (mode 10) or its param1 and
 * param2 (mode 08): head.bytes[1..3]. */
KW_MUST_USE kw_status kw_message_genkey(
    const struct kw_hash *hash, const uint8_t temp_key[32],
    struct kw_message_head head, const uint8_t serial[KW_SERIAL_SIZE],
    const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
    uint8_t digest[KW_SHA256_SIZE]);

/* MAC of an encrypted write: TempKey(32) head SN[8] SN[0:1] zeros plain.
 * 25 zeros before the 32 bytes of Write, 21 before the 36 of PrivWrite. */
KW_MUST_USE kw_status kw_message_write_mac(
    const struct kw_hash *hash, const uint8_t temp_key[32],
    struct kw_message_head head, const uint8_t serial[KW_SERIAL_SIZE],
    const uint8_t *plain, size_t plain_size, uint8_t mac[KW_SHA256_SIZE]);

/* MAC (88 bytes): first(32) second(32) head otp(11) SN[8] SN[4:7]|0
 * SN[0:1] SN[2:3]|0; the bracketed serial bytes when param1 has bit 6. */
KW_MUST_USE kw_status kw_message_mac(const struct kw_hash *hash,
                                     const uint8_t first[32],
                                     const uint8_t second[32],
                                     struct kw_message_head head,
                                     const uint8_t otp[11],
                                     const uint8_t serial[KW_SERIAL_SIZE],
                                     uint8_t mac[KW_SHA256_SIZE]);

/* What Sign(Internal) states about the key in TempKey. */
struct kw_sign_internal {
    const uint8_t *temp_key;     /* 32 bytes */
    struct kw_message_head head; /* 41, mode, key that signs */
    const uint8_t *config;       /* KW_CONFIG_SIZE bytes */
    uint8_t key_id;              /* TempKey.KeyID */
    uint8_t temp_key_flags;      /* KeyID | Source<<4 | GenDig<<5 |
                                    GenKey<<6 | NoMac<<7 */
    bool for_invalidate;
    bool full_serial; /* mode bit 6 */
};

/* The 55 bytes that Sign(Internal) signs and Verify(Validate) rebuilds:
 * DS40002138A 5.2.4.1. */
void kw_message_sign_internal(const struct kw_sign_internal *about,
                              uint8_t message[KW_SIGN_MESSAGE_SIZE]);

/* OtherData of Verify(Validate): bytes 33..42, 44..47 and 50..54 of the 55
 * bytes. */
void kw_message_other_data(const uint8_t message[KW_SIGN_MESSAGE_SIZE],
                           uint8_t other[KW_OTHER_DATA_SIZE]);

/* The way back, as the chip does it: digest(32) 41 other[0:9] SN[8]
 * other[10:13] SN[0:1] other[14:18]. */
void kw_message_from_other_data(const uint8_t temp_key[32],
                                const uint8_t other[KW_OTHER_DATA_SIZE],
                                const uint8_t serial[KW_SERIAL_SIZE],
                                uint8_t message[KW_SIGN_MESSAGE_SIZE]);

#endif
