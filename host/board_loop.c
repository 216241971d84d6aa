#include "host/board_loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "host/board.h"
#include "host/board_client.h"

#define PAUSE_US   500000u /* before the next try to accept */
#define EVENTS_MAX 64
#define FOR_EVER   UINT64_MAX

struct port {
    enum kw_board_source source; /* first: an event points here */
    const struct kw_board_port *at;
    bool called; /* there was an event */
};

struct worker {
    enum kw_board_source source; /* first: events of the bell point here */
    struct kw_board_loop *loop;
    unsigned number; /* 0 accepts, has the terminals, and hears signals */
    pthread_t thread;
    int epoll;
    int bell; /* something was stored, a client came, or it is over */
    struct kw_board_client *clients[KW_BOARD_CLIENTS_MAX];
    size_t client_count;
    _Atomic(struct kw_board_client *) coming;
    atomic_size_t load; /* clients, those that come included */
    atomic_bool waits;  /* for something to be stored */
};

struct kw_board_loop {
    struct port *ports;
    size_t port_count;
    uint64_t deaf_until; /* without resources nobody is accepted */
    struct worker workers[KW_BOARD_WORKERS_MAX];
    unsigned worker_count;
    atomic_bool over;
    atomic_int cause; /* errno of a worker that cannot wait */
};

unsigned kw_board_loop_workers(void) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1) {
        return 1;
    }
    return processors < KW_BOARD_WORKERS_MAX ? (unsigned)processors
                                             : KW_BOARD_WORKERS_MAX;
}

static void ring(struct worker *worker) {
    const uint64_t one = 1;
    (void)!write(worker->bell, &one, sizeof one);
}

void kw_board_loop_ring(struct kw_board_loop *loop) {
    for (unsigned i = 0; i < loop->worker_count; i++) {
        if (atomic_load(&loop->workers[i].waits)) {
            ring(&loop->workers[i]);
        }
    }
}

/* --- clients come and go --- */

/* A client whose events change its worker for is watched anew; one that
 * waits for none is not watched at all, for the end of a connection could
 * not be turned off. */
static bool watch(struct worker *worker, struct kw_board_client *client) {
    const uint32_t wanted = kw_board_client_wants(client);
    struct epoll_event event = {.events = wanted, .data.ptr = client};
    if (wanted == client->awaited) {
        return true;
    }
    const int how = wanted == 0            ? EPOLL_CTL_DEL
                    : client->awaited == 0 ? EPOLL_CTL_ADD
                                           : EPOLL_CTL_MOD;
    client->awaited = wanted;
    return epoll_ctl(worker->epoll, how, client->fd, &event) == 0;
}

/* A terminal stays open elsewhere, and would stay watched. */
static void close_client(struct worker *worker, size_t number) {
    struct kw_board_client *client = worker->clients[number];
    if (client->awaited != 0) {
        (void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, client->fd, NULL);
    }
    kw_board_client_free(client);
    worker->client_count--;
    worker->clients[number] = worker->clients[worker->client_count];
    (void)atomic_fetch_sub(&worker->load, 1);
}

static struct kw_board_client *take_coming(struct worker *worker) {
    return atomic_exchange(&worker->coming, NULL);
}

static void welcome(struct worker *worker) {
    struct kw_board_client *client = take_coming(worker);
    while (client != NULL) {
        struct kw_board_client *next = client->next;
        client->next = NULL;
        worker->clients[worker->client_count++] = client;
        client->broken = !watch(worker, client);
        client = next;
    }
}

static void hand_over(struct worker *worker, struct kw_board_client *client) {
    (void)atomic_fetch_add(&worker->load, 1);
    client->next = atomic_load(&worker->coming);
    while (
        !atomic_compare_exchange_weak(&worker->coming, &client->next, client)) {
    }
    ring(worker);
}

