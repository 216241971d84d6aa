/* cli/ota_log.c: what an update prints while it runs. */
#include <string.h>
#include <unistd.h>

#include "cli/ota.h"

#define BAR 30

static void bar(size_t done, size_t count) {
    char text[BAR + 1];
    const size_t filled = count == 0 ? 0 : done * BAR / count;
    memset(text, ' ', BAR);
    memset(text, '#', filled);
    text[BAR] = '\0';
    (void)printf("\r[%s] %zu/%zu files%s", text, done, count,
                 done == count ? "\n" : "");
    (void)fflush(stdout);
}

void kw_ota_log_file(void *self, const struct kw_ota *ota, size_t file,
                     bool done) {
    const struct kw_ota_log *log = self;
    const struct kw_cli *cli = log->cli;
    if (!log->seed) {
        if (isatty(STDOUT_FILENO) != 0 && !cli->json && !cli->quiet) {
            bar(file + (done ? 1u : 0u), ota->list.count);
        }
        return;
    }
    if (!done) {
        kw_print(cli, "start_download: sending HTTP request...\n");
        return;
    }
    kw_print(cli,
             "http_client_callback: HTTP client socket connected.\n"
             "http_client_callback: request completed.\n"
             "http_client_callback: received response 200\n"
             "store_file_packet: received[%zu]\n"
             "store_file_packet_complete: file downloaded successfully.\n"
             "http_client_callback: disconnection reason:0\n",
             ota->size[file]);
}

void kw_ota_log_download_mode(const struct kw_ota_log *log,
                              const struct kw_winc *winc) {
    if (!log->seed) {
        return;
    }
    kw_print(log->cli,
             ">> De-init WINC device to enter into download mode\n"
             "(APP)(INFO)Chip ID %x\n"
             ">> WINC entered into download mode\n"
             "---> Start Certificate Upload on WINC\n",
             winc->flash.chip_id);
    for (size_t i = 0; i < log->ota->list.count; i++) {
        char name[128];
        if (log->ota->list.file[i].is_key) {
            continue;
        }
        kw_winc_input_common_name(&log->ota->input[i], name, sizeof name);
        kw_print(log->cli, "\r\n>>>Found Certificate:\n>>>\t%s\n", name);
    }
}

void kw_ota_log_written(const struct kw_ota_log *log, bool done) {
    if (log->seed) {
        kw_print(log->cli, "%s\n%s",
                 done ? ">> All the certificates written"
                      : ">> ERROR in Writing the certificates",
                 done ? "main: please re-init WINC to start wifi "
                        "operations.\n"
                      : "");
    }
}

void kw_ota_log_event(void *self, enum kw_winc_event event, uint32_t address,
                      uint32_t detail) {
    const struct kw_ota_log *log = self;
    const char *store = address == KW_WINC_ROOT_ADDRESS ? "Root" : "TLS";
    if (log->seed && event == KW_WINC_ERASING) {
        kw_print(log->cli,
                 "\r\n>Start erasing...\r\nDone\r\n"
                 "\r\n>> Writing the %s Certificate to SPI flash...\r\n",
                 store);
        return;
    }
    if (log->seed && event == KW_WINC_WRITTEN) {
        kw_print(log->cli,
                 "--- %s Certificate written to SPI flash ---\r\n\r\n", store);
        return;
    }
    kw_winc_tell(log->cli, event, address, detail);
}
