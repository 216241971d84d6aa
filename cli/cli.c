#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WORKSPACE "keywright.d"

volatile sig_atomic_t kw_stop_requested;

const char *kw_default_workspace(void) {
    const char *folder = getenv("KEYWRIGHT_WORKSPACE");
    return folder != NULL && folder[0] != '\0' ? folder : DEFAULT_WORKSPACE;
}

const char *kw_argument(const struct kw_arguments *arguments,
                        const char *name) {
    for (size_t i = 0; i < arguments->option_count; i++) {
        if (strcmp(arguments->option[i].name, name) == 0) {
            return arguments->option[i].value;
        }
    }
    return NULL;
}

/* --- what a verb opens -------------------------------------------------------
 */

/* An authority may be a key in the very chip. */
static void lend_chip(struct kw_cli *cli) {
    if (cli->link.close != NULL) {
        cli->workspace.chip = &cli->chip;
        cli->workspace.chip_link = cli->chip_text;
    }
}

kw_status kw_cli_workspace(struct kw_cli *cli,
                           struct kw_workspace **workspace) {
    if (cli->workspace.folder == NULL) {
        const kw_status status = kw_workspace_open(
            &cli->workspace, cli->workspace_folder, &cli->error);
        if (status != KW_OK) {
            kw_workspace_close(&cli->workspace);
            return status;
        }
        lend_chip(cli);
    }
    *workspace = &cli->workspace;
    return KW_OK;
}

kw_status kw_cli_workspace_locked(struct kw_cli *cli,
                                  struct kw_workspace **workspace) {
    KW_TRY(kw_cli_workspace(cli, workspace));
    return kw_workspace_lock(*workspace, &cli->error);
}

/* The name of an emulated chip without "sim:" is the likeliest mistake. */
static kw_status open_link(struct kw_cli *cli,
                           const struct kw_workspace *workspace) {
    const kw_status status =
        kw_link_open(cli->chip_text, workspace, &cli->link, &cli->error);
    if (status == KW_USAGE && cli->chip_text[0] != '\0' &&
        strpbrk(cli->chip_text, ":/") == NULL) {
        return kw_error_hint(&cli->error, "did you mean --chip sim:%s?",
                             cli->chip_text);
    }
    return status;
}

static kw_status open_chip(struct kw_cli *cli) {
    struct kw_workspace *workspace = NULL;
    if (kw_link_needs_workspace(cli->chip_text)) {
        KW_TRY(kw_cli_workspace(cli, &workspace));
    }
    KW_TRY(open_link(cli, workspace));
    KW_TRY(kw_link_watch(&cli->link, &kw_stop_requested,
                         cli->trace ? stderr : NULL, &cli->error));
    kw_chip_init(&cli->chip, cli->link.link);
    return KW_OK;
}

kw_status kw_cli_chip(struct kw_cli *cli, struct kw_chip **chip) {
    if (cli->link.close == NULL) {
        const kw_status status = open_chip(cli);
        if (status != KW_OK) {
            kw_link_close(&cli->link);
            return status;
        }
        lend_chip(cli);
    }
    *chip = &cli->chip;
    return KW_OK;
}
