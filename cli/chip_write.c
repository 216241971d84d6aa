/* cli/chip_write.c: `chip write`. */
#include <stdlib.h>
#include <string.h>

#include "cli/chip_verbs.h"
#include "core/bytes.h"
#include "core/rotate.h"
#include "host/chip_refusal.h"
#include "host/files.h"
#include "host/hex_file.h"
#include "host/key.h"
#include "host/openssl_hash.h"

#define FILE_MAX      65536
#define KEY_BYTES     32
#define COUNTERS_SIZE 16 /* two of 8 bytes */

const struct kw_option kw_chip_write_options[] = {
    {"--file", "FILE", "the bytes"},
    {"--hex", "HEX", "the bytes, for what is not secret"},
    {"--block", "N", "begin at this block of 32 bytes"},
    {"--key-file", "FILE", "the key that an encrypted write needs"},
    {"--despite-lint", NULL, "write a configuration with errors all the same"},
    {NULL, NULL, NULL},
};

struct writing {
    struct kw_place place;
    size_t offset;
    size_t size;
    uint8_t data[KW_SLOT_MAX + KW_BLOCK_SIZE]; /* padded with zeros */
    uint8_t config[KW_CONFIG_SIZE];            /* what the chip has now */
    const char *key_file;
    bool despite_lint;
    bool changed; /* something was written */
};

static bool is_private(const struct writing *writing) {
    return writing->place.zone == KW_ZONE_DATA &&
           kw_config_key(writing->config, writing->place.slot).is_private;
}

/* --- the bytes --- */

static kw_status too_many(struct kw_cli *cli, const struct writing *writing) {
    return kw_error(&cli->error, KW_PARSE_SIZE,
                    "from byte %zu on there is room for %zu bytes, not for "
                    "more",
                    writing->offset, writing->place.size - writing->offset);
}

static kw_status take_hex(struct kw_cli *cli, const char *hex,
                          struct writing *writing) {
    const kw_status status =
        kw_hex_text_read(hex, strlen(hex), writing->data,
                         writing->place.size - writing->offset, &writing->size);
    if (status == KW_PARSE_SIZE) {
        return too_many(cli, writing);
    }
    return status == KW_OK && writing->size > 0
               ? KW_OK
               : kw_error(&cli->error, KW_USAGE, "--hex takes bytes in hex");
}

static kw_status take_file(struct kw_cli *cli, const char *path,
                           struct writing *writing) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(path, FILE_MAX, &data, &size, &cli->error));
    const bool fits = size > 0 && size <= writing->place.size - writing->offset;
    if (fits) {
        memcpy(writing->data, data, size);
        writing->size = size;
    }
    kw_wipe(data, size);
    free(data);
    if (size == 0) {
        return kw_error(&cli->error, KW_PARSE_SIZE, "%s is empty", path);
    }
    return fits ? KW_OK : too_many(cli, writing);
}

/* A private key is 32 bytes; so may a secret be, in a key file. */
static kw_status take_bytes(struct kw_cli *cli,
                            const struct kw_arguments *arguments,
                            struct writing *writing) {
    const char *file = kw_argument(arguments, "--file");
    const char *hex = kw_argument(arguments, "--hex");
    if ((hex == NULL) == (file == NULL)) {
        return kw_error(&cli->error, KW_USAGE,
                        "this needs --file or --hex, one of them");
    }
    if (hex != NULL) {
        return take_hex(cli, hex, writing);
    }
    if (is_private(writing)) {
        writing->size = KEY_BYTES;
        return kw_key_file_read(file, writing->data, &cli->error);
    }
    if (writing->place.zone == KW_ZONE_CONFIG) {
        writing->size = KW_CONFIG_SIZE;
        return kw_bytes_file_read(file, writing->data, KW_CONFIG_SIZE,
                                  &cli->error);
    }
    return take_file(cli, file, writing);
}

/* --- before anything is written --- */

