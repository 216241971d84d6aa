#include "core/rotate_place.h"

#include <string.h>

#include "core/bytes.h"

#define STATE_NIBBLE 0xF0u
#define STATE_VALID  0x50u
#define BLANK        0xFFu

/* --- stored keys --- */

void kw_stored_key(const uint8_t key[KW_PUBLIC_KEY_SIZE],
                   uint8_t stored[KW_STORED_KEY_SIZE]) {
    memset(stored, 0, KW_STORED_KEY_SIZE);
    memcpy(stored + 4, key, 32);
    memcpy(stored + 40, key + 32, 32);
}

bool kw_stored_key_is_valid(uint8_t first_byte) {
    return (first_byte & STATE_NIBBLE) == STATE_VALID;
}

/* Four bytes before X and four before Y: validity and nothing else. */
static void drop_pads(uint8_t stored[KW_STORED_KEY_SIZE]) {
    memset(stored, 0, 4);
    memset(stored + 36, 0, 4);
}

/* As it leaves the vendor, or zeroised at the end of its life. */
static bool is_blank(const uint8_t stored[KW_STORED_KEY_SIZE]) {
    const uint8_t fill = stored[4];
    return (fill == BLANK || fill == 0) && kw_all_bytes(stored + 4, 32, fill) &&
           kw_all_bytes(stored + 40, 32, fill);
}

bool kw_stored_key_read(const uint8_t stored[KW_STORED_KEY_SIZE],
                        uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    if (is_blank(stored)) {
        return false;
    }
    memcpy(key, stored + 4, 32);
    memcpy(key + 32, stored + 40, 32);
    return true;
}

/* The slot's content before the rotation, as it is written back. */
void kw_rotate_old_content(const struct kw_bundle *bundle,
                           uint8_t stored[KW_STORED_KEY_SIZE]) {
    if (bundle->has_old_key) {
        kw_stored_key(bundle->old_key, stored);
    } else {
        memset(stored, BLANK, KW_STORED_KEY_SIZE);
    }
}

/* --- where a run stands --- */

kw_status kw_rotate_read_state(struct kw_chip *chip,
                               struct kw_rotate_state *state) {
    /* What was not read fits no bundle. */
    *state = (struct kw_rotate_state){.counter = UINT32_MAX};
    KW_TRY(kw_chip_read_config(chip, state->config));
    KW_TRY(kw_chip_read_slot(chip, KW_ROTATING_SLOT, state->stored,
                             KW_STORED_KEY_SIZE));
    KW_TRY(kw_chip_counter(chip, KW_ROTATE_COUNTER, &state->counter));
    kw_config_serial(state->config, state->serial);
    state->validated = kw_stored_key_is_valid(state->stored[0]);
    return KW_OK;
}

static bool block_equals(const uint8_t left[KW_STORED_KEY_SIZE],
                         const uint8_t right[KW_STORED_KEY_SIZE],
                         unsigned block) {
    const size_t at = block * KW_BLOCK_SIZE;
    const size_t left_over = KW_STORED_KEY_SIZE - at;
    const size_t size = left_over < KW_BLOCK_SIZE ? left_over : KW_BLOCK_SIZE;
    return memcmp(left + at, right + at, size) == 0;
}

/* Without an old key the slot was blank: FF, or zeros. */
static bool holds_old(const struct kw_bundle *bundle,
                      const uint8_t stored[KW_STORED_KEY_SIZE],
                      unsigned block) {
    static const uint8_t zeros[KW_STORED_KEY_SIZE];
    uint8_t old_stored[KW_STORED_KEY_SIZE];
    kw_rotate_old_content(bundle, old_stored);
    drop_pads(old_stored);
    return block_equals(stored, old_stored, block) ||
           (!bundle->has_old_key && block_equals(stored, zeros, block));
}

