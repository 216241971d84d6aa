/* host/manifest/signer.h: who signs a manifest's entries.
 *
 * An authority and the certificate that names its key. The workspace's own
 * is a prototype: keys/log-signer/manifest_ca.key (the vendor's file names)
 * and manifest/manifest_ca.crt, made when both are missing.
 * Knows host/authority.h, host/certs/pki_file.h, host/workspace.h. */
#ifndef KW_HOST_MANIFEST_SIGNER_H
#define KW_HOST_MANIFEST_SIGNER_H

#include <time.h>

#include "host/base64.h"
#include "host/certs/pki_file.h"
#include "host/workspace.h"

/* Of the protected header, in base64url. */
#define KW_MANIFEST_PROTECTED_MAX 256

struct kw_log_signer {
    struct kw_authority *authority;
    struct kw_hasher *hasher;
    struct kw_base64_pairs *pairs;
    char *certificate_path;
    bool made; /* the certificate is new */
    struct kw_pki_bytes certificate;
    struct kw_pki_view view;
    size_t protected_size;
    char protected_text[KW_MANIFEST_PROTECTED_MAX];
};

/* `uri` NULL: the workspace's own. `certificate` belongs to `uri`: a file
 * that is not there yet is made, signed by the key itself.
 * KW_NO: the certificate is for another key, or the key is missing. */
KW_MUST_USE kw_status kw_log_signer_open(const struct kw_workspace *workspace,
                                         const char *uri,
                                         const char *certificate, time_t now,
                                         struct kw_log_signer *signer,
                                         struct kw_error *error);
void kw_log_signer_close(struct kw_log_signer *signer);

/* KW_NO: it is not valid now. */
KW_MUST_USE kw_status kw_manifest_check_now(const struct kw_log_signer *signer,
                                            struct kw_error *error);

/* Where the workspace's own certificate is; the caller frees. */
char *kw_log_signer_path(const struct kw_workspace *workspace);

#endif
