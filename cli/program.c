#include "cli/program.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/help.h"
#include "cli/parse.h"

/* --- one command --- */

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

/* With --json and --quiet, or into a file, nobody at the terminal would see
 * what a question is about: kw_confirm shows it. */
static void keep_unseen(struct kw_cli *cli, const struct kw_verb *verb) {
    const bool is_seen = !cli->json && !cli->quiet && isatty(STDOUT_FILENO);
    if (verb->asks != NULL && !cli->yes && !is_seen && isatty(STDIN_FILENO)) {
        cli->unseen = open_memstream(&cli->unseen_text, &cli->unseen_size);
    }
}

static void forget_unseen(struct kw_cli *cli) {
    if (cli->unseen != NULL) {
        (void)fclose(cli->unseen);
    }
    free(cli->unseen_text);
    cli->unseen = NULL;
    cli->unseen_text = NULL;
}

static kw_status run_verb(struct kw_cli *cli, const struct kw_parsed *parsed,
                          json_t **document) {
    cli->result = json_object();
    cli->module = kw_argument(&parsed->arguments, "--module");
    keep_unseen(cli, parsed->verb);
    const kw_status status = parsed->verb->run(cli, &parsed->arguments);
    forget_unseen(cli);
    *document = status == KW_OK || cli->error.message[0] == '\0'
                    ? result_document(cli->result, parsed)
                    : kw_answer_error(cli);
    json_decref(cli->result);
    cli->result = NULL;
    return status;
}

kw_status kw_program_command(struct kw_cli *cli, int argc, char **argv,
                             json_t **document) {
    struct kw_parsed parsed;
    *document = NULL;
    cli->error = (struct kw_error){.status = KW_OK};
    kw_status status = kw_parse(cli, argc, argv, &parsed);
    if (status != KW_OK) {
        *document = kw_answer_error(cli);
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

/* --- the whole program --- */

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

static void close_all(struct kw_cli *cli) {
    kw_link_close(&cli->link);
    kw_workspace_close(&cli->workspace);
}

/* Says what failed, after all is closed; answers the exit code. */
static int finish(struct kw_cli *cli, kw_status status) {
    status = kw_answer_end(cli, status);
    if (status != KW_OK && cli->error.message[0] != '\0') {
        kw_answer_show_error(cli);
    } else if (status == KW_SYSTEM_FILE) {
        kw_answer_end_if_unread();
    }
    return (int)kw_status_class(status);
}

int kw_program_main(int argc, char **argv, const struct kw_noun *nouns,
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
    const kw_status status = kw_program_command(&cli, argc, argv, &document);
    if (cli.json && document != NULL && !cli.announced) {
        kw_answer_print(document);
    }
    json_decref(document);
    close_all(&cli);
    (void)prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
    return finish(&cli, status);
}
