/* bench/load.h: a load of requests and answers over sockets, as hosts do it:
 * each client waits for its answer before it asks again.
 *
 * Several clients share a thread, which takes their answers in turn: two
 * system calls an exchange, so that the load leaves the processors to the
 * server. Knows nobody. */
#ifndef KW_BENCH_LOAD_H
#define KW_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_REQUEST_MAX 192
#define LOAD_ANSWER_MAX  192
#define LOAD_CLIENTS_MAX 64

struct exchange {
    uint8_t request[LOAD_REQUEST_MAX];
    size_t request_size;
    size_t answer_size; /* bytes that come, no more and no fewer */
};

struct load_client {
    int fd;
    const struct exchange *steps; /* again and again */
    size_t step_count;
    size_t at;
    /* Looks at an answer; may be NULL. False ends the program. */
    bool (*check)(void *self, size_t step, const uint8_t *answer);
    void *self;
};

/* Connects to a unix socket; ends the program when it cannot. */
int load_connect(const char *path);
/* One exchange by itself. */
void load_ask(int fd, const struct exchange *exchange, uint8_t *answer);
/* Answers exchanges a second of wall-clock time. */
double load_run(struct load_client *clients, size_t count, unsigned threads,
                double seconds);

double load_now(void);
_Noreturn void load_fail(const char *what);

#endif
