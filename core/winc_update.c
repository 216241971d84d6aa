#include "core/winc_update.h"

#include <string.h>

#include "core/bytes.h"
#include "core/winc_journal.h"

static void tell(const struct kw_winc_update *update, enum kw_winc_event event,
                 uint32_t address, uint32_t detail) {
    if (update->told != NULL) {
        update->told(update->observer, event, address, detail);
    }
}

/* --- comparing --- */

/* Bytes in which the flash differs from update->sector. */
struct difference {
    uint32_t bytes;
    uint32_t first; /* address of the first */
};

static void compare_page(const struct kw_winc_update *update, uint32_t address,
                         uint32_t at, struct difference *difference) {
    for (uint32_t i = 0; i < KW_WINC_PAGE; i++) {
        if (update->page[i] == update->sector[at + i]) {
            continue;
        }
        if (difference->bytes++ == 0) {
            difference->first = address + at + i;
        }
    }
}

static kw_status compare(struct kw_winc_update *update, uint32_t address,
                         struct difference *difference) {
    *difference = (struct difference){0};
    for (uint32_t at = 0; at < KW_WINC_SECTOR; at += KW_WINC_PAGE) {
        KW_TRY(kw_winc_flash_read(update->flash, address + at, update->page,
                                  KW_WINC_PAGE));
        compare_page(update, address, at, difference);
    }
    return KW_OK;
}

static kw_status differs(struct kw_winc_update *update, uint32_t address,
                         uint32_t *bytes) {
    struct difference difference;
    KW_TRY(compare(update, address, &difference));
    *bytes = difference.bytes;
    return KW_OK;
}

static uint32_t pages_of(const uint8_t *sector) {
    uint32_t pages = 0;
    for (uint32_t at = 0; at < KW_WINC_SECTOR; at += KW_WINC_PAGE) {
        pages += kw_all_bytes(sector + at, KW_WINC_PAGE, 0xFF) ? 0u : 1u;
    }
    return pages;
}

static kw_status render(struct kw_winc_update *update,
                        const struct kw_winc_change *change, uint32_t index,
                        uint32_t *bytes) {
    KW_TRY(
        change->render(change->self, change->address[index], update->sector));
    return differs(update, change->address[index], bytes);
}

kw_status kw_winc_update_plan(struct kw_winc_update *update,
                              const struct kw_winc_change *change,
                              struct kw_winc_cost *cost) {
    *cost = (struct kw_winc_cost){0};
    for (uint32_t i = 0; i < change->count; i++) {
        uint32_t bytes = 0;
        KW_TRY(render(update, change, i, &bytes));
        if (bytes > 0) {
            cost->sectors++;
            cost->pages += pages_of(update->sector);
            cost->bytes += bytes;
        }
    }
    return KW_OK;
}

/* --- writing one sector --- */

static kw_status verify(struct kw_winc_update *update, uint32_t address) {
    struct difference difference;
    KW_TRY(compare(update, address, &difference));
    if (difference.bytes > 0) {
        tell(update, KW_WINC_DIFFERS, difference.first, difference.bytes);
        return KW_CHIP_FLASH_VERIFY;
    }
    return KW_OK;
}

/* Erases and programs update->sector. */
static kw_status write_sector(struct kw_winc_update *update, uint32_t address) {
    tell(update, KW_WINC_ERASING, address, 0);
    KW_TRY(kw_winc_flash_erase(update->flash, address));
    for (uint32_t at = 0; at < KW_WINC_SECTOR; at += KW_WINC_PAGE) {
        const uint8_t *page = update->sector + at;
        if (!kw_all_bytes(page, KW_WINC_PAGE, 0xFF)) {
            KW_TRY(kw_winc_flash_program(update->flash, address + at, page,
                                         KW_WINC_PAGE));
        }
    }
    if (!update->skip_verify) {
        KW_TRY(verify(update, address));
    }
    tell(update, KW_WINC_WRITTEN, address, 0);
    return KW_OK;
}

