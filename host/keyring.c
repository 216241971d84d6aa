#include "host/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/text.h"

#define GENERATION_PREFIX "prototype-"
#define GENERATION_FORMAT GENERATION_PREFIX "%04u"
#define SERIAL_DIGITS     (KW_SERIAL_TEXT - 1)

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

void kw_serial_text(const uint8_t serial[KW_SERIAL_SIZE],
                    char text[KW_SERIAL_TEXT]) {
    kw_hex_upper(serial, KW_SERIAL_SIZE, text);
}

/* The number of a generation's folder; 0: it is something else. */
static unsigned generation_of(const char *name) {
    char written[32];
    const size_t size = strlen(GENERATION_PREFIX);
    if (strncmp(name, GENERATION_PREFIX, size) != 0) {
        return 0;
    }
    const unsigned long number = strtoul(name + size, NULL, 10);
    (void)snprintf(written, sizeof written, GENERATION_FORMAT,
                   (unsigned)number);
    return strcmp(written, name) == 0 ? (unsigned)number : 0;
}

static kw_status last_generation(const char *folder, unsigned *last,
                                 struct kw_error *error) {
    struct kw_names names;
    *last = 0;
    KW_TRY(kw_folder_list(folder, &names, error));
    for (size_t i = 0; i < names.count; i++) {
        const unsigned number = generation_of(names.name[i]);
        *last = number > *last ? number : *last;
    }
    kw_names_free(&names);
    return KW_OK;
}

static kw_status make_generation(const char *device, unsigned *generation,
                                 char **folder, struct kw_error *error) {
    unsigned last = 0;
    KW_TRY(kw_folder_make(device, error));
    KW_TRY(last_generation(device, &last, error));
    char *path = kw_format("%s/" GENERATION_FORMAT, device, last + 1);
    if (path == NULL) {
        return no_memory(error);
    }
    const kw_status status = kw_folder_make(path, error);
    if (status != KW_OK) {
        free(path);
        return status;
    }
    *generation = last + 1;
    *folder = path;
    return KW_OK;
}

static char *device_folder(const struct kw_workspace *workspace,
                           const uint8_t serial[KW_SERIAL_SIZE]) {
    char text[KW_SERIAL_TEXT];
    kw_serial_text(serial, text);
    return kw_workspace_path(workspace, "keys/%s", text);
}

kw_status kw_keyring_new_generation(const struct kw_workspace *workspace,
                                    const uint8_t serial[KW_SERIAL_SIZE],
                                    unsigned *generation, char **folder,
                                    struct kw_error *error) {
    char *device = device_folder(workspace, serial);
    const kw_status status =
        device == NULL ? no_memory(error)
                       : make_generation(device, generation, folder, error);
    free(device);
    return status;
}

kw_status kw_keyring_last_generation(const struct kw_workspace *workspace,
                                     const uint8_t serial[KW_SERIAL_SIZE],
                                     unsigned *generation,
                                     struct kw_error *error) {
    char *device = device_folder(workspace, serial);
    const kw_status status = device == NULL
                                 ? no_memory(error)
                                 : last_generation(device, generation, error);
    free(device);
    return status;
}

#define PROGRAMMED "programmed"
#define ABANDONED  "abandoned"

/* A mark holds the time. One that is there already is as good. */
static kw_status set_mark(const char *path, struct kw_error *error) {
    char now[KW_TIME_TEXT];
    if (path == NULL) {
        return no_memory(error);
    }
    if (kw_file_exists(path)) {
        return KW_OK;
    }
    kw_time_now(now);
    now[KW_TIME_TEXT - 1] = '\n'; /* in the place of the NUL */
    return kw_file_create(path, KW_SECRET_MODE, now, sizeof now, error);
}

static char *mark_beside(const struct kw_key_file *file, const char *mark) {
    const char *slash = strrchr(file->path, '/');
    return kw_format("%.*s/%s", (int)(slash - file->path), file->path, mark);
}

