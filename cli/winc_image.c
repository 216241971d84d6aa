/* cli/winc_image.c: `winc dump`, `winc load` and `winc erase`. */
#include <stdlib.h>
#include <string.h>

#include "cli/winc.h"
#include "core/bytes.h"
#include "host/text.h"
#include "host/winc/record.h"

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

static kw_status load_flash(struct kw_cli *cli, struct kw_winc *winc,
                            const char *path, const uint8_t *bytes) {
    uint32_t written = 0;
    KW_TRY(kw_confirm(cli,
                      "Replace the whole flash of module %s, its certificates "
                      "and keys included?",
                      winc->name));
    KW_TRY(write_image(cli, winc, bytes, &written));
    kw_print(cli, "Loaded %s: %u %s written\n", path, written,
             kw_counted(written, "sector was", "sectors were"));
    json_object_set_new(cli->result, "sectors", json_integer(written));
    return KW_OK;
}

/* --- load: a store that `winc erase` saved --- */

static kw_status take_root_store(struct kw_winc_work *work,
                                 const uint8_t *bytes) {
    uint32_t count = 0;
    uint32_t used = 0;
    work->root_image = bytes;
    return kw_winc_root_check(bytes, &count, &used);
}

static kw_status take_tls_store(struct kw_winc_work *work,
                                const uint8_t *bytes) {
    const struct kw_source source = {.memory = bytes, .size = KW_WINC_TLS_SIZE};
    struct kw_winc_tls tls;
    work->tls_image = bytes;
    return kw_winc_tls_read(&source, kw_winc_new_tls_header(work->winc), &tls);
}

struct store {
    const char *name;
    uint32_t size;
    kw_status (*take)(struct kw_winc_work *work, const uint8_t *bytes);
};

static const struct store STORES[] = {
    {"root store", KW_WINC_ROOT_SIZE, take_root_store},
    {"TLS store", KW_WINC_TLS_SIZE, take_tls_store},
};

static const struct store *store_of_size(size_t size) {
    for (size_t i = 0; i < sizeof STORES / sizeof *STORES; i++) {
        if (STORES[i].size == size) {
            return &STORES[i];
        }
    }
    return NULL;
}

/* Subjects of other roots may be recorded under the same name hashes: they
 * are forgotten first. */
static kw_status write_store(struct kw_cli *cli, struct kw_winc_work *work) {
    KW_TRY(kw_winc_work_prepare(work, &cli->error));
    KW_TRY(work->root_image != NULL
               ? kw_winc_record_clear(work->winc, &cli->error)
               : KW_OK);
    work->winc->update.told = kw_winc_tell;
    work->winc->update.observer = cli;
    return kw_winc_work_run(work, &cli->error);
}

static kw_status load_store(struct kw_cli *cli, struct kw_winc_work *work,
                            const char *path, const struct store *store,
                            const uint8_t *bytes) {
    if (store->take(work, bytes) != KW_OK) {
        kw_error(&cli->error, KW_PARSE, "%s is no whole %s", path, store->name);
        return kw_error_hint(&cli->error, "nothing was changed");
    }
    kw_print(cli, "%s is a %s\n", path, store->name);
    KW_TRY(
        kw_confirm(cli, "Replace that of module %s by it?", work->winc->name));
    KW_TRY(write_store(cli, work));
    kw_print(cli, "Loaded %s: %u %s written\n", path, work->cost.sectors,
             kw_counted(work->cost.sectors, "sector was", "sectors were"));
    json_object_set_new(cli->result, "sectors",
                        json_integer(work->cost.sectors));
    return KW_OK;
}

static kw_status load_bytes(struct kw_cli *cli, struct kw_winc *winc,
                            const char *path, const uint8_t *bytes,
                            size_t size) {
    const struct store *store = store_of_size(size);
    if (store != NULL) {
        struct kw_winc_work work = {.winc = winc};
        return load_store(cli, &work, path, store, bytes);
    }
    if (size != winc->flash.size) {
        kw_error(&cli->error, KW_PARSE_SIZE, "%s has %zu bytes, the flash %u",
                 path, size, winc->flash.size);
        return kw_error_hint(&cli->error,
                             "a file is the whole flash, or a store that "
                             "`keywright winc erase` saved; nothing was "
                             "changed");
    }
    return load_flash(cli, winc, path, bytes);
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

static kw_status save_stores(struct kw_cli *cli, struct kw_winc_work *work,
                             json_t *saved) {
    KW_TRY(kw_confirm(cli, "Erase %s%s%s of module %s?",
                      work->erase_root ? "what is trusted" : "",
                      work->erase_root && work->erase_tls ? " and " : "",
                      work->erase_tls ? "the own certificates and keys" : "",
                      work->winc->name));
    if (work->erase_root) {
        KW_TRY(save_store(cli, work->winc, "root", KW_WINC_ROOT_ADDRESS,
                          KW_WINC_ROOT_SIZE, saved));
    }
    return work->erase_tls
               ? save_store(cli, work->winc, "tls", KW_WINC_TLS_ADDRESS,
                            KW_WINC_TLS_SIZE, saved)
               : KW_OK;
}

static kw_status erase(struct kw_cli *cli, const struct kw_arguments *arguments,
                       struct kw_winc_work *work) {
    const bool dry_run = kw_argument(arguments, "--dry-run") != NULL;
    json_t *saved = json_array();
    json_object_set_new(cli->result, "saved", saved);
    KW_TRY(dry_run ? KW_OK : save_stores(cli, work, saved));
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
