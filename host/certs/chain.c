#include "host/certs/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/rotate.h"
#include "host/certs/definition.h"
#include "host/certs/pki_file.h"
#include "host/text.h"

#define EUI48_SLOT    5
#define NAME_TEXT_MAX 65

const char *const kw_chain_names[KW_CHAIN_COUNT] = {"root", "signer", "device"};

/* --- what is in the chip --- */

/* The codes of parts whose certificates have an EUI-48: cryptoauthlib,
 * app/tng/tng_atca.c. */
static bool has_eui48(const uint8_t code[8]) {
    return memcmp(code, "KQp2ZkD8", 8) == 0 || memcmp(code, "x6tjuZMy", 8) == 0;
}

/* Where slot 5 holds no digits the names have none: an emulated part. */
static kw_status read_eui48(struct kw_chip *chip, struct kw_chip_certs *certs) {
    uint8_t otp[KW_BLOCK_SIZE];
    uint8_t slot[KW_BLOCK_SIZE];
    KW_TRY(kw_chip_read(chip, KW_ZONE_OTP, 0, 0, 0, otp, sizeof otp));
    if (!has_eui48(otp)) {
        return KW_OK;
    }
    KW_TRY(
        kw_chip_read(chip, KW_ZONE_DATA, EUI48_SLOT, 0, 0, slot, sizeof slot));
    for (size_t i = 0; i < KW_EUI48_DIGITS; i++) {
        KW_ENSURE(slot[i] != 0 && strchr("0123456789ABCDEF", slot[i]) != NULL,
                  KW_OK);
    }
    memcpy(certs->eui48, slot, KW_EUI48_DIGITS);
    return KW_OK;
}

static kw_status read_slots(struct kw_chip *chip, struct kw_chip_certs *certs) {
    for (unsigned i = 0; i < KW_CERT_SLOTS; i++) {
        KW_TRY(kw_chip_read_slot(chip, KW_CERT_FIRST_SLOT + i,
                                 certs->slots.slot[i], KW_COMPCERT_SIZE));
    }
    return read_eui48(chip, certs);
}

kw_status kw_chip_certs_read(struct kw_chip *chip, struct kw_chip_certs *certs,
                             struct kw_error *error) {
    memset(certs, 0, sizeof *certs);
    KW_TRY(kw_part_read(chip, &certs->about, error));
    kw_status status = read_slots(chip, certs);
    if (status == KW_OK) {
        status = kw_chip_public_key(chip, 0, certs->public_key);
    }
    kw_chip_idle(chip);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(error, status, chip,
                                           "cannot read the certificate slots "
                                           "and the key in slot 0");
}

bool kw_cert_slots_are_empty(const struct kw_cert_slots *slots) {
    return kw_all_bytes(slots, sizeof *slots, 0) ||
           kw_all_bytes(slots, sizeof *slots, 0xFF);
}

/* --- rebuilding --- */

static void id_of(const struct kw_pki_view *issuer,
                  uint8_t id[KW_KEY_ID_SIZE]) {
    if (issuer->subject_id != NULL) {
        memcpy(id, issuer->subject_id, KW_KEY_ID_SIZE);
        return;
    }
    kw_pki_key_id(issuer->public_key, id);
}

/* Builds chain[index] from its 72 bytes and checks its signature. */
static kw_status rebuild_one(struct kw_chain *chain, int index,
                             const uint8_t compressed[KW_COMPCERT_SIZE],
                             struct kw_pki_about *about,
                             const uint8_t device[KW_SERIAL_SIZE]) {
    const struct kw_pki_view *issuer = &chain->view[index - 1];
    struct kw_compcert compcert;
    struct kw_pki_bytes tbs;
    struct kw_verifier *verifier = NULL;
    uint8_t serial[KW_CERT_SERIAL_MAX];
    uint8_t id[KW_KEY_ID_SIZE];
    const struct kw_cert_inputs inputs = {.public_key = about->public_key,
                                          .device = device};
    KW_TRY(kw_compcert_decode(compressed, &compcert));
    KW_TRY(kw_cert_serial(&inputs, &compcert, KW_PKI_SERIAL_SIZE, serial));
    id_of(issuer, id);
    about->issuer = issuer->subject;
    about->issuer_id = id;
    about->serial = serial;
    about->serial_size = KW_PKI_SERIAL_SIZE;
    about->after_is_generalized = true;
    kw_moments_of_dates(&compcert.dates, &about->not_before, &about->not_after);
    KW_TRY(kw_pki_tbs(about, &tbs));
    KW_TRY(kw_pki_join(kw_pki_cursor(&tbs), compcert.signature,
                       &chain->bytes[index]));
    KW_TRY(
        kw_pki_read(kw_pki_cursor(&chain->bytes[index]), &chain->view[index]));
    KW_TRY(kw_verifier_open(issuer->public_key, &verifier));
    const kw_status status =
        kw_verifier_certificate(verifier, &chain->view[index]);
    kw_verifier_close(verifier);
    return status;
}

