#include "host/board_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/bytes.h"

/* --- requests --- */

static bool is_held(const struct kw_board_client *client) {
    return client->unstored ||
           (client->held_until != 0 &&
            client->held_until > kw_board_microseconds(NULL));
}

void kw_board_client_look(struct kw_board_client *client) {
    if (!client->unstored) {
        return;
    }
    const enum kw_board_stored stored = client->wire->stored(client->state);
    client->unstored = stored == KW_BOARD_NOT_YET;
    client->broken = client->broken || stored == KW_BOARD_NEVER;
}

/* A client that does not take its answers gets no further ones. */
bool kw_board_client_can_answer(const struct kw_board_client *client) {
    return !client->broken && !client->needs_more && client->input_size > 0 &&
           client->output_size + KW_BOARD_REPLY_MAX <= KW_BOARD_OUTPUT_MAX &&
           !is_held(client);
}

static void answer_one(struct kw_board_client *client, unsigned worker) {
    struct kw_board_reply reply;
    reply.size = 0;
    reply.not_before = 0;
    reply.unstored = false;
    reply.broken = false;
    const size_t taken = client->wire->take(
        client->state, worker, client->input, client->input_size, &reply);
    client->needs_more = taken == 0;
    client->input_size -= taken;
    memmove(client->input, client->input + taken, client->input_size);
    memcpy(client->output + client->output_size, reply.bytes, reply.size);
    client->output_size += reply.size;
    client->held_until = reply.not_before;
    client->unstored = reply.unstored;
    client->broken = reply.broken;
    kw_wipe(reply.bytes, reply.size);
}

/* --- bytes --- */

static bool try_again(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* A message is taken alone, and its answer is a message of its own. */
static bool has_room(const struct kw_board_client *client) {
    if (client->kind == KW_BOARD_MESSAGES) {
        return !client->ended && client->input_size == 0 &&
               client->output_size == 0;
    }
    return !client->ended && client->input_size < KW_BOARD_REQUEST_MAX;
}

static ssize_t read_some(struct kw_board_client *client) {
    uint8_t *at = client->input + client->input_size;
    const size_t room = KW_BOARD_REQUEST_MAX - client->input_size;
    return client->kind == KW_BOARD_TERMINAL ? read(client->fd, at, room)
                                             : recv(client->fd, at, room, 0);
}

void kw_board_client_receive(struct kw_board_client *client) {
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

static void send_output(struct kw_board_client *client) {
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
bool kw_board_client_is_finished(const struct kw_board_client *client) {
    return client->broken || (client->ended && client->output_size == 0 &&
                              (client->input_size == 0 || client->needs_more));
}

uint32_t kw_board_client_wants(const struct kw_board_client *client) {
    const bool sends = client->output_size > 0 && !is_held(client);
    return (has_room(client) ? (uint32_t)EPOLLIN : 0) |
           (sends ? (uint32_t)EPOLLOUT : 0);
}

void kw_board_client_serve(struct kw_board_client *client, unsigned worker) {
    kw_board_client_look(client);
    if (client->ready != 0) {
        kw_board_client_receive(client);
    }
    for (unsigned i = 0;
         i < client->wire->burst && kw_board_client_can_answer(client); i++) {
        answer_one(client, worker);
    }
    send_output(client);
}

void kw_board_client_end_session(struct kw_board_client *client,
                                 unsigned worker) {
    while (kw_board_client_can_answer(client)) {
        answer_one(client, worker);
        client->output_size = 0;
        client->unstored = false;
    }
    client->input_size = 0;
    client->output_size = 0;
    client->held_until = 0;
    client->unstored = false;
    client->sessions = 0;
    kw_wipe(client->input, sizeof client->input);
}

/* --- a connection's life --- */

struct kw_board_client *kw_board_client_new(int fd,
                                            const struct kw_board_port *port) {
    const int yes = 1;
    struct kw_board_client *client = calloc(1, sizeof *client);
    void *state = client == NULL ? NULL : port->wire.begin(port->wire.context);
    if (state == NULL) {
        free(client);
        (void)close(fd);
        return NULL;
    }
    /* An answer waits for no other; only TCP knows the option. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    client->source = KW_BOARD_OF_CLIENT;
    client->fd = fd;
    client->kind = port->kind;
    client->wire = &port->wire;
    client->state = state;
    return client;
}

void kw_board_client_free(struct kw_board_client *client) {
    (void)close(client->fd);
    client->wire->end(client->state);
    kw_wipe(client, sizeof *client);
    free(client);
}
