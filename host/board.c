#include "host/board.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core/bytes.h"
#include "host/board_flush.h"
#include "host/board_listen.h"
#include "host/board_loop.h"
#include "host/emulated_chip.h"
#include "sim/board/wire.h"

#define OTHER_LISTENERS 5                    /* TCP, SWI, kit, I2C, bridge */
#define SWI_BURST       KW_BOARD_REQUEST_MAX /* a request is one bit */

_Static_assert(KW_BOARD_REQUEST_MAX == KW_SIM_REQUEST_MAX &&
                   KW_BOARD_REPLY_MAX == KW_SIM_REPLY_MAX,
               "the loop has room for what a wire takes and answers");

struct listener {
    struct kw_endpoint endpoint;
    const char *chip; /* NULL: the bus */
    /* What a new connection begins with. */
    const struct kw_sim_wire_kind *kind;
    struct kw_board *board;
    struct kw_sim_place *place;
};

/* A chip and what its users share. A thread that uses the chip has its lock,
 * and the only locks that a thread has at once are those of a bus. */
struct seat {
    struct kw_flush_job job;
    struct kw_board *board;
    struct kw_sim_place *place;
    struct kw_emulated *powered;
    pthread_mutex_t lock;
    uint64_t changes;        /* of the EEPROM; under the lock */
    _Atomic uint64_t stored; /* how many of them are in the image */
    atomic_bool dead;        /* could not be stored: out of order */
};

