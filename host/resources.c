#include "host/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "host/firmware_image.h"
#include "host/journal.h"
#include "host/key_files.h"
#include "host/openssl_hash.h"
#include "host/public_slot.h"
#include "host/rotation_header.h"

#define IO_KEY_SLOT   6u
#define FIRMWARE_SLOT 15u
#define SECRET_MAX    64
#define LINE_MAX_SIZE 256
#define LAST_LINE     "Key generation - Success"
#define UNTOUCHED     "the chip is as it was"

/* One run. All that it makes is on the disk before the chip is changed: from
 * then on nothing but the chip can stop it. */
struct run {
    const struct kw_resources *resources;
    struct kw_resources_result *result;
    struct kw_rotation_view view;
    struct kw_authority *former; /* invalidates slot 14; NULL: it need not */
    uint8_t secret[KW_SLOT_COUNT][SECRET_MAX];
    struct kw_key_file pair[3]; /* slots 13, 14, 15 */
    char *signed_file;          /* of the firmware; NULL: none */
};

/* --- the table of slots --- */

struct slot_row;
typedef kw_status program_slot(struct run *run, const struct slot_row *row,
                               struct kw_error *error);

static program_slot write_secret;
static program_slot write_encrypted_secret;
static program_slot write_key_pair;

struct slot_row {
    unsigned slot;
    program_slot *program; /* NULL: no action */
    const char *action;    /* for the JSON document */
    size_t secret_size;
    const char *note; /* said before it */
    const char *line;
};

static const char NO_ACTION[] = "none";

/* The order and the lines of the seeds. */
static const struct slot_row ROWS[] = {
    {0, NULL, NO_ACTION, 0, NULL,
     "Slot 0 is a private key slot, no action required"},
    {1, NULL, NO_ACTION, 0, NULL,
     "Slot 1 is a private key slot, no action required"},
    {2, NULL, NO_ACTION, 0, NULL,
     "Slot 2 is a private key slot, no action required"},
    {3, NULL, NO_ACTION, 0, NULL,
     "Slot 3 is a private key slot, no action required"},
    {4, NULL, NO_ACTION, 0, NULL,
     "Slot 4 is a private key slot, no action required"},
    {6, write_secret, "secret", 32, NULL,
     "Slot 6 is a secret key, created slot_6_secret_key.pem and programmed"},
    {5, write_encrypted_secret, "secret", 32,
     "NOTE: While writing symmetric key into secure element it has to be "
     "encrypted with IO protection key. So here, Slot 6 (IO protection key) "
     "is written before slot 5 (Symmetric key)",
     "Slot 5 is a secret key, created slot_5_secret_key.pem and programmed"},
    {7, NULL, NO_ACTION, 0, NULL,
     "Slot 7 is a secureboot digest slot, slot can only be written through "
     "secureboot command"},
    {8, NULL, NO_ACTION, 0, NULL,
     "Slot 8 is a general purpose slot of size 416 bytes, no action required"},
    {9, write_secret, "secret", 64, NULL,
     "Slot 9 is a secret key, created slot_9_secret_key.pem and programmed"},
    {10, NULL, NO_ACTION, 0, NULL,
     "Slot 10 is a certificate slot, no action required now, will be updated "
     "as part of Generate Certificates"},
    {11, NULL, NO_ACTION, 0, NULL,
     "Slot 11 is a certificate slot, no action required now, will be updated "
     "as part of Generate Certificates"},
    {12, NULL, NO_ACTION, 0, NULL,
     "Slot 12 is a certificate slot, no action required now, will be updated "
     "as part of Generate Certificates"},
    {13, write_key_pair, "key-pair", 0, NULL,
     "Slot 13 is a public key slot, created slot_13_ecc_key_pair.pem and "
     "programmed"},
    {14, write_key_pair, "key-pair", 0, NULL,
     "Slot 14 is a public key slot, created slot_14_ecc_key_pair.pem and "
     "programmed"},
    {15, write_key_pair, "key-pair", 0, NULL,
     "Slot 15 is a public key slot, created slot_15_ecc_key_pair.pem and "
     "programmed"},
};
#define ROW_COUNT (sizeof ROWS / sizeof *ROWS)

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static void say(const struct kw_resources *resources, const char *line) {
    if (resources->say != NULL) {
        resources->say(resources->observer, line);
    }
}

