/* A program that knows nothing of the emulated board: it reads the serial
 * number of an ATECC608 as on any Linux machine with I2C.
 *
 *     i2c_program BUS ADDRESS HOW
 *
 * BUS is a path, ADDRESS the 7-bit address in hex, HOW one of the ways in
 * which programs open and speak. It prints the answer in hex, or the errno's
 * name and exits 1. Compiled with checks of sizes, so that the forms of the
 * calls with such checks are used too. */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *doing = "";

static void fail(const char *what) {
    printf("%s: %s: %s\n", doing, what, strerrorname_np(errno));
    exit(1);
}

static void demand(int holds, const char *what) {
    if (!holds) {
        fail(what);
    }
}

/* --- ways to open --- */

static int open_by(const char *how, const char *path) {
    volatile int flags = O_RDWR | O_CLOEXEC; /* not known to the compiler */
    if (strcmp(how, "open64") == 0) {
        return open64(path, O_RDWR);
    }
    if (strcmp(how, "openat") == 0) {
        return openat(AT_FDCWD, path, O_RDWR);
    }
    if (strcmp(how, "openat64") == 0) {
        return openat64(AT_FDCWD, path, O_RDWR);
    }
    if (strcmp(how, "open_2") == 0) {
        return open(path, flags);
    }
    if (strcmp(how, "open64_2") == 0) {
        return open64(path, flags);
    }
    if (strcmp(how, "openat_2") == 0) {
        return openat(AT_FDCWD, path, flags);
    }
    if (strcmp(how, "openat64_2") == 0) {
        return openat64(AT_FDCWD, path, flags);
    }
    return open(path, O_RDWR);
}

/* The same bus under another descriptor. */
static int move(const char *how, int fd) {
    int moved = fd;
    if (strcmp(how, "dup") == 0) {
        moved = dup(fd);
    } else if (strcmp(how, "dup2") == 0) {
        moved = dup2(fd, 77);
    } else if (strcmp(how, "dup3") == 0) {
        moved = dup3(fd, 78, O_CLOEXEC);
    } else if (strcmp(how, "fcntl") == 0) {
        moved = fcntl(fd, F_DUPFD_CLOEXEC, 50);
    }
    if (moved != fd) {
        demand(close(fd) == 0, "close");
        errno = 0;
        demand(write(fd, "", 1) < 0 && errno == EBADF, "closed");
    }
    return moved;
}

/* --- the chip --- */

static void print(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    printf("\n");
}

static const uint8_t READ_SERIAL[] = {0x03, 0x07, 0x02, 0x00,
                                      0x00, 0x00, 0x1e, 0x2d};

static void wake(int fd, unsigned long address) {
    const uint8_t zero = 0;
    demand(ioctl(fd, I2C_SLAVE, 0UL) == 0, "I2C_SLAVE 0");
    demand(write(fd, &zero, 1) < 0 && errno == ENXIO, "a wake has no answer");
    (void)usleep(1500);
    demand(ioctl(fd, I2C_SLAVE_FORCE, address) == 0, "I2C_SLAVE_FORCE");
}

static void by_read_and_write(int fd) {
    uint8_t answer[64];
    volatile size_t rest = 0; /* not known to the compiler */
    const uint8_t reset = 0;
    const uint8_t idle = 2;
    demand(read(fd, answer, 4) == 4, "read of a wake");
    demand(memcmp(answer, "\x04\x11\x33\x43", 4) == 0, "wake");
    demand(write(fd, READ_SERIAL, sizeof READ_SERIAL) == sizeof READ_SERIAL,
           "write of a command");
    demand(write(fd, &reset, 1) == 1, "reset");
    demand(read(fd, answer, 1) == 1, "read of the count");
    rest = answer[0] - 1u;
    demand(read(fd, answer + 1, rest) == (ssize_t)rest, "read of the rest");
    demand(write(fd, &idle, 1) == 1, "idle");
    print(answer, answer[0]);
}

static void by_messages(int fd, uint16_t address) {
    uint8_t command[sizeof READ_SERIAL];
    uint8_t reset[] = {0};
    uint8_t answer[7];
    struct i2c_msg one = {address, 0, sizeof command, command};
    struct i2c_msg two[] = {{address, 0, 1, reset},
                            {address, I2C_M_RD, sizeof answer, answer}};
    struct i2c_rdwr_ioctl_data first = {&one, 1};
    struct i2c_rdwr_ioctl_data second = {two, 2};
    memcpy(command, READ_SERIAL, sizeof command);
    demand(ioctl(fd, I2C_RDWR, &first) == 1, "I2C_RDWR of one");
    demand(ioctl(fd, I2C_RDWR, &second) == 2, "I2C_RDWR of two");
    print(answer, sizeof answer);
}

static void in_a_child(int fd) {
    const pid_t child = fork();
    if (child == 0) {
        by_read_and_write(fd);
        (void)fflush(stdout);
        _exit(0);
    }
    int status = 1;
    demand(waitpid(child, &status, 0) == child && status == 0, "child");
}

/* What an adapter without SMBus answers. */
static void try_the_rest(int fd) {
    unsigned long functions = 0;
    union i2c_smbus_data data = {0};
    struct i2c_smbus_ioctl_data smbus = {I2C_SMBUS_READ, 0, I2C_SMBUS_BYTE,
                                         &data};
    struct i2c_msg ten = {0x36, I2C_M_TEN, 0, NULL};
    struct i2c_rdwr_ioctl_data odd = {&ten, 1};
    struct i2c_rdwr_ioctl_data none = {&ten, 0};
    demand(ioctl(fd, I2C_FUNCS, &functions) == 0, "I2C_FUNCS");
    demand(functions == I2C_FUNC_I2C, "plain I2C");
    demand(ioctl(fd, I2C_SMBUS, &smbus) < 0 && errno == EOPNOTSUPP, "SMBus");
    demand(ioctl(fd, I2C_RDWR, &odd) < 0 && errno == EOPNOTSUPP, "ten bits");
    demand(ioctl(fd, I2C_RDWR, &none) < 0 && errno == EINVAL, "no message");
    demand(ioctl(fd, I2C_SLAVE, 0x80UL) < 0 && errno == EINVAL, "address 80");
    demand(ioctl(fd, I2C_TENBIT, 1UL) < 0 && errno == EINVAL, "I2C_TENBIT");
    demand(ioctl(fd, I2C_TENBIT, 0UL) == 0, "I2C_TENBIT 0");
    demand(ioctl(fd, I2C_RETRIES, 3UL) == 0, "I2C_RETRIES");
    demand(ioctl(fd, I2C_TIMEOUT, 100UL) == 0, "I2C_TIMEOUT");
    demand(ioctl(fd, 0x0799, 0UL) < 0 && errno == ENOTTY, "ENOTTY");
    printf("as i2c-dev\n");
}

int main(int argc, char **argv) {
    if (argc != 4) {
        return 2;
    }
    doing = argv[3];
    const unsigned long address = strtoul(argv[2], NULL, 16);
    int fd = open_by(doing, argv[1]);
    demand(fd >= 0, "open");
    fd = move(doing, fd);
    demand(fd >= 0, "dup");
    if (strcmp(doing, "rest") == 0) {
        try_the_rest(fd);
        return 0;
    }
    wake(fd, address);
    if (strcmp(doing, "messages") == 0) {
        by_messages(fd, (uint16_t)address);
    } else if (strcmp(doing, "fork") == 0) {
        in_a_child(fd);
    } else {
        by_read_and_write(fd);
    }
    return close(fd) == 0 ? 0 : 1;
}
