/* cli/answer.h: what a command leaves on stdout: one JSON document, or text
 * that somebody may have stopped reading.
 *
 * The documents: docs/cli.md and data/schemas. Knows cli/cli.h. */
#ifndef KW_CLI_ANSWER_H
#define KW_CLI_ANSWER_H

#include "cli/cli.h"

/* The document that a failed command answers with; the caller owns it. */
json_t *kw_answer_error(const struct kw_cli *cli);

/* The same in words, on stderr. */
void kw_answer_show_error(const struct kw_cli *cli);

void kw_answer_print(const json_t *document);

/* Whatever was printed has arrived, or KW_SYSTEM_FILE. A full disk may
 * swallow it without a word. */
KW_MUST_USE kw_status kw_answer_flush(struct kw_cli *cli);

/* The same at the end of a command with this status, whose work is done: it
 * says so, lest somebody does the work twice. Answers the status to end with;
 * a failure with words of its own keeps them. */
KW_MUST_USE kw_status kw_answer_end(struct kw_cli *cli, kw_status status);

/* For a verb that writes to stdout itself: KW_SYSTEM_FILE, and fills the
 * error unless the reader has gone. */
kw_status kw_answer_failed(struct kw_cli *cli);

/* For a verb that goes on working when it is ready: flushes the text that it
 * printed, or prints its document now; none follows when it ends. The name
 * is NOUN-VERB, as in the schema. */
KW_MUST_USE kw_status kw_answer_announce(struct kw_cli *cli, const char *name);

/* Ends the process as a program ends that writes into a pipe which nobody
 * reads, if that is so; for when all is done and closed. */
void kw_answer_end_if_unread(void);

#endif
