/* tests/fuzz/wire_board.h: a board with a wire, for the targets fuzz_wire_*.
 *
 * Three chips that answer the same each time, on one bus; the third at the
 * address of the first when the bytes say so. */
#ifndef KW_TESTS_FUZZ_WIRE_BOARD_H
#define KW_TESTS_FUZZ_WIRE_BOARD_H

#include "sim/board/wire.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_CHIPS 3

struct fuzz_board {
    struct kw_sim_chip *chips[FUZZ_CHIPS];
    struct kw_sim_place places[FUZZ_CHIPS];
    struct kw_sim_bus bus;
    struct kw_sim_wire wire;
    uint64_t time; /* microseconds */
    bool faults;
};

/* Byte 0 of the input: bit 0 chips are busy for a while, bit 1 two chips at
 * one address, bit 2 the second chip is off, bit 3 every other packet or
 * response meets a fault, and the second write the end of the supply. */
void fuzz_board_open(struct fuzz_board *board,
                     const struct kw_sim_wire_kind *kind, uint8_t choice);

/* One call of the wire, with what must hold for each: sizes, and that a
 * wire that wants more has room for more. Time passes. */
size_t fuzz_board_take(struct fuzz_board *board, const uint8_t *input,
                       size_t size, struct kw_sim_reply *reply);

/* A whole stream as the board's loop feeds it; each answer goes to see. */
void fuzz_board_stream(struct fuzz_board *board, const uint8_t *input,
                       size_t size,
                       void (*see)(void *self, const uint8_t *request,
                                   size_t request_size,
                                   const struct kw_sim_reply *reply),
                       void *self);

/* Messages: a byte that says the size, then the message. */
void fuzz_board_messages(struct fuzz_board *board, const uint8_t *input,
                         size_t size,
                         void (*see)(void *self, const uint8_t *request,
                                     size_t request_size,
                                     const struct kw_sim_reply *reply),
                         void *self);

/* Each chip must be in a defined state: it wakes and says what it is. */
void fuzz_board_close(struct fuzz_board *board);

#endif
