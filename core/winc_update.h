/* core/winc_update.h: sectors of the module's flash, changed so that a power
 * cut anywhere leaves the whole old or the whole new set.
 *
 * A change is a few sectors and a function that renders each. All of them
 * are rendered first; old and new content go into a journal; when the
 * journal is whole the sectors are erased, programmed and read back, once
 * each. After a cut kw_winc_update_resume does what is left. Without a
 * journal (NULL) the sectors are rendered and written in the order given.
 * RAM: one sector and one page, both the caller's, and the stack.
 * Bytes of the journal: docs/formats.md, "Journal of the module's flash".
 * Knows core/winc_flash.h and core/sha256.h. */
#ifndef KW_CORE_WINC_UPDATE_H
#define KW_CORE_WINC_UPDATE_H

#include "core/winc_flash.h"

#define KW_WINC_CHANGE_SECTORS 3u
/* Header, and the old and new content of each sector. */
#define KW_WINC_JOURNAL_SIZE (KW_WINC_SECTOR * (1 + 2 * KW_WINC_CHANGE_SECTORS))

/* Where a journal is kept. Writes are in ascending order except that of the
 * header, which comes last and makes the journal valid. */
struct kw_winc_journal {
    /* Makes room; whatever was there is void. */
    kw_status (*begin)(void *self);
    kw_status (*write)(void *self, uint32_t offset, const uint8_t *bytes,
                       size_t size);
    /* What was written is durable. */
    kw_status (*flush)(void *self);
    /* Bytes that were never written read as anything. */
    kw_status (*read)(void *self, uint32_t offset, uint8_t *bytes, size_t size);
    /* Makes it void; what it held is wiped. */
    kw_status (*clear)(void *self);
    void *self;
};

/* The region of a WINC1510 above 0x80000: free for the host. The first
 * KW_WINC_JOURNAL_SIZE bytes of it are the journal's while an update runs;
 * what lies there is lost. Nothing there is touched that is no journal. */
#define KW_WINC_JOURNAL_ADDRESS 0x80000u
void kw_winc_journal_in_flash(struct kw_winc_flash *flash,
                              struct kw_winc_journal *journal);

enum kw_winc_event {
    KW_WINC_ERASING,
    KW_WINC_WRITTEN,  /* and verified */
    KW_WINC_DIFFERS,  /* address: of the first wrong byte; detail: how many */
    KW_WINC_RESTORED, /* the old content is back */
    KW_WINC_LOST,     /* the old content could not be written back */
};

struct kw_winc_update {
    struct kw_winc_flash *flash;
    const struct kw_winc_journal *journal; /* may be NULL */
    uint8_t *sector;                       /* KW_WINC_SECTOR bytes */
    uint8_t *page;                         /* KW_WINC_PAGE bytes */
    bool skip_verify;
    /* May be NULL. */
    void (*told)(void *observer, enum kw_winc_event event, uint32_t address,
                 uint32_t detail);
    void *observer;
};

struct kw_winc_change {
    uint32_t address[KW_WINC_CHANGE_SECTORS]; /* in the order of writing */
    uint32_t count;
    kw_status (*render)(void *self, uint32_t address, uint8_t *sector);
    void *self;
};

struct kw_winc_cost {
    uint32_t sectors; /* that differ: one erase each */
    uint32_t pages;   /* that are programmed */
    uint32_t bytes;   /* that differ */
};

/* Renders and compares; writes nothing anywhere. */
KW_MUST_USE kw_status kw_winc_update_plan(struct kw_winc_update *update,
                                          const struct kw_winc_change *change,
                                          struct kw_winc_cost *cost);
/* The whole job. KW_CHIP_FLASH_VERIFY, KW_CHIP_FLASH_BUSY: the flash failed;
 * the old content was written back as far as it takes, and the journal is
 * kept. KW_CHIP_FLASH_JOURNAL: the journal does not hold; nothing was
 * touched. */
KW_MUST_USE kw_status kw_winc_update_run(struct kw_winc_update *update,
                                         const struct kw_winc_change *change);

/* Whether a valid journal waits. */
KW_MUST_USE kw_status kw_winc_update_waits(struct kw_winc_update *update,
                                           bool *waits);
/* Finishes what a valid journal holds, or writes the old content back;
 * then clears the journal, a torn one as well. */
KW_MUST_USE kw_status kw_winc_update_resume(struct kw_winc_update *update,
                                            bool old_content, bool *resumed);

#endif
