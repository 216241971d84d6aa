/* host/manifest/scan.h: the entries of a manifest file, one after another.
 *
 * The file is read once, through a window of fixed size; where an entry
 * begins and ends is found by its brackets and quotes. What is inside is for
 * host/manifest/entry.h. An entry that is too long or holds a raw line end in
 * a string is marked and passed over, so that the rest is still read.
 * Knows host/error.h. */
#ifndef KW_HOST_MANIFEST_SCAN_H
#define KW_HOST_MANIFEST_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/error.h"

#define KW_MANIFEST_ENTRY_MAX 65536 /* bytes of an entry's text */

struct kw_manifest_piece {
    uint32_t number; /* of the entry, from 1 */
    const char *text;
    size_t size;
    off_t begin; /* where the text stands in the file */
    off_t end;
    const char *words; /* why it cannot be read; NULL: it can */
};

struct kw_manifest_scan;

KW_MUST_USE kw_status kw_manifest_scan_open(const char *path,
                                            struct kw_manifest_scan **scan,
                                            struct kw_error *error);
void kw_manifest_scan_close(struct kw_manifest_scan *scan);

/* The next entry; its text stands until the next call. `more` false: the
 * array has ended. KW_PARSE: the file is no JSON array, or ends inside of
 * one; nothing can follow. */
KW_MUST_USE kw_status kw_manifest_scan_next(struct kw_manifest_scan *scan,
                                            struct kw_manifest_piece *piece,
                                            bool *more, struct kw_error *error);

/* Where the last entry's text ended, or the opening bracket when there is
 * none: what an append keeps. Known when `more` was false. */
off_t kw_manifest_scan_kept(const struct kw_manifest_scan *scan);

#endif
