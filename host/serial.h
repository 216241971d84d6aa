/* host/serial.h: a serial port: raw bytes with a deadline.
 *
 * Whoever opens a port locks it (flock), so that two commands do not mix
 * their bytes. Knows host/error.h alone. */
#ifndef KW_HOST_SERIAL_H
#define KW_HOST_SERIAL_H

#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "host/error.h"

/* What to check when a device is not there. */
#define KW_CHECK_BOARD                                                         \
    "check the USB cable, the board's switches, and that the board runs its "  \
    "factory program (kit protocol); or that `keywright board serve` runs "    \
    "there"

/* Opens it raw, waits up to 5 s for its lock, and drops what came before.
 * Class KW_CLASS_ABSENT: not there, no terminal, or taken. */
KW_MUST_USE kw_status kw_serial_open(const char *kind, const char *path,
                                     speed_t speed, int *fd,
                                     struct kw_error *error);
/* Waits up to 5 s for the lock of an open device. KW_ABSENT_LOCKED. */
KW_MUST_USE kw_status kw_serial_lock(int fd, const char *kind, const char *path,
                                     struct kw_error *error);
KW_MUST_USE kw_status kw_serial_speed(int fd, speed_t speed, tcflag_t bits);
/* KW_ABSENT_ANSWER when the device is gone or the deadline (of
 * kw_serial_now) passes. */
KW_MUST_USE kw_status kw_serial_send(int fd, const void *data, size_t size,
                                     int64_t deadline);
/* At least one byte, at most size. */
KW_MUST_USE kw_status kw_serial_receive(int fd, void *data, size_t size,
                                        int64_t deadline, size_t *received);
KW_MUST_USE kw_status kw_serial_receive_all(int fd, void *data, size_t size,
                                            int64_t deadline);
/* Drops what has come. */
void kw_serial_drop(int fd);
int64_t kw_serial_now(void); /* milliseconds */

#endif
