/* Messages of the kit bridge: each is answered by one that repeats its
 * header; frames follow a receive alone. Input: a choice, then messages
 * (wire_board.h). */
#include "tests/fuzz/wire_board.h"

static void see(void *self, const uint8_t *request, size_t request_size,
                const struct kw_sim_reply *reply) {
    const size_t repeated = request_size < 3 ? request_size : 3;
    (void)self;
    FUZZ_DEMAND(reply->size >= 4 && reply->size <= 4 + KW_RESPONSE_MAX);
    FUZZ_DEMAND(memcmp(reply->bytes, request, repeated) == 0);
    const bool receives = request_size == 6 && (request[1] & 0x0F) == 2;
    FUZZ_DEMAND(reply->size == 4 || (receives && reply->bytes[3] == 0));
    FUZZ_DEMAND(!receives ||
                reply->size - 4 <= (size_t)(request[4] | request[5] << 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_board board;
    if (size < 2 || size > 4096) {
        return 0;
    }
    fuzz_board_open(&board, &kw_sim_wire_bridge, data[0]);
    fuzz_board_messages(&board, data + 1, size - 1, see, NULL);
    fuzz_board_close(&board);
    return 0;
}
