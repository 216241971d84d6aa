/* host/board_client.h: one connection of the board: what came in, what goes
 * out, and why not yet. Knows host/board_wire.h. */
#ifndef KW_HOST_BOARD_CLIENT_H
#define KW_HOST_BOARD_CLIENT_H

#include "host/board_wire.h"

#define KW_BOARD_OUTPUT_MAX ((size_t)4 * KW_BOARD_REPLY_MAX)

/* What an event belongs to: the first member of what it points to. */
enum kw_board_source { KW_BOARD_OF_BELL, KW_BOARD_OF_PORT, KW_BOARD_OF_CLIENT };

struct kw_board_client {
    enum kw_board_source source;
    struct kw_board_client *next; /* on its way to a worker */
    int fd;
    enum kw_board_port_kind kind;
    const struct kw_board_wire *wire;
    void *state;
    uint32_t ready;   /* events of this round */
    uint32_t awaited; /* events that the worker waits for */
    int sessions;     /* terminal: hosts that have it open */
    uint8_t input[KW_BOARD_REQUEST_MAX];
    size_t input_size;
    bool needs_more; /* the input holds no whole request */
    uint8_t output[KW_BOARD_OUTPUT_MAX];
    size_t output_size;
    uint64_t held_until; /* the chip is busy: nothing goes out before */
    bool unstored;       /* nothing goes out before it is stored */
    bool ended;          /* sends nothing any more */
    bool broken;         /* gone, or speaks something else: close it */
};

/* Takes the descriptor in any case. NULL without memory. */
struct kw_board_client *kw_board_client_new(int fd,
                                            const struct kw_board_port *port);
void kw_board_client_free(struct kw_board_client *client);

/* Takes what came in, answers what is asked, sends what may go out. */
void kw_board_client_serve(struct kw_board_client *client, unsigned worker);
void kw_board_client_receive(struct kw_board_client *client);
/* Of a terminal whose last host has gone. Whole requests are obeyed, as a
 * host that asks and goes expects. */
void kw_board_client_end_session(struct kw_board_client *client,
                                 unsigned worker);

/* Looks whether what the answer stands on is stored by now. */
void kw_board_client_look(struct kw_board_client *client);
/* Whether there is a request that can be answered now. */
bool kw_board_client_can_answer(const struct kw_board_client *client);
/* Events of epoll that it waits for. */
uint32_t kw_board_client_wants(const struct kw_board_client *client);
bool kw_board_client_is_finished(const struct kw_board_client *client);

#endif
