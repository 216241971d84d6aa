/* cli/winc_image.c: `winc dump`, `winc load` and `winc erase`. */
#include <stdlib.h>
#include <string.h>

#include "cli/winc.h"
#include "core/bytes.h"
#include "host/text.h"
#include "host/winc_record.h"

static kw_status no_memory(struct kw_cli *cli) {
    return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- dump --- */

static kw_status save_part(struct kw_cli *cli, struct kw_winc *winc,
                           uint32_t address, uint32_t size, const char *path) {
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return no_memory(cli);
    }
    kw_status status = kw_winc_read(winc, address, bytes, size, &cli->error);
    if (status == KW_OK) {
        status = kw_file_create(path, KW_SECRET_MODE, bytes, size, &cli->error);
    }
    kw_wipe(bytes, size);
    free(bytes);
    KW_TRY(status);
    kw_print(cli, "Saved 0x%05x-0x%05x to %s\n", address, address + size - 1,
             path);
    return KW_OK;
}

kw_status kw_winc_dump(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    json_object_set_new(cli->result, "file",
                        json_string(arguments->operand[0]));
    json_object_set_new(cli->result, "size", json_integer(winc.flash.size));
    const kw_status status =
        save_part(cli, &winc, 0, winc.flash.size, arguments->operand[0]);
    kw_winc_end(arguments, &winc);
    return status;
}

/* --- load --- */

struct image {
    const uint8_t *bytes;
};

static kw_status render_image(void *self, uint32_t address, uint8_t *sector) {
    const struct image *image = self;
    memcpy(sector, image->bytes + address, KW_WINC_SECTOR);
    return KW_OK;
}

static kw_status write_image(struct kw_cli *cli, struct kw_winc *winc,
                             const uint8_t *bytes, uint32_t *written) {
    struct image image = {bytes};
    struct kw_winc_change change = {
        .count = 1, .render = render_image, .self = &image};
    winc->update.journal = NULL;
    const uint32_t before = winc->flash.erases;
    for (uint32_t at = 0; at < winc->flash.size; at += KW_WINC_SECTOR) {
        change.address[0] = at;
        const kw_status status = kw_winc_update_run(&winc->update, &change);
        if (status != KW_OK) {
            return kw_winc_flash_error(winc, status, "load the image",
                                       &cli->error);
        }
    }
    *written = winc->flash.erases - before;
    return kw_winc_record_clear(winc, &cli->error);
}

static kw_status load_bytes(struct kw_cli *cli, struct kw_winc *winc,
                            const char *path, const uint8_t *bytes,
                            size_t size) {
    uint32_t written = 0;
    if (size != winc->flash.size) {
        kw_error(&cli->error, KW_PARSE_SIZE, "%s has %zu bytes, the flash %u",
                 path, size, winc->flash.size);
        return kw_error_hint(&cli->error, "an image is the whole flash; "
                                          "nothing was changed");
    }
    KW_TRY(kw_confirm(cli, "Replace the module's whole flash, its "
                           "certificates and keys included?"));
    KW_TRY(write_image(cli, winc, bytes, &written));
    kw_print(cli, "Loaded %s: %u sectors were written\n", path, written);
    json_object_set_new(cli->result, "sectors", json_integer(written));
    return KW_OK;
}

kw_status kw_winc_load(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    struct kw_winc winc;
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *path = arguments->operand[0];
    KW_TRY(kw_winc_begin_change(cli, arguments, &winc));
    json_object_set_new(cli->result, "file", json_string(path));
    kw_status status = kw_file_read(path, 1u << 20, &bytes, &size, &cli->error);
    if (status == KW_OK) {
        status = load_bytes(cli, &winc, path, bytes, size);
        kw_wipe(bytes, size);
        free(bytes);
    }
    kw_winc_end(arguments, &winc);
    return status;
}

/* --- erase --- */

/* A path that is free: the time, and a number when that is taken. */
static char *backup_path(const struct kw_winc *winc, const char *store) {
    char time[KW_TIME_TEXT];
    kw_time_now(time);
    char *path = NULL;
    for (unsigned i = 1; i < 1000; i++) {
        path =
            kw_workspace_path(winc->workspace, "backups/winc-%s-%s-%s-%03u.bin",
                              winc->name, store, time, i);
        if (path == NULL || !kw_file_exists(path)) {
            break;
        }
        free(path);
        path = NULL;
    }
    return path;
}

static kw_status save_store(struct kw_cli *cli, struct kw_winc *winc,
                            const char *store, uint32_t address, uint32_t size,
                            json_t *saved) {
    char *path = backup_path(winc, store);
    if (path == NULL) {
        return no_memory(cli);
    }
    const kw_status status = save_part(cli, winc, address, size, path);
    json_array_append_new(saved, json_string(path));
    free(path);
    return status;
}

static kw_status erase(struct kw_cli *cli, const struct kw_arguments *arguments,
                       struct kw_winc_work *work) {
    json_t *saved = json_array();
    json_object_set_new(cli->result, "saved", saved);
    KW_TRY(kw_confirm(cli, "Erase what the module trusts, or its own "
                           "certificates and keys?"));
    if (work->erase_root) {
        KW_TRY(save_store(cli, work->winc, "root", KW_WINC_ROOT_ADDRESS,
                          KW_WINC_ROOT_SIZE, saved));
    }
    if (work->erase_tls) {
        KW_TRY(save_store(cli, work->winc, "tls", KW_WINC_TLS_ADDRESS,
                          KW_WINC_TLS_SIZE, saved));
    }
    return kw_winc_carry_out(cli, arguments, work);
}

kw_status kw_winc_erase(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_winc winc;
    const bool root = kw_argument(arguments, "--root") != NULL;
    const bool tls = kw_argument(arguments, "--tls") != NULL;
    if (!root && !tls) {
        return kw_error(&cli->error, KW_USAGE,
                        "`winc erase` needs --root, --tls or both");
    }
    struct kw_winc_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return no_memory(cli);
    }
    kw_status status = kw_winc_begin_change(cli, arguments, &winc);
    if (status == KW_OK) {
        work->winc = &winc;
        work->erase_root = root;
        work->erase_tls = tls;
        status = erase(cli, arguments, work);
        kw_winc_end(arguments, &winc);
    }
    free(work);
    return status;
}
