/* cli/chip_key.c: `chip genkey`, `chip sign`, `chip verify`. */
#include <stdlib.h>
#include <string.h>

#include "cli/chip_verbs.h"
#include "cli/show.h"
#include "host/files.h"
#include "host/key.h"
#include "host/signature_file.h"

/* --- genkey --- */

const struct kw_option kw_chip_genkey_options[] = {
    {"--public", NULL, "only the public key of the one that is there"},
    {"--output", "FILE", "write the public key to a new file, as PEM"},
    {NULL, NULL, NULL},
};

static kw_status write_pem(struct kw_cli *cli, const char *path,
                           const uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    char *pem = path == NULL ? NULL : kw_public_key_pem(key);
    if (path == NULL) {
        return KW_OK;
    }
    const kw_status status =
        pem == NULL ? kw_error(&cli->error, KW_PARSE_KEY,
                               "the chip answered no point of the curve")
                    : kw_file_create(path, KW_PUBLIC_MODE, pem, strlen(pem),
                                     &cli->error);
    free(pem);
    return status;
}

/* A file that cannot be made is no reason to lose a key first. */
static kw_status check_output(struct kw_cli *cli, const char *path) {
    return path == NULL ? KW_OK : kw_file_is_free(path, &cli->error);
}

/* The key is made: only its file is missing. */
static kw_status write_made(struct kw_cli *cli, const char *path, unsigned slot,
                            const uint8_t *key) {
    const kw_status status = write_pem(cli, path, key);
    if (status == KW_OK) {
        return KW_OK;
    }
    return kw_error_hint(&cli->error,
                         "slot %u has its new key: only the file is missing; "
                         "`keywright chip genkey %u --public -o FILE` writes "
                         "it",
                         slot, slot);
}

static kw_status ask_for_key(struct kw_cli *cli, unsigned slot, bool create,
                             uint8_t key[KW_PUBLIC_KEY_SIZE]) {
    struct kw_chip *chip = NULL;
    char doing[96];
    KW_TRY(kw_cli_chip(cli, &chip));
    (void)snprintf(
        doing, sizeof doing,
        "Make a new private key in slot %u? The old one is lost for ever",
        slot);
    KW_TRY(create ? kw_confirm_chip(cli, doing) : KW_OK);
    const kw_status status = create ? kw_chip_make_key(chip, slot, key)
                                    : kw_chip_public_key(chip, slot, key);
    kw_chip_idle(chip);
    (void)snprintf(doing, sizeof doing,
                   create ? "cannot make a key in slot %u"
                          : "cannot ask for the public key of slot %u",
                   slot);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(&cli->error, status, chip, doing);
}

kw_status kw_chip_genkey_verb(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    const bool create = kw_argument(arguments, "--public") == NULL;
    const char *output = kw_argument(arguments, "--output");
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    char text[KW_FINGERPRINT_TEXT];
    unsigned slot = 0;
    KW_TRY(kw_read_slot(cli, arguments->operand[0], &slot));
    KW_TRY(check_output(cli, output));
    KW_TRY(ask_for_key(cli, slot, create, key));
    KW_TRY(create ? write_made(cli, output, slot, key)
                  : write_pem(cli, output, key));
    kw_fingerprint(key, text);
    kw_print(cli, "Slot %u: %s, fingerprint %.*s\n", slot,
             create ? "a new key" : "public key", KW_FINGERPRINT_SHOWN, text);
    kw_print_bytes(cli, key, sizeof key);
    kw_print_file(cli, output);
    kw_set_slot(cli->result, slot);
    json_object_set_new(cli->result, "created", json_boolean(create));
    kw_set_bytes(cli->result, "public_key", key, sizeof key);
    kw_set_text(cli->result, "fingerprint", text);
    kw_set_text(cli->result, "file", output);
    return KW_OK;
}

/* --- sign --- */

const struct kw_option kw_chip_sign_options[] = {
    {"--file", "FILE", "sign the SHA-256 of this file"},
    {"--digest", "HEX", "sign this SHA-256"},
    {"--output", "FILE", "write the signature to a new file, in DER"},
    {NULL, NULL, NULL},
};