/* Other processes see a command line. */
static kw_status check_secrecy(struct kw_cli *cli,
                               const struct kw_arguments *arguments,
                               const struct writing *writing) {
    if (writing->place.zone != KW_ZONE_DATA ||
        kw_argument(arguments, "--hex") == NULL ||
        !kw_config_slot(writing->config, writing->place.slot).is_secret) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_USAGE,
             "slot %u is secret, and other processes can see a command line",
             writing->place.slot);
    return kw_error_hint(&cli->error, "put the bytes into a file of mode 0600 "
                                      "and name it with --file");
}

static kw_status check_config(struct kw_cli *cli,
                              const struct writing *writing) {
    struct kw_findings findings;
    uint8_t wanted[KW_CONFIG_SIZE];
    if (writing->offset != 0 || writing->size != KW_CONFIG_SIZE) {
        return kw_error(&cli->error, KW_USAGE,
                        "the configuration is written as a whole: %d bytes",
                        KW_CONFIG_SIZE);
    }
    /* What Write cannot change stays as it is. */
    memcpy(wanted, writing->data, sizeof wanted);
    memcpy(wanted, writing->config, KW_CONFIG_I2C_ADDRESS);
    memcpy(wanted + KW_CONFIG_USER_EXTRA,
           writing->config + KW_CONFIG_USER_EXTRA, KW_WORD_SIZE);
    kw_config_lint(wanted, &findings);
    json_decref(kw_show_findings(cli, &findings));
    if (findings.errors == 0 || writing->despite_lint) {
        return KW_OK;
    }
    kw_error(&cli->error, KW_NO,
             "this configuration has %zu error%s; the first: %s",
             findings.errors, findings.errors == 1 ? "" : "s",
             kw_first_error(&findings));
    return kw_error_hint(&cli->error, "`keywright chip config --file FILE` "
                                      "lists them; --despite-lint writes it "
                                      "all the same");
}

/* The zeros that go into the rest of the last block. */
static size_t padding_of(const struct writing *writing) {
    const size_t end = writing->offset + writing->size;
    const size_t block =
        (end + KW_BLOCK_SIZE - 1) / KW_BLOCK_SIZE * KW_BLOCK_SIZE;
    const size_t last =
        block < writing->place.size ? block : writing->place.size;
    return last - end;
}

/* A slot for a P-256 key that holds none, or the very one. Before the data
 * lock nobody can tell. */
static bool keeps_public_key(struct kw_chip *chip,
                             const struct writing *writing) {
    uint8_t there[KW_STORED_KEY_SIZE];
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    const size_t left = sizeof there - writing->offset;
    const size_t size = writing->size + padding_of(writing);
    const kw_status status =
        kw_chip_read_slot(chip, writing->place.slot, there, sizeof there);
    kw_chip_idle(chip);
    return status == KW_OK && (!kw_stored_key_read(there, key) ||
                               memcmp(there + writing->offset, writing->data,
                                      size < left ? size : left) == 0);
}

static bool can_be_read(const struct writing *writing) {
    return !is_private(writing) &&
           !kw_config_slot(writing->config, writing->place.slot).is_secret;
}

/* What a question names; NULL: nothing that is asked for. What is secret
 * cannot be read back, and who holds another public key trusts another; data
 * that can be read are not asked for. */
static const char *replaced(struct kw_chip *chip,
                            const struct writing *writing) {
    const unsigned slot = writing->place.slot;
    if (writing->place.zone != KW_ZONE_DATA) {
        return NULL;
    }
    if (!can_be_read(writing)) {
        return is_private(writing) ? "private key" : "secret";
    }
    return kw_config_key(writing->config, slot).key_type == KW_KEY_TYPE_P256 &&
                   writing->place.size >= KW_STORED_KEY_SIZE &&
                   writing->offset < KW_STORED_KEY_SIZE &&
                   !keeps_public_key(chip, writing)
               ? "public key"
               : NULL;
}

static kw_status ask(struct kw_cli *cli, struct kw_chip *chip,
                     const struct writing *writing) {
    char question[64];
    const char *what = replaced(chip, writing);
    if (what == NULL) {
        return KW_OK;
    }
    (void)snprintf(question, sizeof question, "Replace the %s in slot %u%s?",
                   what, writing->place.slot,
                   can_be_read(writing) ? "" : " for ever");
    return kw_confirm_chip(cli, question);
}

