#include "host/board_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "host/files.h"

#define SOCKET_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)
#define BACKLOG      128 /* connections that wait to be taken */
#define TERMINAL_MAX 64

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

void kw_endpoint_init(struct kw_endpoint *endpoint) {
    *endpoint =
        (struct kw_endpoint){.fd = -1, .held = -1, .watch = -1, .claim = -1};
}

/* --- what lies at a path --- */

static bool is_of_kind(const char *path, mode_t kind) {
    struct stat about;
    return lstat(path, &about) == 0 && (about.st_mode & S_IFMT) == kind;
}

static struct kw_file_mark mark_of(const char *path) {
    struct stat about;
    if (lstat(path, &about) != 0) {
        return (struct kw_file_mark){.number = 0};
    }
    return (struct kw_file_mark){about.st_dev, about.st_ino, about.st_mtim};
}

static void remove_own(const char *path, const struct kw_file_mark *own) {
    const struct kw_file_mark now = mark_of(path);
    if (own->number != 0 && now.number == own->number &&
        now.device == own->device && now.made.tv_sec == own->made.tv_sec &&
        now.made.tv_nsec == own->made.tv_nsec) {
        (void)unlink(path);
    }
}

static kw_status path_in_use(const char *path, struct kw_error *error) {
    kw_error(error, KW_ABSENT_LOCKED, "another program serves %s", path);
    return kw_error_hint(error, "name another path, or end that program first");
}

static kw_status place_taken(const char *path, struct kw_error *error) {
    kw_error_system(error, "cannot listen on %s", path);
    return kw_error_hint(error, "name a place where there is no file yet");
}

/* --- unix sockets --- */

/* Nobody listens on a socket that refuses; any other answer comes from
 * somebody, one of another kind (EPROTOTYPE) included. */
static bool is_served(const struct sockaddr_un *address, int kind) {
    const int fd = socket(AF_UNIX, kind | SOCKET_FLAGS, 0);
    const bool served =
        fd >= 0 &&
        (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
         (errno != ECONNREFUSED && errno != ENOENT));
    if (fd >= 0) {
        (void)close(fd);
    }
    return served;
}

/* What a board that was killed left is replaced. Anything else is left
 * alone. */
static kw_status clear_socket(const struct sockaddr_un *address, int kind,
                              struct kw_error *error) {
    const char *path = address->sun_path;
    if (!is_of_kind(path, S_IFSOCK)) {
        return KW_OK;
    }
    if (is_served(address, kind)) {
        return path_in_use(path, error);
    }
    (void)unlink(path);
    return KW_OK;
}

/* A chip's own socket lies in the workspace; every other path was named. */
static kw_status path_too_long(const char *path, const char *prefix,
                               struct kw_error *error) {
    const struct sockaddr_un address;
    const bool own = strcmp(prefix, "unix:") == 0;
    kw_error(error, KW_USAGE,
             "the socket path %s is longer than %zu characters", path,
             sizeof address.sun_path - 1);
    return kw_error_hint(error, "name %s by a shorter path",
                         own ? "the workspace" : "the socket");
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

static kw_status name_endpoint(struct kw_endpoint *endpoint, const char *prefix,
                               const char *path, struct kw_error *error) {
    endpoint->path = strdup(path);
    endpoint->address = kw_format("%s%s", prefix, path);
    return endpoint->path == NULL || endpoint->address == NULL
               ? no_memory(error)
               : KW_OK;
}

kw_status kw_endpoint_unix(struct kw_endpoint *endpoint, const char *prefix,
                           const char *path, int kind, struct kw_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return path_too_long(path, prefix, error);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    KW_TRY(clear_socket(&address, kind, error));
    endpoint->fd = socket(AF_UNIX, kind | SOCKET_FLAGS, 0);
    if (endpoint->fd < 0 || bind_private(endpoint->fd, &address) != 0) {
        return errno == EADDRINUSE
                   ? place_taken(path, error)
                   : kw_error_system(error, "cannot listen on %s", path);
    }
    endpoint->path_mark = mark_of(path);
    KW_TRY(name_endpoint(endpoint, prefix, path, error));
    return listen(endpoint->fd, BACKLOG) == 0
               ? KW_OK
               : kw_error_system(error, "cannot listen on %s", path);
}

kw_status kw_endpoint_lock(struct kw_endpoint *endpoint,
                           struct kw_error *error) {
    char *name = kw_format("%s.lock", endpoint->path);
    if (name == NULL) {
        return no_memory(error);
    }
    const int fd =
        open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, KW_SECRET_MODE);
    if (fd < 0) {
        const kw_status status = kw_error_system(error, "cannot make %s", name);
        free(name);
        return status;
    }
    (void)close(fd);
    endpoint->lock = name;
    endpoint->lock_mark = mark_of(name);
    return KW_OK;
}

/* --- TCP --- */

