/* cli/chip_run.c: several commands in one power cycle of a chip.
 *
 * Each line is taken, run and answered before the next one is read, so that
 * a script may come from a program that waits for the answers. */
#include "cli/chip_run.h"

#include <string.h>

#include "cli/answer.h"
#include "cli/program.h"

#define LINE_MAX_BYTES 4096
#define WORDS_MAX      64

struct script {
    struct kw_cli *cli;
    FILE *file;
    const char *name;
    unsigned line;
    char text[LINE_MAX_BYTES]; /* the command, trimmed, for the document */
    char words[LINE_MAX_BYTES];
    char *argv[WORDS_MAX + 1];
    int argc;
    json_t *lines;
};

/* --- one line into words --- */

static const char BLANKS[] = " \t\r\n";

static bool is_blank(char character) {
    return character != '\0' && strchr(BLANKS, character) != NULL;
}

/* Moves the word at *from to *to, without its quotes. False: a quote is left
 * open. */
static bool take_word(char **from, char **to) {
    bool quoted = false;
    for (; **from != '\0' && (quoted || !is_blank(**from)); (*from)++) {
        if (**from == '"') {
            quoted = !quoted;
        } else {
            *(*to)++ = **from;
        }
    }
    return !quoted;
}

/* The words of script->words go to argv[1] and on. A word that begins with
 * # begins a comment; *end is where it stands, or the line's end. */
static kw_status split(struct script *script, size_t *end) {
    struct kw_error *error = &script->cli->error;
    char *from = script->words;
    char *to = script->words;
    script->argv[0] = "keywright";
    script->argc = 1;
    for (;;) {
        from += strspn(from, BLANKS);
        *end = (size_t)(from - script->words);
        if (*from == '\0' || *from == '#') {
            return KW_OK;
        }
        if (script->argc == WORDS_MAX) {
            return kw_error(error, KW_USAGE, "more than %d words",
                            WORDS_MAX - 1);
        }
        script->argv[script->argc++] = to;
        if (!take_word(&from, &to)) {
            *end = strlen(script->text);
            return kw_error(error, KW_USAGE, "a double quote is not closed");
        }
        from += *from == '\0' ? 0 : 1;
        *to++ = '\0';
    }
}

static void trim_text(struct script *script, size_t end) {
    char *text = script->text;
    const size_t start = strspn(text, BLANKS);
    while (end > start && is_blank(text[end - 1])) {
        end--;
    }
    memmove(text, text + start, end - start);
    text[end - start] = '\0';
}

/* --- one line at work --- */

static bool asks_for_help(const struct script *script) {
    for (int i = 1; i < script->argc; i++) {
        if (strcmp(script->argv[i], "--help") == 0 ||
            strcmp(script->argv[i], "-h") == 0) {
            return true;
        }
    }
    return script->argc > 1 && strcmp(script->argv[1], "help") == 0;
}

static kw_status run_words(struct script *script, json_t **document) {
    struct kw_cli *cli = script->cli;
    json_t *const own = cli->result;
    if (asks_for_help(script)) {
        kw_error(&cli->error, KW_USAGE, "a script has no use for --help");
        *document = kw_answer_error(cli);
        return KW_USAGE;
    }
    cli->in_script = true;
    const kw_status status =
        kw_program_command(cli, script->argc, script->argv, document);
    cli->in_script = false;
    cli->result = own;
    if (cli->link.close != NULL) {
        kw_chip_idle(&cli->chip);
    }
    return status;
}

static kw_status run_split(struct script *script, kw_status split_status,
                           json_t **document) {
    if (split_status == KW_OK) {
        return run_words(script, document);
    }
    *document = kw_answer_error(script->cli);
    return split_status;
}

/* The document of the whole holds the lines; so the words about the line
 * that failed go to stderr here, and are no error of `chip run`. */
static void tell_failure(struct script *script) {
    struct kw_error *error = &script->cli->error;
    kw_tell(script->cli, "keywright: %s, line %u: %s\n", script->name,
            script->line, error->message);
    if (error->hint[0] != '\0') {
        kw_tell(script->cli, "  %s\n", error->hint);
    }
    *error = (struct kw_error){.status = KW_OK};
}

static void record(struct script *script, kw_status status, json_t *document) {
    json_array_append_new(script->lines,
                          json_pack("{s:i, s:s, s:i, s:o}", "line",
                                    (int)script->line, "command", script->text,
                                    "exit", (int)kw_status_class(status),
                                    "result", document));
}

static kw_status run_line(struct script *script) {
    json_t *document = NULL;
    size_t end = 0;
    memcpy(script->words, script->text, sizeof script->words);
    const kw_status split_status = split(script, &end);
    if (split_status == KW_OK && script->argc == 1) {
        return KW_OK;
    }
    trim_text(script, end);
    kw_print(script->cli, "%s> %s\n",
             json_array_size(script->lines) == 0 ? "" : "\n", script->text);
    const kw_status status = run_split(script, split_status, &document);
    record(script, status, document);
    if (status != KW_OK) {
        tell_failure(script);
    }
    (void)fflush(stdout); /* what fails is found at the end */
    return status;
}

/* --- the script --- */

static kw_status interrupted(struct script *script) {
    return kw_error(&script->cli->error, KW_INTERRUPTED,
                    "interrupted after line %u of %s", script->line,
                    script->name);
}

/* Fills script->text. KW_OK with *more false: the script has ended. */
static kw_status read_line(struct script *script, bool *more) {
    struct kw_error *error = &script->cli->error;
    if (kw_stop_requested) {
        return interrupted(script);
    }
    *more = fgets(script->text, sizeof script->text, script->file) != NULL;
    if (kw_stop_requested) {
        return interrupted(script);
    }
    if (!*more) {
        return ferror(script->file) == 0
                   ? KW_OK
                   : kw_error_system(error, "cannot read %s", script->name);
    }
    script->line++;
    if (strchr(script->text, '\n') == NULL && feof(script->file) == 0) {
        return kw_error(error, KW_PARSE,
                        "line %u of %s is no text, or is longer than %d bytes",
                        script->line, script->name, LINE_MAX_BYTES - 2);
    }
    return KW_OK;
}

static kw_status run_script(struct script *script) {
    bool more = true;
    for (;;) {
        KW_TRY(read_line(script, &more));
        if (!more) {
            return KW_OK;
        }
        KW_TRY(run_line(script));
    }
}

static kw_status open_script(struct kw_cli *cli, const char *name,
                             FILE **file) {
    *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    return *file != NULL ? KW_OK
                         : kw_error_system(&cli->error, "cannot open %s", name);
}

kw_status kw_chip_run_verb(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    const char *name = arguments->operand[0];
    struct script script = {
        .cli = cli,
        .name = strcmp(name, "-") == 0 ? "stdin" : name,
    };
    if (cli->in_script) {
        return kw_error(&cli->error, KW_USAGE,
                        "a script cannot run another script");
    }
    KW_TRY(open_script(cli, name, &script.file));
    script.lines = json_array();
    const kw_status status = run_script(&script);
    json_object_set_new(cli->result, "lines", script.lines);
    if (script.file != stdin) {
        (void)fclose(script.file);
    }
    return status;
}
