#include "host/firmware_image.h"

#include <stdlib.h>
#include <string.h>

#include "host/key.h"
#include "host/key_files.h"
#include "host/openssl_hash.h"

#define IMAGE_MAX (16u << 20)

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

kw_status kw_firmware_image_read(const char *path,
                                 struct kw_firmware_image *image,
                                 struct kw_error *error) {
    *image = (struct kw_firmware_image){.path = path};
    KW_TRY(kw_file_read(path, IMAGE_MAX, &image->data, &image->size, error));
    if (image->size > 0) {
        return KW_OK;
    }
    kw_firmware_image_free(image);
    kw_error(error, KW_PARSE, "%s is empty: there is no image to sign", path);
    return kw_error_hint(error, "nothing was changed");
}

void kw_firmware_image_free(struct kw_firmware_image *image) {
    free(image->data);
    *image = (struct kw_firmware_image){.path = NULL};
}

/* --- names --- */

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

/* What no C array may be called, or a file of the generation is called. */
static bool needs_prefix(const char *name) {
    return (name[0] >= '0' && name[0] <= '9') || begins(name, "slot_") ||
           begins(name, "public_key_rotation");
}

/* The last part of a path without its ending, as a C name. */
static char *name_of(const char *path) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    char *name = kw_format("%s%s", needs_prefix(last) ? "image_" : "", last);
    if (name == NULL) {
        return NULL;
    }
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name) {
        *dot = '\0';
    }
    for (char *at = name; *at != '\0'; at++) {
        if (strchr(allowed, *at) == NULL) {
            *at = '_';
        }
    }
    return name;
}

/* --- files --- */

static kw_status save_header(const char *folder, const char *name,
                             const uint8_t *data, size_t size,
                             struct kw_error *error) {
    const struct kw_c_array array = {name, data, size, false};
    char *path = kw_format("%s/%s.h", folder, name);
    const kw_status status = path == NULL
                                 ? no_memory(error)
                                 : kw_c_header_create(path, &array, 1, error);
    free(path);
    return status;
}

static kw_status save(const struct kw_firmware_image *image, const char *folder,
                      const char *name, const uint8_t *signature,
                      const char *file, struct kw_error *error) {
    char *sign_name = kw_format("%s_sign", name);
    kw_status status = sign_name == NULL
                           ? no_memory(error)
                           : kw_file_create(file, KW_SECRET_MODE, signature,
                                            KW_SIGNATURE_SIZE, error);
    if (status == KW_OK) {
        status =
            save_header(folder, sign_name, signature, KW_SIGNATURE_SIZE, error);
    }
    if (status == KW_OK) {
        status = save_header(folder, name, image->data, image->size, error);
    }
    free(sign_name);
    return status;
}

static kw_status sign(const struct kw_firmware_image *image,
                      const char *key_file,
                      uint8_t signature[KW_SIGNATURE_SIZE],
                      struct kw_error *error) {
    struct kw_key *key = NULL;
    uint8_t digest[KW_SHA256_SIZE];
    const kw_status hashed =
        kw_hash_bytes(&kw_openssl_hash, image->data, image->size, digest);
    if (hashed != KW_OK) {
        return kw_error_core(error, hashed, image->path);
    }
    KW_TRY(kw_key_read(key_file, &key, error));
    const kw_status status = kw_key_sign(key, digest, signature, error);
    kw_key_free(key);
    return status;
}

kw_status kw_firmware_image_sign(const struct kw_firmware_image *image,
                                 const char *folder, const char *key_file,
                                 char **file, struct kw_error *error) {
    uint8_t signature[KW_SIGNATURE_SIZE];
    KW_TRY(sign(image, key_file, signature, error));
    char *name = name_of(image->path);
    char *path =
        name == NULL ? NULL : kw_format("%s/%s_sign.bin", folder, name);
    const kw_status status =
        path == NULL ? no_memory(error)
                     : save(image, folder, name, signature, path, error);
    free(name);
    if (status != KW_OK) {
        free(path);
        return status;
    }
    *file = path;
    return KW_OK;
}
