#include "core/winc_root.h"

#include <string.h>

#include "core/bytes.h"

#define COUNT_AT    16u
#define V1_HEAD     44u
#define V0_HEAD     64u
#define V0_DATE     20u
#define PAD         0xFF
#define V1_KEY_SIZE 40u
#define P256_CURVE  23u

static const uint8_t PATTERN[2][16] = {
    {0x01, 0xF1, 0x02, 0xF2, 0x03, 0xF3, 0x04, 0xF4, 0x05, 0xF5, 0x06, 0xF6,
     0x07, 0xF7, 0x08, 0xF8},
    {0x11, 0xF1, 0x12, 0xF2, 0x13, 0xF3, 0x14, 0xF4, 0x15, 0xF5, 0x16, 0xF6,
     0x17, 0xF7, 0x18, 0xF8},
};

static uint32_t padded(uint32_t size) {
    return (size + 3) & ~3u;
}

enum kw_winc_root_kind
kw_winc_root_kind(const uint8_t store[KW_WINC_ROOT_SIZE]) {
    if (kw_all_bytes(store, sizeof *PATTERN, 0xFF)) {
        return KW_WINC_ROOT_ERASED;
    }
    if (memcmp(store, PATTERN[0], sizeof *PATTERN) == 0) {
        return KW_WINC_ROOT_V0;
    }
    return memcmp(store, PATTERN[1], sizeof *PATTERN) == 0
               ? KW_WINC_ROOT_V1
               : KW_WINC_ROOT_FOREIGN;
}

void kw_winc_root_begin(uint8_t store[KW_WINC_ROOT_SIZE],
                        enum kw_winc_root_kind kind) {
    memset(store, 0xFF, KW_WINC_ROOT_SIZE);
    memcpy(store, PATTERN[kind == KW_WINC_ROOT_V0 ? 0 : 1], sizeof *PATTERN);
    kw_store_le32(store + COUNT_AT, 0);
}

/* --- reading --- */

static void read_date(const uint8_t bytes[8], struct kw_winc_date *date) {
    *date = (struct kw_winc_date){
        .year = kw_load_le16(bytes),
        .month = bytes[2],
        .day = bytes[3],
        .hour = bytes[4],
        .minute = bytes[5],
        .second = bytes[6],
    };
}

/* V0 keeps ASCII: UTCTime or GeneralizedTime, filled up with zeros. */
static void read_text_date(const uint8_t text[V0_DATE],
                           struct kw_winc_date *date) {
    uint8_t part[7] = {0};
    size_t digits = 0;
    while (digits < 14 && text[digits] >= '0' && text[digits] <= '9') {
        digits++;
    }
    for (size_t i = 0; i + 1 < digits; i += 2) {
        part[i / 2] = (uint8_t)((text[i] - '0') * 10 + text[i + 1] - '0');
    }
    const bool utc = digits < 14;
    const uint8_t *rest = utc ? part + 1 : part + 2;
    const unsigned century = part[0] < 50 ? 2000 : 1900;
    *date = (struct kw_winc_date){
        .year = (uint16_t)(utc ? century + part[0] : part[0] * 100u + part[1]),
        .month = rest[0],
        .day = rest[1],
        .hour = rest[2],
        .minute = rest[3],
        .second = rest[4],
    };
}

static kw_status read_v1(const uint8_t *entry, struct kw_winc_root *root) {
    const uint32_t type = kw_load_le32(entry + 36);
    const uint16_t first = kw_load_le16(entry + V1_KEY_SIZE);
    const uint16_t second = kw_load_le16(entry + V1_KEY_SIZE + 2);
    KW_ENSURE(type == KW_WINC_RSA || type == KW_WINC_ECDSA, KW_NO_WINC_STORE);
    memcpy(root->hash, entry, KW_SHA1_SIZE);
    read_date(entry + 20, &root->not_before);
    read_date(entry + 28, &root->not_after);
    root->key_type = (enum kw_winc_key_type)type;
    root->key_size[0] = type == KW_WINC_RSA ? first : second;
    root->key_size[1] = second;
    root->key_at[0] = root->offset + V1_HEAD;
    root->size = V1_HEAD + padded(root->key_size[0]) + padded(second);
    return KW_OK;
}

