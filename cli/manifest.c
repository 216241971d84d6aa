/* cli/manifest.c: the noun `manifest`. */
#include "cli/manifest.h"

#include <stdlib.h>

#include "host/manifest/journal.h"

kw_status kw_manifest_number(struct kw_cli *cli,
                             const struct kw_arguments *arguments,
                             const char *option, unsigned limit,
                             unsigned fallback, unsigned *number) {
    const char *text = kw_argument(arguments, option);
    char *end = NULL;
    if (text == NULL) {
        *number = fallback;
        return KW_OK;
    }
    const unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 ||
        value > limit) {
        return kw_error(&cli->error, KW_USAGE,
                        "%s takes a number from 1 to %u, not '%s'", option,
                        limit, text);
    }
    *number = (unsigned)value;
    return KW_OK;
}

kw_status kw_manifest_unreadable(struct kw_cli *cli, const char *path,
                                 uint32_t entry, const char *words) {
    kw_error(&cli->error, KW_PARSE, "entry %u of %s: %s", (unsigned)entry, path,
             words);
    return kw_error_hint(&cli->error, "`keywright manifest verify` shows all "
                                      "that is wrong with the file");
}

kw_status kw_manifest_whole(struct kw_cli *cli, const char *path) {
    bool recovered = false;
    KW_TRY(kw_manifest_recover(path, &recovered, &cli->error));
    if (recovered) {
        kw_warn(cli, "put %s back after an interrupted change", path);
    }
    return KW_OK;
}

static kw_status visit_all(struct kw_cli *cli, struct kw_manifest_scan *scan,
                           kw_manifest_visit *visit, void *self) {
    struct kw_manifest_piece piece;
    bool more = true;
    for (;;) {
        KW_TRY(kw_manifest_scan_next(scan, &piece, &more, &cli->error));
        if (!more) {
            return KW_OK;
        }
        if (kw_stop_requested != 0) {
            return kw_error(&cli->error, KW_INTERRUPTED, "interrupted");
        }
        KW_TRY(visit(self, &piece));
    }
}

kw_status kw_manifest_each(struct kw_cli *cli, const char *path,
                           kw_manifest_visit *visit, void *self) {
    struct kw_manifest_scan *scan = NULL;
    KW_TRY(kw_manifest_whole(cli, path));
    KW_TRY(kw_manifest_scan_open(path, &scan, &cli->error));
    const kw_status status = visit_all(cli, scan, visit, self);
    kw_manifest_scan_close(scan);
    return status;
}

/* --- the noun --- */

#define END                                                                    \
    { NULL, NULL, NULL }

static const struct kw_option MAKE_OPTIONS[] = {
    {"--from", "RECORDS",
     "many chips: one record a line (-: stdin; default: the chip of --chip)"},
    {"--log-signer", "URI",
     "who signs: a PEM file, a pkcs11: URI or chip:LINK#SLOT, with --ca "
     "(default: the workspace's own, for prototypes)"},
    {"--ca", "FILE", "its certificate; made when it is not there"},
    {"--device-cert", "FILE",
     "the chip's certificate (default: the file in certs/ that the chip "
     "holds)"},
    {"--signer-cert", "FILE", "its signer's (default: the same)"},
    {"--output", "FILE",
     "the manifest (default: TFLXTLS_devices_manifest.json or "
     "TNGTLS_devices_manifest.json in manifest/)"},
    END,
};

static const struct kw_option VERIFY_OPTIONS[] = {
    {"--ca", "FILE",
     "the log signer's certificate (default: the workspace's own)"},
    {"--root", "FILE",
     "the root that the signers must come from (default: not checked)"},
    {"--jobs", "N", "threads (default: as many as processors)"},
    END,
};

static const struct kw_option SPLIT_OPTIONS[] = {
    {"--every", "N", "entries of a file", .required = true},
    {"--output", "PREFIX", "of the files' names (default: FILE without .json)"},
    END,
};

static const struct kw_option MERGE_OPTIONS[] = {
    {"--latest", NULL,
     "of entries with the same uniqueId the last one stays (default: that is "
     "refused)"},
    {"--output", "FILE", "the new manifest", .required = true},
    END,
};

static const struct kw_option EXPORT_OPTIONS[] = {
    {"--aws", NULL,
     "parameters for AWS IoT bulk registration; this, --azure or --csv is "
     "needed"},
    {"--azure", NULL, "devices for an Azure IoT Hub import job"},
    {"--csv", NULL, "a table"},
    {"--gcp", NULL, "refused: the service was retired in 2023"},
    {"--output", "FILE", "where to (default: stdout)"},
    END,
};

static const struct kw_verb VERBS[] = {
    {"make", NULL, "add a chip's signed entry to a manifest", MAKE_OPTIONS, 0,
     0, kw_manifest_make, .example = "manifest make"},
    {"verify", "FILE", "check every entry", VERIFY_OPTIONS, 1, 1,
     kw_manifest_verify_verb,
     .example = "manifest verify devices.json --ca log-signer.crt "
                "--root root.crt"},
    {"show", "FILE [UNIQUE-ID]", "what the entries say, unverified", NULL, 1, 2,
     kw_manifest_show,
     .example = "manifest show devices.json 0123c0ffee12345601"},
    {"split", "FILE", "into files of so many entries", SPLIT_OPTIONS, 1, 1,
     kw_manifest_split,
     .missing = "parts of so many entries each: --every 1000",
     .example = "manifest split devices.json --every 1000"},
    {"merge", "FILE...", "several manifests into a new one", MERGE_OPTIONS, 2,
     KW_OPERANDS_MAX, kw_manifest_merge,
     .missing = "nothing is merged into a file that is there",
     .example = "manifest merge week1.json week2.json -o all.json"},
    {"diff", "FILE FILE", "which entries differ", NULL, 2, 2, kw_manifest_diff,
     .example = "manifest diff old.json new.json"},
    {"export", "FILE", "for a cloud, or as a table", EXPORT_OPTIONS, 1, 1,
     kw_manifest_export_verb,
     .example = "manifest export devices.json --azure -o devices.txt"},
};

const struct kw_noun kw_noun_manifest = {
    "manifest", "signed lists of chips, as clouds and the vendor take them",
    VERBS, sizeof VERBS / sizeof *VERBS, KW_ON_CHIP};
