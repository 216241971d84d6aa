/* Accessory authentication: the chip proves that it holds a secret that the
 * host holds too. docs/labs.md, "accessory". The console lines are those of
 * the vendor's notebook.
 * Message of the MAC: data sheet DS40002138A, MAC command; core/message.h. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/chip_reading.h"
#include "host/hex_file.h"
#include "host/keyring.h"
#include "host/lab.h"
#include "host/openssl_hash.h"
#include "host/part.h"

#define SECRET_SLOT  5
#define SECRET_SIZE  32
#define NONCE_RANDOM 0x00 /* mode of Nonce: the chip adds its own */
#define MAC_MODE     0x41 /* second half: TempKey; with the serial number */

/* What goes over the wire when an accessory is asked. */
struct exchange {
    uint8_t num_in[KW_NUM_IN_SIZE]; /* the host's part of the nonce */
    uint8_t random[32];             /* the accessory's */
    uint8_t mac[KW_SHA256_SIZE];
};

struct accessory {
    uint8_t secret[SECRET_SIZE];
    uint8_t serial[KW_SERIAL_SIZE];
    struct exchange exchange;
};

/* --- the host's secret --- */

static bool is_secret_of(const struct kw_key_file *file, const char *serial) {
    return !file->is_key_pair && file->slot == SECRET_SLOT &&
           strcmp(file->serial, serial) == 0;
}

/* The newest that is in the chip; a cut may have left a newer one that is
 * not. */
static const struct kw_key_file *choose(const struct kw_key_files *files,
                                        const char *serial) {
    const struct kw_key_file *found = NULL;
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        if (is_secret_of(file, serial) &&
            (found == NULL || kw_generation_is_programmed(file) ||
             !kw_generation_is_programmed(found))) {
            found = file;
        }
    }
    return found;
}

/* Only a TrustFLEX part takes one. */
static kw_status no_secret(const struct kw_lab_bench *bench) {
    struct kw_chip_about about;
    struct kw_error ignored;
    const bool takes_one =
        kw_part_read(bench->chip, &about, &ignored) == KW_OK &&
        about.part == KW_PART_TRUSTFLEX;
    kw_chip_idle(bench->chip);
    kw_error(bench->error, KW_NO,
             "keys/ holds no secret of slot %d of this chip", SECRET_SLOT);
    return kw_error_hint(bench->error, "%s",
                         takes_one
                             ? "`keywright resources make` makes one and "
                               "programs it; or name its file with --key-file "
                               "FILE"
                             : "this is no TrustFLEX chip, so nothing here "
                               "makes one: name its file with --key-file FILE");
}

static kw_status read_secret(const struct kw_lab_bench *bench,
                             struct accessory *lab) {
    struct kw_key_files files;
    char serial[KW_SERIAL_TEXT];
    if (bench->source != NULL) {
        return kw_key_file_read(bench->source, lab->secret, bench->error);
    }
    kw_serial_text(lab->serial, serial);
    KW_TRY(kw_keyring_list(bench->workspace, &files, bench->error));
    const struct kw_key_file *file = choose(&files, serial);
    const kw_status status =
        file == NULL ? no_secret(bench)
                     : kw_key_file_read(file->path, lab->secret, bench->error);
    kw_key_files_free(&files);
    return status;
}

/* --- asking an accessory --- */

static kw_status make_num_in(const struct kw_lab_bench *bench,
                             struct exchange *exchange) {
    char text[KW_LAB_HEX];
    KW_TRY(kw_random(exchange->num_in, sizeof exchange->num_in, bench->error));
    kw_lab_say(bench, "Challenge of the host: %s",
               kw_lab_hex(exchange->num_in, sizeof exchange->num_in, text));
    kw_lab_value(bench, "num_in", exchange->num_in, sizeof exchange->num_in);
    return KW_OK;
}

static kw_status send_nonce(struct kw_chip *chip, struct exchange *exchange) {
    const struct kw_command nonce = {KW_OP_NONCE, NONCE_RANDOM, 0,
                                     exchange->num_in, KW_NUM_IN_SIZE};
    return kw_chip_execute(chip, &nonce, exchange->random,
                           sizeof exchange->random);
}

static kw_status ask_mac(struct kw_chip *chip, struct exchange *exchange) {
    const struct kw_command mac = {KW_OP_MAC, MAC_MODE, SECRET_SLOT, NULL, 0};
    return kw_chip_execute(chip, &mac, exchange->mac, sizeof exchange->mac);
}

static void show_random(const struct kw_lab_bench *bench,
                        const struct exchange *exchange) {
    char text[KW_LAB_HEX];
    kw_lab_say(bench, "Random number of the accessory: %s",
               kw_lab_hex(exchange->random, sizeof exchange->random, text));
    kw_lab_value(bench, "random", exchange->random, sizeof exchange->random);
}

static void show_mac(const struct kw_lab_bench *bench,
                     const struct exchange *exchange) {
    char text[KW_LAB_HEX];
    kw_lab_say(bench, "MAC received from device:");
    kw_lab_say(bench, "%s",
               kw_lab_hex(exchange->mac, sizeof exchange->mac, text));
    kw_lab_value(bench, "mac", exchange->mac, sizeof exchange->mac);
}

/* --- what the host computes --- */

