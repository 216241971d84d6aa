/* bench/echo.h: do-nothing servers, the reference of what sockets cost.
 *
 * Each sends back what it receives. One has a thread a connection that waits
 * in recv, the other a thread a processor with epoll: which is faster depends
 * on how many connections there are. Each is a process of its own, which
 * ends with its parent. Knows bench/load.h. */
#ifndef KW_BENCH_ECHO_H
#define KW_BENCH_ECHO_H

#include <sys/types.h>

enum echo_kind { ECHO_THREADS, ECHO_EPOLL, ECHO_KINDS };

/* Listens when it returns. */
pid_t echo_start(enum echo_kind kind, const char *path);

#endif
