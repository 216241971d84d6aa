/* host/resources.h: prototype keys for the slots of a TrustFLEX chip.
 *
 * In the vendor's order and with its lines (seeds; docs/cli.md, "resources
 * make"); every file before the first slot, and nothing overwritten. Knows
 * host/rotation.h and below. */
#ifndef KW_HOST_RESOURCES_H
#define KW_HOST_RESOURCES_H

#include <jansson.h>

#include "host/rotation.h"

struct kw_resources {
    struct kw_workspace *workspace;
    struct kw_chip *chip;
    const char *authority; /* of a validated slot 14; NULL: found in keys/ */
    const char *firmware;  /* an image to sign with slot 15's key, or NULL */
    void (*say)(void *observer, const char *line);
    void *observer;
};

struct kw_resources_result {
    uint8_t serial[KW_SERIAL_SIZE];
    unsigned generation;
    char *folder;  /* freed by kw_resources_result_free */
    json_t *slots; /* [{slot, action, line}]; freed likewise */
};

/* What would be refused before anything is changed, and the chip as it is now,
 * for whoever asks before it is changed. */
KW_MUST_USE kw_status kw_resources_check(const struct kw_resources *resources,
                                         struct kw_rotation_view *view,
                                         struct kw_error *error);

/* KW_PARSE: the image is empty. KW_NO, before anything is changed: no
 * private key for slot 13, which a validated slot 14 needs. */
KW_MUST_USE kw_status kw_resources_make(const struct kw_resources *resources,
                                        struct kw_resources_result *result,
                                        struct kw_error *error);
void kw_resources_result_free(struct kw_resources_result *result);

#endif
