/* cli/primitives.h: what the verbs of the noun `primitives` share.
 * Knows cli/cli.h and host/primitives/. */
#ifndef KW_CLI_PRIMITIVES_H
#define KW_CLI_PRIMITIVES_H

#include "cli/cli.h"
#include "host/primitives/project.h"

#define KW_WORDS_MAX 64

/* A list that is written with commas: "a,b". */
struct kw_word_set {
    char *text;
    const char *word[KW_WORDS_MAX];
    size_t count;
};
KW_MUST_USE kw_status kw_words_read(struct kw_cli *cli, const char *text,
                                    struct kw_word_set *words);
void kw_words_free(struct kw_word_set *words);

#define KW_DATA_FILES_MAX 256

/* The shipped data, unless --only says no, and the files of --data. Close it
 * in either case. To open refuses --only without --data; to load does not:
 * lint has its data among the operands. */
struct kw_primitives {
    struct kw_catalogue catalogue;
    struct kw_problems problems;
    char *file[KW_DATA_FILES_MAX];
    size_t file_count;
};

/* Calls for each *.json of a folder, by name. */
typedef kw_status kw_json_file(void *self, const char *path);
KW_MUST_USE kw_status kw_each_json_file(struct kw_cli *cli, const char *folder,
                                        kw_json_file *visit, void *self);
KW_MUST_USE kw_status kw_primitives_open(struct kw_cli *cli,
                                         const struct kw_arguments *arguments,
                                         struct kw_primitives *primitives);
void kw_primitives_close(struct kw_primitives *primitives);
KW_MUST_USE kw_status kw_primitives_load(struct kw_cli *cli,
                                         const struct kw_arguments *arguments,
                                         struct kw_primitives *primitives);

/* 0 text, 1 table5; KW_USAGE for another word. */
KW_MUST_USE kw_status kw_edge_model(struct kw_cli *cli,
                                    const struct kw_arguments *arguments,
                                    uint32_t *model);

/* The options that decide over a project file. */
struct kw_project_options kw_options_of(const struct kw_arguments *arguments);

/* A project on the heap; kw_project_done frees it, NULL too. */
KW_MUST_USE kw_status kw_open_project(struct kw_cli *cli,
                                      struct kw_primitives *primitives,
                                      const char *path,
                                      const struct kw_project_options *options,
                                      struct kw_project **project);
void kw_project_done(struct kw_project *project);

/* Opens the data and the project that the first operand names, lets a verb
 * work on both, and closes them. */
typedef kw_status kw_project_work(struct kw_cli *cli,
                                  const struct kw_arguments *arguments,
                                  struct kw_primitives *primitives,
                                  struct kw_project *project);
KW_MUST_USE kw_status kw_with_project(struct kw_cli *cli,
                                      const struct kw_arguments *arguments,
                                      kw_project_work *work);

/* Text to stdout, or to the new file of --output; KW_NO: it is there already.
 * Frees it; NULL: no memory. */
KW_MUST_USE kw_status kw_emit(struct kw_cli *cli,
                              const struct kw_arguments *arguments, char *text);

/* A text in lines of a terminal's width that start at a column, behind what
 * stands left of it. */
void kw_print_column(const struct kw_cli *cli, int column, const char *left,
                     const char *text);

/* The texts of a list, or a member of each entry, with commas; the caller
 * frees it, NULL without memory. */
char *kw_joined(const json_t *list, const char *member);

/* The documents of evaluate and close as text; path is the project's. */
void kw_show_evaluation(struct kw_cli *cli, const json_t *document,
                        const char *path);
void kw_show_closing(struct kw_cli *cli, const json_t *document);

typedef kw_status kw_run_verb(struct kw_cli *cli,
                              const struct kw_arguments *arguments);
kw_run_verb kw_primitives_list;
kw_run_verb kw_primitives_show;
kw_run_verb kw_primitives_graph;
kw_run_verb kw_primitives_matrix;
kw_run_verb kw_primitives_closure;
kw_run_verb kw_primitives_lint;
kw_run_verb kw_primitives_evaluate;
kw_run_verb kw_primitives_close_gaps;
kw_run_verb kw_primitives_what_if;
kw_run_verb kw_primitives_diff;
kw_run_verb kw_primitives_cross;
kw_run_verb kw_primitives_evidence;
kw_run_verb kw_primitives_page;

#endif