static bool listen_at(int fd, struct sockaddr_in *address) {
    const int yes = 1;
    socklen_t size = sizeof *address;
    return fd >= 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           listen(fd, BACKLOG) == 0 &&
           getsockname(fd, (struct sockaddr *)address, &size) == 0;
}

static kw_status port_refused(int port, struct kw_error *error) {
    if (errno != EADDRINUSE) {
        kw_error_system(error, "cannot listen on 127.0.0.1:%d", port);
    } else {
        kw_error(error, KW_ABSENT_LOCKED,
                 "another program listens on port %d of 127.0.0.1", port);
    }
    return kw_error_hint(error, "choose another port; --tcp 0 takes any free "
                                "one");
}

kw_status kw_endpoint_tcp(struct kw_endpoint *endpoint, int port,
                          struct kw_error *error) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    endpoint->fd = socket(AF_INET, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (!listen_at(endpoint->fd, &address)) {
        return port_refused(port, error);
    }
    endpoint->address =
        kw_format("tcp:127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return endpoint->address == NULL ? no_memory(error) : KW_OK;
}

/* --- pseudo-terminals --- */

/* A host reads bytes, not lines, and hears nothing but the board. The other
 * side stays open: without anybody there a read answers EIO. */
static bool open_terminal(struct kw_endpoint *endpoint,
                          char name[TERMINAL_MAX]) {
    struct termios mode;
    endpoint->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (endpoint->fd < 0 || grantpt(endpoint->fd) != 0 ||
        unlockpt(endpoint->fd) != 0 ||
        ptsname_r(endpoint->fd, name, TERMINAL_MAX) != 0) {
        return false;
    }
    endpoint->held = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (endpoint->held < 0 || fchmod(endpoint->held, 0600) != 0 ||
        tcgetattr(endpoint->held, &mode) != 0) {
        return false;
    }
    cfmakeraw(&mode);
    endpoint->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return tcsetattr(endpoint->held, TCSANOW, &mode) == 0 &&
           endpoint->watch >= 0 &&
           inotify_add_watch(endpoint->watch, name, IN_OPEN | IN_CLOSE) >= 0;
}

/* Whose terminal a link leads to cannot be seen in it, and the number of a
 * terminal that is gone is given again. So a board binds an abstract socket
 * that is named for the link itself, which goes with the board. The number of
 * a link that somebody removed is given again too: the time at which it was
 * made tells them apart. Answers -1, and errno. */
static int claim_link(const struct kw_file_mark *mark) {
    struct sockaddr_un claim = {.sun_family = AF_UNIX};
    const int length =
        snprintf(claim.sun_path + 1, sizeof claim.sun_path - 1,
                 "keywright board %jx %jx %jx.%lx", (uintmax_t)mark->device,
                 (uintmax_t)mark->number, (uintmax_t)mark->made.tv_sec,
                 (unsigned long)mark->made.tv_nsec);
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                       1 + (size_t)length);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&claim, size) != 0) {
        const int cause = errno;
        (void)close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

static bool is_of_a_board(const char *link) {
    const struct kw_file_mark mark = mark_of(link);
    if (!is_of_kind(link, S_IFLNK)) {
        return false;
    }
    const int claim = claim_link(&mark);
    const bool claimed = claim < 0 && errno == EADDRINUSE;
    if (claim >= 0) {
        (void)close(claim);
    }
    return claimed;
}

kw_status kw_endpoint_terminal(struct kw_endpoint *endpoint, const char *prefix,
                               const char *link, struct kw_error *error) {
    char name[TERMINAL_MAX];
    if (!open_terminal(endpoint, name)) {
        return kw_error_system(error, "cannot make a pseudo-terminal");
    }
    if (is_of_a_board(link)) {
        return path_in_use(link, error);
    }
    if (is_of_kind(link, S_IFLNK)) {
        (void)unlink(link);
    }
    if (symlink(name, link) != 0) {
        kw_error_system(error, "cannot make the link %s to %s", link, name);
        return kw_error_hint(error, "name a place where there is no file yet");
    }
    endpoint->path_mark = mark_of(link);
    endpoint->claim = claim_link(&endpoint->path_mark);
    if (endpoint->claim < 0) {
        return path_in_use(link, error); /* another board was as fast */
    }
    return name_endpoint(endpoint, prefix, link, error);
}

void kw_endpoint_close(struct kw_endpoint *endpoint) {
    if (endpoint->claim >= 0) {
        (void)close(endpoint->claim); /* before its name can be another's */
    }
    if (endpoint->path != NULL) {
        remove_own(endpoint->path, &endpoint->path_mark);
    }
    if (endpoint->lock != NULL) {
        remove_own(endpoint->lock, &endpoint->lock_mark);
    }
    if (endpoint->fd >= 0) {
        (void)close(endpoint->fd);
    }
    if (endpoint->held >= 0) {
        (void)close(endpoint->held);
    }
    if (endpoint->watch >= 0) {
        (void)close(endpoint->watch);
    }
    free(endpoint->path);
    free(endpoint->lock);
    free(endpoint->address);
    kw_endpoint_init(endpoint);
}