struct kw_rotate_blocks
kw_rotate_compare(const struct kw_bundle *bundle,
                  const uint8_t stored[KW_STORED_KEY_SIZE]) {
    uint8_t found[KW_STORED_KEY_SIZE];
    uint8_t new_stored[KW_STORED_KEY_SIZE];
    struct kw_rotate_blocks blocks = {0, 0, false};
    kw_stored_key(bundle->new_key, new_stored);
    memcpy(found, stored, sizeof found);
    drop_pads(found);
    for (unsigned i = 0; i < KW_ROTATE_BLOCKS; i++) {
        const bool is_old = holds_old(bundle, found, i);
        const bool is_new = block_equals(found, new_stored, i);
        blocks.old_count += is_old ? 1 : 0;
        blocks.new_count += is_new ? 1 : 0;
        blocks.foreign = blocks.foreign || (!is_old && !is_new);
    }
    return blocks;
}

static kw_status check_sequence(uint32_t sequence, uint32_t counter) {
    KW_ENSURE(sequence > counter, KW_NO_SEQUENCE_REPLAYED);
    KW_ENSURE(sequence - counter <= KW_ROTATE_AHEAD, KW_NO_SEQUENCE_AHEAD);
    return KW_OK;
}

static kw_status locate_slot(const struct kw_bundle *bundle,
                             const struct kw_rotate_state *state,
                             enum kw_rotate_position *position) {
    const struct kw_rotate_blocks blocks =
        kw_rotate_compare(bundle, state->stored);
    if (state->validated && blocks.new_count == KW_ROTATE_BLOCKS) {
        *position = bundle->sequence == state->counter ? KW_ROTATE_DONE
                                                       : KW_ROTATE_VALIDATED;
        return KW_OK;
    }
    if (state->validated) {
        KW_ENSURE(blocks.old_count == KW_ROTATE_BLOCKS, KW_NO_OLD_KEY);
        KW_ENSURE(bundle->old_validated, KW_NO_OLD_PAIRS);
        *position = KW_ROTATE_READY;
        return KW_OK;
    }
    KW_ENSURE(!blocks.foreign, KW_NO_OLD_KEY);
    *position = KW_ROTATE_WRITING;
    return KW_OK;
}

/* The serial field that the bundle must have on this chip. */
void kw_rotate_serial_field(const struct kw_bundle *bundle,
                            const struct kw_rotate_state *state,
                            uint8_t serial[KW_SERIAL_SIZE]) {
    memcpy(serial, state->serial, KW_SERIAL_SIZE);
    if (!bundle->names_serial) {
        kw_serial_of_fleet(state->serial, serial);
    }
}

static kw_status check_identity(const struct kw_rotate *rotate,
                                const struct kw_rotate_state *state) {
    const struct kw_bundle *bundle = rotate->bundle;
    const struct kw_configuration configuration =
        kw_configuration_of(state->config);
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t digest[KW_SHA256_SIZE];

    kw_rotate_serial_field(bundle, state, serial);
    KW_ENSURE(memcmp(serial, bundle->serial, sizeof serial) == 0, KW_NO_SERIAL);
    KW_TRY(kw_configuration_digest(rotate->hash, &configuration, digest));
    KW_ENSURE(memcmp(digest, bundle->configuration_digest, sizeof digest) == 0,
              KW_NO_CONFIGURATION);
    KW_ENSURE(!bundle->has_old_key || memcmp(bundle->old_key, bundle->new_key,
                                             KW_PUBLIC_KEY_SIZE) != 0,
              KW_NO_SAME_KEY);
    return KW_OK;
}

kw_status kw_rotate_locate(const struct kw_rotate *rotate,
                           const struct kw_rotate_state *state,
                           enum kw_rotate_position *position) {
    enum kw_rotate_position found = KW_ROTATE_READY;
    KW_TRY(check_identity(rotate, state));
    const kw_status status = locate_slot(rotate->bundle, state, &found);
    /* A bundle of the past names a key that has gone since: replay is the
     * better word for it than another key. */
    if (status != KW_OK || found != KW_ROTATE_DONE) {
        KW_TRY(check_sequence(rotate->bundle->sequence, state->counter));
    }
    KW_TRY(status);
    *position = found;
    return KW_OK;
}
