#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/certs/custom_run.h"
#include "host/certs/pki_file.h"
#include "host/text.h"

#define ROOT_NAME        "Crypto Authentication Root CA 002"
#define SIGNER_NAME      "Crypto Authentication Signer %H"
#define DEVICE_NAME      "sn%S"
#define ORGANISATION_MAX 24
#define GENERATION_MAX   9999u

void kw_custom_say(const struct kw_custom_run *run, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    run->custom->say(run->custom->observer, line);
}

kw_status kw_custom_no_memory(struct kw_custom_run *run) {
    return kw_error(run->error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- names --- */

static size_t characters_of(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xC0u) != 0x80u;
    }
    return count;
}

static bool is_printable(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return false;
        }
    }
    return true;
}

/* Replaces the first %C by the digits. False: it does not fit. */
static bool fill_in(const char *pattern, char letter, const char *digits,
                    char text[KW_CUSTOM_NAME_MAX]) {
    const char mark[] = {'%', letter, '\0'};
    const char *at = strstr(pattern, mark);
    const int head = at == NULL ? (int)strlen(pattern) : (int)(at - pattern);
    const int size =
        snprintf(text, KW_CUSTOM_NAME_MAX, "%.*s%s%s", head, pattern,
                 at == NULL ? "" : digits, at == NULL ? "" : at + 2);
    return size > 0 && size < KW_CUSTOM_NAME_MAX && is_printable(text);
}

static kw_status make_name(struct kw_custom_run *run, int which,
                           const char *pattern, char letter,
                           const uint8_t *bytes, size_t size) {
    char digits[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(bytes, size, digits);
    if (!fill_in(pattern, letter, digits, run->name_text[which]) ||
        kw_pki_name(run->custom->organisation, run->name_text[which],
                    &run->name[which]) != KW_OK) {
        return kw_error(run->error, KW_USAGE,
                        "the %s's common name must have 1 to 64 bytes, none "
                        "of them a control character",
                        kw_chain_names[which]);
    }
    return KW_OK;
}

static const char *or_else(const char *text, const char *otherwise) {
    return text == NULL ? otherwise : text;
}

kw_status kw_custom_make_names(struct kw_custom_run *run) {
    const struct kw_certs_custom *custom = run->custom;
    const size_t count = characters_of(custom->organisation);
    if (count == 0 || count > ORGANISATION_MAX ||
        !is_printable(custom->organisation)) {
        return kw_error(run->error, KW_USAGE,
                        "the organisation must have 1 to %d characters",
                        ORGANISATION_MAX);
    }
    KW_TRY(make_name(run, KW_CHAIN_ROOT, or_else(custom->root_name, ROOT_NAME),
                     'H', custom->signer_id, sizeof custom->signer_id));
    KW_TRY(make_name(run, KW_CHAIN_SIGNER,
                     or_else(custom->signer_name, SIGNER_NAME), 'H',
                     custom->signer_id, sizeof custom->signer_id));
    return make_name(run, KW_CHAIN_DEVICE,
                     or_else(custom->device_name, DEVICE_NAME), 'S',
                     run->result->certs.about.serial, KW_SERIAL_SIZE);
}

/* --- files of a generation --- */

char *kw_custom_path(const struct kw_custom_run *run, const char *above,
                     const char *file) {
    return kw_workspace_path(run->custom->workspace,
                             "%s/" KW_CUSTOM_FOLDER "/%s", above,
                             run->result->generation, file);
}

static kw_status name_files(struct kw_custom_run *run) {
    char signer[32];
    char device[64];
    char digits[2 * KW_SERIAL_SIZE + 1];
    char *const *file = run->result->file;
    kw_hex_upper(run->custom->signer_id, 2, digits);
    (void)snprintf(signer, sizeof signer, "signer_%s.crt", digits);
    kw_hex_upper(run->result->certs.about.serial, KW_SERIAL_SIZE, digits);
    (void)snprintf(device, sizeof device, "device_%s.crt", digits);
    const char *const names[] = {KW_CUSTOM_ROOT, signer, device};
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        free(run->result->file[i]);
        run->result->file[i] = kw_custom_path(run, "certs", names[i]);
        if (file[i] == NULL) {
            return kw_custom_no_memory(run);
        }
    }
    free(run->result->folder);
    run->result->folder =
        kw_workspace_path(run->custom->workspace, "certs/" KW_CUSTOM_FOLDER,
                          run->result->generation);
    return run->result->folder == NULL ? kw_custom_no_memory(run) : KW_OK;
}

static bool generation_is_there(struct kw_custom_run *run,
                                unsigned generation) {
    char *folder = kw_workspace_path(run->custom->workspace,
                                     "certs/" KW_CUSTOM_FOLDER, generation);
    const bool there = folder != NULL && kw_file_exists(folder);
    free(folder);
    return there;
}

static kw_status make_folder(struct kw_custom_run *run, const char *above) {
    char *folder =
        kw_workspace_path(run->custom->workspace, "%s/" KW_CUSTOM_FOLDER, above,
                          run->result->generation);
    const kw_status status = folder == NULL
                                 ? kw_custom_no_memory(run)
                                 : kw_folder_make(folder, run->error);
    free(folder);
    return status;
}

/* --- keys --- */

static char *key_path(const struct kw_custom_run *run, int which) {
    char digits[5];
    char name[32];
    kw_hex_upper(run->custom->signer_id, 2, digits);
    (void)snprintf(name, sizeof name, "signer_%s.key", digits);
    return kw_custom_path(run, "keys",
                          which == KW_CHAIN_ROOT ? "root_key.key" : name);
}

