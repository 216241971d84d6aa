#include "core/winc_tls.h"

#include <string.h>

#include "core/bytes.h"

#define MAGIC_SIZE 8u
#define COUNT_AT   8u
#define NEXT_AT    12u
#define TABLE_AT   16u
#define ROW_SIZE   56u
#define STORE_END  (KW_WINC_TLS_ADDRESS + KW_WINC_TLS_SIZE)
#define SERIAL_MAX 21u

static const uint8_t MAGIC[MAGIC_SIZE] = {0xAB, 0xFE, 0x18, 0x5B,
                                          0x70, 0xC3, 0x46, 0x92};
static const char RSA_LIST[KW_WINC_TLS_NAME] = "RSA.lst";
static const char ECDSA_LIST[KW_WINC_TLS_NAME] = "ECDSA.lst";

static uint32_t padded(uint32_t size) {
    return (size + 3) & ~3u;
}

static bool same_name(const char *left, const char *right) {
    while (*left == *right && *left != '\0') {
        left++;
        right++;
    }
    return *left == *right;
}

static bool starts(const char *name, const char *with) {
    for (; *with != '\0'; with++, name++) {
        if (*name != *with) {
            return false;
        }
    }
    return true;
}

static bool is_list(const struct kw_winc_file *file) {
    return same_name(file->name, RSA_LIST) || same_name(file->name, ECDSA_LIST);
}

/* --- reading --- */

/* The vendor's tools leave residue behind the NUL: it is dropped. */
static kw_status take_name(const uint8_t raw[KW_WINC_TLS_NAME], char *name) {
    size_t size = 0;
    memset(name, 0, KW_WINC_TLS_NAME);
    while (size < KW_WINC_TLS_NAME && raw[size] != 0) {
        KW_ENSURE(raw[size] > 0x20 && raw[size] < 0x7F, KW_NO_WINC_STORE);
        name[size] = (char)raw[size];
        size++;
    }
    KW_ENSURE(size > 0 && size < KW_WINC_TLS_NAME, KW_NO_WINC_STORE);
    return KW_OK;
}

/* Files lie behind the header, in order, without overlap. */
static kw_status read_row(const struct kw_winc_tls *tls, uint32_t index,
                          uint32_t *end, struct kw_winc_file *file) {
    uint8_t row[ROW_SIZE];
    KW_TRY(
        kw_source_read(tls->old, TABLE_AT + index * ROW_SIZE, row, sizeof row));
    *file = (struct kw_winc_file){.part = KW_WINC_PART_OLD};
    KW_TRY(take_name(row, file->name));
    file->size = kw_load_le32(row + KW_WINC_TLS_NAME);
    file->address = kw_load_le32(row + KW_WINC_TLS_NAME + 4);
    file->old_address = file->address;
    KW_ENSURE(file->address >= *end && file->address <= STORE_END &&
                  file->size <= STORE_END - file->address,
              KW_NO_WINC_STORE);
    *end = file->address + padded(file->size);
    return KW_OK;
}

/* The first file, or the next free address, tells the header's size. */
static uint32_t header_size_of(const struct kw_winc_tls *tls, uint32_t next,
                               uint32_t otherwise) {
    const uint32_t first = tls->count > 0 ? tls->file[0].address : next;
    if (first == KW_WINC_TLS_ADDRESS + KW_WINC_TLS_HEADER_195) {
        return KW_WINC_TLS_HEADER_195;
    }
    return first == KW_WINC_TLS_ADDRESS + KW_WINC_TLS_HEADER_196
               ? KW_WINC_TLS_HEADER_196
               : otherwise;
}

static kw_status read_table(struct kw_winc_tls *tls, const uint8_t *head) {
    uint32_t end = KW_WINC_TLS_ADDRESS + KW_WINC_TLS_HEADER_195;
    tls->count = kw_load_le32(head + COUNT_AT);
    KW_ENSURE(tls->count <= KW_WINC_TLS_FILES, KW_NO_WINC_STORE);
    for (uint32_t i = 0; i < tls->count; i++) {
        KW_TRY(read_row(tls, i, &end, &tls->file[i]));
    }
    tls->header_size =
        header_size_of(tls, kw_load_le32(head + NEXT_AT), tls->header_size);
    return KW_OK;
}

