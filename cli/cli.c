#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/parse.h"

#define DEFAULT_WORKSPACE "keywright.d"

volatile sig_atomic_t kw_stop_requested;

static void request_stop(int signal_number) {
    (void)signal_number;
    kw_stop_requested = 1;
}

/* An interruption is answered between two commands of the chip; a second one
 * ends the process at once, as a power cut would: nothing is lost by it. */
static void catch_interruptions(void) {
    struct sigaction action = {.sa_handler = request_stop,
                               .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* Keys pass through this process: when it dies it leaves no core file. What
 * was before is answered, and comes back at the end, for leak checkers. */
static unsigned long forbid_core_files(void) {
    const int before = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return before > 0 ? (unsigned long)before : 0;
}

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

kw_status kw_cli_workspace(struct kw_cli *cli,
                           struct kw_workspace **workspace) {
    if (cli->workspace.folder == NULL) {
        const kw_status status = kw_workspace_open(
            &cli->workspace, cli->workspace_folder, &cli->error);
        if (status != KW_OK) {
            kw_workspace_close(&cli->workspace);
            return status;
        }
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
    }
    *chip = &cli->chip;
    return KW_OK;
}

/* --- words --- */

void kw_print(const struct kw_cli *cli, const char *format, ...) {
    if (cli->text == NULL && (cli->json || cli->quiet)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(cli->text == NULL ? stdout : cli->text, format, arguments);
    va_end(arguments);
}

void kw_warn(const struct kw_cli *cli, const char *format, ...) {
    (void)cli;
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
}

kw_status kw_confirm(struct kw_cli *cli, const char *question) {
    char answer[16] = "";
    if (cli->yes) {
        return KW_OK;
    }
    if (isatty(STDIN_FILENO) == 0) {
        kw_error(&cli->error, KW_USAGE, "this needs a yes: %s", question);
        return kw_error_hint(&cli->error,
                             "answer it beforehand with --yes; nothing was "
                             "changed");
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s [y/N] ", question);
    const bool read = fgets(answer, sizeof answer, stdin) != NULL;
    if (read && (answer[0] == 'y' || answer[0] == 'Y')) {
        return KW_OK;
    }
    if (kw_stop_requested != 0) {
        return kw_error(&cli->error, KW_INTERRUPTED,
                        "interrupted before the answer; nothing was changed");
    }
    return kw_error(&cli->error, KW_NO, "not confirmed; nothing was changed");
}

/* --- running a command --- */

json_t *kw_error_document(const struct kw_error *error) {
    char status[8];
    (void)snprintf(status, sizeof status, "0x%04x", (unsigned)error->status);
    json_t *document =
        json_pack("{s:s, s:i, s:s, s:s}", "schema", "keywright/error/1", "exit",
                  (int)kw_status_class(error->status), "status", status,
                  "message", error->message);
    if (error->hint[0] != '\0') {
        json_object_set_new(document, "hint", json_string(error->hint));
    }
    return document;
}

static json_t *result_document(json_t *result, const struct kw_parsed *parsed) {
    const bool has_verb = parsed->verb->name != NULL;
    json_t *document = json_object();
    json_object_set_new(document, "schema",
                        json_sprintf("keywright/%s%s%s/1", parsed->noun->name,
                                     has_verb ? "-" : "",
                                     has_verb ? parsed->verb->name : ""));
    json_object_update(document, result);
    return document;
}

static kw_status run_verb(struct kw_cli *cli, const struct kw_parsed *parsed,
                          json_t **document) {
    cli->result = json_object();
    const kw_status status = parsed->verb->run(cli, &parsed->arguments);
    *document = status == KW_OK || cli->error.message[0] == '\0'
                    ? result_document(cli->result, parsed)
                    : kw_error_document(&cli->error);
    json_decref(cli->result);
    cli->result = NULL;
    return status;
}

kw_status kw_cli_command(struct kw_cli *cli, int argc, char **argv,
                         json_t **document) {
    struct kw_parsed parsed;
    *document = NULL;
    cli->error = (struct kw_error){.status = KW_OK};
    kw_status status = kw_parse(cli, argc, argv, &parsed);
    if (status != KW_OK) {
        *document = kw_error_document(&cli->error);
        return status;
    }
    if (parsed.help) {
        kw_help(cli, &parsed, stdout);
        return KW_OK;
    }
    if (parsed.version) {
        (void)printf("keywright %s\n", KEYWRIGHT_VERSION);
        return KW_OK;
    }
    return run_verb(cli, &parsed, document);
}

static void show_error(const struct kw_error *error) {
    (void)fprintf(stderr, "keywright: %s\n", error->message);
    if (error->hint[0] != '\0') {
        (void)fprintf(stderr, "  %s\n", error->hint);
    }
}

/* Whoever read our output has gone, as in `keywright ... | head -1`. */
static bool reader_is_gone(void) {
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

/* A reader that has gone wants no words: only the status. */
kw_status kw_cli_stdout_failed(struct kw_cli *cli) {
    return reader_is_gone()
               ? KW_SYSTEM_FILE
               : kw_error_system(&cli->error, "cannot write to stdout");
}

/* A full disk may swallow what was printed; then the exit code says so. */
static kw_status flush_stdout(struct kw_cli *cli) {
    return fflush(stdout) == 0 && ferror(stdout) == 0
               ? KW_OK
               : kw_cli_stdout_failed(cli);
}

/* The work is done and everything closed: ends as a program does that
 * writes into a pipe which nobody reads. */
static void end_by_broken_pipe(void) {
    sigset_t set;
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(SIGPIPE);
}

static void print_document(const json_t *document) {
    (void)json_dumpf(document, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}

kw_status kw_cli_announce(struct kw_cli *cli, const char *name) {
    json_t *document =
        json_pack("{s:o}", "schema", json_sprintf("keywright/%s/1", name));
    json_object_update(document, cli->result);
    if (cli->json) {
        print_document(document);
    }
    json_decref(document);
    cli->announced = true;
    return flush_stdout(cli);
}

static void close_all(struct kw_cli *cli) {
    kw_link_close(&cli->link);
    kw_workspace_close(&cli->workspace);
}

/* Says what failed, after all is closed; answers the exit code. */
static int finish(struct kw_cli *cli, kw_status status) {
    if (status == KW_OK) {
        status = flush_stdout(cli);
    }
    if (status != KW_OK && cli->error.message[0] != '\0') {
        (void)fflush(stdout);
        show_error(&cli->error);
    } else if (status == KW_SYSTEM_FILE && reader_is_gone()) {
        end_by_broken_pipe();
    }
    return (int)kw_status_class(status);
}

int kw_cli_main(int argc, char **argv, const struct kw_noun *nouns,
                size_t noun_count) {
    struct kw_cli cli = {
        .nouns = nouns,
        .noun_count = noun_count,
        .workspace_folder = kw_default_workspace(),
        .chip_text = KW_DEFAULT_CHIP,
        .workspace = {.lock = -1},
    };
    json_t *document = NULL;
    if (argc <= 1) {
        kw_help(&cli, &(struct kw_parsed){.noun = NULL}, stderr);
        return KW_CLASS_USAGE;
    }
    catch_interruptions();
    const unsigned long dumpable = forbid_core_files();
    const kw_status status = kw_cli_command(&cli, argc, argv, &document);
    if (cli.json && document != NULL && !cli.announced) {
        print_document(document);
    }
    json_decref(document);
    close_all(&cli);
    (void)prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
    return finish(&cli, status);
}
