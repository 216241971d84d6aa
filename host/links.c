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

static kw_status open_fleet(const char *rest,
                            const struct kw_workspace *workspace,
                            struct kw_opened_link *opened,
                            struct kw_error *error) {
    (void)workspace;
    return kw_link_open_fleet(rest, opened, error);
}

static kw_status open_tcp(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    (void)workspace;
    return kw_link_open_tcp(rest, opened, error);
}

static kw_status open_kit(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    (void)workspace;
    return kw_link_open_kit(rest, opened, error);
}

static kw_status open_hid(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    (void)workspace;
    return kw_link_open_hid(rest, opened, error);
}

static kw_status open_i2c(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    (void)workspace;
    return kw_link_open_i2c(rest, opened, error);
}

static kw_status open_swi(const char *rest,
                          const struct kw_workspace *workspace,
                          struct kw_opened_link *opened,
                          struct kw_error *error) {
    (void)workspace;
    return kw_link_open_swi(rest, opened, error);
}

static const struct row ROWS[] = {
    {"sim:", open_sim}, {"unix:", open_unix},   {"tcp:", open_tcp},
    {"kit:", open_kit}, {"hid:", open_hid},     {"i2c:", open_i2c},
    {"swi:", open_swi}, {"fleet:", open_fleet},
};

bool kw_link_needs_workspace(const char *text) {
    return strncmp(text, "sim:", 4) == 0;
}

kw_status kw_link_open(const char *text, const struct kw_workspace *workspace,
                       struct kw_opened_link *opened, struct kw_error *error) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const size_t size = strlen(ROWS[i].prefix);
        if (strncmp(text, ROWS[i].prefix, size) == 0) {
            return ROWS[i].open(text + size, workspace, opened, error);
        }
    }
    kw_error(error, KW_USAGE, "'%s' names no link", text);
    return kw_error_hint(error, "a link is sim:NAME, unix:PATH, "
                                "tcp:HOST:PORT, kit:DEVICE, hid:, "
                                "i2c:DEVICE@ADDRESS, swi:DEVICE or "
                                "fleet:SOCKET@NAME");
}

void kw_link_close(struct kw_opened_link *opened) {
    if (opened->close != NULL) {
        opened->close(opened->link.self);
    }
    *opened = (struct kw_opened_link){.close = NULL};
}