kw_status kw_chain_rebuild(const struct kw_chip_certs *certs,
                           struct kw_der signer_name, struct kw_der device_name,
                           struct kw_chain *chain) {
    uint8_t signer_key[KW_PUBLIC_KEY_SIZE];
    KW_ENSURE(kw_stored_key_read(certs->slots.slot[1], signer_key),
              KW_PARSE_KEY);
    struct kw_pki_about signer = {.profile = KW_PKI_SIGNER,
                                  .subject = signer_name,
                                  .public_key = signer_key};
    struct kw_pki_about device = {.profile = KW_PKI_DEVICE,
                                  .subject = device_name,
                                  .public_key = certs->public_key,
                                  .eui48 = chain->kind == KW_CHAIN_CUSTOM ||
                                                   certs->eui48[0] == '\0'
                                               ? NULL
                                               : certs->eui48};
    const uint8_t *serial = certs->about.serial;
    KW_TRY(rebuild_one(chain, KW_CHAIN_SIGNER, certs->slots.slot[2], &signer,
                       serial));
    return rebuild_one(chain, KW_CHAIN_DEVICE, certs->slots.slot[0], &device,
                       serial);
}

/* --- names by the root --- */

/* "... Root CA 002" becomes "... Signer HHHH". */
static bool signer_name_of(const struct kw_pki_view *root,
                           const uint8_t signer_id[2],
                           struct kw_pki_bytes *name) {
    char organisation[NAME_TEXT_MAX];
    char common_name[NAME_TEXT_MAX];
    char signer[NAME_TEXT_MAX + 16];
    char digits[5];
    if (kw_pki_attribute(root->subject, KW_PKI_ORGANISATION, organisation,
                         sizeof organisation) != KW_OK ||
        kw_pki_attribute(root->subject, KW_PKI_COMMON_NAME, common_name,
                         sizeof common_name) != KW_OK) {
        return false;
    }
    const char *end = strstr(common_name, "Root CA");
    const int prefix = end == NULL ? 0 : (int)(end - common_name);
    kw_hex_upper(signer_id, 2, digits);
    (void)snprintf(signer, sizeof signer, "%.*sSigner %s", prefix, common_name,
                   digits);
    return end != NULL && kw_pki_name(organisation, signer, name) == KW_OK;
}

/* The forms of a device's common name around its serial number. */
static const struct {
    const char *prefix;
    const char *suffix;
} DEVICE_FORMS[] = {{"sn", ""}, {"", " ATECC"}};