/* The one with the fewest; NULL: there are too many in all. */
static struct worker *choose_worker(struct kw_board_loop *loop) {
    struct worker *chosen = &loop->workers[0];
    size_t all = 0;
    for (unsigned i = 0; i < loop->worker_count; i++) {
        const size_t load = atomic_load(&loop->workers[i].load);
        all += load;
        if (load < atomic_load(&chosen->load)) {
            chosen = &loop->workers[i];
        }
    }
    return all < KW_BOARD_CLIENTS_MAX ? chosen : NULL;
}

static void accept_client(struct kw_board_loop *loop,
                          const struct kw_board_port *port) {
    const int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        /* Whoever was about to connect may have gone again; anything else
         * is a want of descriptors or memory, which may pass. */
        const bool passes = errno == EAGAIN || errno == EINTR ||
                            errno == ECONNABORTED || errno == EWOULDBLOCK;
        loop->deaf_until = passes ? 0 : kw_board_microseconds(NULL) + PAUSE_US;
        return;
    }
    struct worker *worker = choose_worker(loop);
    if (worker == NULL) {
        (void)close(fd);
        return;
    }
    struct kw_board_client *client = kw_board_client_new(fd, port);
    if (client != NULL) {
        hand_over(worker, client);
    }
}

/* --- sessions of a terminal ----------------------------------------------
 *
 * A serial port forgets what nobody read when its last host closes it. A
 * pseudo-terminal that is held open would keep it, and the next host, which
 * flushes nothing, would take the answers of the one before for its own. */

/* Whether the last host has closed it now. */
static bool has_closed(struct kw_board_client *client, int events_of) {
    _Alignas(struct inotify_event) char events[1024];
    bool closed = false;
    const ssize_t size = read(events_of, events, sizeof events);
    for (ssize_t at = 0; at < size;) {
        struct inotify_event event;
        memcpy(&event, events + at, sizeof event);
        closed = closed || (event.mask & IN_CLOSE) != 0;
        client->sessions += (event.mask & IN_OPEN) != 0 ? 1 : -1;
        at += (ssize_t)(sizeof event + event.len);
    }
    return closed && client->sessions <= 0;
}

/* Received first, asked for sessions then: what a new host has sent is only
 * there when its coming is known. */
static void heed_sessions(struct worker *worker,
                          const struct kw_board_port *port) {
    for (size_t i = 0; i < worker->client_count; i++) {
        struct kw_board_client *client = worker->clients[i];
        if (client->wire != &port->wire) {
            continue;
        }
        kw_board_client_receive(client);
        if (has_closed(client, port->watch)) {
            kw_board_client_end_session(client, worker->number);
            (void)tcflush(port->held, TCIFLUSH);
        }
    }
}

/* --- ports --- */

static int watched_of(const struct kw_board_port *port) {
    return port->kind == KW_BOARD_TERMINAL ? port->watch : port->fd;
}

static bool watch_port(struct kw_board_loop *loop, struct port *port, int how) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = port};
    return epoll_ctl(loop->workers[0].epoll, how, watched_of(port->at),
                     &event) == 0;
}

/* Ports keep calling: they are not listened to for a while. */
static void be_deaf(struct kw_board_loop *loop, bool deaf) {
    for (size_t i = 0; i < loop->port_count; i++) {
        struct port *port = &loop->ports[i];
        if (port->at->kind != KW_BOARD_TERMINAL) {
            (void)watch_port(loop, port, deaf ? EPOLL_CTL_DEL : EPOLL_CTL_ADD);
        }
    }
}

static void answer_ports(struct worker *worker) {
    struct kw_board_loop *loop = worker->loop;
    if (loop->deaf_until != 0 &&
        kw_board_microseconds(NULL) >= loop->deaf_until) {
        loop->deaf_until = 0;
        be_deaf(loop, false);
    }
    for (size_t i = 0; i < loop->port_count; i++) {
        const struct kw_board_port *port = loop->ports[i].at;
        const bool called = loop->ports[i].called;
        loop->ports[i].called = false;
        if (called && port->kind == KW_BOARD_TERMINAL) {
            heed_sessions(worker, port);
        } else if (called && loop->deaf_until == 0) {
            accept_client(loop, port);
            if (loop->deaf_until != 0) {
                be_deaf(loop, true);
            }
        }
    }
}

