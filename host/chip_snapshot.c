#include "host/chip_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "host/text.h"

#define SIM "sim:"

kw_status kw_snapshot_name(const char *link, const char **name,
                           struct kw_error *error) {
    if (strncmp(link, SIM, strlen(SIM)) != 0) {
        kw_error(error, KW_NO_CHIP_TYPE,
                 "'%s' is a chip behind a link: what it keeps secret never "
                 "leaves it, so it has no snapshot and cannot be restored",
                 link);
        return kw_error_hint(error, "snapshots are for the workspace's "
                                    "emulated chips: --chip sim:NAME");
    }
    *name = link + strlen(SIM);
    return KW_OK;
}

static char *free_path(const struct kw_workspace *workspace, const char *name,
                       const uint8_t serial[KW_SERIAL_SIZE]) {
    char text[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(serial, KW_SERIAL_SIZE, text);
    for (unsigned number = 1;; number++) {
        char *path = kw_workspace_path(workspace, "backups/%s-%s-%04u.chip",
                                       name, text, number);
        if (path == NULL || !kw_file_exists(path)) {
            return path;
        }
        free(path);
    }
}

kw_status kw_snapshot_make(const struct kw_workspace *workspace,
                           const char *name, char **file,
                           uint8_t serial[KW_SERIAL_SIZE],
                           struct kw_error *error) {
    *file = NULL;
    KW_TRY(kw_emulated_serial(workspace, name, serial, error));
    char *path = free_path(workspace, name, serial);
    if (path == NULL) {
        return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status =
        kw_emulated_image_save(workspace, name, path, serial, error);
    if (status != KW_OK) {
        free(path);
        return status;
    }
    *file = path;
    return KW_OK;
}

kw_status kw_snapshot_check(const struct kw_workspace *workspace,
                            const char *name, const char *file,
                            struct kw_error *error) {
    uint8_t now[KW_SERIAL_SIZE];
    uint8_t then[KW_SERIAL_SIZE];
    char text[2 * KW_SERIAL_SIZE + 1];
    const kw_status status = kw_emulated_image_serial(file, then, error);
    if (kw_status_class(status) == KW_CLASS_PARSE) {
        return kw_error_hint(error, "a snapshot is what `keywright chip "
                                    "snapshot` keeps below backups/");
    }
    KW_TRY(status);
    KW_TRY(kw_emulated_serial(workspace, name, now, error));
    if (memcmp(now, then, sizeof now) == 0) {
        return KW_OK;
    }
    kw_hex_upper(then, sizeof then, text);
    kw_error(error, KW_NO_SERIAL, "%s is a snapshot of chip %s, not of sim:%s",
             file, text, name);
    return kw_error_hint(error, "name the chip with --chip, or take a snapshot "
                                "of this one");
}

kw_status kw_snapshot_restore(const struct kw_workspace *workspace,
                              const char *name, const char *file, char **kept,
                              uint8_t serial[KW_SERIAL_SIZE],
                              struct kw_error *error) {
    KW_TRY(kw_snapshot_make(workspace, name, kept, serial, error));
    return kw_emulated_image_load(workspace, name, file, error);
}
