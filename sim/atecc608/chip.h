/* sim/atecc608/chip.h: an ATECC608 in software. Bytes in, bytes out.
 *
 * Commands are the frames of core/packet.h. Whatever arrives, the chip stays
 * in a defined state. Each refusal leaves a reason in words beside the
 * status byte; the reason goes to traces, never onto a wire.
 * Facts and their confidence: docs/chip.md.
 *
 * Knows core/ and sim/nvm. Does not know files other than through nvm, nor
 * the host. Not thread safe: one thread a chip at a time. */
#ifndef KW_SIM_ATECC608_CHIP_H
#define KW_SIM_ATECC608_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/packet.h"
#include "core/status.h"
#include "sim/atecc608/crypto.h"

/* Slots 0-7 (36 bytes each), 8 (416), 9-15 (72 each). */
#define KW_SIM_DATA_SIZE (8 * 36 + KW_SLOT_MAX + 7 * 72)

/* Everything that the chip keeps without power: what an image file holds,
 * byte for byte (docs/formats.md). No padding. */
struct kw_sim_eeprom {
    uint8_t revision[4]; /* hard coded in silicon: the answer of Info(0) */
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t otp[KW_OTP_SIZE];
    uint8_t data[KW_SIM_DATA_SIZE]; /* the slots in order */
};

/* Where the EEPROM is kept. Called once for each command that changes it,
 * before the answer is given; when it fails the change is undone and the
 * command answers 0F. NULL commit: memory only. */
struct kw_sim_store {
    kw_status (*commit)(void *self, const struct kw_sim_eeprom *eeprom);
    void *self;
};

/* What a chip needs only while it works: the mathematics' objects, and the
 * copies that a refusal puts back. Chips that work one after another may
 * share one, so that thousands of them fit into little memory. */
struct kw_sim_scratch;
/* For this table (NULL: OpenSSL); NULL without memory or when the table does
 * not open. Free it after its chips; NULL is fine. */
struct kw_sim_scratch *kw_sim_scratch_new(const struct kw_sim_crypto *crypto);
void kw_sim_scratch_free(struct kw_sim_scratch *scratch);

struct kw_sim_options {
    const struct kw_sim_crypto *crypto; /* NULL: OpenSSL */
    struct kw_sim_scratch *scratch;     /* lent, same table; NULL: its own */
    struct kw_sim_store store;
    /* Time in microseconds for the watchdog; NULL: time stands still. */
    uint64_t (*now)(void *clock);
    void *clock;
};

struct kw_sim_chip;

/* A chip with this EEPROM, powered up and asleep. NULL without memory, or
 * when the crypto table does not open. */
struct kw_sim_chip *kw_sim_chip_new(const struct kw_sim_eeprom *eeprom,
                                    const struct kw_sim_options *options);
/* Wipes and frees; NULL is fine. */
void kw_sim_chip_free(struct kw_sim_chip *chip);

/* Lends another scratch, of the same table, from now on: before each use of
 * the chip when several threads share it. */
void kw_sim_chip_lend(struct kw_sim_chip *chip, struct kw_sim_scratch *scratch);

/* Supply off and on: all volatile state and the persistent latch are lost. */
void kw_sim_chip_power_cycle(struct kw_sim_chip *chip);

/* Wakes the chip; answers whether it slept or idled (its output buffer then
 * holds 04 11 33 43, or 04 07 40 C2 when a self-test at power-up failed) or was
 * awake already (nothing changes). */
bool kw_sim_chip_wake(struct kw_sim_chip *chip);
void kw_sim_chip_idle(struct kw_sim_chip *chip);
void kw_sim_chip_sleep(struct kw_sim_chip *chip);
bool kw_sim_chip_is_awake(struct kw_sim_chip *chip);

/* The 8-bit I2C address that the chip answers to: configuration byte 16, or
 * UserExtraAdd when it is set and ChipMode allows it. A change counts after
 * the next sleep or power cycle. */
uint8_t kw_sim_chip_address(const struct kw_sim_chip *chip);

/* How many milliseconds a command of this opcode may take at the chip's
 * clock divider; 0 for an opcode that it does not have. Limits of the
 * vendor's library, since no public sheet of the part gives any: low
 * confidence. kw_sim_chip_execute itself answers at once. */
uint32_t kw_sim_chip_duration(const struct kw_sim_chip *chip, uint8_t opcode);

/* Engines of the silicon that are broken from now on, over power cycles too;
 * 0 repairs all. A broken engine goes on computing, but its self-test fails
 * (status 07 thereafter); a generator that fails its health test makes what
 * needs it answer 08. The first five are the bits of SelfTest. */
enum {
    KW_SIM_BROKEN_GENERATOR = 0x01,
    KW_SIM_BROKEN_ECDSA = 0x04,
    KW_SIM_BROKEN_ECDH = 0x08,
    KW_SIM_BROKEN_AES = 0x10,
    KW_SIM_BROKEN_SHA = 0x20,
    KW_SIM_BROKEN_HEALTH = 0x80,
};
void kw_sim_chip_break(struct kw_sim_chip *chip, uint8_t engines);

/* The supply fails, for a moment, in the nth command from now that changes
 * the EEPROM (1: the next; 0: never): before the change is stored, which is
 * undone then, or after. The chip does not answer and has lost what is
 * volatile. */
void kw_sim_chip_cut_supply(struct kw_sim_chip *chip, uint32_t nth, bool after);

/* Executes one packet and answers the size of the response frame. 0 when
 * the chip is not awake: it does not answer. Any bytes are fine. */
size_t kw_sim_chip_execute(struct kw_sim_chip *chip, const uint8_t *packet,
                           size_t packet_size,
                           uint8_t response[KW_RESPONSE_MAX]);

/* The output buffer: the last response, which can be read again. */
size_t kw_sim_chip_output(const struct kw_sim_chip *chip,
                          uint8_t response[KW_RESPONSE_MAX]);

/* Which rule refused the last command, in words; "" after a success. Valid
 * until the next command. */
const char *kw_sim_chip_reason(const struct kw_sim_chip *chip);

/* The EEPROM as it is now, for snapshots and tests. */
const struct kw_sim_eeprom *kw_sim_chip_eeprom(const struct kw_sim_chip *chip);

/* Volatile state, for tests and for the board's status page. */
struct kw_sim_volatile {
    uint8_t temp_key[64];
    bool temp_key_valid;
    bool temp_key_is_64;
    uint8_t temp_key_id;
    bool source_fixed; /* SourceFlag: 0 random, 1 fixed */
    bool gen_dig_data;
    bool gen_key_data;
    bool no_mac;
    bool temp_key_private; /* holds a private key made by GenKey FFFF */
    uint8_t message_digest[64];
    size_t message_digest_size; /* 0: empty, 32 or 64 */
    uint8_t alternate_key[32];
    bool alternate_key_valid;
};
const struct kw_sim_volatile *
kw_sim_chip_volatile(const struct kw_sim_chip *chip);

#endif
