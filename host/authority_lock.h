/* host/authority_lock.h: the lock of slot 13, rehearsed first.
 * Knows host/rotation.h, host/authority_set.h and host/chip_reading.h. */
#ifndef KW_HOST_AUTHORITY_LOCK_H
#define KW_HOST_AUTHORITY_LOCK_H

#include "host/rotation.h"

#define KW_REHEARSAL_WORDS 8

struct kw_authority_rehearsal {
    char words[KW_REHEARSAL_WORDS][200];
    size_t count;
};

/* Locks slot 13 of a copy and tries what becomes of it. KW_NO: it is locked
 * already, holds no authority, or one whose private key is not in keys/ and
 * which --authority does not name; or a `resources make` was interrupted. */
KW_MUST_USE kw_status kw_authority_lock_rehearse(
    const struct kw_rotation *rotation, const struct kw_rotation_view *view,
    struct kw_authority_rehearsal *rehearsal, struct kw_error *error);

/* Locks it and reads the lock bit back. Cannot be undone. */
KW_MUST_USE kw_status kw_authority_lock(const struct kw_rotation *rotation,
                                        struct kw_error *error);

#endif
