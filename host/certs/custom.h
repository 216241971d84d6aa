/* host/certs/custom.h: the chain of an own PKI, made and put into a chip.
 *
 * certs/custom-NNNN/ and keys/custom-NNNN/ are a generation; what is in the
 * newest is used again when it fits. Rules: docs/certs.md, "The custom
 * chain". Knows host/certs/chain.h, host/certs/backup.h,
 * host/certs/dates.h, host/authority.h. */
#ifndef KW_HOST_CERTS_CUSTOM_H
#define KW_HOST_CERTS_CUSTOM_H

#include <time.h>

#include "host/certs/chain.h"

struct kw_certs_custom {
    const struct kw_workspace *workspace;
    struct kw_chip *chip;
    time_t now;
    const char *organisation;
    const char *root_name;   /* common names; NULL: as the vendor's */
    const char *signer_name; /* %H: the signer's id */
    const char *device_name; /* %S: the chip's serial number */
    uint8_t signer_id[2];
    const unsigned *years;      /* root, signer, device; NULL: 40, 31, 28 */
    const char *authority;      /* a key; NULL: one of its own */
    const char *authority_cert; /* its certificate; NULL: a root of its own */
    const char *signer_key;     /* a key; NULL: one of its own */
    bool renew;
    /* Asked before certificates in the chip are replaced by others, and
     * before anything is made. NULL: yes. */
    kw_status (*confirm)(void *observer, const struct kw_chip_certs *certs);
    void (*say)(void *observer, const char *line);
    void *observer;
};

struct kw_certs_custom_result {
    struct kw_chip_certs certs; /* as the chip holds them afterwards */
    struct kw_chain chain;      /* rebuilt from them */
    unsigned generation;
    char *folder;
    char *keys; /* where its own keys are; NULL: it has none, as with tokens */
    char *file[KW_CHAIN_COUNT];
    bool reused[KW_CHAIN_COUNT];
    char *backup; /* NULL: the slots were empty */
};

KW_MUST_USE kw_status kw_certs_custom_make(
    const struct kw_certs_custom *custom, struct kw_certs_custom_result *result,
    struct kw_error *error);
void kw_certs_custom_free(struct kw_certs_custom_result *result);

#endif