static bool device_name_of(const struct kw_pki_view *root,
                           const uint8_t serial[KW_SERIAL_SIZE], size_t form,
                           struct kw_pki_bytes *name) {
    char organisation[NAME_TEXT_MAX];
    char common_name[NAME_TEXT_MAX];
    char digits[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(serial, KW_SERIAL_SIZE, digits);
    (void)snprintf(common_name, sizeof common_name, "%s%s%s",
                   DEVICE_FORMS[form].prefix, digits,
                   DEVICE_FORMS[form].suffix);
    return kw_pki_attribute(root->subject, KW_PKI_ORGANISATION, organisation,
                            sizeof organisation) == KW_OK &&
           kw_pki_name(organisation, common_name, name) == KW_OK;
}

static kw_status try_root(const struct kw_chip_certs *certs,
                          struct kw_chain *chain) {
    const struct kw_pki_view *root = &chain->view[KW_CHAIN_ROOT];
    struct kw_compcert signer;
    struct kw_pki_bytes signer_name;
    struct kw_pki_bytes device_name;
    kw_status status = KW_NO_SIGNATURE;
    KW_TRY(kw_compcert_decode(certs->slots.slot[2], &signer));
    KW_ENSURE(signer_name_of(root, signer.signer_id, &signer_name), KW_PARSE);
    for (size_t i = 0;
         status != KW_OK && i < sizeof DEVICE_FORMS / sizeof *DEVICE_FORMS;
         i++) {
        KW_ENSURE(device_name_of(root, certs->about.serial, i, &device_name),
                  KW_PARSE);
        status = kw_chain_rebuild(certs, kw_pki_cursor(&signer_name),
                                  kw_pki_cursor(&device_name), chain);
    }
    return status;
}

/* --- the workspace's chains --- */

static kw_status read_below(const struct kw_workspace *workspace,
                            const char *folder, const char *file,
                            struct kw_pki_bytes *bytes,
                            struct kw_pki_view *view) {
    struct kw_error ignored;
    char *path = kw_workspace_path(workspace, "certs/%s/%s", folder, file);
    KW_ENSURE(path != NULL, KW_SYSTEM_MEMORY);
    const kw_status status = kw_pki_read_file(path, bytes, view, &ignored);
    free(path);
    return status;
}

static kw_status try_vendor(const struct kw_workspace *workspace,
                            const struct kw_chip_certs *certs,
                            struct kw_chain *chain) {
    KW_TRY(read_below(workspace, "simulated-vendor", "root.crt",
                      &chain->bytes[KW_CHAIN_ROOT],
                      &chain->view[KW_CHAIN_ROOT]));
    chain->kind = KW_CHAIN_VENDOR;
    return try_root(certs, chain);
}

/* The names are those of the device's certificate in the folder. */
static kw_status try_custom(const struct kw_workspace *workspace,
                            const char *folder,
                            const struct kw_chip_certs *certs,
                            struct kw_chain *chain) {
    struct kw_pki_bytes bytes;
    struct kw_pki_view device;
    char digits[2 * KW_SERIAL_SIZE + 1];
    char file[64];
    kw_hex_upper(certs->about.serial, KW_SERIAL_SIZE, digits);
    (void)snprintf(file, sizeof file, "device_%s.crt", digits);
    KW_TRY(read_below(workspace, folder, file, &bytes, &device));
    KW_TRY(read_below(workspace, folder, KW_CUSTOM_ROOT,
                      &chain->bytes[KW_CHAIN_ROOT],
                      &chain->view[KW_CHAIN_ROOT]));
    chain->kind = KW_CHAIN_CUSTOM;
    return kw_chain_rebuild(certs, device.issuer, device.subject, chain);
}

static bool try_customs(const struct kw_workspace *workspace,
                        const struct kw_chip_certs *certs,
                        struct kw_chain *chain) {
    struct kw_error ignored;
    struct kw_names names;
    bool found = false;
    char *path = kw_workspace_path(workspace, "certs");
    if (path == NULL || kw_folder_list(path, &names, &ignored) != KW_OK) {
        free(path);
        return false;
    }
    for (size_t i = names.count; !found && i-- > 0;) {
        found = strncmp(names.name[i], "custom-", 7) == 0 &&
                try_custom(workspace, names.name[i], certs, chain) == KW_OK;
    }
    kw_names_free(&names);
    free(path);
    return found;
}

/* --- finding --- */

static kw_status unknown(struct kw_error *error) {
    kw_error(error, KW_NO,
             "no root that is known here fits the chain in slots 10, 11 and "
             "12");
    return kw_error_hint(error, "name the chain's root with --root FILE");
}

static kw_status find_by_file(const char *path,
                              const struct kw_chip_certs *certs,
                              struct kw_chain *chain, struct kw_error *error) {
    KW_TRY(kw_pki_read_file(path, &chain->bytes[KW_CHAIN_ROOT],
                            &chain->view[KW_CHAIN_ROOT], error));
    chain->kind = KW_CHAIN_ROOT_FILE;
    if (try_root(certs, chain) == KW_OK) {
        return KW_OK;
    }
    return kw_error(error, KW_NO,
                    "the chain in slots 10, 11 and 12 does not come from the "
                    "root in %s, or has other names than the vendor's",
                    path);
}

/* An own chain in the workspace knows its names; the root must be the one
 * in the file all the same. */
static bool is_custom_of(const struct kw_chain_sources *sources,
                         const struct kw_chip_certs *certs,
                         struct kw_chain *chain) {
    struct kw_pki_bytes bytes;
    struct kw_pki_view root;
    struct kw_error ignored;
    return sources->workspace != NULL && !sources->vendor_only &&
           try_customs(sources->workspace, certs, chain) &&
           (sources->root == NULL ||
            (kw_pki_read_file(sources->root, &bytes, &root, &ignored) ==
                 KW_OK &&
             kw_der_is(&root.whole, chain->bytes[KW_CHAIN_ROOT].der,
                       chain->bytes[KW_CHAIN_ROOT].size)));
}

kw_status kw_chain_find(const struct kw_chain_sources *sources,
                        const struct kw_chip_certs *certs,
                        struct kw_chain *chain, struct kw_error *error) {
    if (kw_cert_slots_are_empty(&certs->slots)) {
        kw_error(error, KW_NO, "slots 10, 11 and 12 hold no certificates");
        return kw_error_hint(error, "`keywright certs custom` makes some");
    }
    if (is_custom_of(sources, certs, chain)) {
        return KW_OK;
    }
    if (sources->root != NULL) {
        return find_by_file(sources->root, certs, chain, error);
    }
    return sources->workspace != NULL &&
                   try_vendor(sources->workspace, certs, chain) == KW_OK
               ? KW_OK
               : unknown(error);
}

kw_status kw_chain_check(const struct kw_chain *chain,
                         const struct kw_moment *at, struct kw_error *error) {
    return kw_pki_check_chain(chain->view, kw_chain_names, KW_CHAIN_COUNT, at,
                              error);
}

void kw_chain_thing_id(const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                       char text[KW_THING_ID_TEXT]) {
    uint8_t id[KW_KEY_ID_SIZE];
    kw_pki_key_id(public_key, id);
    kw_hex(id, sizeof id, text);
}
