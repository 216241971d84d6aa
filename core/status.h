/* core/status.h: what a fallible function answers.
 *
 * A status is a class and a reason. The class is the exit code of the
 * command line (docs/cli.md), the reason says which rule decided. Status
 * bytes of a chip are reasons of the class KW_CLASS_CHIP: 0x5000 + byte.
 *
 * Knows nobody. No heap, no stdio. */
#ifndef KW_CORE_STATUS_H
#define KW_CORE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* 4 bits of class above 12 bits of reason. */
typedef uint16_t kw_status;

enum kw_class {
    KW_CLASS_OK = 0,          /* done */
    KW_CLASS_NO = 1,          /* understood, and the answer is no */
    KW_CLASS_USAGE = 2,       /* called wrongly */
    KW_CLASS_PARSE = 3,       /* an input cannot be parsed */
    KW_CLASS_ABSENT = 4,      /* no device or server there */
    KW_CLASS_CHIP = 5,        /* a chip said no */
    KW_CLASS_SYSTEM = 6,      /* disk, memory, library */
    KW_CLASS_INTERRUPTED = 7, /* stopped, and resumable */
};

#define KW_STATUS(class_, reason_) ((kw_status)(((class_) << 12) | (reason_)))

/* One row a status: name, class, reason, words. */
#define KW_STATUS_TABLE(X)                                                     \
    X(KW_OK, KW_CLASS_OK, 0, "done")                                           \
    X(KW_NO, KW_CLASS_NO, 0, "the answer is no")                               \
    X(KW_NO_SIGNATURE, KW_CLASS_NO, 1, "the signature does not match")         \
    X(KW_NO_BUNDLE_SIGNATURE, KW_CLASS_NO, 2,                                  \
      "the bundle is not signed by the authority in the chip")                 \
    X(KW_NO_SERIAL, KW_CLASS_NO, 3, "the bundle is for another chip")          \
    X(KW_NO_CONFIGURATION, KW_CLASS_NO, 4,                                     \
      "the bundle is for a chip of another configuration")                     \
    X(KW_NO_OLD_KEY, KW_CLASS_NO, 5,                                           \
      "the bundle replaces another key than the one in the chip")              \
    X(KW_NO_SEQUENCE_REPLAYED, KW_CLASS_NO, 6,                                 \
      "the bundle's sequence was used before")                                 \
    X(KW_NO_SEQUENCE_AHEAD, KW_CLASS_NO, 7,                                    \
      "the bundle's sequence is more than 16 ahead of the chip's counter 1")   \
    X(KW_NO_NEW_PAIR, KW_CLASS_NO, 8,                                          \
      "the pair that validates the new key is not the authority's")            \
    X(KW_NO_OLD_INVALIDATE_PAIR, KW_CLASS_NO, 9,                               \
      "the pair that invalidates the old key is not the authority's")          \
    X(KW_NO_OLD_VALIDATE_PAIR, KW_CLASS_NO, 10,                                \
      "the pair that validates the old key is not the authority's")            \
    X(KW_NO_PROOF, KW_CLASS_NO, 11,                                            \
      "the proof was not signed with the new key")                             \
    X(KW_NO_OLD_PAIRS, KW_CLASS_NO, 12,                                        \
      "the key in the chip is validated and the bundle holds no pair to "      \
      "invalidate it")                                                         \
    X(KW_NO_SLOT, KW_CLASS_NO, 13, "it is for another slot")                   \
    X(KW_NO_ROLLBACK, KW_CLASS_NO, 14,                                         \
      "the new key is validated already; nothing is undone after that")        \
    X(KW_NO_CHIP_TYPE, KW_CLASS_NO, 15, "the chip is of the wrong type")       \
    X(KW_NO_SAME_KEY, KW_CLASS_NO, 16, "the new key is the old key")           \
    X(KW_NO_WINC_FULL, KW_CLASS_NO, 64,                                        \
      "(ERROR) Root Certificate Flash is Full")                                \
    X(KW_NO_WINC_STORE, KW_CLASS_NO, 65,                                       \
      "the store is damaged or of a foreign kind")                             \
    X(KW_NO_WINC_KEY_TYPE, KW_CLASS_NO, 66,                                    \
      "the module takes RSA up to 4096 bits and P-256")                        \
    X(KW_NO_WINC_REKEYED, KW_CLASS_NO, 67,                                     \
      "the store holds another key of this name hash")                         \
    X(KW_NO_WINC_NAME, KW_CLASS_NO, 68,                                        \
      "a part of the name has several attributes")                             \
    X(KW_NO_WINC_TLS_FULL, KW_CLASS_NO, 69, "the TLS store is full")           \
    X(KW_NO_WINC_FILES, KW_CLASS_NO, 70,                                       \
      "the TLS store holds 8 files at most")                                   \
    X(KW_NO_WINC_NAME_LENGTH, KW_CLASS_NO, 71,                                 \
      "a file name is longer than 47 characters")                              \
    X(KW_NO_WINC_CHAIN, KW_CLASS_NO, 72,                                       \
      "the chain is out of order or incomplete")                               \
    X(KW_NO_WINC_KEY, KW_CLASS_NO, 73,                                         \
      "Private key does not match the certificate")                            \
    X(KW_NO_WINC_ABSENT, KW_CLASS_NO, 74, "the store has no such entry")       \
    X(KW_NO_WINC_LISTED, KW_CLASS_NO, 75,                                      \
      "a list of the TLS store names the file")                                \
    X(KW_USAGE, KW_CLASS_USAGE, 0, "wrong usage")                              \
    X(KW_PARSE, KW_CLASS_PARSE, 0, "the input cannot be parsed")               \
    X(KW_PARSE_SIZE, KW_CLASS_PARSE, 1, "the input has the wrong size")        \
    X(KW_PARSE_MAGIC, KW_CLASS_PARSE, 2, "the input is of another kind")       \
    X(KW_PARSE_RESERVED, KW_CLASS_PARSE, 3,                                    \
      "a field that must be zero is not")                                      \
    X(KW_PARSE_KEY, KW_CLASS_PARSE, 4, "not a P-256 key")                      \
    X(KW_PARSE_DER, KW_CLASS_PARSE, 64, "not one whole certificate in DER")    \
    X(KW_PARSE_RSA_KEY, KW_CLASS_PARSE, 65, "not a private RSA key")           \
    X(KW_ABSENT, KW_CLASS_ABSENT, 0, "no device there")                        \
    X(KW_ABSENT_ANSWER, KW_CLASS_ABSENT, 1, "the device stopped answering")    \
    X(KW_ABSENT_CRC, KW_CLASS_ABSENT, 2, "the device's answers are garbled")   \
    X(KW_ABSENT_LOCKED, KW_CLASS_ABSENT, 3, "another process has the device")  \
    X(KW_CHIP_MISMATCH, KW_CLASS_CHIP, 0x01,                                   \
      "status 01: the chip compared or verified, and it does not match")       \
    X(KW_CHIP_PARSE, KW_CLASS_CHIP, 0x03,                                      \
      "status 03: the chip cannot parse the command")                          \
    X(KW_CHIP_ECC, KW_CLASS_CHIP, 0x05, "status 05: ECC fault")                \
    X(KW_CHIP_SELF_TEST, KW_CLASS_CHIP, 0x07, "status 07: self-test failed")   \
    X(KW_CHIP_HEALTH, KW_CLASS_CHIP, 0x08,                                     \
      "status 08: RNG health test failed")                                     \
    X(KW_CHIP_EXECUTION, KW_CLASS_CHIP, 0x0F,                                  \
      "status 0F: the chip refuses the command in its present state")          \
    X(KW_CHIP_AWOKE, KW_CLASS_CHIP, 0x11,                                      \
      "status 11: the chip woke up anew and lost its volatile state")          \
    X(KW_CHIP_WATCHDOG, KW_CLASS_CHIP, 0xEE,                                   \
      "status EE: the chip's watchdog is about to expire")                     \
    X(KW_CHIP_CRC, KW_CLASS_CHIP, 0xFF,                                        \
      "status FF: the chip received a damaged command")                        \
    X(KW_CHIP_ANSWER, KW_CLASS_CHIP, 0x100,                                    \
      "the chip's answer has the wrong length")                                \
    X(KW_CHIP_READ_BACK, KW_CLASS_CHIP, 0x101,                                 \
      "what was written does not read back")                                   \
    X(KW_CHIP_PROOF, KW_CLASS_CHIP, 0x102,                                     \
      "the new key is validated, yet its proof did not verify")                \
    X(KW_CHIP_FLASH_ERASE, KW_CLASS_CHIP, 0x140,                               \
      "a sector of the flash does not erase")                                  \
    X(KW_CHIP_FLASH_VERIFY, KW_CLASS_CHIP, 0x141,                              \
      "the flash does not hold what was written")                              \
    X(KW_CHIP_FLASH_BUSY, KW_CLASS_CHIP, 0x142, "the flash stays busy")        \
    X(KW_CHIP_FLASH_JOURNAL, KW_CLASS_CHIP, 0x144,                             \
      "the journal does not read back as it was written")                      \
    X(KW_CHIP_FLASH_ID, KW_CLASS_CHIP, 0x143,                                  \
      "no flash or module of a known kind answers")                            \
    X(KW_SYSTEM, KW_CLASS_SYSTEM, 0, "the system failed")                      \
    X(KW_SYSTEM_MEMORY, KW_CLASS_SYSTEM, 1, "out of memory")                   \
    X(KW_SYSTEM_FILE, KW_CLASS_SYSTEM, 2, "a file operation failed")           \
    X(KW_SYSTEM_CRYPTO, KW_CLASS_SYSTEM, 3,                                    \
      "the cryptographic library failed")                                      \
    X(KW_SYSTEM_SKIPPED, KW_CLASS_SYSTEM, 4,                                   \
      "the processor left a check out; nothing was changed")                   \
    X(KW_INTERRUPTED, KW_CLASS_INTERRUPTED, 0, "interrupted, and resumable")

