/* cli/ota.h: the verbs of `ota` and the console lines of the reference
 * example. Knows cli/winc.h and host/winc/ota.h. */
#ifndef KW_CLI_OTA_H
#define KW_CLI_OTA_H

#include "cli/winc.h"
#include "host/winc/ota.h"

/* cli/ota_log.c */
struct kw_ota_log {
    struct kw_cli *cli;
    const struct kw_ota *ota;
    bool seed;   /* the reference example's lines, else a progress bar */
    bool silent; /* --quiet or --json */
    const char *writing; /* the store whose sectors are written */
    bool found[2];       /* its certificates were named: roots, TLS */
};
/* style: NULL or "seed". KW_USAGE. */
KW_MUST_USE kw_status kw_ota_log_begin(struct kw_ota_log *log,
                                       struct kw_cli *cli,
                                       const struct kw_ota *ota,
                                       const char *style);
void kw_ota_log_file(void *log, const struct kw_ota *ota, size_t file,
                     bool done);
void kw_ota_log_download_mode(const struct kw_ota_log *log,
                              const struct kw_winc *winc);
/* Fetching is over, well or not. */
void kw_ota_log_end_bar(const struct kw_ota_log *log, bool fetched);
void kw_ota_log_written(struct kw_ota_log *log, bool done);
void kw_ota_log_event(void *log, enum kw_winc_event event, uint32_t address,
                      uint32_t detail);

/* cli/ota_sign.c */
extern const struct kw_option kw_ota_sign_options[];
kw_status kw_ota_sign_verb(struct kw_cli *cli,
                           const struct kw_arguments *arguments);

#endif
