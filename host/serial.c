#include "host/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_MS 5000
#define LOCK_STEP_MS 50

int64_t kw_serial_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- opening --- */

static kw_status absent(struct kw_error *error, const char *kind,
                        const char *path, const char *why) {
    kw_error(error, KW_ABSENT, "Can't connect to %s%s: %s", kind, path, why);
    return kw_error_hint(error, KW_CHECK_BOARD);
}

kw_status kw_serial_speed(int fd, speed_t speed, tcflag_t bits) {
    struct termios mode;
    KW_ENSURE(tcgetattr(fd, &mode) == 0, KW_ABSENT);
    cfmakeraw(&mode);
    mode.c_cflag &= ~(tcflag_t)CSIZE;
    mode.c_cflag |= CLOCAL | CREAD | bits;
    mode.c_cc[VMIN] = 0;
    mode.c_cc[VTIME] = 0;
    KW_ENSURE(cfsetspeed(&mode, speed) == 0 &&
                  tcsetattr(fd, TCSADRAIN, &mode) == 0,
              KW_ABSENT);
    return KW_OK;
}

kw_status kw_serial_lock(int fd, const char *kind, const char *path,
                         struct kw_error *error) {
    const int64_t deadline = kw_serial_now() + LOCK_WAIT_MS;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || kw_serial_now() >= deadline) {
            kw_error(error, KW_ABSENT_LOCKED,
                     "Can't connect to %s%s: another process has it", kind,
                     path);
            return kw_error_hint(error, "wait until that process has ended, "
                                        "or end it");
        }
        (void)poll(NULL, 0, LOCK_STEP_MS);
    }
    return KW_OK;
}

kw_status kw_serial_open(const char *kind, const char *path, speed_t speed,
                         int *fd, struct kw_error *error) {
    const int opened = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0) {
        return absent(error, kind, path, strerror(errno));
    }
    kw_status status = kw_serial_lock(opened, kind, path, error);
    if (status == KW_OK && kw_serial_speed(opened, speed, CS8) != KW_OK) {
        status = absent(error, kind, path, "it is no serial port");
    }
    if (status != KW_OK) {
        (void)close(opened);
        return status;
    }
    kw_serial_drop(opened);
    *fd = opened;
    return KW_OK;
}

/* --- bytes --- */

static kw_status wait_for(int fd, short events, int64_t deadline) {
    struct pollfd waiting = {.fd = fd, .events = events};
    for (;;) {
        const int64_t left = deadline - kw_serial_now();
        const int ready = left > 0 ? poll(&waiting, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        return ready > 0 ? KW_OK : KW_ABSENT_ANSWER;
    }
}

static bool is_passing(ssize_t count) {
    return count < 0 && (errno == EINTR || errno == EAGAIN);
}

kw_status kw_serial_send(int fd, const void *data, size_t size,
                         int64_t deadline) {
    const uint8_t *at = data;
    while (size > 0) {
        KW_TRY(wait_for(fd, POLLOUT, deadline));
        const ssize_t count = write(fd, at, size);
        if (is_passing(count)) {
            continue;
        }
        KW_ENSURE(count > 0, KW_ABSENT_ANSWER);
        at += count;
        size -= (size_t)count;
    }
    return KW_OK;
}

kw_status kw_serial_receive(int fd, void *data, size_t size, int64_t deadline,
                            size_t *received) {
    for (;;) {
        KW_TRY(wait_for(fd, POLLIN, deadline));
        const ssize_t count = read(fd, data, size);
        if (is_passing(count)) {
            continue;
        }
        KW_ENSURE(count > 0, KW_ABSENT_ANSWER);
        *received = (size_t)count;
        return KW_OK;
    }
}

kw_status kw_serial_receive_all(int fd, void *data, size_t size,
                                int64_t deadline) {
    uint8_t *at = data;
    while (size > 0) {
        size_t received = 0;
        KW_TRY(kw_serial_receive(fd, at, size, deadline, &received));
        at += received;
        size -= received;
    }
    return KW_OK;
}

void kw_serial_drop(int fd) {
    (void)tcflush(fd, TCIOFLUSH);
}
