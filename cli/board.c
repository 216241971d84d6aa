/* keywright board: serves the workspace's chips. */
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "host/board.h"
#include "host/board_listen.h"

#define SIM_PREFIX "sim:"
#define PORT_MAX   65535

static kw_status take_port(struct kw_cli *cli, const char *text, int *port) {
    char *end = NULL;
    const size_t digits = strspn(text, "0123456789");
    const unsigned long number = strtoul(text, &end, 10);
    if (digits == 0 || digits > 5 || text[digits] != '\0' ||
        number > PORT_MAX) {
        kw_error(&cli->error, KW_USAGE, "'%s' is no TCP port", text);
        return kw_error_hint(&cli->error,
                             "a port is a number from 0 (any free port) to "
                             "65535");
    }
    *port = (int)number;
    return KW_OK;
}

/* Only a chip of the workspace can be put on a port or a single wire. */
static kw_status take_one_chip(struct kw_cli *cli,
                               struct kw_board_options *options) {
    if (options->tcp_port == KW_BOARD_NO_TCP && options->swi_link == NULL) {
        return KW_OK;
    }
    if (strncmp(cli->chip_text, SIM_PREFIX, strlen(SIM_PREFIX)) != 0) {
        kw_error(&cli->error, KW_USAGE,
                 "a board serves emulated chips, and --chip names %s",
                 cli->chip_text);
        return kw_error_hint(&cli->error,
                             "name the one for the TCP port or the single "
                             "wire with --chip sim:NAME");
    }
    options->one_chip = cli->chip_text + strlen(SIM_PREFIX);
    return KW_OK;
}

static kw_status take_timing(struct kw_cli *cli, const char *text,
                             struct kw_board_options *options) {
    if (text == NULL || strcmp(text, "none") == 0) {
        return KW_OK;
    }
    if (strcmp(text, "limits") != 0) {
        return kw_error(&cli->error, KW_USAGE,
                        "'%s' is no timing: it is limits or none", text);
    }
    options->limits = true;
    return KW_OK;
}

/* The vendor's library cuts longer paths of a serial port. */
static void warn_of_long(struct kw_cli *cli, const char *link) {
    if (link != NULL && strlen(link) > KW_BOARD_VENDOR_PATH_MAX) {
        kw_warn(cli,
                "%s is longer than the %d characters that the vendor's "
                "library takes for a port",
                link, KW_BOARD_VENDOR_PATH_MAX);
    }
}

/* One path cannot be two things. */
static kw_status check_paths(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    const char *const names[] = {"--kit-pty", "--swi-pty", "--i2c", "--bridge"};
    const size_t count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++) {
        const char *path = kw_argument(arguments, names[i]);
        for (size_t j = i + 1; path != NULL && j < count; j++) {
            const char *other = kw_argument(arguments, names[j]);
            if (other != NULL && strcmp(path, other) == 0) {
                return kw_error(&cli->error, KW_USAGE,
                                "%s and %s name the same path, %s", names[i],
                                names[j], path);
            }
        }
    }
    return KW_OK;
}

static void log_event(void *self, const char *words) {
    kw_tell(self, "%s\n", words);
}

static kw_status take_options(struct kw_cli *cli,
                              const struct kw_arguments *arguments,
                              struct kw_board_options *options) {
    const char *port = kw_argument(arguments, "--tcp");
    const char *fault = kw_argument(arguments, "--fault");
    *options = (struct kw_board_options){
        .tcp_port = KW_BOARD_NO_TCP,
        .watchdog = kw_argument(arguments, "--watchdog") != NULL,
        .kit_link = kw_argument(arguments, "--kit-pty"),
        .swi_link = kw_argument(arguments, "--swi-pty"),
        .i2c_socket = kw_argument(arguments, "--i2c"),
        .bridge_socket = kw_argument(arguments, "--bridge"),
        .fleet = kw_argument(arguments, "--fleet"),
        .switched_off = kw_argument(arguments, "--switch"),
        .log = log_event,
        .log_self = cli,
    };
    KW_TRY(port == NULL ? KW_OK : take_port(cli, port, &options->tcp_port));
    KW_TRY(check_paths(cli, arguments));
    KW_TRY(take_timing(cli, kw_argument(arguments, "--timing"), options));
    KW_TRY(fault == NULL
               ? KW_OK
               : kw_board_faults_read(fault, &options->faults, &cli->error));
    warn_of_long(cli, options->kit_link);
    warn_of_long(cli, options->swi_link);
    return take_one_chip(cli, options);
}

/* --- the chips of the workspace --- */

struct chip_list {
    json_t *description; /* workspace.json, which holds the names */
    const char **names;
    size_t count;
};

