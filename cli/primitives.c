/* cli/primitives.c: the noun `primitives`: its verbs, and what they share. */
#include "cli/primitives.h"

#include <stdlib.h>
#include <string.h>

#include "host/files.h"

/* --- what the verbs share --- */

kw_status kw_words_read(struct kw_cli *cli, const char *text,
                        struct kw_word_set *words) {
    *words = (struct kw_word_set){.count = 0};
    if (text == NULL) {
        return KW_OK;
    }
    words->text = strdup(text);
    if (words->text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    for (char *at = words->text; at != NULL;) {
        char *word = strsep(&at, ",");
        if (word[0] == '\0' || words->count == KW_WORDS_MAX) {
            return kw_error(&cli->error, KW_USAGE,
                            "\"%.200s\" should be one to %d words with commas "
                            "between them",
                            text, KW_WORDS_MAX);
        }
        words->word[words->count++] = word;
    }
    return KW_OK;
}

void kw_words_free(struct kw_word_set *words) {
    free(words->text);
    words->text = NULL;
}

kw_status kw_primitives_open(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct kw_primitives *primitives) {
    *primitives = (struct kw_primitives){.files.count = 0};
    kw_problems_init(&primitives->problems);
    KW_TRY(kw_words_read(cli, kw_argument(arguments, "--data"),
                         &primitives->files));
    return kw_catalogue_load(&primitives->catalogue, true,
                             primitives->files.word, primitives->files.count,
                             &primitives->problems, &cli->error);
}

void kw_primitives_close(struct kw_primitives *primitives) {
    kw_catalogue_free(&primitives->catalogue);
    kw_problems_free(&primitives->problems);
    kw_words_free(&primitives->files);
}

kw_status kw_edge_model(struct kw_cli *cli,
                        const struct kw_arguments *arguments, uint32_t *model) {
    const char *word = kw_argument(arguments, "--model");
    *model = word != NULL && strcmp(word, "table5") == 0;
    if (word == NULL || *model == 1 || strcmp(word, "text") == 0) {
        return KW_OK;
    }
    return kw_error(&cli->error, KW_USAGE,
                    "--model is text or table5, not \"%.40s\"", word);
}

struct kw_project_options kw_options_of(const struct kw_arguments *arguments) {
    return (struct kw_project_options){
        .model = kw_argument(arguments, "--model"),
        .min_confidence = kw_argument(arguments, "--min-confidence"),
        .sources = kw_argument(arguments, "--source"),
        .reading = kw_argument(arguments, "--reading"),
        .level = kw_argument(arguments, "--level"),
    };
}

kw_status kw_open_project(struct kw_cli *cli, struct kw_primitives *primitives,
                          const char *path,
                          const struct kw_project_options *options,
                          struct kw_project **project) {
    *project = calloc(1, sizeof **project);
    if (*project == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    return kw_project_load(*project, &primitives->catalogue, path, options,
                           &primitives->problems, &cli->error);
}

void kw_project_done(struct kw_project *project) {
    if (project != NULL) {
        kw_project_free(project);
        free(project);
    }
}

kw_status kw_emit(struct kw_cli *cli, const struct kw_arguments *arguments,
                  char *text) {
    const char *path = kw_argument(arguments, "--output");
    kw_status status = KW_OK;
    if (text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    if (path != NULL) {
        status = kw_file_replace(path, KW_PUBLIC_MODE, text, strlen(text),
                                 &cli->error);
        json_object_set_new(cli->result, "file", json_string(path));
    } else {
        kw_print(cli, "%s", text);
    }
    free(text);
    return status;
}

/* --- the verbs --- */

#define DATA_OPTION                                                            \
    { "--data", "FILE[,FILE]", "files of your own beside ours" }
#define MODEL_OPTION                                                           \
    { "--model", "text|table5", "which edges (text)" }
#define END                                                                    \
    { NULL, NULL, NULL }
#define CONFIDENCE_OPTION                                                      \
    { "--min-confidence", "low|medium|high", "leave out what is less sure" }
#define SOURCE_OPTION                                                          \
    { "--source", "LAYER[,LAYER]", "mappings that are seed, derived, user" }
#define READING_OPTION                                                         \
    { "--reading", "strict|interoperable", "all algorithms, or one of a kind" }
#define LEVEL_OPTION                                                           \
    { "--level", "[STANDARD:]LEVEL", "instead of the level in the file" }
#define FILTERS                                                                \
    DATA_OPTION, MODEL_OPTION, CONFIDENCE_OPTION, SOURCE_OPTION, READING_OPTION

static const struct kw_option DATA_OPTIONS[] = {DATA_OPTION, END};
static const struct kw_option MODEL_OPTIONS[] = {DATA_OPTION, MODEL_OPTION,
                                                 END};
static const struct kw_option GRAPH_OPTIONS[] = {
    DATA_OPTION,
    MODEL_OPTION,
    {"--svg", NULL, "a drawing (the default)"},
    {"--dot", NULL, "for Graphviz"},
    {"--mermaid", NULL, "for Markdown pages"},
    {"--output", "FILE", "write there, not to stdout"},
    END};
static const struct kw_option LINT_OPTIONS[] = {
    DATA_OPTION,
    {"--only", NULL, "the files are a whole data set, without ours"},
    END};
static const struct kw_option EVALUATE_OPTIONS[] = {
    FILTERS,
    LEVEL_OPTION,
    {"--format", "FORMAT",
     "text, markdown, csv, implementation, guidance, oscal-catalog, "
     "oscal-component, oscal-mapping, oscal-results"},
    {"--output", "FILE", "write there, not to stdout"},
    END};
static const struct kw_option CLOSE_OPTIONS[] = {
    FILTERS,
    {"--sets", "COUNT", "how many alternatives, 1 to 32 (3)"},
    {"--swap", NULL, "also try each other main part"},
    END};
static const struct kw_option WHAT_IF_OPTIONS[] = {
    FILTERS,
    {"--add", "ID[,ID]", "primitives or platforms"},
    {"--remove", "ID[,ID]", "primitives or platforms"},
    LEVEL_OPTION,
    END};
static const struct kw_option PAGE_OPTIONS[] = {
    DATA_OPTION, {"--output", "FILE.html", "the page", .required = true}, END};
static const struct kw_option FILTER_OPTIONS[] = {FILTERS, END};
static const struct kw_option CROSS_OPTIONS[] = {DATA_OPTION, CONFIDENCE_OPTION,
                                                 SOURCE_OPTION, END};
static const struct kw_option EVIDENCE_OPTIONS[] = {
    FILTERS,
    {"--update", NULL, "write the hash of each file into the project"},
    END};

static const struct kw_verb VERBS[] = {
    {"list", "[primitives|standards|platforms|algorithms|glossary]",
     "what the data holds", DATA_OPTIONS, 0, 1, kw_primitives_list,
     .example = "primitives list standards"},
    {"show", "ID", "one primitive, standard or platform", DATA_OPTIONS, 1, 1,
     kw_primitives_show, .example = "primitives show secure-updates"},
    {"graph", "[ID...]", "the dependencies as a drawing", GRAPH_OPTIONS, 0,
     KW_OPERANDS_MAX, kw_primitives_graph,
     .example = "primitives graph secure-updates -o graph.svg"},
    {"matrix", NULL, "the dependencies as a table", MODEL_OPTIONS, 0, 0,
     kw_primitives_matrix, .example = "primitives matrix --model table5"},
    {"closure", "ID...", "what these primitives require", MODEL_OPTIONS, 1,
     KW_OPERANDS_MAX, kw_primitives_closure,
     .example = "primitives closure secure-updates"},
    {"lint", "FILE|FOLDER...", "check projects and data files", LINT_OPTIONS, 1,
     KW_OPERANDS_MAX, kw_primitives_lint,
     .example = "primitives lint examples"},
    {"evaluate", "PROJECT.json", "use case, standards, parts: what is missing",
     EVALUATE_OPTIONS, 1, 1, kw_primitives_evaluate,
     .example = "primitives evaluate examples/camera.json"},
    {"close", "PROJECT.json", "the cheapest parts that close the gaps",
     CLOSE_OPTIONS, 1, 1, kw_primitives_close_gaps,
     .example = "primitives close examples/camera.json --swap"},
    {"what-if", "PROJECT.json", "what a change would bring", WHAT_IF_OPTIONS, 1,
     1, kw_primitives_what_if,
     .example = "primitives what-if examples/camera.json --add secure-updates"},
    {"diff", "OLD.json NEW.json", "what changed between two projects",
     FILTER_OPTIONS, 2, 2, kw_primitives_diff,
     .example = "primitives diff old.json new.json"},
    {"cross", "STANDARD[:LEVEL] STANDARD[:LEVEL]",
     "what the second adds over the first", CROSS_OPTIONS, 2, 2,
     kw_primitives_cross,
     .example = "primitives cross iec-62443-4-2:2 etsi-en-303-645"},
    {"evidence", "PROJECT.json", "what is proved, and what lacks proof",
     EVIDENCE_OPTIONS, 1, 1, kw_primitives_evidence,
     .example = "primitives evidence examples/keywright-device.json"},
    {"page", NULL, "all of this as one file for a browser, offline",
     PAGE_OPTIONS, 0, 0, kw_primitives_page,
     .example = "primitives page -o primitives.html"},
};

const struct kw_noun kw_noun_primitives = {
    "primitives", "from a use case to requirements, gaps and parts", VERBS,
    sizeof VERBS / sizeof *VERBS};
