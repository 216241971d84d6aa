/* host/certs/change.h: slots 10, 11 and 12, changed as a whole.
 *
 * What they are to hold is put down in a journal before the first is
 * written; after a cut they are brought to it, or back. Knows
 * host/certs/backup.h and host/certs/journal.h. */
#ifndef KW_HOST_CERTS_CHANGE_H
#define KW_HOST_CERTS_CHANGE_H

#include "host/certs/backup.h"
#include "host/certs/journal.h"

struct kw_certs_change {
    const struct kw_workspace *workspace;
    struct kw_chip *chip;
    struct kw_chip_certs *certs; /* as read; updated */
};

/* Does nothing when the slots hold the bytes already. KW_NO: a slot cannot
 * be written; nothing is changed. No journal may be open. */
KW_MUST_USE kw_status kw_certs_change(const struct kw_certs_change *change,
                                      const struct kw_cert_slots *slots,
                                      const char *verb, struct kw_error *error);

/* Finishes a change that was interrupted, or takes it back. *resumed false:
 * there is none. What the change does not explain is backed up first. */
KW_MUST_USE kw_status kw_certs_resume(const struct kw_certs_change *change,
                                      bool take_back, bool *resumed,
                                      struct kw_error *error);

/* KW_INTERRUPTED: a change of this chip's slots is not finished. */
KW_MUST_USE kw_status kw_certs_no_journal(const struct kw_workspace *workspace,
                                          const uint8_t *serial,
                                          struct kw_error *error);

#endif
