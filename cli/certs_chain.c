/* cli/certs_chain.c: the chain that a chip holds: show, vendor, verify,
 * export. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/certs.h"
#include "cli/show.h"
#include "host/certs/change.h"
#include "host/certs/export.h"
#include "host/certs/pki_file.h"
#include "host/key.h"
#include "host/text.h"

#define NAME_TEXT      65
#define CHALLENGE_SIZE 32

struct opened {
    struct kw_chip *chip;
    struct kw_chip_certs certs;
    struct kw_chain chain;
};

/* A root's file is enough where there is no workspace. */
static kw_status open_chain(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            bool vendor_only, struct opened *opened) {
    struct kw_workspace *workspace = NULL;
    struct kw_chain_sources sources = {.root = kw_argument(arguments, "--root"),
                                       .vendor_only = vendor_only};
    const kw_status status = kw_cli_workspace(cli, &workspace);
    if (status != KW_OK && sources.root == NULL) {
        return status;
    }
    sources.workspace = workspace;
    KW_TRY(kw_cli_chip(cli, &opened->chip));
    KW_TRY(kw_chip_certs_read(opened->chip, &opened->certs, &cli->error));
    if (workspace != NULL) {
        KW_TRY(kw_certs_no_journal(workspace, opened->certs.about.serial,
                                   &cli->error));
    }
    return kw_chain_find(&sources, &opened->certs, &opened->chain, &cli->error);
}

/* --- showing --- */

static json_t *name_json(struct kw_der name) {
    char organisation[NAME_TEXT] = "";
    char common_name[NAME_TEXT] = "";
    (void)!kw_pki_attribute(name, KW_PKI_ORGANISATION, organisation,
                            sizeof organisation);
    (void)!kw_pki_attribute(name, KW_PKI_COMMON_NAME, common_name,
                            sizeof common_name);
    return json_sprintf("O = %s, CN = %s", organisation, common_name);
}

static json_t *serial_json(struct kw_der serial) {
    char text[2 * 32 + 1] = "00";
    if (serial.left <= 32) {
        kw_hex(serial.at, serial.left, text);
    }
    return json_string(text);
}

static json_t *certificate_json(const struct kw_chain *chain, int which) {
    const struct kw_pki_view *view = &chain->view[which];
    char begin[KW_MOMENT_TEXT];
    char end[KW_MOMENT_TEXT];
    char *pem = kw_pki_pem(KW_PEM_CERTIFICATE, &chain->bytes[which]);
    kw_moment_text(&view->not_before, begin);
    kw_moment_text(&view->not_after, end);
    json_t *object = json_pack(
        "{s:s, s:o, s:o, s:o, s:s, s:s, s:s}", "name", kw_chain_names[which],
        "subject", name_json(view->subject), "issuer", name_json(view->issuer),
        "serial_number", serial_json(view->serial), "not_before", begin,
        "not_after", end, "pem", pem == NULL ? "" : pem);
    free(pem);
    return object;
}

static const char *member(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static void print_certificate(const struct kw_cli *cli, const json_t *object) {
    kw_print(cli, "\n%s certificate\n", member(object, "name"));
    kw_print(cli, "  subject        %s\n", member(object, "subject"));
    kw_print(cli, "  issuer         %s\n", member(object, "issuer"));
    kw_print(cli, "  serial number  %s\n", member(object, "serial_number"));
    kw_print(cli, "  valid          %s to %s\n", member(object, "not_before"),
             member(object, "not_after"));
    kw_print(cli, "%s", member(object, "pem"));
}

static void add_remark(json_t *remarks, int which, const char *words) {
    json_array_append_new(remarks,
                          json_sprintf("%s: %s", kw_chain_names[which], words));
}

static json_t *remarks_of(const struct opened *opened) {
    json_t *remarks = json_array();
    const char *words = NULL;
    for (int i = 1; i < KW_CHAIN_COUNT; i++) {
        if (kw_pki_check_nesting(&opened->chain.view[i - 1],
                                 &opened->chain.view[i], &words) != KW_OK) {
            add_remark(remarks, i, words);
        }
    }
    if (opened->certs.about.model == KW_MODEL_608B &&
        opened->chain.kind != KW_CHAIN_CUSTOM) {
        add_remark(remarks, KW_CHAIN_DEVICE,
                   "that a 608B has template 3 is inferred");
    }
    return remarks;
}

static void show_chain(struct kw_cli *cli, const struct opened *opened,
                       bool verified) {
    static const char *const KINDS[] = {
        [KW_CHAIN_CUSTOM] = "custom",
        [KW_CHAIN_VENDOR] = "vendor",
        [KW_CHAIN_ROOT_FILE] = "root-file",
    };
    char thing_id[KW_THING_ID_TEXT];
    json_t *list = json_array();
    json_t *remarks = remarks_of(opened);
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        json_t *object = certificate_json(&opened->chain, i);
        print_certificate(cli, object);
        json_array_append_new(list, object);
    }
    kw_chain_thing_id(opened->certs.public_key, thing_id);
    kw_print(cli, "\nThing ID %s\n", thing_id);
    for (size_t i = 0; i < json_array_size(remarks); i++) {
        kw_print(cli, "Remark: %s\n",
                 json_string_value(json_array_get(remarks, i)));
    }
    kw_set_serial(cli->result, opened->certs.about.serial);
    json_t *more = json_pack("{s:s, s:s, s:o, s:o, s:b}", "chain",
                             KINDS[opened->chain.kind], "thing_id", thing_id,
                             "certificates", list, "remarks", remarks,
                             "verified", (int)verified);
    json_object_update(cli->result, more);
    json_decref(more);
}