/* A sector that is there already is not written again: a resumed run goes
 * on where it stood. */
static kw_status bring(struct kw_winc_update *update, uint32_t address) {
    uint32_t bytes = 0;
    KW_TRY(differs(update, address, &bytes));
    return bytes == 0 ? KW_OK : write_sector(update, address);
}

static kw_status load_sector(struct kw_winc_update *update, uint32_t index,
                             bool new_content) {
    return update->journal->read(update->journal->self,
                                 kw_winc_record_at(index, new_content),
                                 update->sector, KW_WINC_SECTOR);
}

/* --- a record --- */

static bool is_failure_of_flash(kw_status status) {
    return status == KW_CHIP_FLASH_VERIFY || status == KW_CHIP_FLASH_BUSY ||
           status == KW_CHIP_FLASH_ERASE;
}

/* After a failure: each sector gets its old content back, if it takes it. */
static void put_back(struct kw_winc_update *update,
                     const struct kw_winc_record *record, uint32_t touched) {
    for (uint32_t i = touched; i-- > 0;) {
        const uint32_t address = record->address[i];
        const bool back = load_sector(update, i, false) == KW_OK &&
                          bring(update, address) == KW_OK;
        tell(update, back ? KW_WINC_RESTORED : KW_WINC_LOST, address, 0);
    }
}

static kw_status apply(struct kw_winc_update *update,
                       const struct kw_winc_record *record, bool new_content) {
    for (uint32_t i = 0; i < record->count; i++) {
        KW_TRY(load_sector(update, i, new_content));
        const kw_status status = bring(update, record->address[i]);
        if (new_content && is_failure_of_flash(status)) {
            put_back(update, record, i + 1);
        }
        KW_TRY(status);
    }
    return update->journal->clear(update->journal->self);
}

/* What a flash cannot hold must be known before the stores are touched: the
 * journal is what brings them back. */
static kw_status check_journal(struct kw_winc_update *update) {
    bool valid = false;
    KW_TRY(kw_winc_update_waits(update, &valid));
    return valid ? KW_OK : KW_CHIP_FLASH_JOURNAL;
}

static kw_status run_journalled(struct kw_winc_update *update,
                                const struct kw_winc_change *change) {
    struct kw_winc_record record = {.count = 0};
    for (uint32_t i = 0; i < change->count; i++) {
        uint32_t bytes = 0;
        KW_TRY(render(update, change, i, &bytes));
        if (bytes == 0) {
            continue;
        }
        if (record.count == 0) {
            KW_TRY(update->journal->begin(update->journal->self));
        }
        KW_TRY(kw_winc_record_add(update, &record, change->address[i]));
    }
    if (record.count == 0) {
        return KW_OK;
    }
    KW_TRY(kw_winc_record_seal(update, &record));
    KW_TRY(check_journal(update));
    return apply(update, &record, true);
}

kw_status kw_winc_update_run(struct kw_winc_update *update,
                             const struct kw_winc_change *change) {
    if (update->journal != NULL) {
        return run_journalled(update, change);
    }
    for (uint32_t i = 0; i < change->count; i++) {
        uint32_t bytes = 0;
        KW_TRY(render(update, change, i, &bytes));
        if (bytes > 0) {
            KW_TRY(write_sector(update, change->address[i]));
        }
    }
    return KW_OK;
}

kw_status kw_winc_update_waits(struct kw_winc_update *update, bool *waits) {
    struct kw_winc_record record;
    const kw_status status = kw_winc_record_load(update, &record);
    *waits = status == KW_OK;
    return status == KW_NO ? KW_OK : status;
}

kw_status kw_winc_update_resume(struct kw_winc_update *update, bool old_content,
                                bool *resumed) {
    struct kw_winc_record record;
    const kw_status status = kw_winc_record_load(update, &record);
    *resumed = status == KW_OK;
    if (status == KW_NO) {
        return update->journal->clear(update->journal->self);
    }
    KW_TRY(status);
    return apply(update, &record, !old_content);
}
