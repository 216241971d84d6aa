/* tests/unit/scratch.h: a workspace in a folder of its own, for one test.
 *
 * Knows host/workspace.h. */
#ifndef KW_TESTS_UNIT_SCRATCH_H
#define KW_TESTS_UNIT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/workspace.h"

struct scratch {
    char folder[64];
    struct kw_workspace workspace;
};

static inline void scratch_make(struct scratch *scratch) {
    static const char TEMPLATE[] = "/tmp/keywright-unit-XXXXXX";
    struct kw_error error;
    memcpy(scratch->folder, TEMPLATE, sizeof TEMPLATE);
    assert_non_null(mkdtemp(scratch->folder));
    assert_int_equal(
        kw_workspace_make(&scratch->workspace, scratch->folder, &error), KW_OK);
}

static inline void scratch_remove_tree(const char *path) {
    struct kw_names names;
    struct kw_error error;
    if (kw_folder_list(path, &names, &error) == KW_OK) {
        for (size_t i = 0; i < names.count; i++) {
            char *below = kw_format("%s/%s", path, names.name[i]);
            if (unlink(below) != 0) {
                scratch_remove_tree(below);
            }
            free(below);
        }
        kw_names_free(&names);
    }
    (void)rmdir(path);
}

static inline void scratch_remove(struct scratch *scratch) {
    kw_workspace_close(&scratch->workspace);
    scratch_remove_tree(scratch->folder);
}

#endif
