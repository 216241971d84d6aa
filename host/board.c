#include "host/board.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/board_fleet.h"
#include "host/board_ports.h"
#include "host/board_seat.h"
#include "host/no_core.h"
#include "sim/board/wire.h"

#define SWI_BURST KW_BOARD_REQUEST_MAX /* a request is one bit */

_Static_assert(KW_BOARD_REQUEST_MAX == KW_SIM_REQUEST_MAX &&
                   KW_BOARD_REPLY_MAX == KW_SIM_REPLY_MAX,
               "the loop has room for what a wire takes and answers");

/* What a connection of a port begins with. */
struct listener {
    struct kw_board *board;
    const struct kw_board_place *at;
};

/* A chip in its place. */
struct seat {
    struct kw_seat own;
    struct kw_sim_place *place;
};

struct kw_board {
    struct kw_sim_bus bus;
    struct seat *seats; /* by place */
    struct kw_fleet fleet;
    struct kw_sim_bus fleet_bus; /* for its places alone: there is no wire */
    struct seat *fleet_seats;
    uint64_t (*chip_clock)(void *);
    struct kw_board_faults faults;
    struct kw_sim_scratch *scratches[KW_BOARD_WORKERS_MAX]; /* by worker */
    struct kw_seat_shared shared;
    struct kw_board_ports ports;
    struct kw_no_core core_before;
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- the chips --- */

static void fill_seat(struct kw_board *board, struct seat *seat,
                      struct kw_sim_place *place, const char *name,
                      size_t number) {
    kw_seat_init(&seat->own, &board->shared, name, (unsigned)number);
    seat->place = place;
    place->name = name;
}

static struct kw_emulated_options
chip_options(const struct kw_board *board, struct seat *seat, unsigned worker) {
    return (struct kw_emulated_options){
        .clock = board->chip_clock,
        .scratch = board->scratches[worker],
        .changed = kw_seat_note_change,
        .self = &seat->own,
    };
}

static void take_power(const struct kw_board *board, struct seat *seat) {
    const struct kw_board_faults *faults = &board->faults;
    const struct kw_sim_fault_plan plan = {
        .seed = faults->seed,
        .garble = faults->garble,
        .lose = faults->lose,
        .nak = faults->nak,
        .stick = faults->stick,
        .cut = faults->cut,
    };
    seat->place->chip = kw_emulated_sim(seat->own.powered);
    if (faults->on) {
        kw_sim_fault_begin(seat->place, &plan);
    }
}

/* A chip of the fleet gets power when it is first chosen. With its lock. */
static kw_status power_up_chosen(struct kw_board *board, size_t number,
                                 unsigned worker) {
    struct seat *seat = &board->fleet_seats[number];
    const struct kw_emulated_options options =
        chip_options(board, seat, worker);
    struct kw_error error;
    if (seat->own.powered != NULL) {
        return KW_OK;
    }
    char *path = kw_fleet_image(&board->fleet, number);
    KW_ENSURE(path != NULL, KW_SYSTEM_MEMORY);
    const kw_status status =
        kw_emulated_image_power_up(path, &options, &seat->own.powered, &error);
    free(path);
    if (status == KW_OK) {
        take_power(board, seat);
    } else if (board->bus.log != NULL) {
        board->bus.log(board->bus.log_self, error.message);
    }
    return status;
}

/* --- what a connection speaks --- */

struct connection {
    struct kw_sim_wire wire;
    struct kw_board *board;
    bool fleet;
    struct seat *seats; /* the chips that hear it */
    size_t seat_count;
    uint64_t changes[]; /* by seat: what the last answer stands on */
};

struct plan {
    const struct kw_sim_wire_kind *kind;
    enum kw_board_port_kind port;
    unsigned burst; /* requests of one connection in a row */
};

static const struct plan PLANS[] = {
    [KW_BOARD_WORDS] = {&kw_sim_wire_words, KW_BOARD_STREAM, 1},
    [KW_BOARD_KIT] = {&kw_sim_wire_kit, KW_BOARD_TERMINAL, 1},
    [KW_BOARD_SWI] = {&kw_sim_wire_swi, KW_BOARD_TERMINAL, SWI_BURST},
    [KW_BOARD_I2C] = {&kw_sim_wire_i2c, KW_BOARD_MESSAGES, 1},
    [KW_BOARD_BRIDGE] = {&kw_sim_wire_bridge, KW_BOARD_MESSAGES, 1},
    [KW_BOARD_FLEET] = {&kw_sim_wire_words, KW_BOARD_STREAM, 1},
};

static void *begin_wire(void *context) {
    const struct listener *listener = context;
    struct kw_board *board = listener->board;
    const struct kw_board_place *at = listener->at;
    const size_t count = at->chip == KW_BOARD_ALL ? board->bus.count : 1;
    const size_t first = at->chip == KW_BOARD_ALL ? 0 : at->chip;
    struct connection *connection =
        calloc(1, sizeof *connection + count * sizeof(uint64_t));
    if (connection == NULL) {
        return NULL;
    }
    connection->board = board;
    connection->fleet = at->speech == KW_BOARD_FLEET;
    connection->wire.kind = PLANS[at->speech].kind;
    connection->wire.bus = connection->fleet ? &board->fleet_bus : &board->bus;
    connection->wire.place =
        at->chip == KW_BOARD_ALL ? NULL : &board->bus.places[first];
    connection->seats = &board->seats[first];
    connection->seat_count = connection->fleet ? 0 : count;
    return connection;
}

/* A chip that is out of order is off its bus from then on. */
static void lock_seats(struct connection *connection, unsigned worker) {
    for (size_t i = 0; i < connection->seat_count; i++) {
        struct seat *seat = &connection->seats[i];
        kw_seat_lock(&seat->own);
        seat->place->off = seat->place->off || atomic_load(&seat->own.dead);
        kw_sim_chip_lend(seat->place->chip,
                         connection->board->scratches[worker]);
    }
}

/* Answers whether the answer stands on what is not stored. What a dead chip
 * would say is no part of a bus's answer: it is off the bus. */
static bool unlock_seats(struct connection *connection) {
    const bool alone = connection->wire.place != NULL;
    bool unstored = false;
    for (size_t i = 0; i < connection->seat_count; i++) {
        struct kw_seat *seat = &connection->seats[i].own;
        const bool counts = alone || !atomic_load(&seat->dead);
        const uint64_t changes = kw_seat_unlock(seat);
        connection->changes[i] = counts ? changes : 0;
        unstored = unstored || kw_seat_stored(seat, connection->changes[i]) !=
                                   KW_BOARD_STORED;
    }
    return unstored;
}

/* --- choosing a chip of the fleet --- */

enum choice { CHOSEN = 0, NO_SUCH_CHIP = 1, NO_POWER = 2 };

static enum choice choose(struct connection *connection, unsigned worker,
                          size_t number) {
    struct kw_board *board = connection->board;
    if (number == board->fleet.count) {
        return NO_SUCH_CHIP;
    }
    struct seat *seat = &board->fleet_seats[number];
    kw_seat_lock(&seat->own);
    const kw_status status = power_up_chosen(board, number, worker);
    (void)kw_seat_unlock(&seat->own);
    if (status != KW_OK) {
        return NO_POWER;
    }
    connection->seats = seat;
    connection->seat_count = 1;
    connection->wire.place = seat->place;
    return CHOSEN;
}

static size_t take_choice(struct connection *connection, unsigned worker,
                          const uint8_t *input, size_t size,
                          struct kw_board_reply *reply) {
    size_t number = 0;
    const size_t taken =
        kw_fleet_take_choice(&connection->board->fleet, input, size, &number);
    if (taken > 0) {
        reply->bytes[0] = (uint8_t)choose(connection, worker, number);
        reply->size = 1;
    }
    return taken;
}

static size_t take_request(void *state, unsigned worker, const uint8_t *input,
                           size_t size, struct kw_board_reply *reply) {
    struct connection *connection = state;
    struct kw_sim_wire *wire = &connection->wire;
    struct kw_sim_reply answer;
    if (connection->fleet && size > 0 && input[0] == KW_FLEET_CHOOSE) {
        return take_choice(connection, worker, input, size, reply);
    }
    if (connection->seat_count == 0) {
        reply->broken = true;
        return size;
    }
    answer.size = 0;
    answer.not_before = 0;
    answer.broken = false;
    lock_seats(connection, worker);
    const size_t taken = wire->kind->take(wire, input, size, &answer);
    const bool unstored = unlock_seats(connection);
    memcpy(reply->bytes, answer.bytes, answer.size);
    reply->size = answer.size;
    reply->not_before = answer.not_before;
    reply->unstored = unstored && answer.size > 0;
    reply->broken = answer.broken;
    kw_wipe(answer.bytes, answer.size);
    return taken;
}

/* A chip that is out of order takes every connection along that it hears:
 * what it would answer is not stored and never will be. */
static enum kw_board_stored is_stored(void *state) {
    const struct connection *connection = state;
    enum kw_board_stored stored = KW_BOARD_STORED;
    for (size_t i = 0; i < connection->seat_count; i++) {
        const enum kw_board_stored one =
            kw_seat_stored(&connection->seats[i].own, connection->changes[i]);
        stored = one > stored ? one : stored;
    }
    return stored;
}

static void end_wire(void *state) {
    kw_wipe(state, sizeof(struct connection));
    free(state);
}

/* --- the bus --- */

static kw_status power_up(struct kw_board *board,
                          const struct kw_board_options *options, size_t number,
                          struct kw_error *error) {
    struct seat *seat = &board->seats[number];
    const struct kw_emulated_options chip = chip_options(board, seat, 0);
    const kw_status status =
        kw_emulated_power_up(options->workspace, options->chips[number], &chip,
                             &seat->own.powered, error);
    if (status == KW_ABSENT_LOCKED) {
        return kw_error_hint(error, "a board needs all chips of its "
                                    "workspace for itself: wait until that "
                                    "process has ended, or end it");
    }
    KW_TRY(status);
    take_power(board, seat);
    return KW_OK;
}

static kw_status open_fleet(struct kw_board *board, const char *folder,
                            struct kw_error *error) {
    if (folder == NULL) {
        return KW_OK;
    }
    KW_TRY(kw_fleet_open(&board->fleet, folder, error));
    const size_t count = board->fleet.count;
    struct kw_sim_bus *bus = &board->fleet_bus;
    *bus = board->bus;
    bus->places = NULL;
    bus->count = 0;
    board->fleet_seats = calloc(count, sizeof *board->fleet_seats);
    bus->places = calloc(count, sizeof *bus->places);
    if (board->fleet_seats == NULL || bus->places == NULL) {
        return no_memory(error);
    }
    bus->count = count;
    for (size_t i = 0; i < count; i++) {
        fill_seat(board, &board->fleet_seats[i], &bus->places[i],
                  board->fleet.names[i], i);
    }
    return KW_OK;
}

static kw_status set_switches(struct kw_board *board,
                              const struct kw_board_options *options,
                              struct kw_error *error) {
    const char *at = options->switched_off;
    while (at != NULL && *at != '\0') {
        const size_t size = strcspn(at, ",");
        size_t number = 0;
        KW_TRY(kw_board_chip_number(options, at, size, "to switch off", &number,
                                    error));
        board->bus.places[number].off = true;
        at += size;
        at += *at == ',' ? 1 : 0;
    }
    return KW_OK;
}

static kw_status start(struct kw_board *board,
                       const struct kw_board_options *options,
                       struct kw_error *error) {
    board->bus.limits = options->limits;
    board->bus.now = kw_board_microseconds;
    board->bus.log = options->log;
    board->bus.log_self = options->log_self;
    board->shared.log = options->log;
    board->shared.log_self = options->log_self;
    board->bus.count = options->chip_count;
    board->chip_clock = options->watchdog ? kw_board_microseconds : NULL;
    board->faults = options->faults;
    for (size_t i = 0; i < options->chip_count; i++) {
        fill_seat(board, &board->seats[i], &board->bus.places[i],
                  options->chips[i], i);
    }
    for (size_t i = 0; i < options->chip_count; i++) {
        KW_TRY(power_up(board, options, i, error));
    }
    KW_TRY(set_switches(board, options, error));
    kw_sim_bus_power_up(&board->bus);
    KW_TRY(open_fleet(board, options->fleet, error));
    return kw_board_ports_open(&board->ports, options, error);
}

/* --- a board's life --- */

static bool fill_scratches(struct kw_board *board) {
    for (unsigned i = 0; i < kw_board_loop_workers(); i++) {
        board->scratches[i] = kw_sim_scratch_new(NULL);
        if (board->scratches[i] == NULL) {
            return false;
        }
    }
    return true;
}

static struct kw_board *new_board(size_t chip_count) {
    struct kw_board *board = calloc(1, sizeof *board);
    if (board == NULL) {
        return NULL;
    }
    kw_no_core_begin(&board->core_before);
    board->seats = calloc(chip_count, sizeof *board->seats);
    board->bus.places = calloc(chip_count, sizeof *board->bus.places);
    board->shared.flush = kw_flush_new();
    if (board->seats == NULL || board->bus.places == NULL ||
        board->shared.flush == NULL || !fill_scratches(board)) {
        kw_board_close(board);
        return NULL;
    }
    return board;
}

kw_status kw_board_open(const struct kw_board_options *options,
                        struct kw_board **board, struct kw_error *error) {
    struct kw_board *made = new_board(options->chip_count);
    if (made == NULL) {
        return no_memory(error);
    }
    const kw_status status = start(made, options, error);
    if (status != KW_OK) {
        kw_board_close(made);
        return status;
    }
    *board = made;
    return KW_OK;
}

bool kw_board_listener(const struct kw_board *board, size_t number,
                       struct kw_board_listener *listener) {
    if (number >= board->ports.count) {
        return false;
    }
    const struct kw_board_place *place = &board->ports.places[number];
    listener->chip = place->chip == KW_BOARD_ALL
                         ? NULL
                         : board->bus.places[place->chip].name;
    listener->address = place->endpoint.address;
    listener->chips = place->speech == KW_BOARD_FLEET ? board->fleet.count : 0;
    return true;
}

static void fill_port(struct listener *listener, struct kw_board_port *port) {
    const struct kw_board_place *place = listener->at;
    const struct plan *plan = &PLANS[place->speech];
    *port = (struct kw_board_port){
        .fd = place->endpoint.fd,
        .held = place->endpoint.held,
        .watch = place->endpoint.watch,
        .kind = plan->port,
        .wire = {begin_wire, take_request, is_stored, end_wire, listener,
                 plan->burst},
    };
}

static kw_status run_loop(struct kw_board *board,
                          const struct kw_board_port *ports,
                          const volatile sig_atomic_t *stop,
                          struct kw_error *error) {
    board->shared.loop = kw_board_loop_new(ports, board->ports.count);
    if (board->shared.loop == NULL) {
        return no_memory(error);
    }
    const kw_status status = kw_board_loop_run(board->shared.loop, stop, error);
    kw_flush_free(board->shared.flush);
    board->shared.flush = NULL;
    kw_board_loop_free(board->shared.loop);
    board->shared.loop = NULL;
    return status;
}

kw_status kw_board_serve(struct kw_board *board,
                         const volatile sig_atomic_t *stop,
                         struct kw_error *error) {
    const size_t count = board->ports.count;
    struct listener *listeners = calloc(count, sizeof *listeners);
    struct kw_board_port *ports = calloc(count, sizeof *ports);
    kw_status status = KW_SYSTEM_MEMORY;
    if (listeners == NULL || ports == NULL) {
        status = no_memory(error);
    } else {
        for (size_t i = 0; i < count; i++) {
            listeners[i] = (struct listener){board, &board->ports.places[i]};
            fill_port(&listeners[i], &ports[i]);
        }
        status = run_loop(board, ports, stop, error);
    }
    free(listeners);
    free(ports);
    return status;
}

static void empty_seats(struct kw_sim_bus *bus, struct seat *seats) {
    for (size_t i = 0; seats != NULL && i < bus->count; i++) {
        kw_seat_end(&seats[i].own);
        kw_wipe(&bus->places[i], sizeof bus->places[i]);
    }
    free(bus->places);
    free(seats);
}

void kw_board_close(struct kw_board *board) {
    if (board == NULL) {
        return;
    }
    kw_board_ports_close(&board->ports);
    kw_flush_free(board->shared.flush);
    empty_seats(&board->bus, board->seats);
    empty_seats(&board->fleet_bus, board->fleet_seats);
    kw_fleet_close(&board->fleet);
    for (size_t i = 0; i < KW_BOARD_WORKERS_MAX; i++) {
        kw_sim_scratch_free(board->scratches[i]);
    }
    kw_no_core_end(&board->core_before);
    free(board);
}
