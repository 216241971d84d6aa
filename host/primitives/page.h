/* host/primitives/page.h: the catalogue and the engine as one HTML file.
 * Knows the catalogue and the embedded files. */
#ifndef KW_HOST_PRIMITIVES_PAGE_H
#define KW_HOST_PRIMITIVES_PAGE_H

#include "host/primitives/catalogue.h"

/* The page, with everything that it needs inside; the caller frees it. A
 * policy in it names the hashes of its script and style and lets nothing
 * else run or load. KW_NO: this build has no engine for it. */
KW_MUST_USE kw_status kw_page(const struct kw_catalogue *catalogue, char **html,
                              struct kw_error *error);

#endif