kw_status kw_winc_tls_read(const struct kw_source *old, uint32_t header_size,
                           struct kw_winc_tls *tls) {
    uint8_t head[TABLE_AT];
    *tls = (struct kw_winc_tls){.old = old, .header_size = header_size};
    KW_TRY(kw_source_read(old, 0, head, sizeof head));
    tls->erased = kw_all_bytes(head, MAGIC_SIZE, 0xFF);
    if (tls->erased) {
        return KW_OK;
    }
    KW_ENSURE(memcmp(head, MAGIC, MAGIC_SIZE) == 0, KW_NO_WINC_STORE);
    return read_table(tls, head);
}

/* --- the plan --- */

static uint32_t find(const struct kw_winc_tls *tls, const char *name) {
    uint32_t i = 0;
    while (i < tls->count && !same_name(tls->file[i].name, name)) {
        i++;
    }
    return i;
}

/* The file of this name, or a new one behind the others. */
static kw_status claim(struct kw_winc_tls *tls, const char *name,
                       uint32_t *index) {
    *index = find(tls, name);
    if (*index == tls->count) {
        KW_ENSURE(tls->count < KW_WINC_TLS_FILES, KW_NO_WINC_FILES);
        tls->count++;
        memcpy(tls->file[*index].name, name, KW_WINC_TLS_NAME);
    }
    return KW_OK;
}

/* "CERT_" or "PRIV_" and the serial number as the certificate has it. */
static kw_status serial_name(const char *prefix,
                             const struct kw_winc_cert *cert, char *name) {
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t serial[SERIAL_MAX];
    const size_t size = cert->serial.size;
    KW_ENSURE(size <= SERIAL_MAX, KW_NO_WINC_NAME_LENGTH);
    KW_TRY(kw_source_read(cert->source, cert->serial.at, serial, size));
    memset(name, 0, KW_WINC_TLS_NAME);
    memcpy(name, prefix, 5);
    for (size_t i = 0; i < size; i++) {
        name[5 + 2 * i] = DIGITS[serial[i] >> 4];
        name[6 + 2 * i] = DIGITS[serial[i] & 0xF];
    }
    return KW_OK;
}

static kw_status put_cert(struct kw_winc_tls *tls,
                          const struct kw_winc_cert *cert, uint32_t *index) {
    char name[KW_WINC_TLS_NAME];
    KW_TRY(serial_name("CERT_", cert, name));
    KW_TRY(claim(tls, name, index));
    struct kw_winc_file *file = &tls->file[*index];
    file->size = cert->source->size;
    file->part = KW_WINC_PART_BYTES;
    file->source = cert->source;
    return KW_OK;
}

#define KEY_HEAD     52u
#define KEY_POINTERS 20u

static uint32_t key_size(const struct kw_winc_rsa_key *key) {
    uint32_t size = KEY_HEAD;
    for (size_t i = 0; i < 8; i++) {
        size += padded(key->number[i].size);
    }
    return size;
}

static kw_status put_key(struct kw_winc_tls *tls,
                         const struct kw_winc_chain *chain, uint32_t *index) {
    char name[KW_WINC_TLS_NAME];
    KW_TRY(serial_name("PRIV_", &chain->cert[0], name));
    KW_TRY(claim(tls, name, index));
    struct kw_winc_file *file = &tls->file[*index];
    file->size = key_size(chain->key);
    file->part = KW_WINC_PART_KEY;
    file->key = chain->key;
    return KW_OK;
}

