/* host/emulated_chip.h: the workspace's emulated chips.
 *
 * One of the three files of host that know sim. A chip is an image file
 * below chips/; whoever opens it locks it. Knows sim/atecc608, sim/nvm. */
#ifndef KW_HOST_EMULATED_CHIP_H
#define KW_HOST_EMULATED_CHIP_H

#include "core/config.h"
#include "core/message.h"
#include "host/links.h"
#include "host/part.h"
#include "host/workspace.h"

/* What a vendor puts into a chip before it leaves; each NULL or a whole
 * slot's bytes. */
struct kw_provisioning {
    const uint8_t *slot_10;
    const uint8_t *slot_11;
    const uint8_t *slot_12;
};

/* A new chip in memory, not yet in the workspace; part and model are known
 * ones. */
struct kw_new_chip;
KW_MUST_USE kw_status kw_new_chip_make(enum kw_part part, enum kw_model model,
                                       struct kw_new_chip **chip,
                                       struct kw_error *error);
void kw_new_chip_serial(const struct kw_new_chip *chip,
                        uint8_t serial[KW_SERIAL_SIZE]);
/* Public key of the private key in slot 0; KW_NO when there is none. */
KW_MUST_USE kw_status kw_new_chip_public_key(
    const struct kw_new_chip *chip, uint8_t public_key[KW_PUBLIC_KEY_SIZE]);
void kw_new_chip_provision(struct kw_new_chip *chip,
                           const struct kw_provisioning *provisioning);
/* Puts it into chips/NAME.chip. */
KW_MUST_USE kw_status kw_new_chip_save(const struct kw_new_chip *chip,
                                       const struct kw_workspace *workspace,
                                       const char *name,
                                       struct kw_error *error);
void kw_new_chip_free(struct kw_new_chip *chip);

/* True when chips/NAME.chip is there. */
bool kw_emulated_chip_exists(const struct kw_workspace *workspace,
                             const char *name);

/* Opens sim:NAME: through the socket of a running board, else in this
 * process, powered up. KW_ABSENT: no such chip. KW_ABSENT_LOCKED: another
 * process has it; the message names it. */
KW_MUST_USE kw_status
kw_emulated_chip_open(const struct kw_workspace *workspace, const char *name,
                      struct kw_opened_link *opened, struct kw_error *error);

struct kw_sim_chip;    /* sim/atecc608/chip.h */
struct kw_sim_scratch; /* the same */

struct kw_emulated_options {
    /* Answers microseconds for the chip's watchdog; NULL: it never
     * expires. */
    uint64_t (*clock)(void *);
    struct kw_sim_scratch *scratch; /* lent; NULL: the chip's own */
    /* The EEPROM has changed, and kw_emulated_store is to be called before
     * the answer goes out. NULL: the chip stores it itself, at once. */
    void (*changed)(void *self);
    void *self;
};

/* Locks chips/NAME.chip and powers it up in this process, whether a board
 * runs or not: for the board itself. The options may be NULL. */
struct kw_emulated;
KW_MUST_USE kw_status
kw_emulated_power_up(const struct kw_workspace *workspace, const char *name,
                     const struct kw_emulated_options *options,
                     struct kw_emulated **emulated, struct kw_error *error);
/* The same for an image file which the caller keeps others away from, and has
 * flushed since. */
KW_MUST_USE kw_status kw_emulated_image_power_up(
    const char *path, const struct kw_emulated_options *options,
    struct kw_emulated **emulated, struct kw_error *error);
void kw_emulated_power_down(struct kw_emulated *emulated);
struct kw_sim_chip *kw_emulated_sim(struct kw_emulated *emulated);
/* For chips whose options say `changed`: what the EEPROM holds now; NULL
 * without memory. */
struct kw_emulated_content;
struct kw_emulated_content *
kw_emulated_content(const struct kw_emulated *emulated);
void kw_emulated_content_free(struct kw_emulated_content *content);
/* Stores and frees it. Durable when it answers KW_OK; KW_SYSTEM_FILE (errno):
 * stored or not. Parking lets go of the file until the next store. One thread
 * at a time, which need not be the chip's. */
KW_MUST_USE kw_status kw_emulated_store(struct kw_emulated *emulated,
                                        struct kw_emulated_content *content);
void kw_emulated_park(struct kw_emulated *emulated);

/* Copies the image chips/NAME.chip, as it is between two commands, into a
 * new file. KW_ABSENT_LOCKED: a process has the chip. */
KW_MUST_USE kw_status kw_emulated_image_save(
    const struct kw_workspace *workspace, const char *name, const char *path,
    uint8_t serial[KW_SERIAL_SIZE], struct kw_error *error);
/* The serial numbers of an image file, and of chips/NAME.chip. KW_PARSE: it
 * is no image of a chip. */
KW_MUST_USE kw_status kw_emulated_image_serial(const char *path,
                                               uint8_t serial[KW_SERIAL_SIZE],
                                               struct kw_error *error);
KW_MUST_USE kw_status kw_emulated_serial(const struct kw_workspace *workspace,
                                         const char *name,
                                         uint8_t serial[KW_SERIAL_SIZE],
                                         struct kw_error *error);
/* Makes the content of an image file that of chips/NAME.chip, in one commit.
 * KW_ABSENT_LOCKED as above. */
KW_MUST_USE kw_status
kw_emulated_image_load(const struct kw_workspace *workspace, const char *name,
                       const char *path, struct kw_error *error);

/* A copy of a chip, in memory alone: what a rehearsal plays on. Built from
 * what can be read of the original; private keys are new ones, slots that
 * cannot be read stay blank. */
struct kw_chip_reading {
    uint8_t revision[4];
    uint8_t config[KW_CONFIG_SIZE];
    uint8_t slots[KW_SLOT_COUNT][KW_SLOT_MAX]; /* as far as readable */
    bool readable[KW_SLOT_COUNT];
};
KW_MUST_USE kw_status kw_emulated_copy(const struct kw_chip_reading *reading,
                                       struct kw_opened_link *opened,
                                       struct kw_error *error);
/* The same of the whole image chips/NAME.chip, with all that cannot be read,
 * as it is between two commands. Takes no lock: for whoever has the chip
 * open. */
KW_MUST_USE kw_status
kw_emulated_copy_whole(const struct kw_workspace *workspace, const char *name,
                       struct kw_opened_link *opened, struct kw_error *error);

#endif
