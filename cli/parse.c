#include "cli/parse.h"

#include <string.h>

#define WORD_MAX 48 /* longer words have no nearest one */

const struct kw_option kw_global_options[] = {
    {"--workspace", "DIR",
     "the workspace (default: $KEYWRIGHT_WORKSPACE, else ./keywright.d)"},
    {"--chip", "LINK", "which chip (default: " KW_DEFAULT_CHIP ")"},
    {"--json", NULL, "print one JSON document on stdout"},
    {"--quiet", NULL, "print no text on stdout"},
    {"--trace", NULL, "show every frame, decoded, on stderr"},
    {"--yes", NULL, "answer confirmations"},
    {"--help", NULL, "show help and do nothing"},
    {"--version", NULL, "show the version"},
    {NULL, NULL, NULL},
};

/* --- the nearest known word ------------------------------------------------
 */

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time. */
static unsigned distance(const char *left, const char *right) {
    unsigned row[WORD_MAX + 1];
    const size_t width = strlen(right);
    if (strlen(left) > WORD_MAX || width > WORD_MAX) {
        return WORD_MAX;
    }
    for (unsigned i = 0; i <= width; i++) {
        row[i] = i;
    }
    for (unsigned i = 1; *left != '\0'; left++, i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            const unsigned above = row[j];
            const unsigned change = *left == right[j - 1] ? 0 : 1;
            row[j] = least(least(above, row[j - 1]) + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[width];
}

struct nearest {
    const char *wanted; /* without its dashes */
    const char *word;
    unsigned distance; /* it must be below this one */
    const char *begun; /* a known word that begins as the wanted one */
    unsigned begun_count;
};

static const char *skip_dashes(const char *word) {
    return word + strspn(word, "-");
}

static void consider(struct nearest *nearest, const char *known) {
    const char *word = skip_dashes(known);
    const unsigned far = distance(nearest->wanted, word);
    if (far < nearest->distance) {
        nearest->distance = far;
        nearest->word = known;
    }
    if (strncmp(word, nearest->wanted, strlen(nearest->wanted)) == 0) {
        nearest->begun = known;
        nearest->begun_count++;
    }
}

/* One change for three letters: what differs more is another word. */
static struct nearest start_search(const char *wanted) {
    const char *word = skip_dashes(wanted);
    const size_t changes = (strlen(word) + 1) / 3;
    return (struct nearest){
        .wanted = word,
        .distance = changes > 3 ? 4 : (unsigned)changes + 1,
    };
}

static const char *found(const struct nearest *nearest) {
    const bool is_begun =
        nearest->begun_count == 1 && nearest->wanted[0] != '\0';
    return is_begun ? nearest->begun : nearest->word;
}

/* "keywright NOUN VERB", as far as they are named. */
static kw_status hint_help(struct kw_cli *cli, const struct kw_parsed *parsed,
                           const char *what) {
    const bool noun = parsed->noun != NULL;
    const bool verb =
        noun && parsed->verb != NULL && parsed->verb->name != NULL;
    return kw_error_hint(&cli->error, "`keywright%s%s%s%s --help` %s",
                         noun ? " " : "", noun ? parsed->noun->name : "",
                         verb ? " " : "", verb ? parsed->verb->name : "", what);
}

static kw_status unknown(struct kw_cli *cli, const struct kw_parsed *parsed,
                         const char *kind, const char *word,
                         const struct nearest *nearest) {
    const char *likely = found(nearest);
    kw_error(&cli->error, KW_USAGE, "unknown %s '%s'", kind, word);
    if (likely != NULL) {
        return kw_error_hint(&cli->error, "did you mean '%s'?", likely);
    }
    return hint_help(cli, parsed, "lists what there is");
}

/* --- options -----------------------------------------------------------------
 */

/* The short forms. `-oFILE` has its value in the same word. */
static const char *long_name(const char *word) {
    if (strcmp(word, "-h") == 0) {
        return "--help";
    }
    return word[0] == '-' && word[1] == 'o' ? "--output" : word;
}

/* The value within the option's word, or NULL. */
static const char *value_within(const char *word) {
    const char *equals = strchr(word, '=');
    if (strncmp(word, "-o", 2) == 0) {
        const char *rest = word + 2 + (word[2] == '=' ? 1 : 0);
        return word[2] == '\0' ? NULL : rest;
    }
    return equals == NULL ? NULL : equals + 1;
}

static const struct kw_option *find_option(const struct kw_option *options,
                                           const char *word, size_t size) {
    for (; options != NULL && options->name != NULL; options++) {
        if (strlen(options->name) == size &&
            strncmp(options->name, word, size) == 0) {
            return options;
        }
    }
    return NULL;
}

struct flag {
    const char *name;
    bool *flag;
};

static kw_status take_global(struct kw_cli *cli, struct kw_parsed *parsed,
                             const struct kw_option *option,
                             const char *value) {
    const struct flag flags[] = {
        {"--json", &cli->json},    {"--quiet", &cli->quiet},
        {"--trace", &cli->trace},  {"--yes", &cli->yes},
        {"--help", &parsed->help}, {"--version", &parsed->version},
    };
    if (cli->in_script && strcmp(option->name, "--help") != 0) {
        return kw_error(&cli->error, KW_USAGE,
                        "global options such as %s belong to `chip run` "
                        "itself, not to a line of its script",
                        option->name);
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, option->name) == 0) {
            *flags[i].flag = true;
            return KW_OK;
        }
    }
    if (strcmp(option->name, "--workspace") == 0) {
        cli->workspace_folder = value;
    } else {
        cli->chip_text = value;
    }
    return KW_OK;
}