/* Leaf first; each certificate's issuer is the next one's subject. */
static kw_status check_chain(const struct kw_winc_chain *chain) {
    const enum kw_winc_key_type type =
        chain->key != NULL ? KW_WINC_RSA : KW_WINC_ECDSA;
    KW_ENSURE(chain->count > 0, KW_NO_WINC_CHAIN);
    KW_ENSURE(chain->count <= KW_WINC_TLS_CERTS - (chain->key != NULL),
              KW_NO_WINC_FILES);
    KW_ENSURE(chain->cert[0].key_type == type, KW_NO_WINC_KEY);
    for (size_t i = 0; i + 1 < chain->count; i++) {
        KW_ENSURE(memcmp(chain->cert[i].issuer_hash,
                         chain->cert[i + 1].subject_hash, KW_SHA1_SIZE) == 0,
                  KW_NO_WINC_CHAIN);
    }
    return chain->key == NULL
               ? KW_OK
               : kw_winc_key_matches(chain->key, &chain->cert[0]);
}

/* The files are stored certificates first, then the key, then the list;
 * the list names the key first. */
kw_status kw_winc_tls_put(struct kw_winc_tls *tls,
                          const struct kw_winc_chain *chain) {
    char name[KW_WINC_TLS_NAME] = {0};
    uint32_t member[KW_WINC_TLS_FILES];
    uint32_t list = 0;
    const size_t first = chain->key != NULL ? 1 : 0;
    KW_TRY(check_chain(chain));
    for (size_t i = 0; i < chain->count; i++) {
        KW_TRY(put_cert(tls, &chain->cert[i], &member[first + i]));
    }
    if (first == 1) {
        KW_TRY(put_key(tls, chain, &member[0]));
    }
    memcpy(name, first == 1 ? RSA_LIST : ECDSA_LIST, sizeof name);
    KW_TRY(claim(tls, name, &list));
    struct kw_winc_file *file = &tls->file[list];
    file->part = KW_WINC_PART_LIST;
    file->list.count = (uint8_t)(first + chain->count);
    for (size_t i = 0; i < file->list.count; i++) {
        file->list.member[i] = (uint8_t)member[i];
    }
    file->size = file->list.count * KW_WINC_TLS_NAME;
    return KW_OK;
}

static kw_status old_list_names(const struct kw_winc_tls *tls,
                                const struct kw_winc_file *list,
                                const char *name, bool *names) {
    char entry[KW_WINC_TLS_NAME + 1] = {0};
    const uint32_t at = list->old_address - KW_WINC_TLS_ADDRESS;
    for (uint32_t i = 0; i + KW_WINC_TLS_NAME <= list->size && !*names;
         i += KW_WINC_TLS_NAME) {
        KW_TRY(kw_source_read(tls->old, at + i, entry, KW_WINC_TLS_NAME));
        *names = same_name(entry, name);
    }
    return KW_OK;
}

kw_status kw_winc_tls_listed(const struct kw_winc_tls *tls, uint32_t file,
                             bool *listed) {
    *listed = false;
    for (uint32_t i = 0; i < tls->count && !*listed; i++) {
        const struct kw_winc_file *list = &tls->file[i];
        if (list->part == KW_WINC_PART_LIST) {
            for (size_t j = 0; j < list->list.count; j++) {
                *listed = *listed || list->list.member[j] == file;
            }
        } else if (is_list(list)) {
            KW_TRY(old_list_names(tls, list, tls->file[file].name, listed));
        }
    }
    return KW_OK;
}

/* Members of lists are numbers of files: those behind the gap change. */
static void drop(struct kw_winc_tls *tls, uint32_t gone) {
    tls->count--;
    for (uint32_t i = gone; i < tls->count; i++) {
        memcpy(&tls->file[i], &tls->file[i + 1], sizeof tls->file[i]);
    }
    for (uint32_t i = 0; i < tls->count; i++) {
        struct kw_winc_file *list = &tls->file[i];
        for (size_t j = 0;
             list->part == KW_WINC_PART_LIST && j < list->list.count; j++) {
            list->list.member[j] =
                (uint8_t)(list->list.member[j] - (list->list.member[j] > gone));
        }
    }
}

