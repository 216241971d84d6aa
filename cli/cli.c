#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/copied.h"
#include "host/keyring.h"

#define DEFAULT_WORKSPACE "keywright.d"
#define QUESTION_MAX      512

volatile sig_atomic_t kw_stop_requested;

const char *kw_default_workspace(void) {
    const char *folder = getenv("KEYWRIGHT_WORKSPACE");
    return folder != NULL && folder[0] != '\0' ? folder : DEFAULT_WORKSPACE;
}

const char *kw_argument(const struct kw_arguments *arguments,
                        const char *name) {
    for (size_t i = 0; i < arguments->option_count; i++) {
        if (strcmp(arguments->option[i].name, name) == 0) {
            return arguments->option[i].value;
        }
    }
    return NULL;
}

/* --- what a verb opens -------------------------------------------------------
 */

/* An authority may be a key in the very chip. */
static void lend_chip(struct kw_cli *cli) {
    if (cli->link.close != NULL) {
        cli->workspace.chip = &cli->chip;
        cli->workspace.chip_link = cli->chip_text;
    }
}

kw_status kw_cli_workspace(struct kw_cli *cli,
                           struct kw_workspace **workspace) {
    if (cli->workspace.folder == NULL) {
        const kw_status status = kw_workspace_open(
            &cli->workspace, cli->workspace_folder, &cli->error);
        if (status != KW_OK) {
            kw_workspace_close(&cli->workspace);
            return status;
        }
        lend_chip(cli);
    }
    *workspace = &cli->workspace;
    return KW_OK;
}

kw_status kw_cli_workspace_locked(struct kw_cli *cli,
                                  struct kw_workspace **workspace) {
    KW_TRY(kw_cli_workspace(cli, workspace));
    return kw_workspace_lock(*workspace, &cli->error);
}

/* The name of an emulated chip without "sim:" is the likeliest mistake. */
static kw_status open_link(struct kw_cli *cli,
                           const struct kw_workspace *workspace) {
    const kw_status status =
        kw_link_open(cli->chip_text, workspace, &cli->link, &cli->error);
    if (status == KW_USAGE && cli->chip_text[0] != '\0' &&
        strpbrk(cli->chip_text, ":/") == NULL) {
        return kw_error_hint(&cli->error, "did you mean --chip sim:%s?",
                             cli->chip_text);
    }
    return status;
}

static kw_status open_chip(struct kw_cli *cli) {
    struct kw_workspace *workspace = NULL;
    if (kw_link_needs_workspace(cli->chip_text)) {
        KW_TRY(kw_cli_workspace(cli, &workspace));
    }
    KW_TRY(open_link(cli, workspace));
    KW_TRY(kw_link_watch(&cli->link, &kw_stop_requested,
                         cli->trace ? stderr : NULL, &cli->error));
    kw_chip_init(&cli->chip, cli->link.link);
    return KW_OK;
}

kw_status kw_cli_chip(struct kw_cli *cli, struct kw_chip **chip) {
    if (cli->link.close == NULL) {
        const kw_status status = open_chip(cli);
        if (status != KW_OK) {
            kw_link_close(&cli->link);
            return status;
        }
        lend_chip(cli);
    }
    *chip = &cli->chip;
    return KW_OK;
}

/* --- words --- */

void kw_print(const struct kw_cli *cli, const char *format, ...) {
    FILE *const out = cli->text != NULL           ? cli->text
                      : !cli->json && !cli->quiet ? stdout
                                                  : NULL;
    va_list arguments;
    if (out != NULL) {
        va_start(arguments, format);
        kw_put_copied(cli, out, format, arguments);
        va_end(arguments);
    }
    if (cli->unseen != NULL) {
        va_start(arguments, format);
        kw_put_copied(cli, cli->unseen, format, arguments);
        va_end(arguments);
    }
}

void kw_tell(const struct kw_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    kw_put_copied(cli, stderr, format, arguments);
    va_end(arguments);
}

void kw_warn(const struct kw_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fputs("warning: ", stderr);
    kw_put_copied(cli, stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

/* --- questions --- */

static void show_unseen(struct kw_cli *cli) {
    if (cli->unseen != NULL && fflush(cli->unseen) == 0) {
        (void)fputs(cli->unseen_text, stderr);
        rewind(cli->unseen);
    }
}

static kw_status ask(struct kw_cli *cli, const char *question) {
    char answer[16] = "";
    if (isatty(STDIN_FILENO) == 0) {
        kw_error(&cli->error, KW_USAGE, "this needs a yes: %s", question);
        return kw_error_hint(&cli->error,
                             "answer it beforehand with --yes; nothing was "
                             "changed");
    }
    (void)fflush(stdout);
    show_unseen(cli);
    (void)fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof answer, stdin) == NULL) {
        (void)fputc('\n', stderr);
    }
    if (answer[0] == 'y' || answer[0] == 'Y') {
        return KW_OK;
    }
    if (kw_stop_requested != 0) {
        return kw_error(&cli->error, KW_INTERRUPTED,
                        "interrupted before the answer; nothing was changed");
    }
    return kw_error(&cli->error, KW_NO, "not confirmed; nothing was changed");
}

kw_status kw_confirm(struct kw_cli *cli, const char *format, ...) {
    char question[QUESTION_MAX];
    va_list arguments;
    if (cli->yes) {
        return KW_OK;
    }
    va_start(arguments, format);
    (void)vsnprintf(question, sizeof question, format, arguments);
    va_end(arguments);
    return ask(cli, question);
}

kw_status kw_confirm_chip(struct kw_cli *cli, const char *question) {
    struct kw_chip *chip = NULL;
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    char text[KW_SERIAL_TEXT];
    if (cli->yes) {
        return KW_OK;
    }
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = kw_chip_read_config(chip, config);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot read the chip");
    }
    kw_config_serial(config, serial);
    kw_serial_text(serial, text);
    return kw_confirm(cli, "%s (%s, serial %s)", question, cli->chip_text,
                      text);
}