static kw_status take_option(struct kw_cli *cli, struct kw_parsed *parsed,
                             const struct kw_option *option,
                             const char *value) {
    struct kw_arguments *arguments = &parsed->arguments;
    if (kw_argument(arguments, option->name) != NULL) {
        return kw_error(&cli->error, KW_USAGE, "%s is given twice",
                        option->name);
    }
    if (arguments->option_count == KW_OPTIONS_MAX) {
        return kw_error(&cli->error, KW_USAGE, "too many options");
    }
    arguments->option[arguments->option_count].name = option->name;
    arguments->option[arguments->option_count].value =
        value == NULL ? "" : value;
    arguments->option_count++;
    return KW_OK;
}

static kw_status unknown_option(struct kw_cli *cli,
                                const struct kw_parsed *parsed,
                                const struct kw_option *own, const char *word) {
    char name[WORD_MAX + 1];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    struct nearest nearest = start_search(name);
    for (; own != NULL && own->name != NULL; own++) {
        consider(&nearest, own->name);
    }
    for (const struct kw_option *option = kw_global_options;
         option->name != NULL; option++) {
        consider(&nearest, option->name);
    }
    return unknown(cli, parsed, "option", word, &nearest);
}

static bool is_path(const struct kw_option *option) {
    static const char *const KINDS[] = {"FILE", "FOLDER", "DIR", "PREFIX"};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strncmp(option->value, KINDS[i], strlen(KINDS[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* An empty name is a variable that was not set. What can go to stdout goes
 * there without -o. */
static kw_status check_value(struct kw_cli *cli, const struct kw_option *option,
                             const char *value) {
    if (value[0] == '\0' && is_path(option)) {
        return kw_error(&cli->error, KW_USAGE, "%s takes %s, not an empty word",
                        option->name, option->value);
    }
    if (strcmp(value, "-") == 0 && strcmp(option->name, "--output") == 0) {
        kw_error(&cli->error, KW_USAGE,
                 "%s takes the name of a file: '-' is none", option->name);
        return kw_error_hint(&cli->error, "a verb that writes to stdout does "
                                          "so without it; a file of that name "
                                          "is ./-");
    }
    return KW_OK;
}

/* One option word, and its value from "=..." or the next word. */
static kw_status parse_option(struct kw_cli *cli, struct kw_parsed *parsed,
                              int argc, char **argv, int *at) {
    const char *word = long_name(argv[*at]);
    const size_t size = strcspn(word, "=");
    const struct kw_option *own =
        parsed->verb == NULL ? NULL : parsed->verb->options;
    const struct kw_option *global = find_option(kw_global_options, word, size);
    const struct kw_option *option =
        global != NULL ? global : find_option(own, word, size);
    const char *value = value_within(argv[*at]);
    if (option == NULL) {
        return unknown_option(cli, parsed, own, argv[*at]);
    }
    if (option->value == NULL && value != NULL) {
        return kw_error(&cli->error, KW_USAGE, "%s takes no value",
                        option->name);
    }
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= argc) {
            return kw_error(&cli->error, KW_USAGE, "%s needs a value: %s",
                            option->name, option->value);
        }
        value = argv[++*at];
    }
    if (option->value != NULL) {
        KW_TRY(check_value(cli, option, value));
    }
    return global != NULL ? take_global(cli, parsed, option, value)
                          : take_option(cli, parsed, option, value);
}

/* --- nouns, verbs, operands --- */

static kw_status parse_noun(struct kw_cli *cli, struct kw_parsed *parsed,
                            const char *word) {
    struct nearest nearest = start_search(word);
    for (size_t i = 0; i < cli->noun_count; i++) {
        const struct kw_noun *noun = &cli->nouns[i];
        if (strcmp(noun->name, word) == 0) {
            parsed->noun = noun;
            parsed->verb = noun->verbs[0].name == NULL ? noun->verbs : NULL;
            return KW_OK;
        }
        consider(&nearest, noun->name);
    }
    return unknown(cli, parsed, "noun", word, &nearest);
}

static kw_status parse_verb(struct kw_cli *cli, struct kw_parsed *parsed,
                            const char *word) {
    struct nearest nearest = start_search(word);
    for (size_t i = 0; i < parsed->noun->verb_count; i++) {
        const struct kw_verb *verb = &parsed->noun->verbs[i];
        if (strcmp(verb->name, word) == 0) {
            parsed->verb = verb;
            return KW_OK;
        }
        consider(&nearest, verb->name);
    }
    return unknown(cli, parsed, "verb", word, &nearest);
}

/* The first option that the verb demands, and its value. */
static const struct kw_option *first_required(const struct kw_verb *verb) {
    const struct kw_option *option = verb->options;
    while (option != NULL && option->name != NULL && !option->required) {
        option++;
    }
    return option == NULL || option->name == NULL ? NULL : option;
}

static kw_status one_word_too_many(struct kw_cli *cli,
                                   const struct kw_parsed *parsed,
                                   const char *word) {
    const struct kw_option *option = first_required(parsed->verb);
    kw_error(&cli->error, KW_USAGE, "'%s' is one word too many", word);
    if (option != NULL) {
        return kw_error_hint(&cli->error, "give it as %s %s", option->name,
                             option->value);
    }
    return hint_help(cli, parsed, "shows what it takes");
}

static kw_status parse_operand(struct kw_cli *cli, struct kw_parsed *parsed,
                               const char *word) {
    struct kw_arguments *arguments = &parsed->arguments;
    if (arguments->operand_count >= parsed->verb->operands_max) {
        return one_word_too_many(cli, parsed, word);
    }
    arguments->operand[arguments->operand_count++] = word;
    return KW_OK;
}

static kw_status parse_word(struct kw_cli *cli, struct kw_parsed *parsed,
                            const char *word) {
    if (parsed->noun == NULL && strcmp(word, "help") == 0) {
        parsed->help = true;
        return KW_OK;
    }
    if (parsed->noun == NULL) {
        return parse_noun(cli, parsed, word);
    }
    if (parsed->verb == NULL) {
        return parse_verb(cli, parsed, word);
    }
    return parse_operand(cli, parsed, word);
}

static bool is_option(const char *word) {
    return word[0] == '-' && word[1] != '\0';
}

/* An option whose value is the next word. */
static bool takes_next_word(const struct kw_parsed *parsed, const char *word) {
    const char *name = long_name(word);
    const struct kw_option *own =
        parsed->verb == NULL ? NULL : parsed->verb->options;
    const struct kw_option *global =
        find_option(kw_global_options, name, strlen(name));
    const struct kw_option *option =
        global != NULL ? global : find_option(own, name, strlen(name));
    return option != NULL && option->value != NULL &&
           value_within(word) == NULL;
}

/* Options of a verb may stand before it: the words are taken first, then
 * the options. */
static kw_status parse_words(struct kw_cli *cli, int argc, char **argv,
                             struct kw_parsed *parsed) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            continue;
        }
        if (!is_option(argv[i])) {
            KW_TRY(parse_word(cli, parsed, argv[i]));
        } else if (takes_next_word(parsed, argv[i])) {
            i++;
        }
    }
    return KW_OK;
}