/* Once the chip is being changed the way out is forward: with some slots new
 * and some old it is of no use. */
static kw_status half_done(const struct run *run, struct kw_error *error) {
    return kw_error_hint(
        error,
        "%sthe new keys are kept in %s; mend the cause and run `keywright "
        "resources make` again: it makes new ones for every slot",
        run->view.state.validated ? "slot 14 may be invalidated already; " : "",
        run->result->folder);
}

static kw_status slot_failed(const struct run *run, kw_status status,
                             unsigned slot, struct kw_error *error) {
    char doing[64];
    (void)snprintf(doing, sizeof doing, "cannot program slot %u", slot);
    kw_error_chip(error, status, run->resources->chip, doing);
    return half_done(run, error);
}

/* --- secrets --- */

static kw_status save_secret(const struct run *run, unsigned slot,
                             const uint8_t *key, size_t size,
                             struct kw_error *error) {
    char *name = kw_format("slot_%u_secret_key", slot);
    char *pem =
        kw_format("%s/slot_%u_secret_key.pem", run->result->folder, slot);
    char *header =
        kw_format("%s/slot_%u_secret_key.h", run->result->folder, slot);
    const struct kw_c_array array = {name, key, size, false};
    kw_status status = name == NULL || pem == NULL || header == NULL
                           ? no_memory(error)
                           : kw_symmetric_key_create(pem, key, size, error);
    if (status == KW_OK) {
        status = kw_c_header_create(header, &array, 1, error);
    }
    free(name);
    free(pem);
    free(header);
    return status;
}

static kw_status make_secret(struct run *run, const struct slot_row *row,
                             struct kw_error *error) {
    uint8_t *key = run->secret[row->slot];
    KW_TRY(kw_random(key, row->secret_size, error));
    return save_secret(run, row->slot, key, row->secret_size, error);
}

static kw_status write_secret(struct run *run, const struct slot_row *row,
                              struct kw_error *error) {
    const kw_status status =
        kw_chip_write_slot(run->resources->chip, row->slot,
                           run->secret[row->slot], row->secret_size);
    return status == KW_OK ? KW_OK : slot_failed(run, status, row->slot, error);
}

static kw_status write_encrypted_secret(struct run *run,
                                        const struct slot_row *row,
                                        struct kw_error *error) {
    uint8_t num_in[KW_NUM_IN_SIZE];
    KW_TRY(kw_random(num_in, sizeof num_in, error));
    const struct kw_encrypted_write write = {
        .slot = row->slot,
        .key_slot = IO_KEY_SLOT,
        .key = run->secret[IO_KEY_SLOT],
        .plain = run->secret[row->slot],
        .serial = run->result->serial,
        .num_in = num_in,
    };
    const kw_status status =
        kw_chip_write_encrypted(run->resources->chip, &kw_openssl_hash, &write);
    return status == KW_OK ? KW_OK : slot_failed(run, status, row->slot, error);
}

/* --- key pairs --- */

static struct kw_key_file *pair_of(struct run *run, unsigned slot) {
    return &run->pair[slot - KW_AUTHORITY_SLOT];
}

static kw_status save_pair(struct run *run, unsigned slot,
                           struct kw_error *error) {
    struct kw_key_file *pair = pair_of(run, slot);
    struct kw_key *key = NULL;
    KW_TRY(kw_key_make(&key, error));
    kw_key_public(key, pair->public_key);
    pair->path =
        kw_format("%s/slot_%u_ecc_key_pair.pem", run->result->folder, slot);
    const kw_status status = pair->path == NULL
                                 ? no_memory(error)
                                 : kw_key_write(key, pair->path, error);
    kw_key_free(key);
    return status;
}

/* The header for the vendor's firmware. No key is validated then: its
 * invalidate pair is for the new key. */
static kw_status save_header(struct run *run, struct kw_error *error) {
    struct kw_authority *authority = NULL;
    const struct kw_key_file *pair = pair_of(run, KW_ROTATING_SLOT);
    char *path = kw_format("%s/public_key_rotation.h", run->result->folder);
    if (path == NULL) {
        return no_memory(error);
    }
    kw_status status = kw_authority_open(pair_of(run, KW_AUTHORITY_SLOT)->path,
                                         &authority, error);
    if (status == KW_OK) {
        const struct kw_header_about about = {
            .authority = authority,
            .config = run->view.state.config,
            .new_key = pair->public_key,
            .new_key_file = pair->path,
            .invalidates = pair->public_key,
        };
        status = kw_vendor_header_create(run->resources->workspace, path,
                                         &about, error);
    }
    kw_authority_close(authority);
    free(path);
    return status;
}

