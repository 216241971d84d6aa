/* host/lab_chain.h: a chain of somebody else, for the attacks of a lab.
 *
 * Names, layout and extensions as those of a true chain; the keys are made
 * for the moment and kept nowhere. Knows host/certs/chain.h. */
#ifndef KW_HOST_LAB_CHAIN_H
#define KW_HOST_LAB_CHAIN_H

#include "host/certs/chain.h"

struct kw_lab_chain_plan {
    const struct kw_chain *like; /* whose names it takes */
    struct kw_moment begin;      /* of all three */
    struct kw_moment end;        /* of signer and device */
    struct kw_moment root_end;
    bool claims_root; /* the signer names the key of like's root as issuer's */
};

struct kw_lab_chain {
    struct kw_pki_bytes bytes[KW_CHAIN_COUNT];
    struct kw_pki_view view[KW_CHAIN_COUNT]; /* into bytes: do not copy */
};

KW_MUST_USE kw_status kw_lab_chain_make(const struct kw_lab_chain_plan *plan,
                                        struct kw_lab_chain *chain,
                                        struct kw_error *error);

#endif
