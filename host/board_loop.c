#include "host/board_loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/bytes.h"
#include "host/board.h"

#define OUTPUT_MAX ((size_t)4 * KW_BOARD_REPLY_MAX)
#define PAUSE_MS   500 /* before the next try to accept without resources */

struct client {
    int fd;
    enum kw_board_port_kind kind;
    const struct kw_board_wire *wire;
    void *state;
    int sessions; /* terminal: hosts that have it open */
    uint8_t input[KW_BOARD_REQUEST_MAX];
    size_t input_size;
    bool needs_more; /* the input holds no whole request */
    uint8_t output[OUTPUT_MAX];
    size_t output_size;
    uint64_t held_until; /* the chip is busy: nothing goes out before */
    bool ended;          /* sends nothing any more */
    bool broken;         /* gone, or speaks something else: close it */
};

struct kw_board_loop {
    const struct kw_board_port *ports;
    size_t port_count;
    struct client *clients[KW_BOARD_CLIENTS_MAX];
    size_t client_count;
    struct pollfd *polled; /* the ports, then the clients */
    bool paused;           /* no resources to accept: wait a little */
};

uint64_t kw_board_microseconds(void *unused) {
    struct timespec now;
    (void)unused;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* --- requests --- */

static bool is_held(const struct client *client) {
    return client->held_until != 0 &&
           client->held_until > kw_board_microseconds(NULL);
}

/* A client that does not take its answers gets no further ones. */
static bool can_answer(const struct client *client) {
    return !client->broken && !client->needs_more && client->input_size > 0 &&
           client->output_size + KW_BOARD_REPLY_MAX <= OUTPUT_MAX &&
           !is_held(client);
}

static void answer_one(struct client *client) {
    struct kw_board_reply reply;
    reply.size = 0;
    reply.not_before = 0;
    reply.broken = false;
    const size_t taken = client->wire->take(client->state, client->input,
                                            client->input_size, &reply);
    client->needs_more = taken == 0;
    client->input_size -= taken;
    memmove(client->input, client->input + taken, client->input_size);
    memcpy(client->output + client->output_size, reply.bytes, reply.size);
    client->output_size += reply.size;
    client->held_until = reply.not_before;
    client->broken = reply.broken;
    kw_wipe(reply.bytes, reply.size);
}

/* --- bytes --- */

static bool try_again(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* A message is taken alone, and its answer is a message of its own. */
static bool has_room(const struct client *client) {
    if (client->kind == KW_BOARD_MESSAGES) {
        return !client->ended && client->input_size == 0 &&
               client->output_size == 0;
    }
    return !client->ended && client->input_size < KW_BOARD_REQUEST_MAX;
}

static ssize_t read_some(struct client *client) {
    uint8_t *at = client->input + client->input_size;
    const size_t room = KW_BOARD_REQUEST_MAX - client->input_size;
    return client->kind == KW_BOARD_TERMINAL ? read(client->fd, at, room)
                                             : recv(client->fd, at, room, 0);
}

static void receive(struct client *client) {
    if (!has_room(client)) {
        return;
    }
    const ssize_t count = read_some(client);
    if (count > 0) {
        client->input_size += (size_t)count;
        client->needs_more = false;
        return;
    }
    client->ended = count == 0;
    client->broken = count < 0 && !try_again();
}

static void send_output(struct client *client) {
    if (client->output_size == 0 || client->broken || is_held(client)) {
        return;
    }
    const ssize_t count =
        client->kind == KW_BOARD_TERMINAL
            ? write(client->fd, client->output, client->output_size)
            : send(client->fd, client->output, client->output_size,
                   MSG_NOSIGNAL);
    if (count < 0) {
        client->broken = !try_again();
        return;
    }
    client->output_size -= (size_t)count;
    memmove(client->output, client->output + count, client->output_size);
}

/* What is left of a request whose client has gone is dropped. */
static bool is_finished(const struct client *client) {
    return client->broken || (client->ended && client->output_size == 0 &&
                              (client->input_size == 0 || client->needs_more));
}

static void serve_client(struct client *client, short events) {
    if (events != 0) {
        receive(client);
    }
    for (unsigned i = 0; i < client->wire->burst && can_answer(client); i++) {
        answer_one(client);
    }
    send_output(client);
}

/* --- clients come and go --- */

static void free_client(struct client *client) {
    (void)close(client->fd);
    client->wire->end(client->state);
    kw_wipe(client, sizeof *client);
    free(client);
}

static void close_client(struct kw_board_loop *loop, size_t number) {
    free_client(loop->clients[number]);
    loop->client_count--;
    loop->clients[number] = loop->clients[loop->client_count];
}

/* Takes the descriptor in any case. */
static bool add_client(struct kw_board_loop *loop, int fd,
                       const struct kw_board_port *port) {
    const int yes = 1;
    struct client *client = loop->client_count < KW_BOARD_CLIENTS_MAX
                                ? calloc(1, sizeof *client)
                                : NULL;
    void *state = client == NULL ? NULL : port->wire.begin(port->wire.context);
    if (state == NULL) {
        free(client);
        (void)close(fd);
        return false;
    }
    /* An answer waits for no other; only TCP knows the option. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    client->fd = fd;
    client->kind = port->kind;
    client->wire = &port->wire;
    client->state = state;
    loop->clients[loop->client_count++] = client;
    return true;
}

static void accept_client(struct kw_board_loop *loop,
                          const struct kw_board_port *port) {
    const int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)add_client(loop, fd, port);
        return;
    }
    /* Whoever was about to connect may have gone again; anything else is a
     * want of descriptors or memory, which may pass. */
    loop->paused = !try_again() && errno != ECONNABORTED;
}

/* --- sessions of a terminal ----------------------------------------------
 *
 * A serial port forgets what nobody read when its last host closes it. A
 * pseudo-terminal that is held open would keep it, and the next host, which
 * flushes nothing, would take the answers of the one before for its own. */

/* Whether the last host has closed it now. */
static bool has_closed(struct client *client, int watch) {
    _Alignas(struct inotify_event) char events[1024];
    bool closed = false;
    const ssize_t size = read(watch, events, sizeof events);
    for (ssize_t at = 0; at < size;) {
        struct inotify_event event;
        memcpy(&event, events + at, sizeof event);
        closed = closed || (event.mask & IN_CLOSE) != 0;
        client->sessions += (event.mask & IN_OPEN) != 0 ? 1 : -1;
        at += (ssize_t)(sizeof event + event.len);
    }
    return closed && client->sessions <= 0;
}

/* Whole requests are obeyed, as a host that asks and goes expects. */
static void end_session(struct client *client, int held) {
    while (can_answer(client)) {
        answer_one(client);
        client->output_size = 0;
    }
    client->input_size = 0;
    client->output_size = 0;
    client->held_until = 0;
    client->sessions = 0;
    kw_wipe(client->input, sizeof client->input);
    (void)tcflush(held, TCIFLUSH);
}

/* Received first, asked for sessions then: what a new host has sent is only
 * there when its coming is known. */
static void heed_sessions(struct kw_board_loop *loop,
                          const struct kw_board_port *port) {
    for (size_t i = 0; i < loop->client_count; i++) {
        struct client *client = loop->clients[i];
        if (client->wire != &port->wire) {
            continue;
        }
        receive(client);
        if (has_closed(client, port->watch)) {
            end_session(client, port->held);
        }
    }
}

/* --- the loop --- */

static short wanted_events(const struct client *client) {
    const bool sends = client->output_size > 0 && !is_held(client);
    return (short)((has_room(client) ? POLLIN : 0) | (sends ? POLLOUT : 0));
}

static nfds_t fill_polled(struct kw_board_loop *loop) {
    struct pollfd *polled = loop->polled;
    for (size_t i = 0; i < loop->port_count; i++) {
        const struct kw_board_port *port = &loop->ports[i];
        const bool terminal = port->kind == KW_BOARD_TERMINAL;
        const int fd = loop->paused ? -1 : port->fd;
        *polled++ = (struct pollfd){.fd = terminal ? port->watch : fd,
                                    .events = POLLIN};
    }
    for (size_t i = 0; i < loop->client_count; i++) {
        *polled++ = (struct pollfd){.fd = loop->clients[i]->fd,
                                    .events = wanted_events(loop->clients[i])};
    }
    return (nfds_t)(polled - loop->polled);
}

/* Microseconds until something is to be done without an event; UINT64_MAX:
 * only events count. */
static uint64_t time_to_wait(const struct kw_board_loop *loop) {
    uint64_t wait = loop->paused ? PAUSE_MS * 1000u : UINT64_MAX;
    const uint64_t now = kw_board_microseconds(NULL);
    for (size_t i = 0; i < loop->client_count; i++) {
        const struct client *client = loop->clients[i];
        const bool held = client->held_until > now;
        const uint64_t until = held ? client->held_until - now : 0;
        if ((held || can_answer(client)) && until < wait) {
            wait = until;
        }
    }
    return wait;
}

/* Signals are let in here alone: none is lost between a look at the stop
 * flag and the wait. */
static kw_status wait_for_work(struct kw_board_loop *loop,
                               const sigset_t *unblocked,
                               struct kw_error *error) {
    const uint64_t wait = time_to_wait(loop);
    const struct timespec limit = {.tv_sec = (time_t)(wait / 1000000u),
                                   .tv_nsec = (long)(wait % 1000000u) * 1000};
    const nfds_t count = fill_polled(loop);
    loop->paused = false;
    if (ppoll(loop->polled, count, wait == UINT64_MAX ? NULL : &limit,
              unblocked) >= 0) {
        return KW_OK;
    }
    for (nfds_t i = 0; i < count; i++) {
        loop->polled[i].revents = 0;
    }
    return errno == EINTR ? KW_OK
                          : kw_error_system(error, "the board cannot wait");
}

static void serve_round(struct kw_board_loop *loop) {
    const struct pollfd *polled = loop->polled + loop->port_count;
    for (size_t i = 0; i < loop->client_count; i++) {
        serve_client(loop->clients[i], polled[i].revents);
    }
    for (size_t i = loop->client_count; i-- > 0;) {
        if (is_finished(loop->clients[i])) {
            close_client(loop, i);
        }
    }
    for (size_t i = 0; i < loop->port_count; i++) {
        const struct kw_board_port *port = &loop->ports[i];
        if (loop->polled[i].revents == 0) {
            continue;
        }
        if (port->kind == KW_BOARD_TERMINAL) {
            heed_sessions(loop, port);
        } else {
            accept_client(loop, port);
        }
    }
}

kw_status kw_board_loop_run(struct kw_board_loop *loop,
                            const volatile sig_atomic_t *stop,
                            struct kw_error *error) {
    kw_status status = KW_OK;
    sigset_t blocked;
    sigset_t before;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGINT);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    while (status == KW_OK && *stop == 0) {
        status = wait_for_work(loop, &before, error);
        if (status == KW_OK) {
            serve_round(loop);
        }
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* --- a loop's life --- */

/* A terminal is served from the start; the loop has its own descriptor. */
static bool add_terminals(struct kw_board_loop *loop) {
    for (size_t i = 0; i < loop->port_count; i++) {
        const struct kw_board_port *port = &loop->ports[i];
        if (port->kind != KW_BOARD_TERMINAL) {
            continue;
        }
        const int fd = dup(port->fd);
        if (fd < 0 || !add_client(loop, fd, port)) {
            return false;
        }
    }
    return true;
}

struct kw_board_loop *kw_board_loop_new(const struct kw_board_port *ports,
                                        size_t count) {
    struct kw_board_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return NULL;
    }
    loop->ports = ports;
    loop->port_count = count;
    loop->polled = calloc(count + KW_BOARD_CLIENTS_MAX, sizeof *loop->polled);
    if (loop->polled == NULL || !add_terminals(loop)) {
        kw_board_loop_free(loop);
        return NULL;
    }
    return loop;
}

void kw_board_loop_free(struct kw_board_loop *loop) {
    if (loop == NULL) {
        return;
    }
    while (loop->client_count > 0) {
        close_client(loop, loop->client_count - 1);
    }
    free(loop->polled);
    free(loop);
}
