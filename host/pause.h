/* host/pause.h: waiting that SIGINT and SIGTERM end, whenever they come: one
 * that arrives before the wait is kept for it. Knows nobody. */
#ifndef KW_HOST_PAUSE_H
#define KW_HOST_PAUSE_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

struct kw_pause {
    sigset_t before;
};

/* From here on an interruption is kept, until a wait or the end. */
void kw_pause_begin(struct kw_pause *pause);
/* errno survives. */
void kw_pause_end(const struct kw_pause *pause);

/* As poll(2), of one descriptor or NULL: -1 and EINTR when interrupted. */
int kw_pause_poll(const struct kw_pause *pause, struct pollfd *waiting,
                  int milliseconds);

#endif
