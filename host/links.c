#include "host/links.h"

#include <string.h>

#include "host/emulated_chip.h"

struct row {
    const char *prefix;
    kw_status (*open)(const char *rest, const struct kw_workspace *workspace,
                      struct kw_opened_link *opened, struct kw_error *error);
};

static kw_status open_sim(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    return kw_emulated_chip_open(workspace, rest, opened, error);
}

static kw_status open_unix(const char *rest,
                           const struct kw_workspace *workspace,
                           struct kw_opened_link *opened,
                           struct kw_error *error) {
    (void)workspace;
    return kw_link_open_unix(rest, opened, error);
}

static kw_status open_tcp(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    (void)workspace;
    return kw_link_open_tcp(rest, opened, error);
}

static kw_status open_later(const char *rest,
                            const struct kw_workspace *workspace,
                            struct kw_opened_link *opened,
                            struct kw_error *error) {
    (void)workspace;
    (void)opened;
    kw_error(error, KW_USAGE,
             "this version does not reach real parts yet, nor '%s'", rest);
    return kw_error_hint(error, "use sim:NAME, unix:PATH or tcp:HOST:PORT");
}

static const struct row ROWS[] = {
    {"sim:", open_sim},   {"unix:", open_unix}, {"tcp:", open_tcp},
    {"kit:", open_later}, {"hid:", open_later}, {"i2c:", open_later},
    {"swi:", open_later},
};

bool kw_link_needs_workspace(const char *text) {
    return strncmp(text, "sim:", 4) == 0;
}

kw_status kw_link_open(const char *text, const struct kw_workspace *workspace,
                       struct kw_opened_link *opened, struct kw_error *error) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const size_t size = strlen(ROWS[i].prefix);
        if (strncmp(text, ROWS[i].prefix, size) == 0) {
            const bool later = ROWS[i].open == open_later;
            return ROWS[i].open(later ? text : text + size, workspace, opened,
                                error);
        }
    }
    kw_error(error, KW_USAGE, "'%s' names no link", text);
    return kw_error_hint(error, "a link is sim:NAME, unix:PATH or "
                                "tcp:HOST:PORT");
}

void kw_link_close(struct kw_opened_link *opened) {
    if (opened->close != NULL) {
        opened->close(opened->link.self);
    }
    *opened = (struct kw_opened_link){.close = NULL};
}