static kw_status read_description(struct kw_cli *cli, json_t **description) {
    char *path = kw_workspace_path(&cli->workspace, "workspace.json");
    if (path == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    *description = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    free(path);
    return KW_OK;
}

static kw_status no_chips(struct kw_cli *cli) {
    return kw_error(&cli->error, KW_PARSE,
                    "workspace.json of %s is damaged: it names no chips",
                    cli->workspace.folder);
}

static kw_status take_names(struct kw_cli *cli, struct chip_list *list) {
    const json_t *chips = json_object_get(list->description, "chips");
    list->count = json_array_size(chips);
    if (list->count == 0) {
        return no_chips(cli);
    }
    list->names = calloc(list->count, sizeof *list->names);
    if (list->names == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < list->count; i++) {
        list->names[i] = json_string_value(json_array_get(chips, i));
        if (list->names[i] == NULL) {
            return no_chips(cli);
        }
    }
    return KW_OK;
}

/* --- serving ---------------------------------------------------------------
 */

static void print_listener(struct kw_cli *cli,
                           const struct kw_board_listener *at) {
    if (at->chips > 0) {
        kw_print(cli, "a fleet of %zu is on %s\n", at->chips, at->address);
        return;
    }
    kw_print(cli, "%s on %s\n", at->chip == NULL ? "the bus is" : at->chip,
             at->address);
}

static kw_status announce(struct kw_cli *cli, const struct kw_board *board) {
    struct kw_board_listener at;
    json_t *listeners = json_array();
    for (size_t i = 0; kw_board_listener(board, i, &at); i++) {
        json_array_append_new(
            listeners,
            json_pack("{s:s?, s:s}", "chip", at.chip, "address", at.address));
        print_listener(cli, &at);
    }
    json_object_set_new(cli->result, "listeners", listeners);
    return kw_answer_announce(cli, "board-serve");
}

static kw_status serve_board(struct kw_cli *cli,
                             const struct kw_board_options *options) {
    struct kw_board *board = NULL;
    KW_TRY(kw_board_open(options, &board, &cli->error));
    kw_status status = announce(cli, board);
    if (status == KW_OK) {
        status = kw_board_serve(board, &kw_stop_requested, &cli->error);
    }
    kw_board_close(board);
    return status;
}

static kw_status serve_listed(struct kw_cli *cli, struct chip_list *list,
                              struct kw_board_options *options) {
    KW_TRY(read_description(cli, &list->description));
    KW_TRY(take_names(cli, list));
    options->chips = list->names;
    options->chip_count = list->count;
    return serve_board(cli, options);
}

static kw_status refuse_in_script(struct kw_cli *cli) {
    return kw_error(&cli->error, KW_USAGE,
                    "`board serve` cannot be a line of a script: the script "
                    "has the chip for itself");
}

static kw_status run_serve(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct chip_list list = {.count = 0};
    struct kw_workspace *workspace = NULL;
    struct kw_board_options options;
    KW_TRY(cli->in_script ? refuse_in_script(cli) : KW_OK);
    KW_TRY(take_options(cli, arguments, &options));
    KW_TRY(kw_cli_workspace(cli, &workspace));
    options.workspace = workspace;
    const kw_status status = serve_listed(cli, &list, &options);
    free(list.names);
    json_decref(list.description);
    return status;
}

static const struct kw_option SERVE_OPTIONS[] = {
    {"--kit-pty", "LINK",
     "the kit protocol on a pseudo-terminal, with a symbolic link to it"},
    {"--i2c", "SOCKET", "the transfers of an I2C bus, as messages"},
    {"--swi-pty", "LINK",
     "the single-wire interface of the chip that --chip names, behind a UART"},
    {"--tcp", "PORT",
     "serve the chip that --chip names on 127.0.0.1:PORT too (0: any free "
     "port; default: only on sockets in run/)"},
    {"--bridge", "SOCKET", "the binary kit protocol, as messages"},
    {"--fleet", "DIR",
     "serve the images DIR/NAME.chip too, all on the socket DIR/fleet.sock"},
    {"--switch", "NAMES",
     "take these chips off the bus, as the board's DIP switches do"},
    {"--timing", "limits|none",
     "keep a chip busy as long as its limits say; default: none"},
    {"--fault", "SEED[:KIND=VALUE,..]",
     "let frames, wires and the supply fail, the same way for the same seed"},
    {"--watchdog", NULL, "let the chips' watchdogs run in real time"},
    {NULL, NULL, NULL},
};

static const struct kw_verb VERBS[] = {
    {"serve", NULL, "serve the workspace's chips until SIGTERM or SIGINT",
     SERVE_OPTIONS, 0, 0, run_serve, .example = "board serve --tcp 8608"},
};

/* Hints name it to whoever could not reach a board through a link: that link
 * is no chip which the board could serve. */
const struct kw_noun kw_noun_board = {
    "board", "serve emulated chips to other programs", VERBS,
    sizeof VERBS / sizeof *VERBS, KW_ON_WORKSPACE};
