#include "bench/echo.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/load.h"

#define EPOLLS 2

static bool echo_one(int fd) {
    uint8_t bytes[LOAD_REQUEST_MAX];
    const ssize_t size = recv(fd, bytes, sizeof bytes, 0);
    return size > 0 && send(fd, bytes, (size_t)size, MSG_NOSIGNAL) == size;
}

static void *serve_connection(void *argument) {
    int *fd = argument;
    while (echo_one(*fd)) {
    }
    (void)close(*fd);
    free(fd);
    return NULL;
}

static void *serve_epoll(void *argument) {
    const int epoll = *(int *)argument;
    struct epoll_event events[LOAD_CLIENTS_MAX];
    for (;;) {
        const int count = epoll_wait(epoll, events, LOAD_CLIENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (!echo_one(events[i].data.fd)) {
                (void)close(events[i].data.fd);
            }
        }
    }
    return NULL;
}

/* The thread owns the number. */
static void start_thread(void *(*run)(void *), int fd) {
    pthread_t thread;
    int *own = malloc(sizeof *own);
    if (own == NULL) {
        load_fail("a thread");
    }
    *own = fd;
    if (pthread_create(&thread, NULL, run, own) != 0) {
        load_fail("starting a thread");
    }
    (void)pthread_detach(thread);
}

static void serve(enum echo_kind kind, int listener) {
    int epolls[EPOLLS];
    for (size_t i = 0; i < EPOLLS; i++) {
        epolls[i] = epoll_create1(EPOLL_CLOEXEC);
        start_thread(serve_epoll, epolls[i]);
    }
    for (size_t i = 0;; i++) {
        const int fd = accept(listener, NULL, NULL);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (kind == ECHO_THREADS) {
            start_thread(serve_connection, fd);
        } else if (epoll_ctl(epolls[i % EPOLLS], EPOLL_CTL_ADD, fd, &event) !=
                   0) {
            load_fail("epoll_ctl");
        }
    }
}

pid_t echo_start(enum echo_kind kind, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, LOAD_CLIENTS_MAX) != 0) {
        load_fail(path);
    }
    const pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(kind, fd);
        _exit(1);
    }
    (void)close(fd);
    return pid;
}
