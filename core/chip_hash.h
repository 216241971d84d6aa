/* core/chip_hash.h: the hash seam of core/hash.h, by the chip's SHA command.
 *
 * For a microcontroller that would rather not carry core/sha256.c: the chip
 * hashes 64 bytes a command, answers the digest and leaves TempKey and
 * MsgDigBuf alone (target "output only").
 * Source: DS40002138A 5.1.8. Knows core/chip.h. */
#ifndef KW_CORE_CHIP_HASH_H
#define KW_CORE_CHIP_HASH_H

#include "core/chip.h"

/* The chip must outlive the hash. Statuses: those of the chip's commands. */
struct kw_hash kw_chip_hash(struct kw_chip *chip);

#endif
