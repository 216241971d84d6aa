/* host/winc/work.h: one change of a module's stores, from its parts to the
 * flash.
 *
 * Collects roots to add and remove, chains, files to remove; checks all;
 * then runs the whole as one update. Nothing is touched before everything
 * was checked. Knows host/winc/winc.h, host/winc/input.h, host/winc/record.h.
 */
#ifndef KW_HOST_WINC_WORK_H
#define KW_HOST_WINC_WORK_H

#include "host/winc/input.h"
#include "host/winc/winc.h"

#define KW_WINC_ROOTS_MAX  40
#define KW_WINC_CHAINS_MAX 2 /* one RSA, one ECC */

struct kw_winc_root_edit {
    const struct kw_winc_input *input; /* NULL: remove */
    uint8_t hash[KW_SHA1_SIZE];
    bool rekey;
    enum kw_winc_root_put done; /* known after preparing */
};

struct kw_winc_work_chain {
    const struct kw_winc_input *key; /* NULL: in the secure element */
    struct kw_winc_cert cert[KW_WINC_TLS_CERTS];
    size_t count;
};

struct kw_winc_work {
    struct kw_winc *winc;
    bool rekeyed; /* the user says so */
    bool erase_root;
    bool erase_tls;
    const uint8_t *root_image; /* the whole new store, or NULL */
    const uint8_t *tls_image;
    bool compact;
    struct kw_winc_root_edit root[KW_WINC_ROOTS_MAX];
    size_t roots;
    struct kw_winc_work_chain chain[KW_WINC_CHAINS_MAX];
    size_t chains;
    const char *remove[KW_WINC_TLS_FILES];
    size_t removes;
    /* After preparing. */
    struct kw_winc_tls tls;
    struct kw_winc_change change;
    struct kw_winc_cost cost;
    uint32_t root_used;
    uint32_t tls_used;
};

/* Inputs stay the caller's and live until the work is done. KW_NO,
 * KW_NO_WINC_REKEYED. */
KW_MUST_USE kw_status kw_winc_work_root(struct kw_winc_work *work,
                                        const struct kw_winc_input *input,
                                        struct kw_error *error);
KW_MUST_USE kw_status kw_winc_work_remove_root(struct kw_winc_work *work,
                                               const uint8_t hash[KW_SHA1_SIZE],
                                               struct kw_error *error);
/* Leaf first. The signatures of the chain are checked. KW_NO_WINC_CHAIN,
 * KW_NO_WINC_FILES. */
KW_MUST_USE kw_status kw_winc_work_chain(struct kw_winc_work *work,
                                         const struct kw_winc_input *key,
                                         const struct kw_winc_input *certs,
                                         size_t count, struct kw_error *error);

/* Builds the new stores and checks them whole; fills the cost. */
KW_MUST_USE kw_status kw_winc_work_prepare(struct kw_winc_work *work,
                                           struct kw_error *error);
/* Writes them. */
KW_MUST_USE kw_status kw_winc_work_run(struct kw_winc_work *work,
                                       struct kw_error *error);

#endif
