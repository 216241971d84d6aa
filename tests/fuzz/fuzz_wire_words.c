/* Word addresses and packets, as on the board's sockets and TCP port: what
 * is answered is a frame, where nothing fails. Input: a choice (wire_board.h),
 * then the stream. */
#include "core/packet.h"
#include "tests/fuzz/wire_board.h"

#define COMMAND 3
#define IN_STEP 5 /* answers 00, which is no frame, whatever fails */

static void see(void *self, const uint8_t *request, size_t request_size,
                const struct kw_sim_reply *reply) {
    const uint8_t *data = NULL;
    size_t data_size = 0;
    const struct fuzz_board *board = self;
    FUZZ_DEMAND(request[0] == COMMAND || request_size == 1);
    if (request[0] == IN_STEP) {
        FUZZ_DEMAND(reply->size == 1 && reply->bytes[0] == 0);
        return;
    }
    FUZZ_DEMAND(request[0] <= COMMAND);
    FUZZ_DEMAND(request[0] != 0 || reply->size > 0);
    FUZZ_DEMAND(reply->size == 0 || request[0] == 0 || request[0] == COMMAND);
    FUZZ_DEMAND(reply->size == 0 || board->faults ||
                kw_response_decode(reply->bytes, reply->size, &data,
                                   &data_size) == KW_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_board board;
    if (size < 2 || size > 4096) {
        return 0;
    }
    fuzz_board_open(&board, &kw_sim_wire_words, data[0]);
    fuzz_board_stream(&board, data + 1, size - 1, see, &board);
    fuzz_board_close(&board);
    return 0;
}
