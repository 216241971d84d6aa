/* host/winc/winc.h: a Wi-Fi module that is open for work on its stores.
 *
 * Opening puts it into download mode, closing resets it, so that its
 * firmware starts again, or leaves it where it is. An interrupted update is
 * finished before anything else.
 * Knows core/winc_update.h and host/emulated_module.h. */
#ifndef KW_HOST_WINC_WINC_H
#define KW_HOST_WINC_WINC_H

#include "core/winc_root.h"
#include "core/winc_tls.h"
#include "core/winc_update.h"
#include "host/emulated_module.h"

struct kw_winc {
    const struct kw_workspace *workspace;
    const char *name;
    struct kw_module *module;
    struct kw_winc_flash flash;
    char *journal_path;
    int journal_fd; /* -1: closed */
    struct kw_winc_journal in_file;
    struct kw_winc_journal in_flash; /* void: the flash has no room */
    struct kw_winc_update update;
    struct kw_source tls; /* the TLS store, read from the flash */
    uint8_t sector[KW_WINC_SECTOR];
    uint8_t page[KW_WINC_PAGE];
};

/* KW_ABSENT: no such module. */
KW_MUST_USE kw_status kw_winc_open(struct kw_winc *winc,
                                   const struct kw_workspace *workspace,
                                   const char *name, struct kw_error *error);
/* reset: the firmware starts again; else it stays in download mode. */
void kw_winc_close(struct kw_winc *winc, bool reset);

/* The journal of the next change goes into the flash. KW_NO: it has no room,
 * as that of a WINC1500. */
KW_MUST_USE kw_status kw_winc_journal_to_flash(struct kw_winc *winc,
                                               struct kw_error *error);

/* Whether an interrupted update waits, with its journal in either place. */
KW_MUST_USE kw_status kw_winc_waits(struct kw_winc *winc, bool *waits,
                                    struct kw_error *error);
/* Finishes it, or brings the old content back; wipes a torn journal. */
KW_MUST_USE kw_status kw_winc_resume(struct kw_winc *winc, bool old_content,
                                     bool *resumed, struct kw_error *error);

/* The whole root store. */
KW_MUST_USE kw_status kw_winc_read_roots(struct kw_winc *winc,
                                         uint8_t store[KW_WINC_ROOT_SIZE],
                                         struct kw_error *error);
/* The table of the TLS store. KW_NO_WINC_STORE. */
KW_MUST_USE kw_status kw_winc_read_tls(struct kw_winc *winc,
                                       struct kw_winc_tls *tls,
                                       struct kw_error *error);
/* Any part of the flash. */
KW_MUST_USE kw_status kw_winc_read(struct kw_winc *winc, uint32_t address,
                                   uint8_t *bytes, size_t size,
                                   struct kw_error *error);

/* What the module's firmware expects of a store that is made anew. */
enum kw_winc_root_kind kw_winc_new_root_kind(const struct kw_winc *winc);
uint32_t kw_winc_new_tls_header(const struct kw_winc *winc);

/* Words for a failure of the flash. */
kw_status kw_winc_flash_error(const struct kw_winc *winc, kw_status status,
                              const char *doing, struct kw_error *error);

/* host/winc/journal.c: the journal in a file, journal/winc-NAME.journal. */
KW_MUST_USE kw_status kw_winc_journal_open(struct kw_winc *winc);
void kw_winc_journal_close(struct kw_winc *winc);

#endif
