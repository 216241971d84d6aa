/* cli/certs_custom.c: a chain of an own PKI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/certs.h"
#include "cli/show.h"
#include "host/certs/custom.h"

#define YEARS_MAX 127u

/* --- custom --- */

static kw_status read_years(struct kw_cli *cli, const char *text,
                            unsigned years[KW_CHAIN_COUNT]) {
    bool good = true;
    for (int i = 0; good && i < KW_CHAIN_COUNT; i++) {
        const char end = i + 1 < KW_CHAIN_COUNT ? ',' : '\0';
        char *after = NULL;
        const unsigned long number = strtoul(text, &after, 10);
        good = *text >= '0' && *text <= '9' && *after == end &&
               number <= YEARS_MAX;
        years[i] = (unsigned)number;
        text = after + 1;
    }
    if (!good) {
        kw_error(&cli->error, KW_USAGE,
                 "--validity takes three numbers of years up to %u: "
                 "ROOT,SIGNER,DEVICE",
                 YEARS_MAX);
        return kw_error_hint(&cli->error, "0 never expires");
    }
    return KW_OK;
}

static kw_status read_custom(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             unsigned years[KW_CHAIN_COUNT],
                             struct kw_certs_custom *custom) {
    const char *id = kw_argument(arguments, "--signer-id");
    const char *validity = kw_argument(arguments, "--validity");
    *custom = (struct kw_certs_custom){
        .now = time(NULL),
        .organisation = kw_argument(arguments, "--org"),
        .root_name = kw_argument(arguments, "--root-cn"),
        .signer_name = kw_argument(arguments, "--signer-cn"),
        .device_name = kw_argument(arguments, "--device-cn"),
        .signer_id = {0xFF, 0xFF},
        .authority = kw_argument(arguments, "--authority"),
        .authority_cert = kw_argument(arguments, "--authority-cert"),
        .signer_key = kw_argument(arguments, "--signer-key"),
        .renew = kw_argument(arguments, "--renew") != NULL,
        .confirm = kw_certs_confirm,
        .say = kw_say_line,
        .observer = cli,
    };
    if (id != NULL) {
        KW_TRY(kw_certs_hex(cli, "--signer-id", id, custom->signer_id,
                            sizeof custom->signer_id));
    }
    custom->years = validity == NULL ? NULL : years;
    return validity == NULL ? KW_OK : read_years(cli, validity, years);
}

static json_t *certificate_json(const struct kw_certs_custom_result *result,
                                int which) {
    const struct kw_pki_view *view = &result->chain.view[which];
    char begin[KW_MOMENT_TEXT];
    char end[KW_MOMENT_TEXT];
    kw_moment_text(&view->not_before, begin);
    kw_moment_text(&view->not_after, end);
    return json_pack("{s:s, s:b, s:s, s:s}", "file", result->file[which],
                     "reused", (int)result->reused[which], "not_before", begin,
                     "not_after", end);
}

static void show_custom(struct kw_cli *cli,
                        const struct kw_certs_custom_result *result) {
    char thing_id[KW_THING_ID_TEXT];
    kw_chain_thing_id(result->certs.public_key, thing_id);
    kw_print(cli, "Custom certificate generation and provisioning - SUCCESS\n");
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        kw_print(cli, "Validate %s certificate...OK\n", kw_chain_names[i]);
    }
    kw_print(cli, "Certificates: %s\n", result->folder);
    if (result->keys != NULL) {
        kw_print(cli, "Prototype keys, not for production: %s\n", result->keys);
    }
    kw_set_serial(cli->result, result->certs.about.serial);
    json_t *more = json_pack(
        "{s:i, s:s, s:s?, s:s, s:o}", "generation", (int)result->generation,
        "folder", result->folder, "keys", result->keys, "thing_id", thing_id,
        "backup",
        result->backup == NULL ? json_null() : json_string(result->backup));
    json_object_update(cli->result, more);
    json_decref(more);
    for (int i = 0; i < KW_CHAIN_COUNT; i++) {
        json_object_set_new(cli->result, kw_chain_names[i],
                            certificate_json(result, i));
    }
}

kw_status kw_certs_custom(struct kw_cli *cli,
                          const struct kw_arguments *arguments) {
    struct kw_workspace *workspace = NULL;
    struct kw_certs_custom custom;
    struct kw_certs_custom_result result;
    unsigned years[KW_CHAIN_COUNT];
    KW_TRY(read_custom(cli, arguments, years, &custom));
    KW_TRY(kw_cli_workspace_locked(cli, &workspace));
    KW_TRY(kw_cli_chip(cli, &custom.chip));
    custom.workspace = workspace;
    const kw_status status =
        kw_certs_custom_make(&custom, &result, &cli->error);
    if (status == KW_OK) {
        show_custom(cli, &result);
    }
    kw_certs_custom_free(&result);
    return status;
}

const struct kw_option kw_certs_custom_options[] = {
    {"--org", "NAME", "the organisation, at most 24 characters",
     .required = true},
    {"--root-cn", "CN", "the root's common name"},
    {"--signer-cn", "CN", "the signer's; %H is its id"},
    {"--signer-id", "HHHH", "the signer's id, 4 hex digits (FFFF)"},
    {"--device-cn", "CN", "the device's; %S is its serial number"},
    {"--validity", "YEARS", "ROOT,SIGNER,DEVICE (40,31,28); 0: for ever"},
    {"--authority", "KEY",
     "the CA's key: a PEM file, a pkcs11: URI or chip:LINK#SLOT"},
    {"--authority-cert", "FILE", "the certificate of the CA's key"},
    {"--signer-key", "KEY", "the signer's key, in the same forms"},
    {"--renew", NULL, "make all certificates new"},
    {NULL, NULL, NULL},
};
