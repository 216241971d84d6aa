/* host/link_socket.c: a chip behind a board's socket or TCP port. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/packet.h"
#include "host/files.h"
#include "host/links.h"
#include "host/pause.h"
#include "host/tcp_turn.h"

#define DEFAULT_PORT "8608"
#define DEADLINE_MS  3000 /* the slowest command needs 1.1 s */
#define CONNECT_S    5
/* For another command to end its sequence; as for an emulated chip. */
#define LOCK_WAIT_MS 5000
#define LOCK_STEP_MS 2
#define IN_STEP_MS   500
#define IN_STEP      0 /* a byte that begins no frame */

enum word_address {
    WORD_WAKE = 0,
    WORD_SLEEP,
    WORD_IDLE,
    WORD_COMMAND,
    WORD_CHOOSE,
    WORD_SYNC
};

struct socket_link {
    int fd;
    int lock;  /* the file beside the socket; -1: there is none */
    int turn;  /* TCP: it is ours as long as this is open; -1: none */
    bool late; /* an answer is missing, and nobody knows whether it comes */
    bool left; /* interrupted at a wake: nothing is left to be obeyed */
};

static int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static kw_status send_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        const ssize_t count = send(fd, data, size, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        KW_ENSURE(count > 0, KW_ABSENT_ANSWER);
        data += count;
        size -= (size_t)count;
    }
    return KW_OK;
}

static kw_status wait_readable(int fd, int64_t deadline) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    for (;;) {
        const int64_t left = deadline - now_ms();
        const int ready = left > 0 ? poll(&waiting, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        return ready > 0 ? KW_OK : KW_ABSENT_ANSWER;
    }
}

