/* host/certs/journal.h: what makes a change of slots 10, 11 and 12 whole.
 *
 * journal/certs-SERIAL-NNNN.ndjson (docs/formats.md, "Journal of
 * certificate slots"): what the slots held and what they are to hold, put
 * down before the first is written. Nothing in it is secret. Knows
 * host/certs/chain.h. */
#ifndef KW_HOST_CERTS_JOURNAL_H
#define KW_HOST_CERTS_JOURNAL_H

#include "host/certs/chain.h"

struct kw_certs_journal {
    char *path; /* NULL: none */
    struct kw_cert_slots before;
    struct kw_cert_slots after;
};

/* The chip's open journal. journal->path is NULL when there is none. */
KW_MUST_USE kw_status kw_certs_journal_find(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    struct kw_certs_journal *journal, struct kw_error *error);

/* `verb`: custom or restore. before and after are filled by the caller. */
KW_MUST_USE kw_status kw_certs_journal_begin(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    const char *verb, struct kw_certs_journal *journal, struct kw_error *error);
/* Outcome: done or rolled-back. */
KW_MUST_USE kw_status kw_certs_journal_close(struct kw_certs_journal *journal,
                                             const char *outcome,
                                             struct kw_error *error);
void kw_certs_journal_free(struct kw_certs_journal *journal);

#endif
