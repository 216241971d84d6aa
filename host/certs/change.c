#include "host/certs/change.h"

#include <stdlib.h>
#include <string.h>

static kw_status write_and_close(const struct kw_certs_change *change,
                                 struct kw_certs_journal *journal,
                                 const struct kw_cert_slots *slots,
                                 const char *outcome, struct kw_error *error) {
    KW_TRY(kw_cert_slots_write(change->chip, change->certs, slots, error));
    return kw_certs_journal_close(journal, outcome, error);
}

kw_status kw_certs_change(const struct kw_certs_change *change,
                          const struct kw_cert_slots *slots, const char *verb,
                          struct kw_error *error) {
    struct kw_certs_journal journal = {.before = change->certs->slots,
                                       .after = *slots};
    if (memcmp(slots, &change->certs->slots, sizeof *slots) == 0) {
        return KW_OK;
    }
    KW_TRY(kw_cert_slots_check(change->certs, slots, error));
    KW_TRY(kw_certs_journal_begin(
        change->workspace, change->certs->about.serial, verb, &journal, error));
    const kw_status status =
        write_and_close(change, &journal, slots, "done", error);
    kw_certs_journal_free(&journal);
    return status;
}

/* --- after a cut --- */

/* Is each block as before or as after? A cut leaves no other ones, unless a
 * block itself was torn, or somebody else wrote since. */
static bool is_explained(const struct kw_cert_slots *now,
                         const struct kw_certs_journal *journal) {
    for (size_t i = 0; i < KW_CERT_SLOTS; i++) {
        for (size_t at = 0; at < KW_COMPCERT_SIZE; at += KW_BLOCK_SIZE) {
            const size_t left = KW_COMPCERT_SIZE - at;
            const size_t size = left < KW_BLOCK_SIZE ? left : KW_BLOCK_SIZE;
            const uint8_t *there = now->slot[i] + at;
            if (memcmp(there, journal->before.slot[i] + at, size) != 0 &&
                memcmp(there, journal->after.slot[i] + at, size) != 0) {
                return false;
            }
        }
    }
    return true;
}

static kw_status keep_what_is_there(const struct kw_certs_change *change,
                                    const struct kw_certs_journal *journal,
                                    struct kw_error *error) {
    struct kw_cert_backup kept;
    if (is_explained(&change->certs->slots, journal)) {
        return KW_OK;
    }
    KW_TRY(
        kw_certs_backup(change->workspace, change->certs, NULL, &kept, error));
    free(kept.file);
    return KW_OK;
}

kw_status kw_certs_resume(const struct kw_certs_change *change, bool take_back,
                          bool *resumed, struct kw_error *error) {
    struct kw_certs_journal journal;
    *resumed = false;
    KW_TRY(kw_certs_journal_find(change->workspace, change->certs->about.serial,
                                 &journal, error));
    if (journal.path == NULL) {
        return KW_OK;
    }
    kw_status status = keep_what_is_there(change, &journal, error);
    if (status == KW_OK) {
        status = write_and_close(change, &journal,
                                 take_back ? &journal.before : &journal.after,
                                 take_back ? "rolled-back" : "done", error);
    }
    kw_certs_journal_free(&journal);
    *resumed = status == KW_OK;
    return status;
}

kw_status kw_certs_no_journal(const struct kw_workspace *workspace,
                              const uint8_t *serial, struct kw_error *error) {
    struct kw_certs_journal journal;
    KW_TRY(kw_certs_journal_find(workspace, serial, &journal, error));
    const bool is_open = journal.path != NULL;
    kw_certs_journal_free(&journal);
    if (!is_open) {
        return KW_OK;
    }
    kw_error(error, KW_INTERRUPTED,
             "a change of slots 10, 11 and 12 was interrupted");
    return kw_error_hint(error, "`keywright certs resume` finishes it, `certs "
                                "resume --old` takes it back");
}
