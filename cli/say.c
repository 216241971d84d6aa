/* cli/say.c: what a command says to people, and what it asks them. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/copied.h"
#include "host/keyring.h"

#define QUESTION_MAX 512

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
        (void)fwrite(cli->unseen_text, 1, cli->unseen_size, stderr);
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
