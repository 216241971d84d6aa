#include "host/certs/custom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/certs/change.h"
#include "host/certs/custom_run.h"
#include "host/certs/dates.h"
#include "host/certs/pki_file.h"
#include "host/openssl_hash.h"
#include "host/text.h"

static const unsigned DEFAULT_YEARS[KW_CHAIN_COUNT] = {40, 31, 28};

/* --- issuing --- */

static unsigned years_of(const struct kw_custom_run *run, int which) {
    return (run->custom->years == NULL ? DEFAULT_YEARS
                                       : run->custom->years)[which];
}

static kw_status plan(struct kw_custom_run *run, int which,
                      const struct kw_moment *now, struct kw_cert_plan *plan) {
    const struct kw_pki_view *issuer =
        which == KW_CHAIN_ROOT ? NULL : &run->view[which - 1];
    struct kw_moment begin;
    struct kw_moment end;
    char text[KW_MOMENT_TEXT];
    KW_TRY(kw_cert_plan(now, issuer, years_of(run, which), plan, run->error));
    kw_moments_of_dates(&plan->dates, &begin, &end);
    if (plan->later) {
        kw_moment_text(&begin, text);
        kw_custom_say(run, "The %s certificate begins with its issuer, at %s",
                      kw_chain_names[which], text);
    }
    if (plan->shortened) {
        kw_moment_text(&end, text);
        kw_custom_say(
            run,
            "The %s certificate is shortened, so as not to outlive its "
            "issuer: it ends at %s",
            kw_chain_names[which], text);
    }
    return KW_OK;
}

static kw_status serial_of(struct kw_custom_run *run, int which,
                           const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                           const struct kw_compcert_dates *dates,
                           uint8_t serial[KW_PKI_SERIAL_SIZE]) {
    uint8_t encoded[KW_COMPCERT_DATES_SIZE];
    uint8_t high = 0;
    if (which == KW_CHAIN_ROOT) {
        return kw_pki_random_serial(serial, run->error);
    }
    KW_TRY(kw_compcert_encode_dates(dates, encoded, &high));
    return kw_compcert_serial(&kw_openssl_hash, public_key, encoded, serial);
}

static kw_status issue(struct kw_custom_run *run, int which,
                       const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                       const struct kw_authority *issuer_key) {
    static const enum kw_pki_profile PROFILES[KW_CHAIN_COUNT] = {
        KW_PKI_ROOT, KW_PKI_SIGNER, KW_PKI_DEVICE};
    const struct kw_moment now = kw_moment_of(run->custom->now);
    struct kw_cert_plan planned;
    struct kw_pki_bytes tbs;
    uint8_t serial[KW_PKI_SERIAL_SIZE];
    uint8_t id[KW_KEY_ID_SIZE];
    const bool is_root = which == KW_CHAIN_ROOT;
    const struct kw_pki_view *issuer = is_root ? NULL : &run->view[which - 1];
    KW_TRY(plan(run, which, &now, &planned));
    KW_TRY(serial_of(run, which, public_key, &planned.dates, serial));
    kw_pki_key_id(is_root ? public_key : issuer->public_key, id);
    if (!is_root && issuer->subject_id != NULL) {
        memcpy(id, issuer->subject_id, sizeof id);
    }
    struct kw_pki_about about = {
        .profile = PROFILES[which],
        .issuer = is_root ? kw_pki_cursor(&run->name[which]) : issuer->subject,
        .subject = kw_pki_cursor(&run->name[which]),
        .public_key = public_key,
        .issuer_id = id,
        .serial = serial,
        .serial_size = sizeof serial,
        .after_is_generalized = !is_root,
    };
    kw_moments_of_dates(&planned.dates, &about.not_before, &about.not_after);
    KW_TRY(kw_pki_tbs(&about, &tbs));
    KW_TRY(kw_pki_sign(&tbs, issuer_key, &run->bytes[which], run->error));
    KW_TRY(kw_pki_read(kw_pki_cursor(&run->bytes[which]), &run->view[which]));
    return kw_pki_write_file(run->result->file[which], KW_PEM_CERTIFICATE,
                             &run->bytes[which], run->error);
}

/* --- root --- */

static kw_status read_root(struct kw_custom_run *run) {
    const char *path = run->custom->authority_cert;
    struct kw_pki_view *root = &run->view[KW_CHAIN_ROOT];
    KW_TRY(
        kw_pki_read_file(path, &run->bytes[KW_CHAIN_ROOT], root, run->error));
    if (!kw_custom_is_key_of(run->authority, root)) {
        return kw_error(run->error, KW_NO,
                        "the authority's key is not the one of the "
                        "certificate in %s",
                        path);
    }
    if (!root->is_ca || (root->has_key_usage && !root->may_sign_certificates) ||
        (root->has_path_length && root->path_length == 0)) {
        return kw_error(run->error, KW_NO,
                        "the certificate in %s may not issue a signer, which "
                        "is a CA",
                        path);
    }
    return KW_OK;
}