static kw_status receive_all(int fd, uint8_t *data, size_t size,
                             int64_t deadline) {
    while (size > 0) {
        KW_TRY(wait_readable(fd, deadline));
        const ssize_t count = recv(fd, data, size, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        KW_ENSURE(count > 0, KW_ABSENT_ANSWER);
        data += count;
        size -= (size_t)count;
    }
    return KW_OK;
}

/* A damaged count leaves a part of its frame behind. */
static void drop_stale(const struct socket_link *link) {
    uint8_t stale[KW_RESPONSE_MAX];
    while (recv(link->fd, stale, sizeof stale, MSG_DONTWAIT) > 0) {
    }
}

static kw_status send_word(const struct socket_link *link,
                           enum word_address word) {
    const uint8_t byte = (uint8_t)word;
    return send_all(link->fd, &byte, 1);
}

/* The board answers this when it has obeyed all that came before: an answer
 * that is not there by then never comes, and one that comes late is dropped
 * here, so that it is not taken for the next one's. */
static kw_status get_in_step(const struct socket_link *link) {
    const int64_t deadline = now_ms() + IN_STEP_MS;
    uint8_t late[KW_RESPONSE_MAX];
    drop_stale(link);
    KW_TRY(send_word(link, WORD_SYNC));
    KW_TRY(receive_all(link->fd, late, 1, deadline));
    while (late[0] != IN_STEP) {
        KW_ENSURE(late[0] <= sizeof late, KW_ABSENT_CRC);
        KW_TRY(receive_all(link->fd, late + 1, late[0] - 1u, deadline));
        KW_TRY(receive_all(link->fd, late, 1, deadline));
    }
    return KW_OK;
}

static kw_status begin_exchange(const struct socket_link *link) {
    KW_ENSURE(!link->late, KW_ABSENT_ANSWER);
    drop_stale(link);
    return KW_OK;
}

static kw_status receive_bytes(int fd, uint8_t *frame, size_t capacity,
                               size_t *size) {
    const int64_t deadline = now_ms() + DEADLINE_MS;
    KW_TRY(receive_all(fd, frame, 1, deadline));
    KW_ENSURE(frame[0] >= KW_RESPONSE_MIN && frame[0] <= capacity,
              KW_ABSENT_CRC);
    KW_TRY(receive_all(fd, frame + 1, (size_t)frame[0] - 1, deadline));
    *size = frame[0];
    return KW_OK;
}

static kw_status receive_frame(struct socket_link *link, uint8_t *frame,
                               size_t capacity, size_t *size) {
    const kw_status status = receive_bytes(link->fd, frame, capacity, size);
    link->late = status == KW_ABSENT_ANSWER && get_in_step(link) != KW_OK;
    return status;
}

/* --- one sequence at a time ----------------------------------------------
 *
 * There is one TempKey a chip, and an idle of one host ends the sequence of
 * another. A command has the chip's lock from its wake to its idle; hosts
 * that know nothing of the lock are not kept out. */

static kw_status wait_for_lock(const struct socket_link *link,
                               const struct kw_pause *pause) {
    const int64_t deadline = now_ms() + LOCK_WAIT_MS;
    while (flock(link->lock, LOCK_EX | LOCK_NB) != 0) {
        KW_ENSURE(now_ms() < deadline, KW_ABSENT_LOCKED);
        KW_ENSURE(kw_pause_poll(pause, NULL, LOCK_STEP_MS) == 0,
                  KW_INTERRUPTED);
    }
    return KW_OK;
}

static kw_status begin_sequence(const struct socket_link *link) {
    struct kw_pause pause;
    if (link->lock < 0) {
        return KW_OK;
    }
    kw_pause_begin(&pause);
    const kw_status status = wait_for_lock(link, &pause);
    kw_pause_end(&pause);
    return status;
}

static kw_status wait_awake(struct socket_link *link,
                            const struct kw_pause *pause) {
    struct pollfd waiting = {.fd = link->fd, .events = POLLIN};
    const int ready = kw_pause_poll(pause, &waiting, DEADLINE_MS);
    link->left = ready < 0;
    link->late = link->left || (ready == 0 && get_in_step(link) != KW_OK);
    KW_ENSURE(!link->left, KW_INTERRUPTED);
    return ready > 0 ? KW_OK : KW_ABSENT_ANSWER;
}

/* A wake changes nothing, so that an interruption need not wait for its
 * answer. */
static kw_status send_wake(struct socket_link *link) {
    struct kw_pause pause;
    kw_pause_begin(&pause);
    const kw_status sent = send_word(link, WORD_WAKE);
    const kw_status status = sent == KW_OK ? wait_awake(link, &pause) : sent;
    kw_pause_end(&pause);
    return status;
}

/* An idle or sleep has no answer: the next sequence may begin when the board
 * has obeyed it, not when it has read it. Out of step nobody can tell; the
 * lock is kept until the board has hung up. */
static void end_sequence(struct socket_link *link) {
    if (link->lock < 0) {
        return;
    }
    link->late = link->late || get_in_step(link) != KW_OK;
    if (!link->late) {
        (void)flock(link->lock, LOCK_UN);
    }
}

static kw_status wake(void *self) {
    struct socket_link *link = self;
    uint8_t frame[KW_RESPONSE_MAX];
    size_t size = 0;
    KW_TRY(begin_sequence(link));
    KW_TRY(begin_exchange(link));
    KW_TRY(send_wake(link));
    return receive_frame(link, frame, sizeof frame, &size);
}

static kw_status idle(void *self) {
    const kw_status status = send_word(self, WORD_IDLE);
    end_sequence(self);
    return status;
}

static kw_status put_to_sleep(void *self) {
    const kw_status status = send_word(self, WORD_SLEEP);
    end_sequence(self);
    return status;
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    struct socket_link *link = self;
    uint8_t bytes[1 + KW_PACKET_MAX] = {WORD_COMMAND};
    KW_ENSURE(packet_size <= KW_PACKET_MAX, KW_PARSE_SIZE);
    memcpy(bytes + 1, packet, packet_size);
    KW_TRY(begin_exchange(link));
    KW_TRY(send_all(link->fd, bytes, 1 + packet_size));
    return receive_frame(link, response, capacity, response_size);
}

static void close_socket(void *self) {
    struct socket_link *link = self;
    if ((link->turn >= 0 || link->late) && !link->left) {
        kw_tcp_turn_end(link->fd);
    }
    if (link->turn >= 0) {
        (void)close(link->turn);
    }
    (void)close(link->fd);
    if (link->lock >= 0) {
        (void)close(link->lock);
    }
    free(link);
}

static const struct kw_link_ops OPS = {wake, idle, put_to_sleep, transfer,
                                       NULL};

static kw_status take_socket(int fd, int lock, struct kw_opened_link *opened,
                             struct kw_error *error) {
    struct socket_link *link = malloc(sizeof *link);
    if (link == NULL) {
        (void)close(fd);
        if (lock >= 0) {
            (void)close(lock);
        }
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    link->fd = fd;
    link->lock = lock;
    link->turn = -1;
    link->late = false;
    link->left = false;
    *opened = (struct kw_opened_link){{&OPS, link}, close_socket};
    return KW_OK;
}

static kw_status absent(struct kw_error *error, const char *kind,
                        const char *where, const char *why) {
    kw_error(error, KW_ABSENT, "Can't connect to %s%s: %s", kind, where, why);
    return kw_error_hint(error, "check that `keywright board serve` runs "
                                "there and that the address is right");
}

/* The board makes it beside its socket. */
static int open_lock(const char *path) {
    char *name = kw_format("%s.lock", path);
    const int lock = name == NULL ? -1 : open(name, O_RDWR | O_CLOEXEC);
    free(name);
    return lock;
}

/* Messages name the link as KIND and REST. */
static kw_status connect_unix(const char *path, const char *kind,
                              const char *rest, int *connected,
                              struct kw_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0') {
        return kw_error(error, KW_USAGE, "%s names no path", kind);
    }
    if (strlen(path) >= sizeof address.sun_path) {
        return kw_error(error, KW_USAGE,
                        "the socket path %s is longer than %zu characters",
                        path, sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        const char *why = strerror(errno);
        if (fd >= 0) {
            (void)close(fd);
        }
        return absent(error, kind, rest, why);
    }
    *connected = fd;
    return KW_OK;
}

kw_status kw_link_open_unix(const char *path, struct kw_opened_link *opened,
                            struct kw_error *error) {
    int fd = -1;
    KW_TRY(connect_unix(path, "unix:", path, &fd, error));
    return take_socket(fd, open_lock(path), opened, error);
}

/* --- a chip of a fleet --- */

static kw_status choose(int fd, const char *name, const char *rest,
                        struct kw_error *error) {
    const size_t size = strlen(name);
    const uint8_t head[] = {WORD_CHOOSE, (uint8_t)size};
    uint8_t answer = 0;
    if (send_all(fd, head, sizeof head) != KW_OK ||
        send_all(fd, (const uint8_t *)name, size) != KW_OK ||
        receive_all(fd, &answer, 1, now_ms() + DEADLINE_MS) != KW_OK) {
        return absent(error, "fleet:", rest, "it is no fleet's socket");
    }
    if (answer != 0) {
        kw_error(error, KW_ABSENT, "Can't connect to fleet:%s: %s", rest,
                 answer == 1 ? "the fleet has no such chip"
                             : "its image does not open");
        return kw_error_hint(error, "the chips are the files NAME.chip beside "
                                    "the socket when the board started; what "
                                    "is wrong with one, the board says");
    }
    return KW_OK;
}

/* The lock of a sequence is on the chip's image. */
static int open_image_lock(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    char *image = kw_format(
        "%.*s%s.chip", slash == NULL ? 0 : (int)(slash + 1 - path), path, name);
    const int lock = image == NULL ? -1 : open(image, O_RDONLY | O_CLOEXEC);
    free(image);
    return lock;
}

static kw_status open_chosen(const char *path, const char *name,
                             const char *rest, struct kw_opened_link *opened,
                             struct kw_error *error) {
    int fd = -1;
    KW_TRY(connect_unix(path, "fleet:", rest, &fd, error));
    const kw_status status = choose(fd, name, rest, error);
    if (status != KW_OK) {
        (void)close(fd);
        return status;
    }
    return take_socket(fd, open_image_lock(path, name), opened, error);
}

kw_status kw_link_open_fleet(const char *rest, struct kw_opened_link *opened,
                             struct kw_error *error) {
    const char *slash = strrchr(rest, '/');
    const char *at = strchr(slash == NULL ? rest : slash, '@');
    if (at == NULL || at[1] == '\0' || strlen(at + 1) > NAME_MAX) {
        kw_error(error, KW_USAGE, "fleet:%s names no chip", rest);
        return kw_error_hint(error, "a chip of a fleet is "
                                    "fleet:DIR/fleet.sock@NAME");
    }
    char *path = strndup(rest, (size_t)(at - rest));
    if (path == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = open_chosen(path, at + 1, rest, opened, error);
    free(path);
    return status;
}

/* --- TCP --- */

static int connect_to(const struct addrinfo *at) {
    const struct timeval limit = {.tv_sec = CONNECT_S};
    const int fd =
        socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
        return fd;
    }
    const int cause = errno;
    (void)close(fd);
    errno = cause;
    return -1;
}

static int connect_any(const struct addrinfo *found) {
    int fd = -1;
    errno = 0;
    for (const struct addrinfo *at = found;
         fd < 0 && at != NULL && errno != EINTR; at = at->ai_next) {
        fd = connect_to(at);
    }
    return fd;
}

/* HOST, HOST:PORT or [HOST]:PORT. */
static void split_address(char *address, const char **host, const char **port) {
    char *colon = strrchr(address, ':');
    *host = address;
    *port = DEFAULT_PORT;
    if (colon != NULL && strchr(colon, ']') == NULL) {
        *colon = '\0';
        *port = colon + 1;
    }
    const size_t size = strlen(address);
    if (address[0] == '[' && size > 1 && address[size - 1] == ']') {
        address[size - 1] = '\0';
        *host = address + 1;
    }
}

static bool is_port(const char *text) {
    char *end = NULL;
    const unsigned long port = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port >= 1 &&
           port <= 65535;
}

static kw_status take_tcp(int fd, const char *address,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    int turn = -1;
    const kw_status status = kw_tcp_turn_take(fd, address, &turn, error);
    if (status != KW_OK) {
        (void)close(fd);
        return status;
    }
    const kw_status taken = take_socket(fd, -1, opened, error);
    if (taken != KW_OK && turn >= 0) {
        (void)close(turn);
        return taken;
    }
    ((struct socket_link *)opened->link.self)->turn = turn;
    return taken;
}

kw_status kw_link_open_tcp(const char *address, struct kw_opened_link *opened,
                           struct kw_error *error) {
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const char *host = NULL;
    const char *port = NULL;
    char *copy = strdup(address);
    if (copy == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    split_address(copy, &host, &port);
    if (host[0] == '\0' || !is_port(port)) {
        free(copy);
        return kw_error(error, KW_USAGE, "tcp:%s names no port from 1 to 65535",
                        address);
    }
    const int failure = getaddrinfo(host, port, &wanted, &found);
    const int fd = failure == 0 ? connect_any(found) : -1;
    const int cause = errno;
    const char *why = failure != 0 ? gai_strerror(failure) : strerror(cause);
    if (failure == 0) {
        freeaddrinfo(found);
    }
    free(copy);
    if (fd < 0 && failure == 0 && cause == EINTR) {
        errno = cause;
        return kw_error_system(error, "Can't connect to tcp:%s", address);
    }
    return fd < 0 ? absent(error, "tcp:", address, why)
                  : take_tcp(fd, address, opened, error);
}
