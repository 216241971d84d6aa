#include "host/winc/work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "host/text.h"
#include "host/winc/record.h"

/* --- collecting --- */

static kw_status too_many(struct kw_error *error) {
    return kw_error(error, KW_NO_WINC_FULL,
                    "(ERROR) Root Certificate Flash is Full: no store holds "
                    "so many roots");
}

/* Two certificates of one update with one name hash must be one subject. */
static kw_status check_twins(const struct kw_winc_work *work,
                             const struct kw_winc_input *input,
                             struct kw_error *error) {
    for (size_t i = 0; i < work->roots; i++) {
        const struct kw_winc_input *other = work->root[i].input;
        if (other == NULL ||
            memcmp(other->cert.subject_hash, input->cert.subject_hash,
                   KW_SHA1_SIZE) != 0) {
            continue;
        }
        const bool same =
            other->source.size == input->source.size &&
            memcmp(other->der, input->der, input->source.size) == 0;
        if (!same) {
            (void)kw_error(error, KW_NO_WINC_REKEYED,
                           "%s and %s have the same name hash in the store",
                           other->name, input->name);
            return kw_error_hint(error, "one of them would replace the other; "
                                        "leave one out");
        }
    }
    return KW_OK;
}

kw_status kw_winc_work_root(struct kw_winc_work *work,
                            const struct kw_winc_input *input,
                            struct kw_error *error) {
    bool known = false;
    bool same = false;
    if (work->roots == KW_WINC_ROOTS_MAX) {
        return too_many(error);
    }
    KW_TRY(check_twins(work, input, error));
    KW_TRY(kw_winc_record_knows(work->winc, input, &known, &same, error));
    struct kw_winc_root_edit *edit = &work->root[work->roots++];
    *edit = (struct kw_winc_root_edit){
        .input = input,
        .rekey = work->rekeyed || same,
    };
    memcpy(edit->hash, input->cert.subject_hash, KW_SHA1_SIZE);
    return KW_OK;
}

kw_status kw_winc_work_remove_root(struct kw_winc_work *work,
                                   const uint8_t hash[KW_SHA1_SIZE],
                                   struct kw_error *error) {
    if (work->roots == KW_WINC_ROOTS_MAX) {
        return too_many(error);
    }
    struct kw_winc_root_edit *edit = &work->root[work->roots++];
    *edit = (struct kw_winc_root_edit){.input = NULL};
    memcpy(edit->hash, hash, KW_SHA1_SIZE);
    return KW_OK;
}

static kw_status break_in(const struct kw_winc_input *below,
                          const struct kw_winc_input *above,
                          struct kw_error *error) {
    (void)kw_error(error, KW_NO_WINC_CHAIN, "%s was not issued by %s",
                   below->name, above->name);
    return kw_error_hint(error, "the chain is out of order or incomplete: "
                                "the leaf comes first, each issuer behind "
                                "what it issued");
}

kw_status kw_winc_work_chain(struct kw_winc_work *work,
                             const struct kw_winc_input *key,
                             const struct kw_winc_input *certs, size_t count,
                             struct kw_error *error) {
    const size_t most = KW_WINC_TLS_CERTS - (key != NULL ? 1u : 0u);
    if (count == 0 || count > most || work->chains == KW_WINC_CHAINS_MAX) {
        return kw_error(error, KW_NO_WINC_FILES,
                        "a chain has 1 to %zu certificates: the TLS store "
                        "holds 8 files at most",
                        most);
    }
    struct kw_winc_work_chain *chain = &work->chain[work->chains++];
    *chain = (struct kw_winc_work_chain){.key = key, .count = count};
    for (size_t i = 0; i < count; i++) {
        chain->cert[i] = certs[i].cert;
        if (i + 1 < count && !kw_winc_input_issued(&certs[i + 1], &certs[i])) {
            return break_in(&certs[i], &certs[i + 1], error);
        }
    }
    return KW_OK;
}

/* --- the root store --- */

static kw_status edit_root(struct kw_winc_root_edit *edit, uint8_t *sector) {
    if (edit->input == NULL) {
        return kw_winc_root_remove(sector, edit->hash);
    }
    return kw_winc_root_put(sector, &edit->input->cert, edit->rekey,
                            &edit->done);
}

static kw_status render_root(struct kw_winc_work *work, uint8_t *sector) {
    uint32_t count = 0;
    if (work->root_image != NULL) {
        memcpy(sector, work->root_image, KW_WINC_ROOT_SIZE);
        return KW_OK;
    }
    if (work->erase_root) {
        memset(sector, 0xFF, KW_WINC_ROOT_SIZE);
        return KW_OK;
    }
    KW_TRY(kw_winc_flash_read(&work->winc->flash, KW_WINC_ROOT_ADDRESS, sector,
                              KW_WINC_ROOT_SIZE));
    if (kw_winc_root_kind(sector) == KW_WINC_ROOT_ERASED) {
        kw_winc_root_begin(sector, kw_winc_new_root_kind(work->winc));
    }
    for (size_t i = 0; i < work->roots; i++) {
        KW_TRY(edit_root(&work->root[i], sector));
    }
    return kw_winc_root_check(sector, &count, &work->root_used);
}

