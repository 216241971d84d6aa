#include "host/authority_set.h"

#include <stdlib.h>
#include <string.h>

#include "host/authority.h"
#include "host/journal.h"
#include "host/keyring.h"
#include "host/public_slot.h"
#include "host/register.h"
#include "host/rotation_step.h"
#include "host/signature_file.h"

/* --- which one --- */

kw_status kw_authority_named(const struct kw_rotation *rotation,
                             uint8_t key[KW_PUBLIC_KEY_SIZE],
                             struct kw_error *error) {
    struct kw_authority *authority = NULL;
    const char *name = rotation->authority;
    const kw_status status =
        kw_authority_open_in(rotation->workspace, name, &authority, error);
    if (kw_status_class(status) != KW_CLASS_PARSE) {
        KW_TRY(status);
        kw_authority_public(authority, key);
        kw_authority_close(authority);
        return KW_OK;
    }
    KW_TRY(kw_public_key_file_read(name, key, error));
    return kw_public_key_is_point(key)
               ? KW_OK
               : kw_error_core(error, KW_PARSE_KEY, name);
}

static kw_status find_in_keys(const struct kw_rotation *rotation,
                              const char *fingerprint,
                              uint8_t key[KW_PUBLIC_KEY_SIZE],
                              struct kw_error *error) {
    struct kw_key_files files;
    bool found = false;
    KW_TRY(kw_keyring_list(rotation->workspace, &files, error));
    for (size_t i = 0; i < files.count && !found; i++) {
        const struct kw_key_file *file = &files.file[i];
        char text[KW_FINGERPRINT_TEXT];
        if (file->has_public && file->slot == KW_AUTHORITY_SLOT) {
            kw_fingerprint(file->public_key, text);
            found = strcmp(text, fingerprint) == 0;
            memcpy(key, file->public_key, KW_PUBLIC_KEY_SIZE);
        }
    }
    kw_key_files_free(&files);
    return found ? KW_OK : KW_NO;
}

static kw_status find_of_key(const struct kw_rotation *rotation,
                             const uint8_t rotating[KW_PUBLIC_KEY_SIZE],
                             uint8_t key[KW_PUBLIC_KEY_SIZE],
                             struct kw_error *error) {
    char former[KW_FINGERPRINT_TEXT];
    KW_TRY(
        kw_register_authority_of(rotation->workspace, rotating, former, error));
    return former[0] == '\0' ? KW_NO
                             : find_in_keys(rotation, former, key, error);
}

/* Half-written, slot 14 holds nobody's key: the open rotation's bundle says
 * which one it is to become. */
static kw_status find_of_rotation(const struct kw_rotation *rotation,
                                  const struct kw_rotation_view *view,
                                  uint8_t key[KW_PUBLIC_KEY_SIZE],
                                  struct kw_error *error) {
    struct kw_journal journal;
    struct kw_bundle_file file;
    KW_TRY(kw_journal_find(rotation->workspace, view->state.serial, &journal,
                           error));
    char *path =
        journal.bundle == NULL
            ? NULL
            : kw_workspace_path(rotation->workspace, "%s", journal.bundle);
    kw_journal_free(&journal);
    const kw_status status =
        path == NULL ? KW_NO : kw_bundle_file_read(path, &file, error);
    free(path);
    return status == KW_OK
               ? find_of_key(rotation, file.bundle.new_key, key, error)
               : KW_NO;
}

static kw_status find_former(const struct kw_rotation *rotation,
                             const struct kw_rotation_view *view,
                             uint8_t key[KW_PUBLIC_KEY_SIZE],
                             struct kw_error *error) {
    const kw_status status =
        view->has_key ? find_of_key(rotation, view->key, key, error) : KW_NO;
    return status == KW_NO ? find_of_rotation(rotation, view, key, error)
                           : status;
}

kw_status kw_authority_choose(const struct kw_rotation *rotation,
                              const struct kw_rotation_view *view,
                              uint8_t key[KW_PUBLIC_KEY_SIZE],
                              struct kw_error *error) {
    if (rotation->authority != NULL) {
        return kw_authority_named(rotation, key, error);
    }
    const kw_status status = find_former(rotation, view, key, error);
    if (status == KW_NO) {
        kw_error(error, KW_NO,
                 "the register and keys/ show no authority of before");
        return kw_error_hint(error, "name its key, or its public key alone, "
                                    "with --authority FILE");
    }
    return status;
}

/* --- the slot --- */

kw_status kw_authority_set(const struct kw_rotation *rotation,
                           const struct kw_rotation_view *view,
                           const uint8_t key[KW_PUBLIC_KEY_SIZE],
                           struct kw_error *error) {
    if (!kw_authority_slot_is_open(view->state.config)) {
        return kw_error(error, KW_NO,
                        "slot 13 is locked: what it holds is there for ever");
    }
    const kw_status status =
        kw_public_slot_write(rotation->chip, KW_AUTHORITY_SLOT, key);
    kw_chip_idle(rotation->chip);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(error, status, rotation->chip,
                                           "cannot write slot 13");
}