static bool has_mark(const struct kw_key_file *file, const char *mark) {
    char *path = mark_beside(file, mark);
    const bool marked = path != NULL && kw_file_exists(path);
    free(path);
    return marked;
}

kw_status kw_generation_set_programmed(const char *folder,
                                       struct kw_error *error) {
    char *path = kw_format("%s/" PROGRAMMED, folder);
    const kw_status status = set_mark(path, error);
    free(path);
    return status;
}

bool kw_generation_is_programmed(const struct kw_key_file *file) {
    return has_mark(file, PROGRAMMED);
}

kw_status kw_generation_set_abandoned(const struct kw_key_file *file,
                                      struct kw_error *error) {
    char *path = mark_beside(file, ABANDONED);
    const kw_status status = set_mark(path, error);
    free(path);
    return status;
}

bool kw_generation_is_abandoned(const struct kw_key_file *file) {
    return has_mark(file, ABANDONED);
}

static void discard_file(const char *folder, const char *name) {
    struct kw_error ignored;
    char *path = kw_format("%s/%s", folder, name);
    if (path != NULL) {
        (void)!kw_file_wipe(path, &ignored);
    }
    free(path);
}

void kw_generation_discard(const char *folder) {
    struct kw_error ignored;
    struct kw_names names;
    if (kw_folder_list(folder, &names, &ignored) == KW_OK) {
        for (size_t i = 0; i < names.count; i++) {
            discard_file(folder, names.name[i]);
        }
        kw_names_free(&names);
    }
    (void)rmdir(folder);
}

/* What `rotate new-key` makes has none of these. */
static const char *const OF_RESOURCES[] = {
    "slot_6_secret_key.pem", "slot_13_ecc_key_pair.pem", PROGRAMMED};

static bool generation_has(const char *device, unsigned generation,
                           const char *name) {
    char *path =
        kw_format("%s/" GENERATION_FORMAT "/%s", device, generation, name);
    const bool there = path != NULL && kw_file_exists(path);
    free(path);
    return there;
}

static bool is_of_resources(const char *device, unsigned generation) {
    for (size_t i = 0; i < sizeof OF_RESOURCES / sizeof *OF_RESOURCES; i++) {
        if (generation_has(device, generation, OF_RESOURCES[i])) {
            return true;
        }
    }
    return false;
}

static kw_status find_resources(const char *device,
                                struct kw_generation *generation,
                                struct kw_error *error) {
    unsigned number = 0;
    KW_TRY(last_generation(device, &number, error));
    while (number > 0 && !is_of_resources(device, number)) {
        number--;
    }
    *generation = (struct kw_generation){
        .number = number,
        .is_whole = number > 0 && generation_has(device, number, PROGRAMMED),
    };
    return KW_OK;
}

kw_status kw_keyring_resources(const struct kw_workspace *workspace,
                               const uint8_t serial[KW_SERIAL_SIZE],
                               struct kw_generation *generation,
                               struct kw_error *error) {
    char *device = device_folder(workspace, serial);
    const kw_status status = device == NULL
                                 ? no_memory(error)
                                 : find_resources(device, generation, error);
    free(device);
    return status;
}

/* --- listing ----------------------------------------------------------------
 */

void kw_key_file_free(struct kw_key_file *file) {
    free(file->path);
    *file = (struct kw_key_file){.path = NULL};
}

void kw_key_files_free(struct kw_key_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        kw_key_file_free(&files->file[i]);
    }
    free(files->file);
    *files = (struct kw_key_files){NULL, 0};
}

/* slot_N_ecc_key_pair.pem or slot_N_secret_key.pem. */
static bool parse_name(const char *name, struct kw_key_file *file) {
    static const char *const kinds[] = {"secret_key", "ecc_key_pair"};
    char written[40];
    for (unsigned slot = 0; slot < KW_SLOT_COUNT; slot++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            (void)snprintf(written, sizeof written, "slot_%u_%s.pem", slot,
                           kinds[kind]);
            if (strcmp(written, name) == 0) {
                file->slot = slot;
                file->is_key_pair = kind == 1;
                return true;
            }
        }
    }
    return false;
}

