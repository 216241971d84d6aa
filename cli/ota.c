/* cli/ota.c: the noun `ota`. */
#include "cli/ota.h"

#include <stdlib.h>
#include <string.h>

#include "core/rotate.h"
#include "host/authority.h"
#include "host/text.h"

#define TIMEOUT_S   20
#define TIMEOUT_MAX 3600
#define TRIES       3
#define TRIES_MAX   20

static bool stopped(void) {
    return kw_stop_requested != 0;
}

/* --- who may sign a list --- */

static kw_status authority_of_chip(struct kw_cli *cli, uint8_t *authority) {
    uint8_t stored[KW_STORED_KEY_SIZE];
    struct kw_chip *chip = NULL;
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status =
        kw_chip_read_slot(chip, KW_AUTHORITY_SLOT, stored, sizeof stored);
    kw_chip_idle(chip);
    if (status != KW_OK || !kw_stored_key_read(stored, authority)) {
        kw_error(&cli->error, KW_NO, "slot 13 of the chip holds no authority");
        return kw_error_hint(&cli->error, "name one with --authority FILE");
    }
    return KW_OK;
}

static kw_status find_authority(struct kw_cli *cli,
                                const struct kw_arguments *arguments,
                                uint8_t *authority) {
    const char *file = kw_argument(arguments, "--authority");
    if (file == NULL) {
        return authority_of_chip(cli, authority);
    }
    return kw_winc_public_key_read(file, authority, &cli->error);
}

static kw_status refuse_both(struct kw_cli *cli) {
    kw_error(&cli->error, KW_USAGE,
             "--unsigned and --authority contradict each other");
    return kw_error_hint(&cli->error, "a list is signed by an authority, or "
                                      "taken as it is");
}

/* An unsigned list, which --unsigned takes as it is; a signed one is read
 * again with the authority that vouches for it. */
static kw_status read_list(struct kw_cli *cli,
                           const struct kw_arguments *arguments,
                           struct kw_ota_list *list) {
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    const char *path = kw_argument(arguments, "--list");
    if (kw_argument(arguments, "--unsigned") != NULL &&
        kw_argument(arguments, "--authority") != NULL) {
        return refuse_both(cli);
    }
    const kw_status status = kw_ota_list_read(path, NULL, list, &cli->error);
    if (status == KW_NO_SIGNATURE) {
        cli->error = (struct kw_error){.status = KW_OK};
        KW_TRY(find_authority(cli, arguments, authority));
        return kw_ota_list_read(path, authority, list, &cli->error);
    }
    KW_TRY(status);
    if (kw_argument(arguments, "--unsigned") == NULL) {
        kw_error(&cli->error, KW_NO_SIGNATURE, "%s is not signed", path);
        return kw_error_hint(&cli->error, "`keywright ota sign` signs it; "
                                          "--unsigned takes it as it is");
    }
    return KW_OK;
}

/* --- check and update --- */

static kw_status read_number(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             const char *option, unsigned most,
                             unsigned *number) {
    const char *text = kw_argument(arguments, option);
    char *end = NULL;
    if (text == NULL) {
        return KW_OK;
    }
    const unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < 1 ||
        value > most) {
        return kw_error(&cli->error, KW_USAGE, "%s %s: a number from 1 to %u",
                        option, text, most);
    }
    *number = (unsigned)value;
    return KW_OK;
}

static kw_status read_server(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct kw_ota_server *server) {
    *server = (struct kw_ota_server){
        .url = kw_argument(arguments, "--url"),
        .ca = kw_argument(arguments, "--server-ca"),
        .timeout_s = TIMEOUT_S,
        .tries = TRIES,
        .stopped = stopped,
    };
    KW_TRY(read_number(cli, arguments, "--timeout", TIMEOUT_MAX,
                       &server->timeout_s));
    KW_TRY(read_number(cli, arguments, "--tries", TRIES_MAX, &server->tries));
    return kw_ota_check_ca(server->ca, &cli->error);
}