static kw_status write_der(struct kw_cli *cli, const char *path,
                           const uint8_t signature[KW_SIGNATURE_SIZE]) {
    uint8_t der[KW_SIGNATURE_DER_MAX];
    size_t size = 0;
    if (path == NULL) {
        return KW_OK;
    }
    const kw_status status = kw_signature_to_der(signature, der, &size);
    return status == KW_OK
               ? kw_file_create(path, KW_PUBLIC_MODE, der, size, &cli->error)
               : kw_error_core(&cli->error, status, "DER");
}

kw_status kw_chip_sign_verb(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    const char *output = kw_argument(arguments, "--output");
    struct kw_chip *chip = NULL;
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
    unsigned slot = 0;
    KW_TRY(kw_read_slot(cli, arguments->operand[0], &slot));
    KW_TRY(kw_read_digest(cli, arguments, digest));
    KW_TRY(check_output(cli, output));
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = kw_chip_sign(chip, slot, digest, signature);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot sign");
    }
    KW_TRY(write_der(cli, output, signature));
    kw_print(cli, "Signature of slot %u:\n", slot);
    kw_print_bytes(cli, signature, sizeof signature);
    kw_print_file(cli, output);
    kw_set_slot(cli->result, slot);
    kw_set_bytes(cli->result, "digest", digest, sizeof digest);
    kw_set_bytes(cli->result, "signature", signature, sizeof signature);
    kw_set_text(cli->result, "file", output);
    return KW_OK;
}

/* --- verify --- */

const struct kw_option kw_chip_verify_options[] = {
    {"--signature", "FILE", "the signature: DER, 64 bytes or hex",
     .required = true},
    {"--file", "FILE", "what was signed"},
    {"--digest", "HEX", "its SHA-256"},
    {"--public-key", "FILE", "a key that is not in the chip: PEM or X, Y"},
    {NULL, NULL, NULL},
};

struct verification {
    unsigned slot; /* KW_NO_SLOT: an outer key */
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    uint8_t digest[KW_SHA256_SIZE];
    uint8_t signature[KW_SIGNATURE_SIZE];
};

static kw_status read_verification(struct kw_cli *cli,
                                   const struct kw_arguments *arguments,
                                   struct verification *verification) {
    const char *key = kw_argument(arguments, "--public-key");
    const char *signature = kw_argument(arguments, "--signature");
    verification->slot = KW_NO_SLOT;
    if ((arguments->operand_count == 0) == (key == NULL)) {
        return kw_error(&cli->error, KW_USAGE,
                        "this needs a slot or --public-key, one of them");
    }
    if (key != NULL) {
        KW_TRY(kw_public_key_file_read(key, verification->key, &cli->error));
    } else {
        KW_TRY(kw_read_slot(cli, arguments->operand[0], &verification->slot));
    }
    KW_TRY(kw_read_digest(cli, arguments, verification->digest));
    return kw_signature_file_read(signature, verification->signature,
                                  &cli->error);
}

static kw_status ask_chip(struct kw_chip *chip,
                          const struct verification *about) {
    return about->slot == KW_NO_SLOT
               ? kw_chip_verify_external(chip, about->key, about->digest,
                                         about->signature)
               : kw_chip_verify_stored(chip, about->slot, about->digest,
                                       about->signature);
}

/* A signature that does not match is an answer: exit 1 with the document. */
kw_status kw_chip_verify_verb(struct kw_cli *cli,
                              const struct kw_arguments *arguments) {
    struct verification verification;
    struct kw_chip *chip = NULL;
    KW_TRY(read_verification(cli, arguments, &verification));
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = ask_chip(chip, &verification);
    kw_chip_idle(chip);
    if (status != KW_OK && status != KW_CHIP_MISMATCH) {
        return kw_error_chip(&cli->error, status, chip, "cannot verify");
    }
    kw_print(cli, "%s\n",
             status == KW_OK ? "The signature matches"
                             : "The signature does not match");
    kw_set_slot(cli->result, verification.slot);
    kw_set_bytes(cli->result, "digest", verification.digest, KW_SHA256_SIZE);
    json_object_set_new(cli->result, "verified", json_boolean(status == KW_OK));
    return status == KW_OK ? KW_OK : KW_NO_SIGNATURE;
}