#define KW_STATUS_ENUM(name, class_, reason, words)                            \
    name = KW_STATUS(class_, reason),
enum { KW_STATUS_TABLE(KW_STATUS_ENUM) };
#undef KW_STATUS_ENUM

#define KW_MUST_USE __attribute__((warn_unused_result))

/* Leave the function with the status of a call that failed. */
#define KW_TRY(call)                                                           \
    do {                                                                       \
        const kw_status kw_try_ = (call);                                      \
        if (kw_try_ != KW_OK) {                                                \
            return kw_try_;                                                    \
        }                                                                      \
    } while (0)

/* Leave the function with a status unless the condition holds. */
#define KW_ENSURE(condition, status)                                           \
    do {                                                                       \
        if (!(condition)) {                                                    \
            return (status);                                                   \
        }                                                                      \
    } while (0)

static inline enum kw_class kw_status_class(kw_status status) {
    return (enum kw_class)(status >> 12);
}

/* The status of class KW_CLASS_CHIP for a status byte of the chip; KW_OK
 * for byte 00. Source of the bytes: data sheet DS40002138A, table 4-3. */
static inline kw_status kw_status_of_chip(uint8_t byte) {
    return byte == 0 ? KW_OK : KW_STATUS(KW_CLASS_CHIP, byte);
}

/* True when the status came from the chip itself, not from the way to it. */
static inline bool kw_status_is_refusal(kw_status status) {
    return kw_status_class(status) == KW_CLASS_CHIP && (status & 0xF00) == 0;
}

/* The words of a status; never NULL. */
const char *kw_status_text(kw_status status);

#endif