/* Before anything is made: may it issue a signer, and is there a year left
 * for one? --renew would meet the same certificate again. */
static kw_status check_root(struct kw_custom_run *run) {
    const struct kw_moment now = kw_moment_of(run->custom->now);
    const struct kw_pki_view *root = &run->view[KW_CHAIN_ROOT];
    struct kw_cert_plan planned;
    char end[KW_MOMENT_TEXT];
    if (run->custom->authority_cert == NULL ||
        kw_file_exists(run->result->file[KW_CHAIN_SIGNER])) {
        return KW_OK;
    }
    KW_TRY(read_root(run));
    const kw_status status = kw_cert_plan(
        &now, root, years_of(run, KW_CHAIN_SIGNER), &planned, run->error);
    if (status == KW_OK || kw_moment_order(&root->not_before, &now) > 0) {
        return status;
    }
    kw_moment_text(&root->not_after, end);
    kw_error(run->error, KW_NO,
             "your CA's certificate in %s ends at %s: too soon for a signer, "
             "which lasts a year at least",
             run->custom->authority_cert, end);
    return kw_error_hint(run->error, "name a CA certificate that lasts longer "
                                     "with --authority-cert; nothing was made");
}

static kw_status take_root(struct kw_custom_run *run) {
    const char *path = run->custom->authority_cert;
    KW_TRY(read_root(run));
    kw_custom_say(run, "Taking the root certificate from %s", path);
    return kw_pki_write_file(run->result->file[KW_CHAIN_ROOT],
                             KW_PEM_CERTIFICATE, &run->bytes[KW_CHAIN_ROOT],
                             run->error);
}

static kw_status make_root(struct kw_custom_run *run) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    if (kw_file_exists(run->result->file[KW_CHAIN_ROOT])) {
        run->result->reused[KW_CHAIN_ROOT] = true;
        kw_custom_say(run, "Using cached root certificate");
        return kw_pki_read_file(run->result->file[KW_CHAIN_ROOT],
                                &run->bytes[KW_CHAIN_ROOT],
                                &run->view[KW_CHAIN_ROOT], run->error);
    }
    KW_TRY(kw_custom_open_key(run, KW_CHAIN_ROOT, run->custom->authority, true,
                              &run->authority));
    if (run->custom->authority_cert != NULL) {
        return take_root(run);
    }
    kw_custom_say(run, "Building new root certificate");
    kw_authority_public(run->authority, public_key);
    return issue(run, KW_CHAIN_ROOT, public_key, run->authority);
}

/* --- signer --- */

static char *request_path(const struct kw_custom_run *run) {
    char digits[5];
    char name[32];
    kw_hex_upper(run->custom->signer_id, 2, digits);
    (void)snprintf(name, sizeof name, "signer_%s.csr", digits);
    return kw_custom_path(run, "certs", name);
}

/* One that a cut left may be of another key or name. */
static kw_status check_request(struct kw_custom_run *run, const char *path,
                               const struct kw_pki_bytes *info) {
    struct kw_pki_bytes there;
    struct kw_der whole;
    struct kw_der_item item;
    KW_TRY(kw_pki_read_request_file(path, &there, run->error));
    struct kw_der cursor = kw_pki_cursor(&there);
    if (kw_der_take(&cursor, KW_DER_SEQUENCE, &whole) != KW_OK ||
        kw_der_next(&whole, &item) != KW_OK ||
        !kw_der_is(&item.whole, info->der, info->size)) {
        kw_error(run->error, KW_NO,
                 "%s is of another key or name than is wanted now", path);
        return kw_error_hint(run->error,
                             "--renew makes all certificates new, beside the "
                             "old ones");
    }
    return KW_OK;
}

static kw_status write_request(struct kw_custom_run *run, const char *path,
                               const struct kw_pki_bytes *info) {
    struct kw_pki_bytes request;
    kw_custom_say(run, "Building new signer csr certificate");
    KW_TRY(kw_pki_sign(info, run->signer, &request, run->error));
    return kw_pki_write_file(path, KW_PEM_REQUEST, &request, run->error);
}

