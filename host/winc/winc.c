#include "host/winc/winc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

kw_status kw_winc_flash_error(const struct kw_winc *winc, kw_status status,
                              const char *doing, struct kw_error *error) {
    if (status == KW_SYSTEM_FILE) {
        (void)kw_error_system(error,
                              "cannot %s: a file of module %s or its "
                              "journal cannot be written",
                              doing, winc->name);
        return kw_error_hint(error,
                             "make room on the disk, then run "
                             "`keywright ota resume --module %s`",
                             winc->name);
    }
    (void)kw_error(error, status, "cannot %s of module %s: %s", doing,
                   winc->name, kw_status_text(status));
    if (kw_status_class(status) == KW_CLASS_CHIP) {
        return kw_error_hint(
            error,
            "the journal is kept: `keywright ota resume --module %s` tries "
            "again, with --old it brings the old content back",
            winc->name);
    }
    return status;
}

/* --- opening --- */

static kw_status read_tls_bytes(void *self, uint32_t offset, uint8_t *bytes,
                                size_t size) {
    struct kw_winc *winc = self;
    return kw_winc_flash_read(&winc->flash, KW_WINC_TLS_ADDRESS + offset, bytes,
                              size);
}

/* The WINC1500's map is full: a 1510 has as much again for its host. */
static bool has_room(const struct kw_winc *winc) {
    return winc->flash.size >= KW_WINC_JOURNAL_ADDRESS + KW_WINC_JOURNAL_SIZE;
}

static kw_status open_parts(struct kw_winc *winc, struct kw_error *error) {
    KW_TRY(kw_module_open(winc->workspace, winc->name, &winc->module, error));
    kw_status status = kw_winc_journal_open(winc);
    if (status == KW_OK) {
        status = kw_winc_flash_open(kw_module_port(winc->module), &winc->flash);
    }
    return status == KW_OK
               ? KW_OK
               : kw_winc_flash_error(winc, status, "enter the download mode",
                                     error);
}

kw_status kw_winc_open(struct kw_winc *winc,
                       const struct kw_workspace *workspace, const char *name,
                       struct kw_error *error) {
    *winc = (struct kw_winc){
        .workspace = workspace,
        .name = name,
        .journal_fd = -1,
        .tls = {.read = read_tls_bytes, .size = KW_WINC_TLS_SIZE},
    };
    const kw_status status = open_parts(winc, error);
    if (status != KW_OK) {
        kw_winc_close(winc, false);
        return status;
    }
    winc->tls.self = winc;
    if (has_room(winc)) {
        kw_winc_journal_in_flash(&winc->flash, &winc->in_flash);
    }
    winc->update = (struct kw_winc_update){
        .flash = &winc->flash,
        .journal = &winc->in_file,
        .sector = winc->sector,
        .page = winc->page,
    };
    return KW_OK;
}

void kw_winc_close(struct kw_winc *winc, bool reset) {
    if (reset && winc->module != NULL) {
        (void)!kw_winc_flash_close(&winc->flash);
    }
    kw_winc_journal_close(winc);
    kw_module_close(winc->module);
    kw_wipe(winc, sizeof *winc);
    winc->journal_fd = -1;
}

/* --- an interrupted update --- */

kw_status kw_winc_journal_to_flash(struct kw_winc *winc,
                                   struct kw_error *error) {
    if (!has_room(winc)) {
        (void)kw_error(error, KW_NO,
                       "module %s is a WINC1500: its flash is full and has no "
                       "room for a journal",
                       winc->name);
        return kw_error_hint(error, "without --journal flash it is a file; "
                                    "nothing was changed");
    }
    winc->update.journal = &winc->in_flash;
    return KW_OK;
}

/* One place after the other; the flash only where it has room. */
static const struct kw_winc_journal *place(const struct kw_winc *winc,
                                           unsigned index) {
    return index == 0                     ? &winc->in_file
           : index == 1 && has_room(winc) ? &winc->in_flash
                                          : NULL;
}

