/* host/certs/simulated_vendor.h: the certificate chain of a simulated vendor.
 *
 * A real chip leaves its vendor with a certificate for the key in slot 0:
 * root (self-signed), signer, device. An emulated one gets a chain that is
 * laid out like the vendor's, byte for byte but for the names, which say in
 * each certificate that it is simulated. It proves nothing outside the
 * workspace.
 *
 * Two of the certificates are in the chip, compressed to 72 bytes: the
 * device's in slot 10, the signer's in slot 12; slot 11 holds the signer's
 * public key. Files: docs/formats.md, "The workspace".
 * Sources: data sheet DS40002138A 4.5.1.1; cryptoauthlib's
 * tflxtls_cert_def_4 and tng template 2 for the layouts (names of 24 and 33
 * characters keep every offset where vendor templates have it).
 * Knows core/compcert.h, host/key.h, host/part.h, host/workspace.h. */
#ifndef KW_HOST_CERTS_SIMULATED_VENDOR_H
#define KW_HOST_CERTS_SIMULATED_VENDOR_H

#include <time.h>

#include "core/compcert.h"
#include "host/part.h"
#include "host/workspace.h"

struct kw_simulated_vendor;

/* Makes keys/simulated-vendor/ and certs/simulated-vendor/, or uses what is
 * there. `now` is when certificates that are missing begin: cut to the
 * hour, and never before their issuer. On 29 February it is the last hour of
 * the 28th: a certificate that begins on a leap day would have to expire on
 * a day that its last year does not have.
 * KW_PARSE: a certificate there is not what its name says. KW_NO: one is
 * there without the key that is needed to go on. */
KW_MUST_USE kw_status kw_simulated_vendor_open(
    const struct kw_workspace *workspace, time_t now,
    struct kw_simulated_vendor **vendor, struct kw_error *error);
void kw_simulated_vendor_close(struct kw_simulated_vendor *vendor);

/* A chip as the vendor knows it. */
struct kw_vendor_device {
    enum kw_model model;
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t public_key[KW_PUBLIC_KEY_SIZE]; /* of slot 0 */
};

/* What the chip is to hold. */
struct kw_vendor_slots {
    uint8_t slot_10[KW_COMPCERT_SIZE];
    uint8_t slot_11[KW_COMPCERT_SIZE];
    uint8_t slot_12[KW_COMPCERT_SIZE];
};

/* Issues a device certificate, to be kept in the chip. */
KW_MUST_USE kw_status kw_simulated_vendor_issue(
    struct kw_simulated_vendor *vendor, const struct kw_vendor_device *device,
    struct kw_vendor_slots *slots, struct kw_error *error);

/* Rebuilds the device certificate from what is in slot 10, checks it
 * against the signer's and keeps it as certs/simulated-vendor/SERIAL.crt
 * unless it is there. KW_NO_SIGNATURE: this signer did not sign it. */
KW_MUST_USE kw_status kw_simulated_vendor_keep(
    struct kw_simulated_vendor *vendor, const struct kw_vendor_device *device,
    const uint8_t slot_10[KW_COMPCERT_SIZE], struct kw_error *error);

#endif