/* A key file that cannot be read is listed without its public key. */
static void read_public(struct kw_key_file *file) {
    struct kw_error ignored;
    struct kw_key *key = NULL;
    if (file->is_key_pair && kw_key_read(file->path, &key, &ignored) == KW_OK) {
        kw_key_public(key, file->public_key);
        file->has_public = true;
        kw_key_free(key);
    }
}

static kw_status add_file(struct kw_key_files *files,
                          const struct kw_key_file *file,
                          struct kw_error *error) {
    struct kw_key_file *grown =
        realloc(files->file, (files->count + 1) * sizeof *grown);
    if (grown == NULL) {
        return no_memory(error);
    }
    files->file = grown;
    files->file[files->count++] = *file;
    return KW_OK;
}

static kw_status list_generation(const char *folder, const char *serial,
                                 unsigned generation,
                                 struct kw_key_files *files,
                                 struct kw_error *error) {
    struct kw_names names;
    kw_status status = kw_folder_list(folder, &names, error);
    KW_TRY(status);
    for (size_t i = 0; status == KW_OK && i < names.count; i++) {
        struct kw_key_file file = {.generation = generation};
        if (!parse_name(names.name[i], &file)) {
            continue;
        }
        memcpy(file.serial, serial, KW_SERIAL_TEXT);
        file.path = kw_format("%s/%s", folder, names.name[i]);
        status = file.path == NULL ? no_memory(error) : KW_OK;
        if (status == KW_OK) {
            read_public(&file);
            status = add_file(files, &file, error);
        }
    }
    kw_names_free(&names);
    return status;
}

static kw_status list_device(const char *folder, const char *serial,
                             struct kw_key_files *files,
                             struct kw_error *error) {
    struct kw_names names;
    kw_status status = kw_folder_list(folder, &names, error);
    KW_TRY(status);
    for (size_t i = 0; status == KW_OK && i < names.count; i++) {
        const unsigned generation = generation_of(names.name[i]);
        if (generation == 0) {
            continue;
        }
        char *path = kw_format("%s/%s", folder, names.name[i]);
        status = path == NULL
                     ? no_memory(error)
                     : list_generation(path, serial, generation, files, error);
        free(path);
    }
    kw_names_free(&names);
    return status;
}

static bool is_serial(const char *name) {
    return strlen(name) == SERIAL_DIGITS &&
           strspn(name, "0123456789ABCDEF") == SERIAL_DIGITS;
}

static kw_status list_devices(const struct kw_workspace *workspace,
                              const struct kw_names *names,
                              struct kw_key_files *files,
                              struct kw_error *error) {
    kw_status status = KW_OK;
    for (size_t i = 0; status == KW_OK && i < names->count; i++) {
        if (!is_serial(names->name[i])) {
            continue;
        }
        char *path = kw_workspace_path(workspace, "keys/%s", names->name[i]);
        status = path == NULL ? no_memory(error)
                              : list_device(path, names->name[i], files, error);
        free(path);
    }
    return status;
}

