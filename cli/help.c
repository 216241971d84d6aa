#include "cli/help.h"

static void show_options(const struct kw_option *options, FILE *out) {
    for (; options != NULL && options->name != NULL; options++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s", options->name,
                       options->value == NULL ? "" : " ",
                       options->value == NULL ? "" : options->value);
        (void)fprintf(out, "  %-30s %s\n", left, options->help);
    }
}

static void show_verb_line(const struct kw_noun *noun,
                           const struct kw_verb *verb, FILE *out) {
    (void)fprintf(
        out, "keywright %s%s%s%s%s", noun->name, verb->name == NULL ? "" : " ",
        verb->name == NULL ? "" : verb->name, verb->operands == NULL ? "" : " ",
        verb->operands == NULL ? "" : verb->operands);
    if (verb->options != NULL) {
        (void)fputs(" [options]", out);
    }
    (void)fputc('\n', out);
}

static void show_verb(const struct kw_noun *noun, const struct kw_verb *verb,
                      FILE *out) {
    (void)fputs("Usage: ", out);
    show_verb_line(noun, verb, out);
    (void)fprintf(out, "\n%s\n", verb->summary);
    if (verb->options != NULL) {
        (void)fputs("\nOptions:\n", out);
        show_options(verb->options, out);
    }
}

static void show_noun(const struct kw_noun *noun, FILE *out) {
    (void)fprintf(out, "Usage: keywright %s VERB [options]\n\n%s\n\nVerbs:\n",
                  noun->name, noun->summary);
    for (size_t i = 0; i < noun->verb_count; i++) {
        (void)fprintf(out, "  %-16s %s\n", noun->verbs[i].name,
                      noun->verbs[i].summary);
    }
    (void)fprintf(out,
                  "\n`keywright %s VERB --help` shows one verb, "
                  "`man keywright-%s` all of them.\n",
                  noun->name, noun->name);
}

static void show_all(const struct kw_cli *cli, FILE *out) {
    (void)fputs("Usage: keywright NOUN VERB [options]\n\n"
                "Makes, places, turns and retires the credentials of "
                "connected devices.\n\nNouns:\n",
                out);
    for (size_t i = 0; i < cli->noun_count; i++) {
        (void)fprintf(out, "  %-12s %s\n", cli->nouns[i].name,
                      cli->nouns[i].summary);
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
