#include "host/certs/simulated_vendor.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "core/rotate.h"
#include "host/certs/certificate.h"
#include "host/key.h"
#include "host/openssl_hash.h"
#include "host/text.h"

#define KEYS         "keys/simulated-vendor"
#define CERTIFICATES "certs/simulated-vendor"

/* As long as the vendor's own names. */
#define ORGANISATION "Simulated Vendor (no CA)"
#define ROOT_NAME    "Simulated Certificate Root CA 002"
#define SIGNER_NAME  "Simulated Certificate Signer FFF0"
_Static_assert(sizeof ORGANISATION == 24 + 1, "24 characters");
_Static_assert(sizeof ROOT_NAME == 33 + 1, "33 characters");
_Static_assert(sizeof SIGNER_NAME == 33 + 1, "33 characters");

static const uint8_t SIGNER_ID[2] = {0xFF, 0xF0};

#define ROOT_YEARS      40
#define SIGNER_YEARS    31
#define DEVICE_YEARS    28
#define SIGNER_TEMPLATE 1
#define CHAIN           0
#define DEVICE_NAME_MAX 32

/* The common name of a device: prefix, serial in upper case, suffix. That a
 * 608B has template 3 is inference. */
static const struct device_template {
    uint8_t id;
    const char *prefix;
    const char *suffix;
} TEMPLATES[] = {
    [KW_MODEL_608A] = {2, "", " ATECC"},
    [KW_MODEL_608B] = {3, "sn", ""},
};

/* A key that issues, with its certificate. */
struct authority {
    char *key_path;
    char *certificate_path;
    struct kw_key *key; /* NULL: lost, needed only to issue */
    X509 *certificate;
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    struct kw_compcert_dates dates;
};

struct kw_simulated_vendor {
    const struct kw_workspace *workspace;
    struct kw_compcert_dates now;
    struct authority root;
    struct authority signer;
};

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- dates --- */

static struct kw_compcert_dates hour_of(time_t now) {
    struct tm utc;
    (void)gmtime_r(&now, &utc);
    struct kw_compcert_dates dates = {
        .year = (uint16_t)(utc.tm_year + 1900),
        .month = (uint8_t)(utc.tm_mon + 1),
        .day = (uint8_t)utc.tm_mday,
        .hour = (uint8_t)utc.tm_hour,
    };
    if (dates.month == 2 && dates.day == 29) {
        dates.day = 28;
        dates.hour = 23;
    }
    return dates;
}

static uint32_t order_of(const struct kw_compcert_dates *dates) {
    return (uint32_t)dates->year << 14 | (uint32_t)dates->month << 10 |
           (uint32_t)dates->day << 5 | dates->hour;
}

/* From now, or from the issuer's first hour when the clock went back. */
static struct kw_compcert_dates
dates_below(const struct kw_compcert_dates *now,
            const struct kw_compcert_dates *issuer, uint8_t years) {
    struct kw_compcert_dates dates =
        order_of(now) < order_of(issuer) ? *issuer : *now;
    dates.years = years;
    return dates;
}

/* --- issuing --- */

static kw_status sign(const struct kw_tbs *tbs, const struct kw_key *key,
                      X509 **certificate, struct kw_error *error) {
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    KW_TRY(kw_hash_bytes(&kw_openssl_hash, tbs->der, tbs->size, digest));
    KW_TRY(kw_key_sign(key, digest, signature, error));
    return kw_certificate_join(tbs, signature, certificate);
}

static kw_status issue(const struct kw_certificate_about *about,
                       const struct authority *issuer, X509 **certificate,
                       struct kw_error *error) {
    struct kw_tbs tbs;
    if (issuer->key == NULL) {
        kw_error(error, KW_NO, "%s is missing, and %s has been issued with it",
                 issuer->key_path, issuer->certificate_path);
        return kw_error_hint(error, "put the file back, or start anew in "
                                    "another folder: --workspace DIR");
    }
    kw_status status = kw_certificate_tbs(about, &tbs);
    if (status == KW_OK) {
        status = sign(&tbs, issuer->key, certificate, error);
    }
    return status == KW_OK
               ? KW_OK
               : kw_error_core(error, status, "cannot issue a certificate");
}

