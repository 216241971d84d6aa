#include "host/bundle_folder.h"

#include <stdlib.h>
#include <string.h>

#include "host/envelope.h"
#include "host/files.h"
#include "host/register.h"
#include "host/text.h"

#define FOLDER "bundles"
#define SUFFIX ".bundle.json"

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static bool is_bundle(const char *name) {
    const size_t size = strlen(name);
    const size_t tail = strlen(SUFFIX);
    return size > tail && strcmp(name + size - tail, SUFFIX) == 0;
}

/* Answers what take answered; false for what is no bundle. */
static bool show(const char *path,
                 bool (*take)(void *observer, const struct kw_bundle *bundle),
                 void *observer) {
    struct kw_error ignored;
    struct kw_envelope envelope;
    struct kw_bundle bundle;
    return kw_envelope_read(path, KW_BUNDLE_SIZE, &envelope, &ignored) ==
               KW_OK &&
           kw_bundle_decode(envelope.payload, KW_BUNDLE_SIZE, &bundle) ==
               KW_OK &&
           take(observer, &bundle);
}

kw_status kw_bundle_folder_search(const struct kw_workspace *workspace,
                                  bool (*take)(void *observer,
                                               const struct kw_bundle *bundle),
                                  void *observer, struct kw_error *error) {
    struct kw_names names;
    bool taken = false;
    char *folder = kw_workspace_path(workspace, FOLDER);
    kw_status status = folder == NULL ? no_memory(error)
                                      : kw_folder_list(folder, &names, error);
    free(folder);
    KW_TRY(status);
    for (size_t i = names.count; status == KW_OK && !taken && i > 0; i--) {
        const char *name = names.name[i - 1];
        if (!is_bundle(name)) {
            continue;
        }
        char *path = kw_workspace_path(workspace, FOLDER "/%s", name);
        status = path == NULL ? no_memory(error) : KW_OK;
        taken = path != NULL && show(path, take, observer);
        free(path);
    }
    kw_names_free(&names);
    return status;
}

/* --- what they tell --- */

struct search {
    const uint8_t *key;
    bool found;
};

static bool names_key(void *observer, const struct kw_bundle *bundle) {
    struct search *search = observer;
    search->found =
        memcmp(bundle->new_key, search->key, KW_PUBLIC_KEY_SIZE) == 0;
    return search->found;
}

kw_status kw_key_was_authorised(const struct kw_workspace *workspace,
                                const uint8_t key[KW_PUBLIC_KEY_SIZE],
                                bool *was_authorised, struct kw_error *error) {
    struct search search = {.key = key};
    KW_TRY(kw_register_vouches(workspace, NULL, key, was_authorised, error));
    if (*was_authorised) {
        return KW_OK;
    }
    KW_TRY(kw_bundle_folder_search(workspace, names_key, &search, error));
    *was_authorised = search.found;
    return KW_OK;
}