kw_status kw_winc_tls_remove(struct kw_winc_tls *tls, const char *name) {
    bool listed = false;
    const uint32_t index = find(tls, name);
    KW_ENSURE(index < tls->count, KW_NO_WINC_ABSENT);
    KW_TRY(kw_winc_tls_listed(tls, index, &listed));
    KW_ENSURE(!listed, KW_NO_WINC_LISTED);
    drop(tls, index);
    return KW_OK;
}

kw_status kw_winc_tls_compact(struct kw_winc_tls *tls) {
    for (uint32_t i = 0; i < tls->count;) {
        bool listed = false;
        KW_TRY(kw_winc_tls_listed(tls, i, &listed));
        if (listed || is_list(&tls->file[i])) {
            i++;
            continue;
        }
        drop(tls, i);
    }
    return KW_OK;
}

kw_status kw_winc_tls_lay_out(struct kw_winc_tls *tls) {
    uint32_t at = KW_WINC_TLS_ADDRESS + tls->header_size;
    for (uint32_t i = 0; i < tls->count; i++) {
        KW_ENSURE(tls->file[i].size <= STORE_END - at, KW_NO_WINC_TLS_FULL);
        tls->file[i].address = at;
        at += padded(tls->file[i].size);
    }
    return KW_OK;
}

uint32_t kw_winc_tls_used(const struct kw_winc_tls *tls) {
    if (tls->count == 0) {
        return tls->header_size;
    }
    const struct kw_winc_file *last = &tls->file[tls->count - 1];
    return last->address + padded(last->size) - KW_WINC_TLS_ADDRESS;
}

/* Whether the second sector will hold bytes that lie in the first now: only
 * then it must be written before they go. Both ways at once cannot be, as
 * files keep their order. */
unsigned kw_winc_tls_first(const struct kw_winc_tls *tls) {
    const uint32_t border = KW_WINC_TLS_ADDRESS + KW_WINC_TLS_SECTOR;
    for (uint32_t i = 0; i < tls->count; i++) {
        const struct kw_winc_file *file = &tls->file[i];
        if (file->part == KW_WINC_PART_OLD &&
            file->address > file->old_address && file->old_address < border &&
            file->address + file->size > border) {
            return 1;
        }
    }
    return 0;
}

/* --- rendering --- */

struct window {
    uint32_t start; /* address in the flash */
    uint8_t *bytes; /* KW_WINC_TLS_SECTOR */
};

/* The part of a run that lies in the window. */
static bool overlap(const struct window *window, uint32_t at, uint32_t size,
                    uint32_t *from, uint32_t *count) {
    const uint32_t end = window->start + KW_WINC_TLS_SECTOR;
    const uint32_t first = at > window->start ? at : window->start;
    const uint32_t last = at + size < end ? at + size : end;
    *from = first - at;
    *count = last > first ? last - first : 0;
    return last > first;
}

static void put(const struct window *window, uint32_t at, const void *bytes,
                uint32_t size) {
    uint32_t from = 0;
    uint32_t count = 0;
    if (overlap(window, at, size, &from, &count)) {
        memcpy(window->bytes + (at + from - window->start),
               (const uint8_t *)bytes + from, count);
    }
}

static kw_status put_source(const struct window *window, uint32_t at,
                            const struct kw_source *source, uint32_t offset,
                            uint32_t size) {
    uint32_t from = 0;
    uint32_t count = 0;
    if (!overlap(window, at, size, &from, &count)) {
        return KW_OK;
    }
    return kw_source_read(source, offset + from,
                          window->bytes + (at + from - window->start), count);
}

