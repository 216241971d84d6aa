/* cli/winc_connect.c: `winc connect`: the module's firmware as a client. */
#include <stdlib.h>
#include <string.h>

#include "cli/winc.h"
#include "core/bytes.h"
#include "host/text.h"

#define TIMEOUT_S 10
#define PORT_MAX  65535ul

const struct kw_option kw_winc_connect_options[] = {
    KW_WINC_OPTION_MODULE,
    {"--flash", "FILE", "a raw image of a flash; no workspace is needed"},
    {"--check-name", NULL, "the server's certificate must be for HOST"},
    {NULL, NULL, NULL},
};

static kw_status connect_image(struct kw_cli *cli, const char *path,
                               const struct kw_module_connect *wanted,
                               struct kw_module_connection *connection) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, 1u << 20, &bytes, &size, &cli->error));
    kw_status status = KW_OK;
    if (size < KW_WINC_TLS_ADDRESS + KW_WINC_TLS_SIZE) {
        status = kw_error(&cli->error, KW_PARSE_SIZE,
                          "%s is too short for a flash", path);
    } else {
        status = kw_flash_connect(bytes, (uint32_t)size, wanted, connection,
                                  &cli->error);
    }
    kw_wipe(bytes, size);
    free(bytes);
    return status;
}

/* A module without a secure element has no ECC key; that is no error. */
static struct kw_chip *find_chip(struct kw_cli *cli) {
    struct kw_chip *chip = NULL;
    if (kw_cli_chip(cli, &chip) != KW_OK) {
        cli->error = (struct kw_error){.status = KW_OK};
        return NULL;
    }
    return chip;
}

static kw_status connect_module(struct kw_cli *cli,
                                const struct kw_arguments *arguments,
                                struct kw_module_connect *wanted,
                                struct kw_module_connection *connection) {
    struct kw_winc winc;
    struct kw_winc_tls tls;
    bool needs_chip = false;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    if (kw_winc_tls_read(&winc.tls, kw_winc_new_tls_header(&winc), &tls) ==
        KW_OK) {
        for (uint32_t i = 0; i < tls.count; i++) {
            needs_chip =
                needs_chip || strcmp(tls.file[i].name, "ECDSA.lst") == 0;
        }
    }
    wanted->chip = needs_chip ? find_chip(cli) : NULL;
    const kw_status status =
        kw_module_connect(winc.module, wanted, connection, &cli->error);
    if (wanted->chip != NULL) {
        kw_chip_idle(wanted->chip);
    }
    kw_winc_close(&winc, true);
    return status;
}

static kw_status check_port(struct kw_cli *cli, const char *text) {
    const size_t digits = strspn(text, "0123456789");
    const unsigned long number = strtoul(text, NULL, 10);
    return digits > 0 && digits <= 5 && text[digits] == '\0' && number > 0 &&
                   number <= PORT_MAX
               ? KW_OK
               : kw_error(&cli->error, KW_USAGE,
                          "'%s' is no TCP port: a number from 1 to %lu", text,
                          PORT_MAX);
}

kw_status kw_winc_connect_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    const char *image = kw_argument(arguments, "--flash");
    struct kw_module_connection connection = {.cipher = ""};
    struct kw_module_connect wanted = {
        .host = arguments->operand[0],
        .port = arguments->operand[1],
        .check_name = kw_argument(arguments, "--check-name") != NULL,
        .timeout_s = TIMEOUT_S,
        .stopped = &kw_stop_requested,
    };
    char root[2 * KW_SHA1_SIZE + 1];
    KW_TRY(check_port(cli, wanted.port));
    KW_TRY(image != NULL
               ? connect_image(cli, image, &wanted, &connection)
               : connect_module(cli, arguments, &wanted, &connection));
    kw_hex(connection.root, KW_SHA1_SIZE, root);
    kw_print(cli, "Connected to %s:%s with TLS 1.2, %s\n", wanted.host,
             wanted.port, connection.cipher);
    kw_print(cli, "  server     %s\n  vouched by %s\n  identity   %s\n",
             connection.subject, root, connection.identity);
    json_object_set_new(cli->result, "server", json_string(connection.subject));
    json_object_set_new(cli->result, "cipher", json_string(connection.cipher));
    json_object_set_new(cli->result, "root", json_string(root));
    json_object_set_new(cli->result, "identity",
                        json_string(connection.identity));
    return KW_OK;
}
