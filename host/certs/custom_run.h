/* host/certs/custom_run.h: what the steps of `certs custom` share: names,
 * files and keys of a generation. For host/certs/custom*.c alone.
 * Knows host/certs/custom.h and host/authority.h. */
#ifndef KW_HOST_CERTS_CUSTOM_RUN_H
#define KW_HOST_CERTS_CUSTOM_RUN_H

#include "host/authority.h"
#include "host/certs/custom.h"

#define KW_CUSTOM_NAME_MAX 65

/* What a run works with. */
struct kw_custom_run {
    const struct kw_certs_custom *custom;
    struct kw_certs_custom_result *result;
    struct kw_error *error;
    char name_text[KW_CHAIN_COUNT][KW_CUSTOM_NAME_MAX];
    struct kw_pki_bytes name[KW_CHAIN_COUNT];
    struct kw_authority *authority; /* NULL: not needed, or not there */
    struct kw_authority *signer;
    struct kw_pki_bytes bytes[KW_CHAIN_COUNT];
    struct kw_pki_view view[KW_CHAIN_COUNT];
};

/* A line of progress. */
void kw_custom_say(const struct kw_custom_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
kw_status kw_custom_no_memory(struct kw_custom_run *run);

/* KW_USAGE: a name that no certificate may have. */
KW_MUST_USE kw_status kw_custom_make_names(struct kw_custom_run *run);
/* The newest generation when it fits, else the next one; names its files,
 * and makes nothing. */
KW_MUST_USE kw_status kw_custom_choose_generation(struct kw_custom_run *run);
KW_MUST_USE kw_status kw_custom_make_folders(struct kw_custom_run *run);
/* Names the folder of the generation's keys, if it has keys of its own. */
KW_MUST_USE kw_status kw_custom_name_keys(struct kw_custom_run *run);
/* A file of the generation below certs/ or keys/; the caller frees. */
char *kw_custom_path(const struct kw_custom_run *run, const char *above,
                     const char *file);

/* The key that was named, else the generation's own, which is made when it
 * may be. Stays NULL when there is none. */
KW_MUST_USE kw_status kw_custom_open_key(struct kw_custom_run *run, int which,
                                         const char *named, bool may_make,
                                         struct kw_authority **authority);
bool kw_custom_is_key_of(const struct kw_authority *authority,
                         const struct kw_pki_view *view);

/* Does the certificate that was read have the name, and the years, that are
 * wanted now? */
bool kw_custom_has_name(const struct kw_custom_run *run, int which);
bool kw_custom_lasts(const struct kw_custom_run *run, int which);

/* Backs up slots 10, 11 and 12, writes the chain that was made into them,
 * and rebuilds it from what the chip gives back: byte for byte the same. */
KW_MUST_USE kw_status kw_custom_provision(struct kw_custom_run *run);

#endif
