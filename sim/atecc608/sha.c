/* SHA (47): SHA-256 and HMAC over messages of any length, with a context
 * that can be read out. DS40002138A 5.1.8, tables 5-29 to 5-37. */
#include <string.h>

#include "core/bytes.h"
#include "sim/atecc608/commands.h"
#include "sim/atecc608/policy.h"

enum {
    MODE_START,
    MODE_UPDATE,
    MODE_END,
    MODE_PUBLIC, /* DS20005927A as cited: medium confidence */
    MODE_HMAC_START,
    MODE_READ_CONTEXT = 6,
    MODE_WRITE_CONTEXT = 7,
};

#define MODE_MASK       0x07
#define MODE_TARGET     0xC0
#define TARGET_TEMP_KEY 0x00
#define TARGET_MESSAGE  0x40
#define TARGET_NONE     0x80 /* no such target */
#define BLOCK           64
#define LENGTH_SIZE     8  /* bytes of the bit count that ends a message */
#define CONTEXT_MIN     36 /* count and eight words */
#define CONTEXT_MAX     (CONTEXT_MIN + BLOCK - 1)

/* FIPS 180-4 section 5.3.3. */
static const uint32_t INITIAL[8] = {
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
};

static void restart(struct kw_sim_sha *sha, enum kw_sim_sha_kind kind) {
    kw_wipe(sha, sizeof(*sha));
    sha->kind = kind;
    memcpy(sha->words, INITIAL, sizeof(INITIAL));
}

static kw_status compress(struct kw_sim_chip *chip, uint32_t words[8],
                          const uint8_t block[BLOCK]) {
    return chip->crypto->sha256_block(chip->crypto_context, words, block);
}

static kw_status absorb(struct kw_sim_chip *chip, const uint8_t *data,
                        size_t size) {
    struct kw_sim_sha *sha = &chip->sram.sha;
    KW_SIM_DEMAND(size <= UINT32_MAX - sha->count, chip, KW_CHIP_EXECUTION,
                  "the message is longer than 4 GiB");
    for (size_t i = 0; i < size; i++) {
        const size_t place = sha->count % BLOCK;
        sha->pending[place] = data[i];
        sha->count++;
        if (place == BLOCK - 1) {
            KW_TRY(compress(chip, sha->words, sha->pending));
        }
    }
    return KW_OK;
}

/* The padding of FIPS 180-4 section 5.1.1 over a message of so many bytes,
 * the last of which are in the block. */
static kw_status finish(struct kw_sim_chip *chip, uint32_t words[8],
                        uint8_t block[BLOCK], uint64_t count) {
    size_t used = count % BLOCK;
    block[used++] = 0x80;
    if (used > BLOCK - LENGTH_SIZE) {
        memset(block + used, 0, BLOCK - used);
        KW_TRY(compress(chip, words, block));
        used = 0;
    }
    memset(block + used, 0, BLOCK - used);
    kw_store_be32(block + BLOCK - 8, (uint32_t)(count >> 29));
    kw_store_be32(block + BLOCK - 4, (uint32_t)(count << 3));
    return compress(chip, words, block);
}

static void store_words(const uint32_t words[8], uint8_t digest[32]) {
    for (size_t i = 0; i < 8; i++) {
        kw_store_be32(digest + 4 * i, words[i]);
    }
}

/* The outer hash of HMAC: one block of key, then the inner digest. */
static kw_status finish_outer(struct kw_sim_chip *chip, uint8_t digest[32]) {
    struct kw_sim_sha *sha = &chip->sram.sha;
    memcpy(sha->pending, digest, 32);
    KW_TRY(finish(chip, sha->outer, sha->pending, BLOCK + 32));
    store_words(sha->outer, digest);
    return KW_OK;
}

/* --- modes --- */

static kw_status started(struct kw_sim_chip *chip) {
    KW_SIM_DEMAND(chip->sram.sha.kind != KW_SIM_SHA_NONE, chip,
                  KW_CHIP_EXECUTION, "no SHA computation was started");
    return KW_OK;
}

static kw_status start(struct kw_sim_chip *chip,
                       const struct kw_command *command) {
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    restart(&chip->sram.sha, KW_SIM_SHA_PLAIN);
    return KW_OK;
}

/* param2 gives the length of the data once more. */
static kw_status message_part(struct kw_sim_chip *chip,
                              const struct kw_command *command) {
    KW_SIM_DEMAND(command->data_size <= BLOCK, chip, KW_CHIP_PARSE,
                  "SHA takes up to 64 bytes at a time, not %zu",
                  command->data_size);
    KW_TRY(kw_sim_policy_param2(chip, command, (unsigned)command->data_size));
    KW_TRY(started(chip));
    return absorb(chip, command->data, command->data_size);
}

static kw_status update(struct kw_sim_chip *chip,
                        const struct kw_command *command) {
    KW_SIM_DEMAND(command->data_size > 0, chip, KW_CHIP_PARSE,
                  "SHA(Update) takes 1 to 64 bytes, not 0");
    return message_part(chip, command);
}

/* The flags of a TempKey that SHA fills are not published: a value that the
 * host determines counts as fixed. */
static void deliver(struct kw_sim_chip *chip, unsigned target,
                    const uint8_t digest[32]) {
    if (target == TARGET_TEMP_KEY) {
        kw_sim_temp_key_load(chip, digest, 32, true);
    }
    if (target == TARGET_MESSAGE) {
        kw_sim_message_load(chip, digest, 32);
    }
}