static void read_v0(const uint8_t *entry, struct kw_winc_root *root) {
    memcpy(root->hash, entry, KW_SHA1_SIZE);
    root->key_type = KW_WINC_RSA;
    root->key_size[0] = kw_load_le16(entry + 20);
    root->key_size[1] = kw_load_le16(entry + 22);
    read_text_date(entry + 24, &root->not_before);
    read_text_date(entry + 24 + V0_DATE, &root->not_after);
    root->key_at[0] = root->offset + V0_HEAD;
    root->size = V0_HEAD + padded((uint32_t)root->key_size[0]) +
                 padded(root->key_size[1]);
}

/* The entry at root->offset. */
static kw_status read_entry(const uint8_t *store, struct kw_winc_root *root) {
    const bool v0 = kw_winc_root_kind(store) == KW_WINC_ROOT_V0;
    const uint32_t room = KW_WINC_ROOT_SIZE - root->offset;
    KW_ENSURE(room >= (v0 ? V0_HEAD : V1_HEAD), KW_NO_WINC_STORE);
    if (v0) {
        read_v0(store + root->offset, root);
    } else {
        KW_TRY(read_v1(store + root->offset, root));
    }
    KW_ENSURE(root->size <= room && root->key_size[0] > 0 &&
                  root->key_size[1] > 0,
              KW_NO_WINC_STORE);
    root->key_at[1] = root->key_at[0] + root->key_size[0];
    return KW_OK;
}

kw_status kw_winc_root_check(const uint8_t store[KW_WINC_ROOT_SIZE],
                             uint32_t *count, uint32_t *used) {
    const enum kw_winc_root_kind kind = kw_winc_root_kind(store);
    struct kw_winc_root root = {.offset = KW_WINC_ROOT_HEADER};
    *count = 0;
    *used = 0;
    KW_ENSURE(kind != KW_WINC_ROOT_FOREIGN, KW_NO_WINC_STORE);
    if (kind == KW_WINC_ROOT_ERASED) {
        return KW_OK;
    }
    const uint32_t entries = kw_load_le32(store + COUNT_AT);
    for (uint32_t i = 0; i < entries; i++) {
        KW_TRY(read_entry(store, &root));
        root.offset += root.size;
    }
    *count = entries;
    *used = root.offset;
    return KW_OK;
}

kw_status kw_winc_root_next(const uint8_t store[KW_WINC_ROOT_SIZE],
                            struct kw_winc_root *root) {
    uint32_t count = 0;
    uint32_t used = 0;
    KW_TRY(kw_winc_root_check(store, &count, &used));
    root->offset =
        root->offset == 0 ? KW_WINC_ROOT_HEADER : root->offset + root->size;
    KW_ENSURE(root->offset < used, KW_NO_WINC_ABSENT);
    return read_entry(store, root);
}

kw_status kw_winc_root_find(const uint8_t store[KW_WINC_ROOT_SIZE],
                            const uint8_t hash[KW_SHA1_SIZE],
                            struct kw_winc_root *root) {
    *root = (struct kw_winc_root){.offset = 0};
    kw_status status = KW_OK;
    while ((status = kw_winc_root_next(store, root)) == KW_OK) {
        if (memcmp(root->hash, hash, KW_SHA1_SIZE) == 0) {
            return KW_OK;
        }
    }
    return status;
}

/* --- writing --- */

uint32_t kw_winc_root_entry_size(enum kw_winc_root_kind kind,
                                 const struct kw_winc_cert *cert) {
    return (kind == KW_WINC_ROOT_V0 ? V0_HEAD : V1_HEAD) +
           padded(cert->key[0].size) + padded(cert->key[1].size);
}

