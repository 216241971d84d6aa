/* cli/resources.c: the noun `resources`. */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/show.h"
#include "host/resources.h"

static json_t *list_files(const char *folder) {
    struct kw_error ignored;
    struct kw_names names;
    json_t *list = json_array();
    if (kw_folder_list(folder, &names, &ignored) != KW_OK) {
        return list;
    }
    for (size_t i = 0; i < names.count; i++) {
        json_array_append_new(list, json_string(names.name[i]));
    }
    kw_names_free(&names);
    return list;
}

static void show(struct kw_cli *cli, const struct kw_resources_result *result) {
    kw_print(cli, "\nPrototype keys, not for production: %s\n", result->folder);
    kw_print_next(cli, NULL, "rotate run", NULL);
    kw_set_serial(cli->result, result->serial);
    json_object_set_new(cli->result, "generation",
                        json_integer(result->generation));
    json_object_set_new(cli->result, "folder", json_string(result->folder));
    json_object_set_new(cli->result, "files", list_files(result->folder));
    json_object_set(cli->result, "slots", result->slots);
}

static void print_validated(struct kw_cli *cli,
                            const struct kw_rotation_view *view) {
    char key[KW_SHORT_TEXT];
    char authority[KW_SHORT_TEXT];
    kw_print(cli, "Slot 14 holds the validated key %s%s%s.\n",
             kw_short_fingerprint(view->has_key ? view->key : NULL, key),
             view->has_authority ? " under the authority "
                                 : "; slot 13 holds no authority",
             view->has_authority
                 ? kw_short_fingerprint(view->authority, authority)
                 : "");
}

/* Whoever has keys in the chip, or had some made for it, may be using them:
 * what replaces them is asked for. */
static kw_status confirm(struct kw_cli *cli,
                         const struct kw_resources *resources) {
    struct kw_rotation_view view;
    KW_TRY(kw_resources_check(resources, &view, &cli->error));
    if (!view.has_key && !view.has_authority && view.resources.number == 0) {
        return KW_OK;
    }
    if (view.state.validated) {
        print_validated(cli, &view);
    } else {
        kw_print(cli, "The keys of this chip were made before.\n");
    }
    kw_print(cli,
             "New resources replace the keys in slots 13, 14 and 15 and the "
             "secrets in slots 5, 6 and 9;\nthe old keys stay in keys/, "
             "requests and bundles made before no longer fit.\n");
    return kw_confirm_chip(cli, "Replace the keys of this chip?");
}

static kw_status make(struct kw_cli *cli,
                      const struct kw_arguments *arguments) {
    struct kw_resources_result result;
    struct kw_resources resources = {
        .authority = kw_argument(arguments, "--authority"),
        .firmware = kw_argument(arguments, "--firmware"),
        .say = kw_say_line,
        .observer = cli,
    };
    KW_TRY(kw_cli_workspace_locked(cli, &resources.workspace));
    KW_TRY(kw_cli_chip(cli, &resources.chip));
    KW_TRY(confirm(cli, &resources));
    const kw_status status =
        kw_resources_make(&resources, &result, &cli->error);
    if (status == KW_OK) {
        show(cli, &result);
    }
    kw_resources_result_free(&result);
    return status;
}

static const struct kw_option MAKE_OPTIONS[] = {
    {"--firmware", "FILE",
     "sign this image with slot 15's key, for secure boot"},
    {"--authority", "FILE",
     "the private key of slot 13's authority, to invalidate a validated slot "
     "14 (default: the one in keys/)"},
    {NULL, NULL, NULL},
};

static const struct kw_verb VERBS[] = {
    {"make", NULL, "make prototype keys and program them", MAKE_OPTIONS, 0, 0,
     make, .asks = "before it replaces keys", .example = "resources make"},
};

const struct kw_noun kw_noun_resources = {
    "resources", "prototype keys for the slots of a TrustFLEX chip", VERBS,
    sizeof VERBS / sizeof *VERBS, KW_ON_CHIP};
