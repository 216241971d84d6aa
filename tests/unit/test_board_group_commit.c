/* What a board answers, and when, while an image is being flushed.
 *
 * fdatasync below stands before the C library's own: it waits at a gate, or
 * fails. Behind it the board runs in a thread of this program, and its hosts
 * are sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/packet.h"
#include "host/board.h"
#include "host/emulated_chip.h"

#define HOSTS     8
#define SECONDS_A 20  /* to wait for what must come */
#define WHILE_MS  100 /* to wait for what must not come */

enum { OP_INFO = 0x30, OP_COUNTER = 0x24 };

/* ---- the gate before the disk ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    bool fails;
    unsigned waiting; /* flushes that stand at the gate */
    unsigned passed;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

int fdatasync(int fd) {
    (void)pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    (void)pthread_cond_broadcast(&gate.changed);
    while (gate.shut) {
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    }
    gate.waiting--;
    gate.passed++;
    const bool fails = gate.fails;
    (void)pthread_mutex_unlock(&gate.lock);
    errno = EIO;
    return fails ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void set_gate(bool shut, bool fails) {
    (void)pthread_mutex_lock(&gate.lock);
    gate.shut = shut;
    gate.fails = fails;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
}

static void wait_for_flush(void) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SECONDS_A;
    int result = 0;
    (void)pthread_mutex_lock(&gate.lock);
    while (gate.waiting == 0 && result == 0) {
        result = pthread_cond_timedwait(&gate.changed, &gate.lock, &until);
    }
    (void)pthread_mutex_unlock(&gate.lock);
    assert_int_equal(result, 0);
}

static unsigned flushes(void) {
    (void)pthread_mutex_lock(&gate.lock);
    const unsigned passed = gate.passed;
    (void)pthread_mutex_unlock(&gate.lock);
    return passed;
}

/* ---- a board with the chips a and b ---- */

static const char *const CHIPS[] = {"a", "b"};

struct bench {
    char folder[32];
    char bus[48]; /* the socket of the I2C transfers */
    struct kw_workspace workspace;
    struct kw_board *board;
    pthread_t thread;
    volatile sig_atomic_t stop;
    unsigned complaints; /* lines of the board's log */
};

static void note(void *self, const char *words) {
    struct bench *bench = self;
    assert_non_null(strstr(words, "out of order"));
    bench->complaints++;
}

static void *serve(void *argument) {
    struct bench *bench = argument;
    struct kw_error error;
    assert_int_equal(kw_board_serve(bench->board, &bench->stop, &error), KW_OK);
    return NULL;
}

static void make_chip(struct bench *bench, const char *name,
                      enum kw_part part) {
    struct kw_new_chip *chip = NULL;
    struct kw_error error;
    assert_int_equal(kw_new_chip_make(part, KW_MODEL_608B, &chip, &error),
                     KW_OK);
    assert_int_equal(kw_new_chip_save(chip, &bench->workspace, name, &error),
                     KW_OK);
    kw_new_chip_free(chip);
}

static void power_up(struct bench *bench) {
    const struct kw_board_options options = {
        .workspace = &bench->workspace,
        .chips = CHIPS,
        .chip_count = 2,
        .tcp_port = KW_BOARD_NO_TCP,
        .i2c_socket = bench->bus,
        .log = note,
        .log_self = bench,
    };
    struct kw_error error;
    bench->stop = 0;
    assert_int_equal(kw_board_open(&options, &bench->board, &error), KW_OK);
    assert_int_equal(pthread_create(&bench->thread, NULL, serve, bench), 0);
}

