/* host/board_listen.h: where a board can be reached: sockets, a TCP port,
 * pseudo-terminals. Nobody but the owner may open them. Knows host/error.h
 * and host/files.h alone. */
#ifndef KW_HOST_BOARD_LISTEN_H
#define KW_HOST_BOARD_LISTEN_H

#include <sys/types.h>
#include <time.h>

#include "host/error.h"

/* Which file it was: a number may be taken again, with another time. */
struct kw_file_mark {
    dev_t device;
    ino_t number;
    struct timespec made;
};

/* Longest path that the vendor's library takes for a serial port. */
#define KW_BOARD_VENDOR_PATH_MAX 18

struct kw_endpoint {
    int fd;
    int held;      /* a terminal's other side, so that it stays alive; or -1 */
    int watch;     /* inotify: hosts open and close the terminal; or -1 */
    int claim;     /* a name that says whose the link is; or -1 */
    char *address; /* PREFIX and the path or port */
    char *path;    /* a socket or symbolic link that is ours to remove */
    char *lock;    /* a file beside it that is ours too; or NULL */
    /* Removed at the end while they are still these files. */
    struct kw_file_mark path_mark;
    struct kw_file_mark lock_mark;
};

/* Each makes an endpoint; after a failure too it is the caller's to close.
 * The kind is SOCK_STREAM or SOCK_SEQPACKET. A path that a killed board left
 * is taken. KW_ABSENT_LOCKED: somebody listens there. */
KW_MUST_USE kw_status kw_endpoint_unix(struct kw_endpoint *endpoint,
                                       const char *prefix, const char *path,
                                       int kind, struct kw_error *error);
/* Makes the file SOCKET.lock, which hosts lock over a sequence. */
KW_MUST_USE kw_status kw_endpoint_lock(struct kw_endpoint *endpoint,
                                       struct kw_error *error);
KW_MUST_USE kw_status kw_endpoint_tcp(struct kw_endpoint *endpoint, int port,
                                      struct kw_error *error);
/* A pseudo-terminal in raw mode with a symbolic link to it.
 * KW_ABSENT_LOCKED: the link leads to another board's terminal. */
KW_MUST_USE kw_status kw_endpoint_terminal(struct kw_endpoint *endpoint,
                                           const char *prefix, const char *link,
                                           struct kw_error *error);
void kw_endpoint_init(struct kw_endpoint *endpoint);
void kw_endpoint_close(struct kw_endpoint *endpoint);

#endif
