#include "tests/fuzz/wire_board.h"

#include "sim/atecc608/personality.h"
#include "tests/fuzz/chip_double.h"

enum {
    CHOICE_BUSY = 1,
    CHOICE_COLLISION = 2,
    CHOICE_SWITCH = 4,
    CHOICE_FAULTS = 8
};

static const enum kw_sim_part PARTS[FUZZ_CHIPS] = {
    KW_SIM_TRUSTFLEX, KW_SIM_TRUSTGO, KW_SIM_BLANK};
static const char *const NAMES[FUZZ_CHIPS] = {"flex", "go", "blank"};

static uint64_t now(void *clock) {
    return ((struct fuzz_board *)clock)->time;
}

static void log_nothing(void *self, const char *words) {
    (void)self;
    FUZZ_DEMAND(words[0] != '\0');
}

static void let_fail(struct fuzz_board *board, bool stick) {
    const struct kw_sim_fault_plan plan = {
        .seed = 1,
        .garble = KW_SIM_FAULT_SCALE / 4,
        .lose = KW_SIM_FAULT_SCALE / 8,
        .nak = KW_SIM_FAULT_SCALE / 8,
        .stick = stick ? KW_SIM_FAULT_SCALE / 8 : 0,
        .cut = 2,
    };
    for (unsigned i = 0; i < FUZZ_CHIPS; i++) {
        kw_sim_fault_begin(&board->places[i], &plan);
    }
}

void fuzz_board_open(struct fuzz_board *board,
                     const struct kw_sim_wire_kind *kind, uint8_t choice) {
    const struct kw_sim_options options = {
        .crypto = &fuzz_crypto, .now = now, .clock = board};
    fuzz_crypto_reset();
    memset(board, 0, sizeof *board);
    board->time = 1;
    for (unsigned i = 0; i < FUZZ_CHIPS; i++) {
        struct kw_sim_eeprom eeprom;
        FUZZ_DEMAND(kw_sim_personality(PARTS[i], KW_SIM_608B, &fuzz_crypto,
                                       &eeprom) == KW_OK);
        if (i == 2 && (choice & CHOICE_COLLISION) != 0) {
            eeprom.config[KW_CONFIG_I2C_ADDRESS] = 0x6C;
        }
        board->chips[i] = kw_sim_chip_new(&eeprom, &options);
        FUZZ_DEMAND(board->chips[i] != NULL);
        board->places[i].chip = board->chips[i];
        board->places[i].name = NAMES[i];
    }
    board->places[1].off = (choice & CHOICE_SWITCH) != 0;
    board->bus = (struct kw_sim_bus){
        .places = board->places,
        .count = FUZZ_CHIPS,
        .limits = (choice & CHOICE_BUSY) != 0,
        .now = now,
        .clock = board,
        .log = log_nothing,
    };
    kw_sim_bus_power_up(&board->bus);
    board->faults = (choice & CHOICE_FAULTS) != 0;
    if (board->faults) {
        let_fail(board, (choice & CHOICE_BUSY) != 0);
    }
    board->wire.kind = kind;
    board->wire.bus = &board->bus;
    board->wire.place = &board->places[0];
}

size_t fuzz_board_take(struct fuzz_board *board, const uint8_t *input,
                       size_t size, struct kw_sim_reply *reply) {
    /* Of exactly this size, so that a sanitizer sees every byte beyond. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_DEMAND(copy != NULL);
    memcpy(copy, input, size);
    reply->size = 0;
    reply->not_before = 0;
    reply->broken = false;
    const size_t taken =
        board->wire.kind->take(&board->wire, copy, size, reply);
    free(copy);
    FUZZ_DEMAND(taken <= size && reply->size <= KW_SIM_REPLY_MAX);
    FUZZ_DEMAND(taken > 0 || (reply->size == 0 && size < KW_SIM_REQUEST_MAX));
    board->time += 700;
    if (reply->not_before > board->time) {
        board->time = reply->not_before;
    }
    return taken;
}

void fuzz_board_stream(struct fuzz_board *board, const uint8_t *input,
                       size_t size,
                       void (*see)(void *self, const uint8_t *request,
                                   size_t request_size,
                                   const struct kw_sim_reply *reply),
                       void *self) {
    struct kw_sim_reply reply;
    while (size > 0) {
        const size_t there =
            size < KW_SIM_REQUEST_MAX ? size : KW_SIM_REQUEST_MAX;
        const size_t taken = fuzz_board_take(board, input, there, &reply);
        if (taken == 0 || reply.broken) {
            return;
        }
        see(self, input, taken, &reply);
        input += taken;
        size -= taken;
    }
}

void fuzz_board_messages(struct fuzz_board *board, const uint8_t *input,
                         size_t size,
                         void (*see)(void *self, const uint8_t *request,
                                     size_t request_size,
                                     const struct kw_sim_reply *reply),
                         void *self) {
    struct kw_sim_reply reply;
    while (size > 1) {
        const size_t left = size - 1;
        const size_t message = input[0] < left ? input[0] : left;
        input++;
        size = left;
        if (message == 0) {
            continue;
        }
        FUZZ_DEMAND(fuzz_board_take(board, input, message, &reply) == message);
        FUZZ_DEMAND(reply.size > 0 && !reply.broken);
        see(self, input, message, &reply);
        input += message;
        size -= message;
    }
}

void fuzz_board_close(struct fuzz_board *board) {
    static const uint8_t INFO[] = {0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5D};
    static const uint8_t ANSWER[] = {0x07, 0x00, 0x00, 0x60, 0x03, 0x83, 0xBB};
    for (unsigned i = 0; i < FUZZ_CHIPS; i++) {
        uint8_t response[KW_RESPONSE_MAX];
        kw_sim_chip_sleep(board->chips[i]);
        FUZZ_DEMAND(kw_sim_chip_wake(board->chips[i]) ||
                    kw_sim_chip_is_awake(board->chips[i]));
        FUZZ_DEMAND(kw_sim_chip_execute(board->chips[i], INFO, sizeof INFO,
                                        response) == sizeof ANSWER &&
                    memcmp(response, ANSWER, sizeof ANSWER) == 0);
        kw_sim_chip_free(board->chips[i]);
    }
}
