/* cli/rotate.c: the noun `rotate`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rotate.h"
#include "cli/show.h"
#include "host/journal.h"

/* --- new-key --- */

static kw_status new_key(struct kw_cli *cli,
                         const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_key_file made;
    char text[KW_SHORT_TEXT];
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_rotate_no_journal(cli, &rotation, &view));
    KW_TRY(
        kw_rotation_new_key(&rotation, view.state.serial, &made, &cli->error));
    kw_print(cli, "  key %s, a prototype key: %s\n",
             kw_short_fingerprint(made.public_key, text), made.path);
    kw_print_next(cli, NULL, "rotate request", NULL);
    kw_set_serial(cli->result, view.state.serial);
    json_object_set_new(cli->result, "generation",
                        json_integer(made.generation));
    json_object_set_new(cli->result, "file", json_string(made.path));
    kw_set_fingerprint(cli->result, "fingerprint", made.public_key);
    kw_key_file_free(&made);
    return KW_OK;
}

/* --- apply, run, resume --- */

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

/* A device may apply a key whose private half lives elsewhere; whoever lost
 * it should know at once. */
static void warn_without_key(struct kw_cli *cli,
                             const struct kw_rotation *rotation,
                             const struct kw_rotation_result *result) {
    struct kw_error ignored;
    struct kw_key_file file;
    if (kw_keyring_find(rotation->workspace, NULL, KW_ROTATING_SLOT,
                        result->new_key, &file, &ignored) == KW_OK) {
        kw_key_file_free(&file);
        return;
    }
    kw_warn(cli, "keys/ holds no private key for the new key: make "
                 "sure that somebody has it");
}

static kw_status apply(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    const char *bundle = kw_argument(arguments, "--bundle");
    struct kw_rotation rotation;
    struct kw_rotation_result result;
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_apply(&rotation, bundle, &result, &cli->error));
    show_result(cli, &result);
    warn_without_key(cli, &rotation, &result);
    return KW_OK;
}

