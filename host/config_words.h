/* host/config_words.h: the 128 bytes of a configuration zone in words.
 *
 * Sources: DS40002138A table 2-3 and section 3; the bits of SlotConfig and
 * KeyConfig, and how sure each is: docs/chip.md. UseLock, KdfIvLoc and
 * CountMatch are known from the vendor's library alone (low confidence).
 * Knows core/config.h. */
#ifndef KW_HOST_CONFIG_WORDS_H
#define KW_HOST_CONFIG_WORDS_H

#include "core/config.h"

#define KW_FIELD_WORDS      160
#define KW_CONFIG_FIELDS    32 /* more than there are */
#define KW_SLOT_LINES       16 /* more than there are */
#define KW_SLOT_LINE_LENGTH 120

struct kw_config_field {
    unsigned offset;
    unsigned size;
    const char *name;
    char words[KW_FIELD_WORDS];
};

/* All fields but those of the slots; answers how many. */
size_t kw_config_fields(const uint8_t config[KW_CONFIG_SIZE],
                        struct kw_config_field fields[KW_CONFIG_FIELDS]);

/* What SlotConfig and KeyConfig of a slot say, a line a bit or field;
 * answers how many lines. */
struct kw_slot_lines {
    char line[KW_SLOT_LINES][KW_SLOT_LINE_LENGTH];
    size_t count;
};
void kw_config_slot_lines(const uint8_t config[KW_CONFIG_SIZE], unsigned slot,
                          struct kw_slot_lines *lines);

#endif
