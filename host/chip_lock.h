/* host/chip_lock.h: who has an emulated chip of a workspace.
 *
 * One file for all chips, one byte a chip, under an open-file-description
 * lock: it ends with the descriptor, however the process ends
 * (docs/design.md, "One lock a folder, one byte a chip").
 * Knows host/workspace.h; not sim/. */
#ifndef KW_HOST_CHIP_LOCK_H
#define KW_HOST_CHIP_LOCK_H

#include "host/workspace.h"

/* Takes the chip and notes this process in run/NAME.owner; waits 5 s for
 * another that has it. *lock is the descriptor that holds it: closing it lets
 * the chip go. KW_ABSENT_LOCKED: another process has it, which the error
 * names; KW_SYSTEM_FILE. On failure *lock is untouched. */
KW_MUST_USE kw_status kw_chip_lock(const struct kw_workspace *workspace,
                                   const char *name, int *lock,
                                   struct kw_error *error);

#endif
