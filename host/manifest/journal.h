/* host/manifest/journal.h: FILE.journal, which ends an interrupted change.
 *
 * {"schema", "stage", "kept", "size", "tail"}: while the stage is `append`
 * the file is its first `kept` bytes and the tail (hex), `size` bytes in
 * all, or was not there when `size` is 0; with `replace` the rewritten file
 * is whole and only has to take the name. Whoever changes the file holds a
 * lock on the journal from the moment it has its name: a journal without a
 * lock is what an interrupted change left. Knows host/files.h,
 * host/workspace.h. */
#ifndef KW_HOST_MANIFEST_JOURNAL_H
#define KW_HOST_MANIFEST_JOURNAL_H

#include "host/files.h"

#define KW_MANIFEST_TAIL_MAX 4096 /* bytes behind the last entry */

struct kw_manifest_journal {
    bool replaces;
    off_t kept;
    size_t tail_size;
    uint8_t tail[KW_MANIFEST_TAIL_MAX];
    int lock; /* the locked journal's descriptor; -1: not ours */
};

/* Where the journal and the rewritten file are; the caller frees. */
char *kw_manifest_journal_path(const char *path);
char *kw_manifest_rewritten_path(const char *path);

/* Puts it in its place, locked. KW_ABSENT_LOCKED: another's is there. */
KW_MUST_USE kw_status
kw_manifest_journal_write(const char *path, struct kw_manifest_journal *journal,
                          struct kw_error *error);
void kw_manifest_journal_unlock(struct kw_manifest_journal *journal);
/* Does what our journal says, and removes it. */
KW_MUST_USE kw_status
kw_manifest_journal_end(const char *path, struct kw_manifest_journal *journal,
                        struct kw_error *error);
/* The change is whole: removes the journal. */
KW_MUST_USE kw_status
kw_manifest_journal_close(const char *path, struct kw_manifest_journal *journal,
                          struct kw_error *error);

/* Ends an interrupted change of the file, if there was one.
 * KW_ABSENT_LOCKED: another process is changing it. KW_INTERRUPTED: it may
 * not be ended by this user; says by whom. KW_PARSE: the journal is none. */
KW_MUST_USE kw_status kw_manifest_recover(const char *path, bool *recovered,
                                          struct kw_error *error);

/* Flushes the names in the file's folder. */
KW_MUST_USE kw_status kw_manifest_flush_folder(const char *path,
                                               struct kw_error *error);

#endif
