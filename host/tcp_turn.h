/* host/tcp_turn.h: one of this machine's commands at a time on a TCP chip.
 *
 * A TCP port has no file to lock. What stands for the lock is an abstract
 * unix socket named after the peer's address: it goes with the process that
 * has it. Commands on other machines are not kept out. Knows
 * host/error.h. */
#ifndef KW_HOST_TCP_TURN_H
#define KW_HOST_TCP_TURN_H

#include "host/error.h"

/* Waits up to 5 s for the turn on a connected socket; *turn is to be closed
 * behind the connection, and -1 where the system has no such sockets.
 * KW_ABSENT_LOCKED: another process has it. */
KW_MUST_USE kw_status kw_tcp_turn_take(int connection, const char *address,
                                       int *turn, struct kw_error *error);

/* Says goodbye and waits, shortly, until the peer has taken all that was
 * sent: an idle has no answer, and must not reach the chip in another's
 * sequence. */
void kw_tcp_turn_end(int connection);

#endif
