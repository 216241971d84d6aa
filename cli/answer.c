#include "cli/answer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/copied.h"

/* --- documents --- */

json_t *kw_answer_error(const struct kw_cli *cli) {
    const struct kw_error *error = &cli->error;
    char *message = kw_copied(cli, error->message);
    char *hint = kw_copied(cli, error->hint);
    char status[8];
    (void)snprintf(status, sizeof status, "0x%04x", (unsigned)error->status);
    json_t *document =
        json_pack("{s:s, s:i, s:s, s:s}", "schema", "keywright/error/1", "exit",
                  (int)kw_status_class(error->status), "status", status,
                  "message", message != NULL ? message : error->message);
    if (error->hint[0] != '\0') {
        json_object_set_new(document, "hint",
                            json_string(hint != NULL ? hint : error->hint));
    }
    free(message);
    free(hint);
    return document;
}

void kw_answer_show_error(const struct kw_cli *cli) {
    kw_tell(cli, "keywright: %s\n", cli->error.message);
    if (cli->error.hint[0] != '\0') {
        kw_tell(cli, "  %s\n", cli->error.hint);
    }
}

void kw_answer_print(const json_t *document) {
    (void)json_dumpf(document, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}

/* --- stdout --- */

/* Whoever read our output has gone, as in `keywright ... | head -1`. */
static bool reader_is_gone(void) {
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

/* A reader that has gone wants no words: only the status. */
kw_status kw_answer_failed(struct kw_cli *cli) {
    return reader_is_gone()
               ? KW_SYSTEM_FILE
               : kw_error_system(&cli->error, "cannot write to stdout");
}

/* A full disk may swallow what was printed; then the exit code says so. */
static bool has_arrived(void) {
    errno = 0;
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}

kw_status kw_answer_flush(struct kw_cli *cli) {
    return has_arrived() ? KW_OK : kw_answer_failed(cli);
}

kw_status kw_answer_end(struct kw_cli *cli, kw_status status) {
    const bool has_words = status != KW_OK && cli->error.message[0] != '\0';
    if (has_words || has_arrived()) {
        return status;
    }
    const char *cause = strerror(errno != 0 ? errno : EIO);
    if (reader_is_gone()) {
        return status == KW_OK ? KW_SYSTEM_FILE : status;
    }
    kw_error(&cli->error, KW_SYSTEM_FILE,
             "done, but the answer could not be written to stdout: %s", cause);
    return kw_error_hint(&cli->error, "what it changed, if anything, stays "
                                      "changed: run again only a command that "
                                      "changes nothing");
}

kw_status kw_answer_announce(struct kw_cli *cli, const char *name) {
    json_t *document =
        json_pack("{s:o}", "schema", json_sprintf("keywright/%s/1", name));
    json_object_update(document, cli->result);
    if (cli->json) {
        kw_answer_print(document);
    }
    json_decref(document);
    cli->announced = true;
    return kw_answer_flush(cli);
}

void kw_answer_end_if_unread(void) {
    sigset_t set;
    if (!reader_is_gone()) {
        return;
    }
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(SIGPIPE);
}
