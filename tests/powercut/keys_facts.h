/* tests/powercut/keys_facts.h: what a chip and a disk hold of keys, and
 * whether the one can be explained by the other.
 *
 * The image of the emulated chip is read itself, for secrets do not come out
 * of a chip. Knows host/keyring.h and sim/atecc608/chip.h. */
#ifndef KW_TESTS_POWERCUT_KEYS_FACTS_H
#define KW_TESTS_POWERCUT_KEYS_FACTS_H

#include "host/keyring.h"
#include "sim/atecc608/chip.h"

struct kw_cut_image {
    struct kw_sim_eeprom eeprom;
};

/* Of sim:trustflex. */
bool kw_cut_read_image(const char *workspace, struct kw_cut_image *image);
const uint8_t *kw_cut_slot(const struct kw_cut_image *image, unsigned slot);
bool kw_cut_is_filled(const uint8_t *bytes, size_t size, uint8_t value);
bool kw_cut_is_validated(const struct kw_cut_image *image);

bool kw_cut_open_keys(const char *folder, struct kw_workspace *workspace,
                      struct kw_key_files *files);
const struct kw_key_file *kw_cut_newest(const struct kw_key_files *files,
                                        unsigned slot);
size_t kw_cut_count_files(const char *workspace, const char *pattern);

/* What must hold at any moment: each block of slots 13, 14 and 15, and slots
 * 5 and 6, are of keys that are on disk, zeros or FF; a validated slot 14 has
 * its authority. NULL: it holds. */
const char *kw_cut_explain_slots(const struct kw_key_files *files,
                                 const struct kw_cut_image *image);

/* A key of a generation that is marked as programmed is in the chip, unless
 * there is a newer one: by that mark `keys retire` goes. NULL: so it is. */
const char *kw_cut_check_marks(const struct kw_key_files *files,
                               const struct kw_cut_image *image);

/* Whether the slot holds the newest key of the disk. */
bool kw_cut_holds_newest(const struct kw_key_files *files,
                         const struct kw_cut_image *image, unsigned slot);
/* Which of slots 5, 6, 13, 14, 15 does not; NULL: all do. */
const char *kw_cut_not_newest(const struct kw_key_files *files,
                              const struct kw_cut_image *image);

#endif
