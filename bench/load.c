#include "bench/load.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void load_fail(const char *what) {
    (void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

double load_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int load_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        load_fail(path);
    }
    return fd;
}

static void ask(int fd, const struct exchange *exchange) {
    if (send(fd, exchange->request, exchange->request_size, MSG_NOSIGNAL) !=
        (ssize_t)exchange->request_size) {
        load_fail("sending a request");
    }
}

static void take(int fd, const struct exchange *exchange, uint8_t *answer) {
    size_t size = 0;
    while (size < exchange->answer_size) {
        const ssize_t count =
            recv(fd, answer + size, exchange->answer_size - size, 0);
        if (count <= 0) {
            load_fail("waiting for an answer");
        }
        size += (size_t)count;
    }
}

void load_ask(int fd, const struct exchange *exchange, uint8_t *answer) {
    ask(fd, exchange);
    take(fd, exchange, answer);
}

struct share {
    pthread_t thread;
    struct load_client *clients;
    size_t count;
    double until;
    uint64_t done;
};

static void finish_one(struct load_client *client) {
    uint8_t answer[LOAD_ANSWER_MAX];
    take(client->fd, &client->steps[client->at], answer);
    if (client->check != NULL &&
        !client->check(client->self, client->at, answer)) {
        errno = EPROTO;
        load_fail("an answer");
    }
    client->at = client->at + 1 == client->step_count ? 0 : client->at + 1;
}

static void *run_share(void *argument) {
    struct share *share = argument;
    for (size_t i = 0; i < share->count; i++) {
        ask(share->clients[i].fd, &share->clients[i].steps[0]);
        share->clients[i].at = 0;
    }
    bool more = true;
    while (more) {
        more = load_now() < share->until;
        for (size_t i = 0; i < share->count; i++) {
            struct load_client *client = &share->clients[i];
            finish_one(client);
            if (more) {
                ask(client->fd, &client->steps[client->at]);
            }
        }
        share->done += share->count;
    }
    return NULL;
}

double load_run(struct load_client *clients, size_t count, unsigned threads,
                double seconds) {
    struct share shares[LOAD_CLIENTS_MAX] = {{.count = 0}};
    const double begin = load_now();
    uint64_t done = 0;
    size_t given = 0;
    for (unsigned i = 0; i < threads; i++) {
        const size_t part = (count - given) / (threads - i);
        shares[i] = (struct share){.clients = clients + given,
                                   .count = part,
                                   .until = begin + seconds};
        given += part;
        if (pthread_create(&shares[i].thread, NULL, run_share, &shares[i]) !=
            0) {
            load_fail("starting a thread");
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(shares[i].thread, NULL);
        done += shares[i].done;
    }
    return (double)done / (load_now() - begin);
}
