/* cli/parse.h: from the words of a command line to a verb and its
 * arguments. Global options are taken anywhere. Knows cli/cli.h. */
#ifndef KW_CLI_PARSE_H
#define KW_CLI_PARSE_H

#include "cli/cli.h"

struct kw_parsed {
    const struct kw_noun *noun; /* NULL: none was named */
    const struct kw_verb *verb; /* NULL: none was named */
    struct kw_arguments arguments;
    bool help;
    bool version;
};

/* Fills cli's global options. KW_USAGE with words that name the nearest
 * known noun, verb or option. */
KW_MUST_USE kw_status kw_parse(struct kw_cli *cli, int argc, char **argv,
                               struct kw_parsed *parsed);

extern const struct kw_option kw_global_options[];

#endif
