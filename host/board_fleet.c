#include "host/board_fleet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files.h"
#include "host/text.h"
#include "host/workspace.h"

#define SUFFIX      ".chip"
#define CHOICE_HEAD 2 /* bytes before the name */

static kw_status no_memory(struct kw_error *error) {
    return kw_error(error, KW_SYSTEM_MEMORY, "out of memory");
}

/* --- the folder --- */

static kw_status lock_folder(struct kw_fleet *fleet, struct kw_error *error) {
    char *path = kw_format("%s/fleet.lock", fleet->folder);
    if (path == NULL) {
        return no_memory(error);
    }
    fleet->lock =
        open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, KW_SECRET_MODE);
    free(path);
    if (fleet->lock < 0) {
        return kw_error_system(error, "cannot open %s/fleet.lock",
                               fleet->folder);
    }
    errno = kw_lock_byte(fleet->lock, 0);
    if (errno == EAGAIN) {
        kw_error(error, KW_ABSENT_LOCKED, "another board has the chips of %s",
                 fleet->folder);
        return kw_error_hint(error, "wait until that board has ended, or end "
                                    "it");
    }
    return errno == 0 ? KW_OK
                      : kw_error_system(error, "cannot lock %s/fleet.lock",
                                        fleet->folder);
}

/* Whoever wrote the images may have been killed before it flushed them. */
static kw_status flush_folder(const struct kw_fleet *fleet,
                              struct kw_error *error) {
    const int fd = open(fleet->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool fine = fd >= 0 && syncfs(fd) == 0;
    const kw_status status =
        fine ? KW_OK : kw_error_system(error, "cannot flush %s", fleet->folder);
    if (fd >= 0) {
        (void)close(fd);
    }
    return status;
}

static int is_image(const struct dirent *entry) {
    const size_t size = strlen(entry->d_name);
    const size_t suffix = strlen(SUFFIX);
    return entry->d_name[0] != '.' && size > suffix &&
           size <= KW_FLEET_NAME_MAX + suffix &&
           strcmp(entry->d_name + size - suffix, SUFFIX) == 0;
}

static int in_order(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Takes the names over, without their suffix. */
static bool take_names(struct kw_fleet *fleet, struct dirent **entries,
                       size_t count) {
    fleet->names = calloc(count, sizeof *fleet->names);
    for (size_t i = 0; i < count; i++) {
        if (fleet->names != NULL && fleet->count == i) {
            fleet->names[i] =
                strndup(entries[i]->d_name,
                        strlen(entries[i]->d_name) - strlen(SUFFIX));
            fleet->count += fleet->names[i] != NULL ? 1 : 0;
        }
        free(entries[i]);
    }
    free(entries);
    return fleet->names != NULL && fleet->count == count;
}

kw_status kw_fleet_open(struct kw_fleet *fleet, const char *folder,
                        struct kw_error *error) {
    struct dirent **entries = NULL;
    *fleet = (struct kw_fleet){.folder = folder, .lock = -1};
    const int count = scandir(folder, &entries, is_image, NULL);
    if (count <= 0) {
        free(entries);
        kw_error(error, KW_ABSENT, "%s has no image of a chip", folder);
        return kw_error_hint(error, "a fleet is a folder of files NAME.chip, "
                                    "such as `chip snapshot` makes");
    }
    if (!take_names(fleet, entries, (size_t)count)) {
        return no_memory(error);
    }
    qsort(fleet->names, fleet->count, sizeof *fleet->names, in_order);
    KW_TRY(lock_folder(fleet, error));
    return flush_folder(fleet, error);
}

void kw_fleet_close(struct kw_fleet *fleet) {
    for (size_t i = 0; i < fleet->count; i++) {
        free(fleet->names[i]);
    }
    free(fleet->names);
    if (fleet->folder != NULL && fleet->lock >= 0) {
        (void)close(fleet->lock);
    }
    *fleet = (struct kw_fleet){.lock = -1};
}

/* --- its chips --- */

static size_t find(const struct kw_fleet *fleet, const char *name,
                   size_t size) {
    char text[KW_FLEET_NAME_MAX + 1] = "";
    const char *const key = text;
    if (size > KW_FLEET_NAME_MAX || memchr(name, '\0', size) != NULL) {
        return fleet->count;
    }
    memcpy(text, name, size);
    char **const found = bsearch(&key, fleet->names, fleet->count,
                                 sizeof *fleet->names, in_order);
    return found == NULL ? fleet->count : (size_t)(found - fleet->names);
}

size_t kw_fleet_take_choice(const struct kw_fleet *fleet, const uint8_t *input,
                            size_t size, size_t *number) {
    if (size < CHOICE_HEAD || size < CHOICE_HEAD + (size_t)input[1]) {
        return 0;
    }
    *number = find(fleet, (const char *)input + CHOICE_HEAD, input[1]);
    return CHOICE_HEAD + (size_t)input[1];
}

char *kw_fleet_image(const struct kw_fleet *fleet, size_t number) {
    return kw_format("%s/%s" SUFFIX, fleet->folder, fleet->names[number]);
}
