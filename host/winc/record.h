/* host/winc/record.h: what the workspace remembers of a module.
 *
 * winc/NAME/subjects.json: which subject stands behind a name hash of the
 * root store, since two subjects can have one. winc/NAME/sequence.json: the
 * last certificate list. Knows host/winc/winc.h. */
#ifndef KW_HOST_WINC_RECORD_H
#define KW_HOST_WINC_RECORD_H

#include "host/winc/input.h"
#include "host/winc/winc.h"

/* Whether the record knows a subject for the name hash of this certificate,
 * and whether it is this one's. */
KW_MUST_USE kw_status kw_winc_record_knows(const struct kw_winc *winc,
                                           const struct kw_winc_input *input,
                                           bool *known, bool *same,
                                           struct kw_error *error);
/* The subject recorded for a name hash, as words; "" where there is none. */
KW_MUST_USE kw_status kw_winc_record_name(const struct kw_winc *winc,
                                          const uint8_t hash[KW_SHA1_SIZE],
                                          char *name, size_t size,
                                          struct kw_error *error);
/* Enters the subjects; NULL ones are passed over. Before they are written
 * (written: false) a name hash whose subject will change is forgotten. */
KW_MUST_USE kw_status kw_winc_record_enter(
    const struct kw_winc *winc, const struct kw_winc_input *const *inputs,
    size_t count, bool written, struct kw_error *error);
/* Forgets all: the store came from somewhere else. */
KW_MUST_USE kw_status kw_winc_record_clear(const struct kw_winc *winc,
                                           struct kw_error *error);

struct kw_winc_last_list {
    uint32_t sequence;                 /* 0: none yet */
    char list[2 * KW_SHA256_SIZE + 1]; /* SHA-256, hex */
};
KW_MUST_USE kw_status kw_winc_record_last(const struct kw_winc *winc,
                                          struct kw_winc_last_list *last,
                                          struct kw_error *error);
KW_MUST_USE kw_status kw_winc_record_keep(const struct kw_winc *winc,
                                          const struct kw_winc_last_list *last,
                                          struct kw_error *error);

#endif
