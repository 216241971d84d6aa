/* host/slot_words.h: each slot of a chip in plain words.
 *
 * Who may read, write and use a slot follows from its SlotConfig and
 * KeyConfig, from the locks, and from what other slots and the chip's
 * options do with it; what it holds, from reading it or asking for the
 * public key. Nothing that is secret is asked for.
 * Sources: DS40002138A table 2-1 and section 3 (TrustFLEX), DS40002112B
 * (Trust&GO); the meaning of the bits: docs/chip.md.
 * Knows core/chip.h, host/part.h, host/key.h. */
#ifndef KW_HOST_SLOT_WORDS_H
#define KW_HOST_SLOT_WORDS_H

#include "host/key.h"
#include "host/part.h"

#define KW_WORDS_MAX 256 /* longer ones are cut */

struct kw_slot_words {
    unsigned slot;
    size_t size;         /* bytes */
    const char *kind;    /* "private key", "data", ... */
    const char *purpose; /* on this part */
    char read[KW_WORDS_MAX];
    char write[KW_WORDS_MAX];
    char use[KW_WORDS_MAX];
    bool locked; /* by itself */
    char state[KW_WORDS_MAX];
    bool has_fingerprint; /* of a public key that it holds or stands for */
    char fingerprint[KW_FINGERPRINT_TEXT];
};

/* All but state and fingerprint. */
void kw_slot_policy_words(const struct kw_chip_about *about, unsigned slot,
                          struct kw_slot_words *words);

/* All. A chip that refuses to tell is no failure: the state says so. */
KW_MUST_USE kw_status kw_slot_words_read(struct kw_chip *chip,
                                         const struct kw_chip_about *about,
                                         unsigned slot,
                                         struct kw_slot_words *words,
                                         struct kw_error *error);

#endif
