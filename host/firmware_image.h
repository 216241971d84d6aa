/* host/firmware_image.h: a user's image, signed for secure boot.
 *
 * NAME_sign.bin, NAME_sign.h and NAME.h of docs/formats.md, "Key files".
 * Knows host/key.h and host/key_files.h. */
#ifndef KW_HOST_FIRMWARE_IMAGE_H
#define KW_HOST_FIRMWARE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "host/error.h"

struct kw_firmware_image {
    const char *path;
    uint8_t *data;
    size_t size;
};

/* KW_PARSE: it is empty. */
KW_MUST_USE kw_status kw_firmware_image_read(const char *path,
                                             struct kw_firmware_image *image,
                                             struct kw_error *error);
void kw_firmware_image_free(struct kw_firmware_image *image);

/* Writes the three files into the folder; *file, which the caller frees, is
 * the one with the signature. */
KW_MUST_USE kw_status kw_firmware_image_sign(
    const struct kw_firmware_image *image, const char *folder,
    const char *key_file, char **file, struct kw_error *error);

#endif
