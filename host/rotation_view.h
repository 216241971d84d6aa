/* host/rotation_view.h: the chip as a rotation sees it.
 *
 * Also what every module of a rotation is given: workspace, chip, authority
 * and whom to tell. Knows host/keyring.h and core/rotate.h. */
#ifndef KW_HOST_ROTATION_VIEW_H
#define KW_HOST_ROTATION_VIEW_H

#include "core/rotate.h"
#include "host/error.h"
#include "host/keyring.h"
#include "host/workspace.h"

struct kw_rotation {
    struct kw_workspace *workspace;
    struct kw_chip *chip;
    const char *authority;      /* --authority, or NULL: found in keys/ */
    const char *accept_old_key; /* --accept-old-key, or NULL */
    /* Told the lines of the seeds' log as things happen; may be NULL. */
    void (*say)(void *observer, const char *line);
    void *observer;
};

void kw_rotation_say(const struct kw_rotation *rotation, const char *line);

struct kw_rotation_view {
    struct kw_rotate_state state;
    bool has_key; /* slot 14 holds one */
    uint8_t key[KW_PUBLIC_KEY_SIZE];
    bool has_authority; /* slot 13 holds a P-256 key */
    uint8_t authority[KW_PUBLIC_KEY_SIZE];
    bool authority_locked;
    bool authority_is_blank; /* false beside no key: it holds other bytes */
    struct kw_generation resources; /* what `resources make` made for it */
};

/* A `resources make` of this chip was interrupted. */
bool kw_rotation_view_is_unfinished(const struct kw_rotation_view *view);

/* Reads the chip; KW_NO_CHIP_TYPE: its slot 14 is no rotating key. */
KW_MUST_USE kw_status kw_rotation_look(const struct kw_rotation *rotation,
                                       struct kw_rotation_view *view,
                                       struct kw_error *error);

/* KW_NO with what to run first when slot 13 holds no P-256 key. */
KW_MUST_USE kw_status kw_rotation_need_authority(
    const struct kw_rotation_view *view, struct kw_error *error);

#endif
