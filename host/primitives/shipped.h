/* host/primitives/shipped.h: the files of data/ that the command carries.
 *
 * The build writes them into the program (cmake/embed.cmake), so that an
 * installed command needs no folder. Knows nobody. */
#ifndef KW_HOST_PRIMITIVES_SHIPPED_H
#define KW_HOST_PRIMITIVES_SHIPPED_H

#include <stddef.h>

struct kw_shipped_file {
    const char *name; /* "data/standards/uk-cop.json" */
    const unsigned char *bytes;
    size_t size;
};

extern const struct kw_shipped_file kw_shipped_files[];
extern const size_t kw_shipped_file_count;

/* What the page is made of (cmake/page.cmake): "web/primitives/page.js",
 * the examples, the schema of a project, and "engine.wasm" when the build had
 * clang and wasm-ld. */
extern const struct kw_shipped_file kw_page_files[];
extern const size_t kw_page_file_count;

#endif