kw_status kw_winc_waits(struct kw_winc *winc, bool *waits,
                        struct kw_error *error) {
    struct kw_winc_update update = winc->update;
    kw_status status = KW_OK;
    *waits = false;
    for (unsigned i = 0; status == KW_OK && !*waits; i++) {
        update.journal = place(winc, i);
        if (update.journal == NULL) {
            break;
        }
        status = kw_winc_update_waits(&update, waits);
    }
    return status == KW_OK
               ? KW_OK
               : kw_winc_flash_error(winc, status, "read the journal", error);
}

kw_status kw_winc_resume(struct kw_winc *winc, bool old_content, bool *resumed,
                         struct kw_error *error) {
    struct kw_winc_update update = winc->update;
    kw_status status = KW_OK;
    *resumed = false;
    for (unsigned i = 0; status == KW_OK; i++) {
        bool here = false;
        update.journal = place(winc, i);
        if (update.journal == NULL) {
            break;
        }
        status = kw_winc_update_resume(&update, old_content, &here);
        *resumed = *resumed || here;
    }
    return status == KW_OK
               ? KW_OK
               : kw_winc_flash_error(winc, status,
                                     "finish the interrupted update", error);
}

/* --- reading --- */

kw_status kw_winc_read(struct kw_winc *winc, uint32_t address, uint8_t *bytes,
                       size_t size, struct kw_error *error) {
    const kw_status status =
        kw_winc_flash_read(&winc->flash, address, bytes, size);
    return status == KW_OK
               ? KW_OK
               : kw_winc_flash_error(winc, status, "read the flash", error);
}

kw_status kw_winc_read_roots(struct kw_winc *winc,
                             uint8_t store[KW_WINC_ROOT_SIZE],
                             struct kw_error *error) {
    uint32_t count = 0;
    uint32_t used = 0;
    KW_TRY(kw_winc_read(winc, KW_WINC_ROOT_ADDRESS, store, KW_WINC_ROOT_SIZE,
                        error));
    const kw_status status = kw_winc_root_check(store, &count, &used);
    if (status != KW_OK) {
        (void)kw_error(error, status,
                       "the root store of module %s is damaged or of a "
                       "foreign kind",
                       winc->name);
        return kw_error_hint(error, "Unknown starting pattern or an entry "
                                    "that does not fit; `keywright winc erase "
                                    "--root` saves and erases it");
    }
    return KW_OK;
}

kw_status kw_winc_read_tls(struct kw_winc *winc, struct kw_winc_tls *tls,
                           struct kw_error *error) {
    const kw_status status =
        kw_winc_tls_read(&winc->tls, kw_winc_new_tls_header(winc), tls);
    if (status == KW_NO_WINC_STORE) {
        (void)kw_error(error, status,
                       "the TLS store of module %s is damaged or of a foreign "
                       "kind",
                       winc->name);
        return kw_error_hint(error, "`keywright winc erase --tls` saves and "
                                    "erases it");
    }
    return status == KW_OK
               ? KW_OK
               : kw_winc_flash_error(winc, status, "read the flash", error);
}

/* --- what the firmware expects --- */

enum kw_winc_root_kind kw_winc_new_root_kind(const struct kw_winc *winc) {
    const char *firmware = kw_module_about(winc->module)->firmware;
    return strncmp(firmware, "19.4.", 5) == 0 ? KW_WINC_ROOT_V0
                                              : KW_WINC_ROOT_V1;
}

uint32_t kw_winc_new_tls_header(const struct kw_winc *winc) {
    const char *firmware = kw_module_about(winc->module)->firmware;
    return strncmp(firmware, "19.4.", 5) == 0 ||
                   strncmp(firmware, "19.5.", 5) == 0
               ? KW_WINC_TLS_HEADER_195
               : KW_WINC_TLS_HEADER_196;
}
