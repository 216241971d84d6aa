/* Bits of the single wire: every byte comes back first, and what the chip
 * adds are bits of whole bytes. Input: a choice (wire_board.h); whether the
 * rest is what the UART sends (0), or bytes to be sent as bits (1), where 00
 * before FF is a wake token; the rest. */
#include "tests/fuzz/wire_board.h"

static void see(void *self, const uint8_t *request, size_t request_size,
                const struct kw_sim_reply *reply) {
    (void)self;
    FUZZ_DEMAND(request_size == 1 && reply->bytes[0] == request[0]);
    FUZZ_DEMAND((reply->size - 1) % 8 == 0);
    for (size_t i = 1; i < reply->size; i++) {
        FUZZ_DEMAND(reply->bytes[i] == 0x7F || reply->bytes[i] == 0x7D);
    }
}

static void send_bits(struct fuzz_board *board, uint8_t byte) {
    uint8_t bits[8];
    for (unsigned i = 0; i < 8; i++) {
        bits[i] = (byte >> i & 1) != 0 ? 0x7F : 0x7D;
    }
    fuzz_board_stream(board, bits, sizeof bits, see, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_board board;
    if (size < 3 || size > 4096) {
        return 0;
    }
    fuzz_board_open(&board, &kw_sim_wire_swi, data[0]);
    if ((data[1] & 1) == 0) {
        fuzz_board_stream(&board, data + 2, size - 2, see, NULL);
    }
    for (size_t i = 2; (data[1] & 1) != 0 && i < size; i++) {
        const bool token = data[i] == 0 && i + 1 < size && data[i + 1] == 0xFF;
        if (token) {
            fuzz_board_stream(&board, data + i++, 1, see, NULL);
            continue;
        }
        send_bits(&board, data[i]);
    }
    fuzz_board_close(&board);
    return 0;
}
