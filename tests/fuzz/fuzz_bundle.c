/* Payloads of requests and bundles: what decodes encodes to the same bytes,
 * and kw_rotate_locate never lets a bundle pass that it must refuse.
 *
 * Input: the chip's state (byte 0: bit 0 validated, bits 1-3 the new key's
 * block is in slot 14, bits 4-6 a foreign one), counter 1 (2 bytes,
 * little-endian), then the payload. */
#include "core/bundle.h"
#include "core/bytes.h"
#include "core/rotate.h"
#include "core/sha256.h"
#include "tests/fuzz/fuzz.h"

static void try_request(const uint8_t *payload, size_t size) {
    struct kw_request request;
    uint8_t again[KW_REQUEST_SIZE];
    if (kw_request_decode(payload, size, &request) == KW_OK) {
        kw_request_encode(&request, again);
        FUZZ_DEMAND(memcmp(again, payload, size) == 0);
    }
}

/* Configuration bytes 0, 1, 2, ..: corpus.py knows them too. */
static struct kw_rotate_state make_state(const struct kw_bundle *bundle,
                                         uint8_t bits, uint32_t counter) {
    struct kw_rotate_state state = {.validated = (bits & 1) != 0,
                                    .counter = counter};
    uint8_t new_stored[KW_STORED_KEY_SIZE];
    for (size_t i = 0; i < KW_CONFIG_SIZE; i++) {
        state.config[i] = (uint8_t)i;
    }
    kw_config_serial(state.config, state.serial);
    kw_stored_key(bundle->new_key, new_stored);
    memset(state.stored, 0xFF, sizeof state.stored);
    if (bundle->has_old_key) {
        kw_stored_key(bundle->old_key, state.stored);
    }
    for (size_t i = 0; i < sizeof state.stored; i++) {
        const unsigned block = (unsigned)(i / KW_BLOCK_SIZE);
        if ((bits >> (1 + block) & 1) != 0) {
            state.stored[i] = new_stored[i];
        }
        state.stored[i] ^= (bits >> (4 + block) & 1) != 0 ? 0x0A : 0;
    }
    state.stored[0] =
        (uint8_t)((state.stored[0] & 0x0F) | (state.validated ? 0x50 : 0xA0));
    return state;
}

static void check_position(const struct kw_bundle *bundle,
                           const struct kw_rotate_state *state,
                           enum kw_rotate_position position) {
    const bool in_sequence =
        bundle->sequence > state->counter &&
        bundle->sequence - state->counter <= KW_ROTATE_AHEAD;
    FUZZ_DEMAND(position == KW_ROTATE_DONE ? bundle->sequence == state->counter
                                           : in_sequence);
    FUZZ_DEMAND(state->validated == (position != KW_ROTATE_WRITING));
    if (position != KW_ROTATE_WRITING) {
        const bool is_old = position == KW_ROTATE_READY;
        FUZZ_DEMAND(!is_old || bundle->old_validated);
        const uint8_t *key = is_old ? bundle->old_key : bundle->new_key;
        FUZZ_DEMAND(memcmp(state->stored + 4, key, 32) == 0);
        FUZZ_DEMAND(memcmp(state->stored + 40, key + 32, 32) == 0);
    }
}

static void try_bundle(const uint8_t *payload, size_t size, uint8_t bits,
                       uint32_t counter) {
    struct kw_bundle bundle;
    uint8_t again[KW_BUNDLE_SIZE];
    if (kw_bundle_decode(payload, size, &bundle) != KW_OK) {
        return;
    }
    kw_bundle_encode(&bundle, again);
    FUZZ_DEMAND(memcmp(again, payload, size) == 0);

    const struct kw_rotate rotate = {.hash = &kw_sha256_hash,
                                     .bundle = &bundle};
    const struct kw_rotate_state state = make_state(&bundle, bits, counter);
    enum kw_rotate_position position;
    if (kw_rotate_locate(&rotate, &state, &position) == KW_OK) {
        check_position(&bundle, &state, position);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = {data, size};
    uint8_t counter[2];
    const uint8_t bits = fuzz_byte(&input);
    fuzz_bytes(&input, counter, sizeof counter);
    try_request(input.at, input.left);
    try_bundle(input.at, input.left, bits, kw_load_le16(counter));
    return 0;
}