static int connect_path(const char *path, int kind) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, kind, 0);
    assert_int_equal(
        connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int connect_chip(const struct bench *bench, const char *name) {
    char *path = kw_workspace_path(&bench->workspace, "run/%s.sock", name);
    const int fd = connect_path(path, SOCK_STREAM);
    free(path);
    return fd;
}

/* A connection wakes the loop, which then sees the flag. */
static void power_down(struct bench *bench) {
    bench->stop = 1;
    const int fd = connect_chip(bench, "b");
    assert_int_equal(pthread_join(bench->thread, NULL), 0);
    close(fd);
    kw_board_close(bench->board);
}

static int set_up(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    struct kw_error error;
    memcpy(bench->folder, "/tmp/test-board-XXXXXX", 23);
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->bus, sizeof bench->bus, "%s/bus", bench->folder);
    assert_int_equal(
        kw_workspace_make(&bench->workspace, bench->folder, &error), KW_OK);
    make_chip(bench, "a", KW_PART_TRUSTFLEX);
    make_chip(bench, "b", KW_PART_TRUSTGO);
    set_gate(false, false);
    power_up(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    set_gate(false, false);
    power_down(bench);
    kw_workspace_close(&bench->workspace);
    const pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", bench->folder, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    free(bench);
    return 0;
}

/* ---- its hosts ---- */

static void ask(int fd, uint8_t opcode, uint8_t param1) {
    const struct kw_command command = {.opcode = opcode, .param1 = param1};
    uint8_t request[1 + KW_PACKET_MAX] = {0x03};
    size_t size = 0;
    assert_int_equal(kw_packet_encode(&command, request + 1, &size), KW_OK);
    assert_int_equal(send(fd, request, size + 1, MSG_NOSIGNAL), size + 1);
}

static bool has_answer(int fd, int milliseconds) {
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, milliseconds) == 1;
}

/* The four bytes of an answer. */
static uint32_t answer(int fd) {
    uint8_t frame[7];
    assert_true(has_answer(fd, SECONDS_A * 1000));
    assert_int_equal(recv(fd, frame, sizeof frame, MSG_WAITALL), sizeof frame);
    assert_int_equal(frame[0], sizeof frame);
    return kw_load_le32(frame + 1);
}

static bool is_hung_up(int fd) {
    uint8_t byte;
    return has_answer(fd, SECONDS_A * 1000) && recv(fd, &byte, 1, 0) <= 0;
}

/* A host of a chip that is awake. */
static int host(const struct bench *bench, const char *chip) {
    const uint8_t wake = 0;
    uint8_t output[64];
    const int fd = connect_chip(bench, chip);
    assert_int_equal(send(fd, &wake, 1, MSG_NOSIGNAL), 1);
    assert_true(has_answer(fd, SECONDS_A * 1000));
    assert_true(recv(fd, output, sizeof output, 0) >= 4);
    return fd;
}

/* ---- tests ---- */

static void no_answer_before_the_flush(void **state) {
    struct bench *bench = *state;
    const int writer = host(bench, "a");
    const int reader = host(bench, "a");
    const int other = host(bench, "b");
    set_gate(true, false);
    ask(writer, OP_COUNTER, 1);
    wait_for_flush();
    /* What another host would read shows what is not stored yet. */
    ask(reader, OP_COUNTER, 0);
    assert_false(has_answer(writer, WHILE_MS));
    assert_false(has_answer(reader, WHILE_MS));
    /* The other chip does not wait. */
    for (unsigned i = 0; i < 20; i++) {
        ask(other, OP_COUNTER, 0);
        assert_int_equal(answer(other), 0);
    }
    set_gate(false, false);
    assert_int_equal(answer(writer), 1);
    assert_int_equal(answer(reader), 1);
    close(writer);
    close(reader);
    close(other);
}

/* The first command has a flush alone; what comes meanwhile shares one. */
static void many_share_a_flush(void **state) {
    struct bench *bench = *state;
    int hosts[HOSTS];
    bool seen[HOSTS + 1] = {false};
    for (unsigned i = 0; i < HOSTS; i++) {
        hosts[i] = host(bench, "a");
    }
    const int late = host(bench, "a");
    set_gate(true, false);
    const unsigned before = flushes();
    ask(hosts[0], OP_COUNTER, 1);
    wait_for_flush();
    for (unsigned i = 1; i < HOSTS; i++) {
        ask(hosts[i], OP_COUNTER, 1);
        assert_false(has_answer(hosts[i], WHILE_MS));
    }
    set_gate(false, false);
    for (unsigned i = 0; i < HOSTS; i++) {
        const uint32_t value = answer(hosts[i]);
        assert_in_range(value, 1, HOSTS);
        assert_false(seen[value]);
        seen[value] = true;
        close(hosts[i]);
    }
    /* Two, unless this machine was too slow to ask in time. */
    assert_in_range(flushes() - before, 2, HOSTS / 2);
    ask(late, OP_COUNTER, 0);
    assert_int_equal(answer(late), HOSTS);
    close(late);
}

