/* cli/help.h: help texts, made from the tables of nouns and verbs.
 *
 * People read them, and completions/keywright.bash.
 * Knows cli/cli.h, cli/wrap.h; no noun. */
#ifndef KW_CLI_HELP_H
#define KW_CLI_HELP_H

#include "cli/parse.h"

void kw_help(const struct kw_cli *cli, const struct kw_parsed *parsed,
             FILE *out);

#endif
