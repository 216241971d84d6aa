/* host/manifest_journal.h: FILE.journal, which ends an interrupted change.
 *
 * {"schema", "stage", "kept", "size", "tail"}: while the stage is `append`
 * the file is its first `kept` bytes and the tail (hex), `size` bytes in
 * all, or was not there when `size` is 0; with `replace` the rewritten file
 * is whole and only has to take the name. Knows host/files.h. */
#ifndef KW_HOST_MANIFEST_JOURNAL_H
#define KW_HOST_MANIFEST_JOURNAL_H

#include "host/files.h"

#define KW_MANIFEST_TAIL_MAX 4096 /* bytes behind the last entry */

struct kw_manifest_journal {
    bool replaces;
    off_t kept;
    size_t tail_size;
    uint8_t tail[KW_MANIFEST_TAIL_MAX];
};

/* Where the journal and the rewritten file are; the caller frees. */
char *kw_manifest_journal_path(const char *path);
char *kw_manifest_rewritten_path(const char *path);

KW_MUST_USE kw_status kw_manifest_journal_write(
    const char *path, const struct kw_manifest_journal *journal,
    struct kw_error *error);
/* Ends what the journal of the file says, and removes it. */
KW_MUST_USE kw_status kw_manifest_journal_end(const char *path,
                                              struct kw_error *error);
/* Flushes the names in the file's folder. */
KW_MUST_USE kw_status kw_manifest_flush_folder(const char *path,
                                               struct kw_error *error);

/* The change is whole: removes the journal. */
KW_MUST_USE kw_status kw_manifest_journal_close(const char *path,
                                                struct kw_error *error);

#endif
