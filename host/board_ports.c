#include "host/board_ports.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/text.h"

#define OTHER_PORTS 6 /* TCP, SWI, kit, I2C, bridge, fleet */

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

kw_status kw_board_chip_number(const struct kw_board_options *options,
                               const char *name, size_t size, const char *what,
                               size_t *number, struct kw_error *error) {
    for (size_t i = 0; i < options->chip_count; i++) {
        const char *chip = options->chips[i];
        if (strlen(chip) == size && strncmp(chip, name, size) == 0) {
            *number = i;
            return KW_OK;
        }
    }
    return kw_error(error, KW_ABSENT, "the workspace %s has no chip %.*s %s",
                    options->workspace->folder, (int)size, name, what);
}

/* --- one port --- */

static struct kw_endpoint *add(struct kw_board_ports *ports,
                               enum kw_board_speech speech, size_t chip) {
    struct kw_board_place *place = &ports->places[ports->count++];
    place->speech = speech;
    place->chip = chip;
    kw_endpoint_init(&place->endpoint);
    return &place->endpoint;
}

static kw_status open_own(struct kw_board_ports *ports,
                          const struct kw_board_options *options, size_t chip,
                          struct kw_error *error) {
    char *path = kw_workspace_path(options->workspace, "run/%s.sock",
                                   options->chips[chip]);
    if (path == NULL) {
        return no_memory(error);
    }
    struct kw_endpoint *endpoint = add(ports, KW_BOARD_WORDS, chip);
    kw_status status =
        kw_endpoint_unix(endpoint, "unix:", path, SOCK_STREAM, error);
    if (status == KW_OK) {
        status = kw_endpoint_lock(endpoint, error);
    }
    free(path);
    return status;
}

static kw_status open_one(struct kw_board_ports *ports,
                          const struct kw_board_options *options,
                          struct kw_error *error) {
    size_t chip = 0;
    if (options->one_chip == NULL) {
        return KW_OK;
    }
    KW_TRY(kw_board_chip_number(
        options, options->one_chip, strlen(options->one_chip),
        "for the TCP port or the single wire", &chip, error));
    if (options->tcp_port != KW_BOARD_NO_TCP) {
        KW_TRY(kw_endpoint_tcp(add(ports, KW_BOARD_WORDS, chip),
                               options->tcp_port, error));
    }
    return options->swi_link == NULL
               ? KW_OK
               : kw_endpoint_terminal(add(ports, KW_BOARD_SWI, chip),
                                      "swi:", options->swi_link, error);
}

static kw_status open_bus(struct kw_board_ports *ports,
                          const struct kw_board_options *options,
                          struct kw_error *error) {
    if (options->kit_link != NULL) {
        KW_TRY(kw_endpoint_terminal(add(ports, KW_BOARD_KIT, KW_BOARD_ALL),
                                    "kit:", options->kit_link, error));
    }
    if (options->i2c_socket != NULL) {
        KW_TRY(kw_endpoint_unix(add(ports, KW_BOARD_I2C, KW_BOARD_ALL),
                                "i2c-socket:", options->i2c_socket,
                                SOCK_SEQPACKET, error));
    }
    if (options->bridge_socket != NULL) {
        KW_TRY(kw_endpoint_unix(add(ports, KW_BOARD_BRIDGE, KW_BOARD_ALL),
                                "bridge:", options->bridge_socket,
                                SOCK_SEQPACKET, error));
    }
    return KW_OK;
}

static kw_status open_fleet(struct kw_board_ports *ports,
                            const struct kw_board_options *options,
                            struct kw_error *error) {
    if (options->fleet == NULL) {
        return KW_OK;
    }
    char *path = kw_format("%s/fleet.sock", options->fleet);
    if (path == NULL) {
        return no_memory(error);
    }
    const kw_status status =
        kw_endpoint_unix(add(ports, KW_BOARD_FLEET, KW_BOARD_ALL),
                         "fleet:", path, SOCK_STREAM, error);
    free(path);
    return status;
}

/* --- all ports --- */

kw_status kw_board_ports_open(struct kw_board_ports *ports,
                              const struct kw_board_options *options,
                              struct kw_error *error) {
    *ports = (struct kw_board_ports){.count = 0};
    ports->places =
        calloc(options->chip_count + OTHER_PORTS, sizeof *ports->places);
    if (ports->places == NULL) {
        return no_memory(error);
    }
    for (size_t i = 0; i < options->chip_count; i++) {
        KW_TRY(open_own(ports, options, i, error));
    }
    KW_TRY(open_one(ports, options, error));
    KW_TRY(open_bus(ports, options, error));
    return open_fleet(ports, options, error);
}

void kw_board_ports_close(struct kw_board_ports *ports) {
    for (size_t i = 0; i < ports->count; i++) {
        kw_endpoint_close(&ports->places[i].endpoint);
    }
    free(ports->places);
    *ports = (struct kw_board_ports){.count = 0};
}
