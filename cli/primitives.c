/* cli/primitives.c: the noun `primitives`: its verbs, and what they share. */
#include "cli/primitives.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/files.h"
#include "host/text.h"

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

static bool is_json(const char *name) {
    const size_t size = strlen(name);
    return size > 5 && strcmp(name + size - 5, ".json") == 0;
}

kw_status kw_each_json_file(struct kw_cli *cli, const char *folder,
                            kw_json_file *visit, void *self) {
    struct kw_names names;
    kw_status status = kw_folder_list(folder, &names, &cli->error);
    if (status != KW_OK) {
        return status;
    }
    for (size_t i = 0; i < names.count && status == KW_OK; i++) {
        if (is_json(names.name[i])) {
            char *path = kw_format("%s/%s", folder, names.name[i]);
            status = path == NULL
                         ? kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory")
                         : visit(self, path);
            free(path);
        }
    }
    kw_names_free(&names);
    return status;
}

/* --- the data --- */

struct data_files {
    struct kw_cli *cli;
    struct kw_primitives *primitives;
};

static kw_status add_file(void *self, const char *path) {
    const struct data_files *files = self;
    struct kw_primitives *primitives = files->primitives;
    if (primitives->file_count == KW_DATA_FILES_MAX) {
        return kw_error(&files->cli->error, KW_USAGE,
                        "--data: more than %d files", KW_DATA_FILES_MAX);
    }
    char *copy = strdup(path);
    if (copy == NULL) {
        return kw_error(&files->cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    primitives->file[primitives->file_count++] = copy;
    return KW_OK;
}

static kw_status add_data(struct data_files *files, const char *path) {
    struct stat status;
    const size_t before = files->primitives->file_count;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        return add_file(files, path);
    }
    KW_TRY(kw_each_json_file(files->cli, path, add_file, files));
    return files->primitives->file_count > before
               ? KW_OK
               : kw_error(&files->cli->error, KW_USAGE,
                          "--data: there is no .json file in %s", path);
}

kw_status kw_primitives_open(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct kw_primitives *primitives) {
    if (kw_argument(arguments, "--only") == NULL ||
        kw_argument(arguments, "--data") != NULL) {
        return kw_primitives_load(cli, arguments, primitives);
    }
    *primitives = (struct kw_primitives){.file_count = 0};
    return kw_error(&cli->error, KW_USAGE,
                    "--only leaves out our data: it needs yours, --data PATH");
}

kw_status kw_primitives_load(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct kw_primitives *primitives) {
    const char *data = kw_argument(arguments, "--data");
    const bool only = data != NULL && kw_argument(arguments, "--only") != NULL;
    struct data_files files = {cli, primitives};
    struct kw_word_set words;
    *primitives = (struct kw_primitives){.file_count = 0};
    kw_problems_init(&primitives->problems);
    kw_status status = kw_words_read(cli, data, &words);
    for (size_t i = 0; status == KW_OK && i < words.count; i++) {
        status = add_data(&files, words.word[i]);
    }
    kw_words_free(&words);
    KW_TRY(status);
    return kw_catalogue_load(
        &primitives->catalogue, !only, (const char *const *)primitives->file,
        primitives->file_count, &primitives->problems, &cli->error);
}

void kw_primitives_close(struct kw_primitives *primitives) {
    kw_catalogue_free(&primitives->catalogue);
    kw_problems_free(&primitives->problems);
    for (size_t i = 0; i < primitives->file_count; i++) {
        free(primitives->file[i]);
    }
    primitives->file_count = 0;
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

kw_status kw_emit(struct kw_cli *cli, const struct kw_arguments *arguments,
                  char *text) {
    const char *path = kw_argument(arguments, "--output");
    kw_status status = KW_OK;
    if (text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "no memory");
    }
    if (path != NULL) {
        status = kw_file_create(path, KW_PUBLIC_MODE, text, strlen(text),
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
    {"--data", "PATH[,PATH]", "files or folders of your own beside ours"}, {   \
        "--only", NULL, "with --data: your own alone, without ours"            \
    }
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
    {"--data", "PATH[,PATH]", "files or folders of your own beside ours"},
    {"--only", NULL, "the files are a whole data set, without ours"},
    END};
static const struct kw_option EVALUATE_OPTIONS[] = {
    FILTERS,
    LEVEL_OPTION,
    {"--format", "FORMAT",
     "one of text, markdown, csv, implementation, guidance, oscal-catalog, "
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