static void write_date(const struct kw_winc_date *date, uint8_t bytes[8]) {
    kw_store_le16(bytes, date->year);
    bytes[2] = date->month;
    bytes[3] = date->day;
    bytes[4] = date->hour;
    bytes[5] = date->minute;
    bytes[6] = date->second;
    bytes[7] = 0;
}

static void write_digits(uint8_t *text, unsigned value) {
    text[0] = (uint8_t)('0' + value / 10 % 10);
    text[1] = (uint8_t)('0' + value % 10);
}

/* As the certificate has it: UTCTime from 1950 to 2049. */
static void write_text_date(const struct kw_winc_date *date,
                            uint8_t text[V0_DATE]) {
    const uint8_t rest[] = {date->month, date->day, date->hour, date->minute,
                            date->second};
    const bool utc = date->year >= 1950 && date->year < 2050;
    uint8_t *at = text;
    memset(text, 0, V0_DATE);
    if (!utc) {
        write_digits(at, date->year / 100);
        at += 2;
    }
    write_digits(at, date->year % 100);
    for (size_t i = 0; i < sizeof rest; i++) {
        at += 2;
        write_digits(at, rest[i]);
    }
    at[2] = 'Z';
}

static void write_dates(enum kw_winc_root_kind kind,
                        const struct kw_winc_cert *cert, uint8_t *entry) {
    if (kind == KW_WINC_ROOT_V0) {
        write_text_date(&cert->not_before, entry + 24);
        write_text_date(&cert->not_after, entry + 24 + V0_DATE);
        return;
    }
    write_date(&cert->not_before, entry + 20);
    write_date(&cert->not_after, entry + 28);
}

static void write_v1_key(const struct kw_winc_cert *cert, uint8_t *entry) {
    const bool rsa = cert->key_type == KW_WINC_RSA;
    kw_store_le32(entry + 36, (uint32_t)cert->key_type);
    kw_store_le16(entry + V1_KEY_SIZE,
                  rsa ? (uint16_t)cert->key[0].size : P256_CURVE);
    kw_store_le16(entry + V1_KEY_SIZE + 2, (uint16_t)cert->key[1].size);
}

static kw_status write_entry(enum kw_winc_root_kind kind,
                             const struct kw_winc_cert *cert, uint8_t *entry) {
    const bool v0 = kind == KW_WINC_ROOT_V0;
    uint8_t *key = entry + (v0 ? V0_HEAD : V1_HEAD);
    memset(entry, PAD, kw_winc_root_entry_size(kind, cert));
    memcpy(entry, cert->subject_hash, KW_SHA1_SIZE);
    write_dates(kind, cert, entry);
    if (v0) {
        kw_store_le16(entry + 20, (uint16_t)cert->key[0].size);
        kw_store_le16(entry + 22, (uint16_t)cert->key[1].size);
    } else {
        write_v1_key(cert, entry);
    }
    KW_TRY(
        kw_source_read(cert->source, cert->key[0].at, key, cert->key[0].size));
    return kw_source_read(cert->source, cert->key[1].at,
                          key + cert->key[0].size, cert->key[1].size);
}

/* Moves bytes that may overlap. */
static void move(uint8_t *to, const uint8_t *from, size_t size) {
    if (to < from) {
        for (size_t i = 0; i < size; i++) {
            to[i] = from[i];
        }
        return;
    }
    while (size-- > 0) {
        to[size] = from[size];
    }
}

/* Gives an entry another size; what lies behind it moves. */
static void resize(uint8_t *store, uint32_t offset, uint32_t old_size,
                   uint32_t new_size, uint32_t used) {
    move(store + offset + new_size, store + offset + old_size,
         used - offset - old_size);
    const uint32_t end = used - old_size + new_size;
    memset(store + end, 0xFF, KW_WINC_ROOT_SIZE - end);
}

