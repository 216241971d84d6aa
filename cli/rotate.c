/* cli/rotate.c: the noun `rotate`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/show.h"
#include "host/authority_lock.h"
#include "host/journal.h"
#include "host/rotation.h"
#include "host/rotation_header.h"
#include "host/text.h"

/* Workspace and chip, as most verbs need them. */
static kw_status open_rotation(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               struct kw_rotation *rotation) {
    *rotation = (struct kw_rotation){
        .authority = kw_argument(arguments, "--authority"),
        .say = kw_say_line,
        .observer = cli,
    };
    KW_TRY(kw_cli_workspace_locked(cli, &rotation->workspace));
    return kw_cli_chip(cli, &rotation->chip);
}

/* The default place of a file, or the one that --output names. */
static char *output_file(const struct kw_rotation *rotation,
                         const struct kw_arguments *arguments,
                         const uint8_t *serial, const char *kind) {
    const char *output = kw_argument(arguments, "--output");
    return output != NULL
               ? strdup(output)
               : kw_rotation_new_file(rotation->workspace, serial, kind);
}

static kw_status no_memory(struct kw_cli *cli) {
    return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- new-key
 * ------------------------------------------------------------------ */

static kw_status new_key(struct kw_cli *cli,
                         const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_key_file made;
    char text[KW_SHORT_TEXT];
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(
        kw_rotation_new_key(&rotation, view.state.serial, &made, &cli->error));
    kw_print(cli, "  key %s, a prototype key: %s\n",
             kw_short_fingerprint(made.public_key, text), made.path);
    kw_print(cli, "Next: keywright rotate request\n");
    kw_set_serial(cli->result, view.state.serial);
    json_object_set_new(cli->result, "generation",
                        json_integer(made.generation));
    json_object_set_new(cli->result, "file", json_string(made.path));
    kw_set_fingerprint(cli->result, "fingerprint", made.public_key);
    kw_key_file_free(&made);
    return KW_OK;
}

/* --- request
 * --------------------------------------------------------------------- */

static kw_status newest_key(const struct kw_rotation *rotation,
                            const uint8_t *serial, struct kw_key_file *key,
                            struct kw_error *error) {
    const kw_status status = kw_keyring_newest(rotation->workspace, serial,
                                               KW_ROTATING_SLOT, key, error);
    if (status == KW_NO) {
        kw_error(error, KW_NO, "keys/ holds no rotating key of this chip");
        return kw_error_hint(error, "run `keywright rotate new-key` first");
    }
    return status;
}

static void show_request(struct kw_cli *cli, const char *path,
                         const struct kw_rotation_view *view,
                         const uint8_t *new_key_, bool fleet) {
    char old_text[KW_SHORT_TEXT];
    char new_text[KW_SHORT_TEXT];
    const uint8_t *old_key = view->has_key ? view->key : NULL;
    kw_print(cli,
             "Request: %s\n  old key %s%s, new key %s, counter 1: %" PRIu32
             "\n",
             path, kw_short_fingerprint(old_key, old_text),
             view->state.validated ? " (validated)" : "",
             kw_short_fingerprint(new_key_, new_text), view->state.counter);
    kw_print(cli, "Next, where the authority's key lives: keywright rotate "
                  "authorize --request FILE\n");
    if (fleet) {
        kw_warn(cli, "keywright: the serial is left out: a bundle for this "
                     "request fits every chip of the same configuration and "
                     "old key\n");
    }
    json_object_set_new(cli->result, "file", json_string(path));
    kw_set_serial(cli->result, fleet ? NULL : view->state.serial);
    kw_set_fingerprint(cli->result, "old_key", old_key);
    kw_set_fingerprint(cli->result, "new_key", new_key_);
    json_object_set_new(cli->result, "counter",
                        json_integer(view->state.counter));
}

static kw_status write_request(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               const struct kw_rotation *rotation,
                               const struct kw_rotation_view *view,
                               const struct kw_key_file *key) {
    struct kw_envelope request;
    const bool fleet = kw_argument(arguments, "--fleet") != NULL;
    KW_TRY(kw_rotation_request(view, key, fleet, &request, &cli->error));
    char *path = output_file(rotation, arguments,
                             fleet ? NULL : view->state.serial, "request");
    if (path == NULL) {
        return no_memory(cli);
    }
    const kw_status status = kw_envelope_create(path, &request, &cli->error);
    if (status == KW_OK) {
        show_request(cli, path, view, key->public_key, fleet);
    }
    free(path);
    return status;
}

static kw_status request(struct kw_cli *cli,
                         const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_key_file key;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(newest_key(&rotation, view.state.serial, &key, &cli->error));
    const kw_status status =
        write_request(cli, arguments, &rotation, &view, &key);
    kw_key_file_free(&key);
    return status;
}

/* --- authorize
 * --------------------------------------------------------------------- */

static kw_status expect(struct kw_cli *cli, const char *what,
                        const char *expected, const char *found) {
    if (expected == NULL || strcasecmp(expected, found) == 0) {
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
    kw_hex(about->serial, KW_SERIAL_SIZE, serial);
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

/* Shows what is about to be signed, and asks. */
static kw_status confirm_request(struct kw_cli *cli,
                                 const struct kw_request *about,
                                 uint32_t sequence) {
    char serial[2 * KW_SERIAL_SIZE + 1];
    char old_key[KW_FINGERPRINT_TEXT] = "none";
    char new_key_text[KW_FINGERPRINT_TEXT];
    kw_hex(about->serial, KW_SERIAL_SIZE, serial);
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
    return kw_confirm(cli, "Authorise the new key?");
}

static void show_authorized(struct kw_cli *cli, const char *path,
                            const struct kw_request *about,
                            const struct kw_authority *authority,
                            uint32_t sequence) {
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    kw_authority_public(authority, key);
    kw_print(cli, "Bundle: %s\n", path);
    kw_print(cli, "Next, at the device: keywright rotate apply --bundle "
                  "FILE\n");
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

static kw_status authorize_with(struct kw_cli *cli,
                                const struct kw_arguments *arguments,
                                const struct kw_rotation *rotation,
                                const struct kw_checked_request *checked,
                                struct kw_authorization *authorization) {
    const struct kw_request *about = &checked->request;
    struct kw_envelope bundle;
    uint32_t sequence = 0;
    KW_TRY(kw_authorization_sequence(authorization, checked, &sequence,
                                     &cli->error));
    KW_TRY(confirm_request(cli, about, sequence));
    kw_print(cli, "Signing the rotating key digest with the Authority Private "
                  "Key\n");
    KW_TRY(
        kw_authorize(authorization, checked, &bundle, &sequence, &cli->error));
    char *path =
        output_file(rotation, arguments,
                    about->names_serial ? about->serial : NULL, "bundle");
    if (path == NULL) {
        return no_memory(cli);
    }
    const kw_status status = kw_envelope_create(path, &bundle, &cli->error);
    if (status == KW_OK) {
        show_authorized(cli, path, about, authorization->authority, sequence);
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

static kw_status authorize(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    const char *path = kw_argument(arguments, "--request");
    struct kw_envelope envelope;
    struct kw_checked_request checked;
    struct kw_rotation rotation = {
        .authority = kw_argument(arguments, "--authority"),
    };
    if (path == NULL) {
        kw_error(&cli->error, KW_USAGE, "--request FILE is missing");
        return kw_error_hint(&cli->error, "`keywright rotate request` writes "
                                          "one at the device");
    }
    KW_TRY(kw_cli_workspace_locked(cli, &rotation.workspace));
    KW_TRY(kw_envelope_read(path, KW_REQUEST_SIZE, &envelope, &cli->error));
    KW_TRY(kw_request_check(&envelope, &checked, &cli->error));
    return authorize_request(cli, arguments, &rotation, &checked);
}

/* --- apply, run, resume
 * -------------------------------------------------------------- */

static const char *position_name(enum kw_rotate_position position) {
    static const char *const names[] = {
        [KW_ROTATE_READY] = "ready",
        [KW_ROTATE_WRITING] = "writing",
        [KW_ROTATE_VALIDATED] = "validated",
        [KW_ROTATE_DONE] = "done",
    };
    return names[position];
}

static void show_result(struct kw_cli *cli,
                        const struct kw_rotation_result *result) {
    const bool already = result->position == KW_ROTATE_DONE;
    char old_text[KW_SHORT_TEXT];
    char new_text[KW_SHORT_TEXT];
    const uint8_t *old_key = result->has_old_key ? result->old_key : NULL;
    kw_print(cli, "%s: old key %s, new key %s, sequence %" PRIu32 "\n",
             already ? "Applied before" : "Rotated",
             kw_short_fingerprint(old_key, old_text),
             kw_short_fingerprint(result->new_key, new_text), result->sequence);
    kw_set_serial(cli->result, result->serial);
    json_object_set_new(cli->result, "sequence",
                        json_integer(result->sequence));
    kw_set_fingerprint(cli->result, "old_key", old_key);
    kw_set_fingerprint(cli->result, "new_key", result->new_key);
    json_object_set_new(cli->result, "position",
                        json_string(position_name(result->position)));
    json_object_set_new(cli->result, "already_applied", json_boolean(already));
}

static kw_status apply(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    const char *bundle = kw_argument(arguments, "--bundle");
    struct kw_rotation rotation;
    struct kw_rotation_result result;
    if (bundle == NULL) {
        kw_error(&cli->error, KW_USAGE, "--bundle FILE is missing");
        return kw_error_hint(&cli->error, "`keywright rotate authorize` "
                                          "writes one");
    }
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_apply(&rotation, bundle, &result, &cli->error));
    show_result(cli, &result);
    return KW_OK;
}

static kw_status run(struct kw_cli *cli, const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_result result;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_run(&rotation, &result, &cli->error));
    if (result.resumed) {
        kw_print(cli, "Finished the rotation that was interrupted; run again "
                      "for another one\n");
    }
    show_result(cli, &result);
    json_object_set_new(cli->result, "resumed", json_boolean(result.resumed));
    return KW_OK;
}

static kw_status resume(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_result result;
    bool nothing = false;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_resume(&rotation, &result, &nothing, &cli->error));
    if (nothing) {
        kw_print(cli, "Nothing to resume: no rotation of this chip is open\n");
        kw_set_serial(cli->result, result.serial);
        json_object_set_new(cli->result, "resumed", json_false());
        return KW_OK;
    }
    show_result(cli, &result);
    json_object_set_new(cli->result, "resumed", json_true());
    return KW_OK;
}

/* --- verify
 * ------------------------------------------------------------------------------
 */

static kw_status verify(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_proof proof;
    char text[KW_SHORT_TEXT];
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_verify(&rotation, &proof, &cli->error));
    kw_print(cli, "  key %s, generation %u\n",
             kw_short_fingerprint(proof.view.key, text), proof.generation);
    kw_set_serial(cli->result, proof.view.state.serial);
    kw_set_fingerprint(cli->result, "fingerprint", proof.view.key);
    json_object_set_new(cli->result, "generation",
                        json_integer(proof.generation));
    json_object_set_new(cli->result, "verified", json_true());
    return KW_OK;
}

/* --- status
 * --------------------------------------------------------------------------------
 */

static const char *state_name(const struct kw_rotation_view *view) {
    if (!view->has_key) {
        return "blank";
    }
    return view->state.validated ? "validated" : "not-validated";
}

static void show_journal(struct kw_cli *cli, const struct kw_journal *journal) {
    if (journal->path == NULL) {
        kw_print(cli, "Journal    no rotation is open\n");
        json_object_set_new(cli->result, "journal", json_null());
        return;
    }
    kw_print(cli,
             "Journal    %s (stage: %s); `keywright rotate resume` "
             "finishes it\n",
             journal->path, kw_journal_stage(journal));
    json_object_set_new(cli->result, "journal",
                        json_pack("{s:s, s:s}", "file", journal->path, "stage",
                                  kw_journal_stage(journal)));
}

static void show_keys(struct kw_cli *cli, const struct kw_rotation_view *view,
                      unsigned generation) {
    char key[KW_SHORT_TEXT];
    char authority[KW_SHORT_TEXT];
    const uint8_t *in_slot = view->has_key ? view->key : NULL;
    const uint8_t *in_13 = view->has_authority ? view->authority : NULL;
    char of_keyring[40] = "";
    if (generation > 0) {
        (void)snprintf(of_keyring, sizeof of_keyring, ", generation %u",
                       generation);
    }
    kw_print(cli, "Slot 14    %s, key %s%s\n", state_name(view),
             kw_short_fingerprint(in_slot, key), of_keyring);
    kw_print(cli, "Slot 13    authority %s, %s\n",
             kw_short_fingerprint(in_13, authority),
             view->authority_locked ? "locked" : "not locked");
    kw_print(cli, "Counter 1  %" PRIu32 " (last sequence applied)\n",
             view->state.counter);
    if (!view->authority_locked) {
        kw_warn(cli, "keywright: slot 13 is not locked: whoever reaches the "
                     "chip can replace the authority by a Write; `keywright "
                     "rotate lock-authority` ends that\n");
    }
    json_object_set_new(cli->result, "state", json_string(state_name(view)));
    kw_set_fingerprint(cli->result, "key", in_slot);
    json_object_set_new(cli->result, "generation",
                        generation > 0 ? json_integer(generation)
                                       : json_null());
    kw_set_fingerprint(cli->result, "authority", in_13);
    json_object_set_new(cli->result, "authority_locked",
                        json_boolean(view->authority_locked));
    json_object_set_new(cli->result, "counter",
                        json_integer(view->state.counter));
}

/* Which generation the key in the chip is of; 0: none that is here. */
static unsigned find_generation(const struct kw_rotation *rotation,
                                const struct kw_rotation_view *view) {
    struct kw_error ignored;
    struct kw_key_file file;
    if (!view->has_key ||
        kw_keyring_find(rotation->workspace, NULL, KW_ROTATING_SLOT, view->key,
                        &file, &ignored) != KW_OK) {
        return 0;
    }
    const unsigned generation = file.generation;
    kw_key_file_free(&file);
    return generation;
}

static kw_status status_verb(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_journal journal;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_journal_find(rotation.workspace, view.state.serial, &journal,
                           &cli->error));
    kw_set_serial(cli->result, view.state.serial);
    show_keys(cli, &view, find_generation(&rotation, &view));
    show_journal(cli, &journal);
    kw_journal_free(&journal);
    return KW_OK;
}

/* --- rollback
 * ------------------------------------------------------------------------------
 */

static kw_status rollback(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    char *request_file = NULL;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    const kw_status status =
        kw_rotation_roll_back(&rotation, &request_file, &cli->error);
    if (status == KW_OK && request_file == NULL) {
        kw_print(cli, "Slot 14 is as it was before the rotation\n");
    } else if (status == KW_OK) {
        kw_print(cli,
                 "The new key is validated: going back is a rotation of "
                 "its own.\nRequest for the old key: %s\n"
                 "Next: keywright rotate authorize --request FILE, then "
                 "rotate apply\n",
                 request_file);
    }
    json_object_set_new(cli->result, "rolled_back",
                        json_boolean(request_file == NULL));
    json_object_set_new(cli->result, "request",
                        request_file == NULL ? json_null()
                                             : json_string(request_file));
    free(request_file);
    return status;
}

/* --- export
 * ----------------------------------------------------------------------------------
 */

static void show_export(struct kw_cli *cli, const char *path, const char *kind,
                        const uint8_t *old_key, const uint8_t *new_key_) {
    kw_print(cli, "Header: %s\n", path);
    json_object_set_new(cli->result, "file", json_string(path));
    json_object_set_new(cli->result, "kind", json_string(kind));
    kw_set_fingerprint(cli->result, "old_key", old_key);
    kw_set_fingerprint(cli->result, "new_key", new_key_);
}

static kw_status export_bundle(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               const char *bundle_file) {
    const char *output = kw_argument(arguments, "--output");
    const char *path = output == NULL ? "keywright_bundle.h" : output;
    struct kw_envelope envelope;
    struct kw_bundle bundle;
    KW_TRY(
        kw_envelope_read(bundle_file, KW_BUNDLE_SIZE, &envelope, &cli->error));
    const kw_status status =
        kw_bundle_decode(envelope.payload, KW_BUNDLE_SIZE, &bundle);
    if (status != KW_OK) {
        return kw_error_core(&cli->error, status, bundle_file);
    }
    KW_TRY(kw_bundle_header_create(path, &envelope, &cli->error));
    show_export(cli, path, "bundle", bundle.has_old_key ? bundle.old_key : NULL,
                bundle.new_key);
    return KW_OK;
}

static kw_status export_vendor_with(struct kw_cli *cli,
                                    const struct kw_arguments *arguments,
                                    const struct kw_rotation *rotation,
                                    const struct kw_rotation_view *view,
                                    const struct kw_key_file *key) {
    const bool as_upstream = kw_argument(arguments, "--as-upstream") != NULL;
    const char *output = kw_argument(arguments, "--output");
    const char *path = output == NULL ? "public_key_rotation.h" : output;
    const bool for_old = view->state.validated && !as_upstream;
    struct kw_authority *authority = NULL;
    KW_TRY(kw_rotation_authority(rotation, view->authority, &authority,
                                 &cli->error));
    const struct kw_header_about about = {
        .authority = authority,
        .config = view->state.config,
        .new_key = key->public_key,
        .new_key_file = key->path,
        .invalidates = for_old ? view->key : key->public_key,
    };
    const kw_status status =
        kw_vendor_header_create(rotation->workspace, path, &about, &cli->error);
    kw_authority_close(authority);
    KW_TRY(status);
    show_export(cli, path, "vendor", for_old ? view->key : NULL,
                key->public_key);
    kw_warn(cli, "keywright: this header works on every chip of this "
                 "configuration, again and again; its invalidate pair and a "
                 "validate pair for the old key, as a bundle holds it, "
                 "together bring the old key back (docs/design.md)\n");
    return KW_OK;
}

static kw_status export_vendor(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_key_file key;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    if (!view.has_authority) {
        kw_error(&cli->error, KW_NO, "slot 13 holds no authority yet");
        return kw_error_hint(&cli->error, "run `keywright resources make` "
                                          "first");
    }
    KW_TRY(newest_key(&rotation, view.state.serial, &key, &cli->error));
    const kw_status status =
        export_vendor_with(cli, arguments, &rotation, &view, &key);
    kw_key_file_free(&key);
    return status;
}

static kw_status export(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    const char *bundle = kw_argument(arguments, "--bundle");
    const bool vendor = kw_argument(arguments, "--c-header") != NULL;
    if (vendor == (bundle != NULL)) {
        return kw_error(&cli->error, KW_USAGE,
                        "name one: --c-header (the vendor's) or --bundle "
                        "FILE (ours)");
    }
    return vendor ? export_vendor(cli, arguments)
                  : export_bundle(cli, arguments, bundle);
}

/* --- lock-authority
 * ----------------------------------------------------------------------------
 */

static kw_status check_no_journal(struct kw_cli *cli,
                                  const struct kw_rotation *rotation,
                                  const struct kw_rotation_view *view) {
    struct kw_journal journal;
    KW_TRY(kw_journal_find(rotation->workspace, view->state.serial, &journal,
                           &cli->error));
    const bool is_open = journal.path != NULL;
    kw_journal_free(&journal);
    if (is_open) {
        kw_error(&cli->error, KW_NO,
                 "a rotation of this chip is not finished; the lock would "
                 "spoil its bundle");
        return kw_error_hint(&cli->error, "run `keywright rotate resume` "
                                          "first");
    }
    return KW_OK;
}

static kw_status lock_authority(struct kw_cli *cli,
                                const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_authority_rehearsal rehearsal;
    KW_TRY(open_rotation(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(check_no_journal(cli, &rotation, &view));
    KW_TRY(
        kw_authority_lock_rehearse(&rotation, &view, &rehearsal, &cli->error));
    json_t *words = json_array();
    kw_print(cli, "Rehearsed on a copy of the chip:\n");
    for (size_t i = 0; i < rehearsal.count; i++) {
        kw_print(cli, "  %s\n", rehearsal.words[i]);
        json_array_append_new(words, json_string(rehearsal.words[i]));
    }
    json_object_set_new(cli->result, "rehearsal", words);
    KW_TRY(kw_confirm(cli, "Lock slot 13 for ever?"));
    KW_TRY(kw_authority_lock(&rotation, &cli->error));
    kw_print(cli, "Slot 13 is locked\n");
    kw_set_serial(cli->result, view.state.serial);
    json_object_set_new(cli->result, "slot", json_integer(KW_AUTHORITY_SLOT));
    json_object_set_new(cli->result, "locked", json_true());
    return KW_OK;
}

/* --- the table
 * ------------------------------------------------------------------------------------
 */

#define OUTPUT                                                                 \
    { "--output", "FILE", "where to write it (also -o FILE)" }
#define AUTHORITY                                                              \
    { "--authority", "FILE", "the authority's private key (PEM)" }
#define END                                                                    \
    { NULL, NULL, NULL }

static const struct kw_option REQUEST_OPTIONS[] = {
    {"--fleet", NULL, "leave the serial out: for every chip of a kind"},
    OUTPUT,
    END,
};
static const struct kw_option AUTHORIZE_OPTIONS[] = {
    {"--request", "FILE", "the request to authorise"},
    AUTHORITY,
    {"--sequence", "N", "the sequence; a fleet must name it"},
    {"--accept-old-key", "FINGERPRINT",
     "vouch for an old key that the register does not show"},
    {"--expect-serial", "HEX", "refuse a request for another serial"},
    {"--expect-key", "FINGERPRINT", "refuse a request for another new key"},
    OUTPUT,
    END,
};
static const struct kw_option APPLY_OPTIONS[] = {
    {"--bundle", "FILE", "the bundle to apply"},
    END,
};
static const struct kw_option RUN_OPTIONS[] = {AUTHORITY, END};
static const struct kw_option EXPORT_OPTIONS[] = {
    {"--c-header", NULL, "the vendor's public_key_rotation.h"},
    {"--as-upstream", NULL, "its invalidate pair is for the new key"},
    {"--bundle", "FILE", "this bundle as C arrays"},
    AUTHORITY,
    OUTPUT,
    END,
};

static const struct kw_verb VERBS[] = {
    {"new-key", NULL, "make the next rotating key pair", NULL, 0, 0, new_key},
    {"request", NULL, "ask an authority to authorise the newest key",
     REQUEST_OPTIONS, 0, 0, request},
    {"authorize", NULL, "answer a request with a bundle", AUTHORIZE_OPTIONS, 0,
     0, authorize},
    {"apply", NULL, "rotate the key in slot 14 by a bundle", APPLY_OPTIONS, 0,
     0, apply},
    {"verify", NULL, "prove the key in slot 14 with its private key", NULL, 0,
     0, verify},
    {"run", NULL, "all of it on one machine", RUN_OPTIONS, 0, 0, run},
    {"status", NULL, "slots 13 and 14, counter 1, journal", NULL, 0, 0,
     status_verb},
    {"resume", NULL, "finish an interrupted rotation", RUN_OPTIONS, 0, 0,
     resume},
    {"rollback", NULL, "go back to the old key", NULL, 0, 0, rollback},
    {"export", NULL, "write a rotation as a C header", EXPORT_OPTIONS, 0, 0,
     export},
    {"lock-authority", NULL, "lock slot 13 for ever", NULL, 0, 0,
     lock_authority},
};

const struct kw_noun kw_noun_rotate = {"rotate",
                                       "turn the public key in slot 14", VERBS,
                                       sizeof VERBS / sizeof *VERBS};
