/* cli/rotate_export.c: `rotate export`. */
#include "cli/rotate.h"
#include "cli/show.h"
#include "host/rotation_header.h"

struct exported {
    const char *kind;
    const uint8_t *serial; /* NULL: of a fleet */
    const uint8_t *old_key;
    const uint8_t *new_key_;
};

static void show_export(struct kw_cli *cli, const char *path,
                        const struct exported *exported) {
    kw_print(cli, "Header: %s\n", path);
    kw_set_serial(cli->result, exported->serial);
    json_object_set_new(cli->result, "file", json_string(path));
    json_object_set_new(cli->result, "kind", json_string(exported->kind));
    kw_set_fingerprint(cli->result, "old_key", exported->old_key);
    kw_set_fingerprint(cli->result, "new_key", exported->new_key_);
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
    KW_TRY(kw_bundle_header_create(path, &envelope, &bundle, &cli->error));
    const struct exported exported = {
        "bundle", bundle.names_serial ? bundle.serial : NULL,
        bundle.has_old_key ? bundle.old_key : NULL, bundle.new_key};
    show_export(cli, path, &exported);
    if (bundle.old_validated) {
        kw_warn(cli, "this bundle's validate pair for the old key "
                     "and an invalidate pair for the new one, as a vendor's "
                     "header holds it, together bring the old key back "
                     "(docs/design.md)");
    }
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
    const struct exported exported = {"vendor", view->state.serial,
                                      for_old ? view->key : NULL,
                                      key->public_key};
    show_export(cli, path, &exported);
    kw_warn(cli, "this header works on every chip of this "
                 "configuration, again and again; its invalidate pair and a "
                 "validate pair for the old key, as a bundle holds it, "
                 "together bring the old key back (docs/design.md)");
    return KW_OK;
}

static kw_status export_vendor(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    struct kw_key_file key;
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_rotation_need_authority(&view, &cli->error));
    KW_TRY(
        kw_rotate_newest_key(&rotation, view.state.serial, &key, &cli->error));
    const kw_status status =
        export_vendor_with(cli, arguments, &rotation, &view, &key);
    kw_key_file_free(&key);
    return status;
}

kw_status kw_rotate_export(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    const char *bundle = kw_argument(arguments, "--bundle");
    const bool vendor = kw_argument(arguments, "--c-header") != NULL;
    if (vendor == (bundle != NULL)) {
        kw_error(&cli->error, KW_USAGE,
                 "name one: --c-header (the vendor's) or --bundle FILE "
                 "(ours)");
        return kw_error_hint(&cli->error, "`keywright rotate export --help` "
                                          "says more");
    }
    if (bundle != NULL && kw_argument(arguments, "--as-upstream") != NULL) {
        return kw_error(&cli->error, KW_USAGE,
                        "--as-upstream belongs to --c-header: a bundle's "
                        "pairs are signed already");
    }
    return vendor ? export_vendor(cli, arguments)
                  : export_bundle(cli, arguments, bundle);
}
