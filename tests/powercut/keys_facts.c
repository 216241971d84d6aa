#include "tests/powercut/keys_facts.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "core/rotate.h"
#include "host/hex_file.h"
#include "sim/atecc608/personality.h"
#include "sim/nvm/nvm.h"

#define SECRET 32

static const unsigned PUBLIC_SLOTS[] = {13, 14, 15};
static const unsigned SECRET_SLOTS[] = {5, 6};

bool kw_cut_read_image(const char *workspace, struct kw_cut_image *image) {
    char path[160];
    struct kw_nvm *nvm = NULL;
    (void)snprintf(path, sizeof path, "%s/chips/trustflex.chip", workspace);
    const bool done = kw_nvm_open(path, "atecc608", (uint8_t *)&image->eeprom,
                                  sizeof image->eeprom, &nvm) == KW_OK;
    kw_nvm_close(nvm);
    return done;
}

const uint8_t *kw_cut_slot(const struct kw_cut_image *image, unsigned slot) {
    return kw_sim_eeprom_slot((struct kw_sim_eeprom *)&image->eeprom, slot);
}

bool kw_cut_is_filled(const uint8_t *bytes, size_t size, uint8_t value) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static void drop_pads(uint8_t stored[KW_STORED_KEY_SIZE]) {
    memset(stored, 0, 4);
    memset(stored + KW_STORED_KEY_SIZE / 2, 0, 4);
}

/* The block of a public key's slot is that of a key whose private half is on
 * disk. */
static bool is_of_a_key(const struct kw_key_files *files, unsigned slot,
                        const uint8_t stored[KW_STORED_KEY_SIZE],
                        unsigned block) {
    uint8_t mine[KW_STORED_KEY_SIZE];
    const size_t at = block * (size_t)KW_BLOCK_SIZE;
    const size_t size =
        block == 2 ? KW_STORED_KEY_SIZE - at : (size_t)KW_BLOCK_SIZE;
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        kw_stored_key(file->public_key, mine);
        if (file->slot == slot && file->has_public &&
            memcmp(mine + at, stored + at, size) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_public_explained(const struct kw_key_files *files,
                                const struct kw_cut_image *image,
                                unsigned slot) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    for (unsigned block = 0; block < 3; block++) {
        memcpy(stored, kw_cut_slot(image, slot), sizeof stored);
        const uint8_t *at = stored + (size_t)block * KW_BLOCK_SIZE;
        const size_t size = block == 2 ? 8 : KW_BLOCK_SIZE;
        if (kw_cut_is_filled(at, size, 0) ||
            kw_cut_is_filled(at + 1, size - 1, 0xFF)) {
            continue;
        }
        drop_pads(stored);
        if (!is_of_a_key(files, slot, stored, block) &&
            !kw_cut_is_filled(at, size, 0)) {
            return false;
        }
    }
    return true;
}

static bool is_secret_explained(const struct kw_key_files *files,
                                const struct kw_cut_image *image,
                                unsigned slot) {
    const uint8_t *bytes = kw_cut_slot(image, slot);
    struct kw_error ignored;
    uint8_t key[SECRET];
    if (kw_cut_is_filled(bytes, SECRET, 0) ||
        kw_cut_is_filled(bytes, SECRET, 0xFF)) {
        return true;
    }
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        if (file->slot == slot && !file->is_key_pair &&
            kw_key_file_read(file->path, key, &ignored) == KW_OK &&
            memcmp(key, bytes, SECRET) == 0) {
            return true;
        }
    }
    return false;
}

bool kw_cut_is_validated(const struct kw_cut_image *image) {
    return kw_stored_key_is_valid(kw_cut_slot(image, KW_ROTATING_SLOT)[0]);
}

static bool has_authority(const struct kw_cut_image *image) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    return kw_stored_key_read(kw_cut_slot(image, KW_AUTHORITY_SLOT), key);
}

const char *kw_cut_explain_slots(const struct kw_key_files *files,
                                 const struct kw_cut_image *image) {
    for (unsigned i = 0; i < 3; i++) {
        if (!is_public_explained(files, image, PUBLIC_SLOTS[i])) {
            return "a slot holds a public key whose private key is not there";
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!is_secret_explained(files, image, SECRET_SLOTS[i])) {
            return "a slot holds a secret that is not on disk";
        }
    }
    return kw_cut_is_validated(image) && !has_authority(image)
               ? "slot 14 is validated, and its authority is gone"
               : NULL;
}

bool kw_cut_open_keys(const char *folder, struct kw_workspace *workspace,
                      struct kw_key_files *files) {
    struct kw_error error;
    if (kw_workspace_open(workspace, folder, &error) != KW_OK) {
        return false;
    }
    if (kw_keyring_list(workspace, files, &error) != KW_OK) {
        kw_workspace_close(workspace);
        return false;
    }
    return true;
}

size_t kw_cut_count_files(const char *workspace, const char *pattern) {
    char path[160];
    glob_t found;
    (void)snprintf(path, sizeof path, "%s/%s", workspace, pattern);
    const size_t count =
        glob(path, GLOB_PERIOD, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return count;
}

const struct kw_key_file *kw_cut_newest(const struct kw_key_files *files,
                                        unsigned slot) {
    const struct kw_key_file *newest = NULL;
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        if (file->slot == slot &&
            (newest == NULL || file->generation > newest->generation)) {
            newest = file;
        }
    }
    return newest;
}

bool kw_cut_holds_newest(const struct kw_key_files *files,
                         const struct kw_cut_image *image, unsigned slot) {
    const struct kw_key_file *newest = kw_cut_newest(files, slot);
    struct kw_key_files only = {(struct kw_key_file *)newest, 1};
    if (newest == NULL ||
        kw_cut_is_filled(kw_cut_slot(image, slot), SECRET, 0)) {
        return false;
    }
    return newest->is_key_pair ? is_public_explained(&only, image, slot)
                               : is_secret_explained(&only, image, slot);
}

const char *kw_cut_not_newest(const struct kw_key_files *files,
                              const struct kw_cut_image *image) {
    for (unsigned i = 0; i < 3; i++) {
        if (!kw_cut_holds_newest(files, image, PUBLIC_SLOTS[i])) {
            return "a slot holds another key than the newest generation's";
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!kw_cut_holds_newest(files, image, SECRET_SLOTS[i])) {
            return "a slot holds another secret than the newest generation's";
        }
    }
    return NULL;
}

static const char *overstates(const struct kw_key_files *files,
                              const struct kw_cut_image *image, unsigned slot) {
    const struct kw_key_file *newest = kw_cut_newest(files, slot);
    return newest != NULL && kw_generation_is_programmed(newest) &&
                   !kw_cut_holds_newest(files, image, slot)
               ? "a generation is marked as programmed and is not in the chip"
               : NULL;
}

const char *kw_cut_check_marks(const struct kw_key_files *files,
                               const struct kw_cut_image *image) {
    const char *why = NULL;
    for (unsigned i = 0; i < 3 && why == NULL; i++) {
        why = overstates(files, image, PUBLIC_SLOTS[i]);
    }
    for (unsigned i = 0; i < 2 && why == NULL; i++) {
        why = overstates(files, image, SECRET_SLOTS[i]);
    }
    return why;
}