static kw_status expected_mac(const struct accessory *lab,
                              const struct exchange *exchange,
                              uint8_t mac[KW_SHA256_SIZE]) {
    static const uint8_t NO_OTP[11];
    uint8_t nonce[KW_NONCE_SIZE];
    KW_TRY(
        kw_message_nonce(&kw_openssl_hash, exchange->random, exchange->num_in,
                         kw_message_head(KW_OP_NONCE, NONCE_RANDOM, 0), nonce));
    return kw_message_mac(&kw_openssl_hash, lab->secret, nonce,
                          kw_message_head(KW_OP_MAC, MAC_MODE, SECRET_SLOT),
                          NO_OTP, lab->serial, mac);
}

/* What the right answer would have been is shown only where it came. */
static kw_status compare(const struct kw_lab_bench *bench,
                         const struct exchange *exchange) {
    const struct accessory *lab = bench->state;
    uint8_t expected[KW_SHA256_SIZE];
    char text[KW_LAB_HEX];
    KW_TRY(expected_mac(lab, exchange, expected));
    const bool same = kw_equal_ct(expected, exchange->mac, sizeof expected);
    kw_wipe(expected, sizeof expected);
    if (!same) {
        kw_lab_say(bench, "Accessory device not authenticated");
        return kw_error(bench->error, KW_NO,
                        "the MAC is not by the host's secret, or not to this "
                        "challenge");
    }
    kw_lab_say(bench, "MAC calculated on Host:");
    kw_lab_say(bench, "%s",
               kw_lab_hex(exchange->mac, sizeof exchange->mac, text));
    kw_lab_say(bench, "Accessory device authenticated successfully");
    return KW_OK;
}

/* --- the steps --- */

static kw_status identify(struct kw_lab_bench *bench) {
    struct accessory *lab = bench->state;
    uint8_t config[KW_CONFIG_SIZE];
    char text[KW_LAB_HEX];
    const kw_status status = kw_chip_read_config(bench->chip, config);
    kw_chip_idle(bench->chip);
    if (status != KW_OK) {
        return kw_error_chip(bench->error, status, bench->chip,
                             "cannot read the chip");
    }
    kw_config_serial(config, lab->serial);
    KW_TRY(read_secret(bench, lab));
    kw_lab_say(bench, "Read device serial number...OK (SN: %s)",
               kw_lab_hex(lab->serial, sizeof lab->serial, text));
    return KW_OK;
}

/* The chip's watchdog ends TempKey, so the MAC follows at once: nothing is
 * printed between the two commands. */
static kw_status ask(const struct kw_lab_bench *bench, struct kw_chip *chip,
                     struct exchange *exchange) {
    KW_TRY(make_num_in(bench, exchange));
    kw_status status = send_nonce(chip, exchange);
    status = status == KW_OK ? ask_mac(chip, exchange) : status;
    kw_chip_idle(chip);
    return status == KW_OK ? KW_OK
                           : kw_error_chip(bench->error, status, chip,
                                           "the accessory gives no MAC");
}

static kw_status challenge(struct kw_lab_bench *bench) {
    struct accessory *lab = bench->state;
    KW_TRY(ask(bench, bench->chip, &lab->exchange));
    show_random(bench, &lab->exchange);
    return KW_OK;
}

static kw_status mac(struct kw_lab_bench *bench) {
    const struct accessory *lab = bench->state;
    show_mac(bench, &lab->exchange);
    return KW_OK;
}

static kw_status compare_step(struct kw_lab_bench *bench) {
    const struct accessory *lab = bench->state;
    return compare(bench, &lab->exchange);
}

static const struct kw_lab_part STEPS[] = {
    {"identify", "the host reads who the accessory is",
     "The serial number goes into the MAC: an answer counts for one chip.",
     identify},
    {"challenge", "both sides make a random number, and a nonce of the two",
     "Neither alone decides what is asked. The vendor's notebook sends 20 zero "
     "bytes here; then a recorded answer would be good for ever.",
     challenge},
    {"mac", "the accessory makes a MAC over the nonce",
     "In the chip, under the secret in slot 5, which never leaves it.", mac},
    {"compare", "the host makes the same MAC and compares",
     "In constant time: how long it takes must not tell how much was right.",
     compare_step},
};

/* --- the attacks --- */

static kw_status ask_and_compare(const struct kw_lab_bench *bench,
                                 struct kw_chip *chip) {
    struct exchange exchange;
    KW_TRY(ask(bench, chip, &exchange));
    show_random(bench, &exchange);
    show_mac(bench, &exchange);
    return compare(bench, &exchange);
}

static kw_status wrong_accessory(struct kw_lab_bench *bench) {
    struct kw_rehearsal copy;
    KW_TRY(kw_rehearsal_open(bench->chip, &copy, bench->error));
    const kw_status status = ask_and_compare(bench, &copy.chip);
    kw_rehearsal_close(&copy);
    return status;
}

static kw_status replay(struct kw_lab_bench *bench) {
    const struct accessory *lab = bench->state;
    struct exchange exchange = lab->exchange;
    KW_TRY(make_num_in(bench, &exchange));
    show_random(bench, &exchange);
    show_mac(bench, &exchange);
    return compare(bench, &exchange);
}

static const struct kw_lab_part ATTACKS[] = {
    {"wrong-accessory", "a copy of the accessory, without its secret",
     "Serial number and configuration can be read and copied; slot 5 cannot.",
     wrong_accessory},
    {"replay", "the accessory's random number and MAC of the run before",
     "Who listens on the wire has both; the host's part of the nonce is new.",
     replay},
};

const struct kw_lab kw_lab_accessory = {
    .title = "an accessory proves that it holds the host's secret",
    .steps = STEPS,
    .step_count = sizeof STEPS / sizeof *STEPS,
    .attacks = ATTACKS,
    .attack_count = sizeof ATTACKS / sizeof *ATTACKS,
    .state_size = sizeof(struct accessory),
};
