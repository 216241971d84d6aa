/* cli/manifest_export.c: `manifest export`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/manifest.h"
#include "host/files.h"
#include "host/manifest/export.h"
#include "host/out.h"

static const struct choice {
    const char *option;
    enum kw_manifest_format format;
    const char *name;
    const char *line_end;
} CHOICES[] = {
    {"--aws", KW_MANIFEST_AWS, "aws", "\n"},
    {"--azure", KW_MANIFEST_AZURE, "azure", "\n"},
    {"--csv", KW_MANIFEST_CSV, "csv", "\r\n"},
};

/* Lines go where they belong as they are made: into a file that has its name
 * when it is whole, or to stdout. */
struct exporting {
    struct kw_cli *cli;
    const char *path;
    const struct choice *choice;
    const char *output; /* NULL: stdout */
    struct kw_out out;
    unsigned long entries;
    struct kw_manifest_entry entry;
    struct kw_manifest_room room;
};

static kw_status choose(struct kw_cli *cli,
                        const struct kw_arguments *arguments,
                        const struct choice **choice) {
    size_t count = 0;
    if (kw_argument(arguments, "--gcp") != NULL) {
        kw_error(&cli->error, KW_USAGE,
                 "Google Cloud IoT Core was retired in August 2023");
        return kw_error_hint(&cli->error, "there is nothing to export to; "
                                          "--csv serves other brokers");
    }
    for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++) {
        if (kw_argument(arguments, CHOICES[i].option) != NULL) {
            *choice = &CHOICES[i];
            count++;
        }
    }
    return count == 1 ? KW_OK
                      : kw_error(&cli->error, KW_USAGE,
                                 "name one of --aws, --azure and --csv");
}

static kw_status put(struct exporting *exporting, const char *text) {
    struct kw_cli *cli = exporting->cli;
    const size_t size = strlen(text);
    if (exporting->output != NULL) {
        return kw_out_put(&exporting->out, text, size, &cli->error);
    }
    return cli->quiet || fwrite(text, 1, size, stdout) == size
               ? KW_OK
               : kw_answer_failed(cli);
}

static kw_status visit(void *self, const struct kw_manifest_piece *piece) {
    struct exporting *exporting = self;
    struct kw_cli *cli = exporting->cli;
    char *line = NULL;
    const struct kw_verdict verdict =
        kw_manifest_entry_read(piece, &exporting->room, &exporting->entry);
    if (verdict.status != KW_OK) {
        return kw_manifest_unreadable(cli, exporting->path, piece->number,
                                      verdict.words);
    }
    if (kw_manifest_export_line(exporting->choice->format, &exporting->entry,
                                &line, &cli->error) != KW_OK) {
        return kw_manifest_unreadable(cli, exporting->path, piece->number,
                                      "there is no device certificate with a "
                                      "common name");
    }
    kw_status status = put(exporting, line);
    free(line);
    KW_TRY(status);
    exporting->entries++;
    return put(exporting, exporting->choice->line_end);
}

static kw_status write_lines(struct exporting *exporting) {
    KW_TRY(put(exporting, kw_manifest_export_head(exporting->choice->format)));
    return kw_manifest_each(exporting->cli, exporting->path, visit, exporting);
}

static kw_status write_into(struct exporting *exporting,
                            struct kw_new_file *file) {
    struct kw_cli *cli = exporting->cli;
    const char *output = exporting->output;
    KW_TRY(kw_out_open(file->fd, output, 0, &exporting->out, &cli->error));
    kw_status status = write_lines(exporting);
    if (status == KW_OK) {
        status = kw_out_finish(&exporting->out, &cli->error);
    }
    kw_out_close(&exporting->out);
    KW_TRY(status);
    KW_TRY(kw_file_place(output, file, false, &cli->error));
    kw_print(cli, "%s: %lu %s\n", output, exporting->entries,
             kw_counted(exporting->entries, "entry", "entries"));
    return KW_OK;
}

static kw_status write_file(struct exporting *exporting) {
    struct kw_new_file file;
    struct kw_error *error = &exporting->cli->error;
    KW_TRY(kw_file_is_free(exporting->output, error));
    KW_TRY(kw_file_begin(exporting->output, KW_PUBLIC_MODE, &file, error));
    const kw_status status = write_into(exporting, &file);
    kw_file_end(&file);
    return status;
}

static kw_status export_all(struct exporting *exporting) {
    json_t *result = exporting->cli->result;
    KW_TRY(exporting->output == NULL ? write_lines(exporting)
                                     : write_file(exporting));
    json_object_set_new(result, "file", json_string(exporting->output));
    json_object_set_new(result, "format", json_string(exporting->choice->name));
    json_object_set_new(result, "entries",
                        json_integer((json_int_t)exporting->entries));
    return KW_OK;
}

kw_status kw_manifest_export_verb(struct kw_cli *cli,
                                  const struct kw_arguments *arguments) {
    const char *output = kw_argument(arguments, "--output");
    const struct choice *choice = CHOICES;
    KW_TRY(choose(cli, arguments, &choice));
    if (cli->json && output == NULL) {
        return kw_error(&cli->error, KW_USAGE,
                        "with --json the export needs --output FILE");
    }
    struct exporting *exporting = calloc(1, sizeof *exporting);
    if (exporting == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    exporting->cli = cli;
    exporting->path = arguments->operand[0];
    exporting->choice = choice;
    exporting->output = output;
    const kw_status status = export_all(exporting);
    free(exporting);
    return status;
}
