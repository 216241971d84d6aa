/* cli/chip_run.h: the verb `chip run`. Knows cli/cli.h. */
#ifndef KW_CLI_CHIP_RUN_H
#define KW_CLI_CHIP_RUN_H

#include "cli/cli.h"

KW_MUST_USE kw_status kw_chip_run_verb(struct kw_cli *cli,
                                       const struct kw_arguments *arguments);

#endif
