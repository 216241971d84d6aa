/* host/manifest/store.h: a manifest file that grows, or stays as it was.
 *
 * New entries overwrite the closing bracket; FILE.journal says how to put it
 * back, and is removed when they are all flushed. An entry that another one
 * replaces (same unique id) is left out by one rewrite at the end, into a
 * new file that takes the name. After a cut at any moment the next open
 * finds the file as before, or as after (docs/manifest.md, "Changing a file").
 * Knows host/manifest/index.h, host/manifest/journal.h. */
#ifndef KW_HOST_MANIFEST_STORE_H
#define KW_HOST_MANIFEST_STORE_H

#include "host/manifest/index.h"
#include "host/manifest/journal.h"

struct kw_manifest_store;

struct kw_manifest_change {
    uint32_t added;
    uint32_t replaced; /* of the added: how many took another's place */
    uint32_t entries;  /* in the file then */
    bool recovered;    /* an interrupted change was ended first */
};

/* A file that is not there is made by the first entry. KW_PARSE: an entry of
 * the file cannot be read; nothing is changed then.
 * KW_ABSENT_LOCKED: another process is changing it. */
KW_MUST_USE kw_status kw_manifest_store_open(const char *path,
                                             struct kw_manifest_store **store,
                                             struct kw_error *error);
/* Undoes what was not committed. */
void kw_manifest_store_close(struct kw_manifest_store *store);

/* Whether an entry has the id. */
bool kw_manifest_store_has(const struct kw_manifest_store *store,
                           const uint8_t unique_id[KW_UNIQUE_ID_SIZE]);
/* One entry's text, from { to }. */
KW_MUST_USE kw_status kw_manifest_store_put(
    struct kw_manifest_store *store, const uint8_t unique_id[KW_UNIQUE_ID_SIZE],
    const char *text, size_t size, struct kw_error *error);
KW_MUST_USE kw_status kw_manifest_store_commit(
    struct kw_manifest_store *store, struct kw_manifest_change *change,
    struct kw_error *error);

#endif
