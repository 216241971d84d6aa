/* cli/chip_read.c: `chip read`. */
#include <string.h>

#include "cli/chip_verbs.h"
#include "core/bytes.h"
#include "host/chip_refusal.h"
#include "host/files.h"
#include "host/hex_file.h"
#include "host/key.h"
#include "host/openssl_hash.h"

const struct kw_option kw_chip_read_options[] = {
    {"--block", "N", "only this block of 32 bytes"},
    {"--key-file", "FILE", "the key that an encrypted read needs"},
    {"--output", "FILE", "write the bytes to a new file, mode 0600"},
    {NULL, NULL, NULL},
};

struct reading {
    struct kw_place place;
    size_t offset;
    size_t size;
    uint8_t data[KW_SLOT_MAX + KW_BLOCK_SIZE];
    uint8_t config[KW_CONFIG_SIZE]; /* of a chip that is read encrypted */
    const char *key_file;
    const char *output;
};

static kw_status plan(struct kw_cli *cli, const struct kw_arguments *arguments,
                      struct reading *reading) {
    unsigned block = 0;
    bool given = false;
    KW_TRY(kw_read_place(cli, arguments->operand[0], &reading->place));
    KW_TRY(kw_read_block(cli, arguments, &reading->place, &block, &given));
    const size_t left = reading->place.size - (size_t)block * KW_BLOCK_SIZE;
    reading->offset = (size_t)block * KW_BLOCK_SIZE;
    reading->size = given && left > KW_BLOCK_SIZE ? KW_BLOCK_SIZE : left;
    reading->key_file = kw_argument(arguments, "--key-file");
    reading->output = kw_argument(arguments, "--output");
    if (reading->key_file != NULL && reading->place.zone != KW_ZONE_DATA) {
        return kw_error(&cli->error, KW_USAGE, "only slots are read encrypted");
    }
    if (reading->key_file != NULL && reading->output == NULL) {
        kw_error(&cli->error, KW_USAGE,
                 "what is read encrypted is secret and goes to a file alone");
        return kw_error_hint(&cli->error, "name a new file with -o FILE");
    }
    return KW_OK;
}

static kw_status read_clear(struct kw_chip *chip, struct reading *reading) {
    for (size_t done = 0; done < reading->size; done += KW_BLOCK_SIZE) {
        KW_TRY(kw_chip_read(
            chip, reading->place.zone,
            reading->place.zone == KW_ZONE_DATA ? reading->place.slot : 0,
            (unsigned)((reading->offset + done) / KW_BLOCK_SIZE), 0,
            reading->data + done, KW_BLOCK_SIZE));
    }
    return KW_OK;
}

/* A chip answers such a slot in clear whatever came before, and what is then
 * deciphered is nothing. */
static kw_status check_encrypted(struct kw_cli *cli,
                                 const struct reading *reading) {
    const struct kw_slot_config rules =
        kw_config_slot(reading->config, reading->place.slot);
    if (rules.is_secret || rules.encrypt_read) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_USAGE,
             "slot %u is read in clear: IsSecret and EncryptRead are 0",
             reading->place.slot);
    return kw_error_hint(&cli->error, "leave --key-file out");
}

static kw_status read_with_key(struct kw_cli *cli, struct kw_chip *chip,
                               const uint8_t *key, struct reading *reading) {
    const uint8_t *config = reading->config;
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t num_in[KW_NUM_IN_SIZE];
    KW_TRY(kw_chip_read_config(chip, reading->config));
    KW_TRY(check_encrypted(cli, reading));
    kw_config_serial(config, serial);
    for (size_t done = 0; done < reading->size; done += KW_BLOCK_SIZE) {
        KW_TRY(kw_random(num_in, sizeof num_in, &cli->error));
        const struct kw_encrypted_read block = {
            .slot = reading->place.slot,
            .block = (unsigned)((reading->offset + done) / KW_BLOCK_SIZE),
            .key_slot = kw_config_slot(config, reading->place.slot).read_key,
            .key = key,
            .serial = serial,
            .num_in = num_in,
        };
        KW_TRY(kw_chip_read_encrypted(chip, &kw_openssl_hash, &block,
                                      reading->data + done));
    }
    return KW_OK;
}

