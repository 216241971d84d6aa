/* host/manifest/check.h: is an entry what it says?
 *
 * A checker holds the log signer and, when it is known, the root, parsed
 * once; it is for one thread. Checks: kid and x5t#S256 name the log signer;
 * the JWS; kid 0 is the key of the device's certificate; the signer issued
 * that certificate, the root the signer's; each is valid, and a device that
 * is named by a serial number by this one. Knows host/manifest/entry.h,
 * host/certs/pki_verify.h. */
#ifndef KW_HOST_MANIFEST_CHECK_H
#define KW_HOST_MANIFEST_CHECK_H

#include "host/certs/pki_verify.h"
#include "host/manifest/entry.h"

struct kw_manifest_trust {
    struct kw_pki_bytes log_signer;
    bool has_root;
    struct kw_pki_bytes root;
    struct kw_moment at; /* when the chips' certificates must be valid */
};

struct kw_manifest_checker;

KW_MUST_USE kw_status kw_manifest_checker_open(
    const struct kw_manifest_trust *trust, struct kw_manifest_checker **checker,
    struct kw_error *error);
void kw_manifest_checker_close(struct kw_manifest_checker *checker);

/* Reads and checks; the entry is the checker's, until its next check. */
struct kw_verdict kw_manifest_check(struct kw_manifest_checker *checker,
                                    const struct kw_manifest_piece *piece,
                                    const struct kw_manifest_entry **entry);

/* Whether the name of a device's certificate fits the chip: "sn" and the
 * serial number, or the serial number and " ATECC" (the vendor's two forms).
 * Any other name says nothing, and fits. */
bool kw_manifest_name_fits(const struct kw_pki_view *device,
                           const uint8_t unique_id[KW_UNIQUE_ID_SIZE]);

/* The log signer itself: named by its key, and valid at the time. KW_NO. */
KW_MUST_USE kw_status kw_manifest_check_log_signer(
    const struct kw_pki_view *view, const struct kw_moment *at,
    const char *path, struct kw_error *error);

#endif
