#include "host/manifest/record.h"

#include <stdlib.h>
#include <string.h>

#include "core/rotate.h"
#include "host/certs/pki_file.h"
#include "host/certs/pki_verify.h"
#include "host/manifest/check.h"

#define DEVICE_SLOT       10u
#define SIGNER_KEY_SLOT   11u
#define SIGNER_SLOT       12u
#define CHIPS_OWN_KEYS    5u
#define FIRST_PUBLIC_SLOT 13u
#define LAST_PUBLIC_SLOT  15u

/* --- keys --- */

static void add_key(struct kw_manifest_record *record, unsigned slot,
                    const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    struct kw_manifest_key *key = &record->keys[record->key_count++];
    key->kid = (uint8_t)slot;
    memcpy(key->public_key, public_key, KW_PUBLIC_KEY_SIZE);
}

static kw_status read_own_keys(struct kw_chip *chip,
                               struct kw_manifest_record *record,
                               struct kw_error *error) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    for (unsigned slot = 0; slot < CHIPS_OWN_KEYS; slot++) {
        const kw_status status = kw_chip_public_key(chip, slot, key);
        if (status != KW_OK) {
            return kw_error_chip(error, status, chip,
                                 "cannot read the public key of a private "
                                 "key slot");
        }
        add_key(record, slot, key);
    }
    return KW_OK;
}

static kw_status read_stored_keys(struct kw_chip *chip,
                                  struct kw_manifest_record *record,
                                  struct kw_error *error) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    for (unsigned slot = FIRST_PUBLIC_SLOT; slot <= LAST_PUBLIC_SLOT; slot++) {
        const kw_status status =
            kw_chip_read_slot(chip, slot, stored, sizeof stored);
        if (status != KW_OK) {
            return kw_error_chip(error, status, chip,
                                 "cannot read a public key slot");
        }
        if (!kw_stored_key_read(stored, key)) {
            kw_error(error, KW_NO, "slot %u holds no public key", slot);
            return kw_error_hint(error, "a TrustFLEX entry names slots 13, 14 "
                                        "and 15: `keywright resources make` "
                                        "fills them");
        }
        add_key(record, slot, key);
    }
    return KW_OK;
}

/* --- certificates --- */

/* What the chip holds of a certificate. */
struct wanted {
    const char *what;
    uint8_t signature[KW_SIGNATURE_SIZE];
    const uint8_t *public_key;
};

static bool is_wanted(const struct wanted *wanted,
                      const struct kw_pki_view *view) {
    return memcmp(view->signature, wanted->signature, KW_SIGNATURE_SIZE) == 0 &&
           memcmp(view->public_key, wanted->public_key, KW_PUBLIC_KEY_SIZE) ==
               0;
}

static bool try_file(const char *path, const struct wanted *wanted,
                     struct kw_pki_bytes *bytes) {
    struct kw_error ignored;
    struct kw_pki_view view;
    return kw_pki_read_file(path, bytes, &view, &ignored) == KW_OK &&
           is_wanted(wanted, &view);
}

static bool search_folder(const char *folder, const struct wanted *wanted,
                          struct kw_pki_bytes *bytes) {
    struct kw_error ignored;
    struct kw_names names;
    bool found = false;
    if (kw_folder_list(folder, &names, &ignored) != KW_OK) {
        return false;
    }
    for (size_t i = 0; !found && i < names.count; i++) {
        char *path = kw_format("%s/%s", folder, names.name[i]);
        found = path != NULL && try_file(path, wanted, bytes);
        free(path);
    }
    kw_names_free(&names);
    return found;
}

/* In certs/ and its folders. */
static bool search(const struct kw_workspace *workspace,
                   const struct wanted *wanted, struct kw_pki_bytes *bytes) {
    struct kw_error ignored;
    struct kw_names names;
    char *folder = kw_workspace_path(workspace, "certs");
    bool found = folder != NULL && search_folder(folder, wanted, bytes);
    if (folder != NULL && !found &&
        kw_folder_list(folder, &names, &ignored) == KW_OK) {
        for (size_t i = 0; !found && i < names.count; i++) {
            char *below = kw_format("%s/%s", folder, names.name[i]);
            found = below != NULL && search_folder(below, wanted, bytes);
            free(below);
        }
        kw_names_free(&names);
    }
    free(folder);
    return found;
}

static kw_status find_certificate(const struct kw_workspace *workspace,
                                  const char *file, const struct wanted *wanted,
                                  struct kw_pki_bytes *bytes,
                                  struct kw_error *error) {
    struct kw_pki_view view;
    if (file != NULL) {
        KW_TRY(kw_pki_read_file(file, bytes, &view, error));
        return is_wanted(wanted, &view)
                   ? KW_OK
                   : kw_error(error, KW_NO,
                              "%s is not the %s's certificate that the chip "
                              "holds",
                              file, wanted->what);
    }
    if (!search(workspace, wanted, bytes)) {
        kw_error(error, KW_NO,
                 "the workspace has no certificate file of the %s that the "
                 "chip holds",
                 wanted->what);
        return kw_error_hint(error, "name it with --%s-cert FILE",
                             wanted->what);
    }
    return KW_OK;
}

static kw_status wanted_of_slot(struct kw_chip *chip, unsigned slot,
                                struct wanted *wanted, struct kw_error *error) {
    uint8_t bytes[KW_COMPCERT_SIZE];
    struct kw_compcert compcert;
    kw_status status = kw_chip_read_slot(chip, slot, bytes, sizeof bytes);
    if (status != KW_OK) {
        return kw_error_chip(error, status, chip,
                             "cannot read a certificate slot");
    }
    status = kw_compcert_decode(bytes, &compcert);
    if (status != KW_OK) {
        kw_error(error, KW_NO, "slot %u holds no compressed certificate", slot);
        return kw_error_hint(error, "an entry needs the chip's certificate "
                                    "chain");
    }
    memcpy(wanted->signature, compcert.signature, KW_SIGNATURE_SIZE);
    return KW_OK;
}

