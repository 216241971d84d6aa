#include "host/certs/backup.h"

#include <stdlib.h>
#include <string.h>

#include "host/files.h"
#include "host/openssl_hash.h"
#include "host/text.h"

#define NUMBER_MAX 9999u

/* As in a file; all of it bytes, so there is no padding. */
struct stored {
    struct kw_cert_slots slots;
    uint8_t serial[KW_SERIAL_SIZE];
    uint8_t checksum[KW_SHA256_SIZE]; /* SHA-256 of what is before it */
};

/* --- files --- */

static char *backup_path(const struct kw_workspace *workspace,
                         const uint8_t serial[KW_SERIAL_SIZE],
                         unsigned number) {
    char digits[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(serial, KW_SERIAL_SIZE, digits);
    return kw_workspace_path(workspace, "backups/certs-%s-%04u.bin", digits,
                             number);
}

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

static kw_status checksum_of(const struct stored *stored,
                             uint8_t checksum[KW_SHA256_SIZE]) {
    return kw_hash_bytes(&kw_openssl_hash, stored,
                         offsetof(struct stored, checksum), checksum);
}

static kw_status read_stored(const char *file, struct stored *stored,
                             struct kw_error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    KW_TRY(kw_file_read(file, sizeof *stored, &data, &size, error));
    if (size == sizeof *stored) {
        memcpy(stored, data, size);
    }
    free(data);
    return size == sizeof *stored
               ? KW_OK
               : kw_error(error, KW_PARSE_SIZE,
                          "%s is no backup of slots 10, 11 and 12: it has "
                          "%zu bytes, not %zu",
                          file, size, sizeof *stored);
}

static kw_status another_chip(const char *file, const uint8_t *serial,
                              struct kw_error *error) {
    char digits[2 * KW_SERIAL_SIZE + 1];
    kw_hex_upper(serial, KW_SERIAL_SIZE, digits);
    kw_error(error, KW_NO_SERIAL,
             "%s is a backup of the chip %s, not of this one", file, digits);
    return kw_error_hint(error, "a device certificate is for the key of one "
                                "chip: in another it proves nothing");
}

kw_status kw_certs_backup_read(const char *file,
                               const uint8_t serial[KW_SERIAL_SIZE],
                               struct kw_cert_slots *slots,
                               struct kw_error *error) {
    struct stored stored;
    uint8_t checksum[KW_SHA256_SIZE];
    KW_TRY(read_stored(file, &stored, error));
    if (checksum_of(&stored, checksum) != KW_OK ||
        memcmp(checksum, stored.checksum, sizeof checksum) != 0) {
        return kw_error(error, KW_PARSE,
                        "%s is damaged: its checksum does not fit", file);
    }
    if (memcmp(stored.serial, serial, KW_SERIAL_SIZE) != 0) {
        return another_chip(file, stored.serial, error);
    }
    *slots = stored.slots;
    return KW_OK;
}

static bool holds(const char *file, const struct kw_chip_certs *certs) {
    struct kw_cert_slots there;
    struct kw_error ignored;
    return kw_certs_backup_read(file, certs->about.serial, &there, &ignored) ==
               KW_OK &&
           memcmp(&there, &certs->slots, sizeof there) == 0;
}

static kw_status write_stored(const char *file,
                              const struct kw_chip_certs *certs,
                              struct kw_error *error) {
    struct stored stored = {.slots = certs->slots};
    memcpy(stored.serial, certs->about.serial, sizeof stored.serial);
    KW_TRY(checksum_of(&stored, stored.checksum));
    return kw_file_create(file, KW_PUBLIC_MODE, &stored, sizeof stored, error);
}

/* The first file that is not there, or that holds the slots. */
kw_status kw_certs_backup_place(const struct kw_workspace *workspace,
                                const struct kw_chip_certs *certs,
                                struct kw_cert_backup *backup,
                                struct kw_error *error) {
    for (unsigned number = 1; number <= NUMBER_MAX; number++) {
        char *file = backup_path(workspace, certs->about.serial, number);
        if (file == NULL) {
            return no_memory(error);
        }
        const bool there = kw_file_exists(file);
        if (!there || holds(file, certs)) {
            *backup = (struct kw_cert_backup){file, there};
            return KW_OK;
        }
        free(file);
    }
    return kw_error(error, KW_SYSTEM_FILE, "backups/ is full");
}

static kw_status choose_output(const char *output,
                               struct kw_cert_backup *backup,
                               struct kw_error *error) {
    *backup = (struct kw_cert_backup){strdup(output), false};
    return backup->file == NULL ? no_memory(error) : KW_OK;
}

kw_status kw_certs_backup(const struct kw_workspace *workspace,
                          const struct kw_chip_certs *certs, const char *output,
                          struct kw_cert_backup *backup,
                          struct kw_error *error) {
    struct kw_cert_backup made = {NULL, false};
    KW_TRY(output == NULL
               ? kw_certs_backup_place(workspace, certs, &made, error)
               : choose_output(output, &made, error));
    const kw_status status =
        made.reused ? KW_OK : write_stored(made.file, certs, error);
    if (status != KW_OK) {
        free(made.file);
        return status;
    }
    *backup = made;
    return KW_OK;
}

kw_status kw_certs_first_backup(const struct kw_workspace *workspace,
                                const uint8_t serial[KW_SERIAL_SIZE],
                                char **file, struct kw_error *error) {
    char *path = backup_path(workspace, serial, 1);
    if (path == NULL) {
        return no_memory(error);
    }
    if (!kw_file_exists(path)) {
        free(path);
        kw_error(error, KW_NO, "backups/ holds no backup of this chip");
        return kw_error_hint(error, "name one with --backup FILE");
    }
    *file = path;
    return KW_OK;
}

/* --- slots --- */

kw_status kw_cert_slots_check(const struct kw_chip_certs *certs,
                              const struct kw_cert_slots *slots,
                              struct kw_error *error) {
    const uint8_t *config = certs->about.config;
    for (unsigned i = 0; i < KW_CERT_SLOTS; i++) {
        const unsigned slot = KW_CERT_FIRST_SLOT + i;
        const bool same =
            slots != NULL &&
            memcmp(certs->slots.slot[i], slots->slot[i], KW_COMPCERT_SIZE) == 0;
        const bool open = kw_slot_write_rule(kw_config_slot(config, slot)) ==
                              KW_WRITE_ALWAYS &&
                          !kw_config_slot_is_locked(config, slot);
        if (!same && !open) {
            kw_error(error, KW_NO,
                     "slot %u cannot be written: it is locked, or its "
                     "configuration forbids it",
                     slot);
            return kw_error_hint(error, "such a chip keeps the certificates "
                                        "that it has");
        }
    }
    return KW_OK;
}

static kw_status write_slot(struct kw_chip *chip, struct kw_chip_certs *certs,
                            const struct kw_cert_slots *slots, unsigned i) {
    const unsigned slot = KW_CERT_FIRST_SLOT + i;
    uint8_t *there = certs->slots.slot[i];
    if (memcmp(there, slots->slot[i], KW_COMPCERT_SIZE) == 0) {
        return KW_OK;
    }
    KW_TRY(kw_chip_write_slot(chip, slot, slots->slot[i], KW_COMPCERT_SIZE));
    KW_TRY(kw_chip_read_slot(chip, slot, there, KW_COMPCERT_SIZE));
    return memcmp(there, slots->slot[i], KW_COMPCERT_SIZE) == 0
               ? KW_OK
               : KW_CHIP_READ_BACK;
}

kw_status kw_cert_slots_write(struct kw_chip *chip, struct kw_chip_certs *certs,
                              const struct kw_cert_slots *slots,
                              struct kw_error *error) {
    static const unsigned ORDER[KW_CERT_SLOTS] = {2, 1, 0};
    KW_ENSURE(slots != NULL, KW_USAGE);
    KW_TRY(kw_cert_slots_check(certs, slots, error));
    for (unsigned i = 0; i < KW_CERT_SLOTS; i++) {
        const kw_status status = write_slot(chip, certs, slots, ORDER[i]);
        if (status != KW_OK) {
            kw_error_chip(error, status, chip,
                          "cannot write the certificate slots");
            return kw_error_hint(error, "`keywright certs resume` finishes it, "
                                        "`certs resume --old` takes it back");
        }
        kw_chip_idle(chip);
    }
    return KW_OK;
}