/* --- root and signer --- */

static kw_status read_key(struct authority *authority, struct kw_error *error) {
    return kw_file_exists(authority->key_path)
               ? kw_key_read(authority->key_path, &authority->key, error)
               : KW_OK;
}

static kw_status make_key(struct authority *authority, struct kw_error *error) {
    KW_TRY(read_key(authority, error));
    if (authority->key == NULL) {
        KW_TRY(kw_key_make(&authority->key, error));
        KW_TRY(kw_key_write(authority->key, authority->key_path, error));
    }
    kw_key_public(authority->key, authority->public_key);
    return KW_OK;
}

static kw_status foreign(const struct authority *authority,
                         struct kw_error *error) {
    kw_error(error, KW_PARSE,
             "%s is not the certificate that belongs to this workspace",
             authority->certificate_path);
    return kw_error_hint(error, "put the right file back, or start anew in "
                                "another folder: --workspace DIR");
}

static kw_status read_authority(struct authority *authority,
                                struct kw_error *error) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    X509 **certificate = &authority->certificate;
    KW_TRY(
        kw_certificate_read(authority->certificate_path, certificate, error));
    if (kw_certificate_public_key(*certificate, authority->public_key) !=
            KW_OK ||
        kw_certificate_dates(*certificate, &authority->dates) != KW_OK) {
        return foreign(authority, error);
    }
    KW_TRY(read_key(authority, error));
    if (authority->key == NULL) {
        return KW_OK;
    }
    kw_key_public(authority->key, public_key);
    return memcmp(public_key, authority->public_key, sizeof public_key) == 0
               ? KW_OK
               : foreign(authority, error);
}

/* 16 bytes, the highest bits 01, as the serials that come from a hash. */
static kw_status random_serial(uint8_t serial[KW_COMPCERT_SERIAL_SIZE],
                               struct kw_error *error) {
    KW_TRY(kw_random(serial, KW_COMPCERT_SERIAL_SIZE, error));
    serial[0] = (serial[0] & 0x7F) | 0x40;
    return KW_OK;
}

static kw_status make_root(struct kw_simulated_vendor *vendor,
                           struct kw_error *error) {
    struct authority *root = &vendor->root;
    uint8_t serial[KW_COMPCERT_SERIAL_SIZE];
    KW_TRY(make_key(root, error));
    KW_TRY(random_serial(serial, error));
    root->dates = dates_below(&vendor->now, &vendor->now, ROOT_YEARS);
    const struct kw_certificate_about about = {
        .kind = KW_CERTIFICATE_ROOT,
        .organisation = ORGANISATION,
        .issuer = ROOT_NAME,
        .subject = ROOT_NAME,
        .issuer_key = root->public_key,
        .public_key = root->public_key,
        .serial = serial,
        .dates = root->dates,
    };
    return issue(&about, root, &root->certificate, error);
}

static kw_status make_signer(struct kw_simulated_vendor *vendor,
                             struct kw_error *error) {
    struct authority *signer = &vendor->signer;
    const struct authority *root = &vendor->root;
    KW_TRY(make_key(signer, error));
    signer->dates = dates_below(&vendor->now, &root->dates, SIGNER_YEARS);
    const struct kw_certificate_about about = {
        .kind = KW_CERTIFICATE_SIGNER,
        .organisation = ORGANISATION,
        .issuer = ROOT_NAME,
        .subject = SIGNER_NAME,
        .issuer_key = root->public_key,
        .public_key = signer->public_key,
        .dates = signer->dates,
    };
    return issue(&about, root, &signer->certificate, error);
}

typedef kw_status authority_maker(struct kw_simulated_vendor *vendor,
                                  struct kw_error *error);

