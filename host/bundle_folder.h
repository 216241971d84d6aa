/* host/bundle_folder.h: the bundles of a workspace, and what they tell.
 *
 * bundles/ keeps what was authorised here and what was applied here; the
 * register names the former too, wherever its file was written. Knows
 * host/envelope.h and host/register.h. */
#ifndef KW_HOST_BUNDLE_FOLDER_H
#define KW_HOST_BUNDLE_FOLDER_H

#include "core/bundle.h"
#include "host/error.h"
#include "host/workspace.h"

/* Shows take each bundle, the highest name first, until it answers true. A
 * file that cannot be read is passed over. */
KW_MUST_USE kw_status kw_bundle_folder_search(
    const struct kw_workspace *workspace,
    bool (*take)(void *observer, const struct kw_bundle *bundle),
    void *observer, struct kw_error *error);

/* Whether a bundle or an exported header of this workspace names the key as
 * the new one: some device may have it. */
KW_MUST_USE kw_status kw_key_was_authorised(
    const struct kw_workspace *workspace, const uint8_t key[KW_PUBLIC_KEY_SIZE],
    bool *was_authorised, struct kw_error *error);

#endif
