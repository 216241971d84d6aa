/* preload/i2c.c: libkeywright-i2c.so, for LD_PRELOAD.
 *
 * An unmodified program finds the emulated board's bus at every /dev/i2c-N:
 * open connects to the socket that KEYWRIGHT_I2C names, and the descriptor
 * that the program gets is that socket. Which descriptors are a bus is told
 * by their inode, so that close, dup, fork and fcntl need no help. Contract:
 * docs/cli.md, "libkeywright-i2c.so"; messages: docs/formats.md, "I2C
 * transfers"; answers of i2c-dev: the kernel's i2c/fault-codes.
 *
 * Knows nobody of this repository: it is loaded into foreign programs. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EXPORT       __attribute__((visibility("default")))
#define PREFIX       "/dev/i2c-"
#define BUSES_MAX    256 /* open at the same time; the oldest is forgotten */
#define HEADER       4
#define TRANSFER_MAX 1024
#define SECONDS_MAX  10 /* for an answer of the board */

enum { MESSAGE_READ = 0x01, MESSAGE_NO_STOP = 0x02 };
enum { ACKNOWLEDGED = 0, NOT_ACKNOWLEDGED = 1 };

/* The C library's own function. */
#define NEXT(function)                                                         \
    __extension__({                                                            \
        __typeof__(&(function)) next_;                                         \
        void *const found_ = dlsym(RTLD_NEXT, #function);                      \
        memcpy(&next_, &found_, sizeof next_);                                 \
        next_;                                                                 \
    })

/* --- which descriptors are a bus --- */

struct bus {
    ino_t socket; /* 0: nothing here */
    uint16_t address;
};

/* State of the process that this is loaded into; there is no other place
 * for it. */
static struct bus buses[BUSES_MAX];
static size_t next_bus;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void remember(ino_t inode) {
    (void)pthread_mutex_lock(&lock);
    buses[next_bus] = (struct bus){.socket = inode};
    next_bus = (next_bus + 1) % BUSES_MAX;
    (void)pthread_mutex_unlock(&lock);
}

static ino_t socket_of(int fd) {
    struct stat about;
    const int cause = errno;
    const bool is_socket = fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
    errno = cause;
    return is_socket ? about.st_ino : 0;
}

/* NULL: another file. An entry is only ever changed whole, under the lock. */
static struct bus *bus_of(int fd) {
    struct bus *found = NULL;
    const ino_t inode = socket_of(fd);
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; inode != 0 && i < BUSES_MAX; i++) {
        if (buses[i].socket == inode) {
            found = &buses[i];
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}

/* --- one transfer --- */

/* A message and its answer belong together, whatever other threads do. */
static ssize_t exchange(int fd, const uint8_t *message, size_t size,
                        uint8_t *answer, size_t capacity) {
    ssize_t count = -1;
    (void)pthread_mutex_lock(&lock);
    if (send(fd, message, size, MSG_NOSIGNAL) == (ssize_t)size) {
        do {
            count = recv(fd, answer, capacity, 0);
        } while (count < 0 && errno == EINTR);
    }
    (void)pthread_mutex_unlock(&lock);
    return count;
}

static int status_error(const uint8_t *answer, ssize_t size, size_t wanted) {
    if (size < 1) {
        return ENODEV; /* the board has gone */
    }
    if (answer[0] == NOT_ACKNOWLEDGED) {
        return ENXIO;
    }
    return answer[0] != ACKNOWLEDGED || (size_t)size != 1 + wanted ? EIO : 0;
}

/* 0, or -1 and errno. */
static int transfer(int fd, uint16_t address, uint8_t flags, uint8_t *bytes,
                    size_t size) {
    uint8_t message[HEADER + TRANSFER_MAX] = {
        flags, (uint8_t)address, (uint8_t)size, (uint8_t)(size >> 8)};
    uint8_t answer[1 + TRANSFER_MAX];
    const bool reads = (flags & MESSAGE_READ) != 0;
    if (size > TRANSFER_MAX) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (!reads && size > 0) {
        memcpy(message + HEADER, bytes, size);
    }
    const ssize_t count = exchange(fd, message, HEADER + (reads ? 0 : size),
                                   answer, sizeof answer);
    const int error = status_error(answer, count, reads ? size : 0);
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (reads) {
        memcpy(bytes, answer + 1, size);
    }
    return 0;
}

/* --- read and write --- */

EXPORT ssize_t read(int fd, void *bytes, size_t size) {
    const struct bus *bus = bus_of(fd);
    if (bus == NULL) {
        return NEXT(read)(fd, bytes, size);
    }
    return transfer(fd, bus->address, MESSAGE_READ, bytes, size) == 0
               ? (ssize_t)size
               : -1;
}

/* What a program compiled with checks of sizes calls. */
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t capacity);
EXPORT ssize_t __read_chk(int fd, void *bytes, size_t size, size_t capacity) {
    if (size > capacity) {
        abort();
    }
    return read(fd, bytes, size);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t size) {
    const struct bus *bus = bus_of(fd);
    uint8_t copy[TRANSFER_MAX];
    if (bus == NULL) {
        return NEXT(write)(fd, bytes, size);
    }
    if (size > sizeof copy) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return transfer(fd, bus->address, 0, copy, size) == 0 ? (ssize_t)size : -1;
}

/* --- ioctl --- */

static int choose(struct bus *bus, unsigned long address) {
    if (address > 0x7F) {
        errno = EINVAL;
        return -1;
    }
    bus->address = (uint16_t)address;
    return 0;
}

/* Messages with a repeated start between them and a stop at the end. */
static int transfer_all(int fd, const struct i2c_rdwr_ioctl_data *all) {
    if (all->nmsgs == 0 || all->nmsgs > I2C_RDWR_IOCTL_MAX_MSGS) {
        errno = EINVAL;
        return -1;
    }
    for (uint32_t i = 0; i < all->nmsgs; i++) {
        const struct i2c_msg *message = &all->msgs[i];
        const bool last = i + 1 == all->nmsgs;
        const bool reads = (message->flags & I2C_M_RD) != 0;
        if ((message->flags & ~I2C_M_RD) != 0 || message->addr > 0x7F) {
            errno = EOPNOTSUPP;
            return -1;
        }
        const uint8_t flags = (uint8_t)((reads ? MESSAGE_READ : 0) |
                                        (last ? 0 : MESSAGE_NO_STOP));
        if (transfer(fd, message->addr, flags, message->buf, message->len) !=
            0) {
            return -1;
        }
    }
    return (int)all->nmsgs;
}

static int control(int fd, struct bus *bus, unsigned long request,
                   void *argument) {
    switch (request) {
    case I2C_SLAVE:
    case I2C_SLAVE_FORCE:
        return choose(bus, (unsigned long)(uintptr_t)argument);
    case I2C_FUNCS:
        *(unsigned long *)argument = I2C_FUNC_I2C;
        return 0;
    case I2C_RDWR:
        return transfer_all(fd, argument);
    case I2C_RETRIES:
    case I2C_TIMEOUT:
        return 0;
    case I2C_TENBIT:
    case I2C_PEC:
        errno = EINVAL;
        return argument == NULL ? 0 : -1;
    default:
        errno = request == I2C_SMBUS ? EOPNOTSUPP : ENOTTY;
        return -1;
    }
}

EXPORT int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    struct bus *bus = bus_of(fd);
    return bus == NULL ? NEXT(ioctl)(fd, request, argument)
                       : control(fd, bus, request, argument);
}

