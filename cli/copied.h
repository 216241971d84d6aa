/* cli/copied.h: command lines that are to be copied into a shell.
 *
 * Whoever runs a command with --workspace, --chip or --module means the same
 * ones by the command that an answer advises. Knows cli/cli.h. */
#ifndef KW_CLI_COPIED_H
#define KW_CLI_COPIED_H

#include <stdarg.h>

#include "cli/cli.h"

/* "keywright COMMAND FILE" with the options that are not the default, quoted
 * where the shell needs it. FILE may be NULL; so may the cli, for a command
 * on another machine, which has its own. The caller frees; NULL without
 * memory. */
char *kw_command_text(const struct kw_cli *cli, const char *command,
                      const char *file);

/* A text with those options in each `keywright NOUN ...` and `NOUN VERB ...`
 * that it has between backquotes. One about a command "at the device" means
 * another machine, and stays as it is. The caller frees; NULL without
 * memory. */
char *kw_copied(const struct kw_cli *cli, const char *text);

/* Writes such a text. */
void kw_put_copied(const struct kw_cli *cli, FILE *out, const char *format,
                   va_list arguments) __attribute__((format(printf, 3, 0)));

#endif
