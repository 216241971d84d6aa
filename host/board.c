#include "host/board.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/bytes.h"
#include "host/emulated_chip.h"
#include "sim/atecc608/chip.h"

#define SOCKET_KIND (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
#define BACKLOG     128 /* connections that wait to be taken */
#define INPUT_MAX   512 /* bytes; a request has at most 256 */
#define OUTPUT_MAX  ((size_t)4 * KW_RESPONSE_MAX)
#define PAUSE_MS    500 /* before the next try to accept without resources */

enum word_address { WORD_WAKE = 0, WORD_SLEEP, WORD_IDLE, WORD_COMMAND };

struct client {
    int fd;
    struct kw_sim_chip *sim;
    uint8_t input[INPUT_MAX];
    size_t input_size;
    uint8_t output[OUTPUT_MAX];
    size_t output_size;
    bool ended;  /* sends nothing any more */
    bool broken; /* gone, or speaks something else: close it */
};

struct listener {
    int fd;
    struct kw_emulated *powered; /* a chip of its own; NULL for TCP */
    struct kw_sim_chip *sim;
    const char *chip;
    char *address;
    char *path; /* of a unix socket that is ours to remove, else NULL */
};

struct kw_board {
    struct listener *listeners;
    size_t listener_count;
    struct client clients[KW_BOARD_CLIENTS_MAX];
    size_t client_count;
    struct pollfd *polled; /* the listeners, then the clients */
    bool paused;           /* no resources to accept: wait a little */
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- what a client asks --- */

/* Bytes of the request at the start of the input; 0: not whole yet. */
static size_t request_size(const struct client *client) {
    const uint8_t *input = client->input;
    if (client->input_size == 0 || input[0] != WORD_COMMAND) {
        return client->input_size == 0 ? 0 : 1;
    }
    if (client->input_size == 1) {
        return 0;
    }
    /* The count counts itself; 0 is answered like 1. */
    const size_t size = 1 + (input[1] == 0 ? 1u : input[1]);
    return client->input_size >= size ? size : 0;
}

static size_t wake(struct client *client, uint8_t *response) {
    (void)kw_sim_chip_wake(client->sim);
    return kw_sim_chip_output(client->sim, response);
}

/* Answers the size of the response; 0: there is none. */
static size_t obey(struct client *client, size_t size, uint8_t *response) {
    switch (client->input[0]) {
    case WORD_WAKE:
        return wake(client, response);
    case WORD_SLEEP:
        kw_sim_chip_sleep(client->sim);
        return 0;
    case WORD_IDLE:
        kw_sim_chip_idle(client->sim);
        return 0;
    case WORD_COMMAND:
        return kw_sim_chip_execute(client->sim, client->input + 1, size - 1,
                                   response);
    default:
        client->broken = true;
        return 0;
    }
}

/* A client that does not take its answers gets no further ones. */
static bool can_answer(const struct client *client) {
    return !client->broken && request_size(client) > 0 &&
           client->output_size + KW_RESPONSE_MAX <= OUTPUT_MAX;
}

static void answer_one(struct client *client) {
    const size_t size = request_size(client);
    client->output_size +=
        obey(client, size, client->output + client->output_size);
    client->input_size -= size;
    memmove(client->input, client->input + size, client->input_size);
}

/* --- its bytes -------------------------------------------------------------
 */

static bool try_again(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static bool has_room(const struct client *client) {
    return !client->ended && client->input_size < INPUT_MAX;
}

static void receive(struct client *client) {
    if (!has_room(client)) {
        return;
    }
    const ssize_t count = recv(client->fd, client->input + client->input_size,
                               INPUT_MAX - client->input_size, 0);
    if (count > 0) {
        client->input_size += (size_t)count;
        return;
    }
    client->ended = count == 0;
    client->broken = count < 0 && !try_again();
}

static void send_output(struct client *client) {
    if (client->output_size == 0 || client->broken) {
        return;
    }
    const ssize_t count =
        send(client->fd, client->output, client->output_size, MSG_NOSIGNAL);
    if (count < 0) {
        client->broken = !try_again();
        return;
    }
    client->output_size -= (size_t)count;
    memmove(client->output, client->output + count, client->output_size);
}

/* What is left of a packet whose client has gone is dropped. */
static bool is_finished(const struct client *client) {
    return client->broken || (client->ended && client->output_size == 0 &&
                              request_size(client) == 0);
}

/* --- clients come and go ----------------------------------------------------
 */

static void close_client(struct kw_board *board, size_t number) {
    struct client *client = &board->clients[number];
    (void)close(client->fd);
    board->client_count--;
    if (number < board->client_count) {
        *client = board->clients[board->client_count];
    }
    kw_wipe(&board->clients[board->client_count], sizeof *client);
}

static void add_client(struct kw_board *board, int fd,
                       const struct listener *listener) {
    const int yes = 1;
    if (board->client_count == KW_BOARD_CLIENTS_MAX) {
        (void)close(fd);
        return;
    }
    /* An answer waits for no other; a unix socket does not know the
     * option. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    board->clients[board->client_count++] =
        (struct client){.fd = fd, .sim = listener->sim};
}

static void accept_client(struct kw_board *board,
                          const struct listener *listener) {
    const int fd =
        accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        add_client(board, fd, listener);
        return;
    }
    /* Whoever was about to connect may have gone again; anything else is a
     * want of descriptors or memory, which may pass. */
    board->paused = !try_again() && errno != ECONNABORTED;
}

/* --- the loop --- */

static short wanted_events(const struct client *client) {
    return (short)((has_room(client) ? POLLIN : 0) |
                   (client->output_size > 0 ? POLLOUT : 0));
}

static nfds_t fill_polled(struct kw_board *board) {
    struct pollfd *polled = board->polled;
    for (size_t i = 0; i < board->listener_count; i++) {
        *polled++ = (struct pollfd){.fd = board->listeners[i].fd,
                                    .events = board->paused ? 0 : POLLIN};
    }
    for (size_t i = 0; i < board->client_count; i++) {
        *polled++ =
            (struct pollfd){.fd = board->clients[i].fd,
                            .events = wanted_events(&board->clients[i])};
    }
    return (nfds_t)(polled - board->polled);
}

static bool has_work(const struct kw_board *board) {
    for (size_t i = 0; i < board->client_count; i++) {
        if (can_answer(&board->clients[i])) {
            return true;
        }
    }
    return false;
}

/* Signals are let in here alone: none is lost between a look at the stop
 * flag and the wait. */
static kw_status wait_for_work(struct kw_board *board,
                               const sigset_t *unblocked,
                               struct kw_error *error) {
    const struct timespec none = {0};
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    const struct timespec *limit = has_work(board) ? &none
                                   : board->paused ? &pause
                                                   : NULL;
    const nfds_t count = fill_polled(board);
    board->paused = false;
    if (ppoll(board->polled, count, limit, unblocked) >= 0) {
        return KW_OK;
    }
    for (nfds_t i = 0; i < count; i++) {
        board->polled[i].revents = 0;
    }
    return errno == EINTR ? KW_OK
                          : kw_error_system(error, "the board cannot wait");
}

static void serve_client(struct client *client, short events) {
    if (events != 0) {
        receive(client);
    }
    if (can_answer(client)) {
        answer_one(client);
    }
    send_output(client);
}

static void serve_round(struct kw_board *board) {
    const struct pollfd *polled = board->polled + board->listener_count;
    for (size_t i = 0; i < board->client_count; i++) {
        serve_client(&board->clients[i], polled[i].revents);
    }
    for (size_t i = board->client_count; i-- > 0;) {
        if (is_finished(&board->clients[i])) {
            close_client(board, i);
        }
    }
    for (size_t i = 0; i < board->listener_count; i++) {
        if (board->polled[i].revents != 0) {
            accept_client(board, &board->listeners[i]);
        }
    }
}

kw_status kw_board_serve(struct kw_board *board,
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
        status = wait_for_work(board, &before, error);
        if (status == KW_OK) {
            serve_round(board);
        }
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* --- listening --- */

/* The chip's lock is ours: a socket that is there belongs to a board that
 * was killed. */
static void remove_stale(const char *path) {
    struct stat about;
    if (lstat(path, &about) == 0 && S_ISSOCK(about.st_mode)) {
        (void)unlink(path);
    }
}

static kw_status path_too_long(const char *path, struct kw_error *error) {
    const struct sockaddr_un address;
    kw_error(error, KW_USAGE,
             "the socket path %s is longer than %zu characters", path,
             sizeof address.sun_path - 1);
    return kw_error_hint(error, "name the workspace by a shorter path");
}

/* Nobody but the owner may connect, from the first moment on. */
static int bind_private(int fd, const struct sockaddr_un *address) {
    const mode_t before = umask(0177);
    const int failure =
        bind(fd, (const struct sockaddr *)address, sizeof *address);
    const int cause = errno;
    (void)umask(before);
    errno = cause;
    return failure;
}

static kw_status listen_unix(struct listener *listener,
                             struct kw_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = listener->path;
    if (strlen(path) >= sizeof address.sun_path) {
        return path_too_long(path, error);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    remove_stale(path);
    listener->fd = socket(AF_UNIX, SOCKET_KIND, 0);
    if (listener->fd < 0 || bind_private(listener->fd, &address) != 0 ||
        listen(listener->fd, BACKLOG) != 0) {
        return kw_error_system(error, "cannot listen on %s", path);
    }
    listener->address = kw_format("unix:%s", path);
    return listener->address == NULL ? no_memory(error) : KW_OK;
}

static bool listen_at(int fd, struct sockaddr_in *address) {
    const int yes = 1;
    socklen_t size = sizeof *address;
    return fd >= 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           listen(fd, BACKLOG) == 0 &&
           getsockname(fd, (struct sockaddr *)address, &size) == 0;
}

static kw_status listen_tcp(struct listener *listener, int port,
                            struct kw_error *error) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    listener->fd = socket(AF_INET, SOCKET_KIND, 0);
    if (!listen_at(listener->fd, &address)) {
        kw_error_system(error, "cannot listen on 127.0.0.1:%d", port);
        return kw_error_hint(error, "choose another port; --tcp 0 takes any "
                                    "free one");
    }
    listener->address =
        kw_format("tcp:127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return listener->address == NULL ? no_memory(error) : KW_OK;
}

/* --- a board's life --- */

static uint64_t microseconds(void *clock) {
    struct timespec now;
    (void)clock;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static kw_status power_up(struct listener *listener,
                          const struct kw_board_options *options,
                          struct kw_error *error) {
    const kw_status status = kw_emulated_power_up(
        options->workspace, listener->chip,
        options->watchdog ? microseconds : NULL, &listener->powered, error);
    if (status == KW_ABSENT_LOCKED) {
        return kw_error_hint(error, "a board needs all chips of its "
                                    "workspace for itself: wait until that "
                                    "process has ended, or end it");
    }
    KW_TRY(status);
    listener->sim = kw_emulated_sim(listener->powered);
    return KW_OK;
}

static struct listener *new_listener(struct kw_board *board, const char *chip) {
    struct listener *listener = &board->listeners[board->listener_count++];
    *listener = (struct listener){.fd = -1, .chip = chip};
    return listener;
}

static kw_status open_unix(struct kw_board *board,
                           const struct kw_board_options *options,
                           const char *chip, struct kw_error *error) {
    struct listener *listener = new_listener(board, chip);
    KW_TRY(power_up(listener, options, error));
    listener->path = kw_workspace_path(options->workspace, "run/%s.sock", chip);
    return listener->path == NULL ? no_memory(error)
                                  : listen_unix(listener, error);
}

static kw_status open_tcp(struct kw_board *board,
                          const struct kw_board_options *options,
                          struct kw_error *error) {
    for (size_t i = 0; i < board->listener_count; i++) {
        if (strcmp(board->listeners[i].chip, options->tcp_chip) == 0) {
            struct listener *listener = new_listener(board, options->tcp_chip);
            listener->sim = board->listeners[i].sim;
            return listen_tcp(listener, options->tcp_port, error);
        }
    }
    return kw_error(error, KW_ABSENT,
                    "the workspace %s has no chip %s for the TCP port",
                    options->workspace->folder, options->tcp_chip);
}

static kw_status start(struct kw_board *board,
                       const struct kw_board_options *options,
                       struct kw_error *error) {
    for (size_t i = 0; i < options->chip_count; i++) {
        KW_TRY(open_unix(board, options, options->chips[i], error));
    }
    return options->tcp_port == KW_BOARD_NO_TCP
               ? KW_OK
               : open_tcp(board, options, error);
}

static struct kw_board *new_board(size_t chip_count) {
    const size_t listeners = chip_count + 1; /* TCP */
    struct kw_board *board = calloc(1, sizeof *board);
    if (board == NULL) {
        return NULL;
    }
    board->listeners = calloc(listeners, sizeof *board->listeners);
    board->polled =
        calloc(listeners + KW_BOARD_CLIENTS_MAX, sizeof *board->polled);
    if (board->listeners == NULL || board->polled == NULL) {
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
    listener->address = board->listeners[number].address;
    return true;
}

static void close_listener(struct listener *listener) {
    if (listener->fd >= 0) {
        (void)close(listener->fd);
    }
    if (listener->path != NULL) {
        remove_stale(listener->path);
    }
    kw_emulated_power_down(listener->powered);
    free(listener->path);
    free(listener->address);
}

void kw_board_close(struct kw_board *board) {
    if (board == NULL) {
        return;
    }
    while (board->client_count > 0) {
        close_client(board, board->client_count - 1);
    }
    for (size_t i = 0; i < board->listener_count; i++) {
        close_listener(&board->listeners[i]);
    }
    free(board->polled);
    free(board->listeners);
    free(board);
}