/* --- open --- */

static const char *socket_path(const char *path) {
    const char *socket_name = getenv("KEYWRIGHT_I2C");
    const size_t size = sizeof PREFIX - 1;
    const bool is_bus =
        path != NULL && strncmp(path, PREFIX, size) == 0 &&
        path[size] != '\0' &&
        strspn(path + size, "0123456789") == strlen(path + size);
    return is_bus ? socket_name : NULL;
}

static int connect_to(int fd, const char *name) {
    const struct timeval limit = {.tv_sec = SECONDS_MAX};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(name) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, name, strlen(name) + 1);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static int open_bus(const char *name, int flags) {
    const int kind =
        SOCK_SEQPACKET | ((flags & O_CLOEXEC) != 0 ? SOCK_CLOEXEC : 0);
    const int fd = socket(AF_UNIX, kind, 0);
    if (fd < 0) {
        return -1;
    }
    if (connect_to(fd, name) != 0) {
        const int cause = errno == ECONNREFUSED ? ENXIO : errno;
        (void)close(fd);
        errno = cause;
        return -1;
    }
    remember(socket_of(fd));
    return fd;
}

/* The mode is there when a file may be made. */
static mode_t mode_of(int flags, va_list arguments) {
    const bool makes =
        (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return makes ? (mode_t)va_arg(arguments, int) : 0;
}

#define OPEN(function)                                                         \
    EXPORT int function(const char *path, int flags, ...) {                    \
        const char *name = socket_path(path);                                  \
        va_list arguments;                                                     \
        va_start(arguments, flags);                                            \
        const mode_t mode = mode_of(flags, arguments);                         \
        va_end(arguments);                                                     \
        return name == NULL ? NEXT(function)(path, flags, mode)                \
                            : open_bus(name, flags);                           \
    }

#define OPEN_AT(function)                                                      \
    EXPORT int function(int folder, const char *path, int flags, ...) {        \
        const char *name = socket_path(path);                                  \
        va_list arguments;                                                     \
        va_start(arguments, flags);                                            \
        const mode_t mode = mode_of(flags, arguments);                         \
        va_end(arguments);                                                     \
        return name == NULL ? NEXT(function)(folder, path, flags, mode)        \
                            : open_bus(name, flags);                           \
    }

#define OPEN_2(function)                                                       \
    int function(const char *path, int flags);                                 \
    EXPORT int function(const char *path, int flags) {                         \
        const char *name = socket_path(path);                                  \
        return name == NULL ? NEXT(function)(path, flags)                      \
                            : open_bus(name, flags);                           \
    }

#define OPEN_AT_2(function)                                                    \
    int function(int folder, const char *path, int flags);                     \
    EXPORT int function(int folder, const char *path, int flags) {             \
        const char *name = socket_path(path);                                  \
        return name == NULL ? NEXT(function)(folder, path, flags)              \
                            : open_bus(name, flags);                           \
    }

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPEN_AT_2(__openat_2)
OPEN_AT_2(__openat64_2)