static kw_status check(struct kw_cli *cli, const struct kw_arguments *arguments,
                       const struct writing *writing) {
    KW_TRY(check_secrecy(cli, arguments, writing));
    if (writing->key_file != NULL && writing->place.zone != KW_ZONE_DATA) {
        return kw_error(&cli->error, KW_USAGE,
                        "only slots are written encrypted");
    }
    if (writing->place.zone == KW_ZONE_CONFIG) {
        return check_config(cli, writing);
    }
    return !is_private(writing) ||
                   (writing->size == KEY_BYTES && writing->offset == 0)
               ? KW_OK
               : kw_error(&cli->error, KW_PARSE_SIZE,
                          "slot %u takes a private key of %d bytes",
                          writing->place.slot, KEY_BYTES);
}

/* --- writing --- */

static kw_status write_clear(struct kw_chip *chip,
                             const struct writing *writing) {
    const unsigned slot =
        writing->place.zone == KW_ZONE_DATA ? writing->place.slot : 0;
    for (size_t done = 0; done < writing->size; done += KW_BLOCK_SIZE) {
        KW_TRY(
            kw_chip_write(chip, writing->place.zone, slot,
                          (unsigned)((writing->offset + done) / KW_BLOCK_SIZE),
                          0, writing->data + done, KW_BLOCK_SIZE));
    }
    return KW_OK;
}

static kw_status write_block(struct kw_cli *cli, struct kw_chip *chip,
                             const struct writing *writing, size_t done,
                             const uint8_t *key) {
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t num_in[KW_NUM_IN_SIZE];
    KW_TRY(kw_random(num_in, sizeof num_in, &cli->error));
    kw_config_serial(writing->config, serial);
    const struct kw_encrypted_write block = {
        .slot = writing->place.slot,
        .block = (unsigned)((writing->offset + done) / KW_BLOCK_SIZE),
        .key_slot =
            kw_config_slot(writing->config, writing->place.slot).write_key,
        .key = key,
        .plain = writing->data + done,
        .serial = serial,
        .num_in = num_in,
    };
    return is_private(writing)
               ? kw_chip_private_write_encrypted(chip, &kw_openssl_hash, &block)
               : kw_chip_write_encrypted(chip, &kw_openssl_hash, &block);
}

static kw_status write_encrypted(struct kw_cli *cli, struct kw_chip *chip,
                                 const struct writing *writing) {
    uint8_t key[KEY_BYTES];
    kw_status status = kw_key_file_read(writing->key_file, key, &cli->error);
    for (size_t done = 0; status == KW_OK && done < writing->size;
         done += KW_BLOCK_SIZE) {
        status = write_block(cli, chip, writing, done, key);
    }
    kw_wipe(key, sizeof key);
    return status;
}

/* Once it is locked the counters count, and are no configuration any more: a
 * script that runs again finds what it wrote. */
static kw_status write_config(struct kw_chip *chip,
                              const struct writing *writing) {
    uint8_t wanted[KW_CONFIG_SIZE];
    memcpy(wanted, writing->data, sizeof wanted);
    if (kw_config_is_locked(writing->config)) {
        memcpy(wanted + KW_CONFIG_COUNTER, writing->config + KW_CONFIG_COUNTER,
               COUNTERS_SIZE);
    }
    return kw_chip_write_config(chip, writing->config, wanted);
}

static kw_status write_place(struct kw_cli *cli, struct kw_chip *chip,
                             const struct writing *writing) {
    if (writing->place.zone == KW_ZONE_CONFIG) {
        return write_config(chip, writing);
    }
    if (writing->key_file != NULL) {
        return write_encrypted(cli, chip, writing);
    }
    return is_private(writing)
               ? kw_chip_private_write(chip, writing->place.slot, writing->data)
               : write_clear(chip, writing);
}

