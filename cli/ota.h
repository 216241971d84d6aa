/* cli/ota.h: the verbs of `ota` and the console lines of the reference
 * example. Knows cli/winc.h and host/ota.h. */
#ifndef KW_CLI_OTA_H
#define KW_CLI_OTA_H

#include "cli/winc.h"
#include "host/ota.h"

/* cli/ota_log.c */
struct kw_ota_log {
    struct kw_cli *cli;
    bool seed; /* the reference example's lines, else a progress bar */
    const struct kw_ota *ota;
};
void kw_ota_log_file(void *log, const struct kw_ota *ota, size_t file,
                     bool done);
void kw_ota_log_download_mode(const struct kw_ota_log *log,
                              const struct kw_winc *winc);
void kw_ota_log_written(const struct kw_ota_log *log, bool done);
void kw_ota_log_event(void *log, enum kw_winc_event event, uint32_t address,
                      uint32_t detail);

/* cli/ota_sign.c */
extern const struct kw_option kw_ota_sign_options[];
kw_status kw_ota_sign_verb(struct kw_cli *cli,
                           const struct kw_arguments *arguments);

#endif