static void show_files(struct kw_cli *cli, const struct kw_ota *ota) {
    json_t *rows = json_array();
    for (size_t i = 0; i < ota->list.count; i++) {
        const struct kw_ota_file *file = &ota->list.file[i];
        char digest[2 * KW_SHA256_SIZE + 1];
        char name[128] = "";
        kw_hex(ota->digest[i], KW_SHA256_SIZE, digest);
        if (!file->is_key) {
            kw_winc_input_common_name(&ota->input[i], name, sizeof name);
        }
        json_t *row =
            json_pack("{s:s, s:s, s:I, s:s}", "type",
                      kw_ota_type_text(file->type), "filename", file->name,
                      "size", (json_int_t)ota->size[i], "sha256", digest);
        json_object_set_new(row, "subject", json_string_nocheck(name));
        json_array_append_new(rows, row);
    }
    json_object_set_new(cli->result, "signed",
                        json_boolean(ota->list.is_signed));
    json_object_set_new(cli->result, "sequence",
                        json_integer(ota->list.sequence));
    json_object_set_new(cli->result, "files", rows);
}

/* Dates, and that an ECC leaf is for the key in the chip. */
static kw_status check_files(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             struct kw_ota *ota) {
    for (size_t i = 0; i < ota->list.count; i++) {
        const struct kw_ota_file *file = &ota->list.file[i];
        if (!file->is_key) {
            KW_TRY(kw_winc_check_date(cli, arguments, &ota->input[i]));
        }
        if (file->is_key) {
            kw_winc_check_own_key(cli, &ota->input[i + 1]);
        }
        if (file->type == KW_OTA_ECC && file->chain > 0) {
            KW_TRY(kw_winc_check_chip(cli, &ota->input[i]));
        }
    }
    return KW_OK;
}

/* The reference example erases once for each root and each chain. */
static void show_reference(struct kw_cli *cli, const struct kw_ota *ota) {
    const size_t theirs = ota->work.roots + ota->work.chains;
    kw_print(cli,
             "  the reference example: %zu erase%s, one a root and one a "
             "chain\n",
             theirs, theirs == 1 ? "" : "s");
    json_object_set_new(cli->result, "reference_erases",
                        json_integer((json_int_t)theirs));
}

/* The list is remembered before the flash is touched: after a cut an older
 * one must not be taken, and the same one may be tried again. */
static kw_status write_all(struct kw_cli *cli,
                           const struct kw_arguments *arguments,
                           struct kw_ota *ota, struct kw_ota_log *log) {
    struct kw_winc *winc = ota->work.winc;
    KW_TRY(kw_ota_enter(ota, &cli->error));
    KW_TRY(kw_winc_prepare_change(cli, arguments, &ota->work));
    show_reference(cli, ota);
    if (kw_argument(arguments, "--dry-run") != NULL) {
        return KW_OK;
    }
    KW_TRY(kw_ota_remember(ota, &cli->error));
    kw_ota_log_download_mode(log, winc);
    winc->update.told = kw_ota_log_event;
    winc->update.observer = log;
    const kw_status status = kw_winc_write_change(cli, arguments, &ota->work);
    kw_ota_log_written(log, status == KW_OK);
    return status;
}

static kw_status update_module(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               struct kw_ota *ota, struct kw_ota_log *log) {
    struct kw_ota_server server;
    KW_TRY(read_server(cli, arguments, &server));
    KW_TRY(kw_ota_admit(ota->work.winc, &ota->list, &cli->error));
    const kw_status status = kw_ota_fetch_all(ota, &server, &cli->error);
    kw_ota_log_end_bar(log, status == KW_OK);
    KW_TRY(status);
    show_files(cli, ota);
    KW_TRY(check_files(cli, arguments, ota));
    return write_all(cli, arguments, ota, log);
}

/* What lives as long as an update. */
struct run {
    struct kw_winc winc;
    struct kw_ota ota;
    struct kw_ota_log log;
};

static kw_status run_update(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct run *run) {
    struct kw_ota *ota = &run->ota;
    KW_TRY(
        kw_ota_log_begin(&run->log, cli, ota, kw_argument(arguments, "--log")));
    KW_TRY(read_list(cli, arguments, &ota->list));
    KW_TRY(kw_winc_begin_change(cli, arguments, &run->winc));
    ota->work.winc = &run->winc;
    ota->work.rekeyed = kw_argument(arguments, "--rekeyed") != NULL;
    ota->work.compact = kw_argument(arguments, "--compact") != NULL;
    ota->told = kw_ota_log_file;
    ota->observer = &run->log;
    const kw_status status = update_module(cli, arguments, ota, &run->log);
    kw_ota_wipe(ota);
    kw_winc_end(arguments, &run->winc);
    return status;
}

static kw_status update(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    const kw_status status = run_update(cli, arguments, run);
    free(run);
    return status;
}

