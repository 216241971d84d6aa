/* host/chip_snapshot.h: snapshots of emulated chips, below backups/.
 *
 * A snapshot is an image file (docs/formats.md). A real chip keeps its
 * secrets to itself: it has no snapshot and cannot be restored.
 * Knows host/emulated_chip.h. */
#ifndef KW_HOST_CHIP_SNAPSHOT_H
#define KW_HOST_CHIP_SNAPSHOT_H

#include "host/emulated_chip.h"

/* The NAME of sim:NAME. KW_NO_CHIP_TYPE: the link leads elsewhere; the
 * error says why that has no snapshot. */
KW_MUST_USE kw_status kw_snapshot_name(const char *link, const char **name,
                                       struct kw_error *error);

/* Makes backups/NAME-SERIAL-NNNN.chip; the caller frees *file. */
KW_MUST_USE kw_status kw_snapshot_make(const struct kw_workspace *workspace,
                                       const char *name, char **file,
                                       uint8_t serial[KW_SERIAL_SIZE],
                                       struct kw_error *error);

/* May this file be put back into this chip? KW_NO_SERIAL: it is of another
 * chip. */
KW_MUST_USE kw_status kw_snapshot_check(const struct kw_workspace *workspace,
                                        const char *name, const char *file,
                                        struct kw_error *error);

/* Keeps what is there in *kept (the caller frees it), then puts the snapshot
 * back. */
KW_MUST_USE kw_status kw_snapshot_restore(const struct kw_workspace *workspace,
                                          const char *name, const char *file,
                                          char **kept,
                                          uint8_t serial[KW_SERIAL_SIZE],
                                          struct kw_error *error);

#endif
