/* cli/chip_retire.h: the verb `chip retire`. Knows cli/cli.h. */
#ifndef KW_CLI_CHIP_RETIRE_H
#define KW_CLI_CHIP_RETIRE_H

#include "cli/cli.h"

extern const struct kw_option kw_chip_retire_options[];

KW_MUST_USE kw_status kw_chip_retire_verb(struct kw_cli *cli,
                                          const struct kw_arguments *arguments);

#endif