static kw_status run(struct kw_cli *cli, const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_result result;
    KW_TRY(kw_rotate_check_forms(cli, arguments));
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
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
    KW_TRY(kw_rotate_check_forms(cli, arguments));
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
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

/* --- verify --- */

static kw_status verify(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_proof proof;
    char text[KW_SHORT_TEXT];
    KW_TRY(kw_rotate_open_to_look(cli, arguments, &rotation));
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

/* --- rollback --- */

static kw_status rollback(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    static const char *const lines[] = {
        [KW_ROLLBACK_RESTORED] = "Slot 14 is as it was before the rotation",
        [KW_ROLLBACK_REQUESTED] =
            "The new key is validated: going back is a rotation of its own",
        [KW_ROLLBACK_GAVE_UP] =
            ("The bundle of the open rotation is lost, or no longer fits slot "
             "13: gave the rotation up;\n`keywright rotate run` starts another "
             "from what slot 14 holds"),
    };
    struct kw_rotation rotation;
    struct kw_rollback done;
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_roll_back(&rotation, &done, &cli->error));
    kw_print(cli, "%s\n", lines[done.outcome]);
    if (done.request != NULL) {
        kw_print(cli, "Request for the old key: %s\n", done.request);
        if (done.was_abandoned) {
            kw_warn(cli, "the old key was abandoned by a rollback itself: was "
                         "there a reason?");
        }
        kw_rotate_print_authorize(cli, &rotation, done.authority, done.request,
                                  false);
    }
    kw_set_serial(cli->result, done.serial);
    json_object_set_new(cli->result, "rolled_back",
                        json_boolean(done.outcome == KW_ROLLBACK_RESTORED));
    json_object_set_new(cli->result, "request",
                        done.request == NULL ? json_null()
                                             : json_string(done.request));
    free(done.request);
    return KW_OK;
}

/* --- the table --- */

#define OUTPUT(file)                                                           \
    { "--output", "FILE", "where to write it (default: " file ")" }
#define AUTHORITY(whose)                                                       \
    {                                                                          \
        "--authority", "FILE",                                                 \
            "the authority's private key: PEM, a pkcs11: URI or "              \
            "chip:LINK#SLOT (default: the one in keys/ "                       \
            "that belongs to " whose ")"                                       \
    }
#define ACCEPT_OLD_KEY                                                         \
    {                                                                          \
        "--accept-old-key", "FINGERPRINT",                                     \
            "vouch for an old key that the register does not show (64 hex "    \
            "digits)"                                                          \
    }
#define IN_SLOT_13 "the public key in slot 13"
#define END                                                                    \
    { NULL, NULL, NULL }

static const struct kw_option REQUEST_OPTIONS[] = {
    {"--fleet", NULL,
     "leave the serial out: a bundle for the request then fits every chip of "
     "the same configuration and old key"},
    OUTPUT("a new name in bundles/"),
    END,
};
static const struct kw_option AUTHORIZE_OPTIONS[] = {
    {"--request", "FILE", "the request to authorise", .required = true},
    AUTHORITY("the authority that the request names"),
    {"--sequence", "N",
     "the bundle's sequence (default: the next one of this serial; a fleet "
     "must name it)"},
    ACCEPT_OLD_KEY,
    {"--expect-serial", "HEX",
     "refuse a request for another serial (18 hex digits)"},
    {"--expect-key", "FINGERPRINT",
     "refuse a request for another new key (64 hex digits, or the first 16 "
     "or more)"},
    OUTPUT("a new name in bundles/"),
    END,
};
static const struct kw_option APPLY_OPTIONS[] = {
    {"--bundle", "FILE", "the bundle to apply", .required = true},
    END,
};
static const struct kw_option RUN_OPTIONS[] = {
    AUTHORITY(IN_SLOT_13),
    ACCEPT_OLD_KEY,
    END,
};
static const struct kw_option SET_OPTIONS[] = {
    {"--authority", "FILE",
     "its private key, as everywhere, or a file of its public key (default: "
     "the one in keys/ that the register names for the key in slot 14)"},
    END,
};
static const struct kw_option LOCK_OPTIONS[] = {
    {"--authority", "FILE",
     "the authority that slot 13 holds, where its private key is not in "
     "keys/: its key, as everywhere, or a file of its public key"},
    {"--dry-run", NULL, "only rehearse on a copy: nothing is changed"},
    END,
};
static const struct kw_option EXPORT_OPTIONS[] = {
    {"--c-header", NULL,
     "write the vendor's header; this or --bundle is needed"},
    {"--as-upstream", NULL,
     "with --c-header: make its invalidate pair for the new key, as the "
     "vendor's tool does (default: for the key that is validated now)"},
    {"--bundle", "FILE", "write this bundle as C arrays"},
    AUTHORITY(IN_SLOT_13),
    OUTPUT("public_key_rotation.h, or keywright_bundle.h with --bundle"),
    END,
};

static const struct kw_verb VERBS[] = {
    {"new-key", NULL, "make the next rotating key pair", NULL, 0, 0, new_key,
     .example = "rotate new-key"},
    {"request", NULL, "ask an authority to authorise the newest key",
     REQUEST_OPTIONS, 0, 0, kw_rotate_request,
     .example = "rotate request -o next.request.json"},
    {"authorize", NULL, "answer a request with a bundle", AUTHORIZE_OPTIONS, 0,
     0, kw_rotate_authorize, .asks = "first",
     .missing = "`keywright rotate request` writes one at the device",
     .example = "rotate authorize --request next.request.json "
                "-o next.bundle.json"},
    {"apply", NULL, "rotate the key in slot 14 by a bundle", APPLY_OPTIONS, 0,
     0, apply, .missing = "`keywright rotate authorize` writes one",
     .example = "rotate apply --bundle next.bundle.json"},
    {"verify", NULL, "prove the key in slot 14 with its private key", NULL, 0,
     0, verify, .example = "rotate verify"},
    {"run", NULL, "do all of it on one machine, from the new key to the proof",
     RUN_OPTIONS, 0, 0, run, .example = "rotate run"},
    {"status", NULL, "show slots 13 and 14, counter 1 and the journal", NULL, 0,
     0, kw_rotate_status, .example = "rotate status"},
    {"resume", NULL, "finish an interrupted rotation", RUN_OPTIONS, 0, 0,
     resume, .example = "rotate resume"},
    {"rollback", NULL, "go back to the old key", NULL, 0, 0, rollback,
     .example = "rotate rollback"},
    {"export", NULL, "write a rotation as a C header", EXPORT_OPTIONS, 0, 0,
     kw_rotate_export,
     .example = "rotate export --bundle next.bundle.json -o bundle.h"},
    {"set-authority", NULL, "put an authority's public key into slot 13",
     SET_OPTIONS, 0, 0, kw_rotate_set_authority, .asks = "first",
     .example = "rotate set-authority --authority authority.pem"},
    {"lock-authority", NULL, "lock slot 13 for ever, after a rehearsal",
     LOCK_OPTIONS, 0, 0, kw_rotate_lock_authority, .asks = "first",
     .example = "rotate lock-authority --dry-run"},
};

const struct kw_noun kw_noun_rotate = {
    "rotate", "turn the public key in slot 14", VERBS,
    sizeof VERBS / sizeof *VERBS, KW_ON_CHIP};