/* The same with --dry-run. */
static kw_status check(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    struct kw_arguments dry = *arguments;
    if (dry.option_count == KW_OPTIONS_MAX) {
        return kw_error(&cli->error, KW_USAGE, "too many options");
    }
    dry.option[dry.option_count].name = "--dry-run";
    dry.option[dry.option_count++].value = "";
    return update(cli, &dry);
}

/* --- resume --- */

static const struct kw_option RESUME_OPTIONS[] = {
    KW_WINC_OPTION_MODULE,
    {"--old", NULL, "bring the old content back"},
    {"--download-mode", NULL, "leave the module in download mode"},
    {NULL, NULL, NULL},
};

static kw_status resume(struct kw_cli *cli,
                        const struct kw_arguments *arguments) {
    struct kw_winc winc;
    bool resumed = false;
    const bool old = kw_argument(arguments, "--old") != NULL;
    const bool stays = kw_argument(arguments, "--download-mode") != NULL;
    KW_TRY(kw_winc_begin(cli, arguments, &winc));
    winc.update.told = kw_winc_tell;
    winc.update.observer = cli;
    const kw_status status = kw_winc_resume(&winc, old, &resumed, &cli->error);
    kw_winc_end(arguments, &winc);
    KW_TRY(status);
    kw_print(cli, "%s\n",
             !resumed ? "Nothing was interrupted"
             : old    ? "The old content is back"
                      : "The interrupted update is finished");
    json_object_set_new(cli->result, "resumed", json_boolean(resumed));
    json_object_set_new(cli->result, "mode",
                        json_string(stays ? "download" : "reset"));
    return KW_OK;
}

#define CHECK_OPTIONS                                                          \
    KW_WINC_OPTION_MODULE,                                                     \
        {"--url", "URL", "where the files lie, https only", .required = true}, \
        {"--server-ca", "FILE", "the server's certificate, or its authority",  \
         .required = true},                                                    \
        {"--list", "FILE", "the certificate list, JSON or the C array",        \
         .required = true},                                                    \
        {"--authority", "FILE",                                                \
         "whose signature it bears: a public or private key in PEM (default: " \
         "the key in slot 13)"},                                               \
        {"--unsigned", NULL, "take a list without a signature"},               \
        {"--rekeyed", NULL, "the same authorities have new keys"},             \
        {"--compact", NULL, "drop files that no list names first"},            \
        KW_WINC_OPTION_STRICT, KW_WINC_OPTION_JOURNAL,                         \
        {"--timeout", "SECONDS", "for one file (default: 20)"},                \
        {"--tries", "N",                                                       \
         "a server that does not answer or breaks off is tried N times in "    \
         "all "                                                                \
         "(default: 3)"},                                                      \
    {                                                                          \
        "--log", "seed", "the console lines of the reference example alone"    \
    }

static const struct kw_option CHECK_ONLY_OPTIONS[] = {
    CHECK_OPTIONS,
    {NULL, NULL, NULL},
};

static const struct kw_option UPDATE_OPTIONS[] = {
    CHECK_OPTIONS,
    {"--dry-run", NULL, "only show what would be written"},
    {"--download-mode", NULL, "leave the module in download mode"},
    {NULL, NULL, NULL},
};

#define SERVER_AND_LIST                                                        \
    "--url https://host/ --server-ca ca.pem --list list.json"

static const struct kw_verb VERBS[] = {
    {"check", NULL, "show what an update would write", CHECK_ONLY_OPTIONS, 0, 0,
     check, .missing = "`keywright help ota check` shows an example",
     .example = "ota check " SERVER_AND_LIST},
    {"update", NULL, "fetch the files of a list and write them", UPDATE_OPTIONS,
     0, 0, update, .missing = "`keywright help ota update` shows an example",
     .example = "ota update " SERVER_AND_LIST},
    {"resume", NULL, "finish an interrupted update", RESUME_OPTIONS, 0, 0,
     resume, .example = "ota resume --old"},
    {"sign", "LIST", "sign a certificate list", kw_ota_sign_options, 1, 1,
     kw_ota_sign_verb,
     .missing = "the files are hashed, and the authority signs the hashes",
     .example =
         "ota sign list.json --files . --authority owner.pem --sequence 7"},
};

const struct kw_noun kw_noun_ota = {
    "ota", "certificates over HTTPS into a module", VERBS,
    sizeof VERBS / sizeof *VERBS, KW_ON_MODULE};
