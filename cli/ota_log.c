/* cli/ota_log.c: what an update prints while it runs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ota.h"

#define BAR     30
#define SOCKETS 7 /* TCP sockets of the module */

kw_status kw_ota_log_begin(struct kw_ota_log *log, struct kw_cli *cli,
                           const struct kw_ota *ota, const char *style) {
    if (style != NULL && strcmp(style, "seed") != 0) {
        return kw_error(&cli->error, KW_USAGE, "'%s': --log takes seed", style);
    }
    *log = (struct kw_ota_log){
        .cli = cli,
        .ota = ota,
        .seed = style != NULL,
        .silent = cli->quiet || cli->json,
    };
    cli->quiet = cli->quiet || log->seed; /* its lines, and no other */
    return KW_OK;
}

/* --- the reference example's lines --- */

static void __attribute__((format(printf, 2, 3)))
say(const struct kw_ota_log *log, const char *format, ...) {
    va_list arguments;
    if (log->silent) {
        return;
    }
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
}

/* Sockets and sessions count as the module's host driver counts them. */
static void say_file(const struct kw_ota_log *log, size_t file, bool done) {
    const unsigned number = (unsigned)file % SOCKETS;
    if (!done) {
        say(log, "start_download: sending HTTP request...\n");
        return;
    }
    say(log,
        "<APP><INFO>Socket %u session ID = %zu\n"
        "http_client_callback: HTTP client socket connected.\n"
        "http_client_callback: request completed.\n"
        "http_client_callback: received response 200\n"
        "store_file_packet: received[%zu]\n"
        "store_file_packet_complete: file downloaded successfully.\n"
        "<APP><INFO>Sock to delete <%u>\n"
        "http_client_callback: disconnection reason:0\n",
        number, file + 1, log->ota->size[file], number);
}

void kw_ota_log_download_mode(const struct kw_ota_log *log,
                              const struct kw_winc *winc) {
    if (log->seed) {
        say(log,
            ">> De-init WINC device to enter into download mode\n"
            "<APP><INFO>Chip ID %x\n"
            ">> WINC entered into download mode\n"
            "---> Start Certificate Upload on WINC\n",
            winc->flash.chip_id);
    }
}

static const char *const STORES[] = {"Root", "TLS"};

static void say_found(struct kw_ota_log *log, unsigned store) {
    if (log->found[store]) {
        return;
    }
    log->found[store] = true;
    for (size_t i = 0; i < log->ota->list.count; i++) {
        const struct kw_ota_file *file = &log->ota->list.file[i];
        char name[128];
        if (file->is_key || (file->type != KW_OTA_ROOT) != (store == 1)) {
            continue;
        }
        kw_winc_input_common_name(&log->ota->input[i], name, sizeof name);
        say(log, "\r\n>>>Found Certificate:\n>>>\t%s\n", name);
    }
}

static void end_store(struct kw_ota_log *log) {
    if (log->writing != NULL) {
        say(log, "--- %s Certificate written to SPI flash ---\r\n\r\n",
            log->writing);
    }
    log->writing = NULL;
}

/* A store counts once, whether one of its sectors is written or two. */
static void begin_sector(struct kw_ota_log *log, uint32_t address) {
    const unsigned store = address == KW_WINC_ROOT_ADDRESS ? 0 : 1;
    if (log->writing == STORES[store]) {
        return;
    }
    end_store(log);
    say_found(log, store);
    log->writing = STORES[store];
    say(log,
        "\r\n>Start erasing...\r\nDone\r\n"
        "\r\n>> Writing the %s Certificate to SPI flash...\r\n",
        log->writing);
}

void kw_ota_log_written(struct kw_ota_log *log, bool done) {
    if (!log->seed) {
        return;
    }
    if (!done) {
        say(log, ">> ERROR in Writing the certificates\n");
        return;
    }
    end_store(log);
    say_found(log, 0);
    say_found(log, 1);
    say(log, ">> All the certificates written\n"
             "main: please re-init WINC to start wifi operations.\n");
}

void kw_ota_log_event(void *self, enum kw_winc_event event, uint32_t address,
                      uint32_t detail) {
    struct kw_ota_log *log = self;
    if (log->seed && event == KW_WINC_ERASING) {
        begin_sector(log, address);
    }
    kw_winc_tell(log->cli, event, address, detail);
}

/* --- a progress bar --- */

static void bar(size_t done, size_t count) {
    char text[BAR + 1];
    const size_t filled = count == 0 ? 0 : done * BAR / count;
    memset(text, ' ', BAR);
    memset(text, '#', filled);
    text[BAR] = '\0';
    (void)printf("\rFetching [%s] %zu of %zu files%s", text, done, count,
                 done == count ? "\n" : "");
    (void)fflush(stdout);
}

void kw_ota_log_file(void *self, const struct kw_ota *ota, size_t file,
                     bool done) {
    const struct kw_ota_log *log = self;
    if (log->seed) {
        say_file(log, file, done);
    } else if (!log->silent && isatty(STDOUT_FILENO) != 0) {
        bar(file + (done ? 1u : 0u), ota->list.count);
    }
}

/* An error's words begin on a line of their own. */
void kw_ota_log_end_bar(const struct kw_ota_log *log, bool fetched) {
    if (!fetched && !log->seed && !log->silent && isatty(STDOUT_FILENO) != 0) {
        (void)printf("\n");
    }
}