/* Goes on after a wrong one, so that --json is seen wherever it stands;
 * answers the first failure. */
static kw_status parse_options(struct kw_cli *cli, int argc, char **argv,
                               struct kw_parsed *parsed) {
    struct kw_error first = {.status = KW_OK};
    for (int i = 1; i < argc; i++) {
        if (is_option(argv[i]) && strcmp(argv[i], "--") != 0 &&
            parse_option(cli, parsed, argc, argv, &i) != KW_OK &&
            first.status == KW_OK) {
            first = cli->error;
        }
    }
    cli->error = first;
    return first.status;
}

static kw_status check_required(struct kw_cli *cli,
                                const struct kw_parsed *parsed) {
    const struct kw_verb *verb = parsed->verb;
    const struct kw_option *option = verb->options;
    for (; option != NULL && option->name != NULL; option++) {
        if (!option->required ||
            kw_argument(&parsed->arguments, option->name) != NULL) {
            continue;
        }
        kw_error(&cli->error, KW_USAGE, "%s %s is missing", option->name,
                 option->value);
        return verb->missing != NULL
                   ? kw_error_hint(&cli->error, "%s", verb->missing)
                   : hint_help(cli, parsed, "says what it is");
    }
    return KW_OK;
}

/* A word that the verb does not know is for the verb to refuse. */
static kw_status check_words(struct kw_cli *cli,
                             const struct kw_parsed *parsed) {
    const struct kw_arguments *arguments = &parsed->arguments;
    const struct kw_word *word = parsed->verb->words;
    for (; word != NULL && word->name != NULL; word++) {
        if (strcmp(word->name, arguments->operand[0]) == 0 &&
            arguments->operand_count > word->operands_max + 1) {
            return one_word_too_many(
                cli, parsed, arguments->operand[word->operands_max + 1]);
        }
    }
    return KW_OK;
}

