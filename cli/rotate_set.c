/* cli/rotate_set.c: `rotate set-authority`. */
#include <string.h>

#include "cli/rotate.h"
#include "cli/show.h"
#include "host/authority_set.h"
#include "host/public_slot.h"

/* Whoever has the former authority's key loses a chip: asked. */
static kw_status confirm(struct kw_cli *cli,
                         const struct kw_rotation_view *view,
                         const uint8_t *authority) {
    char old_text[KW_SHORT_TEXT];
    char new_text[KW_SHORT_TEXT];
    if (!view->has_authority) {
        return KW_OK;
    }
    kw_print(cli,
             "Slot 13 holds the authority %s.\n"
             "Bundles and headers that it signed no longer fit this chip; its "
             "key in slot 14\ncan be rotated with the authority %s alone.\n",
             kw_short_fingerprint(view->authority, old_text),
             kw_short_fingerprint(authority, new_text));
    return kw_confirm_chip(cli, "Replace the authority of this chip?");
}

static kw_status set(struct kw_cli *cli, const struct kw_rotation *rotation,
                     const struct kw_rotation_view *view,
                     const uint8_t *authority, bool changes) {
    char text[KW_SHORT_TEXT];
    if (!changes) {
        kw_print(cli, "Slot 13 holds the authority %s already\n",
                 kw_short_fingerprint(authority, text));
        return KW_OK;
    }
    if (kw_authority_slot_is_open(view->state.config)) {
        KW_TRY(confirm(cli, view, authority));
    }
    KW_TRY(kw_authority_set(rotation, view, authority, &cli->error));
    kw_print(cli, "Slot 13 holds the authority %s\n",
             kw_short_fingerprint(authority, text));
    return KW_OK;
}

kw_status kw_rotate_set_authority(struct kw_cli *cli,
                                  const struct kw_arguments *arguments) {
    struct kw_rotation rotation;
    struct kw_rotation_view view;
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    KW_TRY(kw_rotate_open(cli, arguments, &rotation));
    KW_TRY(kw_rotation_look(&rotation, &view, &cli->error));
    KW_TRY(kw_authority_choose(&rotation, &view, authority, &cli->error));
    const bool changes =
        !view.has_authority ||
        memcmp(view.authority, authority, sizeof authority) != 0;
    kw_set_serial(cli->result, view.state.serial);
    kw_set_fingerprint(cli->result, "authority", authority);
    kw_set_fingerprint(cli->result, "previous",
                       view.has_authority ? view.authority : NULL);
    json_object_set_new(cli->result, "changed", json_boolean(changes));
    return set(cli, &rotation, &view, authority, changes);
}
