/* core/winc_journal.h: the bytes of the journal of the module's flash, for
 * core/winc_update.c. Knows core/winc_update.h. */
#ifndef KW_CORE_WINC_JOURNAL_H
#define KW_CORE_WINC_JOURNAL_H

#include "core/sha256.h"
#include "core/winc_update.h"

#define KW_WINC_JOURNAL_BODY KW_WINC_SECTOR

struct kw_winc_record {
    uint32_t address[KW_WINC_CHANGE_SECTORS];
    uint32_t count;
    struct kw_sha256 sha; /* over the body so far */
};

/* Where the journal keeps a sector's old or new content. */
uint32_t kw_winc_record_at(uint32_t index, bool new_content);

/* Adds a sector: its old content is read from the flash, its new content is
 * in update->sector. */
KW_MUST_USE kw_status kw_winc_record_add(struct kw_winc_update *update,
                                         struct kw_winc_record *record,
                                         uint32_t address);
/* Writes the header: from here on the change will be made. */
KW_MUST_USE kw_status kw_winc_record_seal(struct kw_winc_update *update,
                                          struct kw_winc_record *record);
/* Reads the header and checks all. KW_NO: the journal is not valid. */
KW_MUST_USE kw_status kw_winc_record_load(struct kw_winc_update *update,
                                          struct kw_winc_record *record);

#endif
