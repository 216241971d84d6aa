#include "core/winc_journal.h"

#include <string.h>

#include "core/bytes.h"

#define COUNT_AT   8u
#define ADDRESS_AT 12u
#define BODY_AT    32u /* SHA-256 over the body */
#define HEADER_AT  64u /* SHA-256 over the 64 bytes before */
#define PAGES      (KW_WINC_SECTOR / KW_WINC_PAGE)

static const uint8_t MAGIC[8] = {'K', 'W', 'W', 'I', 'N', 'C', 'J', '1'};

uint32_t kw_winc_record_at(uint32_t index, bool new_content) {
    return KW_WINC_JOURNAL_BODY +
           KW_WINC_SECTOR * (2 * index + (new_content ? 1u : 0u));
}

static kw_status write_page(struct kw_winc_update *update,
                            struct kw_winc_record *record, uint32_t at,
                            const uint8_t *page) {
    kw_sha256_update(&record->sha, page, KW_WINC_PAGE);
    return update->journal->write(update->journal->self, at, page,
                                  KW_WINC_PAGE);
}

kw_status kw_winc_record_add(struct kw_winc_update *update,
                             struct kw_winc_record *record, uint32_t address) {
    const uint32_t old_at = kw_winc_record_at(record->count, false);
    const uint32_t new_at = kw_winc_record_at(record->count, true);
    if (record->count == 0) {
        kw_sha256_init(&record->sha);
    }
    for (uint32_t at = 0; at < KW_WINC_SECTOR; at += KW_WINC_PAGE) {
        KW_TRY(kw_winc_flash_read(update->flash, address + at, update->page,
                                  KW_WINC_PAGE));
        KW_TRY(write_page(update, record, old_at + at, update->page));
    }
    for (uint32_t at = 0; at < KW_WINC_SECTOR; at += KW_WINC_PAGE) {
        KW_TRY(write_page(update, record, new_at + at, update->sector + at));
    }
    record->address[record->count++] = address;
    return KW_OK;
}

kw_status kw_winc_record_seal(struct kw_winc_update *update,
                              struct kw_winc_record *record) {
    uint8_t *page = update->page;
    memset(page, 0xFF, KW_WINC_PAGE);
    memset(page, 0, BODY_AT);
    memcpy(page, MAGIC, sizeof MAGIC);
    kw_store_le32(page + COUNT_AT, record->count);
    for (uint32_t i = 0; i < record->count; i++) {
        kw_store_le32(page + ADDRESS_AT + 4 * i, record->address[i]);
    }
    kw_sha256_final(&record->sha, page + BODY_AT);
    kw_sha256_of(page, HEADER_AT, page + HEADER_AT);
    KW_TRY(update->journal->flush(update->journal->self));
    KW_TRY(
        update->journal->write(update->journal->self, 0, page, KW_WINC_PAGE));
    return update->journal->flush(update->journal->self);
}

static kw_status read_header(const uint8_t *page,
                             struct kw_winc_record *record) {
    uint8_t digest[KW_SHA256_SIZE];
    kw_sha256_of(page, HEADER_AT, digest);
    KW_ENSURE(memcmp(digest, page + HEADER_AT, sizeof digest) == 0, KW_NO);
    record->count = kw_load_le32(page + COUNT_AT);
    KW_ENSURE(memcmp(page, MAGIC, sizeof MAGIC) == 0 &&
                  record->count <= KW_WINC_CHANGE_SECTORS,
              KW_NO);
    for (uint32_t i = 0; i < record->count; i++) {
        record->address[i] = kw_load_le32(page + ADDRESS_AT + 4 * i);
        KW_ENSURE(record->address[i] % KW_WINC_SECTOR == 0, KW_NO);
    }
    return KW_OK;
}