static kw_status check_now(const struct opened *opened,
                           struct kw_error *error) {
    const struct kw_moment now = kw_moment_of(time(NULL));
    return kw_chain_check(&opened->chain, &now, error);
}

/* --- show, vendor --- */

kw_status kw_certs_show(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct opened opened;
    struct kw_error wrong;
    KW_TRY(open_chain(cli, arguments, false, &opened));
    const bool verified = check_now(&opened, &wrong) == KW_OK;
    show_chain(cli, &opened, verified);
    kw_print(cli, "%s%s\n", verified ? "The chain verifies" : "Wrong: ",
             verified ? "" : wrong.message);
    return KW_OK;
}

kw_status kw_certs_vendor(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    struct opened opened;
    KW_TRY(open_chain(cli, arguments, true, &opened));
    KW_TRY(check_now(&opened, &cli->error));
    show_chain(cli, &opened, true);
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        kw_print(cli, "Validate %s certificate...OK\n", kw_chain_names[i]);
    }
    return KW_OK;
}

/* --- verify --- */

struct proof {
    uint8_t challenge[CHALLENGE_SIZE];
    uint8_t response[KW_SIGNATURE_SIZE];
};

/* The key that verifies is the certificate's, not one that the chip says. */
static kw_status prove_key(struct kw_cli *cli, const struct opened *opened,
                           struct proof *proof) {
    KW_TRY(kw_random(proof->challenge, sizeof proof->challenge, &cli->error));
    kw_status status =
        kw_chip_sign(opened->chip, 0, proof->challenge, proof->response);
    kw_chip_idle(opened->chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, opened->chip,
                             "the chip did not sign the challenge");
    }
    status =
        kw_public_key_verify(opened->chain.view[KW_CHAIN_DEVICE].public_key,
                             proof->challenge, proof->response);
    return status == KW_OK
               ? KW_OK
               : kw_error_core(&cli->error, status,
                               "the chip does not hold the certificate's key");
}

static void set_hex(json_t *object, const char *name, const uint8_t *bytes,
                    size_t size) {
    char text[2 * KW_SIGNATURE_SIZE + 1];
    kw_hex(bytes, size, text);
    json_object_set_new(object, name, json_string(text));
}

kw_status kw_certs_verify(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    struct opened opened;
    struct proof proof;
    KW_TRY(open_chain(cli, arguments, false, &opened));
    KW_TRY(check_now(&opened, &cli->error));
    KW_TRY(prove_key(cli, &opened, &proof));
    show_chain(cli, &opened, true);
    set_hex(cli->result, "challenge", proof.challenge, sizeof proof.challenge);
    set_hex(cli->result, "response", proof.response, sizeof proof.response);
    kw_print(cli, "The chain verifies, and the chip holds its key: a fresh "
                  "challenge was signed\n");
    return KW_OK;
}

/* --- export --- */

static unsigned forms_of(const struct kw_arguments *arguments) {
    static const struct {
        const char *option;
        unsigned form;
    } ROWS[] = {{"--pem", KW_EXPORT_PEM},
                {"--der", KW_EXPORT_DER},
                {"--c-def", KW_EXPORT_C}};
    unsigned forms = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        forms |=
            kw_argument(arguments, ROWS[i].option) != NULL ? ROWS[i].form : 0;
    }
    return forms == 0 ? KW_EXPORT_PEM : forms;
}

static void wrote(void *observer, const char *file) {
    struct kw_cli *cli = observer;
    kw_print(cli, "%s\n", file);
    json_array_append_new(json_object_get(cli->result, "files"),
                          json_string(file));
}

kw_status kw_certs_export(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    const char *output = kw_argument(arguments, "--output");
    struct opened opened;
    KW_TRY(open_chain(cli, arguments, false, &opened));
    kw_set_serial(cli->result, opened.certs.about.serial);
    json_object_set_new(cli->result, "files", json_array());
    return kw_chain_export(&opened.chain, &opened.certs, forms_of(arguments),
                           output == NULL ? "." : output, wrote, cli,
                           &cli->error);
}

const struct kw_option kw_certs_root_options[] = {
    {"--root", "FILE", "the chain's root, a certificate"},
    {NULL, NULL, NULL},
};

const struct kw_option kw_certs_export_options[] = {
    {"--pem", NULL, "PEM (the default)"},
    {"--der", NULL, "DER"},
    {"--c-def", NULL, "C definitions for the vendor's library"},
    {"--root", "FILE", "the chain's root, a certificate"},
    {"--output", "FOLDER", "where to (default: .)"},
    {NULL, NULL, NULL},
};
