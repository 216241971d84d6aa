/* host/links.h: opens the link that a text names.
 *
 * sim:NAME, unix:PATH, tcp:HOST:PORT, kit:, hid:, i2c:, swi: (docs/cli.md,
 * "Links"); one row of a table each. Knows core/link.h and host/workspace.h. */
#ifndef KW_HOST_LINKS_H
#define KW_HOST_LINKS_H

#include <signal.h>
#include <stdio.h>

#include "core/link.h"
#include "host/workspace.h"

struct kw_opened_link {
    struct kw_link link;
    void (*close)(void *self);
};

/* KW_USAGE: no such link. Class KW_CLASS_ABSENT: nothing is there; the hint
 * says what to check. The workspace may be NULL for links that need none. */
KW_MUST_USE kw_status kw_link_open(const char *text,
                                   const struct kw_workspace *workspace,
                                   struct kw_opened_link *opened,
                                   struct kw_error *error);
void kw_link_close(struct kw_opened_link *opened);

/* True when the link named needs a workspace: sim:NAME. */
bool kw_link_needs_workspace(const char *text);

/* host/link_socket.c: docs/formats.md, "Board socket and TCP". */
KW_MUST_USE kw_status kw_link_open_unix(const char *path,
                                        struct kw_opened_link *opened,
                                        struct kw_error *error);
/* SOCKET@NAME. */
KW_MUST_USE kw_status kw_link_open_fleet(const char *rest,
                                         struct kw_opened_link *opened,
                                         struct kw_error *error);
KW_MUST_USE kw_status kw_link_open_tcp(const char *address,
                                       struct kw_opened_link *opened,
                                       struct kw_error *error);

/* host/link_kit.c, link_hid.c, link_i2c.c, link_swi.c: real parts, or the
 * emulated board in another process. The text is what follows the prefix. A
 * device that is not there is class KW_CLASS_ABSENT, with what to check. */
KW_MUST_USE kw_status kw_link_open_kit(const char *text,
                                       struct kw_opened_link *opened,
                                       struct kw_error *error);
KW_MUST_USE kw_status kw_link_open_hid(const char *text,
                                       struct kw_opened_link *opened,
                                       struct kw_error *error);
KW_MUST_USE kw_status kw_link_open_i2c(const char *text,
                                       struct kw_opened_link *opened,
                                       struct kw_error *error);
KW_MUST_USE kw_status kw_link_open_swi(const char *text,
                                       struct kw_opened_link *opened,
                                       struct kw_error *error);

/* host/link_watch.c: passes everything on, ends with KW_INTERRUPTED before
 * a transfer once *stop is set, and prints each frame decoded when trace is
 * not NULL. Owns the link that it wraps. */
KW_MUST_USE kw_status kw_link_watch(struct kw_opened_link *opened,
                                    const volatile sig_atomic_t *stop,
                                    FILE *trace, struct kw_error *error);

#endif
