#include "cli/answer.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* --- documents --- */

json_t *kw_answer_error(const struct kw_error *error) {
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
kw_status kw_answer_flush(struct kw_cli *cli) {
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? KW_OK
                                                      : kw_answer_failed(cli);
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
