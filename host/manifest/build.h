/* host/manifest/build.h: a record becomes a signed entry, byte for byte as
 * the vendor's tools write it (docs/manifest.md).
 * Knows host/manifest/record.h, host/manifest/signer.h. */
#ifndef KW_HOST_MANIFEST_BUILD_H
#define KW_HOST_MANIFEST_BUILD_H

#include "host/manifest/record.h"
#include "host/manifest/signer.h"

struct kw_manifest_text {
    size_t size;
    char text[KW_MANIFEST_ENTRY_MAX];
};

/* The payload's JSON. KW_PARSE_SIZE: it does not fit. */
KW_MUST_USE kw_status kw_manifest_payload(
    const struct kw_manifest_record *record, struct kw_manifest_text *payload);

/* The entry's text, indented as it stands in a file, from { to }. */
KW_MUST_USE kw_status kw_manifest_build(const struct kw_manifest_record *record,
                                        const struct kw_log_signer *signer,
                                        struct kw_manifest_text *entry,
                                        struct kw_error *error);

/* TFLXTLS_devices_manifest.json, TNGTLS_devices_manifest.json. */
const char *kw_manifest_file_name(enum kw_part part);

#endif