static void print_written(const struct kw_cli *cli,
                          const struct writing *writing) {
    const size_t padding = is_private(writing) ? 0 : padding_of(writing);
    if (!writing->changed) {
        kw_print(cli,
                 "Nothing to write: the chip has this configuration already\n");
        return;
    }
    kw_print(cli, "Written: %zu %s%s\n", writing->size,
             kw_counted(writing->size, "byte", "bytes"),
             writing->key_file != NULL ? ", encrypted" : "");
    if (padding > 0) {
        kw_print(cli, "The rest of the last block, %zu %s, is zeros now\n",
                 padding, kw_counted(padding, "byte", "bytes"));
    }
}

static void answer(struct kw_cli *cli, const struct writing *writing) {
    static const char *const ZONES[] = {"config", "otp", "data"};
    const bool encrypted = writing->key_file != NULL;
    print_written(cli, writing);
    kw_set_text(cli->result, "zone", ZONES[writing->place.zone]);
    kw_set_slot(cli->result, writing->place.slot);
    json_object_set_new(cli->result, "offset",
                        json_integer((json_int_t)writing->offset));
    json_object_set_new(cli->result, "size",
                        json_integer((json_int_t)writing->size));
    json_object_set_new(cli->result, "encrypted", json_boolean(encrypted));
    json_object_set_new(cli->result, "changed", json_boolean(writing->changed));
}

static kw_status explain(struct kw_cli *cli, const struct kw_chip *chip,
                         const struct writing *writing, kw_status status) {
    const struct kw_slot_config rules =
        writing->place.zone == KW_ZONE_DATA
            ? kw_config_slot(writing->config, writing->place.slot)
            : (struct kw_slot_config){0};
    const struct kw_command wanted = {
        .opcode = is_private(writing) ? KW_OP_PRIVWRITE : KW_OP_WRITE,
        .param1 = (uint8_t)writing->place.zone,
        .param2 = (uint16_t)(is_private(writing) ? writing->place.slot
                                                 : writing->place.slot << 3),
    };
    kw_error_refused(&cli->error, status, chip, "cannot write", writing->config,
                     &wanted);
    if (status == KW_CHIP_MISMATCH) {
        return kw_error_hint(&cli->error,
                             "the key in %s is not the one that the slot's "
                             "WriteKey holds; nothing was written",
                             writing->key_file);
    }
    /* WriteConfig x1xx: encrypted, for Write and for PrivWrite. */
    return status == KW_CHIP_EXECUTION && writing->key_file == NULL &&
                   (rules.write_config & 4u) != 0 &&
                   kw_config_data_is_locked(writing->config)
               ? kw_error_hint(&cli->error,
                               "name the key that slot %u holds with "
                               "--key-file",
                               rules.write_key)
               : status;
}

static kw_status write_it(struct kw_cli *cli,
                          const struct kw_arguments *arguments,
                          struct writing *writing) {
    struct kw_chip *chip = NULL;
    KW_TRY(kw_cli_chip(cli, &chip));
    kw_status status = kw_chip_read_config(chip, writing->config);
    if (status != KW_OK) {
        return kw_error_chip(&cli->error, status, chip, "cannot read the chip");
    }
    KW_TRY(take_bytes(cli, arguments, writing));
    kw_chip_idle(chip);
    KW_TRY(check(cli, arguments, writing));
    KW_TRY(ask(cli, chip, writing));
    const uint32_t commands = chip->commands;
    status = write_place(cli, chip, writing);
    writing->changed = chip->commands != commands;
    kw_chip_idle(chip);
    return status == KW_OK || cli->error.message[0] != '\0'
               ? status
               : explain(cli, chip, writing, status);
}

kw_status kw_chip_write_verb(struct kw_cli *cli,
                             const struct kw_arguments *arguments) {
    struct writing writing = {
        .key_file = kw_argument(arguments, "--key-file"),
        .despite_lint = kw_argument(arguments, "--despite-lint") != NULL,
    };
    unsigned block = 0;
    bool given = false;
    KW_TRY(kw_read_place(cli, arguments->operand[0], &writing.place));
    KW_TRY(kw_read_block(cli, arguments, &writing.place, &block, &given));
    writing.offset = (size_t)block * KW_BLOCK_SIZE;
    const kw_status status = write_it(cli, arguments, &writing);
    if (status == KW_OK) {
        answer(cli, &writing);
    }
    kw_wipe(&writing, sizeof writing);
    return status;
}
