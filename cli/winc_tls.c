/* cli/winc_tls.c: `winc tls add|remove|list|compact`. */
#include <stdlib.h>
#include <string.h>

#include "cli/winc.h"

const struct kw_option kw_winc_tls_options[] = {
    KW_WINC_OPTION_MODULE,
    KW_WINC_OPTIONS_CHANGE,
    KW_WINC_OPTION_STRICT,
    {"--key", "FILE", "the RSA key of the first certificate"},
    {"--compact", NULL, "drop files that no list names first"},
    {NULL, NULL, NULL},
};

struct chain {
    struct kw_winc_work work;
    struct kw_winc_input key;
    struct kw_winc_input cert[KW_OPERANDS_MAX];
    size_t count;
};

/* The key that a certificate without --key is for lies in the chip. */
kw_status kw_winc_check_chip(struct kw_cli *cli,
                             const struct kw_winc_input *leaf) {
    uint8_t ours[KW_PUBLIC_KEY_SIZE];
    uint8_t theirs[KW_PUBLIC_KEY_SIZE];
    struct kw_chip *chip = NULL;
    if (leaf->cert.key_type != KW_WINC_ECDSA) {
        kw_error(&cli->error, KW_USAGE, "%s has an RSA key: where is it?",
                 leaf->name);
        return kw_error_hint(&cli->error, "name it with --key FILE");
    }
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = kw_chip_public_key(chip, 0, ours);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip,
                             "cannot read the public key of slot 0");
    }
    kw_winc_input_point(leaf, theirs);
    if (memcmp(ours, theirs, sizeof ours) != 0) {
        kw_error(&cli->error, KW_NO_WINC_KEY,
                 "%s is not for the key in slot 0 of the chip", leaf->name);
        return kw_error_hint(&cli->error, "name the right chip with --chip; "
                                          "nothing was changed");
    }
    return KW_OK;
}

static kw_status add(struct kw_cli *cli, const struct kw_arguments *arguments,
                     struct chain *chain) {
    const char *key = kw_argument(arguments, "--key");
    if (key != NULL) {
        KW_TRY(kw_winc_input_read(&chain->key, key, KW_WINC_INPUT_KEY,
                                  &cli->error));
    }
    for (size_t i = 1; i < arguments->operand_count; i++) {
        struct kw_winc_input *input = &chain->cert[chain->count++];
        KW_TRY(kw_winc_input_read(input, arguments->operand[i],
                                  KW_WINC_INPUT_CERT, &cli->error));
        KW_TRY(kw_winc_check_date(cli, arguments, input));
    }
    if (chain->count > 0) {
        kw_winc_check_own_key(cli, &chain->cert[0]);
    }
    if (key == NULL && chain->count > 0) {
        KW_TRY(kw_winc_check_chip(cli, &chain->cert[0]));
    }
    return kw_winc_work_chain(&chain->work, key != NULL ? &chain->key : NULL,
                              chain->cert, chain->count, &cli->error);
}

static kw_status remove_files(struct kw_cli *cli,
                              const struct kw_arguments *arguments,
                              struct chain *chain) {
    if (arguments->operand_count < 2) {
        return kw_error(&cli->error, KW_USAGE,
                        "`winc tls remove` needs the name of a file");
    }
    for (size_t i = 1; i < arguments->operand_count; i++) {
        chain->work.remove[chain->work.removes++] = arguments->operand[i];
    }
    return KW_OK;
}

static kw_status change(struct kw_cli *cli,
                        const struct kw_arguments *arguments,
                        struct chain *chain) {
    const char *what = arguments->operand[0];
    chain->work.compact = strcmp(what, "compact") == 0 ||
                          kw_argument(arguments, "--compact") != NULL;
    if (strcmp(what, "add") == 0) {
        KW_TRY(add(cli, arguments, chain));
    } else if (strcmp(what, "remove") == 0) {
        KW_TRY(remove_files(cli, arguments, chain));
    } else if (strcmp(what, "compact") != 0) {
        return kw_error(&cli->error, KW_USAGE,
                        "'%s': `winc tls` takes add, remove, list or compact",
                        what);
    }
    return kw_winc_carry_out(cli, arguments, &chain->work);
}

static kw_status run(struct kw_cli *cli, const struct kw_arguments *arguments,
                     struct kw_winc *winc) {
    if (strcmp(arguments->operand[0], "list") == 0) {
        return kw_winc_show_files(cli, winc);
    }
    struct chain *chain = calloc(1, sizeof *chain);
    if (chain == NULL) {
        return kw_error(&cli->error, KW_SYSTEM_MEMORY, "out of memory");
    }
    chain->work.winc = winc;
    const kw_status status = change(cli, arguments, chain);
    for (size_t i = 0; i < chain->count; i++) {
        kw_winc_input_free(&chain->cert[i]);
    }
    kw_winc_input_free(&chain->key);
    free(chain);
    return status == KW_OK ? kw_winc_show_files(cli, winc) : status;
}

kw_status kw_winc_tls(struct kw_cli *cli,
                      const struct kw_arguments *arguments) {
    struct kw_winc winc;
    KW_TRY(kw_winc_begin_change(cli, arguments, &winc));
    const kw_status status = run(cli, arguments, &winc);
    kw_winc_end(arguments, &winc);
    return status;
}
