#include "cli/help.h"

#include <ctype.h>
#include <string.h>

#include "cli/wrap.h"

#define OPTION_COLUMN 32
#define VERB_COLUMN   19

/* Tables hold phrases in lower case; a help text has sentences. */
static void show_capital(const char *text, size_t size, FILE *out) {
    (void)fprintf(out, "%c%.*s", toupper((unsigned char)text[0]), (int)size - 1,
                  text + 1);
}

/* The text from this column on, the first line where the cursor is. */
static void show_column(const char *text, int column, FILE *out) {
    const size_t width = (size_t)(KW_TERMINAL_WIDTH - column);
    size_t piece = kw_piece_of(text, width);
    show_capital(text, piece, out);
    while (*(text = kw_next_piece(text, piece)) != '\0') {
        piece = kw_piece_of(text, width);
        (void)fprintf(out, "\n%*s%.*s", column, "", (int)piece, text);
    }
    (void)fputc('\n', out);
}

static const char *short_form(const struct kw_option *option) {
    return strcmp(option->name, "--output") == 0 ? "-o, "
           : strcmp(option->name, "--help") == 0 ? "-h, "
                                                 : "";
}

static void show_options(const struct kw_option *options, FILE *out) {
    for (; options != NULL && options->name != NULL; options++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s%s", short_form(options),
                       options->name, options->value == NULL ? "" : " ",
                       options->value == NULL ? "" : options->value);
        const bool fits = strlen(left) <= OPTION_COLUMN - 3;
        (void)fprintf(out, "  %-*s%s", fits ? OPTION_COLUMN - 2 : 0, left,
                      fits ? "" : "\n");
        (void)fprintf(out, "%*s", fits ? 0 : OPTION_COLUMN, "");
        show_column(options->help, OPTION_COLUMN, out);
    }
}

/* Shows the options that the verb demands; true: it has others too. */
static bool show_required(const struct kw_option *option, FILE *out) {
    bool others = false;
    for (; option != NULL && option->name != NULL; option++) {
        if (option->required) {
            (void)fprintf(out, " %s %s", option->name, option->value);
        }
        others = others || !option->required;
    }
    return others;
}

static void show_usage(const struct kw_noun *noun, const struct kw_verb *verb,
                       FILE *out) {
    (void)fprintf(out, "Usage: keywright %s%s%s%s%s", noun->name,
                  verb->name == NULL ? "" : " ",
                  verb->name == NULL ? "" : verb->name,
                  verb->operands == NULL ? "" : " ",
                  verb->operands == NULL ? "" : verb->operands);
    (void)fputs(show_required(verb->options, out) ? " [options]\n" : "\n", out);
}

static void show_summary(const struct kw_verb *verb, FILE *out) {
    char text[160];
    (void)snprintf(text, sizeof text, "%s.", verb->summary);
    show_column(text, 0, out);
    if (verb->asks != NULL) {
        (void)fprintf(out, "Asks %s; --yes answers.\n", verb->asks);
    }
}

static void show_verb(const struct kw_noun *noun, const struct kw_verb *verb,
                      FILE *out) {
    show_usage(noun, verb, out);
    (void)fputc('\n', out);
    show_summary(verb, out);
    if (verb->options != NULL) {
        (void)fputs("\nOptions:\n", out);
        show_options(verb->options, out);
    }
    if (verb->example != NULL) {
        (void)fprintf(out, "\nExample:\n  keywright %s\n", verb->example);
    }
    (void)fputs("\n--workspace, --chip, --json and the other global options: "
                "`keywright --help`.\n",
                out);
}

static void show_noun(const struct kw_noun *noun, FILE *out) {
    (void)fprintf(out, "Usage: keywright %s VERB [options]\n\n", noun->name);
    show_capital(noun->summary, strlen(noun->summary), out);
    (void)fputs(".\n\nVerbs:\n", out);
    for (size_t i = 0; i < noun->verb_count; i++) {
        (void)fprintf(out, "  %-*s", VERB_COLUMN - 3, noun->verbs[i].name);
        (void)fputc(' ', out);
        show_column(noun->verbs[i].summary, VERB_COLUMN, out);
    }
    (void)fprintf(out,
                  "\n`keywright %s VERB --help` shows one verb,\n"
                  "`man keywright-%s` all of them.\n",
                  noun->name, noun->name);
}

static void show_all(const struct kw_cli *cli, FILE *out) {
    (void)fputs("Usage: keywright NOUN VERB [options]\n"
                "       keywright help [NOUN [VERB]]\n\n"
                "Makes, places, turns and retires the credentials of "
                "connected devices.\n\nNouns:\n",
                out);
    for (size_t i = 0; i < cli->noun_count; i++) {
        (void)fprintf(out, "  %-*s", VERB_COLUMN - 3, cli->nouns[i].name);
        (void)fputc(' ', out);
        show_column(cli->nouns[i].summary, VERB_COLUMN, out);
    }
    (void)fputs("\nGlobal options, anywhere on the line:\n", out);
    show_options(kw_global_options, out);
    (void)fputs("\nThe main job:\n"
                "  keywright init\n"
                "  keywright resources make\n"
                "  keywright rotate run\n"
                "  keywright rotate verify\n",
                out);
}

void kw_help(const struct kw_cli *cli, const struct kw_parsed *parsed,
             FILE *out) {
    if (parsed->noun == NULL) {
        show_all(cli, out);
    } else if (parsed->verb == NULL) {
        show_noun(parsed->noun, out);
    } else {
        show_verb(parsed->noun, parsed->verb, out);
    }
}
