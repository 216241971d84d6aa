#include "host/pause.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

void kw_pause_begin(struct kw_pause *pause) {
    sigset_t stops;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGINT);
    (void)sigaddset(&stops, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &stops, &pause->before);
}

void kw_pause_end(const struct kw_pause *pause) {
    const int cause = errno;
    (void)pthread_sigmask(SIG_SETMASK, &pause->before, NULL);
    errno = cause;
}

int kw_pause_poll(const struct kw_pause *pause, struct pollfd *waiting,
                  int milliseconds) {
    const struct timespec limit = {
        .tv_sec = milliseconds / 1000,
        .tv_nsec = milliseconds % 1000 * 1000000L,
    };
    return ppoll(waiting, waiting == NULL ? 0 : 1, &limit, &pause->before);
}
