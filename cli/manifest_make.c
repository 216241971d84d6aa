/* cli/manifest_make.c: `manifest make`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/manifest.h"
#include "cli/show.h"
#include "host/manifest/build.h"
#include "host/manifest/store.h"

struct making {
    struct kw_cli *cli;
    const struct kw_arguments *arguments;
    struct kw_workspace *workspace;
    const char *output; /* NULL: by the part of the first record */
    char *path;
    bool has_part;
    enum kw_part part;
    struct kw_log_signer signer;
    struct kw_manifest_store *store;
    struct kw_manifest_record record;
    struct kw_manifest_text entry;
    struct kw_manifest_room room;
};

/* --- one record --- */

static kw_status open_store(struct making *making) {
    struct kw_cli *cli = making->cli;
    making->part = making->record.part;
    making->has_part = true;
    making->path = making->output != NULL
                       ? strdup(making->output)
                       : kw_workspace_path(making->workspace, "manifest/%s",
                                           kw_manifest_file_name(making->part));
    if (making->path == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    return kw_manifest_store_open(making->path, &making->store, &cli->error);
}

/* Not before there is something to sign: it may be made by this, which is told
 * at once, whatever becomes of the entries. */
static kw_status open_signer(struct making *making) {
    struct kw_cli *cli = making->cli;
    const kw_status status = kw_log_signer_open(
        making->workspace, kw_argument(making->arguments, "--log-signer"),
        kw_argument(making->arguments, "--ca"), time(NULL), &making->signer,
        &cli->error);
    KW_TRY(status);
    if (making->signer.made) {
        kw_print(cli, "Made a log signer for prototypes: %s\n",
                 making->signer.certificate_path);
    }
    return kw_manifest_check_now(&making->signer, &cli->error);
}

static kw_status add_record(struct making *making) {
    struct kw_cli *cli = making->cli;
    if (!making->has_part) {
        KW_TRY(open_store(making));
        KW_TRY(open_signer(making));
    }
    if (making->record.part != making->part) {
        kw_error(&cli->error, KW_NO, "a %s chip among %s chips",
                 kw_part_words(making->record.part),
                 kw_part_words(making->part));
        return kw_error_hint(&cli->error, "each part has a manifest of its "
                                          "own; nothing was changed");
    }
    KW_TRY(kw_manifest_build(&making->record, &making->signer, &making->entry,
                             &cli->error));
    return kw_manifest_store_put(making->store, making->record.serial,
                                 making->entry.text, making->entry.size,
                                 &cli->error);
}

static kw_status add_chip(struct making *making) {
    struct kw_chip *chip = NULL;
    const struct kw_manifest_files files = {
        .device = kw_argument(making->arguments, "--device-cert"),
        .signer = kw_argument(making->arguments, "--signer-cert"),
    };
    KW_TRY(kw_cli_chip(making->cli, &chip));
    KW_TRY(kw_manifest_record_of_chip(making->workspace, chip, &files,
                                      &making->record, &making->cli->error));
    return add_record(making);
}

/* --- many --- */

static kw_status bad_line(struct making *making, unsigned long number,
                          struct kw_verdict verdict, const char *from) {
    struct kw_cli *cli = making->cli;
    kw_error(&cli->error, verdict.status, "line %lu of %s: %s", number, from,
             verdict.words);
    return kw_error_hint(&cli->error, "nothing was changed");
}

static kw_status add_line(struct making *making, const char *line, size_t size,
                          unsigned long number, const char *from) {
    if (kw_stop_requested != 0) {
        kw_error(&making->cli->error, KW_INTERRUPTED,
                 "interrupted; nothing was changed");
        return kw_error_hint(&making->cli->error, "run it again");
    }
    if (size > KW_MANIFEST_ENTRY_MAX) {
        return bad_line(
            making, number,
            (struct kw_verdict){KW_PARSE_SIZE, "it is longer than 65536 bytes"},
            from);
    }
    const struct kw_verdict verdict =
        kw_manifest_record_of_line(line, size, &making->room, &making->record);
    return verdict.status == KW_OK ? add_record(making)
                                   : bad_line(making, number, verdict, from);
}

static kw_status add_lines(struct making *making, FILE *file,
                           const char *from) {
    char *line = NULL;
    size_t room = 0;
    kw_status status = KW_OK;
    for (unsigned long number = 1; status == KW_OK; number++) {
        const ssize_t size = getline(&line, &room, file);
        if (size < 0) {
            break;
        }
        status = add_line(making, line, (size_t)size, number, from);
    }
    free(line);
    if (status == KW_OK && ferror(file) != 0) {
        return kw_error_system(&making->cli->error, "cannot read %s", from);
    }
    return status == KW_OK && !making->has_part
               ? kw_error(&making->cli->error, KW_NO, "%s holds no record",
                          from)
               : status;
}

static kw_status add_file(struct making *making, const char *from) {
    const bool is_stdin = strcmp(from, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(from, "r");
    if (file == NULL) {
        return kw_error_system(&making->cli->error, "cannot open %s", from);
    }
    const kw_status status = add_lines(making, file, is_stdin ? "stdin" : from);
    if (!is_stdin) {
        (void)fclose(file);
    }
    return status;
}

/* --- the verb --- */

static void show(struct making *making,
                 const struct kw_manifest_change *change) {
    struct kw_cli *cli = making->cli;
    const char *slash = strrchr(making->path, '/');
    if (change->recovered) {
        kw_print(cli, "Put the file back after an interrupted change\n");
    }
    kw_print(cli, "Generating manifest data...OK (saved to %s)\n",
             slash == NULL ? making->path : slash + 1);
    kw_print(cli, "%u added, %u of them in the place of another; %u %s in %s\n",
             change->added, change->replaced, change->entries,
             kw_counted(change->entries, "entry", "entries"), making->path);
    json_object_set_new(cli->result, "file", json_string(making->path));
    json_object_set_new(cli->result, "log_signer",
                        json_string(making->signer.certificate_path));
    json_object_set_new(cli->result, "added", json_integer(change->added));
    json_object_set_new(cli->result, "replaced",
                        json_integer(change->replaced));
    json_object_set_new(cli->result, "entries", json_integer(change->entries));
    json_object_set_new(cli->result, "recovered",
                        json_boolean(change->recovered));
}

static kw_status make(struct making *making) {
    struct kw_manifest_change change;
    struct kw_cli *cli = making->cli;
    const char *from = kw_argument(making->arguments, "--from");
    KW_TRY(from == NULL ? add_chip(making) : add_file(making, from));
    KW_TRY(kw_manifest_store_commit(making->store, &change, &cli->error));
    show(making, &change);
    return KW_OK;
}

static kw_status check_usage(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    const bool has_uri = kw_argument(arguments, "--log-signer") != NULL;
    const bool has_ca = kw_argument(arguments, "--ca") != NULL;
    if (has_uri != has_ca) {
        return kw_error(&cli->error, KW_USAGE,
                        "--log-signer and --ca belong together: a key and its "
                        "certificate");
    }
    if (kw_argument(arguments, "--from") != NULL &&
        (kw_argument(arguments, "--device-cert") != NULL ||
         kw_argument(arguments, "--signer-cert") != NULL)) {
        return kw_error(&cli->error, KW_USAGE,
                        "the records of --from hold their certificates");
    }
    return KW_OK;
}

kw_status kw_manifest_make(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    KW_TRY(check_usage(cli, arguments));
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    making->cli = cli;
    making->arguments = arguments;
    making->output = kw_argument(arguments, "--output");
    kw_status status = kw_cli_workspace_locked(cli, &making->workspace);
    if (status == KW_OK) {
        status = make(making);
    }
    kw_manifest_store_close(making->store);
    kw_log_signer_close(&making->signer);
    free(making->path);
    free(making);
    return status;
}
