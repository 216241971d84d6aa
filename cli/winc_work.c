/* cli/winc_work.c: what the verbs share that change a module's stores. */
#include <string.h>

#include "cli/winc.h"
#include "host/text.h"

#define DEFAULT_MODULE "winc"
#define OWN_RSA_MAX    2048u /* bits */

kw_status kw_winc_begin(struct kw_cli *cli,
                        const struct kw_arguments *arguments,
                        struct kw_winc *winc) {
    struct kw_workspace *workspace = NULL;
    const char *name = kw_argument(arguments, "--module");
    KW_TRY(kw_cli_workspace_locked(cli, &workspace));
    KW_TRY(kw_winc_open(winc, workspace, name != NULL ? name : DEFAULT_MODULE,
                        &cli->error));
    json_object_set_new(cli->result, "module", json_string(winc->name));
    return KW_OK;
}

/* A journal that is not whole is wiped as well. */
static kw_status finish_first(struct kw_cli *cli, struct kw_winc *winc) {
    bool resumed = false;
    KW_TRY(kw_winc_resume(winc, false, &resumed, &cli->error));
    if (resumed) {
        kw_print(cli, "An interrupted update was finished first\n");
    }
    return KW_OK;
}

static kw_status refuse_waiting(struct kw_cli *cli, struct kw_winc *winc) {
    bool waits = false;
    KW_TRY(kw_winc_waits(winc, &waits, &cli->error));
    if (!waits) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_INTERRUPTED,
             "an update of module %s was interrupted", winc->name);
    return kw_error_hint(&cli->error,
                         "`keywright ota resume --module %s` finishes it; "
                         "nothing was changed",
                         winc->name);
}

static kw_status choose_journal(struct kw_cli *cli,
                                const struct kw_arguments *arguments,
                                struct kw_winc *winc) {
    const char *place = kw_argument(arguments, "--journal");
    if (place == NULL || strcmp(place, "file") == 0) {
        return KW_OK;
    }
    return strcmp(place, "flash") == 0
               ? kw_winc_journal_to_flash(winc, &cli->error)
               : kw_error(&cli->error, KW_USAGE,
                          "'%s': --journal takes file or flash", place);
}

kw_status kw_winc_begin_change(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               struct kw_winc *winc) {
    KW_TRY(kw_winc_begin(cli, arguments, winc));
    const bool dry_run = kw_argument(arguments, "--dry-run") != NULL;
    kw_status status = choose_journal(cli, arguments, winc);
    if (status == KW_OK) {
        status = dry_run ? refuse_waiting(cli, winc) : finish_first(cli, winc);
    }
    if (status != KW_OK) {
        kw_winc_end(arguments, winc);
    }
    return status;
}

/* After a dry run too: the flash is read in download mode. */
static bool leaves_in_download(const struct kw_arguments *arguments) {
    return kw_argument(arguments, "--download-mode") != NULL;
}

void kw_winc_end(const struct kw_arguments *arguments, struct kw_winc *winc) {
    kw_winc_close(winc, !leaves_in_download(arguments));
}

kw_status kw_winc_check_date(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             const struct kw_winc_input *input) {
    if (!kw_winc_input_expired(input)) {
        return KW_OK;
    }
    if (kw_argument(arguments, "--strict") != NULL) {
        return kw_error(&cli->error, KW_NO,
                        "%s has expired, and --strict refuses that; nothing "
                        "was changed",
                        input->name);
    }
    kw_warn(cli, "%s has expired", input->name);
    return KW_OK;
}

/* Source: the module's software design guide, limits of its TLS. */
void kw_winc_check_own_key(struct kw_cli *cli,
                           const struct kw_winc_input *leaf) {
    const unsigned bits = leaf->cert.key[0].size * 8u;
    if (leaf->cert.key_type == KW_WINC_RSA && bits > OWN_RSA_MAX) {
        kw_warn(cli,
                "%s has an RSA key of %u bits; the module's own certificate "
                "works with %u at most",
                leaf->name, bits, OWN_RSA_MAX);
    }
}