static void put_header(const struct window *window,
                       const struct kw_winc_tls *tls) {
    uint8_t word[4];
    put(window, KW_WINC_TLS_ADDRESS, MAGIC, sizeof MAGIC);
    kw_store_le32(word, tls->count);
    put(window, KW_WINC_TLS_ADDRESS + COUNT_AT, word, sizeof word);
    kw_store_le32(word, KW_WINC_TLS_ADDRESS + kw_winc_tls_used(tls));
    put(window, KW_WINC_TLS_ADDRESS + NEXT_AT, word, sizeof word);
    for (uint32_t i = 0; i < tls->count; i++) {
        const struct kw_winc_file *file = &tls->file[i];
        const uint32_t row = KW_WINC_TLS_ADDRESS + TABLE_AT + i * ROW_SIZE;
        put(window, row, file->name, sizeof file->name);
        kw_store_le32(word, file->size);
        put(window, row + KW_WINC_TLS_NAME, word, sizeof word);
        kw_store_le32(word, file->address);
        put(window, row + KW_WINC_TLS_NAME + 4, word, sizeof word);
    }
}

/* Sizes, version 0, absolute addresses, then the numbers, each filled up. */
static kw_status put_rsa_key(const struct window *window,
                             const struct kw_winc_file *file) {
    uint8_t head[KEY_HEAD] = {0};
    uint32_t at = file->address + KEY_HEAD;
    for (uint32_t i = 0; i < 8; i++) {
        const struct kw_winc_der *number = &file->key->number[i];
        kw_store_le16(head + 2 * i, (uint16_t)number->size);
        kw_store_le32(head + KEY_POINTERS + 4 * i, at);
        KW_TRY(put_source(window, at, file->key->source, number->at,
                          number->size));
        put(window, at + number->size, "\0\0\0",
            padded(number->size) - number->size);
        at += padded(number->size);
    }
    put(window, file->address, head, sizeof head);
    return KW_OK;
}

/* An old key that moves: addresses into its own file move with it. */
static kw_status move_pointers(const struct window *window,
                               const struct kw_winc_tls *tls,
                               const struct kw_winc_file *file) {
    uint8_t word[4];
    const uint32_t old = file->old_address - KW_WINC_TLS_ADDRESS;
    for (uint32_t at = KEY_POINTERS; at < KEY_HEAD; at += sizeof word) {
        KW_TRY(kw_source_read(tls->old, old + at, word, sizeof word));
        const uint32_t pointer = kw_load_le32(word);
        if (pointer >= file->old_address &&
            pointer < file->old_address + file->size) {
            kw_store_le32(word, pointer - file->old_address + file->address);
            put(window, file->address + at, word, sizeof word);
        }
    }
    return KW_OK;
}

static kw_status put_old(const struct window *window,
                         const struct kw_winc_tls *tls,
                         const struct kw_winc_file *file) {
    KW_TRY(put_source(window, file->address, tls->old,
                      file->old_address - KW_WINC_TLS_ADDRESS, file->size));
    const bool moves = file->address != file->old_address &&
                       starts(file->name, "PRIV_") && file->size >= KEY_HEAD;
    return moves ? move_pointers(window, tls, file) : KW_OK;
}

static kw_status put_file(const struct window *window,
                          const struct kw_winc_tls *tls,
                          const struct kw_winc_file *file) {
    switch (file->part) {
    case KW_WINC_PART_OLD:
        return put_old(window, tls, file);
    case KW_WINC_PART_BYTES:
        return put_source(window, file->address, file->source, 0, file->size);
    case KW_WINC_PART_KEY:
        return put_rsa_key(window, file);
    case KW_WINC_PART_LIST:
        break;
    }
    for (uint32_t i = 0; i < file->list.count; i++) {
        put(window, file->address + i * KW_WINC_TLS_NAME,
            tls->file[file->list.member[i]].name, KW_WINC_TLS_NAME);
    }
    return KW_OK;
}

kw_status kw_winc_tls_render(const struct kw_winc_tls *tls, unsigned sector,
                             uint8_t bytes[KW_WINC_TLS_SECTOR]) {
    const struct window window = {
        KW_WINC_TLS_ADDRESS + sector * KW_WINC_TLS_SECTOR, bytes};
    memset(bytes, 0xFF, KW_WINC_TLS_SECTOR);
    put_header(&window, tls);
    for (uint32_t i = 0; i < tls->count; i++) {
        KW_TRY(put_file(&window, tls, &tls->file[i]));
    }
    return KW_OK;
}