/* Slot 13 had lost the authority that validated slot 14; now it holds the new
 * one, and the chip asks for no more. */
static kw_status leave_with_new(struct run *run, struct kw_error *error) {
    struct kw_authority *authority = NULL;
    KW_TRY(kw_authority_open(pair_of(run, KW_AUTHORITY_SLOT)->path, &authority,
                             error));
    const kw_status status =
        kw_public_slot_invalidate(run->resources->chip, run->view.state.config,
                                  run->view.key, authority, error);
    kw_authority_close(authority);
    if (status != KW_OK) {
        return half_done(run, error);
    }
    say(run->resources, "Slot 14 was validated under an authority that slot 13 "
                        "lost, invalidated it with the new one");
    return KW_OK;
}

static kw_status write_key_pair(struct run *run, const struct slot_row *row,
                                struct kw_error *error) {
    const bool authority_is_lost =
        run->view.state.validated && !run->view.has_authority;
    if (row->slot == KW_ROTATING_SLOT && authority_is_lost) {
        KW_TRY(leave_with_new(run, error));
    }
    const kw_status status = kw_public_slot_write(
        run->resources->chip, row->slot, pair_of(run, row->slot)->public_key);
    return status == KW_OK ? KW_OK : slot_failed(run, status, row->slot, error);
}

/* --- before the first change --- */

static kw_status check_locks(const struct run *run, struct kw_error *error) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const unsigned slot = ROWS[i].slot;
        if (ROWS[i].program != NULL &&
            kw_config_slot_is_locked(run->view.state.config, slot)) {
            kw_error(error, KW_NO,
                     "slot %u is locked for ever; its key can't be made anew",
                     slot);
            return kw_error_hint(error, "use another chip; for slot 13 that "
                                        "is what `rotate lock-authority` is "
                                        "for");
        }
    }
    return KW_OK;
}

static kw_status check_journal(const struct run *run, struct kw_error *error) {
    struct kw_journal journal;
    KW_TRY(kw_journal_find(run->resources->workspace, run->view.state.serial,
                           &journal, error));
    const bool is_open = journal.path != NULL;
    kw_journal_free(&journal);
    if (is_open) {
        kw_error(error, KW_NO, "a rotation of this chip is not finished");
        return kw_error_hint(error, "run `keywright rotate resume` or `rotate "
                                    "rollback` first");
    }
    return KW_OK;
}

/* A validated slot 14 can't be written. The authority that slot 13 holds now
 * invalidates it before that is replaced: a run that is cut short then leaves
 * nothing behind that only a new authority could undo. When slot 13 holds
 * none, the new one does it (leave_with_new). */
static kw_status find_former(struct run *run, struct kw_error *error) {
    const struct kw_rotation rotation = {
        .workspace = run->resources->workspace,
        .chip = run->resources->chip,
        .authority = run->resources->authority,
    };
    if (!run->view.state.validated || !run->view.has_authority) {
        return KW_OK;
    }
    const kw_status status = kw_rotation_authority(
        &rotation, run->view.authority, &run->former, error);
    if (status == KW_NO && rotation.authority == NULL) {
        return kw_error_hint(error, "name its key with --authority FILE; if "
                                    "nobody has that key any more, `keywright "
                                    "rotate set-authority` puts another "
                                    "authority into slot 13 first");
    }
    return status;
}

static kw_status leave_old_key(const struct run *run, struct kw_error *error) {
    if (run->former == NULL) {
        return KW_OK;
    }
    const kw_status status =
        kw_public_slot_invalidate(run->resources->chip, run->view.state.config,
                                  run->view.key, run->former, error);
    if (status != KW_OK) {
        return half_done(run, error);
    }
    say(run->resources, "Slot 14 was validated under the authority of before, "
                        "invalidated it with that authority");
    return KW_OK;
}

static kw_status check_first(struct run *run, struct kw_error *error) {
    const struct kw_rotation rotation = {
        .workspace = run->resources->workspace,
        .chip = run->resources->chip,
    };
    KW_TRY(kw_rotation_look(&rotation, &run->view, error));
    KW_TRY(check_locks(run, error));
    KW_TRY(check_journal(run, error));
    return find_former(run, error);
}

