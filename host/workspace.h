/* host/workspace.h: the folder that holds chips, keys, bundles, journals.
 *
 * Layout: docs/formats.md, "The workspace". Knows host/files.h. */
#ifndef KW_HOST_WORKSPACE_H
#define KW_HOST_WORKSPACE_H

#include "host/error.h"
#include "host/files.h"

#define KW_WORKSPACE_VERSION 1

struct kw_chip; /* core/chip.h */

struct kw_workspace {
    char *folder;
    int lock; /* descriptor of run/workspace.lock while it is held, else -1 */
    /* The chip that this process has open, and the text of its link: lent to
     * whoever names it again, who would wait for its lock for ever. NULL:
     * none. */
    struct kw_chip *chip;
    const char *chip_link;
};

/* Makes the folders; those that are there are kept. workspace.json is made
 * last, by kw_workspace_finish, when the chips are there: a folder without
 * it is an interrupted init. */
KW_MUST_USE kw_status kw_workspace_make(struct kw_workspace *workspace,
                                        const char *folder,
                                        struct kw_error *error);
KW_MUST_USE kw_status kw_workspace_finish(const struct kw_workspace *workspace,
                                          const char *const *chips,
                                          size_t count, struct kw_error *error);

/* Opens one. KW_NO: there is none here (the hint says init); KW_PARSE: it
 * is of a newer version, or workspace.json is damaged. */
KW_MUST_USE kw_status kw_workspace_open(struct kw_workspace *workspace,
                                        const char *folder,
                                        struct kw_error *error);
void kw_workspace_close(struct kw_workspace *workspace);

/* Waits up to 5 s for the right to change keys, bundles and journals, and
 * wipes temporary files that a power cut left there.
 * KW_ABSENT_LOCKED: another process has it. Held until the close. */
KW_MUST_USE kw_status kw_workspace_lock(struct kw_workspace *workspace,
                                        struct kw_error *error);

/* A path below the workspace, printf-wise; the caller frees; NULL without
 * memory. */
char *kw_workspace_path(const struct kw_workspace *workspace,
                        const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes one byte of a lock file, waiting up to 5 s: an open-file-
 * description lock, which ends with the descriptor. Answers 0, EAGAIN when
 * another process still has it, EINTR when a signal ended the waiting, or the
 * errno of a file that takes no locks. */
int kw_lock_byte(int fd, off_t byte);

#endif