/* Folders come by serial and generation, names of files by their text. */
static int compare_files(const void *left, const void *right) {
    const struct kw_key_file *a = left;
    const struct kw_key_file *b = right;
    const int serial = strcmp(a->serial, b->serial);
    if (serial != 0) {
        return serial;
    }
    if (a->generation != b->generation) {
        return a->generation < b->generation ? -1 : 1;
    }
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

kw_status kw_keyring_list(const struct kw_workspace *workspace,
                          struct kw_key_files *files, struct kw_error *error) {
    struct kw_names names = {NULL, 0};
    *files = (struct kw_key_files){NULL, 0};
    char *folder = kw_workspace_path(workspace, "keys");
    kw_status status = folder == NULL ? no_memory(error)
                                      : kw_folder_list(folder, &names, error);
    free(folder);
    KW_TRY(status);
    status = list_devices(workspace, &names, files, error);
    kw_names_free(&names);
    if (status != KW_OK) {
        kw_key_files_free(files);
        return status;
    }
    if (files->count > 0) {
        qsort(files->file, files->count, sizeof *files->file, compare_files);
    }
    return KW_OK;
}

/* --- finding --- */

static bool belongs_to(const struct kw_key_file *file, const uint8_t *serial,
                       unsigned slot) {
    char text[KW_SERIAL_TEXT] = "";
    if (serial != NULL) {
        kw_serial_text(serial, text);
    }
    return file->is_key_pair && file->slot == slot &&
           (serial == NULL || strcmp(text, file->serial) == 0);
}

/* Generations come in rising order: the last one that fits is the newest. */
static const struct kw_key_file *pick(const struct kw_key_files *files,
                                      const uint8_t *serial, unsigned slot,
                                      const uint8_t *public_key) {
    const struct kw_key_file *found = NULL;
    for (size_t i = 0; i < files->count; i++) {
        const struct kw_key_file *file = &files->file[i];
        const bool fits =
            belongs_to(file, serial, slot) && file->has_public &&
            (public_key == NULL ||
             memcmp(file->public_key, public_key, KW_PUBLIC_KEY_SIZE) == 0);
        found = fits ? file : found;
    }
    return found;
}

static kw_status find(const struct kw_workspace *workspace,
                      const uint8_t *serial, unsigned slot,
                      const uint8_t *public_key, struct kw_key_file *found,
                      struct kw_error *error) {
    struct kw_key_files files;
    KW_TRY(kw_keyring_list(workspace, &files, error));
    const struct kw_key_file *file = pick(&files, serial, slot, public_key);
    kw_status status = KW_OK;
    if (file == NULL) {
        status =
            kw_error(error, KW_NO,
                     "no private key of slot %u is in keys/ that fits", slot);
    } else {
        *found = *file;
        found->path = strdup(file->path);
        status = found->path == NULL ? no_memory(error) : KW_OK;
    }
    kw_key_files_free(&files);
    return status;
}

kw_status kw_keyring_find(const struct kw_workspace *workspace,
                          const uint8_t serial[KW_SERIAL_SIZE], unsigned slot,
                          const uint8_t public_key[KW_PUBLIC_KEY_SIZE],
                          struct kw_key_file *found, struct kw_error *error) {
    return find(workspace, serial, slot, public_key, found, error);
}

kw_status kw_keyring_newest(const struct kw_workspace *workspace,
                            const uint8_t serial[KW_SERIAL_SIZE], unsigned slot,
                            struct kw_key_file *found, struct kw_error *error) {
    return find(workspace, serial, slot, NULL, found, error);
}

/* Reads it once more, for the reason. */
static kw_status why_unreadable(const struct kw_key_file *file,
                                struct kw_error *error) {
    struct kw_key *key = NULL;
    KW_TRY(kw_key_read(file->path, &key, error));
    kw_key_free(key);
    return KW_OK;
}

kw_status kw_keyring_check(const struct kw_workspace *workspace,
                           const uint8_t serial[KW_SERIAL_SIZE], unsigned slot,
                           unsigned above, struct kw_error *error) {
    struct kw_key_files files;
    KW_TRY(kw_keyring_list(workspace, &files, error));
    kw_status status = KW_OK;
    for (size_t i = 0; status == KW_OK && i < files.count; i++) {
        const struct kw_key_file *file = &files.file[i];
        if (belongs_to(file, serial, slot) && !file->has_public &&
            file->generation > above) {
            status = why_unreadable(file, error);
        }
    }
    kw_key_files_free(&files);
    return status;
}
