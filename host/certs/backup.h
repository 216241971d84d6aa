/* host/certs/backup.h: slots 10, 11 and 12, kept byte for byte.
 *
 * backups/certs-SERIAL-NNNN.bin: three times 72 bytes, as they are in the
 * chip, whose they are, and a checksum (docs/formats.md, "Backup of
 * certificate slots"). The first one of a chip is what its vendor delivered.
 * Knows host/certs/chain.h. */
#ifndef KW_HOST_CERTS_BACKUP_H
#define KW_HOST_CERTS_BACKUP_H

#include "host/certs/chain.h"

/* Where a backup is, and whether it was there before. */
struct kw_cert_backup {
    char *file; /* the owner frees it */
    bool reused;
};

/* Where kw_certs_backup below would put them without an `output`; writes
 * nothing. */
KW_MUST_USE kw_status kw_certs_backup_place(
    const struct kw_workspace *workspace, const struct kw_chip_certs *certs,
    struct kw_cert_backup *backup, struct kw_error *error);

/* `output` NULL: a new file below backups/, unless one holds the same. */
KW_MUST_USE kw_status kw_certs_backup(const struct kw_workspace *workspace,
                                      const struct kw_chip_certs *certs,
                                      const char *output,
                                      struct kw_cert_backup *backup,
                                      struct kw_error *error);

/* The chip's first backup; the caller frees. KW_NO: there is none. */
KW_MUST_USE kw_status kw_certs_first_backup(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    char **file, struct kw_error *error);

/* KW_NO_SERIAL: it is of another chip than `serial`. KW_PARSE_SIZE,
 * KW_PARSE: it is none, or damaged. */
KW_MUST_USE kw_status kw_certs_backup_read(const char *file,
                                           const uint8_t serial[KW_SERIAL_SIZE],
                                           struct kw_cert_slots *slots,
                                           struct kw_error *error);

/* KW_NO: a slot that must change cannot be written, and which. */
KW_MUST_USE kw_status kw_cert_slots_check(const struct kw_chip_certs *certs,
                                          const struct kw_cert_slots *slots,
                                          struct kw_error *error);
/* Writes the slots that differ, the signer first, reads them back and
 * updates `certs`. KW_CHIP_READ_BACK: one holds other bytes then. Not whole
 * against a cut: host/certs/change.h is. */
KW_MUST_USE kw_status kw_cert_slots_write(struct kw_chip *chip,
                                          struct kw_chip_certs *certs,
                                          const struct kw_cert_slots *slots,
                                          struct kw_error *error);

#endif
