/* host/chip_explain.h: what a configuration permits, and why.
 *
 * Derived from the 128 bytes alone; what depends on the chip's volatile
 * state is named as a condition.
 * Sources and confidence of each rule: docs/chip.md. Knows core/chip.h. */
#ifndef KW_HOST_CHIP_EXPLAIN_H
#define KW_HOST_CHIP_EXPLAIN_H

#include "core/chip.h"

#define KW_WHY_MAX 320

enum kw_permitted { KW_PERMITTED_NO, KW_PERMITTED_IF, KW_PERMITTED_YES };

struct kw_permission {
    const char *command; /* "Sign (external)" */
    enum kw_permitted permitted;
    char why[KW_WHY_MAX];
};

#define KW_PERMISSIONS_MAX 24 /* more than there are */

/* What is permitted for a slot in the lock state that config says; answers
 * how many rows. */
size_t kw_explain_slot(const uint8_t config[KW_CONFIG_SIZE], unsigned slot,
                       struct kw_permission permissions[KW_PERMISSIONS_MAX]);

/* "yes", "no", "if". */
const char *kw_permitted_name(enum kw_permitted permitted);

/* The same for the use that a command asks for; false when it uses no slot.
 * *slot may be 16 or more: there is no such slot then, and only the name of
 * the permission is filled. The command's bytes are not looked at. */
bool kw_explain_command(const uint8_t config[KW_CONFIG_SIZE],
                        const struct kw_command *command, unsigned *slot,
                        struct kw_permission *permission);

#endif
