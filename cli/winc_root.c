/* cli/winc_root.c: `winc root add|remove|list`. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/winc.h"
#include "host/text.h"

const struct kw_option kw_winc_root_options[] = {
    KW_WINC_OPTION_MODULE,
    KW_WINC_OPTIONS_CHANGE,
    KW_WINC_OPTION_STRICT,
    {"--rekeyed", NULL, "the same authorities have new keys"},
    {NULL, NULL, NULL},
};

struct roots {
    struct kw_winc_work work;
    struct kw_winc_input input[KW_WINC_ROOTS_MAX];
    size_t count;
};

static kw_status add_file(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          struct roots *roots, const char *path) {
    if (roots->count == KW_WINC_ROOTS_MAX) {
        return kw_error(&cli->error, KW_NO_WINC_FULL,
                        "(ERROR) Root Certificate Flash is Full: no store "
                        "holds more than %d roots",
                        KW_WINC_ROOTS_MAX - 3);
    }
    struct kw_winc_input *input = &roots->input[roots->count++];
    KW_TRY(kw_winc_input_read(input, path, KW_WINC_INPUT_CERT, &cli->error));
    KW_TRY(kw_winc_check_date(cli, arguments, input));
    return kw_winc_work_root(&roots->work, input, &cli->error);
}

static bool is_certificate_name(const char *name) {
    const char *const endings[] = {".cer", ".pem", ".crt", ".der"};
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < 4; i++) {
        if (strcasecmp(ending, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static kw_status add_folder(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct roots *roots, const char *folder) {
    struct kw_names names;
    KW_TRY(kw_folder_list(folder, &names, &cli->error));
    kw_status status = KW_OK;
    size_t found = 0;
    for (size_t i = 0; i < names.count && status == KW_OK; i++) {
        char *path = kw_format("%s/%s", folder, names.name[i]);
        if (is_certificate_name(names.name[i]) && path != NULL) {
            found++;
            status = add_file(cli, arguments, roots, path);
        }
        free(path);
    }
    kw_names_free(&names);
    if (status == KW_OK && found == 0) {
        status = kw_error(&cli->error, KW_NO,
                          "%s holds no .cer, .crt, .der or .pem file", folder);
    }
    return status;
}

static kw_status add(struct kw_cli *cli, const struct kw_arguments *arguments,
                     struct roots *roots) {
    for (size_t i = 1; i < arguments->operand_count; i++) {
        struct stat about;
        const char *path = arguments->operand[i];
        const bool folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
        KW_TRY(folder ? add_folder(cli, arguments, roots, path)
                      : add_file(cli, arguments, roots, path));
    }
    return KW_OK;
}

/* The root whose name hash begins with these digits. */
static kw_status find(struct kw_cli *cli, struct kw_winc *winc,
                      const char *digits, uint8_t hash[KW_SHA1_SIZE]) {
    uint8_t store[KW_WINC_ROOT_SIZE];
    struct kw_winc_root root = {.offset = 0};
    size_t found = 0;
    KW_TRY(kw_winc_read_roots(winc, store, &cli->error));
    while (strlen(digits) >= 4 && kw_winc_root_next(store, &root) == KW_OK) {
        char text[2 * KW_SHA1_SIZE + 1];
        kw_hex(root.hash, KW_SHA1_SIZE, text);
        if (strncasecmp(text, digits, strlen(digits)) == 0) {
            memcpy(hash, root.hash, KW_SHA1_SIZE);
            found++;
        }
    }
    if (found != 1) {
        kw_error(&cli->error, KW_NO_WINC_ABSENT,
                 "%s names %s root of the store", digits,
                 found == 0 ? "no" : "more than one");
        return kw_error_hint(&cli->error,
                             "a certificate file, or at least 4 digits of a "
                             "name hash as `keywright winc root list` shows "
                             "them");
    }
    return KW_OK;
}

static kw_status remove_one(struct kw_cli *cli, struct roots *roots,
                            const char *what) {
    uint8_t hash[KW_SHA1_SIZE];
    if (!kw_file_exists(what)) {
        KW_TRY(find(cli, roots->work.winc, what, hash));
        return kw_winc_work_remove_root(&roots->work, hash, &cli->error);
    }
    if (roots->count == KW_WINC_ROOTS_MAX) {
        return kw_error(&cli->error, KW_USAGE, "too many files");
    }
    struct kw_winc_input *input = &roots->input[roots->count++];
    KW_TRY(kw_winc_input_read(input, what, KW_WINC_INPUT_CERT, &cli->error));
    return kw_winc_work_remove_root(&roots->work, input->cert.subject_hash,
                                    &cli->error);
}

static kw_status change(struct kw_cli *cli,
                        const struct kw_arguments *arguments,
                        struct roots *roots) {
    if (arguments->operand_count < 2) {
        return kw_error(&cli->error, KW_USAGE,
                        "`winc root %s` needs a file, a folder or a hash",
                        arguments->operand[0]);
    }
    roots->work.rekeyed = kw_argument(arguments, "--rekeyed") != NULL;
    if (strcmp(arguments->operand[0], "add") == 0) {
        KW_TRY(add(cli, arguments, roots));
    } else {
        for (size_t i = 1; i < arguments->operand_count; i++) {
            KW_TRY(remove_one(cli, roots, arguments->operand[i]));
        }
    }
    return kw_winc_carry_out(cli, arguments, &roots->work);
}

static kw_status run(struct kw_cli *cli, const struct kw_arguments *arguments,
                     struct kw_winc *winc) {
    const char *what = arguments->operand[0];
    if (strcmp(what, "list") == 0) {
        return kw_winc_show_roots(cli, winc);
    }
    if (strcmp(what, "add") != 0 && strcmp(what, "remove") != 0) {
        return kw_error(&cli->error, KW_USAGE,
                        "'%s': `winc root` takes add, remove or list", what);
    }
    struct roots *roots = calloc(1, sizeof *roots);
    if (roots == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    roots->work.winc = winc;
    kw_status status = change(cli, arguments, roots);
    for (size_t i = 0; i < roots->count; i++) {
        kw_winc_input_free(&roots->input[i]);
    }
    free(roots);
    return status == KW_OK ? kw_winc_show_roots(cli, winc) : status;
}

kw_status kw_winc_root(struct kw_cli *cli,
                       const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin_change(cli, arguments, &winc));
    const kw_status status = run(cli, arguments, &winc);
    kw_winc_end(arguments, &winc);
    return status;
}