static kw_status establish(struct kw_simulated_vendor *vendor,
                           struct authority *authority, authority_maker *make,
                           const struct authority *issuer,
                           struct kw_error *error) {
    const bool there = kw_file_exists(authority->certificate_path);
    KW_TRY(there ? read_authority(authority, error) : make(vendor, error));
    if (kw_certificate_verify(authority->certificate, issuer->public_key) !=
        KW_OK) {
        return foreign(authority, error);
    }
    return there ? KW_OK
                 : kw_certificate_write(authority->certificate,
                                        authority->certificate_path, error);
}

/* --- opening and closing --- */

static kw_status make_folder(const struct kw_workspace *workspace,
                             const char *name, struct kw_error *error) {
    char *path = kw_workspace_path(workspace, "%s", name);
    const kw_status status =
        path == NULL ? no_memory(error) : kw_folder_make(path, error);
    free(path);
    return status;
}

static kw_status name_files(const struct kw_workspace *workspace,
                            const char *name, struct authority *authority,
                            struct kw_error *error) {
    authority->key_path = kw_workspace_path(workspace, KEYS "/%s.pem", name);
    authority->certificate_path =
        kw_workspace_path(workspace, CERTIFICATES "/%s.crt", name);
    return authority->key_path == NULL || authority->certificate_path == NULL
               ? no_memory(error)
               : KW_OK;
}

static kw_status open_all(struct kw_simulated_vendor *vendor,
                          struct kw_error *error) {
    const struct kw_workspace *workspace = vendor->workspace;
    KW_TRY(make_folder(workspace, KEYS, error));
    KW_TRY(make_folder(workspace, CERTIFICATES, error));
    KW_TRY(name_files(workspace, "root", &vendor->root, error));
    KW_TRY(name_files(workspace, "signer", &vendor->signer, error));
    KW_TRY(establish(vendor, &vendor->root, make_root, &vendor->root, error));
    return establish(vendor, &vendor->signer, make_signer, &vendor->root,
                     error);
}

kw_status kw_simulated_vendor_open(const struct kw_workspace *workspace,
                                   time_t now,
                                   struct kw_simulated_vendor **vendor,
                                   struct kw_error *error) {
    struct kw_simulated_vendor *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return no_memory(error);
    }
    made->workspace = workspace;
    made->now = hour_of(now);
    const kw_status status = open_all(made, error);
    if (status != KW_OK) {
        kw_simulated_vendor_close(made);
        return status;
    }
    *vendor = made;
    return KW_OK;
}

static void close_authority(struct authority *authority) {
    kw_key_free(authority->key);
    X509_free(authority->certificate);
    free(authority->key_path);
    free(authority->certificate_path);
}

void kw_simulated_vendor_close(struct kw_simulated_vendor *vendor) {
    if (vendor != NULL) {
        close_authority(&vendor->root);
        close_authority(&vendor->signer);
        free(vendor);
    }
}

/* --- devices --- */

