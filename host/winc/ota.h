/* host/winc/ota.h: an update of a module's certificates over HTTPS.
 *
 * Fetches every file of a list, checks each and all of them together, and
 * hands them to one piece of work on the stores. Knows host/winc/ota_list.h,
 * host/winc/ota_fetch.h and host/winc/work.h. */
#ifndef KW_HOST_WINC_OTA_H
#define KW_HOST_WINC_OTA_H

#include "host/winc/ota_fetch.h"
#include "host/winc/ota_list.h"
#include "host/winc/work.h"

struct kw_ota {
    struct kw_ota_list list;
    struct kw_winc_input input[KW_OTA_FILES_MAX];
    uint8_t digest[KW_OTA_FILES_MAX][KW_SHA256_SIZE]; /* of what came */
    size_t size[KW_OTA_FILES_MAX];
    struct kw_winc_work work;
    /* Told around each file; may be NULL. */
    void (*told)(void *observer, const struct kw_ota *ota, size_t file,
                 bool done);
    void *observer;
};

/* Whether this module may have this list: KW_NO for another module's, for an
 * older sequence, or an equal one with another list. */
KW_MUST_USE kw_status kw_ota_admit(const struct kw_winc *winc,
                                   const struct kw_ota_list *list,
                                   struct kw_error *error);
/* Fetches and checks all files. */
KW_MUST_USE kw_status kw_ota_fetch_all(struct kw_ota *ota,
                                       const struct kw_ota_server *server,
                                       struct kw_error *error);
/* Enters them into ota->work, whose winc is set. */
KW_MUST_USE kw_status kw_ota_enter(struct kw_ota *ota, struct kw_error *error);
/* Remembers the list as the module's last. */
KW_MUST_USE kw_status kw_ota_remember(const struct kw_ota *ota,
                                      struct kw_error *error);
/* Wipes what was fetched. */
void kw_ota_wipe(struct kw_ota *ota);

#endif