kw_status kw_winc_record_load(struct kw_winc_update *update,
                              struct kw_winc_record *record) {
    const struct kw_winc_journal *journal = update->journal;
    uint8_t expected[KW_SHA256_SIZE];
    uint8_t digest[KW_SHA256_SIZE];
    KW_TRY(journal->read(journal->self, 0, update->page, KW_WINC_PAGE));
    KW_TRY(read_header(update->page, record));
    memcpy(expected, update->page + BODY_AT, sizeof expected);
    kw_sha256_init(&record->sha);
    for (uint32_t i = 0; i < record->count * 2 * PAGES; i++) {
        KW_TRY(journal->read(journal->self,
                             KW_WINC_JOURNAL_BODY + i * KW_WINC_PAGE,
                             update->page, KW_WINC_PAGE));
        kw_sha256_update(&record->sha, update->page, KW_WINC_PAGE);
    }
    kw_sha256_final(&record->sha, digest);
    return memcmp(digest, expected, sizeof digest) == 0 ? KW_OK : KW_NO;
}

/* --- in the flash of a WINC1510 --- */

/* The mark is written before anything else and goes last, so that what is
 * found there later can be told from somebody else's data, and wiped. */
#define MARK_AT (KW_WINC_SECTOR - KW_WINC_PAGE)

static kw_status has_magic(struct kw_winc_flash *flash, uint32_t at,
                           bool *has) {
    uint8_t magic[sizeof MAGIC];
    KW_TRY(kw_winc_flash_read(flash, KW_WINC_JOURNAL_ADDRESS + at, magic,
                              sizeof magic));
    *has = memcmp(magic, MAGIC, sizeof magic) == 0;
    return KW_OK;
}

static kw_status is_ours(struct kw_winc_flash *flash, bool *ours) {
    KW_TRY(has_magic(flash, MARK_AT, ours));
    return *ours ? KW_OK : has_magic(flash, 0, ours);
}

static kw_status erase_all(struct kw_winc_flash *flash) {
    for (uint32_t at = KW_WINC_JOURNAL_SIZE; at > 0; at -= KW_WINC_SECTOR) {
        KW_TRY(kw_winc_flash_erase(flash, KW_WINC_JOURNAL_ADDRESS + at -
                                              KW_WINC_SECTOR));
    }
    return KW_OK;
}

static kw_status flash_begin(void *self) {
    KW_TRY(erase_all(self));
    return kw_winc_flash_program(self, KW_WINC_JOURNAL_ADDRESS + MARK_AT, MAGIC,
                                 sizeof MAGIC);
}

/* A journal that stays valid would undo later changes: where the sector does
 * not erase its header is overwritten, since bits can still be cleared. */
static kw_status void_header(struct kw_winc_flash *flash) {
    static const uint8_t ZEROS[sizeof MAGIC] = {0};
    bool valid = false;
    KW_TRY(has_magic(flash, 0, &valid));
    if (!valid) {
        return KW_OK;
    }
    KW_TRY(kw_winc_flash_program(flash, KW_WINC_JOURNAL_ADDRESS, ZEROS,
                                 sizeof ZEROS));
    KW_TRY(has_magic(flash, 0, &valid));
    return valid ? KW_CHIP_FLASH_ERASE : KW_OK;
}

static kw_status flash_clear(void *self) {
    bool ours = false;
    KW_TRY(is_ours(self, &ours));
    if (!ours) {
        return KW_OK;
    }
    KW_TRY(erase_all(self));
    return void_header(self);
}

static kw_status flash_write(void *self, uint32_t offset, const uint8_t *bytes,
                             size_t size) {
    if (kw_all_bytes(bytes, size, 0xFF)) {
        return KW_OK;
    }
    return kw_winc_flash_program(self, KW_WINC_JOURNAL_ADDRESS + offset, bytes,
                                 size);
}

static kw_status flash_flush(void *self) {
    (void)self;
    return KW_OK;
}

static kw_status flash_read(void *self, uint32_t offset, uint8_t *bytes,
                            size_t size) {
    return kw_winc_flash_read(self, KW_WINC_JOURNAL_ADDRESS + offset, bytes,
                              size);
}

void kw_winc_journal_in_flash(struct kw_winc_flash *flash,
                              struct kw_winc_journal *journal) {
    *journal = (struct kw_winc_journal){
        .begin = flash_begin,
        .write = flash_write,
        .flush = flash_flush,
        .read = flash_read,
        .clear = flash_clear,
        .self = flash,
    };
}
