/* cli/rotate_authorize.c: `rotate authorize`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/rotate.h"
#include "cli/show.h"
#include "host/register.h"
#include "host/text.h"

static kw_status no_memory(struct kw_cli *cli) {
    return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- what the caller knows beforehand --- */

static kw_status check_form(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            const char *option, size_t least, size_t most) {
    const char *text = kw_argument(arguments, option);
    const size_t digits =
        text == NULL ? most : strspn(text, "0123456789abcdefABCDEF");
    if (text == NULL ||
        (text[digits] == '\0' && digits >= least && digits <= most)) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_USAGE, "%s takes %zu hex digits%s, not '%s'",
             option, most, least < most ? " or the first 16 or more" : "",
             text);
    return kw_error_hint(&cli->error, "nothing was authorised");
}

kw_status kw_rotate_check_forms(struct kw_cli *cli,
                                const struct kw_arguments *arguments) {
    const size_t whole = KW_FINGERPRINT_TEXT - 1;
    const size_t serial = 2 * KW_SERIAL_SIZE;
    KW_TRY(check_form(cli, arguments, "--expect-serial", serial, serial));
    KW_TRY(check_form(cli, arguments, "--expect-key", KW_FINGERPRINT_SHOWN,
                      whole));
    return check_form(cli, arguments, "--accept-old-key", whole, whole);
}

/* The first digits of a fingerprint may stand for it. */
static kw_status expect(struct kw_cli *cli, const char *what,
                        const char *expected, const char *found) {
    if (expected == NULL ||
        strncasecmp(expected, found, strlen(expected)) == 0) {
        return KW_OK;
    }
    return kw_error(&cli->error, KW_NO,
                    "the request is for the %s %s, not for %s", what, found,
                    expected);
}

static kw_status check_expected(struct kw_cli *cli,
                                const struct kw_arguments *arguments,
                                const struct kw_request *about) {
    char serial[2 * KW_SERIAL_SIZE + 1];
    char key[KW_FINGERPRINT_TEXT];
    kw_hex_upper(about->serial, KW_SERIAL_SIZE, serial);
    kw_fingerprint(about->new_key, key);
    KW_TRY(expect(cli, "serial", kw_argument(arguments, "--expect-serial"),
                  about->names_serial ? serial : "of a fleet"));
    return expect(cli, "new key", kw_argument(arguments, "--expect-key"), key);
}

static kw_status read_sequence(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               uint32_t *sequence) {
    const char *text = kw_argument(arguments, "--sequence");
    char *end = NULL;
    *sequence = 0;
    if (text == NULL) {
        return KW_OK;
    }
    const unsigned long value = strtoul(text, &end, 10);
    const bool fine = text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
                      value >= 1 && value <= KW_COUNTER_MAX;
    if (!fine) {
        return kw_error(&cli->error, KW_USAGE,
                        "--sequence takes a number from 1 to %u, not '%s'",
                        KW_COUNTER_MAX, text);
    }
    *sequence = (uint32_t)value;
    return KW_OK;
}

/* A named sequence may be the way back from a register that ran ahead. */
static kw_status warn_of_sequence(struct kw_cli *cli,
                                  const struct kw_workspace *workspace,
                                  const struct kw_request *about,
                                  uint32_t sequence) {
    uint32_t last = 0;
    if (!about->names_serial) {
        return KW_OK;
    }
    KW_TRY(kw_register_last_sequence(workspace, about->serial, &last,
                                     &cli->error));
    if (sequence <= last) {
        kw_warn(cli,
                "the register's last sequence of this serial is "
                "%" PRIu32 ": of two bundles with one sequence the device "
                "takes the first",
                last);
    }
    return KW_OK;
}

/* Shows what is about to be signed, and asks. */
static kw_status confirm_request(struct kw_cli *cli,
                                 const struct kw_workspace *workspace,
                                 const struct kw_request *about,
                                 uint32_t sequence) {
    char serial[2 * KW_SERIAL_SIZE + 1];
    char old_key[KW_FINGERPRINT_TEXT] = "none";
    char new_key_text[KW_FINGERPRINT_TEXT];
    kw_hex_upper(about->serial, KW_SERIAL_SIZE, serial);
    kw_fingerprint(about->new_key, new_key_text);
    if (about->has_old_key) {
        kw_fingerprint(about->old_key, old_key);
    }
    kw_print(cli,
             "Serial    %s\nOld key   %s%s\nNew key   %s\n"
             "Sequence  %" PRIu32 "\n",
             about->names_serial ? serial
                                 : "none: every chip of this configuration",
             old_key, about->old_validated ? " (validated)" : "", new_key_text,
             sequence);
    KW_TRY(warn_of_sequence(cli, workspace, about, sequence));
    return kw_confirm(cli, "Authorise the new key?");
}

