#include "host/certs/export.h"

#include <stdlib.h>
#include <string.h>

#include "host/certs/pki_file.h"
#include "host/files.h"

struct export {
    const struct kw_chain *chain;
    const struct kw_chip_certs *certs;
    const char *folder;
    void (*wrote)(void *observer, const char *file);
    void *observer;
    struct kw_error *error;
};

static kw_status no_memory(const struct export *export) {
    return kw_error(export->error, KW_SYSTEM_MEMORY, "out of memory");
}

static kw_status write_file(const struct export *export, const char *name,
                            const char *suffix, const void *data, size_t size) {
    char *path = kw_format("%s/%s.%s", export->folder, name, suffix);
    if (path == NULL) {
        return no_memory(export);
    }
    const kw_status status =
        kw_file_create(path, KW_PUBLIC_MODE, data, size, export->error);
    if (status == KW_OK) {
        export->wrote(export->observer, path);
    }
    free(path);
    return status;
}

static kw_status write_pem(const struct export *export, int which) {
    char *pem = kw_pki_pem(KW_PEM_CERTIFICATE, &export->chain->bytes[which]);
    if (pem == NULL) {
        return no_memory(export);
    }
    const kw_status status =
        write_file(export, kw_chain_names[which], "pem", pem, strlen(pem));
    free(pem);
    return status;
}

static kw_status write_der(const struct export *export, int which) {
    return write_file(export, kw_chain_names[which], "der",
                      export->chain->bytes[which].der,
                      export->chain->bytes[which].size);
}

static kw_status write_c(const struct export *export, int which) {
    struct kw_c_definition definition;
    if (which == KW_CHAIN_ROOT) {
        return KW_OK;
    }
    KW_TRY(kw_c_definition(export->chain, which, export->certs, &definition,
                           export->error));
    kw_status status = write_file(export, definition.name, "h",
                                  definition.header, strlen(definition.header));
    if (status == KW_OK) {
        status = write_file(export, definition.name, "c", definition.source,
                            strlen(definition.source));
    }
    free(definition.header);
    free(definition.source);
    return status;
}

kw_status kw_chain_export(const struct kw_chain *chain,
                          const struct kw_chip_certs *certs, unsigned forms,
                          const char *folder,
                          void (*wrote)(void *observer, const char *file),
                          void *observer, struct kw_error *error) {
    static const struct {
        unsigned form;
        kw_status (*write)(const struct export *export, int which);
    } ROWS[] = {{KW_EXPORT_PEM, write_pem},
                {KW_EXPORT_DER, write_der},
                {KW_EXPORT_C, write_c}};
    const struct export export = {chain, certs, folder, wrote, observer, error};
    KW_TRY(kw_folder_make(folder, error));
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        for (int i = 0; (forms & ROWS[row].form) != 0 && i < KW_CHAIN_COUNT;
             i++) {
            KW_TRY(ROWS[row].write(&export, i));
        }
    }
    return KW_OK;
}
