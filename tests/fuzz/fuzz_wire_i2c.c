/* Transfers of the I2C bus: a read that is acknowledged has the bytes that
 * were asked for, anything else is answered by one byte. Input: a choice,
 * then messages (wire_board.h). */
#include "tests/fuzz/wire_board.h"

static void see(void *self, const uint8_t *request, size_t request_size,
                const struct kw_sim_reply *reply) {
    (void)self;
    FUZZ_DEMAND(reply->bytes[0] <= 2);
    if (reply->bytes[0] != 0) {
        FUZZ_DEMAND(reply->size == 1);
        return;
    }
    FUZZ_DEMAND(request_size >= 4 && request[1] != 0);
    const size_t size = (size_t)(request[2] | request[3] << 8);
    const bool reads = (request[0] & 1) != 0;
    FUZZ_DEMAND(reply->size == 1 + (reads ? size : 0));
    FUZZ_DEMAND(reads || request_size == 4 + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_board board;
    if (size < 2 || size > 4096) {
        return 0;
    }
    fuzz_board_open(&board, &kw_sim_wire_i2c, data[0]);
    fuzz_board_messages(&board, data + 1, size - 1, see, NULL);
    fuzz_board_close(&board);
    return 0;
}