static kw_status render(void *self, uint32_t address, uint8_t *sector) {
    struct kw_winc_work *work = self;
    if (address == KW_WINC_ROOT_ADDRESS) {
        return render_root(work, sector);
    }
    if (work->tls_image != NULL) {
        memcpy(sector, work->tls_image + (address - KW_WINC_TLS_ADDRESS),
               KW_WINC_TLS_SECTOR);
        return KW_OK;
    }
    if (work->erase_tls) {
        memset(sector, 0xFF, KW_WINC_TLS_SECTOR);
        return KW_OK;
    }
    return kw_winc_tls_render(
        &work->tls, (address - KW_WINC_TLS_ADDRESS) / KW_WINC_TLS_SECTOR,
        sector);
}

/* --- words for what does not fit --- */

static uint32_t room_needed(const struct kw_winc_work *work,
                            const uint8_t *store) {
    uint32_t needed = 0;
    for (size_t i = 0; i < work->roots; i++) {
        struct kw_winc_root root;
        if (work->root[i].input != NULL) {
            const uint32_t size = kw_winc_root_entry_size(
                kw_winc_root_kind(store), &work->root[i].input->cert);
            const bool there =
                kw_winc_root_find(store, work->root[i].hash, &root) == KW_OK;
            needed += size - (there && root.size < size ? root.size : 0);
            needed -= there && root.size >= size ? size : 0;
        }
    }
    return needed;
}

/* Names entries that would free enough: expired ones first. Answers what all
 * of them free. */
static uint32_t name_removable(const uint8_t *store, uint32_t missing,
                               char *text, size_t size) {
    const struct kw_winc_date today = kw_winc_today();
    uint32_t freed = 0;
    size_t used = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        struct kw_winc_root root = {.offset = 0};
        while (freed < missing && kw_winc_root_next(store, &root) == KW_OK) {
            char hash[2 * KW_SHA1_SIZE + 1];
            const bool expired =
                kw_winc_date_compare(&root.not_after, &today) < 0;
            if (expired != (pass == 0) || used + 40 > size) {
                continue;
            }
            kw_hex(root.hash, KW_SHA1_SIZE, hash);
            freed += root.size;
            used += (size_t)snprintf(text + used, size - used, "%s%.12s%s",
                                     used > 0 ? ", " : "", hash,
                                     expired ? " (expired)" : "");
        }
    }
    return freed;
}

static kw_status full(struct kw_winc_work *work, struct kw_error *error) {
    uint8_t store[KW_WINC_ROOT_SIZE];
    char names[1024] = "";
    uint32_t count = 0;
    uint32_t used = 0;
    KW_TRY(kw_winc_read_roots(work->winc, store, error));
    (void)!kw_winc_root_check(store, &count, &used);
    const uint32_t needed = room_needed(work, store);
    const uint32_t room =
        KW_WINC_ROOT_SIZE - (used > 0 ? used : KW_WINC_ROOT_HEADER);
    const uint32_t missing = needed > room ? needed - room : 1;
    const uint32_t freed = name_removable(store, missing, names, sizeof names);
    (void)kw_error(error, KW_NO_WINC_FULL,
                   "(ERROR) Root Certificate Flash is Full: %u bytes are "
                   "needed, %u are free; nothing was changed",
                   needed, room);
    return freed < missing
               ? kw_error_hint(error, "not even an empty store would hold all "
                                      "of them; add fewer")
               : kw_error_hint(error,
                               "`keywright winc root remove` of these would "
                               "free enough: %s",
                               names);
}

static kw_status rekeyed(const struct kw_winc_work *work,
                         struct kw_error *error) {
    const struct kw_winc_input *input = NULL;
    for (size_t i = 0; i < work->roots && input == NULL; i++) {
        input = work->root[i].rekey ? NULL : work->root[i].input;
    }
    (void)kw_error(error, KW_NO_WINC_REKEYED,
                   "the store holds another key under the name hash of %s, "
                   "and the record does not show that both are one subject",
                   input != NULL ? input->name : "a certificate");
    return kw_error_hint(error, "when it is the same authority with a new key, "
                                "say so with --rekeyed; two different names "
                                "can have one hash");
}

static kw_status tls_full(struct kw_winc_work *work, kw_status status,
                          struct kw_error *error) {
    (void)kw_error(error, status, "%s: %s; nothing was changed",
                   "the new files do not fit", kw_status_text(status));
    return kw_error_hint(error,
                         "`keywright winc tls compact --module %s` "
                         "drops files that no list names",
                         work->winc->name);
}