struct kw_board {
    struct kw_sim_bus bus;
    struct seat *seats;                                     /* by place */
    struct kw_sim_scratch *scratches[KW_BOARD_WORKERS_MAX]; /* by worker */
    struct kw_flush *flush;
    struct kw_board_loop *loop;
    struct listener *listeners;
    size_t listener_count;
    struct kw_board_port *ports; /* by listener */
    struct rlimit core_before;
    int dumpable_before;
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- no core file with secrets --- */

static void forbid_core(struct kw_board *board) {
    board->dumpable_before = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    (void)getrlimit(RLIMIT_CORE, &board->core_before);
    (void)setrlimit(RLIMIT_CORE,
                    &(struct rlimit){0, board->core_before.rlim_max});
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void allow_core(const struct kw_board *board) {
    (void)setrlimit(RLIMIT_CORE, &board->core_before);
    (void)prctl(PR_SET_DUMPABLE, (unsigned long)board->dumpable_before, 0, 0,
                0);
}

/* --- storing what chips changed --- */

static void note_change(void *self) {
    struct seat *seat = self;
    seat->changes++;
    kw_flush_submit(seat->board->flush, &seat->job);
}

/* After a failed flush nobody knows what the disk holds, and trying again
 * may seem to succeed: the chip answers nobody any more. */
static void bury(struct seat *seat) {
    char words[256];
    const struct kw_sim_bus *bus = &seat->board->bus;
    (void)snprintf(words, sizeof words,
                   "%s is out of order until the board is started again: its "
                   "image cannot be stored: %s",
                   seat->place->name, strerror(errno));
    atomic_store(&seat->dead, true);
    if (bus->log != NULL) {
        bus->log(bus->log_self, words);
    }
}

static void store_seat(struct kw_flush_job *job) {
    struct seat *seat = (struct seat *)job;
    struct kw_sim_eeprom eeprom;
    (void)pthread_mutex_lock(&seat->lock);
    eeprom = *kw_sim_chip_eeprom(seat->place->chip);
    const uint64_t changes = seat->changes;
    (void)pthread_mutex_unlock(&seat->lock);
    if (!atomic_load(&seat->dead)) {
        if (kw_emulated_store(seat->powered, &eeprom) == KW_OK) {
            atomic_store(&seat->stored, changes);
        } else {
            bury(seat);
        }
    }
    kw_wipe(&eeprom, sizeof eeprom);
    if (seat->board->loop != NULL) {
        kw_board_loop_ring(seat->board->loop);
    }
}

static void park_seat(struct kw_flush_job *job) {
    kw_emulated_park(((struct seat *)job)->powered);
}

/* --- what a connection speaks --- */

struct connection {
    struct kw_sim_wire wire;
    struct kw_board *board;
    struct seat *seats; /* the chips that hear it */
    size_t seat_count;
    uint64_t changes[]; /* by seat: what the last answer stands on */
};

static void *begin_wire(void *context) {
    const struct listener *listener = context;
    struct kw_board *board = listener->board;
    const size_t count = listener->place == NULL ? board->bus.count : 1;
    struct connection *connection =
        calloc(1, sizeof *connection + count * sizeof(uint64_t));
    if (connection == NULL) {
        return NULL;
    }
    connection->wire.kind = listener->kind;
    connection->wire.bus = &board->bus;
    connection->wire.place = listener->place;
    connection->board = board;
    connection->seats =
        listener->place == NULL
            ? board->seats
            : &board->seats[listener->place - board->bus.places];
    connection->seat_count = count;
    return connection;
}

static void lock_seats(struct connection *connection, unsigned worker) {
    for (size_t i = 0; i < connection->seat_count; i++) {
        struct seat *seat = &connection->seats[i];
        (void)pthread_mutex_lock(&seat->lock);
        kw_sim_chip_lend(seat->place->chip,
                         connection->board->scratches[worker]);
    }
}

/* Answers whether the answer stands on what is not stored. */
static bool unlock_seats(struct connection *connection) {
    bool unstored = false;
    for (size_t i = 0; i < connection->seat_count; i++) {
        struct seat *seat = &connection->seats[i];
        connection->changes[i] = seat->changes;
        unstored = unstored || seat->changes != atomic_load(&seat->stored);
        (void)pthread_mutex_unlock(&seat->lock);
    }
    return unstored;
}

static size_t take_request(void *state, unsigned worker, const uint8_t *input,
                           size_t size, struct kw_board_reply *reply) {
    struct connection *connection = state;
    struct kw_sim_wire *wire = &connection->wire;
    struct kw_sim_reply answer;
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
        struct seat *seat = &connection->seats[i];
        if (atomic_load(&seat->stored) >= connection->changes[i]) {
            continue;
        }
        if (atomic_load(&seat->dead)) {
            return KW_BOARD_NEVER;
        }
        stored = KW_BOARD_NOT_YET;
    }
    return stored;
}

static void end_wire(void *state) {
    kw_wipe(state, sizeof(struct connection));
    free(state);
}

/* --- listeners --- */

struct plan {
    const struct kw_sim_wire_kind *kind;
    enum kw_board_port_kind port;
    unsigned burst;
};

static const struct plan WORDS = {&kw_sim_wire_words, KW_BOARD_STREAM, 1};
static const struct plan KIT = {&kw_sim_wire_kit, KW_BOARD_TERMINAL, 1};
static const struct plan SWI = {&kw_sim_wire_swi, KW_BOARD_TERMINAL, SWI_BURST};
static const struct plan I2C = {&kw_sim_wire_i2c, KW_BOARD_MESSAGES, 1};
static const struct plan BRIDGE = {&kw_sim_wire_bridge, KW_BOARD_MESSAGES, 1};

/* For one chip, or (NULL) for the bus. */
static struct listener *new_listener(struct kw_board *board,
                                     const struct plan *plan,
                                     struct kw_sim_place *place) {
    struct kw_board_port *port = &board->ports[board->listener_count];
    struct listener *listener = &board->listeners[board->listener_count++];
    *listener = (struct listener){
        .chip = place == NULL ? NULL : place->name,
        .kind = plan->kind,
        .board = board,
        .place = place,
    };
    kw_endpoint_init(&listener->endpoint);
    *port = (struct kw_board_port){
        .fd = -1,
        .kind = plan->port,
        .wire = {begin_wire, take_request, is_stored, end_wire, listener,
                 plan->burst},
    };
    return listener;
}

static kw_status listen_own(struct kw_board *board,
                            const struct kw_workspace *workspace,
                            struct kw_sim_place *place,
                            struct kw_error *error) {
    char *path = kw_workspace_path(workspace, "run/%s.sock", place->name);
    if (path == NULL) {
        return no_memory(error);
    }
    struct listener *listener = new_listener(board, &WORDS, place);
    kw_status status = kw_endpoint_unix(&listener->endpoint, "unix:", path,
                                        SOCK_STREAM, error);
    if (status == KW_OK) {
        status = kw_endpoint_lock(&listener->endpoint, error);
    }
    free(path);
    return status;
}

static struct kw_sim_place *find_place(struct kw_board *board, const char *name,
                                       size_t size) {
    for (size_t i = 0; i < board->bus.count; i++) {
        struct kw_sim_place *place = &board->bus.places[i];
        if (place->name != NULL && strlen(place->name) == size &&
            strncmp(place->name, name, size) == 0) {
            return place;
        }
    }
    return NULL;
}

static kw_status no_such_chip(const struct kw_board_options *options,
                              const char *name, size_t size, const char *what,
                              struct kw_error *error) {
    return kw_error(error, KW_ABSENT, "the workspace %s has no chip %.*s %s",
                    options->workspace->folder, (int)size, name, what);
}

static kw_status listen_one(struct kw_board *board,
                            const struct kw_board_options *options,
                            struct kw_error *error) {
    if (options->one_chip == NULL) {
        return KW_OK;
    }
    struct kw_sim_place *place =
        find_place(board, options->one_chip, strlen(options->one_chip));
    if (place == NULL) {
        return no_such_chip(options, options->one_chip,
                            strlen(options->one_chip),
                            "for the TCP port or the single wire", error);
    }
    if (options->tcp_port != KW_BOARD_NO_TCP) {
        struct listener *listener = new_listener(board, &WORDS, place);
        KW_TRY(kw_endpoint_tcp(&listener->endpoint, options->tcp_port, error));
    }
    return options->swi_link == NULL
               ? KW_OK
               : kw_endpoint_terminal(
                     &new_listener(board, &SWI, place)->endpoint,
                     "swi:", options->swi_link, error);
}

static kw_status listen_bus(struct kw_board *board,
                            const struct kw_board_options *options,
                            struct kw_error *error) {
    if (options->kit_link != NULL) {
        struct listener *listener = new_listener(board, &KIT, NULL);
        KW_TRY(kw_endpoint_terminal(&listener->endpoint,
                                    "kit:", options->kit_link, error));
    }
    if (options->i2c_socket != NULL) {
        struct listener *listener = new_listener(board, &I2C, NULL);
        KW_TRY(kw_endpoint_unix(&listener->endpoint, "i2c-socket:",
                                options->i2c_socket, SOCK_SEQPACKET, error));
    }
    if (options->bridge_socket != NULL) {
        struct listener *listener = new_listener(board, &BRIDGE, NULL);
        KW_TRY(kw_endpoint_unix(&listener->endpoint, "bridge:",
                                options->bridge_socket, SOCK_SEQPACKET, error));
    }
    return KW_OK;
}

/* --- the bus --- */

static kw_status power_up(struct kw_board *board,
                          const struct kw_board_options *options, size_t number,
                          struct kw_error *error) {
    const char *name = options->chips[number];
    struct seat *seat = &board->seats[number];
    const struct kw_emulated_options chip = {
        .clock = options->watchdog ? kw_board_microseconds : NULL,
        .scratch = board->scratches[0],
        .changed = note_change,
        .self = seat,
    };
    const kw_status status = kw_emulated_power_up(options->workspace, name,
                                                  &chip, &seat->powered, error);
    if (status == KW_ABSENT_LOCKED) {
        return kw_error_hint(error, "a board needs all chips of its "
                                    "workspace for itself: wait until that "
                                    "process has ended, or end it");
    }
    KW_TRY(status);
    seat->board = board;
    seat->place = &board->bus.places[number];
    seat->job.store = store_seat;
    seat->job.park = park_seat;
    seat->job.lane = (unsigned)number;
    (void)pthread_mutex_init(&seat->lock, NULL);
    *seat->place = (struct kw_sim_place){
        .chip = kw_emulated_sim(seat->powered),
        .name = name,
    };
    board->bus.count++;
    return KW_OK;
}

static kw_status set_switches(struct kw_board *board,
                              const struct kw_board_options *options,
                              struct kw_error *error) {
    const char *at = options->switched_off;
    while (at != NULL && *at != '\0') {
        const size_t size = strcspn(at, ",");
        struct kw_sim_place *place = find_place(board, at, size);
        if (place == NULL) {
            return no_such_chip(options, at, size, "to switch off", error);
        }
        place->off = true;
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
    for (size_t i = 0; i < options->chip_count; i++) {
        KW_TRY(power_up(board, options, i, error));
        KW_TRY(listen_own(board, options->workspace, &board->bus.places[i],
                          error));
    }
    KW_TRY(set_switches(board, options, error));
    kw_sim_bus_power_up(&board->bus);
    KW_TRY(listen_one(board, options, error));
    return listen_bus(board, options, error);
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
    const size_t listeners = chip_count + OTHER_LISTENERS;
    struct kw_board *board = calloc(1, sizeof *board);
    if (board == NULL) {
        return NULL;
    }
    forbid_core(board);
    board->listeners = calloc(listeners, sizeof *board->listeners);
    board->ports = calloc(listeners, sizeof *board->ports);
    board->seats = calloc(chip_count, sizeof *board->seats);
    board->bus.places = calloc(chip_count, sizeof *board->bus.places);
    board->flush = kw_flush_new();
    if (board->listeners == NULL || board->ports == NULL ||
        board->seats == NULL || board->bus.places == NULL ||
        board->flush == NULL || !fill_scratches(board)) {
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
    if (number >= board->listener_count) {
        return false;
    }
    listener->chip = board->listeners[number].chip;
    listener->address = board->listeners[number].endpoint.address;
    return true;
}

kw_status kw_board_serve(struct kw_board *board,
                         const volatile sig_atomic_t *stop,
                         struct kw_error *error) {
    for (size_t i = 0; i < board->listener_count; i++) {
        const struct kw_endpoint *endpoint = &board->listeners[i].endpoint;
        board->ports[i].fd = endpoint->fd;
        board->ports[i].held = endpoint->held;
        board->ports[i].watch = endpoint->watch;
    }
    struct kw_board_loop *loop =
        kw_board_loop_new(board->ports, board->listener_count);
    if (loop == NULL) {
        return no_memory(error);
    }
    board->loop = loop;
    const kw_status status = kw_board_loop_run(loop, stop, error);
    kw_flush_free(board->flush);
    board->flush = NULL;
    board->loop = NULL;
    kw_board_loop_free(loop);
    return status;
}

void kw_board_close(struct kw_board *board) {
    if (board == NULL) {
        return;
    }
    for (size_t i = 0; i < board->listener_count; i++) {
        kw_endpoint_close(&board->listeners[i].endpoint);
    }
    kw_flush_free(board->flush);
    for (size_t i = 0; board->seats != NULL && i < board->bus.count; i++) {
        kw_emulated_power_down(board->seats[i].powered);
        (void)pthread_mutex_destroy(&board->seats[i].lock);
        kw_wipe(&board->bus.places[i], sizeof board->bus.places[i]);
    }
    for (size_t i = 0; i < KW_BOARD_WORKERS_MAX; i++) {
        kw_sim_scratch_free(board->scratches[i]);
    }
    allow_core(board);
    free(board->bus.places);
    free(board->seats);
    free(board->ports);
    free(board->listeners);
    free(board);
}
