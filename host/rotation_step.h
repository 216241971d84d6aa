/* host/rotation_step.h: what core tells while it rotates, in words.
 *
 * Shared by applying a bundle and by going back. Knows
 * host/rotation_view.h and host/envelope.h. */
#ifndef KW_HOST_ROTATION_STEP_H
#define KW_HOST_ROTATION_STEP_H

#include "host/envelope.h"
#include "host/rotation_view.h"

/* What core tells while it works. */
struct kw_rotation_progress {
    const struct kw_rotation *rotation;
    bool touched;  /* the slot was changed */
    bool restored; /* and changed back */
};

/* For struct kw_rotate: the observer is a struct kw_rotation_progress. */
void kw_rotation_on_step(void *observer, enum kw_rotate_step step);

/* A failure of core/rotate.h in words, with what to do next. Answers the
 * status. */
kw_status kw_rotation_failed(const struct kw_rotation *rotation,
                             const struct kw_rotation_progress *progress,
                             kw_status status, struct kw_error *error);

/* A bundle file that was read. The bundle points into the envelope: not to
 * be copied. */
struct kw_bundle_file {
    struct kw_envelope envelope;
    struct kw_bundle bundle;
};
KW_MUST_USE kw_status kw_bundle_file_read(const char *path,
                                          struct kw_bundle_file *file,
                                          struct kw_error *error);

/* What core needs to rotate by this bundle; tells the progress, unless it is
 * NULL. */
struct kw_rotate kw_rotation_core(const struct kw_rotation *rotation,
                                  const struct kw_bundle_file *file,
                                  struct kw_rotation_progress *progress);

#endif
