/* sim/atecc608/state.h: what an emulated chip consists of, inside.
 *
 * For the files of sim/atecc608 alone. What a refusal changes:
 *
 * - A command that answers 03, 05 or 0F changes nothing, neither EEPROM nor
 *   SRAM: kw_sim_chip_execute puts both back. (The data sheet leaves open
 *   whether TempKey survives an error, DS40002138A 3.1.)
 * - GenDig alone takes TempKey with it when it answers 0F: the notes under
 *   the tables of DS40002138A 5.3.3 say that Valid is 0 after a failure.
 * - A command that compared or verified and answers 01 has used what it
 *   read: TempKey and the message digest buffer are cleared as after 00.
 * - FF and EE are answered before the command is looked at.
 *
 * Knows core/ and the public headers of the chip. */
#ifndef KW_SIM_ATECC608_STATE_H
#define KW_SIM_ATECC608_STATE_H

#include "core/message.h"
#include "sim/atecc608/chip.h"
#include "sim/atecc608/personality.h"

#define KW_SIM_KEY_SIZE    32 /* bytes of a private or symmetric key */
#define KW_SIM_REASON_MAX  160
#define KW_SIM_KEY_TEMPKEY 0xFFFF /* param2 that names TempKey as the key */

/* Layout of a stored public key: pad(4) X(32) pad(4) Y(32). A private key is
 * pad(4) and the scalar (DS40002138A 4.5). */
enum {
    KW_SIM_PAD = 4,
    KW_SIM_PUBLIC_X = 4,
    KW_SIM_PUBLIC_Y = 40,
};

enum kw_sim_power {
    KW_SIM_ASLEEP,
    KW_SIM_IDLE,
    KW_SIM_AWAKE,
};

/* AuthComplete: which key a CheckMac authorised. */
struct kw_sim_authorisation {
    bool valid;
    uint8_t key_id;
};

enum kw_sim_sha_kind {
    KW_SIM_SHA_NONE,
    KW_SIM_SHA_PLAIN,
    KW_SIM_SHA_HMAC,
};

struct kw_sim_sha {
    enum kw_sim_sha_kind kind;
    uint32_t count;    /* bytes hashed, the pending ones included */
    uint32_t words[8]; /* after the last whole block */
    uint8_t pending[64];
    uint32_t outer[8]; /* HMAC: state after the outer key block */
};

/* Kept while idle, lost by sleep. */
struct kw_sim_sram {
    struct kw_sim_volatile buffers;
    struct kw_sim_authorisation authorisation;
    struct kw_sim_sha sha;
    uint8_t self_test_failed; /* bits of SelfTest; any wake clears them */
};

/* Kept until the supply fails, asleep or awake. */
struct kw_sim_powered {
    bool latch; /* persistent latch */
    bool gpio;  /* output pin of single-wire parts */
    bool boot_prohibited;
};

struct kw_sim_scratch {
    const struct kw_sim_crypto *crypto;
    void *context;
    /* What a refusal puts back; wiped after each command. */
    struct kw_sim_eeprom eeprom_before;
    struct kw_sim_sram sram_before;
    struct kw_sim_powered powered_before;
};

struct kw_sim_chip {
    struct kw_sim_eeprom eeprom; /* changed through kw_sim_change alone */
    struct kw_sim_sram sram;
    struct kw_sim_powered powered;
    uint8_t address;    /* in force, 8-bit form */
    uint8_t broken;     /* kw_sim_chip_break */
    bool health_failed; /* lost by sleep; a refusal keeps it */

    /* kw_sim_chip_cut_supply */
    uint32_t stores_to_cut; /* 0: no cut */
    bool cut_after;
    bool supply_failed;

    bool eeprom_changed;
    bool failure_takes_temp_key; /* should the command under way answer 0F */
    struct kw_sim_scratch *scratch;
    struct kw_sim_scratch *own_scratch; /* NULL: it is lent */

    const struct kw_sim_crypto *crypto;
    void *crypto_context; /* the scratch's */
    struct kw_hash hash;
    struct kw_sim_store store;
    uint64_t (*now)(void *clock);
    void *clock;

