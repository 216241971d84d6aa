/* cli/program.h: the command as a whole: parse, run, answer, exit code.
 *
 * Stands above every noun: it knows the parser, the help and the answer; the
 * nouns that it chooses among are handed to it (main.c). */
#ifndef KW_CLI_PROGRAM_H
#define KW_CLI_PROGRAM_H

#include "cli/cli.h"

/* The whole program: answers the exit code. */
int kw_program_main(int argc, char **argv, const struct kw_noun *nouns,
                    size_t noun_count);

/* One command without global options (a line of a script): answers its
 * status, its document in *document (owned by the caller, may be NULL). */
KW_MUST_USE kw_status kw_program_command(struct kw_cli *cli, int argc,
                                         char **argv, json_t **document);

#endif