/* Where the new key was made is the device, or the workspace that serves
 * it. */
static void print_apply(struct kw_cli *cli,
                        const struct kw_workspace *workspace,
                        const uint8_t new_key[KW_PUBLIC_KEY_SIZE],
                        const char *bundle) {
    struct kw_error ignored;
    struct kw_key_file file;
    const bool is_here = kw_keyring_find(workspace, NULL, KW_ROTATING_SLOT,
                                         new_key, &file, &ignored) == KW_OK;
    kw_print_next(cli, is_here ? NULL : "at the device",
                  "rotate apply --bundle", bundle);
    if (is_here) {
        kw_key_file_free(&file);
    }
}

static void show_authorized(struct kw_cli *cli, const char *path,
                            const struct kw_request *about,
                            const struct kw_authorization *authorization,
                            uint32_t sequence) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    kw_authority_public(authorization->authority, key);
    kw_print(cli, "Bundle: %s\n", path);
    print_apply(cli, authorization->workspace, about->new_key, path);
    json_object_set_new(cli->result, "bundle", json_string(path));
    kw_set_serial(cli->result, about->names_serial ? about->serial : NULL);
    json_object_set_new(cli->result, "sequence", json_integer(sequence));
    kw_set_fingerprint(cli->result, "old_key",
                       about->has_old_key ? about->old_key : NULL);
    kw_set_fingerprint(cli->result, "new_key", about->new_key);
    kw_set_fingerprint(cli->result, "authority", key);
    json_object_set_new(cli->result, "old_pairs",
                        json_boolean(about->old_validated));
}

static kw_status authorize_to(struct kw_cli *cli, const char *path,
                              const struct kw_checked_request *checked,
                              const struct kw_authorization *authorization) {
    struct kw_envelope bundle;
    uint32_t sequence = 0;
    KW_TRY(kw_authorization_sequence(authorization, checked, &sequence,
                                     &cli->error));
    KW_TRY(confirm_request(cli, authorization->workspace, &checked->request,
                           sequence));
    kw_print(cli, "Signing the rotating key digest with the Authority Private "
                  "Key\n");
    KW_TRY(
        kw_authorize(authorization, checked, &bundle, &sequence, &cli->error));
    KW_TRY(kw_envelope_create(path, &bundle, &cli->error));
    show_authorized(cli, path, &checked->request, authorization, sequence);
    return KW_OK;
}

/* A sequence is used up when the bundle is signed: whether it can be written
 * is asked first. */
static kw_status authorize_with(struct kw_cli *cli,
                                const struct kw_arguments *arguments,
                                const struct kw_rotation *rotation,
                                const struct kw_checked_request *checked,
                                const struct kw_authorization *authorization) {
    const struct kw_request *about = &checked->request;
    char *path =
        kw_rotate_output(rotation, arguments,
                         about->names_serial ? about->serial : NULL, "bundle");
    if (path == NULL) {
        return no_memory(cli);
    }
    kw_status status = kw_file_is_free(path, &cli->error);
    if (status == KW_OK) {
        status = authorize_to(cli, path, checked, authorization);
    }
    free(path);
    return status;
}

static kw_status authorize_request(struct kw_cli *cli,
                                   const struct kw_arguments *arguments,
                                   const struct kw_rotation *rotation,
                                   const struct kw_checked_request *checked) {
    struct kw_authority *authority = NULL;
    struct kw_authorization authorization = {
        .workspace = rotation->workspace,
        .accept_old_key = kw_argument(arguments, "--accept-old-key"),
    };
    KW_TRY(read_sequence(cli, arguments, &authorization.sequence));
    KW_TRY(check_expected(cli, arguments, &checked->request));
    KW_TRY(kw_rotation_authority(rotation, checked->request.authority,
                                 &authority, &cli->error));
    authorization.authority = authority;
    const kw_status status =
        authorize_with(cli, arguments, rotation, checked, &authorization);
    kw_authority_close(authority);
    return status;
}

kw_status kw_rotate_authorize(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    const char *path = kw_argument(arguments, "--request");
    struct kw_envelope envelope;
    struct kw_checked_request checked;
    struct kw_rotation rotation = {
        .authority = kw_argument(arguments, "--authority"),
    };
    KW_TRY(kw_rotate_check_forms(cli, arguments));
    KW_TRY(kw_cli_workspace_locked(cli, &rotation.workspace));
    KW_TRY(kw_envelope_read(path, KW_REQUEST_SIZE, &envelope, &cli->error));
    KW_TRY(kw_request_check(&envelope, &checked, &cli->error));
    return authorize_request(cli, arguments, &rotation, &checked);
}