static kw_status end(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    struct kw_sim_sha *sha = &chip->sram.sha;
    const unsigned target = command->param1 & MODE_TARGET;
    KW_SIM_DEMAND(target != TARGET_NONE, chip, KW_CHIP_PARSE,
                  "SHA(End) has no target %02X", target);
    KW_TRY(message_part(chip, command));
    KW_TRY(finish(chip, sha->words, sha->pending, sha->count));
    store_words(sha->words, answer->data);
    if (sha->kind == KW_SIM_SHA_HMAC) {
        KW_TRY(finish_outer(chip, answer->data));
    }
    answer->size = KW_SHA256_SIZE;
    kw_wipe(sha, sizeof(*sha));
    deliver(chip, target, answer->data);
    return KW_OK;
}

static kw_status public_key(struct kw_sim_chip *chip,
                            const struct kw_command *command) {
    uint8_t value[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    KW_TRY(kw_sim_policy_public_key(chip, command->param2));
    KW_TRY(started(chip));
    kw_sim_public_key(chip, command->param2, value);
    return absorb(chip, value, sizeof(value));
}

/* Fills the block with the key and the constant of RFC 2104. */
static void key_block(const uint8_t key[32], uint8_t constant,
                      uint8_t block[BLOCK]) {
    memset(block, constant, BLOCK);
    for (size_t i = 0; i < 32; i++) {
        block[i] = key[i] ^ constant;
    }
}

static kw_status hmac_with(struct kw_sim_chip *chip, const uint8_t key[32]) {
    struct kw_sim_sha *sha = &chip->sram.sha;
    uint8_t block[BLOCK];
    restart(sha, KW_SIM_SHA_HMAC);
    memcpy(sha->outer, INITIAL, sizeof(INITIAL));
    key_block(key, 0x5C, block);
    kw_status status = compress(chip, sha->outer, block);
    if (status == KW_OK) {
        key_block(key, 0x36, block);
        status = absorb(chip, block, sizeof(block));
    }
    kw_wipe(block, sizeof(block));
    return status;
}

/* TempKey is read here, so here it is consumed; not published. */
static kw_status hmac_start(struct kw_sim_chip *chip,
                            const struct kw_command *command) {
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    if (command->param2 == KW_SIM_KEY_TEMPKEY) {
        KW_TRY(kw_sim_policy_temp_key(chip));
        KW_TRY(kw_sim_policy_may_mac(chip));
        KW_TRY(hmac_with(chip, chip->sram.buffers.temp_key));
        kw_sim_temp_key_clear(chip);
        return KW_OK;
    }
    KW_TRY(kw_sim_policy_slot_number(chip, command->param2));
    KW_TRY(kw_sim_policy_hmac(chip, command->param2));
    return hmac_with(chip, kw_sim_slot(chip, command->param2));
}

/* count(4) words(8 x 4, little-endian) pending bytes. Table 5-36 says "from
 * 40 to 99"; 36 + up to 63 agrees with its own 99 and with the vendor's test
 * vector. */
static kw_status read_context(struct kw_sim_chip *chip,
                              const struct kw_command *command,
                              struct kw_sim_answer *answer) {
    const struct kw_sim_sha *sha = &chip->sram.sha;
    const size_t pending = sha->count % BLOCK;
    KW_TRY(kw_sim_policy_param2(chip, command, 0));
    KW_TRY(kw_sim_policy_size(chip, command, 0));
    KW_TRY(started(chip));
    KW_SIM_DEMAND(sha->kind == KW_SIM_SHA_PLAIN, chip, KW_CHIP_EXECUTION,
                  "the context of an HMAC holds its key and is never given "
                  "out");
    kw_store_le32(answer->data, sha->count);
    for (size_t i = 0; i < 8; i++) {
        kw_store_le32(answer->data + 4 + 4 * i, sha->words[i]);
    }
    memcpy(answer->data + CONTEXT_MIN, sha->pending, pending);
    answer->size = CONTEXT_MIN + pending;
    return KW_OK;
}

static kw_status write_context(struct kw_sim_chip *chip,
                               const struct kw_command *command) {
    struct kw_sim_sha *sha = &chip->sram.sha;
    KW_SIM_DEMAND(
        command->data_size >= CONTEXT_MIN && command->data_size <= CONTEXT_MAX,
        chip, KW_CHIP_PARSE, "a SHA context has 36 to 99 bytes, not %zu",
        command->data_size);
    KW_TRY(kw_sim_policy_param2(chip, command, (unsigned)command->data_size));
    const uint32_t count = kw_load_le32(command->data);
    KW_TRY(kw_sim_policy_size(chip, command, CONTEXT_MIN + count % BLOCK));
    restart(sha, KW_SIM_SHA_PLAIN);
    sha->count = count;
    for (size_t i = 0; i < 8; i++) {
        sha->words[i] = kw_load_le32(command->data + 4 + 4 * i);
    }
    memcpy(sha->pending, command->data + CONTEXT_MIN, count % BLOCK);
    return KW_OK;
}

kw_status kw_sim_sha(struct kw_sim_chip *chip, const struct kw_command *command,
                     struct kw_sim_answer *answer) {
    const unsigned mode = command->param1 & MODE_MASK;
    KW_TRY(kw_sim_policy_mode(
        chip, command, mode == MODE_END ? MODE_MASK | MODE_TARGET : MODE_MASK));
    switch (mode) {
    case MODE_START:
        return start(chip, command);
    case MODE_UPDATE:
        return update(chip, command);
    case MODE_END:
        return end(chip, command, answer);
    case MODE_PUBLIC:
        return public_key(chip, command);
    case MODE_HMAC_START:
        return hmac_start(chip, command);
    case MODE_READ_CONTEXT:
        return read_context(chip, command, answer);
    case MODE_WRITE_CONTEXT:
        return write_context(chip, command);
    default:
        return kw_sim_refuse(chip, KW_CHIP_PARSE, "SHA has no mode %02X",
                             command->param1);
    }
}
