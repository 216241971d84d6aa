/* Kit lines: each line that ends is answered by exactly one line, whatever
 * it is, and the same whether it comes at once or byte by byte. Input: a
 * choice (wire_board.h), then the stream. */
#include "tests/fuzz/wire_board.h"

#define OUTPUT_MAX (1u << 18)

struct output {
    uint8_t bytes[OUTPUT_MAX];
    size_t size;
};

static void see(void *self, const uint8_t *request, size_t request_size,
                const struct kw_sim_reply *reply) {
    struct output *output = self;
    const bool ends = request[request_size - 1] == '\n';
    FUZZ_DEMAND((reply->size > 0) == ends);
    if (!ends) {
        return;
    }
    const uint8_t *end = memchr(reply->bytes, '\n', reply->size);
    FUZZ_DEMAND(end == reply->bytes + reply->size - 1);
    FUZZ_DEMAND(end - reply->bytes > 3 && end[-1] == ')');
    FUZZ_DEMAND(output->size + reply->size <= sizeof output->bytes);
    memcpy(output->bytes + output->size, reply->bytes, reply->size);
    output->size += reply->size;
}

/* As from a slow port. */
static void feed_slowly(struct fuzz_board *board, const uint8_t *data,
                        size_t size, struct output *output) {
    size_t start = 0;
    for (size_t end = 1; end <= size; end++) {
        struct kw_sim_reply reply;
        const size_t taken =
            fuzz_board_take(board, data + start, end - start, &reply);
        if (taken > 0) {
            see(output, data + start, taken, &reply);
            start += taken;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct output quick;
    static struct output slow;
    struct fuzz_board board;
    if (size < 2 || size > 4096) {
        return 0;
    }
    /* Time would tell the two apart. */
    const uint8_t choice = data[0] & 14;
    quick.size = 0;
    slow.size = 0;
    fuzz_board_open(&board, &kw_sim_wire_kit, choice);
    fuzz_board_stream(&board, data + 1, size - 1, see, &quick);
    fuzz_board_close(&board);
    if (size > 256) {
        return 0;
    }
    fuzz_board_open(&board, &kw_sim_wire_kit, choice);
    feed_slowly(&board, data + 1, size - 1, &slow);
    fuzz_board_close(&board);
    FUZZ_DEMAND(quick.size == slow.size &&
                memcmp(quick.bytes, slow.bytes, slow.size) == 0);
    return 0;
}