static kw_status read_signer_key(struct kw_chip *chip,
                                 uint8_t key[KW_PUBLIC_KEY_SIZE],
                                 struct kw_error *error) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    const kw_status status =
        kw_chip_read_slot(chip, SIGNER_KEY_SLOT, stored, sizeof stored);
    if (status != KW_OK) {
        return kw_error_chip(error, status, chip, "cannot read slot 11");
    }
    return kw_stored_key_read(stored, key)
               ? KW_OK
               : kw_error(error, KW_NO, "slot 11 holds no public key");
}

static kw_status read_chain(const struct kw_workspace *workspace,
                            struct kw_chip *chip,
                            const struct kw_manifest_files *files,
                            struct kw_manifest_record *record,
                            struct kw_error *error) {
    uint8_t signer_key[KW_PUBLIC_KEY_SIZE];
    struct wanted device = {.what = "device",
                            .public_key = record->keys[0].public_key};
    struct wanted signer = {.what = "signer", .public_key = signer_key};
    KW_TRY(read_signer_key(chip, signer_key, error));
    KW_TRY(wanted_of_slot(chip, DEVICE_SLOT, &device, error));
    KW_TRY(wanted_of_slot(chip, SIGNER_SLOT, &signer, error));
    KW_TRY(find_certificate(workspace, files->device, &device, &record->device,
                            error));
    return find_certificate(workspace, files->signer, &signer, &record->signer,
                            error);
}

/* --- held against each other --- */

static struct kw_verdict wrong(const char *words) {
    return (struct kw_verdict){KW_NO, words};
}

static struct kw_verdict check(struct kw_manifest_record *record,
                               struct kw_pki_view *device,
                               struct kw_pki_view *signer) {
    const char *words = NULL;
    if (kw_pki_read(kw_pki_cursor(&record->device), device) != KW_OK) {
        return (struct kw_verdict){KW_PARSE, "device is no P-256 certificate"};
    }
    if (kw_pki_read(kw_pki_cursor(&record->signer), signer) != KW_OK) {
        return (struct kw_verdict){KW_PARSE, "signer is no P-256 certificate"};
    }
    if (record->key_count == 0 || record->keys[0].kid != 0 ||
        memcmp(record->keys[0].public_key, device->public_key,
               KW_PUBLIC_KEY_SIZE) != 0) {
        return wrong("key 0 is not the key of the device's certificate");
    }
    if (!kw_manifest_name_fits(device, record->serial)) {
        return wrong("the device's certificate names another serial number");
    }
    if (kw_pki_check_link(signer, device, &words) != KW_OK) {
        return wrong(words);
    }
    record->provisioned = device->not_before;
    return (struct kw_verdict){KW_OK, NULL};
}

struct kw_verdict kw_manifest_record_check(struct kw_manifest_record *record) {
    struct kw_pki_view device;
    struct kw_pki_view signer;
    return check(record, &device, &signer);
}

static kw_status check_all(struct kw_manifest_record *record,
                           struct kw_error *error) {
    struct kw_pki_view device;
    struct kw_pki_view signer;
    struct kw_verifier *verifier = NULL;
    const struct kw_verdict verdict = check(record, &device, &signer);
    if (verdict.status != KW_OK) {
        return kw_error(error, verdict.status, "the chip's certificates: %s",
                        verdict.words);
    }
    KW_TRY(kw_verifier_open(signer.public_key, &verifier));
    const kw_status status = kw_verifier_certificate(verifier, &device);
    kw_verifier_close(verifier);
    return status == KW_OK ? KW_OK
                           : kw_error(error, status,
                                      "the signer in the chip did not sign "
                                      "the device's certificate");
}

static kw_status read_chip(const struct kw_workspace *workspace,
                           struct kw_chip *chip,
                           const struct kw_manifest_files *files,
                           struct kw_manifest_record *record,
                           struct kw_error *error) {
    struct kw_chip_about about;
    KW_TRY(kw_part_read(chip, &about, error));
    if ((about.part != KW_PART_TRUSTFLEX && about.part != KW_PART_TRUSTGO) ||
        about.model == KW_MODEL_UNKNOWN) {
        kw_error(error, KW_NO_CHIP_TYPE,
                 "the chip is no TrustFLEX or Trust&GO part that a manifest "
                 "knows");
        return kw_error_hint(error, "--chip names another chip");
    }
    record->part = about.part;
    record->model = about.model;
    memcpy(record->serial, about.serial, KW_SERIAL_SIZE);
    KW_TRY(read_own_keys(chip, record, error));
    if (about.part == KW_PART_TRUSTFLEX) {
        KW_TRY(read_stored_keys(chip, record, error));
    }
    KW_TRY(read_chain(workspace, chip, files, record, error));
    return check_all(record, error);
}

kw_status kw_manifest_record_of_chip(const struct kw_workspace *workspace,
                                     struct kw_chip *chip,
                                     const struct kw_manifest_files *files,
                                     struct kw_manifest_record *record,
                                     struct kw_error *error) {
    record->key_count = 0;
    record->device_text = (struct kw_text){NULL, 0};
    record->signer_text = (struct kw_text){NULL, 0};
    const kw_status status = read_chip(workspace, chip, files, record, error);
    kw_chip_idle(chip);
    return status;
}