static kw_status same_key(const uint8_t *store, const struct kw_winc_root *root,
                          const struct kw_winc_cert *cert, bool *same) {
    const struct kw_source entry = {.memory = store, .size = KW_WINC_ROOT_SIZE};
    *same = root->key_type == cert->key_type;
    for (size_t i = 0; i < 2 && *same; i++) {
        if (root->key_size[i] != cert->key[i].size) {
            *same = false;
            return KW_OK;
        }
        KW_TRY(kw_source_equal(&entry, root->key_at[i], cert->source,
                               cert->key[i].at, cert->key[i].size, same));
    }
    return KW_OK;
}

static kw_status renew(uint8_t *store, const struct kw_winc_root *root,
                       const struct kw_winc_cert *cert,
                       enum kw_winc_root_put *done) {
    const bool same =
        kw_winc_date_compare(&root->not_before, &cert->not_before) == 0 &&
        kw_winc_date_compare(&root->not_after, &cert->not_after) == 0;
    *done = same ? KW_WINC_ROOT_SAME : KW_WINC_ROOT_RENEWED;
    if (!same) {
        write_dates(kw_winc_root_kind(store), cert, store + root->offset);
    }
    return KW_OK;
}

static kw_status replace(uint8_t *store, const struct kw_winc_root *root,
                         const struct kw_winc_cert *cert, uint32_t used) {
    const enum kw_winc_root_kind kind = kw_winc_root_kind(store);
    const uint32_t size = kw_winc_root_entry_size(kind, cert);
    KW_ENSURE(used - root->size + size <= KW_WINC_ROOT_SIZE, KW_NO_WINC_FULL);
    resize(store, root->offset, root->size, size, used);
    return write_entry(kind, cert, store + root->offset);
}

static kw_status append(uint8_t *store, const struct kw_winc_cert *cert,
                        uint32_t count, uint32_t used) {
    const enum kw_winc_root_kind kind = kw_winc_root_kind(store);
    KW_ENSURE(kw_winc_root_entry_size(kind, cert) <= KW_WINC_ROOT_SIZE - used,
              KW_NO_WINC_FULL);
    KW_TRY(write_entry(kind, cert, store + used));
    kw_store_le32(store + COUNT_AT, count + 1);
    return KW_OK;
}

kw_status kw_winc_root_put(uint8_t store[KW_WINC_ROOT_SIZE],
                           const struct kw_winc_cert *cert, bool rekey,
                           enum kw_winc_root_put *done) {
    struct kw_winc_root root;
    uint32_t count = 0;
    uint32_t used = 0;
    bool same = false;
    KW_TRY(kw_winc_root_check(store, &count, &used));
    KW_ENSURE(used > 0, KW_NO_WINC_STORE);
    KW_ENSURE(cert->key_type == KW_WINC_RSA ||
                  kw_winc_root_kind(store) != KW_WINC_ROOT_V0,
              KW_NO_WINC_KEY_TYPE);
    const kw_status found = kw_winc_root_find(store, cert->subject_hash, &root);
    if (found == KW_NO_WINC_ABSENT) {
        *done = KW_WINC_ROOT_ADDED;
        return append(store, cert, count, used);
    }
    KW_TRY(found);
    KW_TRY(same_key(store, &root, cert, &same));
    if (same) {
        return renew(store, &root, cert, done);
    }
    KW_ENSURE(rekey, KW_NO_WINC_REKEYED);
    *done = KW_WINC_ROOT_REKEYED;
    return replace(store, &root, cert, used);
}

kw_status kw_winc_root_remove(uint8_t store[KW_WINC_ROOT_SIZE],
                              const uint8_t hash[KW_SHA1_SIZE]) {
    struct kw_winc_root root;
    uint32_t count = 0;
    uint32_t used = 0;
    KW_TRY(kw_winc_root_check(store, &count, &used));
    KW_TRY(kw_winc_root_find(store, hash, &root));
    resize(store, root.offset, root.size, 0, used);
    kw_store_le32(store + COUNT_AT, count - 1);
    return KW_OK;
}
