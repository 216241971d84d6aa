/* cli/chip_snapshot.c: `chip snapshot` and `chip restore`. */
#include <stdlib.h>

#include "cli/chip_verbs.h"
#include "cli/show.h"
#include "host/chip_snapshot.h"

kw_status kw_chip_snapshot_verb(struct kw_cli *cli,
                                const struct kw_arguments *arguments) {
    struct kw_workspace *workspace = NULL;
    const char *name = NULL;
    uint8_t serial[KW_SERIAL_SIZE];
    char *file = NULL;
    (void)arguments;
    KW_TRY(kw_snapshot_name(cli->chip_text, &name, &cli->error));
    KW_TRY(kw_cli_workspace_locked(cli, &workspace));
    KW_TRY(kw_snapshot_make(workspace, name, &file, serial, &cli->error));
    kw_print(cli, "Snapshot: %s\n", file);
    kw_set_text(cli->result, "chip", cli->chip_text);
    kw_set_serial(cli->result, serial);
    kw_set_text(cli->result, "file", file);
    free(file);
    return KW_OK;
}

kw_status kw_chip_restore_verb(struct kw_cli *cli,
                               const struct kw_arguments *arguments) {
    const char *file = arguments->operand[0];
    struct kw_workspace *workspace = NULL;
    const char *name = NULL;
    uint8_t serial[KW_SERIAL_SIZE];
    char *kept = NULL;
    KW_TRY(kw_snapshot_name(cli->chip_text, &name, &cli->error));
    KW_TRY(kw_cli_workspace_locked(cli, &workspace));
    KW_TRY(kw_snapshot_check(workspace, name, file, &cli->error));
    KW_TRY(kw_confirm(cli, "Put this snapshot back into %s?", cli->chip_text));
    const kw_status status =
        kw_snapshot_restore(workspace, name, file, &kept, serial, &cli->error);
    if (status == KW_OK) {
        kw_print(cli, "Restored: %s\nKept before: %s\n", file, kept);
        kw_set_text(cli->result, "chip", cli->chip_text);
        kw_set_serial(cli->result, serial);
        kw_set_text(cli->result, "file", file);
        kw_set_text(cli->result, "kept", kept);
    }
    free(kept);
    return status;
}