static bool has_own_key(const struct kw_custom_run *run, int which) {
    char *path = key_path(run, which);
    const bool there = path != NULL && kw_file_exists(path);
    free(path);
    return there;
}

kw_status kw_custom_name_keys(struct kw_custom_run *run) {
    if (!has_own_key(run, KW_CHAIN_ROOT) &&
        !has_own_key(run, KW_CHAIN_SIGNER)) {
        return KW_OK;
    }
    run->result->keys =
        kw_workspace_path(run->custom->workspace, "keys/" KW_CUSTOM_FOLDER,
                          run->result->generation);
    return run->result->keys == NULL ? kw_custom_no_memory(run) : KW_OK;
}

static kw_status make_key(const char *path, struct kw_error *error) {
    struct kw_key *key = NULL;
    KW_TRY(kw_key_make(&key, error));
    const kw_status status = kw_key_write(key, path, error);
    kw_key_free(key);
    return status;
}

kw_status kw_custom_open_key(struct kw_custom_run *run, int which,
                             const char *named, bool may_make,
                             struct kw_authority **authority) {
    if (*authority != NULL) {
        return KW_OK;
    }
    if (named != NULL) {
        return kw_authority_open_in(run->custom->workspace, named, authority,
                                    run->error);
    }
    char *path = key_path(run, which);
    kw_status status = path == NULL ? kw_custom_no_memory(run) : KW_OK;
    if (status == KW_OK && may_make && !kw_file_exists(path)) {
        status = make_key(path, run->error);
    }
    if (status == KW_OK && kw_file_exists(path)) {
        status = kw_authority_open(path, authority, run->error);
    }
    free(path);
    return status;
}

bool kw_custom_is_key_of(const struct kw_authority *authority,
                         const struct kw_pki_view *view) {
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
    kw_authority_public(authority, public_key);
    return memcmp(public_key, view->public_key, sizeof public_key) == 0;
}

/* --- does the newest generation fit? --- */

static bool read_certificate(struct kw_custom_run *run, int which) {
    struct kw_error ignored;
    return kw_pki_read_file(run->result->file[which], &run->bytes[which],
                            &run->view[which], &ignored) == KW_OK;
}

bool kw_custom_has_name(const struct kw_custom_run *run, int which) {
    return kw_der_is(&run->view[which].subject, run->name[which].der,
                     run->name[which].size);
}

/* Would it outlive its issuer if it lasted a year longer? */
static bool is_at_its_issuers_end(const struct kw_custom_run *run, int which) {
    struct kw_moment longer = run->view[which].not_after;
    longer.year++;
    return which != KW_CHAIN_ROOT &&
           kw_moment_order(&longer, &run->view[which - 1].not_after) > 0;
}

bool kw_custom_lasts(const struct kw_custom_run *run, int which) {
    const struct kw_pki_view *view = &run->view[which];
    const bool never = kw_moment_order(&view->not_after, &KW_MOMENT_NEVER) == 0;
    if (run->custom->years == NULL) {
        return true;
    }
    const int wanted = (int)run->custom->years[which];
    const int years = view->not_after.year - view->not_before.year;
    if (never || years == wanted) {
        return !never || wanted == 0;
    }
    return (wanted == 0 || years < wanted) && is_at_its_issuers_end(run, which);
}

/* A foreign root fits when it is the very certificate. */
static bool root_fits(struct kw_custom_run *run) {
    const struct kw_certs_custom *custom = run->custom;
    struct kw_pki_bytes bytes;
    struct kw_pki_view view;
    struct kw_error ignored;
    if (!read_certificate(run, KW_CHAIN_ROOT)) {
        return false;
    }
    if (run->authority != NULL &&
        !kw_custom_is_key_of(run->authority, &run->view[KW_CHAIN_ROOT])) {
        return false;
    }
    if (custom->authority_cert != NULL) {
        return kw_pki_read_file(custom->authority_cert, &bytes, &view,
                                &ignored) == KW_OK &&
               kw_der_is(&view.whole, run->bytes[KW_CHAIN_ROOT].der,
                         run->bytes[KW_CHAIN_ROOT].size);
    }
    return kw_custom_has_name(run, KW_CHAIN_ROOT) &&
           kw_custom_lasts(run, KW_CHAIN_ROOT);
}

/* One that is not there yet will be made. */
static bool signer_fits(struct kw_custom_run *run) {
    return !kw_file_exists(run->result->file[KW_CHAIN_SIGNER]) ||
           (read_certificate(run, KW_CHAIN_SIGNER) &&
            kw_custom_has_name(run, KW_CHAIN_SIGNER) &&
            kw_custom_lasts(run, KW_CHAIN_SIGNER) &&
            (run->signer == NULL ||
             kw_custom_is_key_of(run->signer, &run->view[KW_CHAIN_SIGNER])));
}

kw_status kw_custom_choose_generation(struct kw_custom_run *run) {
    unsigned newest = 0;
    while (newest < GENERATION_MAX && generation_is_there(run, newest + 1)) {
        newest++;
    }
    run->result->generation = newest;
    KW_TRY(name_files(run));
    const bool unfinished =
        newest > 0 && !kw_file_exists(run->result->file[KW_CHAIN_ROOT]);
    if (unfinished || (newest > 0 && !run->custom->renew && root_fits(run) &&
                       signer_fits(run))) {
        return KW_OK;
    }
    run->result->generation = newest + 1;
    return name_files(run);
}

/* The one that makes it a generation comes last. */
kw_status kw_custom_make_folders(struct kw_custom_run *run) {
    KW_TRY(make_folder(run, "keys"));
    return make_folder(run, "certs");
}
