/* host/retirement_record.h: what is kept of a retired chip.
 *
 * journal/retired-SERIAL-NNNN.json (docs/formats.md, "Record of a retired
 * chip"). Knows host/retirement.h and host/keyring.h. */
#ifndef KW_HOST_RETIREMENT_RECORD_H
#define KW_HOST_RETIREMENT_RECORD_H

#include "host/keyring.h"
#include "host/retirement.h"
#include "host/text.h"

/* A record that was begun and is to be ended. */
struct kw_retirement_record {
    char *path;
    unsigned generation; /* the newest in keys/, which it speaks of too */
    char begun[KW_TIME_TEXT];
    struct kw_new_file end; /* has the room that the ended record needs */
};

/* Writes what the rehearsal says will be done, and takes the room for the
 * end: from then on a full disk can stop it no more. */
KW_MUST_USE kw_status kw_retirement_begin(const struct kw_workspace *workspace,
                                          const struct kw_retirement *rehearsed,
                                          struct kw_retirement_record *record,
                                          struct kw_error *error);
/* Puts what was done into its place. */
KW_MUST_USE kw_status kw_retirement_end(struct kw_retirement_record *record,
                                        const struct kw_retirement *retirement,
                                        struct kw_error *error);
/* After a begin that succeeded; `untouched`: nothing was done to the chip,
 * and the record that was not ended goes. */
void kw_retirement_free(struct kw_retirement_record *record, bool untouched);

/* Whether an ended record says that this key file's slot was erased after the
 * file was made. */
KW_MUST_USE kw_status kw_retirement_erased(const struct kw_workspace *workspace,
                                           const struct kw_key_file *file,
                                           bool *erased,
                                           struct kw_error *error);

#endif