static void device_name(const struct device_template *template,
                        const uint8_t serial[KW_SERIAL_SIZE],
                        char name[DEVICE_NAME_MAX]) {
    char digits[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(serial, KW_SERIAL_SIZE, digits);
    (void)snprintf(name, DEVICE_NAME_MAX, "%s%s%s", template->prefix, digits,
                   template->suffix);
}

static struct kw_certificate_about
describe_device(const struct kw_simulated_vendor *vendor,
                const struct kw_vendor_device *device, const char *name,
                const struct kw_compcert_dates *dates) {
    return (struct kw_certificate_about){
        .kind = KW_CERTIFICATE_DEVICE,
        .organisation = ORGANISATION,
        .issuer = SIGNER_NAME,
        .subject = name,
        .issuer_key = vendor->signer.public_key,
        .public_key = device->public_key,
        .dates = *dates,
    };
}

static kw_status compress(const X509 *certificate, uint8_t template_id,
                          uint8_t slot[KW_COMPCERT_SIZE]) {
    struct kw_compcert compcert = {
        .signer_id = {SIGNER_ID[0], SIGNER_ID[1]},
        .template_id = template_id,
        .chain_id = CHAIN,
        .serial_source = KW_COMPCERT_SERIAL_BY_KEY,
    };
    KW_TRY(kw_certificate_signature(certificate, compcert.signature));
    KW_TRY(kw_certificate_dates(certificate, &compcert.dates));
    return kw_compcert_encode(&compcert, slot);
}

static kw_status fill_slots(const struct kw_simulated_vendor *vendor,
                            const X509 *certificate, uint8_t template_id,
                            struct kw_vendor_slots *slots) {
    kw_stored_key(vendor->signer.public_key, slots->slot_11);
    KW_TRY(
        compress(vendor->signer.certificate, SIGNER_TEMPLATE, slots->slot_12));
    return compress(certificate, template_id, slots->slot_10);
}

kw_status kw_simulated_vendor_issue(struct kw_simulated_vendor *vendor,
                                    const struct kw_vendor_device *device,
                                    struct kw_vendor_slots *slots,
                                    struct kw_error *error) {
    const struct device_template *template = &TEMPLATES[device->model];
    const struct kw_compcert_dates dates =
        dates_below(&vendor->now, &vendor->signer.dates, DEVICE_YEARS);
    char name[DEVICE_NAME_MAX];
    X509 *certificate = NULL;
    device_name(template, device->serial, name);
    const struct kw_certificate_about about =
        describe_device(vendor, device, name, &dates);
    KW_TRY(issue(&about, &vendor->signer, &certificate, error));
    const kw_status status =
        fill_slots(vendor, certificate, template->id, slots);
    X509_free(certificate);
    return status == KW_OK
               ? KW_OK
               : kw_error_core(error, status, "cannot compress a certificate");
}

static const struct device_template *find_template(uint8_t id) {
    for (size_t i = 0; i < sizeof TEMPLATES / sizeof *TEMPLATES; i++) {
        if (TEMPLATES[i].id == id) {
            return &TEMPLATES[i];
        }
    }
    return NULL;
}

static kw_status rebuild(const struct kw_simulated_vendor *vendor,
                         const struct kw_vendor_device *device,
                         const uint8_t slot_10[KW_COMPCERT_SIZE],
                         X509 **certificate) {
    struct kw_compcert compcert;
    struct kw_tbs tbs;
    char name[DEVICE_NAME_MAX];
    KW_TRY(kw_compcert_decode(slot_10, &compcert));
    const struct device_template *template =
        find_template(compcert.template_id);
    KW_ENSURE(template != NULL, KW_PARSE_MAGIC);
    device_name(template, device->serial, name);
    const struct kw_certificate_about about =
        describe_device(vendor, device, name, &compcert.dates);
    KW_TRY(kw_certificate_tbs(&about, &tbs));
    KW_TRY(kw_certificate_join(&tbs, compcert.signature, certificate));
    return kw_certificate_verify(*certificate, vendor->signer.public_key);
}

static kw_status keep_as(const struct kw_simulated_vendor *vendor,
                         const struct kw_vendor_device *device,
                         const uint8_t slot_10[KW_COMPCERT_SIZE],
                         const char *path, struct kw_error *error) {
    X509 *certificate = NULL;
    if (kw_file_exists(path)) {
        return KW_OK;
    }
    kw_status status = rebuild(vendor, device, slot_10, &certificate);
    status = status == KW_OK
                 ? kw_certificate_write(certificate, path, error)
                 : kw_error_core(error, status,
                                 "cannot rebuild a chip's certificate from "
                                 "its slot 10");
    X509_free(certificate);
    return status;
}

kw_status kw_simulated_vendor_keep(struct kw_simulated_vendor *vendor,
                                   const struct kw_vendor_device *device,
                                   const uint8_t slot_10[KW_COMPCERT_SIZE],
                                   struct kw_error *error) {
    char serial[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(device->serial, KW_SERIAL_SIZE, serial);
    char *path =
        kw_workspace_path(vendor->workspace, CERTIFICATES "/%s.crt", serial);
    const kw_status status =
        path == NULL ? no_memory(error)
                     : keep_as(vendor, device, slot_10, path, error);
    free(path);
    return status;
}
