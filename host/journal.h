/* host/journal.h: what makes a rotation resumable.
 *
 * journal/rotation-SERIAL-NNNN.ndjson (docs/formats.md, "Journal of a
 * rotation"): which files belong to the run. Where the run stands on the
 * chip is read from the chip. Knows host/workspace.h. */
#ifndef KW_HOST_JOURNAL_H
#define KW_HOST_JOURNAL_H

#include "core/config.h"
#include "host/workspace.h"

struct kw_journal {
    char *path;   /* NULL: none */
    char *key;    /* the new key's file, below the workspace; NULL: none */
    char *bundle; /* the bundle's file, below the workspace; NULL: none */
    uint32_t sequence;
    bool applied;
};

/* The device's open journal. journal->path is NULL when there is none. */
KW_MUST_USE kw_status kw_journal_find(const struct kw_workspace *workspace,
                                      const uint8_t serial[KW_SERIAL_SIZE],
                                      struct kw_journal *journal,
                                      struct kw_error *error);

/* A run begins before it has a key; applying begins with its bundle. */
KW_MUST_USE kw_status kw_journal_begin_run(const struct kw_workspace *workspace,
                                           const uint8_t *serial,
                                           struct kw_journal *journal,
                                           struct kw_error *error);
KW_MUST_USE kw_status kw_journal_begin_apply(
    const struct kw_workspace *workspace, const uint8_t *serial,
    const char *bundle, uint32_t sequence, struct kw_journal *journal,
    struct kw_error *error);
KW_MUST_USE kw_status kw_journal_note_key(struct kw_journal *journal,
                                          const char *file,
                                          const char *fingerprint,
                                          struct kw_error *error);
KW_MUST_USE kw_status kw_journal_note_bundle(struct kw_journal *journal,
                                             const char *file,
                                             uint32_t sequence,
                                             struct kw_error *error);
KW_MUST_USE kw_status kw_journal_note_applied(struct kw_journal *journal,
                                              struct kw_error *error);
/* Outcome: done, rolled-back, refused, nothing-changed. */
KW_MUST_USE kw_status kw_journal_close(struct kw_journal *journal,
                                       const char *outcome,
                                       struct kw_error *error);

/* The words for status: key, bundle, apply or finish. */
const char *kw_journal_stage(const struct kw_journal *journal);

/* True when any open journal names this file (below the workspace). */
KW_MUST_USE kw_status kw_journal_needs(const struct kw_workspace *workspace,
                                       const char *file, bool *needs,
                                       struct kw_error *error);

void kw_journal_free(struct kw_journal *journal);

#endif