static kw_status explain(struct kw_winc_work *work, kw_status status,
                         struct kw_error *error) {
    switch (status) {
    case KW_NO_WINC_FULL:
        return full(work, error);
    case KW_NO_WINC_REKEYED:
        return rekeyed(work, error);
    case KW_NO_WINC_TLS_FULL:
    case KW_NO_WINC_FILES:
        return tls_full(work, status, error);
    case KW_NO_WINC_KEY:
        (void)kw_error_core(error, status, "the chain");
        return kw_error_hint(error, "Key material mismatch: the first file "
                                    "must be the key of the first "
                                    "certificate");
    case KW_NO_WINC_LISTED:
        (void)kw_error_core(error, status, "cannot remove it");
        return kw_error_hint(error, "remove RSA.lst or ECDSA.lst first, then "
                                    "`keywright winc tls compact`");
    default:
        return kw_winc_flash_error(work->winc, status, "build the new stores",
                                   error);
    }
}

/* --- preparing and running --- */

static kw_status plan_tls(struct kw_winc_work *work) {
    struct kw_winc *winc = work->winc;
    KW_TRY(
        kw_winc_tls_read(&winc->tls, kw_winc_new_tls_header(winc), &work->tls));
    for (size_t i = 0; i < work->removes; i++) {
        KW_TRY(kw_winc_tls_remove(&work->tls, work->remove[i]));
    }
    if (work->compact) {
        KW_TRY(kw_winc_tls_compact(&work->tls));
    }
    for (size_t i = 0; i < work->chains; i++) {
        const struct kw_winc_work_chain *chain = &work->chain[i];
        const struct kw_winc_chain put = {
            .cert = chain->cert,
            .count = chain->count,
            .key = chain->key == NULL ? NULL : &chain->key->key,
        };
        KW_TRY(kw_winc_tls_put(&work->tls, &put));
    }
    KW_TRY(kw_winc_tls_lay_out(&work->tls));
    work->tls_used = kw_winc_tls_used(&work->tls);
    return KW_OK;
}

static void add_sector(struct kw_winc_work *work, uint32_t address) {
    work->change.address[work->change.count++] = address;
}

static kw_status choose_sectors(struct kw_winc_work *work) {
    const bool tls = work->chains > 0 || work->removes > 0 || work->compact;
    work->change = (struct kw_winc_change){.render = render, .self = work};
    if (work->roots > 0 || work->erase_root || work->root_image != NULL) {
        add_sector(work, KW_WINC_ROOT_ADDRESS);
    }
    const bool whole = work->erase_tls || work->tls_image != NULL;
    if (!tls && !whole) {
        return KW_OK;
    }
    if (!whole) {
        KW_TRY(plan_tls(work));
    }
    const unsigned first = whole ? 0 : kw_winc_tls_first(&work->tls);
    add_sector(work, KW_WINC_TLS_ADDRESS + first * KW_WINC_TLS_SECTOR);
    add_sector(work, KW_WINC_TLS_ADDRESS + (1 - first) * KW_WINC_TLS_SECTOR);
    return KW_OK;
}

kw_status kw_winc_work_prepare(struct kw_winc_work *work,
                               struct kw_error *error) {
    kw_status status = choose_sectors(work);
    if (status == KW_OK) {
        status = kw_winc_update_plan(&work->winc->update, &work->change,
                                     &work->cost);
    }
    return status == KW_OK ? KW_OK : explain(work, status, error);
}

/* What failed before the journal was whole leaves none behind. Answers
 * whether one waits. */
static bool drop_torn_journal(struct kw_winc *winc) {
    const struct kw_winc_journal *journal = winc->update.journal;
    bool waits = true;
    if (kw_winc_update_waits(&winc->update, &waits) == KW_OK && !waits) {
        (void)!journal->clear(journal->self);
    }
    return waits;
}

static kw_status failed(struct kw_winc *winc, kw_status status,
                        struct kw_error *error) {
    const int saved = errno;
    const bool waits = drop_torn_journal(winc);
    errno = saved;
    if (waits || kw_status_class(status) != KW_CLASS_CHIP) {
        return kw_winc_flash_error(winc, status, "write the stores", error);
    }
    (void)kw_error(error, status, "cannot write the stores of module %s: %s",
                   winc->name, kw_status_text(status));
    return kw_error_hint(error, "%sthe stores are as they were",
                         winc->update.journal == &winc->in_flash
                             ? "without --journal flash it is a file of this "
                               "PC; "
                             : "");
}

static kw_status enter_subjects(const struct kw_winc_work *work, bool written,
                                struct kw_error *error) {
    const struct kw_winc_input *entered[KW_WINC_ROOTS_MAX];
    for (size_t i = 0; i < work->roots; i++) {
        entered[i] = work->root[i].input;
    }
    return work->roots == 0 ? KW_OK
                            : kw_winc_record_enter(work->winc, entered,
                                                   work->roots, written, error);
}

kw_status kw_winc_work_run(struct kw_winc_work *work, struct kw_error *error) {
    KW_TRY(enter_subjects(work, false, error));
    const kw_status status =
        kw_winc_update_run(&work->winc->update, &work->change);
    return status == KW_OK ? enter_subjects(work, true, error)
                           : failed(work->winc, status, error);
}