/* --- the loop --- */

/* Microseconds until something is to be done without an event; FOR_EVER:
 * only events count. */
static uint64_t time_to_wait(const struct worker *worker) {
    const struct kw_board_loop *loop = worker->loop;
    uint64_t until = worker->number == 0 && loop->deaf_until != 0
                         ? loop->deaf_until
                         : FOR_EVER;
    for (size_t i = 0; i < worker->client_count; i++) {
        const struct kw_board_client *client = worker->clients[i];
        if (kw_board_client_can_answer(client)) {
            return 0;
        }
        if (client->held_until != 0 && !client->unstored &&
            (client->output_size > 0 || client->input_size > 0) &&
            client->held_until < until) {
            until = client->held_until;
        }
    }
    if (until == FOR_EVER) {
        return FOR_EVER;
    }
    const uint64_t now = kw_board_microseconds(NULL);
    return until > now ? until - now : 0;
}

/* What is stored after `waits` is set rings the bell; what was stored before
 * is seen here. */
static bool something_is_stored(struct worker *worker) {
    bool waits = false;
    for (size_t i = 0; i < worker->client_count; i++) {
        waits = waits || worker->clients[i]->unstored;
    }
    if (waits != atomic_load_explicit(&worker->waits, memory_order_relaxed)) {
        atomic_store(&worker->waits, waits);
    }
    for (size_t i = 0; waits && i < worker->client_count; i++) {
        struct kw_board_client *client = worker->clients[i];
        const bool before = client->unstored;
        kw_board_client_look(client);
        if (before && !client->unstored) {
            return true;
        }
    }
    return false;
}

static void note_events(struct worker *worker, const struct epoll_event *events,
                        int count) {
    for (int i = 0; i < count; i++) {
        void *source = events[i].data.ptr;
        uint64_t rings;
        switch (*(enum kw_board_source *)source) {
        case KW_BOARD_OF_BELL:
            (void)!read(worker->bell, &rings, sizeof rings);
            break;
        case KW_BOARD_OF_PORT:
            ((struct port *)source)->called = true;
            break;
        case KW_BOARD_OF_CLIENT:
            ((struct kw_board_client *)source)->ready = events[i].events;
            break;
        }
    }
}

/* Signals are let in here alone: none is lost between a look at the stop
 * flag and the wait. */
static bool wait_for_work(struct worker *worker, const sigset_t *unblocked) {
    struct epoll_event events[EVENTS_MAX];
    const uint64_t wait =
        something_is_stored(worker) ? 0 : time_to_wait(worker);
    const struct timespec limit = {.tv_sec = (time_t)(wait / 1000000u),
                                   .tv_nsec = (long)(wait % 1000000u) * 1000};
    const int count = epoll_pwait2(worker->epoll, events, EVENTS_MAX,
                                   wait == FOR_EVER ? NULL : &limit, unblocked);
    if (count < 0 && errno != EINTR) {
        atomic_store(&worker->loop->cause, errno);
        return false;
    }
    note_events(worker, events, count);
    return true;
}

static void serve_round(struct worker *worker) {
    for (size_t i = worker->client_count; i-- > 0;) {
        struct kw_board_client *client = worker->clients[i];
        kw_board_client_serve(client, worker->number);
        client->ready = 0;
        if (kw_board_client_is_finished(client) || !watch(worker, client)) {
            close_client(worker, i);
        }
    }
    welcome(worker);
    if (worker->number == 0) {
        answer_ports(worker);
    }
}