static kw_status make_request(struct kw_custom_run *run,
                              const uint8_t public_key[KW_PUBLIC_KEY_SIZE]) {
    struct kw_pki_bytes info;
    KW_TRY(kw_pki_request(kw_pki_cursor(&run->name[KW_CHAIN_SIGNER]),
                          public_key, &info));
    char *path = request_path(run);
    if (path == NULL) {
        return kw_custom_no_memory(run);
    }
    const kw_status status = kw_file_exists(path)
                                 ? check_request(run, path, &info)
                                 : write_request(run, path, &info);
    free(path);
    return status;
}

static kw_status need_authority(struct kw_custom_run *run) {
    KW_TRY(kw_custom_open_key(run, KW_CHAIN_ROOT, run->custom->authority, false,
                              &run->authority));
    if (run->authority == NULL) {
        kw_error(run->error, KW_NO, "the root's key is not in the workspace");
        return kw_error_hint(run->error, "name it with --authority KEY");
    }
    return kw_custom_is_key_of(run->authority, &run->view[KW_CHAIN_ROOT])
               ? KW_OK
               : kw_error(run->error, KW_NO,
                          "the authority's key is not the root's");
}

static kw_status make_signer(struct kw_custom_run *run) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    const bool there = kw_file_exists(run->result->file[KW_CHAIN_SIGNER]);
    KW_TRY(kw_custom_open_key(run, KW_CHAIN_SIGNER, run->custom->signer_key,
                              !there, &run->signer));
    if (there) {
        run->result->reused[KW_CHAIN_SIGNER] = true;
        kw_custom_say(run, "Using cached signer certificate");
        return kw_pki_read_file(run->result->file[KW_CHAIN_SIGNER],
                                &run->bytes[KW_CHAIN_SIGNER],
                                &run->view[KW_CHAIN_SIGNER], run->error);
    }
    KW_TRY(need_authority(run));
    kw_authority_public(run->signer, public_key);
    KW_TRY(make_request(run, public_key));
    kw_custom_say(run, "Building new signer certificate");
    return issue(run, KW_CHAIN_SIGNER, public_key, run->authority);
}

/* --- device --- */

static kw_status need_signer(struct kw_custom_run *run) {
    if (run->signer == NULL) {
        kw_error(run->error, KW_NO, "the signer's key is not in the workspace");
        return kw_error_hint(run->error, "name it with --signer-key KEY, or "
                                         "begin anew with --renew");
    }
    return kw_custom_is_key_of(run->signer, &run->view[KW_CHAIN_SIGNER])
               ? KW_OK
               : kw_error(run->error, KW_NO,
                          "the key that was named is not the signer's");
}

/* What is there must still be this chip's and the signer's. */
static kw_status reuse_device(struct kw_custom_run *run) {
    const struct kw_pki_view *device = &run->view[KW_CHAIN_DEVICE];
    const char *path = run->result->file[KW_CHAIN_DEVICE];
    KW_TRY(kw_pki_read_file(path, &run->bytes[KW_CHAIN_DEVICE],
                            &run->view[KW_CHAIN_DEVICE], run->error));
    if (!kw_custom_has_name(run, KW_CHAIN_DEVICE) ||
        !kw_custom_lasts(run, KW_CHAIN_DEVICE) ||
        memcmp(device->public_key, run->result->certs.public_key,
               KW_PUBLIC_KEY_SIZE) != 0) {
        kw_error(run->error, KW_NO,
                 "%s is of another key, name or validity than is wanted now",
                 path);
        return kw_error_hint(run->error, "--renew makes all certificates new, "
                                         "beside the old ones");
    }
    run->result->reused[KW_CHAIN_DEVICE] = true;
    kw_custom_say(run, "Using cached device certificate");
    return KW_OK;
}

static void say_device(const struct kw_custom_run *run) {
    const struct kw_chip_certs *certs = &run->result->certs;
    char digits[2 * KW_PUBLIC_KEY_SIZE + 1];
    kw_hex_upper(certs->about.serial, KW_SERIAL_SIZE, digits);
    kw_custom_say(run, "Read device serial number...OK (SN: %s)", digits);
    kw_hex_upper(certs->public_key, KW_PUBLIC_KEY_SIZE, digits);
    kw_custom_say(run,
                  "Read device public key from slot 0...OK (Public Key: %s)",
                  digits);
}

static kw_status make_device(struct kw_custom_run *run) {
    say_device(run);
    if (kw_file_exists(run->result->file[KW_CHAIN_DEVICE])) {
        return reuse_device(run);
    }
    KW_TRY(need_signer(run));
    KW_TRY(issue(run, KW_CHAIN_DEVICE, run->result->certs.public_key,
                 run->signer));
    kw_custom_say(run, "Generating device certificate...OK (saved to %s)",
                  strrchr(run->result->file[KW_CHAIN_DEVICE], '/') + 1);
    return KW_OK;
}

