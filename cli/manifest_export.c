/* cli/manifest_export.c: `manifest export`. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/manifest.h"
#include "host/files.h"
#include "host/manifest_export.h"

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

/* The lines are gathered: a file is there whole or not at all. */
struct exporting {
    struct kw_cli *cli;
    const char *path;
    const struct choice *choice;
    FILE *text;
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
    (void)fprintf(exporting->text, "%s%s", line, exporting->choice->line_end);
    free(line);
    exporting->entries++;
    return KW_OK;
}

static kw_status write_out(struct exporting *exporting, const char *output,
                           const char *text, size_t size) {
    struct kw_cli *cli = exporting->cli;
    if (output == NULL) {
        if (!cli->quiet && fwrite(text, 1, size, stdout) != size) {
            return kw_error_system(&cli->error, "cannot write to stdout");
        }
        return KW_OK;
    }
    KW_TRY(kw_file_create(output, KW_PUBLIC_MODE, text, size, &cli->error));
    kw_print(cli, "%s: %lu entries\n", output, exporting->entries);
    return KW_OK;
}

static kw_status gather(struct exporting *exporting) {
    (void)fputs(kw_manifest_export_head(exporting->choice->format),
                exporting->text);
    KW_TRY(kw_manifest_each(exporting->cli, exporting->path, visit, exporting));
    return ferror(exporting->text) == 0
               ? KW_OK
               : kw_error(&exporting->cli->error, KW_SYSTEM_MEMORY,
                          "out of memory");
}

static kw_status export_to(struct exporting *exporting, const char *output) {
    struct kw_cli *cli = exporting->cli;
    char *text = NULL;
    size_t size = 0;
    exporting->text = open_memstream(&text, &size);
    if (exporting->text == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    kw_status status = gather(exporting);
    (void)fclose(exporting->text);
    if (status == KW_OK) {
        status = write_out(exporting, output, text, size);
    }
    free(text);
    KW_TRY(status);
    json_object_set_new(cli->result, "file", json_string(output));
    json_object_set_new(cli->result, "format",
                        json_string(exporting->choice->name));
    json_object_set_new(cli->result, "entries",
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
    const kw_status status = export_to(exporting, output);
    free(exporting);
    return status;
}