    enum kw_sim_power power;
    uint64_t woke_at; /* microseconds */
    uint8_t output[KW_RESPONSE_MAX];
    size_t output_size;
    char reason[KW_SIM_REASON_MAX];
};

/* The EEPROM for writing; the change is committed with the command. */
struct kw_sim_eeprom *kw_sim_change(struct kw_sim_chip *chip);

const uint8_t *kw_sim_slot(const struct kw_sim_chip *chip, unsigned slot);

/* Writes into a slot; bytes beyond its end are dropped. A public key whose
 * validity is kept becomes invalid when its slot "is written for any reason"
 * (DS20005927A as the documentation of rust-cryptoauthlib cites it). */
void kw_sim_slot_write(struct kw_sim_chip *chip, unsigned slot, size_t offset,
                       const uint8_t *bytes, size_t size);

/* Validity: the upper half of a stored public key's first byte. */
bool kw_sim_slot_is_valid(const struct kw_sim_chip *chip, unsigned slot);
void kw_sim_slot_set_valid(struct kw_sim_chip *chip, unsigned slot, bool valid);

static inline struct kw_slot_config
kw_sim_slot_config(const struct kw_sim_chip *chip, unsigned slot) {
    return kw_config_slot(chip->eeprom.config, slot);
}

static inline struct kw_key_config
kw_sim_key_config(const struct kw_sim_chip *chip, unsigned slot) {
    return kw_config_key(chip->eeprom.config, slot);
}

static inline struct kw_message_head
kw_sim_head(const struct kw_command *command) {
    return kw_message_head(command->opcode, command->param1, command->param2);
}

/* Loads TempKey with 32 or 64 bytes; all flags but SourceFlag become 0. */
void kw_sim_temp_key_load(struct kw_sim_chip *chip, const uint8_t *value,
                          size_t size, bool source_fixed);
/* Puts another 32-byte value in TempKey and keeps the flags. */
void kw_sim_temp_key_replace(struct kw_sim_chip *chip, const uint8_t value[32]);
void kw_sim_temp_key_clear(struct kw_sim_chip *chip);
void kw_sim_message_load(struct kw_sim_chip *chip, const uint8_t *value,
                         size_t size);
void kw_sim_message_clear(struct kw_sim_chip *chip);

/* The serial number in one run. */
struct kw_sim_serial {
    uint8_t bytes[KW_SERIAL_SIZE];
};
struct kw_sim_serial kw_sim_serial(const struct kw_sim_chip *chip);

/* X and Y of a stored public key. */
void kw_sim_public_key(const struct kw_sim_chip *chip, unsigned slot,
                       uint8_t public_key[KW_PUBLIC_KEY_SIZE]);

/* The key for IO protection: ChipOptions bits 15:12 name its slot. */
const uint8_t *kw_sim_io_key(const struct kw_sim_chip *chip);

/* --- generator.c --- */

/* The chip's generator: FF FF 00 00 over and over until the configuration is
 * locked (DS20005927A as cited; Random: high, Nonce: medium confidence). */
KW_MUST_USE kw_status kw_sim_random_bytes(struct kw_sim_chip *chip,
                                          uint8_t bytes[32]);
KW_MUST_USE kw_status kw_sim_random_key(struct kw_sim_chip *chip,
                                        uint8_t private_key[32]);

/* --- selftest.c --- */

#define KW_SIM_TEST_ALL 0x3D /* every bit that names a test */

/* Runs the tests with these bits; answers those that failed. */
KW_MUST_USE kw_status kw_sim_self_test(struct kw_sim_chip *chip, uint8_t tests,
                                       uint8_t *failed);

/* --- hmac.c --- */

/* HMAC-SHA256 (FIPS 198-1) with a key of up to 64 bytes. */
KW_MUST_USE kw_status kw_sim_hmac(const struct kw_hash *hash,
                                  struct kw_span key,
                                  const struct kw_span *message, size_t count,
                                  uint8_t mac[KW_SHA256_SIZE]);

#endif
