#include "host/board_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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
    *endpoint = (struct kw_endpoint){.fd = -1, .held = -1, .watch = -1};
}

/* --- unix sockets --- */

/* What is there belongs to a board that was killed: whoever has the chips'
 * locks may take its place. Anything else is left alone. */
static void remove_stale(const char *path, mode_t kind) {
    struct stat about;
    if (lstat(path, &about) == 0 && (about.st_mode & S_IFMT) == kind) {
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
        return path_too_long(path, error);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    remove_stale(path, S_IFSOCK);
    endpoint->fd = socket(AF_UNIX, kind | SOCKET_FLAGS, 0);
    if (endpoint->fd < 0 || bind_private(endpoint->fd, &address) != 0) {
        return kw_error_system(error, "cannot listen on %s", path);
    }
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

kw_status kw_endpoint_tcp(struct kw_endpoint *endpoint, int port,
                          struct kw_error *error) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    endpoint->fd = socket(AF_INET, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (!listen_at(endpoint->fd, &address)) {
        kw_error_system(error, "cannot listen on 127.0.0.1:%d", port);
        return kw_error_hint(error, "choose another port; --tcp 0 takes any "
                                    "free one");
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

kw_status kw_endpoint_terminal(struct kw_endpoint *endpoint, const char *prefix,
                               const char *link, struct kw_error *error) {
    char name[TERMINAL_MAX];
    if (!open_terminal(endpoint, name)) {
        return kw_error_system(error, "cannot make a pseudo-terminal");
    }
    remove_stale(link, S_IFLNK);
    if (symlink(name, link) != 0) {
        kw_error_system(error, "cannot make the link %s to %s", link, name);
        return kw_error_hint(error, "name a place where there is no file yet");
    }
    return name_endpoint(endpoint, prefix, link, error);
}

void kw_endpoint_close(struct kw_endpoint *endpoint) {
    if (endpoint->path != NULL) {
        (void)unlink(endpoint->path);
    }
    if (endpoint->lock != NULL) {
        (void)unlink(endpoint->lock);
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
