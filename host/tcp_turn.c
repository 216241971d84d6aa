#include "host/tcp_turn.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/pause.h"

#define WAIT_MS    5000 /* as for every chip */
#define STEP_MS    2
#define GOODBYE_MS 2000 /* a stuck chip may still have to obey */

/* Answers the size of the address; 0: there is none. An abstract name begins
 * with a zero. */
static socklen_t name_of(int connection, struct sockaddr_un *name) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    char host[64];
    char port[16];
    if (getpeername(connection, (struct sockaddr *)&peer, &size) != 0 ||
        getnameinfo((struct sockaddr *)&peer, size, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return 0;
    }
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    const int length = snprintf(name->sun_path + 1, sizeof name->sun_path - 1,
                                "keywright tcp %s %s", host, port);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       (size_t)length);
}

/* False: another process has it. */
static bool try_turn(int turn, const struct sockaddr_un *name, socklen_t size) {
    return bind(turn, (const struct sockaddr *)name, size) == 0 ||
           errno != EADDRINUSE;
}

/* 0, or the errno that says why not: EAGAIN when another has it for good. */
static int wait_for_turn(int turn, const struct sockaddr_un *name,
                         socklen_t size, const struct kw_pause *pause) {
    for (int waited = 0; !try_turn(turn, name, size); waited += STEP_MS) {
        if (waited >= WAIT_MS) {
            return EAGAIN;
        }
        if (kw_pause_poll(pause, NULL, STEP_MS) != 0) {
            return errno;
        }
    }
    return 0;
}

static kw_status not_taken(const char *address, struct kw_error *error) {
    if (errno != EAGAIN) {
        return kw_error_system(error, "Can't connect to tcp:%s", address);
    }
    kw_error(error, KW_ABSENT_LOCKED,
             "Can't connect to tcp:%s: another process has it", address);
    return kw_error_hint(error, "wait until that process has ended, or end it");
}

kw_status kw_tcp_turn_take(int connection, const char *address, int *turn,
                           struct kw_error *error) {
    struct sockaddr_un name;
    struct kw_pause pause;
    const socklen_t size = name_of(connection, &name);
    const int fd =
        size == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    kw_pause_begin(&pause);
    const int cause = fd < 0 ? 0 : wait_for_turn(fd, &name, size, &pause);
    kw_pause_end(&pause);
    if (cause != 0) {
        (void)close(fd);
        errno = cause;
        return not_taken(address, error);
    }
    *turn = fd;
    return KW_OK;
}

void kw_tcp_turn_end(int connection) {
    struct pollfd waiting = {.fd = connection, .events = POLLIN};
    char dropped[64];
    if (shutdown(connection, SHUT_WR) != 0) {
        return;
    }
    while (poll(&waiting, 1, GOODBYE_MS) > 0 &&
           recv(connection, dropped, sizeof dropped, 0) > 0) {
    }
}
