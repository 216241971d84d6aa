/* cli/manifest_verify.c: `manifest verify`. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/manifest.h"
#include "host/manifest/signer.h"
#include "host/manifest/verify.h"

/* A document lists so many findings; text lists all. */
#define LISTED_MAX 10000

struct listing {
    struct kw_cli *cli;
    json_t *findings;
};

static void say(const struct kw_cli *cli,
                const struct kw_manifest_finding *finding) {
    const char *open = finding->unique_id == NULL ? "" : " (";
    const char *id = finding->unique_id == NULL ? "" : finding->unique_id;
    const char *close = finding->unique_id == NULL ? "" : ")";
    if (finding->first == 0) {
        kw_print(cli, "entry %u%s%s%s: %s\n", finding->entry, open, id, close,
                 finding->words);
        return;
    }
    kw_print(cli, "entry %u%s%s%s: %s, in entry %u\n", finding->entry, open, id,
             close, finding->words, finding->first);
}

static void found(void *observer, const struct kw_manifest_finding *finding) {
    struct listing *listing = observer;
    say(listing->cli, finding);
    if (json_array_size(listing->findings) >= LISTED_MAX) {
        return;
    }
    json_t *row =
        json_pack("{s:I, s:s?, s:b, s:s}", "entry", (json_int_t)finding->entry,
                  "unique_id", finding->unique_id, "readable",
                  kw_status_class(finding->status) != KW_CLASS_PARSE, "words",
                  finding->words);
    json_object_set_new(row, "first",
                        finding->first == 0 ? json_null()
                                            : json_integer(finding->first));
    json_array_append_new(listing->findings, row);
}

/* --- whom to trust --- */

static kw_status nobody(struct kw_cli *cli) {
    cli->error.status = KW_OK;
    kw_error(&cli->error, KW_USAGE,
             "there is neither --ca nor a workspace with a log signer: nothing "
             "is verified against nothing");
    return kw_error_hint(&cli->error, "--ca FILE names the certificate of "
                                      "whoever signed the manifest");
}

/* Where the log signer's certificate is; the caller frees. */
static kw_status choose_ca(struct kw_cli *cli,
                           const struct kw_arguments *arguments, char **path) {
    struct kw_workspace *workspace = NULL;
    const char *named = kw_argument(arguments, "--ca");
    if (named != NULL) {
        *path = kw_format("%s", named);
        return KW_OK;
    }
    if (kw_cli_workspace(cli, &workspace) != KW_OK) {
        return nobody(cli);
    }
    *path = kw_log_signer_path(workspace);
    if (*path != NULL && !kw_file_exists(*path)) {
        free(*path);
        *path = NULL;
        return nobody(cli);
    }
    return KW_OK;
}

static kw_status read_ca(struct kw_cli *cli, const char *path,
                         struct kw_manifest_trust *trust) {
    struct kw_pki_view view;
    trust->at = kw_moment_of(time(NULL));
    KW_TRY(kw_pki_read_file(path, &trust->log_signer, &view, &cli->error));
    return kw_manifest_check_log_signer(&view, &trust->at, path, &cli->error);
}

static kw_status read_trust(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct kw_manifest_trust *trust) {
    struct kw_pki_view view;
    char *path = NULL;
    const char *root = kw_argument(arguments, "--root");
    KW_TRY(choose_ca(cli, arguments, &path));
    if (path == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    json_object_set_new(cli->result, "log_signer", json_string(path));
    const kw_status status = read_ca(cli, path, trust);
    free(path);
    KW_TRY(status);
    trust->has_root = root != NULL;
    return root == NULL
               ? KW_OK
               : kw_pki_read_file(root, &trust->root, &view, &cli->error);
}

/* --- the verb --- */

static void show(struct kw_cli *cli, const struct kw_manifest_tally *tally,
                 const struct kw_manifest_verification *about) {
    const uint32_t bad = tally->wrong + tally->unreadable;
    kw_print(cli,
             "%u %s: %u good, %u wrong, %u unreadable; %u %s "
             "something is there twice\n",
             tally->entries, kw_counted(tally->entries, "entry", "entries"),
             tally->entries - bad, tally->wrong, tally->unreadable,
             tally->twice, kw_counted(tally->twice, "time", "times"));
    if (!about->trust->has_root) {
        kw_print(cli, "The signers' own issuer was not checked: --root FILE "
                      "names it\n");
    }
    json_object_set_new(cli->result, "file", json_string(about->path));
    json_object_set_new(cli->result, "root_checked",
                        json_boolean(about->trust->has_root));
    json_object_set_new(cli->result, "entries", json_integer(tally->entries));
    json_object_set_new(cli->result, "wrong", json_integer(tally->wrong));
    json_object_set_new(cli->result, "unreadable",
                        json_integer(tally->unreadable));
    json_object_set_new(cli->result, "twice", json_integer(tally->twice));
}

static kw_status answer(const struct kw_manifest_tally *tally) {
    if (tally->unreadable > 0) {
        return KW_PARSE;
    }
    return tally->wrong + tally->twice > 0 ? KW_NO : KW_OK;
}

static unsigned processors(void) {
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1                      ? 1
           : count > KW_MANIFEST_JOBS_MAX ? KW_MANIFEST_JOBS_MAX
                                          : (unsigned)count;
}

kw_status kw_manifest_verify_verb(struct kw_cli *cli,
                                  const struct kw_arguments *arguments) {
    struct kw_manifest_trust trust;
    struct kw_manifest_tally tally;
    struct listing listing = {.cli = cli};
    struct kw_manifest_verification about = {
        .path = arguments->operand[0],
        .trust = &trust,
        .stop = &kw_stop_requested,
        .found = found,
        .observer = &listing,
    };
    KW_TRY(kw_manifest_number(cli, arguments, "--jobs", KW_MANIFEST_JOBS_MAX,
                              processors(), &about.jobs));
    KW_TRY(read_trust(cli, arguments, &trust));
    KW_TRY(kw_manifest_whole(cli, about.path));
    listing.findings = json_array();
    json_object_set_new(cli->result, "findings", listing.findings);
    const kw_status status = kw_manifest_verify(&about, &tally, &cli->error);
    KW_TRY(status);
    show(cli, &tally, &about);
    return answer(&tally);
}