static void run_worker(struct worker *worker, const sigset_t *unblocked,
                       const volatile sig_atomic_t *stop) {
    struct kw_board_loop *loop = worker->loop;
    while (!atomic_load(&loop->over) && (stop == NULL || *stop == 0)) {
        if (!wait_for_work(worker, unblocked)) {
            break;
        }
        serve_round(worker);
    }
    atomic_store(&loop->over, true);
    for (unsigned i = 0; i < loop->worker_count; i++) {
        ring(&loop->workers[i]);
    }
}

static void *run_thread(void *argument) {
    run_worker(argument, NULL, NULL);
    return NULL;
}

/* --- running --- */

static unsigned start_threads(struct kw_board_loop *loop) {
    unsigned started = 1;
    while (started < loop->worker_count &&
           pthread_create(&loop->workers[started].thread, NULL, run_thread,
                          &loop->workers[started]) == 0) {
        started++;
    }
    return started;
}

kw_status kw_board_loop_run(struct kw_board_loop *loop,
                            const volatile sig_atomic_t *stop,
                            struct kw_error *error) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const unsigned started = start_threads(loop);
    if (started < loop->worker_count) {
        atomic_store(&loop->cause, EAGAIN);
        atomic_store(&loop->over, true);
    }
    run_worker(&loop->workers[0], &before, stop);
    for (unsigned i = 1; i < started; i++) {
        (void)pthread_join(loop->workers[i].thread, NULL);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = atomic_load(&loop->cause);
    return errno == 0 ? KW_OK : kw_error_system(error, "the board cannot wait");
}

/* --- a loop's life --- */

static bool open_worker(struct kw_board_loop *loop, unsigned number) {
    struct worker *worker = &loop->workers[number];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = worker};
    worker->source = KW_BOARD_OF_BELL;
    worker->loop = loop;
    worker->number = number;
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->worker_count++;
    return worker->epoll >= 0 && worker->bell >= 0 &&
           epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->bell, &event) == 0;
}

/* A terminal is served from the start; the loop has its own descriptor. */
static bool add_port(struct kw_board_loop *loop, struct port *place,
                     const struct kw_board_port *port) {
    place->source = KW_BOARD_OF_PORT;
    place->at = port;
    if (!watch_port(loop, place, EPOLL_CTL_ADD)) {
        return false;
    }
    if (port->kind != KW_BOARD_TERMINAL) {
        return true;
    }
    const int fd = dup(port->fd);
    struct kw_board_client *client =
        fd < 0 ? NULL : kw_board_client_new(fd, port);
    if (client != NULL) {
        hand_over(&loop->workers[0], client);
    }
    return client != NULL;
}

struct kw_board_loop *kw_board_loop_new(const struct kw_board_port *ports,
                                        size_t count) {
    struct kw_board_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return NULL;
    }
    bool fine = true;
    loop->port_count = count;
    loop->ports = calloc(count, sizeof *loop->ports);
    fine = loop->ports != NULL;
    for (unsigned i = 0; fine && i < kw_board_loop_workers(); i++) {
        fine = open_worker(loop, i);
    }
    for (size_t i = 0; fine && i < count; i++) {
        fine = add_port(loop, &loop->ports[i], &ports[i]);
    }
    if (!fine) {
        kw_board_loop_free(loop);
        return NULL;
    }
    return loop;
}

static void close_worker(struct worker *worker) {
    welcome(worker);
    while (worker->client_count > 0) {
        close_client(worker, worker->client_count - 1);
    }
    if (worker->epoll >= 0) {
        (void)close(worker->epoll);
    }
    if (worker->bell >= 0) {
        (void)close(worker->bell);
    }
}

void kw_board_loop_free(struct kw_board_loop *loop) {
    if (loop == NULL) {
        return;
    }
    for (unsigned i = 0; i < loop->worker_count; i++) {
        close_worker(&loop->workers[i]);
    }
    free(loop->ports);
    free(loop);
}
