/* host/keyring.h: the generations of key files below keys/.
 *
 * A generation is a folder keys/SERIAL/prototype-NNNN; files in it have the
 * vendor's names (docs/formats.md, "Key files"). Nothing here overwrites.
 * Knows host/key.h and host/workspace.h. */
#ifndef KW_HOST_KEYRING_H
#define KW_HOST_KEYRING_H

#include "core/config.h"
#include "host/key.h"
#include "host/workspace.h"

#define KW_SERIAL_TEXT 19 /* 18 upper-case hex digits and a NUL */

void kw_serial_text(const uint8_t serial[KW_SERIAL_SIZE],
                    char text[KW_SERIAL_TEXT]);

/* Makes the next generation's folder; the caller frees its path. */
KW_MUST_USE kw_status kw_keyring_new_generation(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    unsigned *generation, char **folder, struct kw_error *error);

/* The number of the newest one; 0: there is none. */
KW_MUST_USE kw_status kw_keyring_last_generation(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    unsigned *generation, struct kw_error *error);

/* A key file that was found. */
struct kw_key_file {
    char serial[KW_SERIAL_TEXT];
    unsigned generation;
    unsigned slot;
    bool is_key_pair; /* else a symmetric key */
    char *path;       /* freed by kw_key_file_free */
    bool has_public;  /* false for symmetric keys and unreadable files */
    uint8_t public_key[KW_PUBLIC_KEY_SIZE];
};
void kw_key_file_free(struct kw_key_file *file);

/* Marks a generation whose keys are all in the chip: the file `programmed`
 * beside them. Without it a cut may have left some of them out. */
KW_MUST_USE kw_status kw_generation_set_programmed(const char *folder,
                                                   struct kw_error *error);
bool kw_generation_is_programmed(const struct kw_key_file *file);

/* Marks a generation whose key `rotate rollback` left: the file `abandoned`
 * beside it. */
KW_MUST_USE kw_status kw_generation_set_abandoned(
    const struct kw_key_file *file, struct kw_error *error);
bool kw_generation_is_abandoned(const struct kw_key_file *file);

/* Wipes and removes a generation that no chip has a key of. */
void kw_generation_discard(const char *folder);

/* The newest generation that `resources make` began; 0: none. It is whole
 * unless an interruption left a part of it out of the chip. */
struct kw_generation {
    unsigned number;
    bool is_whole;
};
KW_MUST_USE kw_status kw_keyring_resources(const struct kw_workspace *workspace,
                                           const uint8_t serial[KW_SERIAL_SIZE],
                                           struct kw_generation *generation,
                                           struct kw_error *error);

/* All key files, by serial, generation and slot. */
struct kw_key_files {
    struct kw_key_file *file;
    size_t count;
};
KW_MUST_USE kw_status kw_keyring_list(const struct kw_workspace *workspace,
                                      struct kw_key_files *files,
                                      struct kw_error *error);
void kw_key_files_free(struct kw_key_files *files);

/* The key pair file of a slot with this public key. serial NULL: of any
 * device. KW_NO: none. */
KW_MUST_USE kw_status kw_keyring_find(
    const struct kw_workspace *workspace, const uint8_t serial[KW_SERIAL_SIZE],
    unsigned slot, const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
    struct kw_key_file *found, struct kw_error *error);

/* For who did not find a key pair file: one of the slot, of a generation above
 * this one, may be it and cannot be read. Class KW_CLASS_PARSE or
 * KW_SYSTEM_FILE, with its name; KW_OK: there is no such file. serial NULL: of
 * any device. */
KW_MUST_USE kw_status kw_keyring_check(const struct kw_workspace *workspace,
                                       const uint8_t serial[KW_SERIAL_SIZE],
                                       unsigned slot, unsigned above,
                                       struct kw_error *error);

/* The newest key pair file of a slot. KW_NO: none. */
KW_MUST_USE kw_status kw_keyring_newest(const struct kw_workspace *workspace,
                                        const uint8_t serial[KW_SERIAL_SIZE],
                                        unsigned slot,
                                        struct kw_key_file *found,
                                        struct kw_error *error);

#endif