static void nothing_is_said_after_a_failed_flush(void **state) {
    struct bench *bench = *state;
    const int writer = host(bench, "a");
    const int reader = host(bench, "a");
    const int other = host(bench, "b");
    set_gate(true, true);
    ask(writer, OP_COUNTER, 1);
    wait_for_flush();
    ask(reader, OP_COUNTER, 0);
    assert_false(has_answer(reader, WHILE_MS));
    set_gate(false, true);
    assert_true(is_hung_up(writer));
    assert_true(is_hung_up(reader));
    ask(other, OP_COUNTER, 0);
    assert_int_equal(answer(other), 0);
    set_gate(false, false);
    const int late = connect_chip(bench, "a");
    ask(late, OP_INFO, 0);
    assert_true(is_hung_up(late));
    close(late);
    close(writer);
    close(reader);
    close(other);
    power_down(bench);
    assert_int_equal(bench->complaints, 1);
    power_up(bench);
}

/* ---- a host of the bus ---- */

enum { ADDRESS_A = 0x36, ADDRESS_B = 0x35, ACKNOWLEDGED = 0, REFUSED = 1 };

/* Four bytes from there; REFUSED: nobody acknowledges. */
static int read_from(int bus, uint8_t address, uint8_t bytes[4]) {
    const uint8_t request[] = {1, address, 4, 0};
    uint8_t message[5];
    assert_int_equal(send(bus, request, sizeof request, 0), sizeof request);
    assert_true(has_answer(bus, SECONDS_A * 1000));
    assert_true(recv(bus, message, sizeof message, 0) >= 1);
    memcpy(bytes, message + 1, 4);
    return message[0];
}

static int wake_bus(const struct bench *bench) {
    static const uint8_t WAKE[] = {0, 0, 1, 0, 0};
    uint8_t answer[5];
    const int bus = connect_path(bench->bus, SOCK_SEQPACKET);
    assert_int_equal(send(bus, WAKE, sizeof WAKE, 0), sizeof WAKE);
    assert_int_equal(recv(bus, answer, sizeof answer, 0), 1);
    return bus;
}

/* A chip that could not be stored is off the bus, and the others are not. */
static void a_dead_chip_is_off_the_bus(void **state) {
    static const uint8_t AWOKE[] = {0x04, 0x11, 0x33, 0x43};
    struct bench *bench = *state;
    uint8_t bytes[4];
    int bus = wake_bus(bench);
    assert_int_equal(read_from(bus, ADDRESS_A, bytes), ACKNOWLEDGED);
    close(bus);
    const int writer = host(bench, "a");
    set_gate(false, true);
    ask(writer, OP_COUNTER, 1);
    assert_true(is_hung_up(writer));
    close(writer);
    set_gate(false, false);
    bus = wake_bus(bench);
    assert_int_equal(read_from(bus, ADDRESS_A, bytes), REFUSED);
    assert_int_equal(read_from(bus, ADDRESS_B, bytes), ACKNOWLEDGED);
    assert_memory_equal(bytes, AWOKE, sizeof AWOKE);
    close(bus);
    power_down(bench);
    power_up(bench);
}

/* An increment that is on its way to the disk when the board ends is there
 * afterwards, though nobody was told. */
static void an_end_stores_what_is_pending(void **state) {
    struct bench *bench = *state;
    const int writer = host(bench, "a");
    set_gate(true, false);
    ask(writer, OP_COUNTER, 1);
    wait_for_flush();
    bench->stop = 1;
    close(connect_chip(bench, "b"));
    set_gate(false, false);
    assert_int_equal(pthread_join(bench->thread, NULL), 0);
    kw_board_close(bench->board);
    close(writer);
    power_up(bench);
    const int reader = host(bench, "a");
    ask(reader, OP_COUNTER, 0);
    assert_int_equal(answer(reader), 1);
    close(reader);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(no_answer_before_the_flush),
        TEST(many_share_a_flush),
        TEST(nothing_is_said_after_a_failed_flush),
        TEST(a_dead_chip_is_off_the_bus),
        TEST(an_end_stores_what_is_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
