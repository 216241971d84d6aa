/* host/certs/dates.h: when a certificate begins and ends.
 *
 * Begins at a full hour, never before its issuer, never on 29 February;
 * lasts whole years, never longer than its issuer. Rules: docs/certs.md,
 * "Times". Knows host/certs/pki.h. */
#ifndef KW_HOST_CERTS_DATES_H
#define KW_HOST_CERTS_DATES_H

#include "host/certs/pki.h"

#define KW_CERT_YEARS_MAX 127

struct kw_cert_plan {
    struct kw_compcert_dates dates;
    bool later;     /* begins after now, with its issuer */
    bool shortened; /* ends before the years that were asked for */
};

/* `issuer` NULL: it issues itself. `years` 0: never expires. KW_NO with
 * words: the issuer is not valid now, or has less than a year left. */
KW_MUST_USE kw_status kw_cert_plan(const struct kw_moment *now,
                                   const struct kw_pki_view *issuer,
                                   unsigned years, struct kw_cert_plan *plan,
                                   struct kw_error *error);

#endif
