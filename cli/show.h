/* cli/show.h: what several nouns print or answer alike. Knows cli/cli.h. */
#ifndef KW_CLI_SHOW_H
#define KW_CLI_SHOW_H

#include "cli/cli.h"
#include "host/key.h"
#include "host/keyring.h"

/* A line of progress; the observer is the struct kw_cli. */
void kw_say_line(void *observer, const char *line);

/* Sets "serial" to 18 hex digits, or to null. */
void kw_set_serial(json_t *object, const uint8_t *serial);

/* Sets a member to a key's fingerprint; key NULL: to null. */
void kw_set_fingerprint(json_t *object, const char *member, const uint8_t *key);

/* The first 16 digits of a key's fingerprint, for people; key NULL:
 * "none". */
#define KW_SHORT_TEXT (KW_FINGERPRINT_SHOWN + 1)
const char *kw_short_fingerprint(const uint8_t *key, char text[KW_SHORT_TEXT]);

/* "Next: keywright COMMAND FILE", to be pasted into a shell: with --workspace
 * and --chip where they are not the default, and quoted where the shell needs
 * it. "Next, WHERE: ..." is for another machine and has neither. WHERE and
 * FILE may be NULL. */
void kw_print_next(const struct kw_cli *cli, const char *where,
                   const char *command, const char *file);

#endif