/* --- all of it --- */

static kw_status check_keys(struct kw_custom_run *run) {
    const struct kw_certs_custom *custom = run->custom;
    if (custom->authority_cert != NULL && custom->authority == NULL) {
        kw_error(run->error, KW_USAGE,
                 "--authority-cert needs the key of that certificate");
        return kw_error_hint(run->error, "name it with --authority KEY");
    }
    if (custom->authority != NULL) {
        KW_TRY(kw_authority_open_in(custom->workspace, custom->authority,
                                    &run->authority, run->error));
    }
    return custom->signer_key == NULL
               ? KW_OK
               : kw_authority_open_in(custom->workspace, custom->signer_key,
                                      &run->signer, run->error);
}

/* A change that a cut left half done is finished first: what is backed up
 * is whole. */
static kw_status finish_interrupted(struct kw_custom_run *run) {
    const struct kw_certs_change change = {
        run->custom->workspace, run->custom->chip, &run->result->certs};
    bool resumed = false;
    KW_TRY(kw_certs_resume(&change, false, &resumed, run->error));
    if (resumed) {
        kw_custom_say(run, "Finished the change of slots 10, 11 and 12 that "
                           "was interrupted");
    }
    return KW_OK;
}

static bool is_in_slot(struct kw_custom_run *run, int which,
                       const uint8_t slot[KW_COMPCERT_SIZE]) {
    struct kw_error ignored;
    return kw_pki_read_file(run->result->file[which], &run->bytes[which],
                            &run->view[which], &ignored) == KW_OK &&
           memcmp(run->view[which].signature, slot, KW_SIGNATURE_SIZE) == 0;
}

/* Only certificates that are replaced by others are asked for. */
static kw_status confirm(struct kw_custom_run *run) {
    const struct kw_chip_certs *certs = &run->result->certs;
    const bool same = is_in_slot(run, KW_CHAIN_DEVICE, certs->slots.slot[0]) &&
                      is_in_slot(run, KW_CHAIN_SIGNER, certs->slots.slot[2]);
    if (same || run->custom->confirm == NULL ||
        kw_cert_slots_are_empty(&certs->slots)) {
        return KW_OK;
    }
    return run->custom->confirm(run->custom->observer, certs);
}

/* One that is used again may have ended since. One that begins later is
 * fine: it was said when it was made. */
static kw_status check_ends(struct kw_custom_run *run) {
    const struct kw_moment now = kw_moment_of(run->custom->now);
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        if (kw_moment_order(&run->view[i].not_after, &now) < 0) {
            kw_error(run->error, KW_NO,
                     "the %s certificate, which would be used again, has "
                     "expired",
                     kw_chain_names[i]);
            return kw_error_hint(run->error, "--renew makes all certificates "
                                             "new, beside the old ones");
        }
    }
    return KW_OK;
}

static kw_status make(struct kw_custom_run *run) {
    struct kw_chip_certs *certs = &run->result->certs;
    KW_TRY(kw_chip_certs_read(run->custom->chip, certs, run->error));
    KW_TRY(kw_cert_slots_check(certs, NULL, run->error));
    KW_TRY(kw_custom_make_names(run));
    kw_custom_say(run, "Custom Certs processing...");
    KW_TRY(finish_interrupted(run));
    KW_TRY(check_keys(run));
    KW_TRY(kw_custom_choose_generation(run));
    KW_TRY(check_root(run));
    KW_TRY(confirm(run));
    KW_TRY(kw_custom_make_folders(run));
    KW_TRY(make_root(run));
    KW_TRY(make_signer(run));
    KW_TRY(make_device(run));
    KW_TRY(check_ends(run));
    KW_TRY(kw_pki_check_chain(run->view, kw_chain_names, KW_CHAIN_COUNT, NULL,
                              run->error));
    KW_TRY(kw_custom_name_keys(run));
    return kw_custom_provision(run);
}

kw_status kw_certs_custom_make(const struct kw_certs_custom *custom,
                               struct kw_certs_custom_result *result,
                               struct kw_error *error) {
    memset(result, 0, sizeof *result);
    struct kw_custom_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    run->custom = custom;
    run->result = result;
    run->error = error;
    error->message[0] = '\0';
    kw_status status = make(run);
    if (status != KW_OK && error->message[0] == '\0') {
        status = kw_error_core(error, status, "cannot make the certificates");
    }
    kw_authority_close(run->authority);
    kw_authority_close(run->signer);
    free(run);
    return status;
}

void kw_certs_custom_free(struct kw_certs_custom_result *result) {
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        free(result->file[i]);
    }
    free(result->folder);
    free(result->keys);
    free(result->backup);
}
