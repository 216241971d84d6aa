/* host/manifest/record.h: what a manifest says of one chip.
 *
 * Read from a chip and the workspace's certificates, or from a line of
 * RECORDS.ndjson (docs/manifest.md). Knows host/manifest/entry.h,
 * host/part.h, host/workspace.h. */
#ifndef KW_HOST_MANIFEST_RECORD_H
#define KW_HOST_MANIFEST_RECORD_H

#include "host/manifest/entry.h"
#include "host/part.h"
#include "host/workspace.h"

struct kw_manifest_record {
    enum kw_part part; /* TrustFLEX or Trust&GO */
    enum kw_model model;
    uint8_t serial[KW_SERIAL_SIZE];
    size_t key_count;
    struct kw_manifest_key keys[KW_MANIFEST_KEYS_MAX];
    struct kw_pki_bytes device; /* certificates */
    struct kw_pki_bytes signer;
    struct kw_text device_text;   /* their base64, where it was read: it goes */
    struct kw_text signer_text;   /* into the entry as it is; else at NULL */
    struct kw_moment provisioned; /* the device certificate's notBefore */
};

/* Certificate files; NULL: the workspace's whose signature the chip holds. */
struct kw_manifest_files {
    const char *device;
    const char *signer;
};

/* KW_NO: a part without a manifest, a slot without a key, certificates that
 * are not there or not this chip's. */
KW_MUST_USE kw_status kw_manifest_record_of_chip(
    const struct kw_workspace *workspace, struct kw_chip *chip,
    const struct kw_manifest_files *files, struct kw_manifest_record *record,
    struct kw_error *error);

/* Certificates held against the keys and each other, but for signatures;
 * notes when the chip was provisioned. */
struct kw_verdict kw_manifest_record_check(struct kw_manifest_record *record);

/* One line, which must outlive the record. Its certificates are held against
 * its keys and each other, but for the signatures: `keywright manifest verify`
 * checks those. KW_PARSE, KW_NO with constant words. */
struct kw_verdict kw_manifest_record_of_line(const char *line, size_t size,
                                             struct kw_manifest_room *room,
                                             struct kw_manifest_record *record);

#endif
