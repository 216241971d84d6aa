/* host/manifest/export.h: an entry as a cloud takes it.
 *
 * Shapes and their public sources: docs/manifest.md, "Exports".
 * Knows host/manifest/entry.h. */
#ifndef KW_HOST_MANIFEST_EXPORT_H
#define KW_HOST_MANIFEST_EXPORT_H

#include "host/manifest/entry.h"

enum kw_manifest_format {
    KW_MANIFEST_AWS,   /* one JSON object a line */
    KW_MANIFEST_AZURE, /* the same */
    KW_MANIFEST_CSV,
};

/* What comes before the first entry, with its line end; "" for none. */
const char *kw_manifest_export_head(enum kw_manifest_format format);
/* One line without its end; the caller frees. KW_PARSE: the device's
 * certificate cannot be read. */
KW_MUST_USE kw_status kw_manifest_export_line(
    enum kw_manifest_format format, const struct kw_manifest_entry *entry,
    char **line, struct kw_error *error);

#endif