static kw_status check_complete(struct kw_cli *cli,
                                const struct kw_parsed *parsed) {
    if (parsed->help || parsed->version) {
        return KW_OK;
    }
    if (parsed->noun == NULL || parsed->verb == NULL) {
        kw_error(&cli->error, KW_USAGE, "no %s is named",
                 parsed->noun == NULL ? "noun" : "verb");
        return hint_help(cli, parsed, "lists them");
    }
    if (parsed->arguments.operand_count < parsed->verb->operands_min) {
        kw_error(&cli->error, KW_USAGE, "something is missing: %s",
                 parsed->verb->operands);
        return hint_help(cli, parsed, "says what it is");
    }
    KW_TRY(check_words(cli, parsed));
    return check_required(cli, parsed);
}

kw_status kw_parse(struct kw_cli *cli, int argc, char **argv,
                   struct kw_parsed *parsed) {
    *parsed = (struct kw_parsed){.noun = NULL};
    const kw_status words = parse_words(cli, argc, argv, parsed);
    const struct kw_error of_words = cli->error;
    const kw_status options = parse_options(cli, argc, argv, parsed);
    /* A mistyped option leaves its value behind as one word too many. */
    if (words != KW_OK && (parsed->verb == NULL || options == KW_OK)) {
        cli->error = of_words;
        return words;
    }
    KW_TRY(options);
    return check_complete(cli, parsed);
}