static kw_status read_encrypted(struct kw_cli *cli, struct kw_chip *chip,
                                struct reading *reading) {
    uint8_t key[32];
    KW_TRY(kw_key_file_read(reading->key_file, key, &cli->error));
    const kw_status status = read_with_key(cli, chip, key, reading);
    kw_wipe(key, sizeof key);
    return status;
}

/* A chip says what it lacks; what to type is known here. */
static kw_status advise(struct kw_cli *cli, struct kw_chip *chip, unsigned slot,
                        kw_status status) {
    uint8_t config[KW_CONFIG_SIZE];
    const bool known = kw_chip_read_config(chip, config) == KW_OK;
    const struct kw_slot_config rules =
        known ? kw_config_slot(config, slot) : (struct kw_slot_config){0};
    kw_chip_idle(chip);
    return rules.is_secret && rules.encrypt_read
               ? kw_error_hint(&cli->error,
                               "slot %u is read encrypted: name the key that "
                               "slot %u holds with --key-file, and a new "
                               "file with -o",
                               slot, rules.read_key)
               : status;
}

static kw_status explain(struct kw_cli *cli, struct kw_chip *chip,
                         const struct reading *reading, kw_status status) {
    char doing[48] = "cannot read the configuration zone";
    if (reading->place.zone == KW_ZONE_OTP) {
        (void)snprintf(doing, sizeof doing, "cannot read the OTP zone");
    }
    if (reading->place.zone == KW_ZONE_DATA) {
        (void)snprintf(doing, sizeof doing, "cannot read slot %u",
                       reading->place.slot);
    }
    const struct kw_command wanted = {
        .opcode = KW_OP_READ,
        .param1 = KW_ZONE_DATA,
        .param2 = (uint16_t)(reading->place.slot << 3),
    };
    if (reading->key_file != NULL) {
        return kw_error_refused(&cli->error, status, chip, doing,
                                reading->config, &wanted);
    }
    kw_error_chip(&cli->error, status, chip, doing);
    return reading->place.zone == KW_ZONE_DATA && status == KW_CHIP_EXECUTION
               ? advise(cli, chip, reading->place.slot, status)
               : status;
}

static kw_status read_place(struct kw_cli *cli, struct reading *reading) {
    struct kw_chip *chip = NULL;
    KW_TRY(kw_cli_chip(cli, &chip));
    const kw_status status = reading->key_file == NULL
                                 ? read_clear(chip, reading)
                                 : read_encrypted(cli, chip, reading);
    kw_chip_idle(chip);
    if (status == KW_OK || cli->error.message[0] != '\0') {
        return status;
    }
    return explain(cli, chip, reading, status);
}

static kw_status show(struct kw_cli *cli, const struct reading *reading) {
    static const char *const ZONES[] = {"config", "otp", "data"};
    if (reading->output != NULL) {
        KW_TRY(kw_file_create(reading->output, KW_SECRET_MODE, reading->data,
                              reading->size, &cli->error));
        kw_print(cli, "%zu bytes: %s\n", reading->size, reading->output);
    } else {
        kw_print_bytes_at(cli, reading->offset, reading->data, reading->size);
    }
    kw_set_text(cli->result, "zone", ZONES[reading->place.zone]);
    kw_set_slot(cli->result, reading->place.slot);
    json_object_set_new(cli->result, "offset",
                        json_integer((json_int_t)reading->offset));
    json_object_set_new(cli->result, "size",
                        json_integer((json_int_t)reading->size));
    kw_set_text(cli->result, "file", reading->output);
    if (reading->output != NULL) {
        kw_set_text(cli->result, "data", NULL);
    } else {
        kw_set_bytes(cli->result, "data", reading->data, reading->size);
    }
    return KW_OK;
}

kw_status kw_chip_read_verb(struct kw_cli *cli,
                            const struct kw_arguments *arguments) {
    struct reading reading = {.size = 0};
    KW_TRY(plan(cli, arguments, &reading));
    kw_status status = read_place(cli, &reading);
    if (status == KW_OK) {
        status = show(cli, &reading);
    }
    kw_wipe(&reading, sizeof reading);
    return status;
}
