/* cli/cli.h: what every noun stands on: its tables, and what a verb opens and
 * says.
 *
 * A noun is a table of verbs in a file of its own; main.c holds the table of
 * nouns. A verb reads its arguments, opens what it needs, does its work
 * through host/, prints text with kw_print and fills cli->result, which
 * becomes the JSON document (cli/answer.h). Contract: docs/cli.md.
 * Knows host/ and core/; never sim/ or server/. */
#ifndef KW_CLI_CLI_H
#define KW_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/chip.h"
#include "host/error.h"
#include "host/links.h"
#include "host/workspace.h"

struct kw_cli;
struct kw_arguments;

/* A row of a table below leaves out what it does not have. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct kw_option {
    const char *name;  /* with its dashes: "--request" */
    const char *value; /* what the help calls the value; NULL: a flag */
    const char *help;
    bool required; /* the parser demands it */
};

/* A first operand that chooses what a verb does, and how many operands may
 * follow it. */
struct kw_word {
    const char *name;
    size_t operands_max;
};

struct kw_verb {
    const char *name;     /* NULL: the noun has no verbs */
    const char *operands; /* for the help: "SERIAL GENERATION [SLOT]" */
    const char *summary;  /* one line */
    const struct kw_option *options; /* ends with a name NULL; may be NULL */
    size_t operands_min;
    size_t operands_max;
    kw_status (*run)(struct kw_cli *cli, const struct kw_arguments *arguments);
    const char *asks;    /* when, unless --yes answers: "first"; NULL: never */
    const char *missing; /* hint when a required option is not there */
    const char *example; /* a command line without "keywright" */
    const struct kw_word *words; /* ends with a name NULL; may be NULL */
};

/* What a command of the noun works on, besides its operands: the options that
 * a command line to copy repeats. */
#define KW_ON_WORKSPACE 1u
#define KW_ON_CHIP      3u /* and on the workspace */
#define KW_ON_MODULE    7u /* and on both */

struct kw_noun {
    const char *name;
    const char *summary;
    const struct kw_verb *verbs;
    size_t verb_count;
    unsigned works_on;
};

#define KW_OPERANDS_MAX 32
#define KW_OPTIONS_MAX  16

struct kw_arguments {
    const char *operand[KW_OPERANDS_MAX];
    size_t operand_count;
    struct {
        const char *name;
        const char *value;
    } option[KW_OPTIONS_MAX];
    size_t option_count;
};

/* The value of an option that was given ("" for a flag), else NULL. */
const char *kw_argument(const struct kw_arguments *arguments, const char *name);

#define KW_DEFAULT_CHIP "sim:trustflex"
/* $KEYWRIGHT_WORKSPACE, else ./keywright.d */
const char *kw_default_workspace(void);

struct kw_cli {
    const struct kw_noun *nouns;
    size_t noun_count;
    /* global options */
    const char *workspace_folder;
    const char *chip_text;
    bool json;
    bool quiet;
    bool trace;
    bool yes;
    const char *module; /* --module of a verb that has it; NULL: not given */
    /* opened when a verb first asks */
    struct kw_workspace workspace;
    struct kw_opened_link link;
    struct kw_chip chip;
    bool in_script; /* a line of `chip run` */
    /* what the verb answers */
    FILE *text;   /* where kw_print writes; NULL: stdout */
    FILE *unseen; /* what it says as well, for kw_confirm; NULL: nothing */
    char *unseen_text;
    size_t unseen_size;
    json_t *result; /* a JSON object without "schema" */
    bool announced; /* the document is printed already */
    struct kw_error error;
};

/* Opens the workspace, once; *workspace stays the cli's. */
KW_MUST_USE kw_status kw_cli_workspace(struct kw_cli *cli,
                                       struct kw_workspace **workspace);
/* The same, and takes the right to change keys, bundles and journals. */
KW_MUST_USE kw_status kw_cli_workspace_locked(struct kw_cli *cli,
                                              struct kw_workspace **workspace);
/* Opens the chip that --chip names, once. */
KW_MUST_USE kw_status kw_cli_chip(struct kw_cli *cli, struct kw_chip **chip);

/* Text for people on stdout; silent there with --json and --quiet. */
void kw_print(const struct kw_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The word that goes with a count. */
static inline const char *kw_counted(uintmax_t count, const char *one,
                                     const char *many) {
    return count == 1 ? one : many;
}

/* Diagnostics on stderr. */
void kw_tell(const struct kw_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One that bodes no good: "warning: ...", a line of its own. */
void kw_warn(const struct kw_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Asks a question unless --yes answers it. KW_NO: the user said no.
 * KW_USAGE: nobody is there to ask. Fills the error. */
KW_MUST_USE kw_status kw_confirm(struct kw_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same about the chip that --chip names: the question shows its link and
 * its serial number. */
KW_MUST_USE kw_status kw_confirm_chip(struct kw_cli *cli, const char *question);

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t kw_stop_requested;

/* The nouns. */
extern const struct kw_noun kw_noun_init;
extern const struct kw_noun kw_noun_chip;
extern const struct kw_noun kw_noun_resources;
extern const struct kw_noun kw_noun_rotate;
extern const struct kw_noun kw_noun_keys;
extern const struct kw_noun kw_noun_board;
extern const struct kw_noun kw_noun_manifest;
extern const struct kw_noun kw_noun_winc;
extern const struct kw_noun kw_noun_ota;
extern const struct kw_noun kw_noun_certs;
extern const struct kw_noun kw_noun_lab;
extern const struct kw_noun kw_noun_primitives;

#endif
