/* host/certs/chain.h: the chain that a chip holds, rebuilt.
 *
 * Slots 10, 11 and 12 and the key in slot 0 give signer and device; the
 * names and the root come from the workspace's own chains, from its
 * simulated vendor, or from a root's file. The chain is the one whose
 * signatures verify.
 * Sources: docs/certs.md. Knows core/chip.h, host/part.h, host/certs/pki.h. */
#ifndef KW_HOST_CERTS_CHAIN_H
#define KW_HOST_CERTS_CHAIN_H

#include "host/certs/pki_verify.h"
#include "host/part.h"
#include "host/workspace.h"

enum { KW_CHAIN_ROOT, KW_CHAIN_SIGNER, KW_CHAIN_DEVICE, KW_CHAIN_COUNT };
extern const char *const kw_chain_names[KW_CHAIN_COUNT];

/* Slots 10, 11 and 12 as they are. */
#define KW_CERT_SLOTS      3
#define KW_CERT_FIRST_SLOT 10
struct kw_cert_slots {
    uint8_t slot[KW_CERT_SLOTS][KW_COMPCERT_SIZE];
};

/* What of a chip makes its certificates. */
struct kw_chip_certs {
    struct kw_chip_about about;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE]; /* of slot 0 */
    struct kw_cert_slots slots;
    char eui48[KW_EUI48_DIGITS + 1]; /* "": the part has none */
};

KW_MUST_USE kw_status kw_chip_certs_read(struct kw_chip *chip,
                                         struct kw_chip_certs *certs,
                                         struct kw_error *error);
/* True when the slots have never been written: all 00, or all FF. */
bool kw_cert_slots_are_empty(const struct kw_cert_slots *slots);

enum kw_chain_kind { KW_CHAIN_CUSTOM, KW_CHAIN_VENDOR, KW_CHAIN_ROOT_FILE };

struct kw_chain {
    enum kw_chain_kind kind;
    struct kw_pki_bytes bytes[KW_CHAIN_COUNT];
    struct kw_pki_view view[KW_CHAIN_COUNT]; /* into bytes: do not copy */
};

/* Who to ask for names and root. */
struct kw_chain_sources {
    const struct kw_workspace *workspace; /* NULL: only the root's file */
    const char *root;                     /* its path; NULL: none */
    bool vendor_only;
};

/* KW_NO: no root that is known here fits; the hint says what to name. */
KW_MUST_USE kw_status kw_chain_find(const struct kw_chain_sources *sources,
                                    const struct kw_chip_certs *certs,
                                    struct kw_chain *chain,
                                    struct kw_error *error);

/* Rebuilds signer and device below the root that is in chain[0], with these
 * names; an own chain has no EUI-48. KW_NO_SIGNATURE: they do not fit. */
KW_MUST_USE kw_status kw_chain_rebuild(const struct kw_chip_certs *certs,
                                       struct kw_der signer_name,
                                       struct kw_der device_name,
                                       struct kw_chain *chain);

/* Links and validity. KW_NO names the certificate. */
KW_MUST_USE kw_status kw_chain_check(const struct kw_chain *chain,
                                     const struct kw_moment *at,
                                     struct kw_error *error);

/* The device's subject key identifier, 40 lower-case digits and a NUL. */
#define KW_THING_ID_TEXT 41
void kw_chain_thing_id(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                       char text[KW_THING_ID_TEXT]);

/* The vendor's file names. */
#define KW_CUSTOM_ROOT   "root_crt.crt"
#define KW_CUSTOM_FOLDER "custom-%04u"

#endif