/* --- the run --- */

static void note(struct run *run, const struct slot_row *row) {
    if (row->note != NULL) {
        say(run->resources, "");
        say(run->resources, row->note);
        say(run->resources, "");
    }
}

static kw_status program_all(struct run *run, struct kw_error *error) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        note(run, &ROWS[i]);
        if (ROWS[i].program != NULL) {
            KW_TRY(ROWS[i].program(run, &ROWS[i], error));
        }
        kw_chip_idle(run->resources->chip);
        say(run->resources, ROWS[i].line);
        json_array_append_new(run->result->slots,
                              json_pack("{s:i, s:s, s:s}", "slot",
                                        (int)ROWS[i].slot, "action",
                                        ROWS[i].action, "line", ROWS[i].line));
    }
    return KW_OK;
}

static kw_status make_keys(struct run *run, struct kw_error *error) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct slot_row *row = &ROWS[i];
        if (row->secret_size > 0) {
            KW_TRY(make_secret(run, row, error));
        } else if (row->program != NULL) {
            KW_TRY(save_pair(run, row->slot, error));
        }
    }
    return save_header(run, error);
}

static kw_status make_files(struct run *run,
                            const struct kw_firmware_image *image,
                            struct kw_error *error) {
    KW_TRY(make_keys(run, error));
    return image->data == NULL
               ? KW_OK
               : kw_firmware_image_sign(image, run->result->folder,
                                        pair_of(run, FIRMWARE_SLOT)->path,
                                        &run->signed_file, error);
}

static void say_signed(const struct run *run) {
    char *line = kw_format("Signed %s with the key of slot 15: %s",
                           run->resources->firmware, run->signed_file);
    if (line != NULL) {
        say(run->resources, line);
    }
    free(line);
}

static kw_status program(struct run *run, struct kw_error *error) {
    KW_TRY(leave_old_key(run, error));
    KW_TRY(program_all(run, error));
    const kw_status status =
        kw_generation_set_programmed(run->result->folder, error);
    if (status != KW_OK) {
        return kw_error_hint(error,
                             "every key is in the chip, but that could not be "
                             "noted in %s",
                             run->result->folder);
    }
    if (run->signed_file != NULL) {
        say_signed(run);
    }
    say(run->resources, LAST_LINE);
    return KW_OK;
}

static kw_status make_all(struct run *run,
                          const struct kw_firmware_image *image,
                          struct kw_error *error) {
    KW_TRY(check_first(run, error));
    memcpy(run->result->serial, run->view.state.serial, KW_SERIAL_SIZE);
    kw_status status = kw_keyring_new_generation(
        run->resources->workspace, run->result->serial,
        &run->result->generation, &run->result->folder, error);
    if (status != KW_OK) {
        kw_error_also(error, UNTOUCHED);
        return status;
    }
    status = make_files(run, image, error);
    if (status != KW_OK) {
        kw_generation_discard(run->result->folder);
        kw_error_also(error, UNTOUCHED);
        return status;
    }
    return program(run, error);
}

kw_status kw_resources_make(const struct kw_resources *resources,
                            struct kw_resources_result *result,
                            struct kw_error *error) {
    struct run run = {.resources = resources, .result = result};
    struct kw_firmware_image image = {.path = NULL};
    *result = (struct kw_resources_result){.slots = json_array()};
    if (resources->firmware != NULL) {
        KW_TRY(kw_firmware_image_read(resources->firmware, &image, error));
    }
    const kw_status status = make_all(&run, &image, error);
    for (unsigned i = 0; i < 3; i++) {
        kw_key_file_free(&run.pair[i]);
    }
    kw_authority_close(run.former);
    free(run.signed_file);
    kw_wipe(&run, sizeof run);
    kw_firmware_image_free(&image);
    return status;
}

kw_status kw_resources_check(const struct kw_resources *resources,
                             struct kw_rotation_view *view,
                             struct kw_error *error) {
    struct run run = {.resources = resources};
    const kw_status status = check_first(&run, error);
    kw_authority_close(run.former);
    *view = run.view;
    return status;
}

void kw_resources_result_free(struct kw_resources_result *result) {
    free(result->folder);
    json_decref(result->slots);
    *result = (struct kw_resources_result){.folder = NULL};
}
