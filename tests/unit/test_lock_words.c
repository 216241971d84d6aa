/* What is said about a lock that cannot be had: that another process has it
 * only when one has.
 *
 * fcntl and ppoll stand here before the C library's own, so that a file
 * system without locks can be ordered and nobody has to wait. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "host/board_fleet.h"
#include "host/emulated_chip.h"
#include "tests/unit/scratch.h"

static int lock_errno; /* 0: locks work */
static long slept;     /* milliseconds */
static bool stopped;   /* by SIGINT, in the first sleep */

int ppoll(struct pollfd *waiting, nfds_t count, const struct timespec *time,
          const sigset_t *mask) {
    (void)waiting;
    (void)mask;
    assert_int_equal(count, 0);
    if (stopped) {
        errno = EINTR;
        return -1;
    }
    slept += (long)time->tv_sec * 1000 + time->tv_nsec / 1000000;
    return 0;
}

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (command == F_OFD_SETLK && lock_errno != 0) {
        errno = lock_errno;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

static struct scratch scratch;

static int set_up(void **state) {
    (void)state;
    struct kw_error error;
    struct kw_new_chip *chip = NULL;
    lock_errno = 0;
    slept = 0;
    stopped = false;
    scratch_make(&scratch);
    assert_int_equal(
        kw_new_chip_make(KW_PART_BLANK, KW_MODEL_608B, &chip, &error), KW_OK);
    assert_int_equal(
        kw_new_chip_save(chip, &scratch.workspace, "blank", &error), KW_OK);
    kw_new_chip_free(chip);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

static void demand_words(kw_status status, const struct kw_error *error,
                         kw_status wanted, const char *words) {
    assert_int_equal(status, wanted);
    assert_non_null(strstr(error->message, words));
}

static void a_chip(void **state) {
    (void)state;
    struct kw_error error;
    struct kw_opened_link link;
    lock_errno = ENOLCK;
    demand_words(
        kw_emulated_chip_open(&scratch.workspace, "blank", &link, &error),
        &error, KW_SYSTEM_FILE, "cannot lock chips/lock");
    assert_int_equal(slept, 0);
    lock_errno = EACCES; /* fcntl(2): either this or EAGAIN */
    demand_words(
        kw_emulated_chip_open(&scratch.workspace, "blank", &link, &error),
        &error, KW_ABSENT_LOCKED, "has the chip");
    assert_in_range(slept, 5000, 5100);
    stopped = true;
    slept = 0;
    demand_words(
        kw_emulated_chip_open(&scratch.workspace, "blank", &link, &error),
        &error, KW_INTERRUPTED, "interrupted");
    assert_int_equal(slept, 0);
}

static void a_workspace(void **state) {
    (void)state;
    struct kw_error error;
    lock_errno = ENOLCK;
    demand_words(kw_workspace_lock(&scratch.workspace, &error), &error,
                 KW_SYSTEM_FILE, "cannot lock");
    lock_errno = EAGAIN;
    demand_words(kw_workspace_lock(&scratch.workspace, &error), &error,
                 KW_ABSENT_LOCKED, "is changing this workspace");
}

static void a_fleet(void **state) {
    (void)state;
    struct kw_error error;
    struct kw_fleet fleet;
    char chips[80];
    snprintf(chips, sizeof chips, "%s/chips", scratch.folder);
    lock_errno = ENOLCK;
    demand_words(kw_fleet_open(&fleet, chips, &error), &error, KW_SYSTEM_FILE,
                 "cannot lock");
    kw_fleet_close(&fleet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_workspace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fleet, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
