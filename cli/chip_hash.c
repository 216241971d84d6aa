/* cli/chip_hash.c: `chip sha` and `chip mac`. */
#include <string.h>

#include "cli/chip_verbs.h"
#include "core/bytes.h"
#include "host/files.h"
#include "host/hex_file.h"
#include "host/key.h"
#include "host/openssl_hash.h"
#include "host/text.h"

/* --- sha --- */

const struct kw_option kw_chip_sha_options[] = {
    {"--hmac", "SLOT", "an HMAC under the key in this slot"},
    {NULL, NULL, NULL},
};

struct hashing {
    FILE *file;
    int key_slot; /* -1: none */
    size_t size;
    uint8_t digest[KW_SHA256_SIZE];
};

static kw_status hash_file(struct kw_chip *chip, struct hashing *hashing) {
    uint8_t block[KW_CHIP_SHA_BLOCK];
    size_t count = 0;
    KW_TRY(kw_chip_sha_start(chip, hashing->key_slot));
    while ((count = fread(block, 1, sizeof block, hashing->file)) ==
           sizeof block) {
        KW_TRY(kw_chip_sha_update(chip, block));
        hashing->size += count;
        kw_chip_idle(chip); /* the context survives; the watchdog restarts */
    }
    hashing->size += count;
    const kw_status status =
        kw_chip_sha_end(chip, block, count, hashing->digest);
    kw_wipe(block, sizeof block);
    return status;
}

static kw_status hash_and_answer(struct kw_cli *cli, struct hashing *hashing,
                                 const char *name) {
    struct kw_chip *chip = NULL;
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = hash_file(chip, hashing);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot hash");
    }
    if (ferror(hashing->file) != 0) {
        return kw_error_system(&cli->error, "cannot read %s", name);
    }
    kw_print_bytes(cli, hashing->digest, sizeof hashing->digest);
    kw_set_slot(cli->result, hashing->key_slot < 0
                                 ? KW_NO_SLOT
                                 : (unsigned)hashing->key_slot);
    json_object_set_new(cli->result, "size",
                        json_integer((json_int_t)hashing->size));
    kw_set_bytes(cli->result, "digest", hashing->digest, KW_SHA256_SIZE);
    return KW_OK;
}

kw_status kw_chip_sha_verb(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    const char *name = arguments->operand[0];
    const char *hmac = kw_argument(arguments, "--hmac");
    const bool from_stdin = strcmp(name, "-") == 0;
    struct hashing hashing = {.key_slot = -1};
    unsigned slot = 0;
    if (hmac != NULL) {
        KW_TRY(kw_read_slot(cli, hmac, &slot));
        hashing.key_slot = (int)slot;
    }
    hashing.file = from_stdin ? stdin : fopen(name, "rbe");
    if (hashing.file == NULL) {
        return kw_error_system(&cli->error, "cannot open %s", name);
    }
    const kw_status status = hash_and_answer(cli, &hashing, name);
    if (!from_stdin) {
        (void)fclose(hashing.file);
    }
    return status;
}

/* --- mac --- */

const struct kw_option kw_chip_mac_options[] = {
    {"--challenge", "HEX", "32 bytes (default: random)"},
    {"--key-file", "FILE", "the key, to check the answer"},
    {NULL, NULL, NULL},
};

struct proving {
    struct kw_mac mac;
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t num_in[KW_NUM_IN_SIZE];
    const char *key_file;
    bool matches;
};

static kw_status prepare(struct kw_cli *cli, struct kw_chip *chip,
                         const char *challenge, struct proving *proving) {
    const kw_status status = kw_chip_read_config(chip, proving->config);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot read the chip");
    }
    proving->mac.random_nonce =
        kw_config_key(proving->config, proving->mac.slot).req_random;
    proving->mac.num_in = proving->num_in;
    if (proving->mac.random_nonce && challenge != NULL) {
        return kw_error(&cli->error, KW_USAGE,
                        "slot %u has ReqRandom: it takes no challenge from "
                        "outside, only a random nonce",
                        proving->mac.slot);
    }
    KW_TRY(kw_random(proving->num_in, sizeof proving->num_in, &cli->error));
    return challenge == NULL
               ? kw_random(proving->mac.challenge,
                           sizeof proving->mac.challenge, &cli->error)
               : kw_read_hex(cli, "--challenge", challenge,
                             proving->mac.challenge,
                             sizeof proving->mac.challenge);
}

static kw_status check_mac(struct kw_cli *cli, struct proving *proving) {
    static const uint8_t NO_OTP[11];
    uint8_t key[32];
    uint8_t expected[KW_SHA256_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    const struct kw_message_head head = kw_message_head(
        KW_OP_MAC, kw_mac_mode(&proving->mac), (uint16_t)proving->mac.slot);
    KW_TRY(kw_key_file_read(proving->key_file, key, &cli->error));
    kw_config_serial(proving->config, serial);
    const kw_status status =
        kw_message_mac(&kw_openssl_hash, key, proving->mac.challenge, head,
                       NO_OTP, serial, expected);
    kw_wipe(key, sizeof key);
    if (status != KW_OK) {
        return kw_error_core(&cli->error, status, "MAC");
    }
    proving->matches = kw_equal_ct(expected, proving->mac.mac, sizeof expected);
    kw_wipe(expected, sizeof expected);
    return KW_OK;
}

static kw_status answer_mac(struct kw_cli *cli, const struct proving *proving) {
    const uint8_t mode = kw_mac_mode(&proving->mac);
    const bool checked = proving->key_file != NULL;
    kw_print(cli, "Challenge:\n");
    kw_print_bytes(cli, proving->mac.challenge, sizeof proving->mac.challenge);
    kw_print(cli, "MAC of slot %u:\n", proving->mac.slot);
    kw_print_bytes(cli, proving->mac.mac, sizeof proving->mac.mac);
    if (checked) {
        kw_print(cli, "%s\n",
                 proving->matches ? "The chip holds this key"
                                  : "The chip holds another key");
    }
    kw_set_slot(cli->result, proving->mac.slot);
    kw_set_bytes(cli->result, "mode", &mode, 1);
    kw_set_bytes(cli->result, "challenge", proving->mac.challenge, 32);
    kw_set_bytes(cli->result, "mac", proving->mac.mac, KW_SHA256_SIZE);
    json_object_set_new(cli->result, "matches",
                        checked ? json_boolean(proving->matches) : json_null());
    return checked && !proving->matches ? KW_NO : KW_OK;
}

kw_status kw_chip_mac_verb(struct kw_cli *cli,
                           const struct kw_arguments *arguments) {
    struct proving proving = {
        .key_file = kw_argument(arguments, "--key-file"),
    };
    struct kw_chip *chip = NULL;
    KW_TRY(kw_read_slot(cli, arguments->operand[0], &proving.mac.slot));
    KW_TRY(kw_cli_chip(cli, &chip));
    KW_TRY(prepare(cli, chip, kw_argument(arguments, "--challenge"), &proving));
    const kw_status status = kw_chip_mac(chip, &kw_openssl_hash, &proving.mac);
    kw_chip_idle(chip);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot compute a MAC");
    }
    KW_TRY(proving.key_file == NULL ? KW_OK : check_mac(cli, &proving));
    return answer_mac(cli, &proving);
}