/* --- carrying out --- */

void kw_winc_tell(void *observer, enum kw_winc_event event, uint32_t address,
                  uint32_t detail) {
    struct kw_cli *cli = observer;
    switch (event) {
    case KW_WINC_ERASING:
        break;
    case KW_WINC_WRITTEN:
        kw_print(cli, "  sector 0x%05x written and verified\n", address);
        break;
    case KW_WINC_DIFFERS:
        kw_warn(cli,
                "sector 0x%05x: %u byte%s read%s back wrong, the first at "
                "0x%05x",
                address - address % KW_WINC_SECTOR, detail,
                detail == 1 ? "" : "s", detail == 1 ? "s" : "", address);
        break;
    case KW_WINC_RESTORED:
        kw_tell(cli, "  sector 0x%05x holds its old content\n", address);
        break;
    case KW_WINC_LOST:
        kw_warn(cli,
                "sector 0x%05x does not take its old content back; the "
                "journal keeps it",
                address);
        break;
    }
}

static const char *plural(uint32_t count) {
    return count == 1 ? "" : "s";
}

static void show_cost(struct kw_cli *cli, const struct kw_winc_work *work,
                      bool dry_run) {
    const struct kw_winc_cost *cost = &work->cost;
    if (cost->sectors == 0) {
        kw_print(cli, "Nothing to write: the stores hold all of it\n");
    } else {
        kw_print(
            cli, "%s %u sector%s: %u erase%s, %u page%s, %u byte%s differ\n",
            dry_run ? "Would write" : "Writing", cost->sectors,
            plural(cost->sectors), cost->sectors, plural(cost->sectors),
            cost->pages, plural(cost->pages), cost->bytes, plural(cost->bytes));
    }
    json_object_set_new(cli->result, "dry_run", json_boolean(dry_run));
    json_object_set_new(cli->result, "sectors", json_integer(cost->sectors));
    json_object_set_new(cli->result, "erases", json_integer(cost->sectors));
    json_object_set_new(cli->result, "bytes", json_integer(cost->bytes));
    if (work->root_used > 0) {
        const uint32_t room = KW_WINC_ROOT_SIZE - work->root_used;
        kw_print(cli, "  root store: %u bytes free then\n", room);
        json_object_set_new(cli->result, "root_free", json_integer(room));
    }
    if (work->tls_used > 0) {
        const uint32_t room = KW_WINC_TLS_SIZE - work->tls_used;
        const uint32_t files = KW_WINC_TLS_FILES - work->tls.count;
        kw_print(cli, "  TLS store: %u bytes and %u file%s free then\n", room,
                 files, plural(files));
        json_object_set_new(cli->result, "tls_free", json_integer(room));
    }
}

kw_status kw_winc_prepare_change(struct kw_cli *cli,
                                 const struct kw_arguments *arguments,
                                 struct kw_winc_work *work) {
    KW_TRY(kw_winc_work_prepare(work, &cli->error));
    show_cost(cli, work, kw_argument(arguments, "--dry-run") != NULL);
    json_object_set_new(
        cli->result, "mode",
        json_string(leaves_in_download(arguments) ? "download" : "reset"));
    return KW_OK;
}

kw_status kw_winc_write_change(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               struct kw_winc_work *work) {
    if (work->winc->update.told == NULL) {
        work->winc->update.told = kw_winc_tell;
        work->winc->update.observer = cli;
    }
    KW_TRY(kw_winc_work_run(work, &cli->error));
    kw_print(cli,
             "The module %s; please re-init it to start Wi-Fi "
             "operations\n",
             leaves_in_download(arguments) ? "stays in download mode"
                                           : "was reset");
    return KW_OK;
}

kw_status kw_winc_carry_out(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct kw_winc_work *work) {
    KW_TRY(kw_winc_prepare_change(cli, arguments, work));
    return kw_argument(arguments, "--dry-run") != NULL
               ? KW_OK
               : kw_winc_write_change(cli, arguments, work);
}
